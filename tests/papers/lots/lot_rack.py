"""A rack with lots, jobs and certificates, and the door to their papers."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from benchd.certificate import SigningKey, verify_certificate
from benchd.domain.errors import BenchdError
from benchd.domain.evidence_json import to_json
from benchd.domain.hook import Direction, NextAction
from benchd.domain.ids import JobId
from benchd.domain.lot_papers import AskedPapers, Listed, PapersOf
from benchd.domain.record import EntryKind
from benchd.intake.intake_store import IntakeStore
from benchd.ledger.records.records_access import Records
from benchd.papers.lots.lot_desk import LotPress
from benchd.papers.lots.lot_papers_check import check_papers
from benchd.papers.lots.lot_statement import LotPapers
from benchd.papers.press import Press
from benchd.proof.evidence.intake_evidence import AssetLine, AssetsRecord
from benchd.proof.grade_book import GradeBook
from tests.intake.lots import BY, imei
from tests.ledger.records.records_rack import START, Told
from tests.papers.papers_made import CATALOGUE, signed
from tests.web.web_fakes import FakeClock, FakeRack, Feed

LOT = AskedPapers(of=PapersOf.LOT, name="L-1")
CONSIGNOR = AskedPapers(of=PapersOf.CONSIGNOR, name="例示商事")


def of_day(begin: datetime = START) -> AskedPapers:
    return AskedPapers(
        of=PapersOf.DAY, name="2026-11-03", begin=begin, end=begin + timedelta(days=1)
    )


def job_id(number: int) -> str:
    return f"20261103-{number:010x}"


def held_back(job: str, by: str = "stock") -> Direction:
    """Another system's hold."""
    return Direction(
        hook=by, sequence=1, job=JobId(job), action=NextAction.HOLD, bin=None, refused=None
    )


@dataclass
class Bent(Records):
    """The read model with its answers changed: nobody has signed what it says."""

    records: Records
    bend: Callable[[Listed], Listed]

    async def reached(self, sequence: int) -> None:
        await self.records.reached(sequence)

    async def jobs_of(self, asked: AskedPapers, lots: Collection[str]) -> Listed:
        return self.bend(await self.records.jobs_of(asked, lots))


class LotRack:
    """Records as a ledger has them; each handset has an IMEI of its own."""

    def __init__(self, key: SigningKey, statement: Any, folder: Path) -> None:  # noqa: ANN401 - JSON
        self.key = key
        self._folders = (folder / f"{number}" for number in count(1))
        self.rack = FakeRack()
        self.told = Told(self.rack.ledger.stored)
        self.bend: Callable[[Listed], Listed] = lambda listed: listed
        self._statement = statement

    def lot(self, lot: str, *tags: str, consignor: str = "例示商事") -> None:
        self.told.lot(lot, consignor)
        if tags:
            self.assets(lot, *(AssetLine(tag=tag) for tag in tags))

    def assets(self, lot: str, *assets: AssetLine, again: bool = False) -> None:
        batch = f"batch-{lot}"
        record = AssetsRecord(
            lot=lot, batch=batch, part=1, parts=1, again=again, assets=assets, by=BY
        )
        self.told.tell(EntryKind.ASSETS_ADDED, None, to_json(record))

    def sold_lot(self, *tags: str) -> None:
        """A lot whose handsets are all sold: the first by job 1, and so on."""
        self.lot("L-1", *tags)
        for number, tag in enumerate(tags, start=1):
            self.sell(number, tag)

    def begin(self, number: int, tag: str | None = None, lot: str = "L-1", of: int = 0) -> str:
        """A job that runs; `of` is the handset in it, if that isn't a new one."""
        job = job_id(number)
        self.told.open(job)
        self.told.inspect(job, imei=imei(of or number), serial=f"HQ{of or number:06d}")
        if tag is not None:
            self.told.bind(job, tag, lot)
        return job

    def sell(self, number: int, tag: str | None = None, lot: str = "L-1", of: int = 0) -> str:
        job = self.begin(number, tag, lot, of)
        self.told.sell(job, self.certificate(job).decode())
        return job

    def fail(
        self,
        number: int,
        tag: str | None = None,
        lot: str = "L-1",
        of: int = 0,
        reason: str = "coverage_too_low",
        disposition: str = "hold",
    ) -> str:
        job = self.begin(number, tag, lot, of)
        self.told.end(job, "failed", disposition, reason)
        return job

    def certificate(self, job: str) -> bytes:
        told = json.loads(json.dumps(self._statement))
        told["predicate"]["job"] = job
        return signed(told, self.key).envelope

    def hold(self, job: str, by: str = "stock") -> None:
        self.rack.held.take(held_back(job, by))

    @property
    def grades(self) -> GradeBook:
        """What people have given, by the same records."""
        book = GradeBook()
        for record in self.told.stored:
            book.take(record)
        return book

    @asynccontextmanager
    async def press(self, folder: Path) -> AsyncGenerator[LotPress]:
        """Over a read model that follows."""
        records = Records(folder / "records.sqlite", Feed(self.rack))
        intake = IntakeStore(self.rack.ledger, FakeClock())
        await intake.recall()
        single = Press(
            self.key,
            partial(verify_certificate, trusted=self.key.public_key_pem),
            CATALOGUE,
            site="大宮",
        )
        async with anyio.create_task_group() as group:
            group.start_soon(records.run)
            yield LotPress(
                self.key,
                single,
                CATALOGUE,
                ledger=self.rack.ledger,
                issuer=self.rack.issuer,
                lists=Bent(records, self.bend),
                book=lambda: intake.book,
                grades=self.grades,
                holder=self.rack.held.holder,
                head=lambda: len(self.rack.ledger.stored),
                clock=FakeClock(),
                site="大宮",
                program=("0.1.0", "4f" * 20),
            )
            group.cancel_scope.cancel()

    async def zipped(self, asked: AskedPapers = LOT) -> Path:
        """The papers as a file."""
        folder = next(self._folders)
        folder.mkdir()
        file = folder / "papers.zip"
        refused: BenchdError | None = None
        async with self.press(folder) as press:
            try:
                with file.open("wb") as out:
                    async for piece in await press.export(asked):
                        out.write(piece)
            except BenchdError as error:
                refused = error
        # Raised out here, where no task group wraps it.
        if refused is not None:
            raise refused
        return file

    async def papers(self, asked: AskedPapers = LOT) -> LotPapers:
        """What the papers state."""
        return await self.stated(await self.zipped(asked))

    async def stated(self, file: Path) -> LotPapers:
        checked = await anyio.to_thread.run_sync(check_papers, file, self.key.ring, CATALOGUE)
        return checked.papers


def tables(papers: Path) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """The rows of the CSV, and the lines of the JSON."""
    with zipfile.ZipFile(papers) as found:
        table = found.read("handsets.csv").decode("utf-8-sig")
        lines = [json.loads(line) for line in found.read("handsets.jsonl").splitlines()]
    return list(csv.DictReader(io.StringIO(table, newline=""))), lines
