"""IMEIs for tests: of the type allocation code for test equipment, and nobody's."""

from __future__ import annotations

TEST_TAC = "00101700"
"""3GPP TS 23.003: a TAC that begins with 00 is for test equipment."""


def imei(number: int, tac: str = TEST_TAC) -> str:
    """The nth of a type allocation code, with its check digit (Luhn)."""
    body = f"{tac}{number:06d}"
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(body)]
    return f"{body}{-sum(digit // 10 + digit % 10 for digit in doubled) % 10}"
