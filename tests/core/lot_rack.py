"""A rack in the core over a lot that the real desk has taken in."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.ids import JobId, SlotName
from benchd.domain.intake import AttestationKind, BoundBy, LotId
from benchd.domain.job import Gate, Outcome, Reason
from benchd.domain.record import EntryKind, StoredEntry
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.intake.rack_clock_trust import RackTime
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.intake_evidence import BoundRecord, Who, WithdrawnRecord
from benchd.proof.time_basis import latest_known
from tests.intake.lots import BY, LOT, attested, lot_record

from .fake_chips import FakeChip, FakeChipAccess
from .world import IMEI, CountingEntropy, MemoryLedger, Phone, SteppingClock, World, ended

BOTH = (AttestationKind.CONSENT, AttestationKind.JPKI)
CITED = {Gate.NETWORK, Gate.JPKI, Gate.CONSENT}
"""What papers can settle."""
GOOD = (Outcome.PASSED, None)
Data = dict[str, Any]
Lie = Callable[[list[StoredEntry], list[StoredEntry]], None]
"""A change of a job's records, or of those of intake."""


def edit(records: list[StoredEntry], kind: EntryKind, change: Callable[[Data], object]) -> None:
    """Change the data of all records of a kind."""
    for index, record in enumerate(records):
        if record.entry.kind is kind:
            data = json.loads(json.dumps(dict(record.entry.data)))
            change(data)
            records[index] = replace(record, entry=replace(record.entry, data=data))


def in_intake(kind: EntryKind, change: Callable[[Data], object]) -> Lie:
    return lambda _records, intake: edit(intake, kind, change)


def in_settled(change: Callable[[Data], object]) -> Lie:
    """Changes each answer that a stage says was settled without a question."""

    def in_evidence(data: Data) -> None:
        settled = data["evidence"].get("settled") or []
        for each in settled if isinstance(settled, list) else [settled]:
            change(each)

    return lambda records, _intake: edit(records, EntryKind.STAGE_ENDED, in_evidence)


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

    async def papers(self, **lot: Any) -> None:  # noqa: ANN401
        """All is attested of the lot as it is taken in, and its networks are looked up."""
        await self.lot(attests=BOTH, **lot)
        await self.looked_up()

    async def attest(self, **changes: Any) -> None:  # noqa: ANN401 - fields of the record
        self.attestation = await self.desk.attest(attested(*BOTH, **changes))

    async def withdraw(self, *kinds: AttestationKind, tags: tuple[str, ...] = ()) -> None:
        number = self.attestation
        told = WithdrawnRecord(lot=LOT, attestation=number, kinds=kinds, tags=tags, note="", by=BY)
        await self.desk.withdraw(told)

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
        return self.world.asked()

    def answered(self) -> list[str]:
        return [str(s.entry.data["gate"]) for s in self.ledger.of(EntryKind.DECISION)]

    def bound(self, field: str = "tag") -> list[object]:
        return [s.entry.data[field] for s in self.ledger.of(EntryKind.ASSET_BOUND)]

    async def ran(self, phone: Phone | None = None) -> tuple[object, object]:
        async with self.world.running():
            return await self.visit(phone)

    async def visit(self, phone: Phone | None = None) -> tuple[object, object]:
        """One job of a rack that runs; whatever lay in the slot before is taken out."""
        await self.world.ran(phone)
        return self.end()

    def end(self) -> tuple[object, object]:
        end = ended(self.world)[-1]
        assert end["reason"] != Reason.PROOF_INCOMPLETE, end["detail"]
        return end["outcome"], end["reason"]

    async def scanned(self, **changes: Any) -> None:  # noqa: ANN401 - fields of the record
        """Somebody scans T1 at the slot as soon as its job runs."""
        await self.world.until(lambda: bool(self.world.board.views()))
        await self.world.until(lambda: self.world.view().stage is not None)
        told: Data = {
            "lot": LOT,
            "lot_sequence": self.desk.book.lots[LotId(LOT)].sequence,
            "tag": "T1",
            "bound_by": BoundBy.TAG,
            "imeis": (),
            "serial": None,
            "model": None,
            "differs": "",
            "by": BY,
            **changes,
        }
        job = self.world.view().job
        assert job is not None
        await self.store.bind(BoundRecord(**told), job=job, slot=SlotName("A1"))

    async def ran_scanned(self, **changes: Any) -> tuple[object, object]:  # noqa: ANN401
        """The end of a handset whose label is scanned at its slot."""
        async with self.world.running():
            self.world.ports["A1"].plug(Phone())
            await self.scanned(**changes)
            await self.world.finished()
        return self.end()

    async def proof(self) -> tuple[JobId, list[StoredEntry], Sequence[StoredEntry]]:
        """The records that a certificate of the last job rests on."""
        return *await self.world.proof(), await self.ledger.intake(1)

    async def must_be_a_gap(self, lie: Lie, why: str | None = None) -> None:
        """The last job is proven by its records, and no more once they have been changed."""
        job, records, intake = await self.proof()
        mine, theirs = list(records), list(intake)
        verify_erasure(job, mine, theirs)
        lie(mine, theirs)
        assert (mine, theirs) != (records, intake)
        with pytest.raises(CertificateGap, match=why):
            verify_erasure(job, mine, theirs)
