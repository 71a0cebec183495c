"""Refuses a site of which anything is loaded from elsewhere: it has to work without a network.

What a reader follows by hand may lead anywhere; what a browser fetches by itself may not, or
whoever runs that other machine hears who reads what.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.errors import SphinxError

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ELSEWHERE = r"""["']?\s*(?:https?:)?//"""
LOADS = re.compile(
    rf"""<(?!a\b)[a-z]+\b[^>]*\b(?:src|srcset|href|data|poster)\s*=\s*{ELSEWHERE}[^>]*"""
    rf"""|(?:url\(|@import\s*){ELSEWHERE}[^);]*""",
    re.IGNORECASE,
)


class LoadedFromOutsideError(SphinxError):
    """Says which files load what."""

    category = "loaded from outside"


def look(app: Sphinx, error: Exception | None) -> None:
    """Look into every page and style sheet that was made."""
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    files = [*out.rglob("*.html"), *out.rglob("*.css")]
    loads = [
        f"{file.relative_to(out)}: {found[0]}"
        for file in sorted(files)
        for found in LOADS.finditer(file.read_text(encoding="utf-8"))
    ]
    if loads:
        raise LoadedFromOutsideError("\n".join(loads))


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of it."""
    app.connect("build-finished", look)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
