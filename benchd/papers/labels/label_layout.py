"""Sets a label in type: the same for every printer, to the dot of each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Final

from benchd.domain.ids import JsonValue
from benchd.domain.printer import LabelForm
from benchd.papers.labels.label_content import LabelWords
from benchd.papers.qr import QUIET, qr_code
from benchd.papers.typesetting import set_png, set_svg

CODE_SHARE: Final = 0.5
"""How much of the label's height its code takes at most, quiet zone included."""
CODE_MM: Final = 18.0
"""Larger is no easier to read."""
LEAST_MODULE_MM: Final = 0.3
"""What hand-held readers still tell apart on thermal paper."""
EDGE_MM: Final = 1.5
"""Printers are a millimetre off."""
MM_PER_INCH: Final = 25.4


def as_png(words: LabelWords, form: LabelForm, *, sellable: bool) -> bytes:
    """A picture with one pixel for each of the printer's dots; blocks for some 50 ms."""
    return set_png(_source(), _data(words, form, sellable=sellable), dpi=form.dpi)


def as_svg(words: LabelWords, form: LabelForm, *, sellable: bool) -> bytes:
    """The same for a screen."""
    return set_svg(_source(), _data(words, form, sellable=sellable))


@cache
def _source() -> str:
    return resources.files("benchd.papers.labels").joinpath("label.typ").read_text("utf-8")


def _data(words: LabelWords, form: LabelForm, *, sellable: bool) -> Mapping[str, JsonValue]:
    code = qr_code(words.code)
    per_mm = form.dpi / MM_PER_INCH
    most = min(form.height_dots * CODE_SHARE, CODE_MM * per_mm)
    # Half of the quiet zone is the edge of the paper, and as much of the text's own margin.
    least = -int(-LEAST_MODULE_MM * per_mm // 1)
    module = max(int(most // (code.modules + QUIET)), least)
    edge = round(EDGE_MM * per_mm)
    quiet = max(QUIET * module - edge, 0)
    size = code.modules * module
    return {
        "dpi": form.dpi,
        "width": form.width_dots,
        "height": form.height_dots,
        "language": form.language,
        "edge": edge,
        "sellable": sellable,
        "goes": words.goes,
        "handset": words.handset,
        "reason": words.reason,
        "beside": words.beside,
        "number": words.number,
        "name": words.name,
        "place": words.place,
        "module": module,
        "qr": [list(bar) for bar in code.bars],
        "qr_size": size + 2 * quiet,
        "qr_left": form.width_dots - edge - quiet - size,
        "qr_top": form.height_dots - edge - quiet - size,
    }
