"""What the machine has found, and each way out of a recheck: held against the core ever after."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.domain.job import Reason
from benchd.lab.adversity.holes import Hole, Table
from benchd.lab.adversity.kinds import ChipState, Kind, Owner
from benchd.lab.adversity.mutations import HOLES
from benchd.lab.adversity.pasting import from_file
from benchd.lab.adversity.row_holes import ROW_HOLES
from benchd.lab.adversity.rows import ALL
from benchd.lab.adversity.schedule import BayPlan, Blow, HandsetPlan, Schedule
from benchd.lab.adversity.schedule_run import run_schedule
from benchd.lab.adversity.search import faults_of

FOUND = sorted((Path(__file__).parent / "schedules").glob("*.json"))
KEPT_AS = {Table.FROM_OUTSIDE: "row", Table.ERRING: "story"}
"""How the name begins under which a find of a table's row is kept."""


@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_is_mended(path: Path) -> None:
    assert faults_of(from_file(path)) == ()


@pytest.mark.parametrize("hole", [*HOLES, *ROW_HOLES], ids=lambda hole: f"{hole.row} {hole.says}")
def test_a_hole_put_back_swallows_what_was_found_through_it(hole: Hole) -> None:
    """Otherwise the patch has missed the core, or what was found guards nothing any more."""
    of_row = [path for path in FOUND if path.stem.startswith(f"{KEPT_AS[hole.table]}-{hole.row}-")]
    assert hole.missing() == []
    assert any(hole.swallows(from_file(path)) for path in of_row)


def test_each_row_of_people_and_papers_has_a_hole() -> None:
    assert {hole.row for hole in ROW_HOLES} == ALL


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
