"""A rack at work whose ledger is slow to read, as a process of its own.

`DIR`: the API over a real ledger, and some slots that put records on it and read them back as jobs
do. Prints its port; for each line that it reads, prints how many jobs have gone through since the
last one, or the fault that a slot has met.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import anyio

from benchd.certificate import create_key
from benchd.domain.errors import LedgerFault
from benchd.domain.ids import JobId, SlotName
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import SqliteLedger, open_ledger
from benchd.ledger.ledger_access import VisitedLedger
from benchd.ledger.read_turns import ReadTurns
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel
from benchd.web.server import serve
from benchd.web.sockets import tcp_listener, unix_listener
from tests.web.connection_limit_side import say
from tests.web.fake_sessions import believing
from tests.web.served import app_of
from tests.web.web_fakes import BEGAN, JOB, FakeRack, sold_view

SLOTS = 8
RECORDS = 60
"""Of the job that visitors ask for."""
READ_S = 0.1
"""What each of its reads takes."""
DEADLINE_S = 4.0


class SlowReads:
    """Makes each step of a read take its time."""

    def __call__(self) -> bool:
        time.sleep(READ_S / 20)
        return False


@dataclass
class RackAtWork(FakeRack):
    """A rack whose ledger is a real one."""

    ledger: VisitedLedger = field(kw_only=True)  # type: ignore[assignment]


@dataclass
class Slots:
    """What slots do all day: a record, and what is on record of the job."""

    ledger: SqliteLedger
    done: int = 0
    fault: str = ""

    async def run(self, number: int) -> None:
        try:
            for turn in range(sys.maxsize):
                job = JobId(f"job-{number}-{turn}")
                await self.ledger.append(entry_of(job, EntryKind.JOB_OPENED))
                await self.ledger.append(entry_of(job, EntryKind.STAGE_ENDED))
                if len(await self.ledger.entries(job)) != 2:
                    self.fault = "a record is missing"
                await self.ledger.append(entry_of(job, EntryKind.JOB_ENDED))
                self.done += 1
        except LedgerFault as fault:
            self.fault = str(fault)


def entry_of(job: JobId, kind: EntryKind) -> Entry:
    return Entry(
        kind=kind, at=BEGAN, slot=SlotName("A1"), occupancy=7, job=job, data={"stage": "x"}
    )


class Cards:
    """A fake of as much of `LabelService` as `/cards.pdf` takes."""

    printers = ()

    async def cards(self, slots: Sequence[SlotName], at: object) -> bytes:
        await anyio.sleep(READ_S)
        return b"%PDF" + b"x" * 200_000


async def metrics(accept: str) -> tuple[bytes, str]:
    return b"benchd_up 1\n" * 2000, "text/plain"


async def work(directory: Path) -> None:
    key = create_key(directory / "key.pem")
    async with open_ledger(directory / "ledger.db", head_key=key, deadline_s=DEADLINE_S) as ledger:
        for number in range(RECORDS):
            kind = EntryKind.JOB_OPENED if number == 0 else EntryKind.CLOCK_STEPPED
            await ledger.append(replace(entry_of(JOB, kind), data={"recipe": "overwrite"}))
        slow = SlowReads()
        for turns in vars(ledger).values():
            if isinstance(turns, ReadTurns):
                turns._reader._connection.set_progress_handler(slow, 40)
        rack = RackAtWork(ledger=ledger.for_visitors(ledger.append))
        rack.board.show(sold_view())
        app = app_of(
            rack,
            Catalogue.load(),
            callers=believing(AccessLevel.WALL),
            scrape=metrics,
            labels=Cards(),  # type: ignore[arg-type]
        )
        slots = Slots(ledger)
        with unix_listener(directory / "benchd.sock") as unix, tcp_listener("127.0.0.1", 0) as tcp:
            stop = anyio.Event()
            async with anyio.create_task_group() as group:
                await group.start(partial(serve, app, sockets=[unix, tcp], stop=stop))
                for number in range(SLOTS):
                    group.start_soon(slots.run, number)
                say(tcp.getsockname()[1])
                while await anyio.to_thread.run_sync(sys.stdin.readline):
                    say(f"fault: {slots.fault}" if slots.fault else slots.done)
                    slots.done = 0
                stop.set()
                group.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(work, Path(sys.argv[1]))
