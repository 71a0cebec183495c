"""A real ledger, a collector that can't be trusted, and a clock that only the test moves."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from anyio import CapacityLimiter

from benchd.certificate import create_key
from benchd.domain.ids import JobId
from benchd.ledger import open_ledger
from benchd.ledger.follower import LedgerFeed
from benchd.ledger.ledger_access import SqliteLedger
from benchd.ledger.reader import LedgerReader
from benchd.outbound.http_post import Failure
from benchd.outbound.traces.export_position import PlaceFile
from benchd.outbound.traces.trace_delivery import Taken
from benchd.outbound.traces.trace_export import ExportParts, TraceExport
from tests.outbound.hooks.hook_rig import FakeIssuer
from tests.outbound.traces.job_told import SOURCE, JobTold
from tests.outbound.traces.otlp_reader import spans_of


@dataclass
class Collector:
    """Answers what it is told to; what it has taken, it has read."""

    answers: list[Taken | Failure] = field(default_factory=list)
    """One after the other; it takes all once there is none left."""
    traces: list[bytes] = field(default_factory=list)
    """The id of each trace that has come, refused ones too."""
    bodies: list[bytes] = field(default_factory=list)

    async def send(self, body: bytes) -> Taken | Failure:
        [trace] = {span.trace_id for span in spans_of(body)}
        self.traces.append(trace)
        self.bodies.append(body)
        return self.answers.pop(0) if self.answers else Taken()


@dataclass
class Sink:
    """Counts what it hears."""

    taken: int = 0
    failures: int = 0
    given_up: int = 0
    since: float = -1.0

    def exported(self) -> None:
        self.taken += 1

    def failed(self) -> None:
        self.failures += 1

    def gave_up(self) -> None:
        self.given_up += 1

    def waits_since(self, ended: float) -> None:
        self.since = ended


@dataclass
class Rig:
    """Everything around one export."""

    ledger: SqliteLedger
    reader: LedgerReader
    path: Path
    collector: Collector = field(default_factory=Collector)
    sink: Sink = field(default_factory=Sink)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Make all but the ledger anew, as a start of the daemon does."""
        parts = ExportParts(
            feed=LedgerFeed(self.reader, CapacityLimiter(1)),
            keeper=PlaceFile(self.path),
            issuer=FakeIssuer(),  # type: ignore[arg-type]
            source=SOURCE,
            monotonic=lambda: self.at,
            chance=lambda: 1.0,
            sink=self.sink,
        )
        self.export = TraceExport(self.collector, parts)

    async def end_job(self, number: int) -> bytes:
        """One more job has ended: the id of its trace."""
        told = JobTold(job=JobId(f"20261124-{number:010x}"))
        told.opened()
        told.started("inspect", 1)
        told.ended(2)
        for record in told.records:
            await self.ledger.append(record.entry)
        return bytes.fromhex(told.trace().trace_id)

    async def until_quiet(self) -> None:
        """Until there is nothing left to send, however long that takes on the clock."""
        while True:
            rest_s = await self.export.step()
            if rest_s and self.sink.since == 0:
                return
            self.at += rest_s


@asynccontextmanager
async def rig(folder: Path) -> AsyncGenerator[Rig]:
    """A real ledger with nothing in it, and an export that has begun with it."""
    path = folder / "ledger.sqlite"
    async with open_ledger(path, head_key=create_key(folder / "key.pem")) as ledger:
        reader = LedgerReader(path)
        try:
            made = Rig(ledger=ledger, reader=reader, path=path)
            await made.until_quiet()
            yield made
        finally:
            reader.close()
