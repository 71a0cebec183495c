"""The table of contents follows the lists of the first page.

What Sphinx calls a toctree is a list of links that is written for Sphinx alone. The first page has
such lists already, a section for each reader, which whoever reads the repository without Sphinx
reads too. So each section's list is its part of the table; decisions are taken by their folder.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DECISIONS = "docs/adr/README"
ENTRY = re.compile(r"^\* \[[^\]]*\]\(([^)#]+\.md)\)", re.MULTILINE)


def toctree(pages: list[str], *options: str) -> str:
    """Markdown of a part of the table of contents."""
    return "\n".join(["", "```{toctree}", *options, "", *pages, "```", ""])


def add_table(app: Sphinx, page: str, source: list[str]) -> None:
    """Append the parts of the table that a page's own lists make."""
    folder = posixpath.dirname(page)
    if page == app.config.root_doc:
        for section in re.split(r"^## ", source[0], flags=re.MULTILINE)[1:]:
            paths = ENTRY.findall(section)
            pages = ["/" + posixpath.normpath(posixpath.join(folder, path)) for path in paths]
            source[0] += toctree(pages, ":hidden:", f":caption: {section.partition(chr(10))[0]}")
    elif page == DECISIONS:
        source[0] += toctree(["[0-9]*"], ":glob:", ":titlesonly:")


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of it."""
    app.connect("source-read", add_table)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
