"""A list of handsets that came in, as CSV: rows into assets, or every mistake at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from benchd.domain.ids import SlotName
from benchd.domain.imei import is_imei
from benchd.domain.intake import Mistake, Tag
from benchd.domain.person_names import INVISIBLE
from benchd.intake.csv_format import (
    LONGEST_CELL,
    Column,
    FileMistake,
    HoldsBadge,
    Mistakes,
    Row,
    narrow,
    nobodys,
    read_table,
)
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
    """What a file holds, and all that is wrong with it so far."""

    readable: tuple[tuple[AssetLine, Row], ...]
    """What could be read with where it stands, also of a file with mistakes in other lines."""
    mistakes: tuple[FileMistake, ...]

    @property
    def assets(self) -> tuple[AssetLine, ...]:
        """What counts: nothing where there is a mistake in any line."""
        return () if self.mistakes else tuple(asset for asset, _ in self.readable)


def read_assets(data: bytes, holds_badge: HoldsBadge = nobodys) -> AssetsFile:
    """Read a file by itself, which may take seconds; `against` compares it with a book."""
    mistakes = Mistakes()
    rows = read_table(data, COLUMNS, mistakes, holds_badge)
    read = [(_asset(row, mistakes), row) for row in rows]
    _twice(rows, mistakes)
    kept = tuple((asset, row) for asset, row in read if asset is not None)
    return AssetsFile(readable=kept, mistakes=mistakes.in_order())


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
    return _refusing(found, lambda assets: clashes(assets, book, again=again))


def without_those_at_work(
    found: AssetsFile,
    at_work: Callable[[Sequence[AssetLine]], Iterable[tuple[AssetLine, SlotName]]],
) -> AssetsFile:
    """The same with all that are at work on the rack, at its line."""
    return _refusing(
        found,
        lambda assets: ((each, Mistake.IMEI_AT_WORK, slot) for each, slot in at_work(assets)),
    )


def _refusing(
    found: AssetsFile,
    wrong: Callable[[Sequence[AssetLine]], Iterable[tuple[AssetLine, Mistake, str]]],
) -> AssetsFile:
    """The same with what is `wrong` beside what is known to be: all can be mended at once."""
    mistakes = Mistakes(found.mistakes)
    rows = {id(asset): row for asset, row in found.readable}
    for asset, code, other in wrong([asset for asset, _ in found.readable]):
        row = rows[id(asset)]
        name = "tag" if code is Mistake.TAG_TAKEN else "imei"
        mistakes.add(code, row.line, row.heading(name), found=row.cells[name], other=other)
    return replace(found, mistakes=mistakes.in_order())


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
    if "tag" in row.refused:
        return None
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
