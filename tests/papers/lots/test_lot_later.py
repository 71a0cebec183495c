"""No paper calls a handset sellable of which anything later is known, by whichever number."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from benchd.domain.evidence_json import to_json
from benchd.domain.lot_papers import AskedPapers, Listed, PapersOf
from benchd.domain.record import EntryKind
from benchd.papers.lots.lot_statement import Counts, LotPapers
from benchd.proof.evidence.intake_evidence import AssetLine, AssetsRecord
from tests.intake.lots import BY, imei
from tests.ledger.records.records_rack import START
from tests.papers.lots.lot_rack import LOT, LotRack, job_id
from tests.papers.lots.test_lot_truth import of_day, told

pytestmark = pytest.mark.asyncio

CONSIGNOR = AskedPapers(of=PapersOf.CONSIGNOR, name="例示商事")


def residue(rack: LotRack, number: int, tag: str | None, days: int = 0) -> str:
    """A job that never asks the handset who it is, so many days later."""
    job = job_id(number)
    rack.told.open(job, START + timedelta(days=days), recipe="recheck")
    if tag is not None:
        rack.told.bind(job, tag)
    rack.told.end(job, "failed", "destroy", "felica_residue")
    return job


def comes_in_again(rack: LotRack, line: AssetLine, lot: str = "L-2") -> None:
    rack.told.lot(lot, "例示商事")
    record = AssetsRecord(
        lot=lot, batch="again", part=1, parts=1, again=True, assets=(line,), by=BY
    )
    rack.told.tell(EntryKind.ASSETS_ADDED, None, to_json(record))


def forgetful(listed: Listed) -> Listed:
    """A read model that has lost whatever was later."""
    jobs = [replace(each, newest_job=each.line.job) for each in listed.jobs]
    return replace(listed, jobs=tuple(jobs[:1]))


def seen_again(papers: LotPapers) -> None:
    assert papers.counts == Counts(handsets=1, seen_again=1)


async def test_a_later_job_by_its_label_alone_is_the_same_handset(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1")
    rack.sell(1, "T-1")
    residue(rack, 2, "T-1")
    for asked in (LOT, CONSIGNOR):
        papers = await told(rack, tmp_path / asked.of, asked)
        assert [line.handset for line in papers.handsets] == [1, 1]
        assert papers.counts == Counts(
            handsets=1,
            not_certified=1,
            by_disposition={"destroy": 1},
            by_reason={"felica_residue": 1},
        )


@pytest.mark.parametrize("forgets", [False, True])
async def test_a_later_job_by_its_label_is_told_in_the_papers_of_another_day(
    rack: LotRack, tmp_path: Path, *, forgets: bool
) -> None:
    rack.lot("L-1", "T-1")
    rack.sell(1, "T-1")
    later = residue(rack, 2, "T-1", days=2)
    if forgets:
        rack.bend = forgetful
    day = of_day()
    rack.told.stored[-1] = replace(
        rack.told.stored[-1],
        entry=replace(rack.told.stored[-1].entry, at=START + timedelta(days=2)),
    )
    papers = await told(rack, tmp_path, day)
    assert [line.later_job for line in papers.handsets] == [later]
    seen_again(papers)


@pytest.mark.parametrize("forgets", [False, True])
async def test_a_later_job_of_the_same_looks_counts_where_no_imei_tells_them_apart(
    rack: LotRack, tmp_path: Path, *, forgets: bool
) -> None:
    rack.lot("L-1", "T-1")
    rack.sell(1, "T-1")
    later = job_id(2)
    rack.told.open(later)
    rack.told.inspect(later, imei=None, serial="HQ000001")
    rack.told.end(later, "failed", "destroy", "storage_fault")
    if forgets:
        rack.bend = forgetful
    papers = await told(rack, tmp_path)
    assert [line.later_job for line in papers.handsets] == [later]
    seen_again(papers)


@pytest.mark.parametrize(
    "line",
    [AssetLine(tag="T-2", imei=imei(1)), AssetLine(tag="T-2", serial="HQ000001")],
    ids=["imei", "serial"],
)
async def test_what_came_in_again_under_another_label_is_sellable_no_more(
    rack: LotRack, tmp_path: Path, line: AssetLine
) -> None:
    rack.lot("L-1", "T-1")
    rack.sell(1, "T-1")
    comes_in_again(rack, line)
    for asked in (LOT, of_day()):
        papers = await told(rack, tmp_path / asked.of, asked)
        assert [each.again_as for each in papers.handsets] == ["T-2"]
        seen_again(papers)
    # Its consignor has one handset, that isn't in the rack yet.
    papers = await told(rack, tmp_path / "consignor", CONSIGNOR)
    assert [(each.tag, each.handset) for each in papers.handsets] == [("T-1", 1), ("T-2", 1)]
    assert papers.counts == Counts(handsets=1, not_run=1)


async def test_so_is_one_that_never_had_a_label_and_one_that_is_dead_now(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.sell(1)
    comes_in_again(rack, AssetLine(tag="T-2", imei=imei(1)))
    rack.told.dead("T-2", "L-2", at=START + timedelta(days=2))
    seen_again(await told(rack, tmp_path / "day", of_day()))


async def test_papers_that_came_in_before_the_handset_ran_are_no_second_coming(
    rack: LotRack, tmp_path: Path
) -> None:
    """A label on another asset of the same papers, or none at all, isn't held against it."""
    comes_in_again(rack, AssetLine(tag="T-2", imei=imei(1)))
    rack.lot("L-1", "T-1")
    rack.sell(1, "T-1")
    papers = await told(rack, tmp_path)
    assert (papers.counts.certified, papers.handsets[0].again_as) == (1, None)


@pytest.mark.parametrize("asked", [LOT, of_day()])
async def test_what_was_entered_by_hand_before_it_ran_is_not_later(
    rack: LotRack, tmp_path: Path, asked: AskedPapers
) -> None:
    rack.lot("L-1", "T-1")
    rack.told.dead("T-1", at=START - timedelta(days=2))
    rack.sell(1, "T-1")
    papers = await told(rack, tmp_path, asked)
    assert papers.handsets[-1].later_job is None
    assert (papers.counts.handsets, papers.counts.certified) == (1, 1)


@pytest.mark.parametrize("forgets", [False, True])
async def test_what_was_entered_by_hand_after_it_was_sold_is_later(
    rack: LotRack, tmp_path: Path, *, forgets: bool
) -> None:
    rack.lot("L-1", "T-1")
    rack.sell(1, "T-1")
    rack.told.dead("T-1", at=START + timedelta(days=2))
    if forgets:
        rack.bend = forgetful
    papers = await told(rack, tmp_path, of_day())
    assert [line.later_job for line in papers.handsets] == ["case-T-1"]
    seen_again(papers)


async def test_two_imeis_under_one_label_are_two_and_the_first_is_sold_no_more(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1")
    rack.sell(1, "T-1")
    rack.fail(2, "T-1")
    papers = await told(rack, tmp_path)
    assert [line.later_job for line in papers.handsets] == [job_id(2), None]
    counts = papers.counts
    assert (counts.handsets, counts.not_certified, counts.seen_again) == (2, 1, 1)
