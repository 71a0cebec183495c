"""A rack with a slot that erases and one that rechecks, and who stands before them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from benchd.domain.errors import RecheckRefused
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.people import ShownBy
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.pipelines.recipe import Recipe, StageSpec
from benchd.pipelines.stages.certify_drawn import CertifyDrawnStage
from benchd.pipelines.stages.find_drawn import FindDrawnStage
from benchd.pipelines.stages.recheck import RecheckStage
from tests.intake.lots import BY, LOT, lot_record, right_time
from tests.people.somebody import somebody

from .fake_chips import FakeChip, FakeChipAccess
from .world import (
    ANSWER_S,
    IMEI,
    MTP_ONLY,
    OTHER_IMEI,
    CountingEntropy,
    MemoryLedger,
    Phone,
    SteppingClock,
    World,
    ended,
    ending,
    make_recipe,
)

DUE = (Outcome.PASSED, Disposition.HOLD, Reason.RECHECK_DUE)
RECHECKER = "Tanaka"


def recheck_recipe() -> Recipe:
    """As configs/recipes/drawn_recheck.toml has it."""
    stages = (FindDrawnStage(), RecheckStage(), CertifyDrawnStage())
    return Recipe(
        name="drawn_recheck",
        digest="1" * 64,
        needs_access=False,
        stages=tuple(StageSpec(stage=s, deadline_s=ANSWER_S, attempts=3) for s in stages),
    )


class RecheckRack:
    """Slot A1 overwrites with a share; A2 and A3 recheck."""

    def __init__(
        self,
        share: float = 1.0,
        *,
        ledger: MemoryLedger | None = None,
        chips: Mapping[str, FakeChip] | None = None,
        **parts: Any,  # noqa: ANN401
    ) -> None:
        self.ledger = ledger or MemoryLedger()
        access = None if chips is None else FakeChipAccess(dict(chips))
        recipes = {
            "overwrite": replace(make_recipe(), recheck_share=share),
            "drawn_recheck": recheck_recipe(),
        }
        self.world = World(
            3,
            ledger=self.ledger,
            chips=access,
            adjust=lambda made: replace(made, recipes=recipes, **parts),
            recipe_of={"A2": "drawn_recheck", "A3": "drawn_recheck"},
        )
        self.world.operators |= {Gate.RECHECK: RECHECKER, Gate.RECHECK_CHIP: RECHECKER}
        self.world.notes |= {Gate.RECHECK: IMEI}

    @asynccontextmanager
    async def drawn(self, phone: Phone | None = None) -> AsyncGenerator[Phone, None]:
        """The rack at work that has erased a handset and drawn it."""
        phone = phone or Phone()
        async with self.world.running():
            assert ending(await self.erased(phone)) == DUE
            yield phone

    async def erased(self, phone: Phone) -> SlotView:
        """Plugged into A1, run to its end, and pulled out again."""
        view = await self.world.ran(phone)
        await self.world.take_out()
        return view

    async def asked(self, phone: Phone, slot: str = "A2") -> SlotView:
        """Plugged into a slot that rechecks, until it asks; nobody answers by themselves."""
        self.world.silent_in = StageName.FIND_DRAWN
        self.world.ports[slot].plug(phone, MTP_ONLY)
        return await self.world.until_state(SlotState.AWAITING_OPERATOR, slot)

    async def answered(
        self,
        by: str,
        note: str = IMEI,
        *,
        slot: str = "A2",
        approved: bool = True,
        gate: Gate = Gate.RECHECK,
        shown_by: ShownBy = ShownBy.BADGE_AND_PIN,
    ) -> None:
        """Somebody answers the recheck; raises what the desk refuses."""
        job = self.world.view(slot).job
        assert job is not None
        actor = somebody(by, shown_by)
        await self.world.desk.decide(job, gate, approved=approved, by=actor, note=note)

    async def refused(self, why: str | None, note: str = IMEI, **answer: Any) -> None:  # noqa: ANN401
        """The desk refuses an answer to the recheck for this reason."""
        with pytest.raises(RecheckRefused, match=why):
            await self.answered(answer.pop("by", RECHECKER), note, **answer)

    async def until_asked_for_the_chip(self, phone: Phone) -> None:
        """Plugged in and found, and its chip is to be looked at by eye: nobody does."""
        self.world.silent_in = StageName.RECHECK
        self.world.ports["A2"].plug(phone, MTP_ONLY)
        await self.world.until_question(Gate.RECHECK_CHIP, "A2")

    async def pulled_out_at_the_chip(self, phone: Phone) -> None:
        """A recheck that has found its handset, and is cut short before it has looked further."""
        await self.until_asked_for_the_chip(phone)
        await self.world.take_out("A2")
        self.world.silent_in = None

    async def rechecked(self, phone: Phone, slot: str = "A2") -> SlotView:
        """Plugged into a slot that rechecks, run to its end, and left there."""
        return await self.world.ran(phone, slot, MTP_ONLY)

    def draws(self) -> Sequence[Mapping[str, Any]]:
        return [stored.entry.data for stored in self.ledger.of(EntryKind.RECHECK_DRAWN)]

    def ends(self) -> Sequence[Mapping[str, Any]]:
        return ended(self.world)

    def jobs(self) -> list[JobId]:
        opened = self.ledger.of(EntryKind.JOB_OPENED)
        return [stored.entry.job for stored in opened if stored.entry.job]

    def records(self, job: JobId) -> list[StoredEntry]:
        return [stored for stored in self.ledger.stored if stored.entry.job == job]


class Labelled(RecheckRack):
    """The same with the papers of its handset, whose label is T1, and of another one, T2."""

    def __init__(self, share: float = 1.0, **parts: Any) -> None:  # noqa: ANN401
        ledger = MemoryLedger()
        self.store = IntakeStore(ledger, SteppingClock(), right_time(ledger, SteppingClock()))
        self.desk = IntakeDesk(self.store, CountingEntropy())
        super().__init__(share, ledger=ledger, intake=self.store, **parts)

    async def papers(self, **lot: Any) -> None:  # noqa: ANN401 - fields of the lot
        await self.desk.add_lot(lot_record(**lot))
        csv = f"tag,IMEI\nT1,{IMEI}\nT2,{OTHER_IMEI}\n"
        done = await self.desk.import_assets(LOT, csv.encode(), by=BY, dry_run=False)
        assert done.taken

    @asynccontextmanager
    async def drawn(self, phone: Phone | None = None) -> AsyncGenerator[Phone, None]:
        await self.papers()
        async with super().drawn(phone) as erased:
            yield erased

    async def scanned(self, tag: str) -> None:
        """Somebody scans a label at the slot that rechecks."""
        await self.desk.bind(self.world.view("A2"), tag, by=BY)
