"""How the commands of lots and assets tell what they found."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from benchd.texts.catalogue import language_of, printable
from benchd.words.ids import JsonValue

if TYPE_CHECKING:
    from benchd.commands.client import JsonObject


def tell_import(file: Path, done: JsonObject, *, dry_run: bool) -> None:
    """Every mistake of a file at its line, or how many were taken in."""
    mistakes = done["mistakes"]
    language = language_of(os.environ)
    for each in mistakes if isinstance(mistakes, Sequence) else ():
        if isinstance(each, Mapping):
            place = f"{file}:{each['line']}: {each['column']}".rstrip(" :")
            typer.echo(f"{place}: {cell_of(each[language])}")
    if mistakes:
        typer.echo(f"benchd: {file}: nothing was taken in", err=True)
        raise typer.Exit(1)
    typer.echo(f"{file}: {done['rows']} {'would be taken in' if dry_run else 'taken in'}")


def print_found(found: JsonObject, as_json: bool, lines: Sequence[str]) -> None:
    """As JSON for machines, as lines for people."""
    text = json.dumps(found, ensure_ascii=False, indent=2) if as_json else "\n".join(lines)
    typer.echo(text)


def rows_of(rows: JsonValue, *names: str) -> list[str]:
    """These columns of each row."""
    found = rows if isinstance(rows, Sequence) and not isinstance(rows, str) else ()
    return [
        "\t".join(cell_of(row.get(name)) for name in names)
        for row in found
        if isinstance(row, Mapping)
    ]


def cell_of(value: JsonValue) -> str:
    """One value as a cell."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(cell_of, value))
    return "" if value is None else printable(str(value))
