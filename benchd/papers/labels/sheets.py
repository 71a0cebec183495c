"""Sheets to be cut out, as PDF: answer cards, labels of slots, and people's badges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Final

from benchd.domain.ids import JsonValue
from benchd.papers.glyphs import settable
from benchd.papers.labels import code128
from benchd.papers.qr import qr_code
from benchd.papers.typesetting import set_pdf
from benchd.texts.catalogue import Catalogue, Texts

SIGNS: Final = {
    "yes": "",
    "no": "",
    "circle": "○",
    "triangle": "△",
    "cross": "×",
    "dash": "-",
    "next": "",
    "print": "",
    "cancel": "",
}
"""What answers, in the order of the sheet, each with the sign that stands large on its card."""
LONGEST_WORDS: Final = 64
LONGEST_BARS: Final = 24
"""Letters whose bars are still wide enough on a card: above, its QR code is all it has."""


def rack_sheet(slots: Iterable[str], catalogue: Catalogue, at: datetime) -> bytes:
    """All answer cards, and a label for each slot, in both languages; blocks for half a second."""
    words = catalogue.labels()["cards"]
    answers = [_card(f"BD:A:{one.upper()}", words[one], sign) for one, sign in SIGNS.items()]
    labels = [_card(f"BD:S:{slot}", Texts(ja=slot, en=""), "") for slot in slots]
    return _sheet(
        words["title"].ja,
        [
            _section(words["answers"], words["hint"], answers),
            _section(words["slots"], words["slot_hint"], labels),
        ],
        at,
    )


def badge_sheet(people: Mapping[str, str], catalogue: Catalogue, at: datetime) -> bytes:
    """Badges by their codes, each with a name; whoever has the sheet has the badges."""
    words = catalogue.labels()["cards"]
    badges = [_card(code, Texts(ja=name, en=""), "", secret=True) for code, name in people.items()]
    section = _section(words["badges"], words["badge_hint"], badges)
    return _sheet(words["badges"].ja, [section], at)


def _sheet(title: str, sections: list[JsonValue], at: datetime) -> bytes:
    return set_pdf(_source(), {"title": title, "sections": sections}, at=at)


@cache
def _source() -> str:
    return resources.files("benchd.papers.labels").joinpath("sheet.typ").read_text("utf-8")


def _section(title: Texts, hint: Texts, cards: list[JsonValue]) -> JsonValue:
    return {
        "title": f"{title.ja}  {title.en}",
        "hint": f"{hint.ja}  {hint.en}",
        "cards": cards,
    }


def _card(code: str, words: Texts, sign: str, *, secret: bool = False) -> JsonValue:
    """One card; what is secret stands on it only for readers."""
    drawn = qr_code(code)
    found: list[tuple[int, int]] = []
    wide = 1
    if code128.encodable(code) and len(code) <= LONGEST_BARS:
        found, wide = code128.bars(code)
    return {
        "ja": settable(words.ja, LONGEST_WORDS),
        "en": settable(words.en, LONGEST_WORDS),
        "sign": sign,
        "code": "" if secret else settable(code, LONGEST_WORDS),
        "modules": drawn.modules,
        "qr": [list(bar) for bar in drawn.bars],
        "bars": [[0, at, width] for at, width in found],
        "wide": wide,
    }
