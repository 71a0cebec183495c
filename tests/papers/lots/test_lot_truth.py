"""Papers never say more than the ledger: of a later job, a doubted record, a list with gaps."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from benchd.domain.errors import LedgerFault, NotFound, RecordsUnavailable, UsageRefused
from benchd.domain.handset_file import Upto
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition
from benchd.domain.lot_papers import AskedPapers, Listed, PapersOf
from benchd.ledger.records import records_queries
from benchd.ledger.records.records_access import Records
from benchd.papers.lots import job_selection
from benchd.papers.lots.job_selection import Chooser
from benchd.papers.lots.lot_statement import Counts, faults_of
from benchd.proof.intake_book import IntakeBook
from tests.ledger.records.records_rack import START
from tests.papers.lots.lot_rack import CONSIGNOR, LOT, LotRack, job_id, of_day, tables

pytestmark = pytest.mark.asyncio


async def test_a_handset_counts_once_by_its_last_job_and_no_table_calls_an_earlier_one_sellable(
    rack: LotRack,
) -> None:
    rack.lot("L-1", "T-1", "T-2", "T-3", "T-4")
    rack.sell(1, "T-1")
    rack.fail(2, "T-1", of=1, reason="rechecked")
    rack.sell(3, "T-2")
    elsewhere = rack.fail(4, of=3, reason="felica_residue", disposition="destroy")
    rack.fail(5, "T-3")
    rack.sell(6, "T-3", of=5)
    rack.sell(7, "T-4")
    file = await rack.zipped()
    papers = await rack.stated(file)
    assert [line.handset for line in papers.handsets] == [1, 1, 2, 3, 3, 4]
    assert [line.certificate is not None for line in papers.handsets] == [
        *(True, False, True, False, True, True),
    ]
    assert [line.later_job for line in papers.handsets if line.later_job] == [elsewhere]
    assert (papers.handsets[2].standing, papers.handsets[2].later_job) == ("certified", elsewhere)
    counts = papers.counts
    assert (counts.handsets, counts.certified, counts.not_certified) == (4, 2, 1)
    assert (counts.seen_again, counts.by_reason) == (1, {"rechecked": 1})
    rows, lines = tables(file)
    assert [line["counts"] for line in lines] == [False, True, False, False, True, True]
    assert [("販売可" in "".join(row.values()), row["counts"]) for row in rows] == [
        *((False, "no"), (False, "yes"), (False, "no")),
        *((False, "no"), (True, "yes"), (True, "yes")),
    ]
    assert rows[0]["証明書"] == "前の作業（後の作業が優先）"
    assert rows[0]["証明書ファイル"]


def for_two(listed: Listed) -> Listed:
    """One handset is taken for two."""
    jobs = [
        replace(each, newest_job=each.line.job, line=replace(each.line, handset=number))
        for number, each in enumerate(listed.jobs)
    ]
    return replace(listed, jobs=tuple(jobs))


def another_tag(listed: Listed) -> Listed:
    jobs = [replace(each, line=replace(each.line, tag="T-2")) for each in listed.jobs[:1]]
    return replace(listed, jobs=tuple(jobs))


@pytest.mark.parametrize(
    ("bend", "of", "why"),
    [
        (for_two, 1, "for two"),
        (lambda listed: replace(listed, jobs=listed.jobs[:1]), 2, "lacks job"),
        (another_tag, 0, "for another"),
    ],
    ids=["one handset for two", "a job lacks", "a job for another tag"],
)
async def test_a_list_that_the_ledger_contradicts_is_refused_and_not_signed(
    rack: LotRack, bend: Callable[[Listed], Listed], of: int, why: str
) -> None:
    """The second job, if there is one, is of that handset."""
    rack.lot("L-1", "T-1", "T-2")
    rack.sell(1, "T-1")
    if of:
        tag = f"T-{of}"
        rack.fail(2, tag, of=of, reason="felica_residue", disposition="destroy")
    rack.bend = bend
    with pytest.raises(RecordsUnavailable, match=why):
        await rack.zipped()


async def test_sellable_without_the_racks_word_is_a_broken_record(rack: LotRack) -> None:
    rack.lot("L-1", "T-1", "T-2")
    rack.sell(1, "T-1")
    rack.begin(2, "T-2")
    rack.told.end(job_id(2), "passed", "sellable", None, None)
    rack.rack.issuer.doubts = {JobId(job_id(1)), JobId(job_id(2))}
    papers = await rack.papers()
    assert [(line.standing, line.reason) for line in papers.handsets] == [
        ("not_certified", "record_broken")
    ] * 2
    assert papers.counts.certified == 0
    assert [file.name for file in papers.files] == ["handsets.csv", "handsets.jsonl"]


async def test_of_a_day_are_the_jobs_that_ended_on_it(rack: LotRack) -> None:
    begins = START - timedelta(days=1)
    rack.told.open(job_id(1), begins)
    rack.told.sell(job_id(1), rack.certificate(job_id(1)).decode())
    rack.fail(2)
    rack.begin(3)
    papers = await rack.papers(of_day())
    assert [line.job for line in papers.handsets] == [job_id(1), job_id(2)]
    assert (papers.of.by, papers.of.begin) == ("day", START)
    with pytest.raises(NotFound):
        await rack.zipped(of_day(begins))


async def test_of_a_consignor_are_all_lots_and_of_no_other(rack: LotRack) -> None:
    rack.lot("L-1", "T-1")
    rack.lot("L-2", "T-2", "T-9")
    rack.lot("L-3", "T-3", consignor="別の会社")
    for number in (1, 2, 3):
        rack.sell(number, f"T-{number}", f"L-{number}")
    papers = await rack.papers(CONSIGNOR)
    assert [line.tag for line in papers.handsets] == ["T-1", "T-2", "T-9"]


@pytest.mark.parametrize("of", [PapersOf.LOT, PapersOf.CONSIGNOR])
async def test_what_is_not_there_has_no_papers(rack: LotRack, of: PapersOf) -> None:
    rack.lot("L-1", "T-1")
    for name in ("L-9", "", "' OR 1=1 --"):
        with pytest.raises(NotFound):
            await rack.zipped(AskedPapers(of=of, name=name))


async def test_what_is_recorded_while_papers_are_made_is_not_in_them(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1", "T-2")
    rack.begin(1, "T-1")
    head = len(rack.rack.ledger.stored)
    async with rack.press(tmp_path) as press:
        made = await press.export(LOT)
        rack.told.sell(job_id(1), rack.certificate(job_id(1)).decode())
        file = tmp_path / "papers.zip"
        file.write_bytes(b"".join([piece async for piece in made]))
    papers = await rack.stated(file)
    assert papers.ledger.sequence == head
    assert [line.standing for line in papers.handsets] == ["running", "not_run"]


async def test_more_than_a_list_holds_is_refused_before_anything_is_made(
    rack: LotRack, monkeypatch: pytest.MonkeyPatch
) -> None:
    rack.sold_lot("T-1", "T-2")
    with monkeypatch.context() as patch:
        patch.setattr(job_selection, "MOST_ASSETS", 1)
        with pytest.raises(UsageRefused, match="assets"):
            await rack.zipped()
    monkeypatch.setattr(records_queries, "MOST_LISTED", 1)
    with pytest.raises(UsageRefused, match="jobs"):
        await rack.zipped()


class Behind(Records):
    """A read model that never reaches the ledger, or says that it has and hasn't."""

    def __init__(self, *, lies: bool) -> None:  # pyright: ignore[reportMissingSuperCall]
        self._lies = lies

    async def reached(self, sequence: int) -> None:
        if not self._lies:
            await anyio.sleep_forever()

    async def jobs_of(self, asked: AskedPapers, lots: Collection[str]) -> Listed:
        return Listed(jobs=(), upto=Upto(sequence=1, hash="0" * 64))


