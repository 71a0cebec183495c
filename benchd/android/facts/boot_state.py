"""What the properties say of the boot chain and of changes to the system.

Hints only work in one direction: a sign of modification counts, its absence proves nothing,
since a modified system can set every property as it likes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchd.android.facts.properties import one_of
from benchd.android.shell.text import printable

_VERIFIED_BOOT = "ro.boot.verifiedbootstate"
_FLASH_LOCKED = "ro.boot.flash.locked"
_DEVICE_STATE = "ro.boot.vbmeta.device_state"
_SECURITY_PATCH = "ro.build.version.security_patch"
_DEBUGGABLE = "ro.debuggable"
_BUILD_TYPE = "ro.build.type"
_BUILD_TAGS = "ro.build.tags"
_WARRANTY_BITS = ("ro.boot.warranty_bit", "ro.warranty_bit")


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


def modification_signs(
    properties: Mapping[str, str], superuser_paths: Sequence[str]
) -> tuple[str, ...]:
    """Each sign of a modified system in a few words; that a property is absent is none."""
    signs: list[str] = []

    def note(name: str, *suspicious: str) -> None:
        value = properties.get(name, "")
        if value in suspicious:
            signs.append(f"{name}={value}")

    verified_boot_state(properties)
    bootloader_locked(properties)
    # Yellow is a locked boot loader with somebody else's key: another system than the maker's.
    note(_VERIFIED_BOOT, "yellow", "orange", "red")
    note(_FLASH_LOCKED, "0")
    note(_DEVICE_STATE, "unlocked")
    note(_DEBUGGABLE, "1")
    note(_BUILD_TYPE, "userdebug", "eng")
    tags = properties.get(_BUILD_TAGS, "").split(",")
    signs.extend(f"{_BUILD_TAGS}={tag}" for tag in tags if tag in ("test-keys", "dev-keys"))
    for bit in _WARRANTY_BITS:
        note(bit, "1")
    signs.extend(f"su at {path}" for path in superuser_paths)
    return tuple(signs)
