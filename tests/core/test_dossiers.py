"""A handset that isn't understood leaves its answers on the rack, and its job ends no worse."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchd.domain.errors import AnswerNotRecognised, HandsetStalled, UnsupportedHandset
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.pipelines.runner import DOSSIER_WITHIN_S
from benchd.proof.job_history import fold_job

from .world import MIB, Phone, World

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def end_of(world: World, phone: Phone) -> SlotView:
    return await world.end_of(phone)


def with_fault(call: str, make: Callable[[], Exception]) -> Phone:
    async def fault(_phone: Phone) -> None:
        raise make()

    return Phone(used_bytes=30 * MIB, faults={call: fault})


@pytest.mark.parametrize("call", ["inspect", "reset_facts"])
@pytest.mark.parametrize("kind", [AnswerNotRecognised, UnsupportedHandset])
async def test_what_is_not_understood_is_kept_and_named(
    call: str, kind: Callable[[str], Exception]
) -> None:
    world, phone = World(), with_fault(call, lambda: kind("odd"))
    view = await end_of(world, phone)
    assert (view.outcome, view.disposition) == (Outcome.FAILED, Disposition.HOLD)
    assert view.dossier == view.job
    assert phone.dossiers == ["odd"]
    assert view.job is not None
    records = await world.ledger.entries(view.job)
    assert fold_job(records, world.issuer).dossier == view.job


@pytest.mark.parametrize("call", ["fill", "check"])
async def test_after_the_reset_nothing_is_left_to_keep(call: str) -> None:
    world, phone = World(), with_fault(call, lambda: AnswerNotRecognised("odd"))
    view = await end_of(world, phone)
    assert view.reason is Reason.ANSWER_NOT_RECOGNISED
    assert view.dossier is None
    assert phone.dossiers == []


async def test_another_failure_leaves_none() -> None:
    world, phone = World(), with_fault("inspect", lambda: HandsetStalled("silent"))
    view = await end_of(world, phone)
    assert view.dossier is None
    assert phone.dossiers == []


async def test_one_that_takes_too_long_or_fails_changes_nothing() -> None:
    world, phone = World(), with_fault("inspect", lambda: AnswerNotRecognised("odd"))
    phone.dossier_takes_s = 100 * DOSSIER_WITHIN_S
    view = await end_of(world, phone)
    assert (view.reason, view.dossier) == (Reason.ANSWER_NOT_RECOGNISED, None)
    world, phone = World(), with_fault("inspect", lambda: AnswerNotRecognised("odd"))
    phone.leaves_dossiers = False
    view = await end_of(world, phone)
    assert (view.reason, view.dossier) == (Reason.ANSWER_NOT_RECOGNISED, None)


async def test_who_pulls_the_cable_meanwhile_ends_the_job_as_ever() -> None:
    world = World()
    port = world.ports["A1"]

    async def pulled(_phone: Phone) -> None:
        port.unplug()
        raise AnswerNotRecognised("odd")

    phone = Phone(faults={"inspect": pulled}, dossier_takes_s=DOSSIER_WITHIN_S / 2)
    async with world.running():
        port.plug(phone)
        await world.until(lambda: phone.calls["inspect"] > 0)
        await world.until_state(SlotState.EMPTY)
    assert phone.dossiers == []