@pytest.mark.parametrize("lies", [False, True])
async def test_a_read_model_that_stays_behind_is_not_believed(
    rack: LotRack, monkeypatch: pytest.MonkeyPatch, lies: bool
) -> None:
    monkeypatch.setattr(job_selection, "WAIT_S", 0.0)
    rack.lot("L-1", "T-1")
    book = IntakeBook.of(rack.told.stored)
    chooser = Chooser(Behind(lies=lies), lambda: book, lambda: len(rack.told.stored))
    with pytest.raises(RecordsUnavailable, match="try again in a while"):
        await chooser.choose(LOT)


async def test_a_ledger_that_fails_in_the_middle_leaves_no_zip(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.sold_lot("T-1", "T-2")
    got = b""
    async with rack.press(tmp_path) as press:
        made = await press.export(LOT)
        got += await anext(made)
        rack.rack.ledger.broken = True
        with pytest.raises(LedgerFault):
            await anext(made)
        assert b"PK\x05\x06" not in got
        # The next one has its turn again.
        rack.rack.ledger.broken = False
        async for _ in await press.export(LOT):
            pass


async def test_what_another_system_holds_back_counts_apart_and_no_paper_calls_it_sellable(
    rack: LotRack,
) -> None:
    rack.sold_lot("T-1", "T-2")
    rack.hold(job_id(1))
    for asked in (LOT, of_day(), CONSIGNOR):
        file = await rack.zipped(asked)
        papers = await rack.stated(file)
        held, sold = papers.handsets
        assert (held.standing, held.disposition, held.held_by) == ("certified", "hold", "stock")
        assert (sold.disposition, sold.held_by) == ("sellable", None)
        assert papers.counts == Counts(handsets=2, certified=1, held=1)
        rows, lines = tables(file)
        assert [(line["disposition"], line["held_by"]) for line in lines] == [
            *(("hold", "stock"), ("sellable", None)),
        ]
        assert "販売可" not in "".join(rows[0].values())
        assert rows[0]["証明書"] == "証明書あり（外部システムが保留）"
        assert rows[0]["held_by"] == "stock"


async def test_a_hold_never_makes_more_of_what_has_no_certificate_or_came_again(
    rack: LotRack,
) -> None:
    rack.lot("L-1", "T-1", "T-2")
    rack.hold(rack.sell(1, "T-1"))
    rack.hold(rack.fail(2, "T-2"))
    papers = await rack.papers()
    # Nor may a list call it sellable, or contradict itself.
    held, failed = papers.handsets
    for lines in (
        (replace(held, disposition=Disposition.SELLABLE), failed),
        (held, replace(failed, held_by="stock")),
        (replace(held, held_by=None), failed),
    ):
        faults = faults_of(replace(papers, handsets=lines))
        assert any("calls sellable" in fault for fault in faults)
    rack.fail(3, of=1)
    counts = (await rack.papers()).counts
    assert (counts.held, counts.seen_again, counts.not_certified) == (0, 1, 1)
