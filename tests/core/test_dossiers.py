"""A handset that isn't understood leaves its answers on the rack, and its job ends no worse."""

from __future__ import annotations

import pytest

from benchd.domain.errors import (
    AnswerNotRecognised,
    HandsetStalled,
    UnsupportedHandset,
)
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.slot_states import SlotState
from benchd.pipelines.runner import DOSSIER_WITHIN_S
from benchd.proof.job_history import fold_job

from .world import MIB, Phone, World, failing

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def with_fault(call: str, kind: type[Exception]) -> Phone:
    return Phone(used_bytes=30 * MIB, faults=failing(call, kind("odd")))


@pytest.mark.parametrize("call", ["inspect", "reset_facts"])
@pytest.mark.parametrize("kind", [AnswerNotRecognised, UnsupportedHandset])
async def test_what_is_not_understood_is_kept_and_named(call: str, kind: type[Exception]) -> None:
    world, phone = World(), with_fault(call, kind)
    view = await world.end_of(phone)
    assert (view.outcome, view.disposition) == (Outcome.FAILED, Disposition.HOLD)
    assert view.dossier == view.job
    assert phone.dossiers == ["odd"]
    assert view.job is not None
    records = await world.ledger.entries(view.job)
    assert fold_job(records, world.issuer).dossier == view.job


@pytest.mark.parametrize(
    ("call", "kind", "reason"),
    [
        ("fill", AnswerNotRecognised, Reason.ANSWER_NOT_RECOGNISED),
        ("check", AnswerNotRecognised, Reason.ANSWER_NOT_RECOGNISED),
        ("inspect", HandsetStalled, Reason.HANDSET_STALLED),
    ],
)
async def test_after_the_reset_or_another_failure_nothing_is_left_to_keep(
    call: str, kind: type[Exception], reason: Reason
) -> None:
    phone = with_fault(call, kind)
    view = await World().refuses(phone, reason)
    assert view.dossier is None
    assert phone.dossiers == []


@pytest.mark.parametrize("leaves", [True, False])
async def test_one_that_takes_too_long_or_fails_changes_nothing(leaves: bool) -> None:
    phone = with_fault("inspect", AnswerNotRecognised)
    phone.leaves_dossiers = leaves
    phone.dossier_takes_s *= 100 * DOSSIER_WITHIN_S if leaves else 1
    view = await World().refuses(phone, Reason.ANSWER_NOT_RECOGNISED)
    assert view.dossier is None


async def test_who_pulls_the_cable_meanwhile_ends_the_job_as_ever() -> None:
    world = World()

    async def pulled(_phone: Phone) -> None:
        world.ports["A1"].unplug()
        raise AnswerNotRecognised("odd")

    phone = Phone(faults={"inspect": pulled}, dossier_takes_s=DOSSIER_WITHIN_S / 2)
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until(lambda: phone.calls["inspect"] > 0)
        await world.until_state(SlotState.EMPTY)
    assert phone.dossiers == []
