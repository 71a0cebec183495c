"""A rack in the core over a lot that the real desk has taken in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from benchd.domain.ids import JobId
from benchd.domain.job import Reason
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.slot_states import SlotState
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.intake.rack_time import RackTime
from benchd.proof.evidence.intake_evidence import Who
from benchd.proof.time_basis import latest_known
from tests.intake.lots import BY, LOT, lot_record

from .fake_chips import FakeChip, FakeChipAccess
from .world import CountingEntropy, MemoryLedger, Phone, SteppingClock, World, ended

IMEI = "356938035643809"


class SettableClock(SteppingClock):
    """A fake clock that somebody, or a dead battery, sets."""

    behind = timedelta()

    def now(self) -> datetime:
        return super().now() - self.behind


async def _at_once(read: Callable[[], object]) -> object:
    return read()


def _others() -> CountingEntropy:
    """Randomness that the slots' own doesn't repeat."""
    entropy = CountingEntropy()
    entropy._count = 1_000_000
    return entropy


class Rack:
    """A rack with one reader per slot and a lot that came in."""

    def __init__(self, chip: FakeChip | None = None, **parts: Any) -> None:  # noqa: ANN401
        self.ledger = MemoryLedger()
        self.clock = SettableClock()
        self.source: bool | None = True
        """Whether a time source keeps the clock right."""
        self.time = self.booted()
        self.store = IntakeStore(self.ledger, self.clock, self.time)
        self.desk = IntakeDesk(self.store, _others())
        # A thread takes real time, in which the loop's own would run on by hours.
        self.desk._read = _at_once  # type: ignore[method-assign, assignment]
        self.chips = FakeChipAccess({"A1": chip or FakeChip()})
        self.world = World(
            ledger=self.ledger,
            chips=self.chips,
            adjust=lambda made: replace(made, intake=self.store, clock=self.clock),
            **parts,
        )

    def booted(self, boot: str = "boot-1", newest: datetime | None = None) -> RackTime:
        """What a daemon that starts now knows of the time."""
        time = RackTime(
            self.clock,
            boot=boot,
            is_synchronised=lambda: self.source,
            head=lambda: len(self.ledger.stored),
            newest=newest,
        )
        self.ledger.told = time.stored
        return time

    def reboot(self, *, behind: timedelta = timedelta(), boot: str = "boot-2") -> None:
        """The machine starts anew, with its clock so far behind."""
        self.clock.behind = behind
        self.time = self.store.time = self.booted(boot, latest_known(self.ledger.stored))

    async def lot(self, csv: str = f"tag,IMEI\nT1,{IMEI}\n", **changes: Any) -> None:  # noqa: ANN401
        await self.desk.add_lot(lot_record(**changes))
        await self.import_(LOT, csv)

    async def import_(self, lot: str, csv: str) -> None:
        done = await self.desk.import_assets(lot, csv.encode(), by=BY, dry_run=False)
        assert done.taken, done.mistakes

    async def again(self) -> None:
        """The handset of T1 comes in once more, from somebody else, under another tag."""
        await self.desk.add_lot(lot_record("L-2"))
        data = f"tag,IMEI\nT9,{IMEI}\n".encode()
        done = await self.desk.import_assets("L-2", data, by=BY, dry_run=False, again=True)
        assert done.taken, done.mistakes

    async def looked_up(
        self, sign: str = "○", imei: str = IMEI, at: str = "2026-11-23 10:00", by: Who = BY
    ) -> None:
        data = f"IMEI,判定,照会日時\n{imei},{sign},{at}\n".encode()
        done = await self.desk.import_network(data, source="carrier", by=by, dry_run=False)
        assert done.taken, done.mistakes

    def asked(self) -> list[str]:
        return [str(s.entry.data["gate"]) for s in self.ledger.of(EntryKind.QUESTION_ASKED)]

    def answered(self) -> list[str]:
        return [str(s.entry.data["gate"]) for s in self.ledger.of(EntryKind.DECISION)]

    async def ran(self, phone: Phone | None = None) -> tuple[object, object]:
        async with self.world.running():
            return await self.visit(phone)

    async def visit(self, phone: Phone | None = None) -> tuple[object, object]:
        """One job of a rack that runs; whatever lay in the slot before is taken out."""
        if self.ledger.of(EntryKind.JOB_OPENED):
            self.world.ports["A1"].unplug()
            await self.world.until_state(SlotState.EMPTY)
        self.world.ports["A1"].plug(phone or Phone())
        await self.world.until_state(SlotState.FINISHED)
        end = ended(self.world)[-1]
        assert end["reason"] != Reason.PROOF_INCOMPLETE, end["detail"]
        return end["outcome"], end["reason"]

    async def proof(self) -> tuple[JobId, list[StoredEntry], Sequence[StoredEntry]]:
        """The records that a certificate of the last job rests on."""
        job = self.world.view().job
        assert job is not None
        records = [
            r
            for r in await self.ledger.entries(job)
            if r.entry.kind is not EntryKind.JOB_ENDED and r.entry.data.get("stage") != "certify"
        ]
        return job, records, await self.ledger.intake(1)
