"""The network restriction (ネットワーク利用制限) that somebody looked up, as their note tells it.

Carriers answer a look-up with one of four signs, and people type them in many ways. The time of
the look-up is the time of the answer: the question asks for one that was just made.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SALEABLE: Final = ("○", "△", "-")
"""Clear, may become restricted, and not in the carrier's list: a dealer's rule may allow each."""
RESTRICTED: Final = "×"
"""赤ロム: never approved."""

_TYPED: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys("○〇◯oOｏＯ", "○"),
        **dict.fromkeys("△▲", "△"),
        **dict.fromkeys("×✕✖xXｘＸ", RESTRICTED),
        **dict.fromkeys("-－−‐–—ー", "-"),
    }
)


def look_up_result(note: str) -> str | None:
    """The sign that a note begins with, in its one spelling; None where it begins otherwise.

    It has to stand by itself: the "o" of "ok" isn't one.
    """
    sign = _TYPED.get(note.strip()[:1])
    following = note.strip()[1:2]
    return None if following.isascii() and following.isalnum() else sign
