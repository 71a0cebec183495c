"""In-memory stand-ins for the rack behind the API."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import anyio

from benchd.domain.errors import LedgerFault
from benchd.domain.handset import HandsetIdentity, Trait
from benchd.domain.hook import Direction
from benchd.domain.ids import Evidence, JobId, PortPath, SlotName
from benchd.domain.intake import BoundBy
from benchd.domain.job import Disposition, Gate, Outcome, StageName
from benchd.domain.record import OF_INTAKE, Entry, EntryKind, Receipt, StoredEntry
from benchd.domain.slot import ProblemCode, ProblemView, QuestionView, SlotView
from benchd.domain.slot_states import SlotState
from benchd.ledger.held_handsets import Held
from benchd.ledger.ledger_queries import LedgerReads
from benchd.ledger.open_jobs import RunningJobs
from benchd.proof.erasure import VerifiedErasure
from benchd.proof.evidence.intake_evidence import BoundRecord
from benchd.slots.board import RackBoard
from benchd.slots.question_desk import Desk
from tests import recorded
from tests.people.somebody import Everybody
from tests.told_jobs import handset_jobs

BEGAN = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
A1 = SlotName("A1")
JOB = JobId("20261124-0011223344")
HOSTILE = "[red]\x1b[2J</script>\u202e{serial}\ud800\n" + "x" * 500


class FakeClock:
    """Moves on by a second whenever it is read."""

    def __init__(self) -> None:
        self._now = BEGAN

    def now(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now


class FakeLedger:
    """A ledger in memory that can be told to be slow or broken."""

    def __init__(self) -> None:
        self.stored: list[StoredEntry] = []
        self.broken = False
        self.appending = anyio.Event()
        self.may_append: anyio.Event | None = None

    async def append(self, entry: Entry) -> Receipt:
        self.appending.set()
        if self.may_append is not None:
            await self.may_append.wait()
        self._serve()
        stored = StoredEntry(sequence=len(self.stored) + 1, entry=entry, hash_hex="00" * 32)
        self.stored.append(stored)
        return Receipt(sequence=stored.sequence, hash_hex=stored.hash_hex)

    async def entries(self, job: JobId) -> Sequence[StoredEntry]:
        self._serve()
        return [stored for stored in self.stored if stored.entry.job == job]

    async def open_jobs(self) -> Sequence[StoredEntry]:
        raise NotImplementedError

    async def slot_entries(self, slot: SlotName) -> Sequence[StoredEntry]:
        raise NotImplementedError

    async def handset_jobs(self, trait: Trait, value: str, limit: int) -> Sequence[JobId]:
        self._serve()
        return handset_jobs(self.stored, trait, value, limit)

    async def records_of_tac(self, tac: str, limit: int) -> Sequence[StoredEntry]:
        raise NotImplementedError

    async def job_ids(self, limit: int) -> Sequence[JobId]:
        self._serve()
        opened = [s.entry.job for s in self.stored if s.entry.kind is EntryKind.JOB_OPENED]
        return [job for job in reversed(opened) if job is not None][:limit]

    async def intake(self, since: int) -> Sequence[StoredEntry]:
        self._serve()
        return [s for s in self.stored if s.sequence >= since and s.entry.kind in OF_INTAKE]

    def _serve(self) -> None:
        if self.broken:
            message = "the disk of the ledger hangs"
            raise LedgerFault(message)

    def of(self, kind: EntryKind) -> list[Entry]:
        return [stored.entry for stored in self.stored if stored.entry.kind is kind]

    def keep(self, kind: EntryKind, data: Evidence, job: JobId = JOB) -> None:
        """Put a record in without the ceremony."""
        at = BEGAN + timedelta(minutes=len(self.stored))
        entry = Entry(kind=kind, at=at, slot=A1, occupancy=7, job=job, data=data)
        self.stored.append(
            StoredEntry(sequence=len(self.stored) + 1, entry=entry, hash_hex="00" * 32)
        )

    def keep_job(
        self,
        *,
        job: JobId = JOB,
        outcome: str = "failed",
        disposition: str = "hold",
        reason: str | None = "coverage_too_low",
        detail: str = "90 of 100 bytes proven, 95% are needed",
        certificate: str | None = None,
        model: str = "SO-51B",
    ) -> None:
        """A whole job: inspection, a skipped reset, an overwrite that was retried, its end."""
        inspection: Evidence = {
            "serial": "HQ6123",
            "manufacturer": "Sony",
            "model": model,
            "android": "13",
            "imei": "356938035643809",
            "battery_percent": 71,
        }
        self.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, job)
        self._keep_stage("inspect", "passed", None, inspection, job)
        self.keep(
            EntryKind.DECISION,
            {
                "gate": "consent",
                "approved": True,
                "operator": "佐藤",
                "note": "書類 No.12",
                "at": BEGAN.isoformat(),
                "via": {"transport": "unix", "uid": "1000"},
            },
            job,
        )
        self._keep_stage("initialise", "skipped", "arrived_reset", {}, job)
        self._keep_stage("overwrite", "interrupted", "adb_server_lost", {}, job)
        self._keep_stage("overwrite", "passed", None, recorded.overwrite(bytes_written=90), job)
        if reason is not None:
            self._keep_stage("read_back", "failed", reason, {}, job)
        self.keep(
            EntryKind.JOB_ENDED,
            {
                "outcome": outcome,
                "disposition": disposition,
                "reason": reason,
                "detail": detail,
                "certificate": certificate,
            },
            job,
        )

    def keep_questions(self, job: JobId = JOB) -> None:
        """A whole job in which people were waited for: 5 minutes in one stage, 1 in another."""
        self.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, job)
        for stage, gates in (("gates", ("network", "jpki", "consent")), ("confirm", ("confirm",))):
            self.keep(EntryKind.STAGE_STARTED, {"stage": stage}, job)
            for gate in gates:
                self.keep(EntryKind.QUESTION_ASKED, {"gate": gate, "facts": {}}, job)
            for gate in gates:
                self.keep(EntryKind.DECISION, {"gate": gate, "approved": True}, job)
            self.keep(EntryKind.STAGE_ENDED, recorded.stage_ended(stage, {}), job)
        end: Evidence = {"outcome": "failed", "disposition": "hold", "reason": "not_confirmed"}
        self.keep(EntryKind.JOB_ENDED, end, job)

    def keep_sold(self, certificate: str | None = "{}", job: JobId = JOB) -> None:
        """A whole job after which the handset may be sold."""
        self.keep_job(
            job=job,
            outcome="passed",
            disposition="sellable",
            reason=None,
            certificate=certificate,
        )

    def _keep_stage(
        self, stage: str, outcome: str, because: str | None, evidence: Evidence, job: JobId
    ) -> None:
        self.keep(EntryKind.STAGE_STARTED, {"stage": stage}, job)
        self.keep(
            EntryKind.STAGE_ENDED,
            recorded.stage_ended(stage, evidence, outcome=outcome, because=because),
            job,
        )


def bound_record(lot: str, tag: str, bound_by: BoundBy) -> BoundRecord:
    return BoundRecord(
        lot=lot,
        lot_sequence=1,
        tag=tag,
        bound_by=bound_by,
        imeis=(),
        serial=None,
        model=None,
        differs="",
        by=None,
    )


class FakeIssuer:
    """A fake signer that vouches for every certificate but those of some jobs."""

    def __init__(self) -> None:
        self.doubts: set[JobId] = set()

    def issue(self, erasure: VerifiedErasure, at: datetime) -> bytes:
        raise NotImplementedError

    def vouches(self, job: JobId, envelope: bytes, records: Sequence[StoredEntry]) -> bool:
        return job not in self.doubts

    async def keep(self, job: JobId, envelope: bytes) -> None:
        raise NotImplementedError


@dataclass
class FakeRack:
    """A rack without slots' tasks: the real board and desk over a ledger in memory."""

    held: Held = field(default_factory=Held)
    board: RackBoard = field(init=False)
    ledger: FakeLedger = field(default_factory=FakeLedger)
    issuer: FakeIssuer = field(default_factory=FakeIssuer)
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.board = RackBoard(self.held.directed)
        self.desk = Desk(self.ledger, FakeClock(), Everybody())

    def direct(self, told: Direction) -> None:
        """Another system's answer is on record."""
        self.held.take(told)
        self.board.directed_anew(told.job)

    async def ask(self, gate: Gate, job: JobId = JOB) -> None:
        """What a slot does while it waits for a person; returns with the answer."""
        question = QuestionView(
            gate=gate, facts={"model": "SO-51B", "serial": "HQ6123", "tags": "T1, T2"}
        )
        await self.desk.ask(job=job, slot=A1, occupancy=7, question=question)

    @asynccontextmanager
    async def asking(self, gate: Gate) -> AsyncGenerator[None]:
        """While its question is open."""
        async with anyio.create_task_group() as group:
            group.start_soon(self.ask, gate)
            await anyio.wait_all_tasks_blocked()
            yield
            group.cancel_scope.cancel()


