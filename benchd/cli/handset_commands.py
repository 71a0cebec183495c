"""`benchd handset`: what handsets answered, as dossiers."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import typer

from benchd.cli.daemon_client import show
from benchd.cli.messages import named, say, tell_rows
from benchd.cli.misuse import mistake
from benchd.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from benchd.devices.android.adb import AdbAddress
from benchd.domain.dossier import Dossier

if TYPE_CHECKING:
    # Reading answers takes all that speaks adb, which no other command waits for.
    from benchd.devices.android.dossier.replay import Replay

RECORDED_WITHIN_S: Final = 240.0
"""Longer than the daemon gives a handset to answer all questions."""
_LISTED: Final = ("taken_at", "model", "android", "why", "path")


handset_app = typer.Typer(help="What handsets answered, as dossiers.", no_args_is_help=True)


@handset_app.command("record")
def record(
    directory: Annotated[Path, typer.Argument(help="A new folder.")],
    slot: Annotated[
        str | None, typer.Option(help="The handset in this slot of the running daemon.")
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(help="The handset at this adb address (usb:1-4.2), where no daemon has it."),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Ask a handset everything that benchd ever asks, and leave its answers in DIRECTORY.

    It only reads. What is personal is replaced; read the files before you send them.
    """
    from benchd.devices.android.dossier.folder import write_folder

    if (slot is None) == (address is None):
        raise mistake("say.slot_or_address")
    made = _of_slot(slot) if slot is not None else _at_address(config, address or "")
    write_folder(directory, made.files)
    typer.echo("\n".join(_summary_lines(directory, made)))


@handset_app.command("list")
def list_kept(json_output: JsonOption = False) -> None:
    """Show what the rack keeps of handsets that couldn't be inspected, the newest first."""
    from benchd.cli.client import BenchdClient, socket_path
    from benchd.cli.tables.table_cells import LONGEST_SENTENCE, parts, text

    with BenchdClient(socket_path(os.environ)) as client:
        found = client.dossiers()
    rows = (
        [text(one, key, longest=LONGEST_SENTENCE).plain for key in _LISTED]
        for one in parts(found, "dossiers")
    )
    show(json_output, found, lambda: tell_rows(_LISTED, rows))


@handset_app.command("read")
def read(
    directory: Annotated[Path, typer.Argument(help="A dossier's folder.")],
    json_output: JsonOption = False,
) -> None:
    """Tell what benchd makes of a dossier; ends with 1 if an answer in it isn't understood."""
    from benchd.devices.android.dossier.folder import read_folder
    from benchd.devices.android.dossier.replay import replay

    found = replay(read_folder(directory))
    show(json_output, as_json(found), lambda: typer.echo("\n".join(_lines(found))))
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
        *(f"{say('say.not_understood')}: {one.command}: {one.why}" for one in found.refused),
        *(f"{say('say.would_be_held')}: {named('finding', finding)}" for finding in found.findings),
        *([f"{say('say.not_asked')}: {', '.join(found.missing)}"] if found.missing else []),
    ]


def _shown(value: object) -> str:
    return (
        ", ".join(map(str, cast("tuple[object, ...]", value)))
        if isinstance(value, tuple)
        else str(value)
    )


def _of_slot(slot: str) -> Dossier:
    from pydantic import TypeAdapter

    from benchd.cli.client import BenchdClient, socket_path

    with BenchdClient(socket_path(os.environ), timeout_s=RECORDED_WITHIN_S) as client:
        return TypeAdapter(Dossier).validate_python(client.record(slot))


def _at_address(config: Path, address: str) -> Dossier:
    from benchd.cli.one_handset import ask_one
    from benchd.config import load_settings
    from benchd.devices.android.dossier.dossier_files import prepare
    from benchd.devices.android.handset_access import AdbAccess

    recording = ask_one(load_settings(config), AdbAddress(address), AdbAccess.ask_everything)
    return prepare(recording, taken_at=datetime.now(UTC))


def _summary_lines(directory: Path, made: Dossier) -> list[str]:
    replaced = [f"  {kind}\t{count}" for kind, count in made.replaced.items()]
    unanswered = [f"  {name}\t{why}" for name, why in made.unanswered.items()]
    return [
        say("say.files_written", path=str(directory), count=str(len(made.files))),
        *([say("say.replaced"), *replaced] if replaced else [say("say.nothing_replaced")]),
        *([say("say.not_answered"), *unanswered] if unanswered else []),
        *(f"{say('say.reads_otherwise')}: {fact}" for fact in made.reads_otherwise),
        say("say.read_before_sending"),
    ]
