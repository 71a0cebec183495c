"""docs/certificate.md as a test reads it: rows, and the sentences of a statement by their rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

Json = Any
PAGE = Path(__file__).parents[2] / "docs" / "certificate.md"
_QUOTED = re.compile(r"`([^`]+)`")
_GAP = re.compile(r"\\\{[^{}]*\\\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table: what is said, by which records, held by which checks, and not more."""

    said: tuple[str, ...]
    records: str
    checks: str
    not_proven: str


def quoted(cell: str) -> tuple[str, ...]:
    return tuple(_QUOTED.findall(cell))


def rows_under(heading: str) -> list[Row]:
    """The rows of the one table under a heading."""
    part = PAGE.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
    return [_row(line) for line in lines]


def _row(line: str) -> Row:
    said, records, checks, not_proven = line.strip("| ").split(" | ")
    return Row(said=quoted(said), records=records, checks=checks, not_proven=not_proven)


@cache
def sentences() -> dict[str, re.Pattern[str]]:
    """Each sentence of the page with the pattern that finds it filled in."""
    said = [text for row in rows_under("Sentences") for text in row.said]
    return {text: re.compile(_GAP.sub(r"\\S+", re.escape(text))) for text in said}


def read(text: str) -> list[str]:
    """The sentences that a text is made of, without a word left over."""
    found = _read(text)
    assert found is not None, f"not on the page: {text}"
    return found


def _read(text: str) -> list[str] | None:
    for sentence, pattern in sentences().items():
        match = pattern.match(text)
        if match is None:
            continue
        left = text[match.end() :]
        if not left:
            return [sentence]
        rest = _read(left.removeprefix(", ")) if left.startswith(", ") else None
        if rest is not None:
            return [sentence, *rest]
    return None


def texts_of(predicate: dict[str, Any]) -> list[str]:
    """Every text of a certificate that is a sentence and no name, number or word of a list."""
    felica = predicate["felica"]
    return [
        predicate["method"],
        predicate["technique"],
        predicate["standard"],
        predicate["medium"]["type"],
        predicate["trusted"]["read_by"],
        predicate["nominal_capacity_bytes"],
        *predicate["not_reached"],
        *predicate["bound_by"],
        *predicate["final_reset"]["kinds"],
        felica["basis"],
        felica["clear"],
        *felica["sources"],
        *filter(None, [predicate["fresh_picture"]["excuses"], predicate["clock"]["says"]]),
        *filter(None, [predicate["handset"]["imei_known_by"], predicate["trusted"]["number"]]),
    ]


def fields_of(value: Json, path: str = "") -> set[str]:
    """Every field of a statement, without the predicate that most of them stand in."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {field for each in value for field in fields_of(each, path)}
    if value == []:
        return set()
    if not isinstance(value, dict):
        return {path.removeprefix("predicate.")}
    return {
        field
        for name, inner in value.items()
        for field in fields_of(inner, f"{path}.{name}" if path else name)
    }
