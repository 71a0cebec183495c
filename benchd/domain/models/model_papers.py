"""Whether a handset can be the model that its papers speak of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable


def fits_papers(papers: str | None, names: Iterable[str | None]) -> bool:
    """Whether one of its codes and names is in what the papers say, or the other way round.

    Papers that name no model fit any. Width, case, spaces and signs don't tell models apart.
    """
    told = _key(papers or "")
    known = [key for name in names if name and (key := _key(name))]
    return not told or any(key in told or told in key for key in known)


def _key(text: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text).casefold())
