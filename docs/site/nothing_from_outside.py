"""A mistake is whatever a page would load from elsewhere: the site has to work without a network.

What a reader follows by hand may lead anywhere; what a browser fetches by itself may not, or
whoever runs that other machine hears who reads what.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ELSEWHERE = r"""["']?\s*(?:https?:)?//"""
LOADS = re.compile(
    rf"""<(?!a\b)[a-z]+\b[^>]*\b(?:src|srcset|href|data|poster)\s*=\s*{ELSEWHERE}[^>]*>"""
    rf"""|(?:url\(|@import\s*){ELSEWHERE}[^);]*""",
    re.IGNORECASE,
)
_log = logging.getLogger(__name__)


def look(app: Sphinx, error: Exception | None) -> None:
    """Look into every page and style sheet that was made, and warn of what each would load."""
    if error is not None:
        return
    out = Path(app.outdir)
    for file in sorted([*out.rglob("*.html"), *out.rglob("*.css")]):
        for found in LOADS.finditer(file.read_text(encoding="utf-8")):
            _log.warning("%s loads from elsewhere: %s", file.relative_to(out), found[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of it."""
    app.connect("build-finished", look)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
