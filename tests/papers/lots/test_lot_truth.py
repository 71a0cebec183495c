"""Papers never say more than the ledger: of a later job, a doubted record, a list with gaps."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from benchd.domain.errors import LedgerFault, NotFound, RecordsUnavailable, UsageRefused
from benchd.domain.handset_file import Upto
from benchd.domain.ids import JobId
from benchd.domain.lot_papers import AskedPapers, Listed, PapersOf
from benchd.ledger.records import records_queries
from benchd.ledger.records.records_access import Records
from benchd.papers.lots import job_selection
from benchd.papers.lots.job_selection import Chooser
from benchd.papers.lots.lot_papers_check import check_papers
from benchd.papers.lots.lot_statement import LotPapers
from benchd.proof.intake_book import IntakeBook
from tests.ledger.records.records_rack import START
from tests.papers.lots.lot_rack import LOT, LotRack, job_id
from tests.papers.papers_made import CATALOGUE

pytestmark = pytest.mark.asyncio


async def told(rack: LotRack, folder: Path, asked: AskedPapers = LOT) -> LotPapers:
    return await stated(rack, await rack.zipped(folder, asked))


async def stated(rack: LotRack, file: Path) -> LotPapers:
    checked = await anyio.to_thread.run_sync(check_papers, file, rack.key.ring, CATALOGUE)
    return checked.papers


def another_tag(listed: Listed) -> Listed:
    jobs = [replace(each, line=replace(each.line, tag="T-2")) for each in listed.jobs]
    return replace(listed, jobs=tuple(jobs))


def of_day(begin: datetime = START, days: int = 1) -> AskedPapers:
    return AskedPapers(
        of=PapersOf.DAY, name="2026-11-03", begin=begin, end=begin + timedelta(days=days)
    )


async def test_a_handset_counts_once_by_its_last_job(rack: LotRack, tmp_path: Path) -> None:
    rack.lot("L-1", "T-1", "T-2")
    rack.fail(1, "T-1")
    rack.sell(2, "T-1", of=1)
    rack.sell(3, "T-2")
    rack.fail(4, "T-2", of=3, reason="rechecked")
    papers = await told(rack, tmp_path)
    assert [line.handset for line in papers.handsets] == [1, 1, 2, 2]
    assert [line.certificate is not None for line in papers.handsets] == [False, True, True, False]
    counts = papers.counts
    assert (counts.handsets, counts.certified, counts.not_certified) == (2, 1, 1)
    assert counts.by_reason == {"rechecked": 1}


async def test_no_table_calls_a_handset_sellable_that_was_in_a_later_job(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1", "T-2", "T-3")
    rack.sell(1, "T-1")
    rack.fail(2, "T-1", of=1)
    rack.sell(3, "T-2")
    rack.fail(4, of=3)
    rack.sell(5, "T-3")
    with zipfile.ZipFile(await rack.zipped(tmp_path)) as found:
        table = found.read("handsets.csv").decode("utf-8-sig")
        lines = [json.loads(line) for line in found.read("handsets.jsonl").splitlines()]
    assert [line["counts"] for line in lines] == [False, True, False, True]
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [("販売可" in "".join(row.values()), row["counts"]) for row in rows] == [
        *((False, "no"), (False, "yes"), (False, "no"), (True, "yes")),
    ]
    assert rows[0]["証明書"] == "前の作業（後の作業が優先）"
    assert rows[0]["証明書ファイル"]


async def test_a_later_job_elsewhere_takes_the_word_sellable_from_the_summary(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1", "T-2")
    rack.sell(1, "T-1")
    rack.sell(2, "T-2")
    later = rack.fail(3, of=1, reason="felica_residue", disposition="destroy")
    papers = await told(rack, tmp_path)
    [first, second] = papers.handsets
    assert (first.standing, first.later_job) == ("certified", later)
    assert second.later_job is None
    counts = papers.counts
    assert (counts.handsets, counts.certified, counts.seen_again) == (2, 1, 1)


async def test_a_later_job_counts_though_the_read_model_has_forgotten_it(
    rack: LotRack, tmp_path: Path
) -> None:
    """The ledger is asked for each certified handset, by the numbers that it told."""
    rack.lot("L-1", "T-1")
    rack.sell(1, "T-1")
    later = rack.fail(2, of=1, reason="felica_residue", disposition="destroy")
    rack.bend = lambda listed: replace(
        listed, jobs=tuple(replace(each, newest_job=each.line.job) for each in listed.jobs)
    )
    papers = await told(rack, tmp_path)
    assert [line.later_job for line in papers.handsets] == [later]
    assert (papers.counts.certified, papers.counts.seen_again) == (0, 1)


async def test_one_handset_that_the_read_model_takes_for_two_is_refused(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1")
    rack.sell(1, "T-1")
    rack.fail(2, "T-1", of=1, reason="felica_residue", disposition="destroy")
    rack.bend = lambda listed: replace(
        listed,
        jobs=tuple(
            replace(each, newest_job=each.line.job, line=replace(each.line, handset=number))
            for number, each in enumerate(listed.jobs)
        ),
    )
    with pytest.raises(RecordsUnavailable, match="for two"):
        await rack.zipped(tmp_path)


async def test_sellable_without_the_racks_word_is_a_broken_record(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1", "T-2")
    rack.sell(1, "T-1")
    rack.begin(2, "T-2")
    rack.told.end(job_id(2), "passed", "sellable", None, None)
    rack.rack.issuer.doubts = {JobId(job_id(1)), JobId(job_id(2))}
    papers = await told(rack, tmp_path)
    assert [(line.standing, line.reason) for line in papers.handsets] == [
        ("not_certified", "record_broken")
    ] * 2
    assert papers.counts.certified == 0
    assert [file.name for file in papers.files] == ["handsets.csv", "handsets.jsonl"]


async def test_of_a_day_are_the_jobs_that_ended_on_it(rack: LotRack, tmp_path: Path) -> None:
    rack.told.open(job_id(1), START - timedelta(days=1))
    rack.told.sell(job_id(1), rack.certificate(job_id(1)).decode())
    rack.fail(2)
    rack.begin(3)
    papers = await told(rack, tmp_path / "day", of_day())
    assert [line.job for line in papers.handsets] == [job_id(1), job_id(2)]
    assert (papers.of.by, papers.of.begin) == ("day", START)
    begins = START - timedelta(days=1)
    with pytest.raises(NotFound):
        await rack.zipped(tmp_path / "before", of_day(begins))


async def test_of_a_consignor_are_all_lots_and_of_no_other(rack: LotRack, tmp_path: Path) -> None:
    rack.lot("L-1", "T-1")
    rack.lot("L-2", "T-2", "T-9")
    rack.lot("L-3", "T-3", consignor="別の会社")
    for number in (1, 2, 3):
        rack.sell(number, f"T-{number}", f"L-{number}")
    asked = AskedPapers(of=PapersOf.CONSIGNOR, name="例示商事")
    papers = await told(rack, tmp_path, asked)
    assert [line.tag for line in papers.handsets] == ["T-1", "T-2", "T-9"]


@pytest.mark.parametrize("of", [PapersOf.LOT, PapersOf.CONSIGNOR])
async def test_what_is_not_there_has_no_papers(rack: LotRack, tmp_path: Path, of: PapersOf) -> None:
    rack.lot("L-1", "T-1")
    for name in ("L-9", "", "' OR 1=1 --"):
        with pytest.raises(NotFound):
            await rack.zipped(tmp_path / "no", AskedPapers(of=of, name=name))


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
    papers = await stated(rack, file)
    assert papers.ledger.sequence == head
    assert [line.standing for line in papers.handsets] == ["running", "not_run"]


async def test_a_list_that_lacks_a_job_is_refused_and_not_signed(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1", "T-2")
    rack.sell(1, "T-1")
    rack.fail(2, "T-2")
    rack.bend = lambda listed: replace(listed, jobs=listed.jobs[:1])
    with pytest.raises(RecordsUnavailable, match="lacks job"):
        await rack.zipped(tmp_path)


async def test_a_list_that_takes_a_job_for_another_tag_ends_without_a_zip(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1", "T-2")
    rack.sell(1, "T-1")
    rack.bend = another_tag
    with pytest.raises(RecordsUnavailable, match="for another"):
        await rack.zipped(tmp_path)


async def test_more_than_a_list_holds_is_refused_before_anything_is_made(
    rack: LotRack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rack.lot("L-1", "T-1", "T-2")
    rack.sell(1, "T-1")
    rack.sell(2, "T-2")
    with monkeypatch.context() as patch:
        patch.setattr(job_selection, "MOST_ASSETS", 1)
        with pytest.raises(UsageRefused, match="assets"):
            await rack.zipped(tmp_path / "assets")
    monkeypatch.setattr(records_queries, "MOST_LISTED", 1)
    with pytest.raises(UsageRefused, match="jobs"):
        await rack.zipped(tmp_path / "jobs")


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
    rack.lot("L-1", "T-1", "T-2")
    rack.sell(1, "T-1")
    rack.sell(2, "T-2")
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


async def test_an_asset_entered_by_hand_and_met_after_all_is_one_handset(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1")
    rack.told.dead("T-1", at=datetime(2026, 11, 3, 0, 30, tzinfo=UTC))
    rack.sell(1, "T-1")
    papers = await told(rack, tmp_path)
    assert [line.handset for line in papers.handsets] == [1, 1]
    assert (papers.counts.handsets, papers.counts.certified) == (1, 1)
