"""Answers of `dumpsys battery`."""

from __future__ import annotations

import re
from typing import Final

from benchd.errors import AnswerNotRecognised
from benchd.words.handset import BatteryFacts

_HEADING: Final = "Current Battery Service state:"
_COLDEST, _HOTTEST = -400, 1500  # tenths of a degree that a sensor may plausibly report


def read_battery(text: str) -> BatteryFacts:
    """Charge and temperature as the battery service measures them."""
    if _HEADING not in text:
        raise AnswerNotRecognised("dumpsys battery: no battery service")
    if "UPDATES STOPPED" in text:
        # Somebody has set the values by hand; they say nothing of the battery.
        raise AnswerNotRecognised("dumpsys battery: the values are set by hand")
    level, scale = _number(text, "level"), _number(text, "scale")
    tenths = _number(text, "temperature")
    if not 0 < scale <= 10_000 or not 0 <= level <= scale:
        raise AnswerNotRecognised(f"dumpsys battery: level {level} of {scale}")
    if not _COLDEST <= tenths <= _HOTTEST:
        raise AnswerNotRecognised(f"dumpsys battery: temperature {tenths}")
    return BatteryFacts(percent=100 * level // scale, temperature_c=tenths / 10)


def _number(text: str, key: str) -> int:
    # Whole lines only: makers add lines such as "Capacity level: 2".
    found = re.findall(rf"^ *{key}: (-?[0-9]{{1,6}})$", text, re.MULTILINE)
    if len(found) != 1:
        raise AnswerNotRecognised(f"dumpsys battery: {len(found)} lines with {key}")
    return int(found[0])
