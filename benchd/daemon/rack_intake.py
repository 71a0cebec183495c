"""What has come in to the running daemon, and the grades that people have given it."""

from __future__ import annotations

from benchd.domain.grade import GradeScale
from benchd.domain.ports import Clock, Ledger
from benchd.intake.grade_desk import GradeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.intake.rack_time import RackTime
from benchd.ledger.ledger_access import SqliteLedger


async def open_intake(
    stored: SqliteLedger, ledger: Ledger, clock: Clock, time: RackTime, scale: GradeScale
) -> tuple[IntakeStore, GradeDesk]:
    """Both, once they have read all that is on record; `stored` is beneath `ledger`."""
    intake = await IntakeStore(ledger, clock, time).recalled()
    grades = GradeDesk(stored.for_visitors(ledger.append), clock, lambda: intake.book, scale)
    await grades.recall(stored)
    return intake, grades
