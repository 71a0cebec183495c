"""When the ledger was last backed up and verified, noted beside it by whoever did it.

That is no daemon's work, so it isn't on record: a note that is lost costs an alert.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from benchd.daemon.rack_people import give_back
from benchd.daemon.system_clock import SystemClock
from benchd.ledger.durable_files import replace_file


class Upkeep(StrEnum):
    """What has to be done again and again."""

    BACKUP = "backup"
    VERIFICATION = "verification"


def note_done(ledger: Path, what: Upkeep, at: datetime) -> None:
    """Note that it was done, with success, at this time."""
    replace_file(_note(ledger, what), json.dumps({"at": at.isoformat()}).encode())


def note_verified(ledger: Path) -> None:
    """Note that all of it has just been verified."""
    try:
        note_done(ledger, Upkeep.VERIFICATION, SystemClock().now())
    finally:
        give_back(ledger)


def last_done(ledger: Path, what: Upkeep) -> float:
    """When it was last done, in seconds since 1970; 0 for never, or where that can't be read."""
    try:
        told: object = json.loads(_note(ledger, what).read_bytes())
        match told:
            case {"at": str() as at}:
                return datetime.fromisoformat(at).timestamp()
            case _:
                return 0.0
    except (OSError, ValueError, OverflowError, RecursionError):
        return 0.0


def _note(ledger: Path, what: Upkeep) -> Path:
    return ledger.with_name(f"{ledger.name}.last-{what.value}")
