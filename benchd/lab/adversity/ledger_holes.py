"""Holes of row 10 put back: a ledger that is believed whatever somebody has written into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from benchd.domain.record import EntryKind, StoredEntry
from benchd.lab.adversity.holes import Hole, Replaced
from benchd.lab.adversity.kinds import OF_THE_FILE, Kind
from benchd.lab.adversity.schedule import Schedule
from benchd.proof import job_history

SHOWN: Final = "what is shown sellable was sold"
NAMED: Final = "a certificate names what lies there"
NOTICED: Final = "a break is noticed"
HELD: Final = "nothing begins on a broken ledger"


def _believed(records: Sequence[StoredEntry], _issuer: object) -> job_history.Ending | None:
    """Row 10: an end is what its record says, whoever has written it."""
    ends = [record.entry for record in records if record.entry.kind is EntryKind.JOB_ENDED]
    return job_history.ending_by_its_words(ends[0]) if ends else None


async def _none_walked(*_arguments: object) -> int:
    """Row 10: a pass looks at nothing, and finds it sound."""
    return 0


def _nothing(*_arguments: object) -> None:
    """Nobody looks, and nobody holds anything."""


def _hole(says: str, shows: str, blows: Sequence[Kind], *replaced: Replaced) -> Hole:
    """Of row 10, found where one of these blows is struck and shown by this rule."""

    def struck(schedule: Schedule) -> bool:
        return any(blow.kind in blows for blow in schedule.blows)

    return Hole(
        row=10,
        says=says,
        ingredients=struck,
        without=_without_forger,
        shows_as=(shows,),
        replaced=replaced,
    )


def _without_forger(schedule: Schedule) -> Schedule:
    return replace(schedule, blows=tuple(b for b in schedule.blows if b.kind not in OF_THE_FILE))


LEDGER_HOLES: Final = (
    _hole(
        "a rewritten end is believed",
        SHOWN,
        (Kind.REWRITTEN_END,),
        Replaced(module="benchd.proof.job_history", name="ending_of", by=_believed),
    ),
    _hole(
        "what a running job has on record is believed",
        NAMED,
        (Kind.REWRITTEN_JOB,),
        Replaced(module="benchd.ledger.open_jobs", name="check_written", by=_nothing),
        Replaced(module="benchd.proof.final_reset_proof", name="other_handset", by=_nothing),
    ),
    _hole(
        "an older ledger is taken for the newest",
        NOTICED,
        (Kind.ROLLBACK,),
        Replaced(module="benchd.ledger.witness", name="check_witnesses", by=_nothing),
    ),
    _hole(
        "nobody goes over the whole ledger",
        NOTICED,
        (Kind.REWRITTEN_END,),
        Replaced(module="benchd.ledger.patrol", name="Patrol._follow_to", by=_none_walked),
    ),
    _hole(
        "a break is told, and the door stays open",
        HELD,
        (Kind.REWRITTEN_END, Kind.REWRITTEN_JOB, Kind.ROLLBACK),
        Replaced(module="benchd.slots.admission", name="Admission.hold", by=_nothing),
    ),
)
