"""A drawn handset and its recheck are one handset in its file, with one open item at most."""

from __future__ import annotations

from records_rack import IMEI, START, Told

from benchd.proof.evidence.forms import to_json
from benchd.proof.evidence.people import DecisionEvidence
from benchd.proof.evidence.recheck import FindDrawnEvidence
from benchd.records.model import ReadModel
from benchd.words.disposal import DisposalState
from benchd.words.job import Gate
from benchd.words.people import ShownBy

DRAWN, RECHECK = "20261103-00aa11bb22", "20261104-00aa11bb33"


def rechecked(told: Told, tag: str | None = None) -> None:
    """A drawn job that waits for its recheck, and a recheck that has found its handset."""
    told.open(DRAWN)
    told.inspect(DRAWN)
    if tag is not None:
        told.bind(DRAWN, tag)
    told.end(DRAWN, "passed", "hold", "recheck_due")
    told.open(RECHECK, recipe="drawn_recheck")
    evidence = FindDrawnEvidence(
        drawn_job=DRAWN,
        screen_number=IMEI,
        answer=DecisionEvidence(
            gate=Gate.RECHECK,
            approved=True,
            operator="田中",
            note=IMEI,
            at=START,
            person="tanaka",
            shown_by=ShownBy.BADGE_AND_PIN,
            source="socket",
        ),
        interfaces=("060101",),
        usb_serial="USB0001",
        vendor_id="0fce",
        product_id="020d",
    )
    told.stage(RECHECK, "find_drawn", to_json(evidence))


def states(model: ReadModel, told: Told) -> dict[str, DisposalState | None]:
    model.take(told.stored[model.upto().sequence :])
    file = model.look(lambda looker: looker.handset(DRAWN), quick=True)
    return {line.job: line.state for line in file.jobs}


def test_the_recheck_is_in_the_handset_file_and_takes_the_item_over(
    model: ReadModel, told: Told
) -> None:
    rechecked(told)
    told.sell(RECHECK)
    assert states(model, told) == {DRAWN: DisposalState.RUN_AGAIN, RECHECK: None}


def test_one_that_fails_leaves_one_open_item(model: ReadModel, told: Told) -> None:
    rechecked(told)
    told.end(RECHECK, "failed", "destroy", "felica_residue")
    assert states(model, told) == {
        DRAWN: DisposalState.RUN_AGAIN,
        RECHECK: DisposalState.TO_DESTROY,
    }
