"""Names that nobody can tell apart aren't two names. Outside material: ICU, Unicode's tables."""

from __future__ import annotations

import ctypes
import sys
import unicodedata

import pytest
from confusable_homoglyphs.confusables import confusables_data
from hypothesis import given
from hypothesis import strategies as st

from benchd.domain.errors import NameRefused
from benchd.domain.person_names import INVISIBLE, operator_name
from benchd.people.confusable_names import NEWEST_ICU, OLDEST_ICU, look_alike, skeleton

DEFAULT_IGNORABLE = 5
"""`UCHAR_DEFAULT_IGNORABLE_CODE_POINT` of ICU's uchar.h."""
BIDI_CONTROL = 2
"""`UCHAR_BIDI_CONTROL`."""
EMPTY_BRAILLE = 0x2800


def icu_property(which: int) -> frozenset[int]:
    for version in range(NEWEST_ICU, OLDEST_ICU - 1, -1):
        try:
            library = ctypes.CDLL(f"libicuuc.so.{version}")
        except OSError:
            continue
        has = library[f"u_hasBinaryProperty_{version}"]
        return frozenset(point for point in range(sys.maxunicode + 1) if has(point, which) & 0xFF)
    raise AssertionError("no ICU")


def test_invisible_letters_are_those_of_unicode() -> None:
    printable = {point for point in icu_property(DEFAULT_IGNORABLE) if chr(point).isprintable()}
    assert printable | {EMPTY_BRAILLE} >= INVISIBLE - {
        point for point in INVISIBLE if not chr(point).isprintable()
    }
    assert printable <= INVISIBLE


@pytest.mark.parametrize("which", [DEFAULT_IGNORABLE, BIDI_CONTROL])
@pytest.mark.parametrize("place", ["Sa{}to", "Sato{}", "{}Sato"])
def test_nobody_gets_a_second_name_by_what_nobody_sees(which: int, place: str) -> None:
    points = icu_property(which)
    assert len(points) > 10
    taken = []
    for point in points:
        try:
            taken.append((point, operator_name(place.format(chr(point)))))
        except NameRefused:
            continue
    assert taken == []


@pytest.mark.parametrize("name", ["", " ", "\u3000", "\u2800", "a\nb\x00", "x" * 65, "\u00ad"])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(NameRefused):
        operator_name(name)


@given(st.text(max_size=80))
def test_a_name_in_its_normal_form_stays_as_it_is(text: str) -> None:
    try:
        name = operator_name(text)
    except NameRefused:
        return
    assert operator_name(name) == name
    assert name == name.strip()
    assert "  " not in name


def test_double_and_wide_spaces_are_one() -> None:
    assert operator_name("佐藤\u3000 健") == operator_name(" 佐藤 健 ") == "佐藤 健"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("paypal", "раураl"),  # UTS #39's own example of Latin and Cyrillic
        ("Sato", "Satо"),
        ("佐藤 健", "佐藤健"),
        ("二宮", "ニ宮"),  # the number and the katakana
        ("Ito", "lto"),
        ("Suzuki", "SUZUKI"),
        ("Hara", "Ｈａｒａ"),
        ("Morn", "Mom"),
    ],
)
def test_look_alikes(one: str, other: str) -> None:
    assert look_alike(one, other)
    assert look_alike(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [("佐藤", "佐籐"), ("斉藤", "斎藤"), ("渡辺", "渡邊"), ("Sato", "Saito"), ("op-1", "op-2")],
)
def test_others_stay_two(one: str, other: str) -> None:
    assert not look_alike(one, other)


def test_unicodes_whole_table_of_confusables() -> None:
    """Each pair of the table looks alike; rows on composed letters mean the decomposed ones."""
    composed, missed = 0, []
    pairs = [(one, entry["c"]) for one, others in confusables_data.items() for entry in others]
    assert len(pairs) > 12_000
    for one, other in pairs:
        if skeleton(one) == skeleton(other):
            continue
        both = one + other
        if unicodedata.normalize("NFD", both) != both:
            composed += 1
        else:
            missed.append((one, other))
    assert missed == []
    assert composed < len(pairs) // 100
