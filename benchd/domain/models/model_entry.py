"""What a catalogue of models says, and where each of it was read."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class ImeiPlace(StrEnum):
    """Where a person finds a handset's IMEI without adb."""

    DIAL = "dial"
    """`*#06#` on the keypad."""
    SETTINGS = "settings"
    ENGRAVED = "engraved"
    """On the case itself."""
    TRAY = "tray"
    """On the tray of the SIM."""
    LABEL = "label"
    """On a label that can be pulled out, or under the battery."""


class Fact(StrEnum):
    """What sources may disagree on."""

    NAME = "name"
    STORAGE = "storage"
    FELICA = "felica"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bilingual:
    """One text in both languages of the rack."""

    ja: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A public place, what it says in our own words, and the day on which it was read."""

    url: str
    says: str
    read_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """How a maker's settings lead to what a person has to do, for some versions of Android."""

    name: str
    first_android: int
    last_android: int | None
    """None: up to the newest that there is."""
    reset: Bilingual
    """To the button that erases everything."""
    debugging: Bilingual | None
    """To the switch of USB debugging, from the first tap."""
    sources: tuple[Source, ...]

    def is_of(self, android: int) -> bool:
        """Whether this version of Android has these menus."""
        last = self.last_android
        return self.first_android <= android and (last is None or android <= last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """Who makes handsets, by the words that they themselves use."""

    name: str
    """Of its file."""
    title: Bilingual
    manufacturers: tuple[str, ...]
    """As `ro.product.manufacturer` says them."""
    usb_vendors: tuple[str, ...]
    """Four hexadecimal digits each."""
    menus: str
    """The menus of a handset whose entry names none, and of one that has no entry."""
    imei: tuple[ImeiPlace, ...]
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaErase:
    """How a handset erases its own FeliCa chip, as its maker says; a reader decides what it did."""

    way: Bilingual
    """Through its menus, from the first tap."""
    signed_in: bool
    """Whether somebody has to be signed in to Google Play, which a reset undoes."""
    first_android: int | None
    """The oldest version of Android that has it; None where no source says which."""
    sources: tuple[Source, ...]

    def is_of(self, android: int | None) -> bool:
        """Whether this version of Android has it, as far as anybody has told."""
        first = self.first_android
        return first is None or (android is not None and first <= android)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """One model as it is sold, by all the codes that it goes by."""

    maker: str
    name: str
    """As it is sold in Japan."""
    codes: tuple[str, ...]
    """As `ro.product.model` says them."""
    devices: tuple[str, ...]
    """As `ro.product.device` says them; one may be shared by several models."""
    storage_bytes: tuple[int, ...]
    """The sizes that it is sold with; empty where no source says them."""
    felica: bool | None
    """Whether it has a FeliCa chip for payment; None where no source says it."""
    felica_generation: str | None
    released: int | None
    """The year of its first sale."""
    imei: tuple[ImeiPlace, ...]
    menus: str
    disputed: tuple[Fact, ...] = ()
    """On what its sources disagree: nothing is decided by that."""
    felica_erase: FelicaErase | None = None
    """How it erases its own chip; None where no source says that it can."""
    traps: tuple[Bilingual, ...] = field(default=())
    """What has cost somebody time with this model."""
    sources: tuple[Source, ...]
