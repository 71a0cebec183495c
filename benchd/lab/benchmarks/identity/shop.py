"""What all visits of one shop share, and what is known of one of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from benchd.domain.ids import JobId, SlotName
from benchd.domain.intake import AttestationKind, LotKind, Tag
from benchd.domain.people import ShownBy
from benchd.domain.record import EntryKind
from benchd.intake.intake_store import IntakeStore
from benchd.intake.rack_clock_trust import RackTime
from benchd.lab.benchmarks.identity.identity_truth import Trade, Truth
from benchd.lab.benchmarks.identity.kept import KeptInMemory
from benchd.lab.benchmarks.identity.mix import Mix
from benchd.proof.attestation import named_list
from benchd.proof.evidence.intake_evidence import (
    AssetLine,
    AssetsRecord,
    AttestedRecord,
    LotRecord,
    Who,
)

SLOT: Final = SlotName("A1")
BEGAN: Final = datetime(2024, 1, 1, tzinfo=UTC)
APART: Final = timedelta(minutes=79)
"""Twenty thousand visits take three years."""
OF_HOUSE: Final = Who(operator="Ito", person="ito", shown_by=ShownBy.UNIX)


class SteppedClock:
    """Goes from visit to visit."""

    def __init__(self) -> None:
        self.visit = 0

    def now(self) -> datetime:
        """The time of the visit."""
        return BEGAN + self.visit * APART


@dataclass(slots=True, eq=False, kw_only=True)
class Visit:
    """One handset in one slot, from its plug to its job's end."""

    number: int
    truth: Truth
    job: JobId
    has_reader: bool
    asked: Counter[str] = field(default_factory=Counter[str])
    """What people were asked."""
    denied: set[str] = field(default_factory=set[str])
    """The debts of its own of which somebody said that they were another's."""
    at_gates: bool = True
    has_read: bool = False
    """Whether somebody has read its screen."""
    attachment: str = "1"
    chip_seen: str | None = None
    by_the_mix: bool = False
    """Whether it ended as it did because the mix says so."""
    told: list[str] = field(default_factory=list[str])
    """Its story, for whoever asks how it came."""


class Shop:
    """One rack's ledger and book, with who comes and what is drawn."""

    def __init__(self, mix: Mix, seed: int) -> None:
        self.mix = mix
        self.chance = random.Random(seed)  # noqa: S311 - who comes next is no secret
        self.trade = Trade(mix, self.chance)
        self.kept = KeptInMemory()
        self.clock = SteppedClock()
        time = RackTime(
            self.clock, boot="boot", is_synchronised=lambda: True, head=lambda: self.kept.last
        )
        self.intake = IntakeStore(self.kept, self.clock, time)
        self.who_is: dict[JobId, Truth] = {}
        """The handset of each job, which only people can see."""
        self.owner: dict[Tag, Truth] = {}

    def happens(self, share: float) -> bool:
        """Whether it is drawn."""
        return self.chance.random() < share

    def new_job(self, truth: Truth) -> JobId:
        """The next number."""
        job = JobId(f"20261129-{len(self.who_is) + 1:010x}")
        self.who_is[job] = truth
        return job

    async def take_in(self, truth: Truth) -> None:
        """The handset's papers, and what is attested by them; nothing if they are there."""
        if truth.tag in self.intake.book.assets:
            return
        self.owner[Tag(truth.tag)] = truth
        async with self.intake.writing() as writer:
            if truth.lot not in self.intake.book.lots:
                await writer.put(EntryKind.LOT_ADDED, _lot(truth.lot, self.clock.now()))
            for kind, told in _papers(truth):
                await writer.put(kind, told)


def _lot(lot: str, at: datetime) -> LotRecord:
    return LotRecord(
        lot=lot,
        consignor="Consignor",
        kind=LotKind.PURCHASE,
        paper="No.12",
        taken_in_at=at,
        identity_check="",
        attests=(),
        excepted=(),
        by=OF_HOUSE,
    )


def _papers(truth: Truth) -> Sequence[tuple[EntryKind, object]]:
    line = AssetLine(
        tag=truth.tag, imei=truth.paper_imei, serial=truth.paper_serial, model=truth.model
    )
    listed = AssetsRecord(
        lot=truth.lot,
        batch=truth.tag,
        part=1,
        parts=1,
        again=True,
        assets=(line,),
        by=OF_HOUSE,
        named=named_list([truth.tag]),
    )
    attested = AttestedRecord(
        lot=truth.lot,
        kinds=(AttestationKind.JPKI,),
        tags=(truth.tag,),
        excepted=(),
        note="",
        by=OF_HOUSE,
    )
    return ((EntryKind.ASSETS_ADDED, listed), (EntryKind.ATTESTED, attested))