class Feed(LedgerReads):
    """The fake ledger, read by number."""

    def __init__(self, rack: FakeRack) -> None:
        super().__init__(RunningJobs())
        self.rack = rack

    async def select(self, condition: str, *values: str | int) -> list[StoredEntry]:
        raise NotImplementedError

    async def entries_after(self, sequence: int, most: int) -> Sequence[StoredEntry]:
        return self.rack.ledger.stored[sequence : sequence + most]

    async def entry_at(self, sequence: int) -> StoredEntry | None:
        return self.rack.ledger.stored[sequence - 1]


def identity(model: str = "SO-51B", serial: str = "HQ6123") -> HandsetIdentity:
    return HandsetIdentity(
        serial=serial,
        manufacturer="Sony",
        model=model,
        android="13",
        build="61.2",
        imei="356938035643809",
    )


def port(number: int) -> PortPath:
    return PortPath(f"pci-0000:03:00.0-usb-0:1.{number}")


def running_view(progress: float = 0.25) -> SlotView:
    return SlotView(
        slot=A1,
        port_path=port(1),
        state=SlotState.RUNNING,
        occupancy=7,
        job=JOB,
        recipe="overwrite",
        stage=StageName.OVERWRITE,
        progress=progress,
        eta_s=192.4,
        identity=identity(),
    )


def sold_view() -> SlotView:
    return replace(
        running_view(),
        state=SlotState.FINISHED,
        outcome=Outcome.PASSED,
        disposition=Disposition.SELLABLE,
    )


def waiting_view(slot: SlotName, number: int) -> SlotView:
    return SlotView(
        slot=slot,
        port_path=port(number),
        state=SlotState.WAITING,
        occupancy=1,
        problem=ProblemView(code=ProblemCode.ADB_DISABLED),
    )


def asking_view(slot: SlotName, number: int, gate: Gate = Gate.CONFIRM) -> SlotView:
    return SlotView(
        slot=slot,
        port_path=port(number),
        state=SlotState.AWAITING_OPERATOR,
        occupancy=2,
        job=JOB,
        recipe="overwrite",
        stage=StageName.CONFIRM,
        identity=identity(),
        question=QuestionView(gate=gate, facts={"model": "SO-51B", "serial": "HQ6123"}),
    )
