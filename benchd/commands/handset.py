"""`benchd handset`: what handsets answered, as dossiers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from benchd.android.dossier.folder import read_folder
from benchd.android.dossier.replay import Fact, Replay, replay

JsonOption = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]

handset_app = typer.Typer(help="What handsets answered, as dossiers.", no_args_is_help=True)


@handset_app.command("read")
def read(directory: Path, json_output: JsonOption = False) -> None:
    """Tell what benchd makes of a dossier; ends with 1 if an answer in it isn't understood."""
    found = replay(read_folder(directory))
    if json_output:
        typer.echo(json.dumps(as_json(found), ensure_ascii=False, indent=2))
    else:
        typer.echo("\n".join(_lines(found)))
    raise typer.Exit(1 if found.refused else 0)


def as_json(found: Replay) -> dict[str, object]:
    """Every fact under its name, and beside them what is lacking, refused and found."""
    return {
        **found.facts,
        "missing": found.missing,
        "refused": [{"command": one.command, "why": one.why} for one in found.refused],
        "findings": found.findings,
    }


def _lines(found: Replay) -> list[str]:
    known = {name: value for name, value in found.facts.items() if value is not None}
    return [
        *(f"{name}\t{_shown(value)}" for name, value in known.items()),
        *(f"not understood: {one.command}: {one.why}" for one in found.refused),
        *(f"would be held: {finding}" for finding in found.findings),
        *([f"not asked: {', '.join(found.missing)}"] if found.missing else []),
    ]


def _shown(value: Fact) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
