"""What is found of a handset by what it says of itself, and what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from benchd.domain.handset import HandsetIdentity
from benchd.domain.models.model_catalogue import ModelCatalogue, android_number
from benchd.domain.models.model_guidance import debugging_words, reset_words
from tests.core.catalogues import catalogue, maker, menu, model


def handset(
    said: str = "SO-51C", manufacturer: str = "Sony", android: str = "13"
) -> HandsetIdentity:
    return HandsetIdentity(
        serial="R5CT10ABCDE",
        manufacturer=manufacturer,
        model=said,
        android=android,
        build="TQ2A",
        imei=None,
        second_imei=None,
    )


KNOWN = catalogue(model("SO-51C", "XQ-CT44", storage_bytes=(256,)), model("SO-52C"))


@pytest.mark.parametrize("said", ["SO-51C", "so-51c", " SO-51C ", "XQ-CT44"])
def test_a_model_is_found_by_any_of_its_codes_however_they_are_written(said: str) -> None:
    entry = KNOWN.of(handset(said))
    assert entry is KNOWN.models[0]
    # Whatever maker it names: a copy is held to the size of what it says it is.
    for told in (handset(said), handset(said, manufacturer="alps")):
        assert KNOWN.storage_bytes(told) == (256,)


@pytest.mark.parametrize("said", ["", "SO-51", "SO-51CC", "SO51C", "Xperia"])
def test_what_is_only_like_a_code_is_unknown(said: str) -> None:
    assert KNOWN.of(handset(said)) is None
    assert KNOWN.storage_bytes(handset(said)) == ()
    assert KNOWN.storage_bytes(handset("SO-52C")) == (), "known, without a size"


@pytest.mark.parametrize(
    ("android", "said"),
    [("8.1.0", None), ("9", "old"), ("11", "old"), ("12", "plain"), ("99", "plain"), ("", None)],
)
def test_its_menus_are_those_of_its_android(android: str, said: str | None) -> None:
    menus = KNOWN.menu_of(handset(android=android))
    assert reset_words(menus) == (
        {"reset_ja": f"{said} 初期化", "reset_en": f"{said} reset"} if said else {}
    )


def test_an_entry_may_name_menus_of_its_own() -> None:
    told = catalogue(model("SO-51C", menus="special")).menu_of(handset())
    assert debugging_words(told) == {
        "debugging_ja": "special デバッグ",
        "debugging_en": "special debug",
    }


def test_an_unknown_model_has_the_menus_of_its_maker_and_of_nobody_else() -> None:
    own = KNOWN.menu_of(handset("new", manufacturer="SONY"))
    assert own is not None
    assert own.name == "plain"
    assert KNOWN.menu_of(handset("new", manufacturer="SHARP")) is None


def test_before_adb_the_port_tells_whose_menus_they_are_unless_makers_share_a_number() -> None:
    told = KNOWN.menu_of_vendor("0FCE")
    assert told is not None
    assert told.first_android == 12
    for vendor in (None, "", "18d1"):
        assert KNOWN.menu_of_vendor(vendor) is None
    shared = [maker("one", ("One",)), maker("two", ("Two",))]
    assert ModelCatalogue.of_entries(shared, [menu("plain")]).menu_of_vendor("0fce") is None


def test_menus_that_tell_no_way_to_debugging_leave_it_to_the_usual_words() -> None:
    told = menu("plain", debugging=False)
    assert debugging_words(told) == {}
    assert reset_words(told)
    assert reset_words(None) == debugging_words(None) == {}


@pytest.mark.parametrize(
    ("text", "number"),
    [("13", 13), ("8.1.0", 8), ("4.4.4", 4), ("REL", None), ("", None), ("1234", None)],
)
def test_versions_as_handsets_say_them(text: str, number: int | None) -> None:
    assert android_number(text) == number


@given(said=some.text(), manufacturer=some.text(), android=some.text(), vendor=some.text())
def test_whatever_a_handset_says_it_is_looked_up(
    said: str, manufacturer: str, android: str, vendor: str
) -> None:
    identity = handset(said, manufacturer, android)
    assert KNOWN.of(identity) is None or said.strip().casefold() in {"so-51c", "xq-ct44", "so-52c"}
    KNOWN.menu_of(identity)
    KNOWN.menu_of_vendor(vendor)
