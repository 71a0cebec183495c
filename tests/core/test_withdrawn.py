"""What was attested at intake is asked again after every wait, and before anything is destroyed."""

from __future__ import annotations

import ast
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

import benchd.pipelines
from benchd.devices.android.adb import AdbServerLost
from benchd.domain.clear import ClearClaim, ClearOrder, ClearOutcome
from benchd.domain.intake import AttestationKind
from benchd.domain.job import Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.pipelines.stages.initialise import InitialiseStage

from .fake_chips import IN_USE, FakeChip
from .lot_rack import Rack
from .world import FRESH, MIB, Phone, ended, make_recipe

GUIDED = InitialiseStage(fresh_used_bytes=FRESH, method="guided")
EXPIRED_S = 600.0


@asynccontextmanager
async def held(rack: Rack, phone: Phone) -> AsyncGenerator[None]:
    """A handset of a lot of which all is attested; its job ends soon, as what isn't attested."""
    await rack.lot()
    await rack.looked_up()
    await rack.attest()
    async with rack.world.running():
        rack.world.ports["A1"].plug(phone)
        yield
        with anyio.fail_after(EXPIRED_S):
            await rack.world.until_state(SlotState.FINISHED)
    assert rack.end() == (Outcome.FAILED, Reason.JPKI_NOT_ATTESTED)


def used() -> Phone:
    return Phone(used_bytes=30 * MIB)


def started(rack: Rack, stage: StageName) -> int:
    records = rack.ledger.of(EntryKind.STAGE_STARTED)
    return sum(record.entry.data["stage"] == stage for record in records)


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_what_is_withdrawn_at_a_held_door_is_not_gone_by() -> None:
    rack, phone = Rack(), used()
    async with held(rack, phone):
        await rack.world.until_stage(StageName.FELICA_CHECK)
        rack.world.parts.admission.hold(ProblemCode.DISK_FULL)
        await rack.world.until_state(SlotState.WAITING)
        # Nobody waits at a door that leads nowhere.
        await rack.withdraw(AttestationKind.JPKI)
    assert not started(rack, StageName.INITIALISE)
    assert not phone.wiped


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_reset_that_is_asked_for_is_withdrawn_with_what_it_rests_on() -> None:
    rack, phone = Rack(recipe=make_recipe(initialise=GUIDED)), used()
    rack.world.silent_in = StageName.INITIALISE
    async with held(rack, phone):
        await rack.world.until_asked(Gate.GUIDED_RESET)
        await rack.withdraw(AttestationKind.JPKI)
    assert rack.world.view().question is None
    assert "withdrawn" in str(ended(rack.world)[-1]["detail"])
    assert not phone.wiped


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_an_attempt_after_a_lost_server_asks_again() -> None:
    rack, phone = Rack(), used()

    async def lost_once(_: Phone) -> None:
        if phone.calls["enable_test_harness"] == 1:
            await rack.withdraw(AttestationKind.JPKI)
            raise AdbServerLost("gone for a moment")

    phone.faults["enable_test_harness"] = lost_once
    async with held(rack, phone):
        pass
    assert started(rack, StageName.INITIALISE) == 1
    assert phone.calls["enable_test_harness"] == 1
    assert not phone.wiped


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_what_is_withdrawn_between_the_intent_and_the_act_stops_the_act() -> None:
    rack, phone = Rack(), used()

    async def meanwhile(_: Phone) -> None:
        if started(rack, StageName.INITIALISE):
            phone.faults.clear()
            await rack.withdraw(AttestationKind.JPKI)

    phone.faults["reset_facts"] = meanwhile
    async with held(rack, phone):
        pass
    assert not phone.wiped


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_sim_is_not_waited_for_before_a_reset_that_nothing_allows_any_more() -> None:
    rack, phone = Rack(), used()

    async def put_in(_: Phone) -> None:
        phone.sim = True

    phone.faults["standing"] = put_in
    async with held(rack, phone):
        await rack.world.until_stage(StageName.FINAL_RESET)
        await rack.world.until_state(SlotState.WAITING)
        await rack.withdraw(AttestationKind.JPKI)
    assert Gate.FINAL_RESET not in rack.asked()


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_chip_is_cleared_by_hand_only_as_long_as_its_owner_agrees() -> None:
    rack = Rack(FakeChip(looks=IN_USE, claims=[ClearOutcome.NEEDS_OPERATOR]))
    rack.world.silent_in = StageName.FELICA_CLEAR
    async with held(rack, used()):
        await rack.world.until_asked(Gate.FELICA_CLEAR)
        await rack.withdraw(AttestationKind.JPKI)


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_chip_is_not_cleared_again_once_nothing_allows_it_any_more() -> None:
    rack = Rack(FakeChip(looks=IN_USE, after_clear=None))
    clear = rack.chips.clear

    async def clear_and_withdraw(order: ClearOrder) -> ClearClaim:
        claim = await clear(order)
        await rack.withdraw(AttestationKind.JPKI)
        return claim

    rack.chips.clear = clear_and_withdraw  # type: ignore[method-assign]
    async with held(rack, used()):
        pass
    assert len(rack.chips.orders) == 1


DESTROYS = {"enable_test_harness", "fill", "clear"}
"""What a port offers that can't be undone."""


def _calls(function: ast.AST, wanted: Callable[[str], bool]) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and wanted(node.func.attr)
    ]


def _of_a_port(call: ast.Call) -> bool:
    owner = ast.unparse(call.func)
    return owner.rpartition(".")[0].endswith((".handset", ".chips"))


def test_every_act_that_destroys_asks_right_before_whether_it_still_may() -> None:
    found: list[str] = []
    for file in sorted(Path(benchd.pipelines.__path__[0]).rglob("*.py")):
        functions: list[Any] = [
            node
            for node in ast.walk(ast.parse(file.read_text()))
            if isinstance(node, ast.AsyncFunctionDef)
        ]
        for function in functions:
            acts = [c for c in _calls(function, DESTROYS.__contains__) if _of_a_port(c)]
            asks = _calls(function, lambda name: name == "refuse_withdrawn")
            last = 0
            for act in sorted(acts, key=lambda call: call.lineno):
                found.append(f"{file.stem}: {ast.unparse(act.func)}")
                before = [ask for ask in asks if last < ask.lineno < act.lineno]
                assert before, f"{file.name}:{act.lineno} doesn't ask"
                last = act.lineno
    assert len({each.partition(":")[0] for each in found}) == 3, found
