"""Catalogues of models for tests: what is told of handsets, without any file."""

from __future__ import annotations

from datetime import date

from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.models.model_entry import (
    Bilingual,
    FelicaErase,
    ImeiPlace,
    Maker,
    Menu,
    ModelEntry,
    Source,
)

SOURCES = (Source(url="https://example.jp/", says="it does", read_on=date(2026, 11, 26)),)


def model(
    *codes: str,
    storage_bytes: tuple[int, ...] = (),
    menus: str = "plain",
    name: str = "Xperia",
    felica: bool | None = None,
    felica_erase: FelicaErase | None = None,
) -> ModelEntry:
    """An entry of these codes."""
    return ModelEntry(
        maker="sony",
        name=name,
        codes=codes,
        devices=(),
        storage_bytes=storage_bytes,
        felica=felica,
        felica_generation=None,
        felica_erase=felica_erase,
        released=None,
        imei=(ImeiPlace.DIAL,),
        menus=menus,
        sources=SOURCES,
    )


def own_erase(*, first_android: int | None = None) -> FelicaErase:
    """How a handset erases its own chip."""
    return FelicaErase(
        way=Bilingual(ja="設定 → FeliCa → 消去", en="Settings → FeliCa → Erase"),
        signed_in=True,
        first_android=first_android,
        sources=SOURCES,
    )


def menu(
    name: str, first: int = 9, last: int | None = None, way: str = "", *, debugging: bool = True
) -> Menu:
    """Menus whose words begin with their name."""
    said = way or name
    return Menu(
        name=name,
        first_android=first,
        last_android=last,
        reset=Bilingual(ja=f"{said} 初期化", en=f"{said} reset"),
        debugging=Bilingual(ja=f"{said} デバッグ", en=f"{said} debug") if debugging else None,
        sources=SOURCES,
    )


def maker(
    name: str = "sony",
    manufacturers: tuple[str, ...] = ("Sony",),
    usb_vendors: tuple[str, ...] = ("0fce",),
    menus: str = "plain",
) -> Maker:
    """A maker by what its handsets say."""
    return Maker(
        name=name,
        title=Bilingual(ja=name, en=name),
        manufacturers=manufacturers,
        usb_vendors=usb_vendors,
        menus=menus,
        imei=(ImeiPlace.DIAL,),
        sources=SOURCES,
    )


def catalogue(*models: ModelEntry, sha256: str = "1" * 64) -> ModelCatalogue:
    """Sony's handsets, of which these models are known; plain menus, and special ones."""
    return ModelCatalogue.of_entries(
        [maker()],
        [menu("plain", 9, 11, "old"), menu("plain", 12), menu("special")],
        models,
        sha256,
    )
