"""A handset's recorded answers, as those see them who don't speak adb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class PersonalKind(StrEnum):
    """What is personal in an answer, and replaced in a dossier."""

    SERIAL = "serial"
    IMEI = "imei"
    SUBSCRIBER = "subscriber"
    """Numbers of a SIM and of who has it: ICCID and IMSI."""
    PHONE = "phone"
    MAIL = "mail"
    ACCOUNT = "account"
    USER = "user"
    DEVICE_NAME = "device_name"
    ORGANISATION = "organisation"
    ANDROID_ID = "android_id"
    ADDRESS = "address"
    """Of a network's hardware or of a network: MAC and IP."""
    NETWORK = "network"
    IDENTIFIER = "identifier"
    """Of a card, a file system or an installation."""
    FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A dossier that isn't written yet: what is personal in it has been replaced."""

    files: Mapping[str, str]
    """By name, with what stands in each."""
    replaced: Mapping[str, int]
    """What kind of value was replaced how often."""
    unanswered: Mapping[str, str]
    """Which questions have no answer in it, and why."""
    reads_otherwise: tuple[str, ...]
    """Facts that benchd reads otherwise since the replacement, which it should not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDossier:
    """A dossier that a failed inspection has left on the rack."""

    name: str
    taken_at: str
    model: str
    android: str
    why: str
    path: str
