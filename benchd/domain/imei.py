"""What an IMEI is, and which ones a text holds."""

from __future__ import annotations

import re
from typing import Final

IMEI_DIGITS: Final = 15
TAC_DIGITS: Final = 8
"""The first digits, the type allocation code: which model it is of (3GPP TS 23.003)."""
_BETWEEN_DIGITS: Final = re.compile(r"[ /-]")
_BETWEEN_NUMBERS: Final = re.compile(r"[\s,;/、，；／]+")


def is_imei(number: str) -> bool:
    """Whether this is a number of 15 digits with the right check digit (ISO/IEC 7812-1, Luhn)."""
    if not re.fullmatch(r"[0-9]{15}", number) or number == "0" * IMEI_DIGITS:
        return False
    total = 0
    for place, digit in enumerate(map(int, reversed(number))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def imeis_in_text(text: str) -> tuple[str, ...]:
    """All IMEIs of a text in their order, each once; one may be grouped as 35-693803-564380-9.

    Neither the 14 digits without the check digit, nor the 16 of an IMEISV, nor the 32 of an EID.
    """
    whole = _BETWEEN_DIGITS.sub("", text.strip())
    if is_imei(whole):
        return (whole,)
    words = [word.replace("-", "") for word in _BETWEEN_NUMBERS.split(text)]
    return tuple(dict.fromkeys(word for word in words if is_imei(word)))


def has_misread_imei(text: str) -> bool:
    """Whether a text has a number of 15 digits that is none: one digit was read wrongly."""
    if imeis_in_text(text) == (_BETWEEN_DIGITS.sub("", text.strip()),):
        return False
    words = [word.replace("-", "") for word in _BETWEEN_NUMBERS.split(text)]
    return any(re.fullmatch(r"[0-9]{15}", word) and not is_imei(word) for word in words)


def tac_of(imei: str) -> str:
    """Its type allocation code."""
    return imei[:TAC_DIGITS]
