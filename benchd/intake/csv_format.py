"""A CSV file as people's programs write it: bytes into rows under known headings.

Every mistake is told at its place, so that all can be mended at once.

Excel on a Japanese Windows writes CP932, whose own letters (①, ㈱, 髙, 﨑) Shift_JIS lacks, or
UTF-8 with a byte order mark; other programs write UTF-8 without one. No cell is ever a formula.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from benchd.domain.intake import Mistake

LARGEST_FILE_BYTES: Final = 8 << 20
MOST_ROWS: Final = 50_000
LONGEST_LINE: Final = 10_000
LONGEST_CELL: Final = 100
MOST_COLUMNS: Final = 50
MOST_TOLD: Final = 1000
"""Mistakes of one file; who has that many has exported the wrong one."""

_NOT_CP932: Final = re.compile("[\x80\xa0\uf8f0-\uf8f3]")
"""What Python makes of bytes that CP932 doesn't have, as in UTF-16."""
_FORMULA: Final = re.compile(r"[=+@\t\r]|-.")
"""What a spreadsheet would compute from, were it shown the cell again."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class FileMistake:
    """One mistake; the catalogue has the words and the cure."""

    line: int
    """Counted from 1 as an editor does; of a cell with line breaks where its row begins."""
    column: str
    """The heading as the file has it; blank where the whole line or file is meant."""
    code: Mistake
    facts: Mapping[str, str] = field(default_factory=dict[str, str], compare=False)


class Mistakes:
    """Collects them, up to a bound."""

    def __init__(self, found: Iterable[FileMistake] = ()) -> None:
        """Begin with what was found before."""
        self.found = list(found)

    def add(self, code: Mistake, line: int = 1, column: str = "", **facts: str) -> None:
        """Note one more."""
        if len(self.found) < MOST_TOLD:
            facts = {"line": str(line), "column": column, **facts}
            self.found.append(FileMistake(line=line, column=column, code=code, facts=facts))

    def in_order(self) -> tuple[FileMistake, ...]:
        """All of them in the order of their places."""
        return tuple(sorted(self.found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One kind of column by all the headings that it may have."""

    name: str
    headings: tuple[str, ...]
    required: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one line that aren't blank, by the column's name."""

    line: int
    cells: Mapping[str, str]
    headings: Mapping[str, str]
    refused: frozenset[str] = frozenset()
    """Columns whose cell can't be kept, which is told already: they aren't blank."""

    def heading(self, name: str) -> str:
        """What the file calls a column."""
        return self.headings.get(name, name)


HoldsBadge = Callable[[str], bool]
"""Whether somebody's badge stands in a text."""


def nobodys(_: str) -> bool:
    """There is nobody whose badge it could be."""
    return False


def read_table(
    data: bytes, columns: Sequence[Column], mistakes: Mistakes, holds_badge: HoldsBadge = nobodys
) -> list[Row]:
    """The rows of a file; all that is wrong with their form goes to `mistakes`.

    A cell with somebody's badge is told by its place alone, and nothing of it is kept.
    """
    text = _text(data, mistakes)
    if text is None:
        return []
    lines = _lines(text, mistakes)
    headings = _headings(lines, columns, mistakes, holds_badge)
    if headings is None:
        return []
    rows = list(_rows(lines, headings, mistakes, holds_badge))
    if not rows and not mistakes.found:
        mistakes.add(Mistake.NOTHING_IN_IT)
    return rows


def one_line(text: str) -> str:
    """A text on one line, its letters as they are: ㈱ and 髙 are what the papers say."""
    return " ".join(text.split())


def narrow(text: str) -> str:
    """A number or label in its normal form (NFKC): full width doesn't tell them apart."""
    return one_line(unicodedata.normalize("NFKC", text))


def _text(data: bytes, mistakes: Mistakes) -> str | None:
    if len(data) > LARGEST_FILE_BYTES:
        mistakes.add(Mistake.TOO_LARGE, found=f"{len(data)}", allowed=f"{LARGEST_FILE_BYTES}")
        return None
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8-sig")
    bad = len(data)
    try:
        text = data.decode("cp932")
    except UnicodeDecodeError as error:
        bad = error.start
    else:
        odd = _NOT_CP932.search(text)
        if odd is None:
            return text
        bad = len(text[: odd.start()].encode("cp932"))
    mistakes.add(Mistake.NO_TEXT, line=data.count(b"\n", 0, bad) + 1)
    return None


