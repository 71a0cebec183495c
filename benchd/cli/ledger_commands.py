"""`benchd ledger …`: the record of everything, looked at without the daemon."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import anyio
import typer

from benchd.cli.backup_commands import add_backup_commands
from benchd.cli.file_arguments import read_file, regular_file
from benchd.cli.messages import detail_of, error_of, failed, tell
from benchd.cli.misuse import mistake
from benchd.cli.options import DEFAULT_CONFIG, ConfigOption
from benchd.cli.rings import NEWEST_KEY, RingOption, ring_of
from benchd.domain.errors import LedgerBroken, SignedByRetired

if TYPE_CHECKING:
    from benchd.ledger.ledger_verification import VerifyReport
    from benchd.signing.key_ring import KeyRing

ledger_app = typer.Typer(help="The record of everything.", no_args_is_help=True)
add_backup_commands(ledger_app)


@ledger_app.command("verify")
def ledger_verify(
    file: Annotated[Path | None, typer.Argument(help="Left out, this rack's own.")] = None,
    key: Annotated[Path | None, NEWEST_KEY] = None,
    ring: RingOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Check every byte of a ledger and name the first record that is wrong.

    Without FILE it is this rack's own, with the keys that its configuration names.
    """
    if file is not None:
        if key is None:
            raise mistake("say.key_for_file")
        _verify(file, read_file(key), ring and ring_of(key, ring))
        return
    if key is not None or ring is not None:
        raise mistake("say.key_for_file")
    from benchd.config import load_settings
    from benchd.daemon.upkeep import note_verified
    from benchd.signing.key_store import KeyFiles, load_ring
    from benchd.signing.public_key import public_key_of

    settings = load_settings(config)
    files = KeyFiles(settings.certificate.key)
    public = read_file(files.public)
    _verify(settings.ledger.path, public, load_ring(files.ring, public_key_of(public)))
    note_verified(settings.ledger.path)


def _verify(file: Path, key: bytes, ring: KeyRing | None) -> None:
    from benchd.ledger import verify_ledger
    from benchd.ledger.unsigned_tail import MOST_UNSIGNED

    try:
        report = verify_ledger(regular_file(file), key, ring)
    except LedgerBroken as error:
        raise failed(
            "say.ledger_broken_at",
            path=str(file),
            value=str(error.sequence),
            detail=detail_of(error),
        ) from error
    unsigned = _unsigned(file, report)
    told = {"path": str(file), "count": str(unsigned), "value": str(report.signed_records)}
    if unsigned > MOST_UNSIGNED:
        raise failed("say.ledger_unsigned", **told)
    tell("say.ledger_whole", path=str(file), count=str(report.records), value=report.head_hash)
    if unsigned:
        tell("say.ledger_last_unsigned", **told)
    kept = report.checkpoints
    if kept.count:
        tell("say.ledger_checkpoints", count=str(kept.count), value=str(kept.newest))
    if kept.lacked is not None:
        sequence, at = kept.lacked
        tell("say.ledger_centre_lacked", value=str(sequence), detail=f"{at:%Y-%m-%d %H:%M} UTC")


def _unsigned(file: Path, report: VerifyReport) -> int:
    """How many records follow the signed head, among those that were verified."""
    from benchd.ledger import export_lines

    count = 0
    # Not by their number: a restore leaves numbers out.
    for line in export_lines(file):
        record = json.loads(line)
        count += record["body"]["sequence"] > report.signed_records
        if record["hash"] == report.head_hash:
            break
    return count


@ledger_app.command("export")
def ledger_export(file: Annotated[Path, typer.Argument(help="The ledger's file.")]) -> None:
    """Print every record as it is stored, one JSON object a line."""
    from benchd.ledger import export_lines

    for line in export_lines(regular_file(file)):
        sys.stdout.buffer.write(line)


@ledger_app.command("restored")
def ledger_restored(
    operator: Annotated[str, typer.Option(help="Your name, as it stands in the record.")],
    because: Annotated[str, typer.Option(help="What has happened to the lost part.")],
    *,
    retired_key: Annotated[
        bool, typer.Option("--retired-key", help="Even if a key signed it that was retired since.")
    ] = False,
    unsigned: Annotated[
        bool, typer.Option("--unsigned", help="Even if records were left that nobody has signed.")
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Record, signed, that an older ledger was put back; the daemon has to be stopped."""
    from benchd.config import load_settings
    from benchd.daemon.restore_break import record_restored

    settings = load_settings(config)
    record = partial(
        record_restored,
        settings,
        operator=operator,
        because=because,
        retired=retired_key,
        unsigned=unsigned,
    )
    path = str(settings.ledger.path)
    try:
        told = anyio.run(record)
    except SignedByRetired as error:
        raise error_of(SignedByRetired, "say.ledger_by_retired_key", path=path) from error
    tell("say.ledger_numbered_on", path=path, value=str(told.sequence))
