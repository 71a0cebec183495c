"""What an IMEI is."""

from __future__ import annotations

import re
from typing import Final

IMEI_DIGITS: Final = 15


def is_imei(number: str) -> bool:
    """Whether this is a number of 15 digits with the right check digit (ISO/IEC 7812-1, Luhn)."""
    if not re.fullmatch(r"[0-9]{15}", number) or number == "0" * IMEI_DIGITS:
        return False
    total = 0
    for place, digit in enumerate(map(int, reversed(number))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
