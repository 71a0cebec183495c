"""A drawn handset and its recheck are one handset in its file, with one open item at most."""

from __future__ import annotations

import pytest
from records_rack import IMEI, Told

from benchd.domain.disposal import DisposalState
from benchd.domain.ids import JobId
from benchd.ledger.records.read_model import ReadModel
from benchd.slots.disposal_desk import disposal_of
from tests.core.world import MemoryLedger

DRAWN, RECHECK, AGAIN = "20261103-00aa11bb22", "20261104-00aa11bb33", "20261105-00aa11bb44"


def rechecked(told: Told, tag: str | None = None) -> None:
    """A drawn job that waits for its recheck, and a recheck that has found its handset."""
    told.open(DRAWN)
    told.inspect(DRAWN)
    if tag is not None:
        told.bind(DRAWN, tag)
    told.end(DRAWN, "passed", "hold", "recheck_due")
    told.open(RECHECK, recipe="drawn_recheck")
    told.find_drawn(RECHECK, DRAWN, IMEI)


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


@pytest.mark.asyncio
async def test_one_persons_reading_at_a_recheck_closes_nothing_when_its_number_comes_again(
    model: ReadModel, told: Told
) -> None:
    """It may have been another handset's: somebody settles it, by the ledger and by the file."""
    rechecked(told)
    told.end(RECHECK, "failed", "hold", "handset_not_bound")
    told.open(AGAIN)
    told.inspect(AGAIN)
    ledger = MemoryLedger()
    ledger.stored = told.stored
    item = await disposal_of(ledger, JobId(RECHECK))
    assert item is not None
    assert item.state is DisposalState.HELD
    assert states(model, told)[RECHECK] is item.state
