"""What the properties say of the boot chain and of the system's age."""

from __future__ import annotations

from collections.abc import Mapping

from benchd.android.facts.properties import one_of
from benchd.android.shell.text import printable

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
