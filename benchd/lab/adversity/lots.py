"""A lot that came in with the handsets of a schedule: what its papers say of which of them.

All that is drawn here hangs on the seed by a chance of its own, so that all else stays as it was.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import anyio

from benchd.intake.desk import IntakeDesk
from benchd.intake.store import IntakeStore
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.staff import actor_of
from benchd.proof.evidence.intake import (
    AssetLine,
    AttestedRecord,
    LotRecord,
    NetworkLine,
    NetworkRecord,
    Who,
    WithdrawnRecord,
)
from benchd.words.ids import SlotName
from benchd.words.intake import AttestationKind, LotId, LotKind, Tag
from benchd.words.record import EntryKind

LOT: Final = "L-1"
CLERK: Final = Who.of(actor_of("Ito"))
KINDS: Final = (AttestationKind.CONSENT, AttestationKind.JPKI)
_LISTED_SHARE: Final = 0.8
_EXCEPTED_SHARE: Final = 0.35
_WITHDRAWN_SHARE: Final = 0.3
_WITHDRAWN_WITHIN_S: Final = 9000.0
_BEFORE: Final = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One handset as the lot's papers have it."""

    tag: str
    imei: str
    serial: str
    excepted: bool
    withdrawn_after_s: float | None


class Papers:
    """What came in, by the handset's true name; the same however often the daemon dies."""

    def __init__(self, seed: int, bays: Mapping[SlotName, Bay]) -> None:
        chance = random.Random(f"{seed} papers")  # noqa: S311 - the seed has to give the same again
        self.of: dict[str, Paper] = {}
        for bay in bays.values():
            for truth in (bay.own, bay.visitor):
                drawn = [chance.random() for _ in range(4)]
                if drawn[0] < _LISTED_SHARE:
                    gone = drawn[2] < _WITHDRAWN_SHARE
                    self.of[truth.name] = Paper(
                        tag=f"T-{truth.name.replace(' ', '-')}",
                        imei=truth.imei,
                        serial=truth.serial,
                        excepted=drawn[1] < _EXCEPTED_SHARE,
                        withdrawn_after_s=drawn[3] * _WITHDRAWN_WITHIN_S if gone else None,
                    )

    async def take_in(self, desk: IntakeDesk, store: IntakeStore, now: datetime) -> None:
        """Take in what isn't yet, as a clerk would who finds the rack just started."""
        if not self.of:
            return
        if LotId(LOT) not in desk.book.lots:
            await desk.add_lot(_lot())
        for paper in self.of.values():
            if Tag(paper.tag) not in desk.book.assets:
                line = AssetLine(tag=paper.tag, imei=paper.imei, serial=paper.serial)
                await desk.add_asset(LOT, line, by=CLERK)
        if not desk.book.lots[LotId(LOT)].attestations:
            await desk.attest(_stated([p.tag for p in self.of.values() if p.excepted]))
        if not desk.book.looked_up:
            async with store.writing() as writer:
                await writer.keep(EntryKind.NETWORK_LISTED, self._look_ups(now))

    def _look_ups(self, now: datetime) -> NetworkRecord:
        results = tuple(NetworkLine(imei=p.imei, sign="○", at=now) for p in self.of.values())
        return NetworkRecord(
            batch="list", part=1, parts=1, source="list", results=results, by=CLERK
        )

    async def withdraw(self, desk: IntakeDesk) -> None:
        """As time goes by somebody's owner changes their mind."""
        due = [p for p in self.of.values() if p.withdrawn_after_s is not None]
        for paper in sorted(due, key=lambda p: p.withdrawn_after_s or 0.0):
            await anyio.sleep(max(0.0, (paper.withdrawn_after_s or 0.0) - anyio.current_time()))
            for attestation in list(desk.book.lots[LotId(LOT)].attestations):
                gone = any(paper.tag in each.tags for each in attestation.withdrawn)
                if not gone:
                    await desk.withdraw(_withdrawn(attestation.sequence, paper.tag))


def _lot() -> LotRecord:
    return LotRecord(
        lot=LOT,
        consignor="private",
        kind=LotKind.PURCHASE,
        paper="",
        taken_in_at=_BEFORE,
        identity_check="",
        attests=(),
        excepted=(),
        by=CLERK,
    )


def _stated(excepted: Sequence[str]) -> AttestedRecord:
    return AttestedRecord(
        lot=LOT, kinds=KINDS, tags=None, excepted=tuple(excepted), note="", by=CLERK
    )


def _withdrawn(attestation: int, tag: str) -> WithdrawnRecord:
    return WithdrawnRecord(
        lot=LOT, attestation=attestation, kinds=(), tags=(tag,), note="", by=CLERK
    )
