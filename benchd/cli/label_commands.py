"""`benchd label`, `cards` and `badges`: what is stuck on, and what lies beside the rack."""

from __future__ import annotations

import secrets
from base64 import b32encode
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote, urlencode

import typer

from benchd.cli.daemon_client import daemon_client, show
from benchd.cli.file_arguments import write_new
from benchd.cli.messages import catalogue, tell
from benchd.cli.misuse import mistake
from benchd.cli.options import JsonOption
from benchd.cli.sign_in import (
    BadgeFileOption,
    OperatorOption,
    PinFileOption,
    as_person,
)
from benchd.cli.which_job import JobArgument, job_named

KINDS: Final = {".png": "png", ".svg": "svg", ".zpl": "zpl"}
BADGE_OF_OURS: Final = "BD:P:"
"""By which a page knows it for a badge whatever field it is scanned into, and however slowly."""
BADGE_BYTES: Final = 10
"""Eighty bits: nobody tries them all at a door that counts tries."""

NewFileOption = Annotated[Path, typer.Option("--to", metavar="FILE", help="A new PDF.")]


def add_label_commands(app: typer.Typer, people_app: typer.Typer) -> None:
    """Put the commands of paper beside the others."""
    app.command("label")(label)
    app.command("cards")(cards)
    people_app.command("badges")(badges)


def label(
    of: JobArgument,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="A new picture: .png, .svg or .zpl."),
    ] = None,
    print_it: Annotated[bool, typer.Option("--print", help="At its printer.")] = False,
    printer: Annotated[str | None, typer.Option(help="At or for this one.")] = None,
    operator: OperatorOption = None,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
    json_output: JsonOption = False,
) -> None:
    """Print the label of a handset's newest job, or write it to a file."""
    kind = None if to is None else KINDS.get(to.suffix.lower())
    if (to is None) is not print_it or (to is not None and kind is None):
        raise mistake("say.label_how")
    with daemon_client() as client:
        job = job_named(client, of)
        if to is not None and kind is not None:
            write_new(to, client.fetched(f"{_label(job)}.{kind}{_at(printer)}"))
            return

        def print_once() -> None:
            told = client.answer("POST", f"{_label(job)}{_at(printer)}")
            show(
                json_output,
                told,
                lambda: tell("say.label_sent", job=job, name=str(told["name"])),
            )

        as_person(client, print_once, operator=operator, pin_file=pin_file, badge_file=badge_file)


def cards(to: NewFileOption) -> None:
    """Write the answer cards and the labels of all slots as a PDF."""
    with daemon_client() as client:
        made = client.fetched("/cards.pdf")
    write_new(to, made)


def badges(
    people: Annotated[list[str], typer.Argument(help="Whose badges.")],
    to: NewFileOption,
    operator: OperatorOption = None,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """Give people new badges and write them to a PDF: whoever has the file has the badges."""
    from benchd.papers.labels.sheets import badge_sheet

    made: dict[str, str] = {}
    if to.exists():
        raise mistake("say.file_there", path=str(to))
    with daemon_client() as client:

        def give() -> None:
            for person in people:
                code = BADGE_OF_OURS + b32encode(secrets.token_bytes(BADGE_BYTES)).decode()
                told = client.change_person(person, "badge", {"code": code})
                made[code] = str(told["name"])

        try:
            as_person(client, give, operator=operator, pin_file=pin_file, badge_file=badge_file)
        finally:
            # Also of those who have theirs already where the next one was refused.
            if made:
                to.touch(mode=0o600, exist_ok=False)
                to.write_bytes(badge_sheet(made, catalogue(), datetime.now(UTC)))


def _label(job: str) -> str:
    return f"/api/v1/jobs/{quote(job, safe='')}/label"


def _at(printer: str | None) -> str:
    return "" if printer is None else f"?{urlencode({'printer': printer}, errors='replace')}"
