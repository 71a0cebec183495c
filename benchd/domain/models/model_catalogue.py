"""Finds what is known of a handset; one that nobody has told of is unknown, and works."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Self

from benchd.domain.chip import ModelFelica
from benchd.domain.handset import HandsetIdentity
from benchd.domain.models.model_entry import FelicaErase, Maker, Menu, ModelEntry

NOTHING_READ: Final = hashlib.sha256(b"").hexdigest()
_MAJOR_VERSION = re.compile(r"[0-9]{1,3}(?![0-9])")


def in_any_case(text: str) -> str:
    """How names are compared: handsets of one model spell their maker in several ways."""
    return text.strip().casefold()


def android_number(android: str) -> int | None:
    """The number of a version such as `8.1.0`; None for what isn't one."""
    found = _MAJOR_VERSION.match(android)
    return int(found[0]) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCatalogue:
    """All entries that there are, by what handsets say of themselves."""

    makers: Mapping[str, Maker] = field(default_factory=dict[str, Maker])
    menus: Mapping[str, Sequence[Menu]] = field(default_factory=dict[str, Sequence[Menu]])
    """By name, for the newest Android first."""
    models: Sequence[ModelEntry] = ()
    sha256: str = NOTHING_READ
    """Of the files, as hex: which catalogue it was."""
    _by_code: Mapping[str, ModelEntry] = field(
        init=False, repr=False, compare=False, default_factory=dict[str, ModelEntry]
    )

    @classmethod
    def of_entries(
        cls,
        makers: Iterable[Maker] = (),
        menus: Iterable[Menu] = (),
        models: Iterable[ModelEntry] = (),
        sha256: str = NOTHING_READ,
    ) -> Self:
        """A catalogue of these, whatever order they come in."""
        by_name: dict[str, list[Menu]] = {}
        for menu in sorted(menus, key=lambda menu: -menu.first_android):
            by_name.setdefault(menu.name, []).append(menu)
        return cls(
            makers=MappingProxyType({maker.name: maker for maker in makers}),
            menus=MappingProxyType({name: tuple(each) for name, each in by_name.items()}),
            models=tuple(models),
            sha256=sha256,
        )

    def __post_init__(self) -> None:
        by_code = {in_any_case(code): entry for entry in self.models for code in entry.codes}
        object.__setattr__(self, "_by_code", MappingProxyType(by_code))

    def of_code(self, code: str) -> ModelEntry | None:
        """The entry of a model code; None where nobody has told of it."""
        return self._by_code.get(in_any_case(code))

    def of(self, identity: HandsetIdentity) -> ModelEntry | None:
        """The entry of this handset's model, whoever it says has made it.

        A copy that names another maker is held to the size of what it passes itself off as.
        """
        return self.of_code(identity.model)

    def menu_of(self, identity: HandsetIdentity) -> Menu | None:
        """The menus of this very handset, else those of its maker for its Android."""
        entry = self.of(identity)
        maker = self._maker_by_name(identity.manufacturer)
        name = entry.menus if entry else maker.menus if maker else None
        android = android_number(identity.android)
        if name is None or android is None:
            return None
        return next((menu for menu in self.menus.get(name, ()) if menu.is_of(android)), None)

    def storage_bytes(self, identity: HandsetIdentity) -> Sequence[int]:
        """The sizes that this handset's model is sold with; empty where nobody has told of them."""
        entry = self.of(identity)
        return entry.storage_bytes if entry else ()

    def felica(self, identity: HandsetIdentity) -> ModelFelica:
        """Whether this handset's model has a FeliCa chip; unknown where no source says it."""
        entry = self.of(identity)
        if entry is None or entry.felica is None:
            return ModelFelica.UNKNOWN
        return ModelFelica.HAS if entry.felica else ModelFelica.HAS_NONE

    def felica_erase(self, identity: HandsetIdentity) -> FelicaErase | None:
        """How this handset erases its own chip; None where no source says that it can."""
        entry = self.of(identity)
        erase = entry.felica_erase if entry else None
        return erase if erase and erase.is_of(android_number(identity.android)) else None

    def menu_of_vendor(self, vendor_id: str | None) -> Menu | None:
        """The newest menus of the maker that a USB port names, where only that is known."""
        vendor = in_any_case(vendor_id or "")
        makers = [maker for maker in self.makers.values() if vendor in maker.usb_vendors]
        # Several makers share a number that a chip's maker has lent them: nobody is named then.
        menus = self.menus.get(makers[0].menus, ()) if len(makers) == 1 else ()
        return menus[0] if menus else None

    def _maker_by_name(self, manufacturer: str) -> Maker | None:
        said = in_any_case(manufacturer)
        return next(
            (
                maker
                for maker in self.makers.values()
                if said in map(in_any_case, maker.manufacturers)
            ),
            None,
        )