def _lines(text: str, mistakes: Mistakes) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of the line on which it begins; ends at the first broken one."""
    separator = "\t" if "\t" in text.partition("\n")[0] else ","
    reader = csv.reader(
        _bounded(text, mistakes), delimiter=separator, strict=True, skipinitialspace=True
    )
    begins = 1
    try:
        for count, cells in enumerate(reader):
            if count > MOST_ROWS:
                mistakes.add(Mistake.TOO_MANY, begins, allowed=str(MOST_ROWS))
                return
            yield begins, cells
            begins = reader.line_num + 1
    except csv.Error:
        mistakes.add(Mistake.BROKEN_QUOTES, begins)


def _bounded(text: str, mistakes: Mistakes) -> Iterator[str]:
    """The lines of a file, without those that no cell could need."""
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if len(line) > LONGEST_LINE:
            mistakes.add(Mistake.LINE_TOO_LONG, number, allowed=str(LONGEST_LINE))
            yield "\n"
        else:
            yield line


def _headings(
    lines: Iterator[tuple[int, list[str]]],
    columns: Sequence[Column],
    mistakes: Mistakes,
    holds_badge: HoldsBadge,
) -> list[tuple[str, str]] | None:
    """Name and heading of each column in order; None where rows can't be read under them."""
    known = {_key(heading): column.name for column in columns for heading in column.headings}
    nothing: tuple[int, list[str]] = (1, [])
    line, cells = next(lines, nothing)
    found: list[tuple[str, str]] = []
    for cell in cells[:MOST_COLUMNS]:
        name = known.get(_key(cell))
        shown = one_line(cell)[:LONGEST_CELL]
        if name is None and holds_badge(one_line(cell)):
            shown = ""
            mistakes.add(Mistake.BADGE, line)
        elif name is None and shown:
            allowed = ", ".join(column.headings[0] for column in columns)
            mistakes.add(Mistake.COLUMN_UNKNOWN, line, shown, found=shown, allowed=allowed)
        elif name is not None and any(name == other for other, _ in found):
            mistakes.add(Mistake.COLUMN_TWICE, line, shown)
        found.append((name or "", shown))
    there = {name for name, _ in found}
    for column in columns:
        if column.required and column.name not in there:
            mistakes.add(Mistake.COLUMN_MISSING, line, allowed=" / ".join(column.headings))
    return found if any(there) else None


def _key(heading: str) -> str:
    return re.sub(r"[\s_\-・./()（）]", "", narrow(heading)).casefold()


def _rows(
    lines: Iterator[tuple[int, list[str]]],
    headings: Sequence[tuple[str, str]],
    mistakes: Mistakes,
    holds_badge: HoldsBadge,
) -> Iterator[Row]:
    shown = {name: heading for name, heading in headings if name}
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if any(cell.strip() for cell in cells[len(headings) :]):
            mistakes.add(Mistake.CELLS_TOO_MANY, line, allowed=str(len(headings)))
        told: dict[str, str] = {}
        refused: set[str] = set()
        for (name, heading), cell in zip(headings, cells, strict=False):
            text = _cell(cell, line, heading, mistakes, holds_badge)
            if name and text:
                told[name] = text
            elif cell.strip():
                refused.add(name)
        yield Row(line, told, shown, frozenset(refused))


def _cell(cell: str, line: int, heading: str, mistakes: Mistakes, holds_badge: HoldsBadge) -> str:
    """What stands in a cell, on one line; blank where it can't be kept."""
    text = one_line(cell)
    if holds_badge(text):
        mistakes.add(Mistake.BADGE, line, heading)
    elif len(cell) > LONGEST_CELL:
        mistakes.add(Mistake.CELL_TOO_LONG, line, heading, allowed=str(LONGEST_CELL))
    elif text and not text.isprintable():
        mistakes.add(Mistake.NOT_PRINTABLE, line, heading)
    elif _FORMULA.match(cell) or _FORMULA.match(text):
        mistakes.add(Mistake.FORMULA, line, heading, found=text)
    else:
        return text
    return ""
