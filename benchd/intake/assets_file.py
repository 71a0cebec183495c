"""A list of handsets that came in, as CSV: rows into assets, or every mistake at its place."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from benchd.domain.ids import SlotName
from benchd.domain.imei import is_imei
from benchd.domain.intake import Mistake, Tag
from benchd.domain.person_names import INVISIBLE
from benchd.intake.table import LONGEST_CELL, Column, FileMistake, Mistakes, Row, narrow, read_table
from benchd.proof.evidence.intake_evidence import AssetLine
from benchd.proof.intake_book import IntakeBook

LONGEST_TAG: Final = 64

COLUMNS: Final = (
    Column(
        name="tag",
        headings=("管理番号", "tag", "asset tag", "タグ", "資産番号", "ラベル", "管理No"),
        required=True,
    ),
    Column(name="imei", headings=("IMEI", "IMEI1", "IMEI番号", "端末識別番号")),
    Column(name="serial", headings=("シリアル番号", "serial", "serial number", "製造番号", "S/N")),
    Column(name="model", headings=("機種", "model", "機種名", "型番", "モデル")),
    Column(name="colour", headings=("色", "colour", "color", "カラー")),
    Column(name="grade", headings=("ランク", "grade", "グレード", "等級", "状態")),
)

_EXPONENT: Final = re.compile(r"\d([.,]\d+)?E\+?\d+", re.IGNORECASE)
"""How a spreadsheet shows 15 digits that it took for a number: the last ones are lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsFile:
    """What a file holds; its assets count only where there is no mistake in any line."""

    assets: tuple[AssetLine, ...]
    mistakes: tuple[FileMistake, ...]
    rows: Mapping[str, Row] = field(default_factory=dict[str, Row], repr=False, compare=False)
    """Where each asset stands, by its tag; none where there is a mistake."""


def read_assets(data: bytes) -> AssetsFile:
    """Read a file by itself, which may take seconds; `against` compares it with a book."""
    mistakes = Mistakes()
    rows = read_table(data, COLUMNS, mistakes)
    assets = [_asset(row, mistakes) for row in rows]
    _twice(rows, mistakes)
    found = mistakes.told()
    kept = () if found else tuple(asset for asset in assets if asset is not None)
    places = {} if found else {narrow(row.cells["tag"]): row for row in rows}
    return AssetsFile(assets=kept, mistakes=found, rows=places)


def check_tag(text: str) -> Mistake | None:
    """What keeps a text from being a tag."""
    if not text:
        return Mistake.TAG_MISSING
    if len(text) > LONGEST_TAG:
        return Mistake.CELL_TOO_LONG
    if not text.isprintable() or any(ord(letter) in INVISIBLE for letter in text):
        return Mistake.NOT_PRINTABLE
    return Mistake.TAG_SPACED if " " in text else None


def clashes(
    assets: Iterable[AssetLine], book: IntakeBook, *, again: bool
) -> Iterable[tuple[AssetLine, Mistake, str]]:
    """Assets whose tag or IMEI the rack has already, with which; `again` allows for the IMEI.

    The same handset may well come in twice, under a new tag.
    """
    for asset in assets:
        known = book.assets.get(Tag(asset.tag))
        if known is not None:
            yield asset, Mistake.TAG_TAKEN, known.lot
        elsewhere = book.by_imei.get(asset.imei or "")
        if elsewhere is not None and not again:
            yield asset, Mistake.IMEI_TAKEN, f"{elsewhere.tag} ({elsewhere.lot})"


def against(found: AssetsFile, book: IntakeBook, *, again: bool) -> AssetsFile:
    """The same with all that clashes with what the rack has already, at its line."""
    return _refusing(found, clashes(found.assets, book, again=again))


def without_those_at_work(
    found: AssetsFile, at_work: Iterable[tuple[AssetLine, SlotName]]
) -> AssetsFile:
    """The same with all that are at work on the rack, at its line."""
    return _refusing(found, ((asset, Mistake.IMEI_AT_WORK, slot) for asset, slot in at_work))


def _refusing(found: AssetsFile, wrong: Iterable[tuple[AssetLine, Mistake, str]]) -> AssetsFile:
    mistakes = Mistakes()
    for asset, code, other in wrong:
        row = found.rows[asset.tag]
        name = "tag" if code is Mistake.TAG_TAKEN else "imei"
        mistakes.add(code, row.line, row.heading(name), found=row.cells[name], other=other)
    told = mistakes.told()
    return AssetsFile(assets=(), mistakes=told) if told else found


def _asset(row: Row, mistakes: Mistakes) -> AssetLine | None:
    cells = row.cells
    tag = narrow(cells.get("tag", ""))
    wrong = check_tag(tag)
    imei = imei_in(row, mistakes)
    # Its normal form may be many times as long: one letter can stand for eighteen.
    serial = narrow(cells["serial"]) if "serial" in cells else None
    if len(serial or "") > LONGEST_CELL:
        allowed = str(LONGEST_CELL)
        mistakes.add(Mistake.CELL_TOO_LONG, row.line, row.heading("serial"), allowed=allowed)
    if wrong is not None:
        mistakes.add(wrong, row.line, row.heading("tag"), found=tag, allowed=str(LONGEST_TAG))
        return None
    return AssetLine(
        tag=tag,
        imei=imei,
        serial=serial,
        model=cells.get("model"),
        colour=cells.get("colour"),
        grade=cells.get("grade"),
    )


def imei_in(row: Row, mistakes: Mistakes) -> str | None:
    """The IMEI of a row; None where it has none, or none that is one."""
    told = row.cells.get("imei")
    if told is None:
        return None
    digits = _digits(told)
    if is_imei(digits):
        return digits
    code = Mistake.IMEI_ROUNDED if _EXPONENT.fullmatch(digits) else Mistake.IMEI_WRONG
    mistakes.add(code, row.line, row.heading("imei"), found=told)
    return None


def _digits(told: str) -> str:
    return re.sub(r"[ /-]", "", narrow(told))


def _twice(rows: Iterable[Row], mistakes: Mistakes) -> None:
    """A tag or an IMEI that stands in two lines of the file."""
    first: dict[tuple[str, str], int] = {}
    for row in rows:
        for name, form, code in (
            ("tag", narrow, Mistake.TAG_TWICE),
            ("imei", _digits, Mistake.IMEI_TWICE),
        ):
            told = form(row.cells.get(name, ""))
            before = first.setdefault((name, told), row.line)
            if told and before != row.line:
                mistakes.add(code, row.line, row.heading(name), found=told, other=str(before))
