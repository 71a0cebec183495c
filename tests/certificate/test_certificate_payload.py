"""A statement's spelling by the examples of RFC 8785 itself."""

from __future__ import annotations

import json

import pytest

from benchd.certificate.payload import decode_payload, encode_payload

# RFC 8785, 3.2.2: input as it stands there, and 3.2.4: its output in hexadecimal.
EXAMPLE = r"""{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}"""
EXPECTED = (
    "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a"
    "5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d3237"
    "5d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d"
)
# RFC 8785, 3.2.3: the order of names is that of UTF-16, not that of code points.
NAMES = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
# RFC 8785, appendix B.
NUMBERS = {
    5e-324: "5e-324",
    1.7976931348623157e308: "1.7976931348623157e+308",
    295147905179352830000.0: "295147905179352830000",
    9.999999999999997e22: "9.999999999999997e+22",
    1e21: "1e+21",
    0.000001: "0.000001",
    333333333.3333333: "333333333.3333333",
    -0.0: "0",
}


def test_its_example() -> None:
    assert encode_payload(json.loads(EXAMPLE)).hex() == EXPECTED


def test_the_order_of_its_names() -> None:
    spelled = encode_payload(dict.fromkeys(reversed(NAMES)))
    assert list(json.loads(spelled)) == NAMES


@pytest.mark.parametrize("number", NUMBERS)
def test_its_numbers(number: float) -> None:
    assert encode_payload(number).decode() == NUMBERS[number]


@pytest.mark.parametrize(
    "other",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1.0}',
        b'{"a":"\\u0041"}',
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"a":9007199254740993}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_any_other_spelling_is_refused(other: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_payload(other)
