"""Shares in percent as people are told them, on screens and on paper: cut, never rounded up."""

from __future__ import annotations

import math


def tenths(share: float) -> str:
    """94.96 % isn't 95 %; `tenths` of web/static/words.js does the same."""
    return f"{math.floor(share * 1000 + 1e-9) / 10:.1f}"
