"""The encoder: one text per value, and what is read is what was written."""

from __future__ import annotations

import math
from enum import StrEnum
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchd.domain.ids import JsonValue
from benchd.signing import canonical

any_text = st.text(st.characters(exclude_categories=()), max_size=20)
well_formed_text = st.text(max_size=20)


def values(text: st.SearchStrategy[str]) -> st.SearchStrategy[JsonValue]:
    leaves = (
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | text
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
        max_leaves=12,
    )


@given(values(well_formed_text))
@settings(max_examples=300, deadline=None)
def test_round_trip(value: JsonValue) -> None:
    assert canonical.decode(canonical.encode(value)) == value


@given(values(any_text))
@settings(max_examples=300, deadline=None)
def test_encoding_what_was_decoded_gives_the_same_bytes(value: JsonValue) -> None:
    try:
        data = canonical.encode(value)
    except ValueError as error:
        assert "stands twice" in str(error)  # noqa: PT017 - surrogate pairs can make keys equal
        return
    assert canonical.encode(canonical.decode(data)) == data
    data.decode()


class Word(StrEnum):
    CLEAR = "clear"


def test_other_mappings_and_sequences_are_written_like_json() -> None:
    value = MappingProxyType({"b": (1, 2.5), "a": Word.CLEAR, "ä": "髙"})
    assert canonical.encode(value).decode() == '{"a":"clear","b":[1,2.5],"ä":"髙"}'


def test_surrogates_are_escaped_and_pairs_joined() -> None:
    assert canonical.encode("\udc80").decode() == '"\\udc80"'
    assert canonical.encode("\ud83d\ude00") == canonical.encode("\U0001f600")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_number_that_json_lacks(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical.encode({"x": value})


@given(st.lists(st.dictionaries(any_text, values(any_text), max_size=3), max_size=4))
@settings(max_examples=300, deadline=None)
def test_many_objects_are_read_as_each_by_itself(told: list[dict[str, JsonValue]]) -> None:
    try:
        texts = [canonical.encode(each) for each in told]
    except ValueError:
        return  # surrogate pairs can make keys equal
    read = canonical.decode_objects(texts)
    assert [canonical.encode(each) for each in read] == texts
    assert read == [canonical.decode(text) for text in texts]


@pytest.mark.parametrize(
    "texts",
    [
        [b'{"a":1,"b":2', b'"c":3}'],
        [b'{"a":1},{"b":2}', b'{"c":3}'],
        [b'{"a":[{"b":1}', b'{"c":2}]}'],
        [b'{"a":1}', b'{"b":1,"a":2}', b'{"c":3}'],
        [b'{"a":1}', b'{"b": 1}', b'{"c":3}'],
        [b'{"a":1} ', b'{"b":1}'],
        [b'{"a":1}', b' {"b":1}'],
        [b'{"a":1}', b'{"b":1,"b":1}'],
        [b'{"a":1}', b'{"b":1.50}'],
        [b'{"a":1}', b'{"b":1e400}'],
        [b'{"a":1}', b'{"b":NaN}'],
        [b'{"a":1}', b'{"b":"\\u0061"}'],
        [b'{"a":1}', b'{"b":"\\ud83d\\ude00"}'],
        [b'{"a":1}', b'{"b":"\xff"}'],
        [b'{"a":1}', b'{"b":' + b"[" * 33 + b"]" * 33 + b"}"],
        [b'{"a":1}', b"[]"],
        [b'{"a":1}', b""],
        [b'{"a":1}', b'{"b":1}{"b":1}'],
    ],
)
def test_one_object_of_another_form_has_all_refused(texts: list[bytes]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - several parsers, one class
        canonical.decode_objects(texts)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a": 1}',
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a":1} ',
        b'{"a":1}{"a":1}',
        b' {"a":1}',
        b"1.50",
        b"NaN",
        b'"\\u0061"',
        b'"\\ud83d\\ude00"',
        b'"\xed\xa0\xbd\xed\xb8\x80"',
        b'"\xed\xa0\x80"',
        b'"\xff"',
        b'\xef\xbb\xbf{"a":1}',
        '{"a":1}'.encode("utf-16"),
        b"",
    ],
)
def test_another_text_of_the_same_value_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each has words of its own
        canonical.decode(data)


def test_brackets_in_a_text_are_no_depth() -> None:
    text = "[{" * canonical.MAX_DEPTH
    assert canonical.decode(canonical.encode([text])) == [text]
    for depth, is_taken in ((canonical.MAX_DEPTH, True), (canonical.MAX_DEPTH + 1, False)):
        data = b"[" * depth + b"1" + b"]" * depth
        if is_taken:
            assert canonical.encode(canonical.decode(data)) == data
        else:
            with pytest.raises(ValueError, match="deeper"):
                canonical.decode(data)


def test_depth_is_bounded() -> None:
    value: JsonValue = 1
    for _ in range(canonical.MAX_DEPTH + 1):
        value = [value]
    with pytest.raises(ValueError, match="deeper"):
        canonical.encode(value)
    with pytest.raises(ValueError, match="nested"):
        canonical.decode(b"[" * 100_000 + b"]" * 100_000)


@pytest.mark.parametrize(
    "data",
    [
        b'{"b":1,"a":2}',
        b'{"a": 1}',
        b'{"a":1,"a":1}',
        b'"\\u0041"',
        b"1.0e0",
        b" 1",
        b"NaN",
        b"\xff",
        b"",
    ],
)
def test_any_other_form_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - several parsers, one class
        canonical.decode(data)
