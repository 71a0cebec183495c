"""A rack with a fake chips, and what its ledger says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchd.domain.job import Disposition, Gate, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.record import EntryKind
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState

from .fake_chips import (
    FakeChip,
    FakeChipAccess,
)
from .world import Phone, World, ended

CHECK, CLEAR, RECHECK = (
    StageName.FELICA_CHECK,
    StageName.FELICA_CLEAR,
    StageName.FELICA_RECHECK,
)


def world_with(
    chip: FakeChip,
    answers: Mapping[Gate, bool] | None = None,
    *,
    slots: int = 1,
    models: ModelCatalogue | None = None,
) -> tuple[World, FakeChipAccess]:
    """A rack whose first slot has this chip on its reader; the others have good ones."""
    chips = {f"A{n}": FakeChip() for n in range(1, slots + 1)} | {"A1": chip}
    chips = FakeChipAccess(chips)
    return World(slots, chips=chips, answers=answers, models=models), chips


async def run(world: World, phone: Phone | None = None) -> SlotView:
    async with world.running():
        world.ports["A1"].plug(phone or Phone())
        return await world.until_state(SlotState.FINISHED)


def attempts(world: World, stage: StageName) -> list[Mapping[str, Any]]:
    """What the ledger says of each ended attempt of a stage, in order."""
    return [
        stored.entry.data
        for stored in world.ledger.of(EntryKind.STAGE_ENDED)
        if stored.entry.data["stage"] == stage
    ]


def asked(world: World) -> list[object]:
    return [s.entry.data["gate"] for s in world.ledger.of(EntryKind.QUESTION_ASKED)]


def questions(world: World, gate: Gate) -> list[Mapping[str, Any]]:
    """What the ledger says of each question that was asked at a gate."""
    asked_so_far = [stored.entry.data for stored in world.ledger.of(EntryKind.QUESTION_ASKED)]
    return [data for data in asked_so_far if data["gate"] == gate]


def certified(world: World) -> bool:
    """Whether anything of this rack says that a handset may be sold."""
    return bool(world.issuer.kept) or any(
        end["disposition"] == Disposition.SELLABLE or end["certificate"] is not None
        for end in ended(world)
    )
