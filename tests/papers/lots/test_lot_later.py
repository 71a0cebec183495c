"""No paper calls a handset sellable of which anything later is known, by whichever number.

A drawn handset is certified in its recheck: its papers are honest, and have its label.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import looptime
import pytest

from benchd.certificate import SigningKey
from benchd.certificate.statement import statement_of
from benchd.domain.errors import CertificateInvalid
from benchd.domain.evidence_json import to_json
from benchd.domain.lot_papers import AskedPapers, Listed
from benchd.papers.lots.lot_statement import Counts
from benchd.proof.evidence.intake_evidence import AssetLine
from tests.certificate.certificate_rack import ISSUED_AT
from tests.intake.lots import imei
from tests.ledger.records.records_rack import START
from tests.papers.lots.lot_rack import CONSIGNOR, LOT, LotRack, job_id, of_day
from tests.papers.papers_made import signed
from tests.proof.test_recheck_proof import held

pytestmark = pytest.mark.asyncio

LATER = timedelta(days=2)
SEEN_AGAIN = Counts(handsets=1, seen_again=1)


def residue(rack: LotRack, number: int, tag: str) -> None:
    """A job that never asks the handset who it is."""
    job = job_id(number)
    rack.told.open(job, recipe="recheck")
    rack.told.bind(job, tag)
    rack.told.end(job, "failed", "destroy", "felica_residue")


def residue_another_day(rack: LotRack) -> None:
    residue(rack, 2, "T-1")
    end = rack.told.stored[-1]
    rack.told.stored[-1] = replace(end, entry=replace(end.entry, at=START + LATER))


def same_looks(rack: LotRack) -> None:
    """No IMEI tells them apart."""
    rack.told.open(job_id(2))
    rack.told.inspect(job_id(2), imei=None, serial="HQ000001")
    rack.told.end(job_id(2), "failed", "destroy", "storage_fault")


def comes_in_again(rack: LotRack, line: AssetLine) -> None:
    rack.lot("L-2")
    rack.assets("L-2", line, again=True)


def forgetful(listed: Listed) -> Listed:
    """A read model that has lost whatever was later."""
    jobs = [replace(each, newest_job=each.line.job) for each in listed.jobs]
    return replace(listed, jobs=tuple(jobs[:1]))


Story = Callable[[LotRack], object]


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize(
    ("happens", "asked", "later"),
    [
        (lambda rack: rack.fail(2, of=1), LOT, job_id(2)),
        (residue_another_day, of_day(), job_id(2)),
        (same_looks, LOT, job_id(2)),
        (lambda rack: rack.told.dead("T-1", at=START + LATER), of_day(), "case-T-1"),
    ],
    ids=["its IMEI", "its label on another day", "its looks", "entered by hand"],
)
async def test_what_came_later_counts_though_the_read_model_has_forgotten_it(
    rack: LotRack, happens: Story, asked: AskedPapers, later: str, *, forgets: bool
) -> None:
    """The ledger is asked for each certified handset, by the numbers that it told."""
    rack.sold_lot("T-1")
    happens(rack)
    if forgets:
        rack.bend = forgetful
    papers = await rack.papers(asked)
    assert [line.later_job for line in papers.handsets] == [later]
    assert papers.counts == SEEN_AGAIN


async def test_a_later_job_by_its_label_alone_is_the_same_handset(rack: LotRack) -> None:
    rack.sold_lot("T-1")
    residue(rack, 2, "T-1")
    for asked in (LOT, CONSIGNOR):
        papers = await rack.papers(asked)
        assert [line.handset for line in papers.handsets] == [1, 1]
        assert papers.counts == Counts(
            handsets=1,
            not_certified=1,
            by_disposition={"destroy": 1},
            by_reason={"felica_residue": 1},
        )


@pytest.mark.parametrize(
    "line",
    [AssetLine(tag="T-2", imei=imei(1)), AssetLine(tag="T-2", serial="HQ000001")],
    ids=["imei", "serial"],
)
async def test_what_came_in_again_under_another_label_is_sellable_no_more(
    rack: LotRack, line: AssetLine
) -> None:
    rack.sold_lot("T-1")
    comes_in_again(rack, line)
    for asked in (LOT, of_day()):
        papers = await rack.papers(asked)
        assert [each.again_as for each in papers.handsets] == ["T-2"]
        assert papers.counts == SEEN_AGAIN
    # Its consignor has one handset, that isn't in the rack yet.
    papers = await rack.papers(CONSIGNOR)
    assert [(each.tag, each.handset) for each in papers.handsets] == [("T-1", 1), ("T-2", 1)]
    assert papers.counts == Counts(handsets=1, not_run=1)


async def test_so_is_one_that_never_had_a_label_and_one_that_is_dead_now(rack: LotRack) -> None:
    rack.sell(1)
    comes_in_again(rack, AssetLine(tag="T-2", imei=imei(1)))
    rack.told.dead("T-2", "L-2", at=START + LATER)
    assert (await rack.papers(of_day())).counts == SEEN_AGAIN


def had_come_in(rack: LotRack) -> None:
    """A label on another asset of the same papers, or none at all, isn't held against it."""
    comes_in_again(rack, AssetLine(tag="T-2", imei=imei(1)))
    rack.lot("L-1", "T-1")


