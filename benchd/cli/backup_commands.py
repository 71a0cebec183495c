"""`benchd ledger backup` and `benchd ledger restore`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from benchd.cli.daemon_client import show
from benchd.cli.messages import detail_of, error_of, tell
from benchd.cli.misuse import mistake, why
from benchd.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from benchd.domain.errors import BackupInvalid, SignedByRetired, UsageRefused, WouldLose

if TYPE_CHECKING:
    from benchd.config import Settings
    from benchd.daemon.restore_break import Restored, Tried


def add_backup_commands(app: typer.Typer) -> None:
    """Put both beside the other commands of the ledger."""
    app.command("backup")(ledger_backup)
    app.command("restore")(ledger_restore)


def ledger_backup(
    folder: Annotated[Path, typer.Argument(metavar="DEST", help="A folder on another disk.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Back ledger, badges and PINs up into a folder, and verify it; the daemon may run."""
    from benchd.config import load_settings
    from benchd.daemon.rack_backup import back_up, is_on_same_disk

    settings = load_settings(config)
    _check_folder(folder, settings)
    path, manifest = back_up(settings, folder)
    tell(
        "say.backed_up",
        path=str(path),
        count=str(manifest.records),
        value=str(manifest.head.sequence),
    )
    if is_on_same_disk(settings, folder):
        tell("say.backup_on_same_disk", path=str(folder))


def ledger_restore(
    backup: Annotated[Path, typer.Argument(help="The backup's .json; its files lie beside it.")],
    *,
    operator: Annotated[str, typer.Option(help="Your name, as it stands in the record.")],
    because: Annotated[str, typer.Option(help="What has happened to the lost part.")],
    to: Annotated[
        Path | None, typer.Option(metavar="STATE", help="Only try it, in an empty folder.")
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Even if records are lost by it; the old ledger is kept."),
    ] = False,
    retired_key: Annotated[
        bool, typer.Option("--retired-key", help="Even if a key signed it that was retired since.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    json_output: JsonOption = False,
) -> None:
    """Put a backup back and record, signed, what may be lost; the daemon has to be stopped.

    With --to it is only tried: nothing is recorded, and the daemon may run.
    """
    from benchd.config import load_settings
    from benchd.daemon.restore_break import restore_backup, try_backup

    settings = load_settings(config)
    if to is not None:
        try:
            with _refusals(backup):
                tried = try_backup(settings, backup, to.absolute(), retired=retired_key)
        except UsageRefused as error:
            raise error_of(UsageRefused, "say.tries_elsewhere", path=str(to)) from error
        show(json_output, _tried_as_json(tried), partial(_tell_tried, tried))
        return
    restore = partial(
        restore_backup,
        settings,
        backup,
        operator=operator,
        because=because,
        replaces=replace,
        retired=retired_key,
    )
    try:
        with _refusals(backup):
            done = anyio.run(restore)
    except WouldLose as error:
        raise error_of(
            UsageRefused,
            "say.restore_would_lose",
            path=str(settings.ledger.path),
            count=str(error.kept),
            value=str(error.known or "?"),
        ) from error
    show(json_output, _as_json(done), partial(_tell, done))


@contextmanager
def _refusals(backup: Path) -> Generator[None]:
    try:
        yield
    except SignedByRetired as error:
        raise error_of(SignedByRetired, "say.backup_by_retired_key", path=str(backup)) from error
    except BackupInvalid as error:
        raise error_of(BackupInvalid, "say.backup_not_valid", detail=detail_of(error)) from error


def _tried_as_json(tried: Tried) -> dict[str, object]:
    return {
        "ledger": str(tried.ledger),
        "backup_at": tried.manifest.at.isoformat(),
        "kept_sequence": tried.manifest.head.sequence,
        "certificates": tried.certificates,
    }


def _tell_tried(tried: Tried) -> None:
    _tell_age(tried.manifest.at)
    tell(
        "say.backup_tried",
        path=str(tried.ledger),
        count=str(tried.manifest.head.sequence),
        jobs=str(tried.certificates),
    )


def _as_json(done: Restored) -> dict[str, object]:
    return {
        "ledger": str(done.ledger),
        "former": str(done.put.aside) if done.put.aside else None,
        "backup_at": done.manifest.at.isoformat(),
        "kept_sequence": done.manifest.head.sequence,
        "sequence": done.put.receipt.sequence,
        "certificates": done.certificates,
        "look_at": list(done.look_at.jobs),
        "look_at_is_all_for_sale": not done.look_at.from_former,
    }


def _tell(done: Restored) -> None:
    look = done.look_at
    for job in look.jobs:
        typer.echo(job)
    _tell_age(done.manifest.at)
    tell(
        "say.restored",
        path=str(done.ledger),
        count=str(done.manifest.head.sequence),
        value=str(done.put.receipt.sequence),
        jobs=str(done.certificates),
    )
    if done.put.aside is not None:
        tell("say.former_kept", path=str(done.put.aside))
    tell("say.restore_undone", value=_made(done.manifest.at))
    if look.jobs:
        word = "say.look_at_these" if look.from_former else "say.look_at_all"
        tell(word, count=str(len(look.jobs)))
    elif look.from_former:
        tell("say.look_at_none")


def _tell_age(at: datetime) -> None:
    age = datetime.now(UTC) - at
    days, hours = age.days, age.seconds // 3600
    tell("say.backup_made", value=_made(at), count=str(days), detail=str(hours))


def _made(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _check_folder(folder: Path, settings: Settings) -> None:
    try:
        is_folder = folder.is_dir() and str(folder) != "."
        place, state = folder.resolve(), settings.ledger.path.parent.resolve()
    except OSError as error:
        raise mistake("say.file_trouble", path=str(folder), detail=why(error)) from error
    if not is_folder:
        raise mistake("say.no_backup_folder", path=str(folder))
    if place.is_relative_to(state):
        raise mistake("say.backup_in_state", path=str(folder), name=str(state))
