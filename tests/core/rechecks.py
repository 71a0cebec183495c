"""A rack with a slot that erases and one that rechecks, and who stands before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchd.domain.ids import JobId
from benchd.domain.job import Gate, StageName
from benchd.domain.people import ShownBy
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.pipelines.recipe import Recipe, StageSpec
from benchd.pipelines.stages.certify_drawn import CertifyDrawnStage
from benchd.pipelines.stages.find_drawn import FindDrawnStage
from benchd.pipelines.stages.recheck import RecheckStage
from tests.people.somebody import somebody

from .fake_chips import FakeChip, FakeChipAccess
from .world import (
    ANSWER_S,
    MTP_ONLY,
    MemoryLedger,
    Phone,
    World,
    ended,
    make_recipe,
)

IMEI = "356938035643809"
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

    async def erased(self, phone: Phone) -> SlotView:
        """Plugged into A1, run to its end, and pulled out again."""
        self.world.ports["A1"].plug(phone)
        view = await self.world.until_state(SlotState.FINISHED)
        self.world.ports["A1"].unplug()
        await self.world.until_state(SlotState.EMPTY)
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

    async def rechecked(self, phone: Phone, slot: str = "A2") -> SlotView:
        """Plugged into a slot that rechecks, run to its end, and left there."""
        self.world.ports[slot].plug(phone, MTP_ONLY)
        return await self.world.until_state(SlotState.FINISHED, slot)

    def draws(self) -> Sequence[Mapping[str, Any]]:
        return [stored.entry.data for stored in self.ledger.of(EntryKind.RECHECK_DRAWN)]

    def ends(self) -> Sequence[Mapping[str, Any]]:
        return ended(self.world)

    def jobs(self) -> list[JobId]:
        opened = self.ledger.of(EntryKind.JOB_OPENED)
        return [stored.entry.job for stored in opened if stored.entry.job]

    def records(self, job: JobId) -> list[StoredEntry]:
        return [stored for stored in self.ledger.stored if stored.entry.job == job]
