"""A rack with a past: its ledger, signed certificates, and slots and API on top of both."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import anyio
import httpx2
from prometheus_client import CollectorRegistry

from benchd.config import Settings
from benchd.daemon.integrity import Integrity
from benchd.daemon.ledger_witnesses import certificates_that_know
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Disposition, JobEnd, Outcome, Reason
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import ProblemCode, SlotView
from benchd.domain.slot_states import SlotState
from benchd.domain.topology import Timing
from benchd.ledger import SqliteLedger, open_ledger
from benchd.ledger.patrol import Patrol
from benchd.ledger.witness import Witness
from benchd.observe.ledger_metrics import LedgerMetrics
from benchd.pipelines.recovery import close_open_jobs, keep_certificates
from benchd.proof.erasure import verify_erasure
from benchd.slots.admission import Admission
from benchd.slots.question_desk import Desk
from benchd.slots.slot_records import end_record
from benchd.texts.catalogue import Catalogue
from tests.certificate.certificate_rack import JOB as SOLD
from tests.certificate.certificate_rack import records_of_an_erasure
from tests.core.world import Phone, World
from tests.daemon.rotated_rack import issuer_of, key_of
from tests.people.somebody import Everybody
from tests.web.served import app_of
from tests.web.web_running import running

DESTROYED = JobId("20261124-A2-0003")
AT = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
BEYOND_A_START = 130
"""Records that follow what is rewritten: a start looks at the last 100."""
SOLD_AT, DESTROYED_AT = SlotName("A1"), SlotName("A2")


def entry(kind: EntryKind, slot: str | None = None, **data: str | None) -> Entry:
    return Entry(
        kind=kind,
        at=AT,
        slot=None if slot is None else SlotName(slot),
        occupancy=None if slot is None else 7,
        data=data,
    )


class Past:
    """Makes what a rack has left: one handset sold, one to be destroyed, both in their slots."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.ledger.path
        self.certificates = settings.certificate.directory
        self.key = key_of(settings)
        self.issuer = partial(issuer_of, settings, self.key)

    async def happen(self) -> None:
        async with open_ledger(self.path, head_key=self.key) as ledger:
            await self._sell(ledger)
            await self._destroy(ledger)
            for _ in range(BEYOND_A_START):
                await ledger.append(entry(EntryKind.CONFIG_CHANGED))

    def witnesses(self) -> list[Witness]:
        return certificates_that_know(self.certificates, self.key.public_key_pem)

    async def _sell(self, ledger: SqliteLedger) -> None:
        await ledger.append(entry(EntryKind.OCCUPANCY_OPENED, "A1", attachment="boot:0"))
        for record in records_of_an_erasure():
            await ledger.append(as_on_this_rack(record.entry))
        issuer = self.issuer()
        erasure = verify_erasure(SOLD, await ledger.entries(SOLD))
        envelope = issuer.issue(erasure, AT)
        end = JobEnd(outcome=Outcome.PASSED, disposition=Disposition.SELLABLE, reason=None)
        told = end_record(end, envelope.decode())
        ended = replace(entry(EntryKind.JOB_ENDED, "A1"), job=SOLD, data=told)
        await ledger.append(ended)
        await issuer.keep(SOLD, envelope)

    async def _destroy(self, ledger: SqliteLedger) -> None:
        opened = entry(EntryKind.OCCUPANCY_OPENED, "A2", attachment="boot:3")
        await ledger.append(opened)
        await ledger.append(
            replace(
                opened,
                kind=EntryKind.JOB_OPENED,
                job=DESTROYED,
                data={"recipe": "overwrite", "attachment": "boot:3"},
            )
        )
        end = JobEnd(
            outcome=Outcome.FAILED, disposition=Disposition.DESTROY, reason=Reason.SYSTEM_MODIFIED
        )
        told = end_record(end, None)
        await ledger.append(replace(opened, kind=EntryKind.JOB_ENDED, job=DESTROYED, data=told))


def as_on_this_rack(entry: Entry) -> Entry:
    """The same, told by the ports that the slots of these tests have."""
    told = json.dumps(dict(entry.data), default=dict).replace('"7:', '"boot:')
    return replace(entry, data=json.loads(told))


class Served:
    """The rack at work: two handsets lie where they lay, a third can be put into A3."""

    http: httpx2.AsyncClient

    def __init__(self, past: Past, ledger: SqliteLedger, socket: Path) -> None:
        self.ledger, self.socket = ledger, socket
        self.admission, self.issuer = Admission(), past.issuer()
        self.world = World(
            slots=3,
            adjust=lambda parts: replace(
                parts,
                ledger=ledger,
                issuer=self.issuer,
                admission=self.admission,
                desk=Desk(ledger, parts.clock, Everybody()),
                timing=Timing(debounce_s=0.01),
            ),
        )
        self.world._enumerations = 10
        self.board, self.desk = self.world.board, self.world.parts.desk
        metrics = LedgerMetrics(CollectorRegistry())
        integrity = Integrity(board=self.board, admission=self.admission, metrics=metrics)
        self.patrol = Patrol(ledger, ledger.append, self.world.clock, integrity)
        for name, enumeration in ((SOLD_AT, 2), (DESTROYED_AT, 3)):
            port = self.world.ports[name]
            port.phone, port.attached, port.enumeration = Phone(), True, enumeration

    async def get(self, route: str) -> httpx2.Response:
        return await self.http.get(route)

    async def until_finished(self, slot: SlotName) -> SlotView:
        return await self._until(slot, lambda view: view.state is SlotState.FINISHED)

    async def until_held(self, slot: SlotName) -> SlotView:
        def held(view: SlotView) -> bool:
            return view.problem is not None and view.problem.code is ProblemCode.LEDGER_BROKEN

        return await self._until(slot, held)

    async def _until(self, slot: SlotName, holds: Callable[[SlotView], bool]) -> SlotView:
        with anyio.fail_after(20):
            while True:
                version = self.board.version
                view = self.board.views().get(slot)
                if view is not None and holds(view):
                    return view
                await self.board.changed(version)


@asynccontextmanager
async def served(past: Past, folder: Path) -> AsyncGenerator[Served]:
    """Start as the daemon starts: witnesses, recovery, slots, API on a socket."""
    async with open_ledger(past.path, head_key=past.key, witnesses=past.witnesses()) as ledger:
        rack = Served(past, ledger, folder / "api.sock")
        await close_open_jobs(ledger, rack.world.clock)
        await keep_certificates(ledger, rack.issuer, 100)
        await rack.patrol.recall()
        app = app_of(rack, Catalogue.load())
        async with running(app, rack.socket) as door, door.over_unix() as http:
            rack.http = http
            async with rack.world.running():
                yield rack