def was_entered_by_hand(rack: LotRack) -> None:
    rack.lot("L-1", "T-1")
    rack.told.dead("T-1", at=START - LATER)


@pytest.mark.parametrize(
    ("happened", "asked", "lines"),
    [(had_come_in, LOT, 1), (was_entered_by_hand, LOT, 2), (was_entered_by_hand, of_day(), 1)],
    ids=["came in", "entered by hand, its lot", "entered by hand, the day"],
)
async def test_what_was_before_the_handset_ran_is_not_later(
    rack: LotRack, happened: Story, asked: AskedPapers, lines: int
) -> None:
    happened(rack)
    rack.sell(1, "T-1")
    papers = await rack.papers(asked)
    assert [line.handset for line in papers.handsets] == [1] * lines
    assert (papers.handsets[-1].later_job, papers.handsets[-1].again_as) == (None, None)
    assert (papers.counts.handsets, papers.counts.certified) == (1, 1)


async def test_two_imeis_under_one_label_are_two_and_the_first_is_sold_no_more(
    rack: LotRack,
) -> None:
    rack.sold_lot("T-1")
    rack.fail(2, "T-1")
    papers = await rack.papers()
    assert [line.later_job for line in papers.handsets] == [job_id(2), None]
    counts = papers.counts
    assert (counts.handsets, counts.not_certified, counts.seen_again) == (2, 1, 1)


DRAWN, RECHECK = job_id(1), job_id(2)
Statement = dict[str, Any]
"""As JSON."""


@pytest.fixture(scope="module")
def rechecked() -> Statement:
    """What a rack states of a drawn handset whose recheck has passed."""
    with asyncio.Runner(loop_factory=looptime.new_event_loop) as runner:
        erasure = runner.run(held(chips=True)).verify()
    told = {"site": "大宮", "benchd_version": "0.1.0", "benchd_commit": "4f" * 20}
    return to_json(statement_of(erasure, at=ISSUED_AT, **told))


def certificate(rechecked: Statement, key: SigningKey, drawn: str, recheck: str) -> str:
    statement = json.loads(json.dumps(rechecked))
    statement["predicate"]["job"] = drawn
    statement["predicate"]["recheck"]["passed"]["job"] = recheck
    return signed(statement, key).envelope.decode()


@pytest.fixture
def drawn(key: SigningKey, tmp_path: Path) -> LotRack:
    """Its recheck runs, and nothing but what it has found binds it to a label."""
    rack = LotRack(key, None, tmp_path)
    rack.lot("L-1", "T-1")
    rack.begin(1, "T-1")
    rack.told.end(DRAWN, "passed", "hold", "recheck_due")
    rack.told.open(RECHECK, recipe="drawn_recheck")
    rack.told.find_drawn(RECHECK, DRAWN, imei(1))
    return rack


@pytest.mark.parametrize("asked", [LOT, of_day()], ids=["lot", "day"])
async def test_a_recheck_counts_as_certified_and_verifies_until_its_label_comes_again(
    drawn: LotRack, rechecked: Statement, asked: AskedPapers
) -> None:
    drawn.told.sell(RECHECK, certificate(rechecked, drawn.key, DRAWN, RECHECK))
    papers = await drawn.papers(asked)
    assert [(line.job, line.tag, line.handset) for line in papers.handsets] == [
        *((DRAWN, "T-1", 1), (RECHECK, "T-1", 1)),
    ]
    assert papers.handsets[1].pdf == f"certificates/{RECHECK}-T-1.pdf"
    assert (papers.counts.handsets, papers.counts.certified) == (1, 1)
    residue(drawn, 3, "T-1")
    papers = await drawn.papers(asked)
    assert [line.handset for line in papers.handsets] == [1, 1, 1]
    assert (papers.counts.certified, papers.counts.not_certified) == (0, 1)


@pytest.mark.parametrize("jobs", [(DRAWN, job_id(3)), (RECHECK, job_id(3))])
async def test_a_certificate_of_another_recheck_is_found_out(
    drawn: LotRack, rechecked: Statement, jobs: tuple[str, str]
) -> None:
    drawn.told.sell(RECHECK, certificate(rechecked, drawn.key, *jobs))
    with pytest.raises(CertificateInvalid, match="another job"):
        await drawn.papers()


@pytest.mark.parametrize("job", [DRAWN, RECHECK])
async def test_a_hold_on_either_of_its_jobs_holds_it(
    drawn: LotRack, rechecked: Statement, job: str
) -> None:
    drawn.told.sell(RECHECK, certificate(rechecked, drawn.key, DRAWN, RECHECK))
    drawn.hold(job)
    papers = await drawn.papers()
    assert (papers.counts.handsets, papers.counts.held) == (1, 1)
