"""How the commands of lots and assets tell what they found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from benchd.cli.daemon_client import show
from benchd.cli.messages import failed, language, named, tell, tell_rows
from benchd.domain.ids import JsonValue

if TYPE_CHECKING:
    from benchd.domain.ids import JsonObject

SECTIONS: Final = {
    "kind": "lot_kind",
    "kinds": "attestation",
    "unerasable": "unerasable",
    "disposition": "disposition",
}
"""Where the words for the values of a field stand."""


def tell_import(file: Path, done: JsonObject, *, dry_run: bool) -> None:
    """Every mistake of a file at its line, or how many were taken in."""
    mistakes = done["mistakes"]
    reads = language()
    for each in mistakes if isinstance(mistakes, Sequence) else ():
        if isinstance(each, Mapping):
            place = f"{file}:{each['line']}: {each['column']}".rstrip(" :")
            typer.echo(f"{place}: {cell_of(each[reads])}")
    if mistakes:
        raise failed("say.nothing_taken_in", path=str(file))
    word = "say.rows_would_be_taken_in" if dry_run else "say.rows_taken_in"
    tell(word, path=str(file), count=str(done["rows"]))


def print_rows(found: JsonObject, as_json: bool, rows: JsonValue, columns: Sequence[str]) -> None:
    """As JSON for machines, as a line for each row for people."""
    show(as_json, found, lambda: tell_rows(columns, rows_of(rows, columns)))


def print_sheet(found: JsonObject, as_json: bool, names: Sequence[str]) -> None:
    """As JSON for machines, as a line for each field for people."""

    def sheet() -> None:
        for name in names:
            typer.echo(f"{named('field', name)}\t{cell_of(found[name], name)}")

    show(as_json, found, sheet)


def rows_of(rows: JsonValue, columns: Sequence[str]) -> list[list[str]]:
    """These columns of each row."""
    found = rows if isinstance(rows, Sequence) and not isinstance(rows, str) else ()
    return [
        [cell_of(row.get(name), name) for name in columns]
        for row in found
        if isinstance(row, Mapping)
    ]


def cell_of(value: JsonValue, field: str = "") -> str:
    """One value as a cell, in words where its field has some."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(cell_of(one, field) for one in value)
    if isinstance(value, Mapping):
        # A grade, by its code.
        return cell_of(value.get("code"))
    if isinstance(value, bool) and language() == "ja":
        return named("word", "yes" if value else "no")
    return "" if value is None else named(SECTIONS.get(field, ""), value)
