"""Code 128 (ISO/IEC 15417) in its set B: ASCII as bars, for readers without a camera."""

from __future__ import annotations

from typing import Final

_WIDTHS: Final = (
    "212222222122222221121223121322131222122213122312132212221213221312231212112232122132"
    "122231113222123122123221223211221132221231213212223112312131311222321122321221312212"
    "322112322211212123212321232121111323131123131321112313132113132311211313231113231311"
    "112133112331132131113123113321133121313121211331231131213113213311213131311123311321"
    "331121312113312311332111314111221411431111111224111422121124121421141122141221112214"
    "112412122114122411142112142211241211221114413111241112134111111242121142121241114212"
    "124112124211411212421112421211212141214121412121111143111341131141114113114311411113"
    "411311113141114131311141411131"
)
"""Of each value six digits: three bars and the three gaps after them, in modules."""
_START_B: Final = 104
_START_B_WIDTHS: Final = "211214"
_STOP_WIDTHS: Final = "2331112"
QUIET: Final = 10
"""Modules that stay white on either side."""


def encodable(text: str) -> bool:
    """Whether the set B has all of it."""
    return bool(text) and all(" " <= letter <= "~" for letter in text)


def bars(text: str) -> tuple[list[tuple[int, int]], int]:
    """Each bar's place and width, and how wide all of it is, with its quiet zones; in modules."""
    if not encodable(text):
        message = f"{text!r} has what Code 128's set B hasn't"
        raise ValueError(message)
    values = [ord(letter) - ord(" ") for letter in text]
    check = (_START_B + sum(n * value for n, value in enumerate(values, start=1))) % 103
    widths = [
        _START_B_WIDTHS,
        *(_WIDTHS[6 * value : 6 * value + 6] for value in (*values, check)),
        _STOP_WIDTHS,
    ]
    found: list[tuple[int, int]] = []
    at = QUIET
    for place, width in enumerate(map(int, "".join(widths))):
        if place % 2 == 0:
            found.append((at, width))
        at += width
    return found, at + QUIET
