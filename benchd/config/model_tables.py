"""The tables of a file of models: their keys, and what each key allows."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from benchd.config.addresses import WebAddress
from benchd.config.config_values import OneLine, Section
from benchd.config.mistake_wording import found, listed, refused, suggestion
from benchd.domain.models.model_entry import (
    Bilingual,
    Fact,
    FelicaErase,
    ImeiPlace,
    Maker,
    Menu,
    ModelEntry,
    Source,
)
from benchd.pipelines.parameters import LARGEST_BYTES

GB: Final = 1_000_000_000
LARGEST_GB: Final = 16_384
OLDEST_ANDROID: Final = 4
NEWEST_ANDROID: Final = 99
_USB_NUMBER: Final = re.compile("[0-9a-f]{4}")


def _word_of(words: type[StrEnum]) -> BeforeValidator:
    """Takes one of these words, as the file writes it."""

    def word(value: object) -> object:
        allowed = [str(each) for each in words]
        if value not in allowed:
            raise refused(
                f"found {found(value)}, allowed is one of"
                f" {listed(allowed)}{suggestion(value, allowed)}"
            )
        return words(str(value))

    return BeforeValidator(word)


def _usb_number(number: str) -> str:
    if not _USB_NUMBER.fullmatch(number):
        raise refused(f"found {found(number)}, allowed is four hexadecimal digits such as 0fce")
    return number


ImeiPlaces = Annotated[
    list[Annotated[ImeiPlace, _word_of(ImeiPlace)]], Field(default_factory=list[ImeiPlace])
]
Android = Annotated[int, Field(ge=OLDEST_ANDROID, le=NEWEST_ANDROID)]
UsbNumber = Annotated[str, AfterValidator(_usb_number)]


class WordsTable(Section):
    """One text in Japanese and English."""

    ja: OneLine
    en: OneLine

    def value(self) -> Bilingual:
        """The text as the core has it."""
        return Bilingual(ja=self.ja, en=self.en)


class SourceTable(Section):
    """Where something was read, and when."""

    url: WebAddress
    says: OneLine
    read_on: date

    def value(self) -> Source:
        """The source as the core has it."""
        return Source(url=self.url, says=self.says, read_on=self.read_on)


Sources = Annotated[list[SourceTable], Field(min_length=1)]
Words = Annotated[list[OneLine], Field(min_length=1)]


class MakerTable(Section):
    """Who makes the models of a file."""

    ja: OneLine
    en: OneLine
    manufacturers: Words
    usb_vendors: Annotated[list[UsbNumber], Field(default_factory=list[str])]
    menus: OneLine
    imei: ImeiPlaces
    sources: Sources

    def value(self, name: str) -> Maker:
        """The maker as the core has it; its name is that of the file."""
        return Maker(
            name=name,
            title=Bilingual(ja=self.ja, en=self.en),
            manufacturers=tuple(self.manufacturers),
            usb_vendors=tuple(self.usb_vendors),
            menus=self.menus,
            imei=tuple(self.imei),
            sources=tuple(source.value() for source in self.sources),
        )


class MenuTable(Section):
    """How one maker's menus lead to something, for some versions of Android."""

    name: OneLine
    from_android: Android
    to_android: Android | None = None
    reset: WordsTable
    debugging: WordsTable | None = None
    sources: Sources

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.to_android is not None and self.to_android < self.from_android:
            raise refused(
                f"found to_android {self.to_android}, allowed is {self.from_android} or a newer one"
            )
        return self

    def value(self) -> Menu:
        """The menus as the core has them."""
        return Menu(
            name=self.name,
            first_android=self.from_android,
            last_android=self.to_android,
            reset=self.reset.value(),
            debugging=self.debugging.value() if self.debugging else None,
            sources=tuple(source.value() for source in self.sources),
        )


class FelicaEraseTable(Section):
    """How a handset erases its own chip."""

    way: WordsTable
    signed_in: bool
    from_android: Android | None = None
    sources: Sources

    def value(self) -> FelicaErase:
        """The way as the core has it."""
        return FelicaErase(
            way=self.way.value(),
            signed_in=self.signed_in,
            first_android=self.from_android,
            sources=tuple(source.value() for source in self.sources),
        )


class ModelTable(Section):
    """One model as it is sold."""

    name: OneLine
    codes: Words
    devices: Annotated[list[OneLine], Field(default_factory=list[str])]
    storage_gb: Annotated[
        list[Annotated[int, Field(gt=0, le=LARGEST_GB)]], Field(default_factory=list[int])
    ]
    storage_bytes: Annotated[
        list[Annotated[int, Field(gt=0, le=LARGEST_BYTES)]], Field(default_factory=list[int])
    ]
    felica: bool | None = None
    felica_generation: OneLine | None = None
    felica_erase: FelicaEraseTable | None = None
    disputed: Annotated[list[Annotated[Fact, _word_of(Fact)]], Field(default_factory=list[Fact])]
    released: Annotated[int, Field(ge=2008, le=2100)] | None = None
    imei: ImeiPlaces
    menus: OneLine | None = None
    traps: Annotated[list[WordsTable], Field(default_factory=list[WordsTable])]
    sources: Sources

    @model_validator(mode="after")
    def _says_its_storage_once(self) -> Self:
        if self.storage_gb and self.storage_bytes:
            raise refused("storage_gb and storage_bytes are there, allowed is one of them")
        return self

    @model_validator(mode="after")
    def _decides_nothing_by_what_is_disputed(self) -> Self:
        storage_key = "storage_bytes" if self.storage_bytes else "storage_gb"
        given = {
            Fact.STORAGE: storage_key if self.storage_bytes or self.storage_gb else None,
            Fact.FELICA: "felica" if self.felica is not None else None,
        }
        for fact in self.disputed:
            if key := given.get(fact):
                raise refused(f"disputed names {fact}, and {key} is there, allowed is one of them")
        if self.disputed and len(self.sources) == 1:
            raise refused("disputed needs two sources that disagree, found one")
        return self

    @model_validator(mode="after")
    def _erases_a_chip_that_it_has(self) -> Self:
        if self.felica_erase is not None and self.felica is not True:
            raise refused("felica_erase is there, allowed is felica = true beside it")
        return self

    def value(self, maker: Maker) -> ModelEntry:
        """The entry as the core has it; what it doesn't say is as with its maker's others."""
        return ModelEntry(
            maker=maker.name,
            name=self.name,
            codes=tuple(self.codes),
            devices=tuple(self.devices),
            storage_bytes=tuple(self.storage_bytes or (size * GB for size in self.storage_gb)),
            felica=self.felica,
            felica_generation=self.felica_generation,
            felica_erase=self.felica_erase.value() if self.felica_erase else None,
            disputed=tuple(self.disputed),
            released=self.released,
            imei=tuple(self.imei) or maker.imei,
            menus=self.menus or maker.menus,
            traps=tuple(trap.value() for trap in self.traps),
            sources=tuple(source.value() for source in self.sources),
        )


class ModelFile(Section):
    """A file of one maker; one that only adds to a maker that is known needs no table of it."""

    maker: MakerTable | None = None
    menu: Annotated[list[MenuTable], Field(default_factory=list[MenuTable])]
    model: Annotated[list[ModelTable], Field(default_factory=list[ModelTable])]
