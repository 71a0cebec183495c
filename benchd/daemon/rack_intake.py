"""What has come in to the running daemon, and the grades that people have given it."""

from __future__ import annotations

from collections.abc import Iterable

from benchd.domain.grade import GradeScale
from benchd.domain.intake import AttestationKind
from benchd.domain.job import Gate, Reason
from benchd.domain.ports import Clock, Ledger
from benchd.intake.grade_desk import GradeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.intake.rack_clock_trust import RackTime
from benchd.intake.required_attestations import Required
from benchd.ledger.ledger_access import SqliteLedger
from benchd.pipelines.recipe import Recipe
from benchd.pipelines.stages.gates import GatesStage
from benchd.proof.citation import DAY_S


async def open_intake(
    stored: SqliteLedger, ledger: Ledger, clock: Clock, time: RackTime, scale: GradeScale
) -> tuple[IntakeStore, GradeDesk]:
    """Both, once they have read all that is on record; `stored` is beneath `ledger`."""
    intake = await IntakeStore(ledger, clock, time).recalled()
    grades = GradeDesk(stored.for_visitors(ledger.append), clock, lambda: intake.book, scale)
    await grades.recall(stored)
    return intake, grades


def required_by(recipes: Iterable[Recipe]) -> Required:
    """What the recipes ask for by which handsets with adb go to be destroyed."""
    always: dict[AttestationKind, float] = {}
    of_chip: float | None = None
    for recipe in recipes:
        if recipe.ends_as is not Reason.RECYCLED or recipe.certifies:
            continue
        for gates in (spec.stage for spec in recipe.stages):
            if not isinstance(gates, GatesStage):
                continue
            limit_s = gates.required_within_days * DAY_S
            for kind in gates.require:
                always[kind] = min(limit_s, always.get(kind, limit_s))
            if Gate.CONSENT in gates.attest:
                days = gates.consent_within_days
                of_chip = min(days * DAY_S, of_chip or days * DAY_S)
    return Required(always=always, of_chip_in_use=of_chip)
