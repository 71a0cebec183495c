"""A lot and its papers, as the tests of intake need them. All numbers are made up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchd.domain.imei import is_imei
from benchd.domain.intake import AttestationKind, BoundBy, LotKind
from benchd.domain.people import ShownBy
from benchd.domain.ports import Clock
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.intake.rack_clock_trust import RackTime
from benchd.proof.evidence.intake_evidence import (
    AssetLine,
    AttestedRecord,
    BoundRecord,
    LotRecord,
    Who,
)
from tests.core.world import MemoryLedger

BY = Who(
    operator="Ito",
    person="ito",
    shown_by=ShownBy.UNIX,
    via={"source": "socket, uid 1000"},
)
LOT = "L-1"


def imei(number: int) -> str:
    """The IMEI of one number, its check digit included."""
    body = f"35693803{number:06d}"
    return next(body + digit for digit in "0123456789" if is_imei(body + digit))


def right_time(ledger: MemoryLedger, clock: Clock) -> RackTime:
    """What a rack knows of its time whose clock a time source keeps right."""
    time = RackTime(
        clock, boot="boot-1", is_synchronised=lambda: True, head=lambda: len(ledger.stored)
    )
    ledger.told = time.stored
    return time


def lot_record(lot: str = LOT, **changes: Any) -> LotRecord:  # noqa: ANN401 - fields of the record
    told: dict[str, Any] = {
        "lot": lot,
        "consignor": "個人",
        "kind": LotKind.PURCHASE,
        "paper": "No.12",
        "taken_in_at": datetime(2026, 11, 20, 3, tzinfo=UTC),
        "identity_check": "運転免許証",
        "attests": (),
        "excepted": (),
        "by": BY,
    }
    told |= changes
    return LotRecord(**told)


def attested(*kinds: AttestationKind, lot: str = LOT, **changes: Any) -> AttestedRecord:  # noqa: ANN401 - the same
    told: dict[str, Any] = {"lot": lot, "kinds": kinds, "tags": None, "excepted": ()}
    told |= {"note": "No.12", "by": BY, **changes}
    return AttestedRecord(**told)


def bound_record(tag: str, **changes: Any) -> BoundRecord:  # noqa: ANN401 - the same
    told: dict[str, Any] = {"lot": LOT, "lot_sequence": 1, "tag": tag, "bound_by": BoundBy.SERIAL}
    told |= {"imeis": (), "serial": "S1", "model": None, "differs": "", "by": None, **changes}
    return BoundRecord(**told)


async def lot_with(desk: IntakeDesk, *tags: str, **of_each: str) -> None:
    """A lot of handsets with these labels; `of_each` stands on the papers of every one."""
    await desk.add_lot(lot_record())
    for tag in tags:
        line = dict.fromkeys(("imei", "serial", "model", "colour", "grade")) | of_each
        await desk.add_asset(LOT, AssetLine(tag=tag, **line), by=BY)


@dataclass
class Intake:
    """The room over a ledger in memory."""

    ledger: MemoryLedger
    store: IntakeStore
    desk: IntakeDesk

    async def with_lot(self, csv: str = "", **changes: Any) -> Intake:  # noqa: ANN401 - the same
        await self.desk.add_lot(lot_record(**changes))
        if csv:
            done = await self.desk.import_assets(LOT, csv.encode(), by=BY, dry_run=False)
            assert done.taken, done.mistakes
        return self

    async def reread(self) -> IntakeStore:
        """What a daemon that starts now would know."""
        store = IntakeStore(self.ledger, self.store.clock)
        await store.recall()
        return store
