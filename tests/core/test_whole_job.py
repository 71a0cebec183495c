"""One handset through the whole recipe, in virtual time."""

from __future__ import annotations

import anyio
import pytest

from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState

from .world import MIB, STAGES, Phone, World, ended

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_a_fresh_handset_ends_passed_and_sellable() -> None:
    world = World()
    async with world.running():
        phone = Phone()
        view = await world.ran(phone)
        assert (view.outcome, view.disposition, view.reason) == (
            Outcome.PASSED,
            Disposition.SELLABLE,
            None,
        )
        assert phone.erased_for_real
        assert phone.dropped
        assert view.job in world.issuer.kept
        await world.take_out()
    kinds = [stored.entry.kind for stored in world.ledger.stored]
    assert kinds[0] is EntryKind.OCCUPANCY_OPENED
    assert kinds[-1] is EntryKind.OCCUPANCY_CLOSED


async def test_the_last_owners_data_is_reset_away_first() -> None:
    world = World()
    phone = Phone(used_bytes=30 * MIB, apps=12)
    await world.sells(phone)
    assert phone.calls["enable_test_harness"] == 1


async def test_intent_is_on_record_before_every_stage_and_evidence_after() -> None:
    world = World()
    await world.end_of()
    marks = [
        (stored.entry.kind, stored.entry.data["stage"])
        for stored in world.ledger.stored
        if stored.entry.kind in (EntryKind.STAGE_STARTED, EntryKind.STAGE_ENDED)
    ]
    assert marks == [
        mark
        for stage in STAGES
        for mark in ((EntryKind.STAGE_STARTED, stage), (EntryKind.STAGE_ENDED, stage))
    ]


@pytest.mark.parametrize(
    ("gate", "reason", "disposition"),
    [
        (Gate.CONSENT, Reason.CONSENT_MISSING, Disposition.HOLD),
        (Gate.JPKI, Reason.JPKI_NOT_ATTESTED, Disposition.HOLD),
        (Gate.NETWORK, Reason.NETWORK_RESTRICTED, Disposition.HOLD),
        (Gate.FELICA_RECHECK, Reason.FELICA_RESIDUE, Disposition.DESTROY),
        (Gate.FINAL_RESET, Reason.OPERATOR_STOPPED, Disposition.HOLD),
        (Gate.OBSERVE, Reason.FINAL_RESET_NOT_PROVEN, Disposition.HOLD),
        (Gate.CONFIRM, Reason.NOT_CONFIRMED, Disposition.HOLD),
    ],
)
async def test_a_no_at_a_gate_ends_the_job(
    gate: Gate, reason: Reason, disposition: Disposition
) -> None:
    # Nobody is asked for consent unless the chip is in use.
    in_use = {Gate.FELICA_CHECK: False} if gate is Gate.CONSENT else {}
    world = World(answers={gate: False, **in_use})
    view = await world.end_of()
    assert (view.outcome, view.disposition, view.reason) == (
        Outcome.FAILED,
        disposition,
        reason,
    )
    assert not world.issuer.kept


async def test_a_chip_in_use_is_cleared_and_checked_again() -> None:
    world = World(answers={Gate.FELICA_CHECK: False})
    await world.sells()
    asked = [s.entry.data["gate"] for s in world.ledger.of(EntryKind.QUESTION_ASKED)]
    assert Gate.FELICA_CLEAR in asked


async def test_a_chip_that_nobody_can_clear_is_destroyed() -> None:
    view = await World(answers={Gate.FELICA_CHECK: False, Gate.FELICA_CLEAR: False}).end_of()
    assert (view.disposition, view.reason) == (
        Disposition.DESTROY,
        Reason.FELICA_NOT_CLEARABLE,
    )


async def test_sixteen_handsets_take_as_long_as_one() -> None:
    async def duration(slots: int) -> float:
        world = World(slots)
        async with world.running():
            began = anyio.current_time()
            for port in world.ports.values():
                port.plug(Phone(serial=f"S-{port.slot}", used_bytes=30 * MIB))
            for slot in world.ports:
                await world.until_state(SlotState.FINISHED, slot)
            taken = anyio.current_time() - began
        assert [end["outcome"] for end in ended(world)] == [Outcome.PASSED] * slots
        return taken

    assert await duration(16) == pytest.approx(await duration(1))
