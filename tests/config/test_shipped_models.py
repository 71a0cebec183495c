"""The catalogue that benchd brings: read without a mistake, and every entry says from where."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from benchd.config.model_files import read_models, shipped_models
from benchd.domain.handset import HandsetIdentity
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.models.model_guidance import reset_words
from benchd.lab.simulator import handset_models
from benchd.lab.simulator.handset_models import HandsetModel
from benchd.texts.catalogue import LONGEST_MENU

LAB = Path(handset_models.__file__).parent / "models"
FIRST_READ = date(2026, 11, 1)
LEAST_MODELS = 270
GB = 1_000_000_000


@pytest.fixture(scope="module")
def shipped() -> ModelCatalogue:
    return read_models([shipped_models()])


def test_it_has_the_models_that_are_promised(shipped: ModelCatalogue) -> None:
    assert len(shipped.models) >= LEAST_MODELS
    assert {entry.maker for entry in shipped.models} <= shipped.makers.keys()


def test_every_entry_says_where_it_was_read_and_when(shipped: ModelCatalogue) -> None:
    told = [*shipped.models, *shipped.makers.values()]
    told += [menu for menus in shipped.menus.values() for menu in menus]
    for entry in told:
        assert entry.sources
        for source in entry.sources:
            assert source.read_on >= FIRST_READ
            assert len(source.says.split()) > 1


def test_a_size_is_one_that_storage_is_sold_with(shipped: ModelCatalogue) -> None:
    sizes = {size for entry in shipped.models for size in entry.storage_bytes}
    assert sizes <= {GB * size for size in (8, 16, 32, 64, 128, 256, 512, 1024)}


@pytest.mark.parametrize(
    ("code", "name", "sizes"),
    [
        ("SO-51C", "Xperia 1 IV", (256, 512)),
        ("SO-03L", "Xperia 1", (64,)),
        ("Pixel 8", "Pixel 8", (128, 256)),
        ("SH-54B", "AQUOS sense6", (64,)),
        ("SCG15", "Galaxy A53 5G", (128,)),
        ("SC51Aa", "Galaxy S20 5G", (128,)),
        ("SC-02L", "Galaxy Feel2", ()),
        ("F-05J", "arrows Be", (16,)),
        ("FCG01", "arrows We", ()),
        ("arrowsM04", "arrows M04", (16,)),
        ("KYG03", "TORQUE G06", ()),
        ("A101BM", "BALMUDA Phone", (128,)),
        ("OPG02", "OPPO A54 5G", (64, 128)),
        ("moto g52j 5G", "moto g52j 5G", (128,)),
    ],
)
def test_codes_as_handsets_say_them(
    shipped: ModelCatalogue, code: str, name: str, sizes: tuple[int, ...]
) -> None:
    entry = shipped.of_code(code)
    assert entry is not None
    assert entry.name == name
    assert entry.storage_bytes == tuple(GB * size for size in sizes)


@pytest.mark.parametrize(
    ("manufacturer", "said"),
    [
        ("samsung", "一般管理"),
        ("Xiaomi", "デバイス情報"),
        ("OPPO", "システム設定"),
        ("KYOCERA", "リセット オプション"),
        ("motorola", "リセット オプション"),
        ("Google", "リセット オプション"),
        ("SHARP", "リセット オプション"),
    ],
)
def test_an_unknown_model_has_the_menus_of_its_maker(
    shipped: ModelCatalogue, manufacturer: str, said: str
) -> None:
    identity = HandsetIdentity(
        serial="1",
        manufacturer=manufacturer,
        model="nobody has told of it",
        android="13",
        build="1",
        imei=None,
        second_imei=None,
    )
    assert said in reset_words(shipped.menu_of(identity))["reset_ja"]


def test_no_way_through_menus_is_cut_or_ends_a_sentence(shipped: ModelCatalogue) -> None:
    for menu in (menu for menus in shipped.menus.values() for menu in menus):
        for way in (menu.reset, menu.debugging):
            for words in (way.ja, way.en) if way else ():
                assert len(words) <= LONGEST_MENU
                assert not words.endswith(("。", "."))


def test_virtual_handsets_have_the_size_of_the_virtual_rack() -> None:
    catalogue = read_models([shipped_models(), LAB])
    virtual = [each for each in vars(handset_models).values() if isinstance(each, HandsetModel)]
    assert virtual
    for each in virtual:
        entry = catalogue.of_code(each.model)
        assert entry is not None
        counterfeit = each is handset_models.RENO_5_A
        assert entry.storage_bytes == ((128 * 10**9,) if counterfeit else (64 << 20,))
