"""What protects a handset, by its own word: boot chain, encryption, screen lock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from benchd.devices.android.facts.properties import one_of
from benchd.devices.android.shell.text import lines_of, printable
from benchd.domain.errors import AnswerNotRecognised

_VERIFIED_BOOT = "ro.boot.verifiedbootstate"
_FLASH_LOCKED = "ro.boot.flash.locked"
_DEVICE_STATE = "ro.boot.vbmeta.device_state"
_SECURITY_PATCH = "ro.build.version.security_patch"


def verified_boot_state(properties: Mapping[str, str]) -> str | None:
    """The colour of AOSP's verified boot; None where the handset doesn't tell."""
    return one_of(properties, _VERIFIED_BOOT, "green", "yellow", "orange", "red")


def bootloader_locked(properties: Mapping[str, str]) -> bool | None:
    """Whether the boot loader is locked, by both properties that tell it; None if none does."""
    flash = one_of(properties, _FLASH_LOCKED, "0", "1")
    device = one_of(properties, _DEVICE_STATE, "locked", "unlocked")
    if flash is None and device is None:
        return None
    return flash != "0" and device != "unlocked"


def security_patch(properties: Mapping[str, str]) -> str | None:
    """The patch level of the system, fit to be shown; None where the handset doesn't tell."""
    return printable(properties.get(_SECURITY_PATCH, "")) or None


ENCRYPTED: Final = "encrypted"
DENIED: Final = "unencrypted"
_ENCRYPTION_STATUS: Final = re.compile(r"^ *Encryption Status: (.*)$", re.MULTILINE)
_ENCRYPTED_STATUS: Final = frozenset({"per-user", "block", "block default key"})
"""AOSP's DevicePolicyManagerService.getEncryptionStatusName; all its other words deny it."""


def crypto_state(properties: Mapping[str, str], policy: str) -> str:
    """The state by the properties, unless their type or `dumpsys device_policy` deny it.

    One word is easily set by whoever has changed the system, so all that speak of it have to agree:
    what one of them denies is taken as not encrypted.
    """
    state = one_of(properties, "ro.crypto.state", ENCRYPTED, DENIED, "unsupported")
    if state is None:
        raise AnswerNotRecognised("getprop: no ro.crypto.state")
    agreed = crypto_type(properties) is not None and _policy_agrees(policy)
    return DENIED if state == ENCRYPTED and not agreed else state


def crypto_type(properties: Mapping[str, str]) -> str | None:
    """How it's encrypted, which every Android that encrypts tells since its version 7."""
    return one_of(properties, "ro.crypto.type", "file", "block", "managed")


def _policy_agrees(policy: str) -> bool:
    """An answer that doesn't speak of it, as a shortened one doesn't, denies nothing."""
    return all(status.strip() in _ENCRYPTED_STATUS for status in _ENCRYPTION_STATUS.findall(policy))


_TRUST_HEADING: Final = "Trust manager state:"
_USER_BEGINS: Final = ' User "'
_TRUST_DISABLED: Final = re.compile(r"disabled because [a-z' -]+\.")
_TRUSTED_USER: Final = re.compile(r' User ".*" \(id=([0-9]{1,9}), flags=0x[0-9a-f]+\)(.*)')
_STATE_OF_USER: Final = re.compile(r"(?: \(current\))?(?: \([a-z ]+\))?: .*\bdeviceLocked=[01]\b.*")
_LOCKED: Final = re.compile(r"\bdeviceLocked=1\b")
_NO_STATE: Final = re.compile(r"(?: \(current\))?\([a-z ]+\)")
"""A profile that has no lock of its own; the next line says why."""
_NO_SWITCH: Final = " (user that cannot be switched to)"
_STATE_BELOW: Final = re.compile(r": deviceLocked=[01]")
"""Android ends the line after those words. Source: AOSP 14 to 16, TrustManagerService.dumpUser."""


def has_screen_lock(text: str) -> bool | None:
    """True when a user is locked behind a PIN, pattern or password; None otherwise.

    The trust manager calls a device locked only if a secure lock is set and closed. An
    unlocked screen says nothing about whether there is a lock, so False is never returned. Nobody
    else is asked: the commands of `lock_settings` count as failed attempts to unlock.
    """
    lines = lines_of(text)
    if _TRUST_HEADING not in lines:
        if lines and _TRUST_DISABLED.fullmatch(lines[0]):
            return None
        raise AnswerNotRecognised("dumpsys trust: no heading")
    # A name may imitate the state of an open handset, so one word of a closed one is enough.
    if any(map(_LOCKED.search, lines)):
        return True
    told: set[int] = set()
    for line, below in zip(lines, [*lines[1:], ""], strict=True):
        if not line.startswith(_USER_BEGINS):
            continue
        user = _TRUSTED_USER.fullmatch(line)
        if user is None or not _has_state(user[2], below):
            raise AnswerNotRecognised("dumpsys trust: a user without a state")
        told.add(int(user[1]))
    if 0 not in told:
        raise AnswerNotRecognised("dumpsys trust: no word about user 0")
    return None


def _has_state(told: str, below: str) -> bool:
    """Whether the rest of a user's line, with the line below it, tells of a lock or of none."""
    if told == _NO_SWITCH:
        return _STATE_BELOW.fullmatch(below) is not None
    return bool(_STATE_OF_USER.fullmatch(told) or _NO_STATE.fullmatch(told))
