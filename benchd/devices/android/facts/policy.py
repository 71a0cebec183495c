"""Answers of `dumpsys device_policy`."""

from __future__ import annotations

import re
from typing import Final

from benchd.devices.android.shell.text import lines_of
from benchd.domain.errors import AnswerNotRecognised

_HEADING: Final = "Current Device Policy Manager state:"
_OWNER: Final = "Device Owner:"
_OWNER_OF_PROFILE: Final = re.compile(r"Profile Owner \(User [0-9]{1,9}\):")
_OWNER_COMPONENT: Final = "admin=ComponentInfo{"
_ORGANISATION: Final = "isOrganizationOwnedDevice=true"
_OF_A_PROFILE: Final = "Profile Owner"
_AFTER_ADMIN: Final = (
    re.compile(r"name=.*"),
    re.compile(r"package=[A-Za-z0-9_.]+"),
    re.compile(r"(?:canAccessDeviceIds|isOrganizationOwnedDevice)=(?:true|false)|[^=]+:"),
)
_OWNER_OF_USER: Final = re.compile(r"Enabled Device Admins \(User 0\b.*\):")


def has_device_owner(text: str) -> bool:
    """Whether a company owns the handset, as its device owner or through a work profile."""
    lines = [line.strip() for line in lines_of(text) if line.strip()]
    if _HEADING not in lines:
        raise AnswerNotRecognised("dumpsys device_policy: no heading")
    if _OWNER in lines:
        place = lines.index(_OWNER)
        if not _is_owner(lines[place + 1 : place + 2]):
            raise AnswerNotRecognised("dumpsys device_policy: a device owner without a name")
        return True
    if _ORGANISATION in lines:
        return True
    _require_known_owners(lines)
    # "Nobody" is only believed of an answer that got as far as the owner's own part.
    if not any(_OWNER_OF_USER.fullmatch(line) for line in lines):
        raise AnswerNotRecognised("dumpsys device_policy: the part of user 0 is missing")
    return False


def _is_owner(lines: list[str]) -> bool:
    return any(line.startswith(_OWNER_COMPONENT) for line in lines)


def _require_known_owners(lines: list[str]) -> None:
    """Refuse an owner that stands under no heading, or whose part isn't as it's printed."""
    for place, line in enumerate(lines):
        if line.startswith(_OF_A_PROFILE) and not _is_owner(lines[place + 1 : place + 2]):
            raise AnswerNotRecognised("dumpsys device_policy: a profile owner without a name")
        if not line.startswith(_OWNER_COMPONENT):
            continue
        heading = lines[place - 1] if place else ""
        rest = lines[place + 1 : place + 4]
        whole = len(rest) == len(_AFTER_ADMIN) and all(
            form.fullmatch(line) for form, line in zip(_AFTER_ADMIN, rest, strict=True)
        )
        if not whole or not _OWNER_OF_PROFILE.fullmatch(heading):
            raise AnswerNotRecognised("dumpsys device_policy: an owner of unknown kind")
