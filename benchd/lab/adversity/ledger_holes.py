"""Holes of row 10 put back: a ledger that is believed whatever somebody has written into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from benchd.lab.adversity.holes import Hole, Replaced
from benchd.lab.adversity.kinds import OF_THE_FILE, Kind
from benchd.lab.adversity.schedule import Schedule
from benchd.pipelines import history
from benchd.words.record import EntryKind, StoredEntry

SHOWN: Final = "what is shown sellable was sold"
NAMED: Final = "a certificate names what lies there"
NOTICED: Final = "a break is noticed"
HELD: Final = "nothing begins on a broken ledger"


def _believed(records: Sequence[StoredEntry], _issuer: object) -> history.Ending | None:
    """Row 10: an end is what its record says, whoever has written it."""
    ends = [record.entry for record in records if record.entry.kind is EntryKind.JOB_ENDED]
    return history.ending_by_its_words(ends[0]) if ends else None


async def _none_walked(*_arguments: object) -> int:
    """Row 10: a pass looks at nothing, and finds it sound."""
    return 0


def _nothing(*_arguments: object) -> None:
    """Nobody looks, and nobody holds anything."""


def _by_hand(*kinds: Kind) -> Callable[[Schedule], bool]:
    return lambda schedule: any(blow.kind in kinds for blow in schedule.blows)


def _without_forger(schedule: Schedule) -> Schedule:
    return replace(schedule, blows=tuple(b for b in schedule.blows if b.kind not in OF_THE_FILE))


LEDGER_HOLES: Final = (
    Hole(
        row=10,
        says="a rewritten end is believed",
        ingredients=_by_hand(Kind.REWRITTEN_END),
        without=_without_forger,
        shows_as=(SHOWN,),
        replaced=(Replaced(module="benchd.pipelines.history", name="ending_of", by=_believed),),
    ),
    Hole(
        row=10,
        says="what a running job has on record is believed",
        ingredients=_by_hand(Kind.REWRITTEN_JOB),
        without=_without_forger,
        shows_as=(NAMED,),
        replaced=(
            Replaced(module="benchd.ledger.running", name="check_written", by=_nothing),
            Replaced(module="benchd.proof.final_reset", name="other_handset", by=_nothing),
        ),
    ),
    Hole(
        row=10,
        says="an older ledger is taken for the newest",
        ingredients=_by_hand(Kind.ROLLBACK),
        without=_without_forger,
        shows_as=(NOTICED,),
        replaced=(Replaced(module="benchd.ledger.witness", name="check_witnesses", by=_nothing),),
    ),
    Hole(
        row=10,
        says="nobody goes over the whole ledger",
        ingredients=_by_hand(Kind.REWRITTEN_END),
        without=_without_forger,
        shows_as=(NOTICED,),
        replaced=(
            Replaced(module="benchd.ledger.patrol", name="Patrol._follow_to", by=_none_walked),
        ),
    ),
    Hole(
        row=10,
        says="a break is told, and the door stays open",
        ingredients=_by_hand(Kind.REWRITTEN_END, Kind.REWRITTEN_JOB, Kind.ROLLBACK),
        without=_without_forger,
        shows_as=(HELD,),
        replaced=(Replaced(module="benchd.slots.admission", name="Admission.hold", by=_nothing),),
    ),
)
