"""Nobody gets a drawn handset out of its recheck: not by running it again, not at any moment."""

from __future__ import annotations

import pytest

from benchd.domain.job import Reason
from benchd.lab.adversity.kinds import ChipState, Kind, Owner
from benchd.lab.adversity.schedule import BayPlan, Blow, HandsetPlan, Schedule
from benchd.lab.adversity.schedule_run import run_schedule

RULE = "what was drawn is sold by its recheck alone"
MOMENTS = ("recheck_drawn", "kept:recheck_drawn", "kept:stage_ended:certify", "kept:job_ended")


def schedule_of(kind: Kind, point: str) -> Schedule:
    """A drawn handset that is run again, after a blow at this moment."""
    plan = HandsetPlan(owner=Owner.APPS, chip=ChipState.UNUSED, tells_imei=True)
    bay = BayPlan(slot="A1", handset=plan, reader=True, recheck_share=1.0)
    again = Blow(slot="A1", point="kept:job_ended", nth=1, kind=Kind.PULL, lasts_s=60.0)
    blow = Blow(slot="A1", point=point, nth=1, kind=kind, lasts_s=5.0)
    return Schedule(seed=1, bays=(bay,), blows=(blow, again))


@pytest.mark.parametrize("kind", [Kind.CRASH, Kind.PULL, Kind.STOP, Kind.LEDGER_FAULT])
@pytest.mark.parametrize("point", MOMENTS)
def test_a_drawn_handset_is_never_sold_without_its_recheck(kind: Kind, point: str) -> None:
    verdict = run_schedule(schedule_of(kind, point))
    assert verdict.faults == ()
    assert "sellable" not in {end.disposition for end in verdict.ends}


def test_it_is_run_again_and_drawn_again() -> None:
    verdict = run_schedule(schedule_of(Kind.PULL, "kept:recheck_drawn"))
    ends = [end.reason for end in verdict.ends]
    assert ends.count(Reason.RECHECK_DUE) > 0
    assert len(ends) > 1


def test_the_rule_finds_a_proof_that_lets_it_through(monkeypatch: pytest.MonkeyPatch) -> None:
    # The certificate's own rules would find it, too.
    for place in ("proof.erasure.draw_gaps", "certificate.statement_check.gaps_of_recheck"):
        monkeypatch.setattr(f"benchd.{place}", lambda *_: [])
    verdict = run_schedule(schedule_of(Kind.PULL, "kept:recheck_drawn"))
    assert RULE in {fault.rule for fault in verdict.faults}
