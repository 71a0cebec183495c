"""Japanese beside English: its search, its line breaks, and pages that say in which they are.

Sphinx splits what it indexes by one language only, and cuts Japanese into words when it makes the
index but not what somebody looks for. Here what is written without spaces is known by each two
neighbouring characters, in the index as in the query, and a page has to have them all.
"""

from __future__ import annotations

import re
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.search.en import SearchEnglish

if TYPE_CHECKING:
    from sphinx.application import Sphinx

UNSPACED = "\u3005-\u3007\u3041-\u30ff\u3400-\u9fff"
"""々〆〇, kana, kanji; of a class in a regular expression, of Python and of JavaScript alike."""
WIDE = rf"[{UNSPACED}\u3001-\u3003\u3008-\u3011\uff01-\uff5d]"
"""The same, and punctuation as wide as that."""
BREAK = re.compile(rf"(?<={WIDE})\n(?={WIDE})")
WORD = re.compile(rf"[{UNSPACED}]+|[^\W{UNSPACED}]+")


class TwoLanguages(SearchEnglish):
    """English words by their stems, Japanese by pairs of characters."""

    lang = "benchd"
    language_name = "Japanese and English"
    js_splitter_code = f"""
var splitQuery = (query) =>
  (query.match(/[{UNSPACED}]+|(?:(?![{UNSPACED}])[\\p{{L}}\\p{{N}}_])+/gu) || []).flatMap((word) =>
    /^[{UNSPACED}]{{2,}}$/.test(word)
      ? Array.from(word.slice(1), (character, before) => word[before] + character)
      : [word],
  );
"""

    def split(self, text: str) -> list[str]:
        """Words of a text; of Japanese each pair, and each character for whoever asks for one."""
        words: list[str] = []
        for word in WORD.findall(text):
            if re.match(f"[{UNSPACED}]", word):
                words += word
                words += map("".join, pairwise(word))
            else:
                words.append(word)
        return words


def join_lines(_app: Sphinx, document: nodes.document) -> None:
    """Take out line breaks of the source within Japanese, which a browser shows as a space."""
    for line in list(document.findall(nodes.TextElement)):
        pieces: list[nodes.Node] = []
        for is_text, run in groupby(line, lambda piece: isinstance(piece, nodes.Text)):
            side_by_side = [*run]
            pieces += [nodes.Text("".join(side_by_side))] if is_text else side_by_side
        around = ["", *(piece.astext() for piece in pieces), ""]
        for at, piece in enumerate(pieces):
            before, after = around[at][-1:], around[at + 2][:1]
            if isinstance(piece, nodes.Text):
                joined = BREAK.sub("", before + piece + after)
                pieces[at] = nodes.Text(joined[len(before) : len(joined) - len(after)])
        line[:] = pieces


def say_language(
    _app: Sphinx, page: str, _template: str, context: dict[str, Any], _tree: object
) -> None:
    """Have a Japanese page say that it is one: by this a browser chooses the form of its kanji."""
    if page.endswith(".ja"):
        context["language"] = "ja"


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of all three."""
    app.add_search_language(TwoLanguages)
    app.connect("doctree-read", join_lines)
    app.connect("html-page-context", say_language)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
