"""A label for each printer: read back from ZPL and PNG by programs that haven't written it."""

from __future__ import annotations

import itertools
import re
import shutil
import struct
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from benchd.domain.job import Disposition
from benchd.domain.plain_text import Language
from benchd.domain.printer import Dpi, LabelForm
from benchd.papers.labels import label_layout
from benchd.papers.labels.label_content import words_of
from benchd.papers.labels.zpl import zpl_of
from benchd.texts.catalogue import Catalogue
from tests.papers.labels.label_samples import ENDED, LABELS
from tests.papers.labels.zpl_reader import read_zpl, scanned

pytestmark = pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbar-tools isn't here")

SIZES = ((62.0, 40.0), (40.0, 25.0), (110.0, 150.0))
"""The usual paper, the smallest and the largest that a configuration may name."""
FINENESS: tuple[Dpi, ...] = (203, 300)
LANGUAGES: tuple[Language, ...] = ("ja", "en")
FORMS = [
    LabelForm(width_mm=width, height_mm=height, dpi=dpi, language=language)
    for (width, height), dpi, language in itertools.product(SIZES, FINENESS, LANGUAGES)
]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def png_of(name: str, form: LabelForm, catalogue: Catalogue) -> bytes:
    content = LABELS[name]
    sellable = content.disposition is Disposition.SELLABLE
    return label_layout.as_png(words_of(content, catalogue, form.language), form, sellable=sellable)


CASES = [(form, name) for form in FORMS[:4] for name in LABELS] + [
    (form, name) for form in FORMS[4:] for name in ("usual", "longest")
]


@pytest.mark.parametrize(
    ("form", "name"),
    CASES,
    ids=[f"{f.width_mm:g}x{f.height_mm:g}-{f.dpi}-{f.language}-{name}" for f, name in CASES],
)
def test_what_a_printer_gets_is_its_paper_and_says_the_job(
    name: str, form: LabelForm, catalogue: Catalogue, tmp_path: Path
) -> None:
    png = png_of(name, form, catalogue)
    assert struct.unpack(">II", png[16:24]) == (form.width_dots, form.height_dots)
    code = [f"QR-Code:{LABELS[name].code}"]
    assert scanned(png, tmp_path, "label.png") == code
    told = read_zpl(zpl_of(png))
    assert (told.width, told.length) == (form.width_dots, form.height_dots)
    assert (told.x, told.y, told.rows) == (0, 0, form.height_dots)
    assert told.row_bytes == -(-form.width_dots // 8)
    assert told.width <= form.width_mm / 25.4 * form.dpi
    assert told.length <= form.height_mm / 25.4 * form.dpi
    assert scanned(told.as_pbm(), tmp_path, "label.pbm") == code


@pytest.mark.parametrize("form", FORMS[:4], ids=lambda f: f"{f.dpi}-{f.language}")
def test_nothing_stands_where_printers_are_a_millimetre_off(
    form: LabelForm, catalogue: Catalogue
) -> None:
    for name in LABELS:
        told = read_zpl(zpl_of(png_of(name, form, catalogue)))
        margin = int(form.dpi / 25.4)
        empty = bytes(told.row_bytes * margin)
        assert told.dots[: len(empty)] == empty, name
        assert told.dots[-len(empty) :] == empty, name
        for row in range(told.rows):
            line = told.dots[row * told.row_bytes : (row + 1) * told.row_bytes]
            bits = "".join(f"{byte:08b}" for byte in line)[: told.width]
            assert "1" not in bits[:margin] + bits[-margin:], name


def test_what_isnt_sellable_is_white_on_black_and_has_the_same_bytes_each_time(
    catalogue: Catalogue,
) -> None:
    """Across a room: a label that is mostly black at its top is not to be sold."""
    for name, content in LABELS.items():
        png = png_of(name, FORMS[0], catalogue)
        told = read_zpl(zpl_of(png))
        top = told.dots[: told.row_bytes * (told.rows // 3)]
        share = sum(byte.bit_count() for byte in top) / (told.width * (told.rows // 3))
        assert (share > 0.5) is (content.disposition is not Disposition.SELLABLE), name
        assert png == png_of(name, FORMS[0], catalogue)


@pytest.mark.parametrize("name", LABELS)
def test_the_picture_for_a_screen_is_whole_and_runs_nothing(
    name: str, catalogue: Catalogue
) -> None:
    words = words_of(LABELS[name], catalogue, "ja")
    made = label_layout.as_svg(words, FORMS[0], sellable=False)
    root = ET.fromstring(made)  # noqa: S314 - our own
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    for element in root.iter():
        assert not element.tag.endswith(("script", "foreignObject", "image"))
        assert not [key for key in element.attrib if key.lower().startswith("on")]


def test_the_lines_of_a_label(catalogue: Catalogue) -> None:
    words = words_of(LABELS["usual"], catalogue, "ja")
    assert (words.goes, words.handset, words.reason) == ("販売可", "Sony SO-51B", "")
    assert (words.name, words.number, words.code) == (
        "T-00012",
        "…643809",
        "BD:J:20261126-0011223344",
    )
    # By the rack's own calendar, whatever that is, and with its zone.
    slot, time = words.place.split("  ")
    assert slot == "A1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d [+-]\d\d:\d\d", time)
    assert datetime.fromisoformat(time.replace(" ", "T", 1).replace(" ", "")) == ENDED
    assert words.beside == "", "what nobody has told takes no room"
    graded = words_of(LABELS["graded"], catalogue, "ja")
    assert graded.beside == "ランク A+ 電池 92% 充電 1204回"
    assert words_of(LABELS["graded"], catalogue, "en").beside == (
        "grade A+ battery 92% 1204 cycles"
    )
    assert replace(graded, beside="") == words, "and changes nothing else"
    held = words_of(LABELS["held"], catalogue, "en")
    assert held.goes == "Hold"
    assert held.name == LABELS["held"].job
    assert held.reason == catalogue.reason(LABELS["held"].reason).en  # type: ignore[arg-type]
    assert words_of(LABELS["never inspected"], catalogue, "ja").handset == "機種不明"
