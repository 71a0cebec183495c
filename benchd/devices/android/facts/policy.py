"""Answers of `dumpsys device_policy`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from benchd.devices.android.facts.admins import of_lenders, of_makers
from benchd.devices.android.shell.text import lines_of
from benchd.domain.errors import AnswerNotRecognised

_HEADING: Final = "Current Device Policy Manager state:"
_OWNER: Final = "Device Owner:"
_OWNER_OF_PROFILE: Final = re.compile(r"Profile Owner \(User [0-9]{1,9}\):")
_OWNER_COMPONENT: Final = "admin=ComponentInfo{"
_ORGANISATION: Final = "isOrganizationOwnedDevice=true"
_OF_A_PROFILE: Final = "Profile Owner"
_PACKAGE: Final = re.compile(r"package=[A-Za-z0-9_.]+")
_AFTER_ADMIN: Final = (
    (
        re.compile(r"name=.*"),
        _PACKAGE,
        re.compile(r"(?:canAccessDeviceIds|isOrganizationOwnedDevice)=(?:true|false)|[^=]+:"),
    ),
    # From about Android 13 on an owner has no name, and always tells whether a company has it.
    (_PACKAGE, re.compile(r"isOrganizationOwnedDevice=(?:true|false)")),
)
"""What follows an owner's component. Source: AOSP, OwnersData.OwnerInfo.dump, and its older form in
Owners."""
_OWNER_OF_USER: Final = re.compile(r"Enabled Device Admins \(User 0\b.*\):")
_ADMINS: Final = re.compile(r"Enabled Device Admins \(User [0-9]{1,9}\b.*\):")
_ADMIN: Final = re.compile(r"(?:ComponentInfo\{)?([A-Za-z0-9_.]{1,255})/[A-Za-z0-9_.$]+\}?:")
_UID_OF_ADMIN: Final = "uid="
_OF_AN_ADMIN: Final = (_UID_OF_ADMIN, "testOnlyAdmin=", "policies:")
_END_OF_ADMINS: Final = "mPasswordOwner="
"""What stands below each admin's name, and below all of a user's. Source: AOSP, ActiveAdmin.dump,
DevicePolicyData.dump."""


def has_device_owner(text: str) -> bool:
    """Whether somebody else has the handset: a device owner, a company's work profile, a lender."""
    lines = _lines(text)
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
    # Nor is "no lender" of one that doesn't reach the end of the owner's own admins.
    _require_whole(lines)
    return bool(of_lenders(_admins(lines)))


def read_lock_admins(text: str) -> tuple[str, ...]:
    """The packages of its makers' own services among its admins that can lock it for a lender.

    Nothing of a handset that somebody else has anyway: that refuses it.
    """
    return () if has_device_owner(text) else of_makers(_admins(_lines(text)))


def _lines(text: str) -> list[str]:
    lines = [line.strip() for line in lines_of(text) if line.strip()]
    if _HEADING not in lines:
        raise AnswerNotRecognised("dumpsys device_policy: no heading")
    return lines


def _require_whole(lines: Sequence[str]) -> None:
    """Refuse a part of user 0 without its end, or with what belongs to an admin who isn't named."""
    start = next(place for place, line in enumerate(lines) if _OWNER_OF_USER.fullmatch(line))
    named = above = False
    for line in lines[start + 1 :]:
        if line.startswith(_END_OF_ADMINS):
            return
        if _ADMINS.fullmatch(line):
            break
        is_admin = _ADMIN.fullmatch(line) is not None
        if line.startswith(_OF_AN_ADMIN) and not (
            above if line.startswith(_UID_OF_ADMIN) else named
        ):
            raise AnswerNotRecognised("dumpsys device_policy: an admin without a name")
        named, above = named or is_admin, is_admin
    raise AnswerNotRecognised("dumpsys device_policy: the admins of user 0 have no end")


def _admins(lines: Sequence[str]) -> list[str]:
    """The packages of all users' admins."""
    return [match[1] for line in lines if (match := _ADMIN.fullmatch(line))]


def _is_owner(lines: list[str]) -> bool:
    return any(line.startswith(_OWNER_COMPONENT) for line in lines)


def _is_part(lines: Sequence[str], forms: Sequence[re.Pattern[str]]) -> bool:
    """Whether these lines begin with one of each form."""
    rest = lines[: len(forms)]
    return len(rest) == len(forms) and all(
        form.fullmatch(line) for form, line in zip(forms, rest, strict=True)
    )


def _require_known_owners(lines: list[str]) -> None:
    """Refuse an owner that stands under no heading, or whose part isn't as it's printed."""
    for place, line in enumerate(lines):
        if line.startswith(_OF_A_PROFILE) and not _is_owner(lines[place + 1 : place + 2]):
            raise AnswerNotRecognised("dumpsys device_policy: a profile owner without a name")
        if not line.startswith(_OWNER_COMPONENT):
            continue
        heading = lines[place - 1] if place else ""
        whole = any(_is_part(lines[place + 1 :], forms) for forms in _AFTER_ADMIN)
        if not whole or not _OWNER_OF_PROFILE.fullmatch(heading):
            raise AnswerNotRecognised("dumpsys device_policy: an owner of unknown kind")
