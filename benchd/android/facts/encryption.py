"""Whether the user storage is encrypted, by all that the handset says of it at once.

One word is easily set by whoever has changed the system, so all that speak of it have to agree:
what one of them denies is taken as not encrypted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from benchd.android.facts.properties import one_of
from benchd.errors import AnswerNotRecognised

ENCRYPTED: Final = "encrypted"
DENIED: Final = "unencrypted"
_STATUS: Final = re.compile(r"^ *Encryption Status: (.*)$", re.MULTILINE)
_ENCRYPTED_STATUS: Final = frozenset({"per-user", "block", "block default key"})
"""AOSP's DevicePolicyManagerService.getEncryptionStatusName; all its other words deny it."""


def crypto_state(properties: Mapping[str, str], policy: str) -> str:
    """The state by the properties, unless their type or `dumpsys device_policy` deny it."""
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
    return all(status.strip() in _ENCRYPTED_STATUS for status in _STATUS.findall(policy))
