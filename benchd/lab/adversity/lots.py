"""A lot that came in with the handsets of a schedule: what its papers say of which of them.

All that is drawn here hangs on the seed by a chance of its own, so that all else stays as it was.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import anyio

from benchd.domain.ids import SlotName
from benchd.domain.intake import AttestationKind, LotId, LotKind, Tag
from benchd.domain.record import EntryKind
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.staff import actor_of
from benchd.lab.adversity.truth import Truth
from benchd.proof.evidence.intake_evidence import (
    AssetLine,
    AttestedRecord,
    LotRecord,
    NetworkLine,
    NetworkRecord,
    Who,
    WithdrawnRecord,
)
from benchd.proof.network import RESTRICTED

LOT: Final = "L-1"
NEXT_LOT: Final = "L-2"
"""What comes again after a sale has come in with this one."""
CLERK: Final = Who.of(actor_of("Ito"))
KINDS: Final = (AttestationKind.CONSENT, AttestationKind.JPKI)
_LISTED_SHARE: Final = 0.8
_EXCEPTED_SHARE: Final = 0.35
_WITHDRAWN_SHARE: Final = 0.3
_WITHDRAWN_WITHIN_S: Final = 9000.0
_BEFORE: Final = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One handset as the papers of its lot have it."""

    tag: str
    lot: str = LOT
    imei: str
    serial: str
    excepted: bool
    withdrawn_after_s: float | None
    late_s: float | None = None
    """When it is imported, if that is after the lot was attested."""
    looked_up_days: float = 0.0

    @property
    def line(self) -> AssetLine:
        """As it is imported."""
        return AssetLine(tag=self.tag, imei=self.imei, serial=self.serial)


class Papers:
    """What came in, by the handset's true name; the same however often the daemon dies."""

    def __init__(self, seed: int, bays: Mapping[SlotName, Bay]) -> None:
        chance = random.Random(f"{seed} papers")  # noqa: S311 - the seed has to give the same again
        self.of: dict[str, Paper] = {}
        """Those that a handset came in with this time, whether or not they're imported yet."""
        self._first: list[Paper] = []
        self.restricted = [n for b in bays.values() for n in b.own.restricted]
        for bay in bays.values():
            for truth in (bay.own, bay.visitor):
                drawn = [chance.random() for _ in range(4)]
                # A number that stands on the papers already can't be imported again.
                if drawn[0] < _LISTED_SHARE and not bay.plan.handset.clone:
                    gone = drawn[2] < _WITHDRAWN_SHARE
                    self.of[truth.name] = Paper(
                        tag=f"T-{truth.name.replace(' ', '-')}",
                        imei=truth.imei,
                        serial=truth.serial,
                        excepted=drawn[1] < _EXCEPTED_SHARE,
                        withdrawn_after_s=drawn[3] * _WITHDRAWN_WITHIN_S if gone else None,
                        late_s=bay.plan.late_s if truth is bay.own else None,
                        looked_up_days=bay.plan.looked_up_days,
                    )
        self._first = list(self.of.values())

    async def take_in(self, desk: IntakeDesk, store: IntakeStore, now: datetime) -> None:
        """Take in what isn't yet, as a clerk would who finds the rack just started."""
        if not (self._first or self.restricted):
            return
        if LotId(LOT) not in desk.book.lots:
            await desk.add_lot(_lot())
        in_time = [paper for paper in self._first if paper.late_s is None]
        for paper in in_time:
            if Tag(paper.tag) not in desk.book.assets:
                await desk.add_asset(LOT, paper.line, by=CLERK)
        if not desk.book.lots[LotId(LOT)].attestations:
            await desk.attest(_stated(LOT, [p.tag for p in in_time if p.excepted]))
        if not desk.book.looked_up:
            async with store.writing() as writer:
                await writer.keep(EntryKind.NETWORK_LISTED, self._look_ups(now))

    def _look_ups(self, now: datetime) -> NetworkRecord:
        results = (
            *(
                NetworkLine(imei=p.imei, sign="○", at=now - timedelta(days=p.looked_up_days))
                for p in self._first
                if p.imei not in self.restricted
            ),
            *(NetworkLine(imei=imei, sign=RESTRICTED, at=now) for imei in self.restricted),
        )
        return NetworkRecord(
            batch="list", part=1, parts=1, source="list", results=results, by=CLERK
        )

    async def import_late(self, desk: IntakeDesk) -> None:
        """The same person imports what was forgotten, once the lot was attested."""
        late = [paper for paper in self._first if paper.late_s is not None]
        for paper in sorted(late, key=lambda p: p.late_s or 0.0):
            await anyio.sleep(max(0.0, (paper.late_s or 0.0) - anyio.current_time()))
            if Tag(paper.tag) not in desk.book.assets:
                await desk.add_asset(LOT, paper.line, by=CLERK)

    def came_again(self, truth: Truth) -> Paper:
        """It was sold, and somebody has bought it with other papers."""
        paper = Paper(
            tag=f"T2-{truth.name.replace(' ', '-')}",
            lot=NEXT_LOT,
            imei=truth.imei,
            serial=truth.serial,
            excepted=False,
            withdrawn_after_s=None,
        )
        self.of[truth.name] = paper
        return paper

    async def take_in_again(self, desk: IntakeDesk, paper: Paper) -> None:
        """The lot of a handset that was here before, attested once it is there."""
        if LotId(NEXT_LOT) not in desk.book.lots:
            await desk.add_lot(_lot(NEXT_LOT))
        if Tag(paper.tag) not in desk.book.assets:
            await desk.add_asset(NEXT_LOT, paper.line, by=CLERK, again=True)
            await desk.attest(_stated(NEXT_LOT, ()))

    async def withdraw(self, desk: IntakeDesk) -> None:
        """As time goes by somebody's owner changes their mind."""
        due = [p for p in self._first if p.withdrawn_after_s is not None]
        for paper in sorted(due, key=lambda p: p.withdrawn_after_s or 0.0):
            await anyio.sleep(max(0.0, (paper.withdrawn_after_s or 0.0) - anyio.current_time()))
            for attestation in list(desk.book.lots[LotId(LOT)].attestations):
                gone = any(paper.tag in each.tags for each in attestation.withdrawn)
                if not gone:
                    await desk.withdraw(_withdrawn(attestation.sequence, paper.tag))


def _lot(lot: str = LOT) -> LotRecord:
    return LotRecord(
        lot=lot,
        consignor="private",
        kind=LotKind.PURCHASE,
        paper="",
        taken_in_at=_BEFORE,
        identity_check="",
        attests=(),
        excepted=(),
        by=CLERK,
    )


def _stated(lot: str, excepted: Sequence[str]) -> AttestedRecord:
    return AttestedRecord(
        lot=lot, kinds=KINDS, tags=None, excepted=tuple(excepted), note="", by=CLERK
    )


def _withdrawn(attestation: int, tag: str) -> WithdrawnRecord:
    return WithdrawnRecord(
        lot=LOT, attestation=attestation, kinds=(), tags=(tag,), note="", by=CLERK
    )
