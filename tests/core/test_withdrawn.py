"""What was attested at intake is asked again after every wait, and before anything is destroyed."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

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
from benchd.proof.evidence.intake_evidence import WithdrawnRecord
from tests.intake.lots import BY, LOT, attested

from .fake_chips import IN_USE, FakeChip, FakeChipAccess
from .lot_rack import Rack
from .world import FRESH, MIB, Phone, ended, make_recipe

BOTH = (AttestationKind.CONSENT, AttestationKind.JPKI)
HELD = (Outcome.FAILED, Reason.JPKI_NOT_ATTESTED)
GUIDED = InitialiseStage(fresh_used_bytes=FRESH, method="guided")
EXPIRED_S = 600.0


class Attested(Rack):
    """A rack with a lot of which somebody attests all that a person can."""

    async def came_in(self) -> None:
        await self.lot()
        await self.looked_up()
        self.number = await self.desk.attest(attested(*BOTH))

    async def withdraw(self) -> None:
        told = WithdrawnRecord(
            lot=LOT, attestation=self.number, kinds=(AttestationKind.JPKI,), tags=(), note="", by=BY
        )
        await self.desk.withdraw(told)

    def started(self, stage: StageName) -> int:
        started = self.ledger.of(EntryKind.STAGE_STARTED)
        return sum(record.entry.data["stage"] == stage for record in started)

    async def ends(self) -> tuple[object, object]:
        with anyio.fail_after(EXPIRED_S):
            await self.world.until_state(SlotState.FINISHED)
        end = ended(self.world)[-1]
        return end["outcome"], end["reason"]


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_what_is_withdrawn_at_a_held_door_is_not_gone_by() -> None:
    rack = Attested()
    await rack.came_in()
    phone = Phone(used_bytes=30 * MIB)
    async with rack.world.running():
        rack.world.ports["A1"].plug(phone)
        await rack.world.until(lambda: rack.world.view().stage is StageName.FELICA_CHECK)
        rack.world.parts.admission.hold(ProblemCode.DISK_FULL)
        await rack.world.until_state(SlotState.WAITING)
        await rack.withdraw()
        # Nobody waits at a door that leads nowhere.
        assert await rack.ends() == HELD
    assert not rack.started(StageName.INITIALISE)
    assert not phone.wiped


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_reset_that_is_asked_for_is_withdrawn_with_what_it_rests_on() -> None:
    rack = Attested(recipe=make_recipe(initialise=GUIDED))
    await rack.came_in()
    rack.world.silent_in = StageName.INITIALISE
    phone = Phone(used_bytes=30 * MIB)
    async with rack.world.running():
        rack.world.ports["A1"].plug(phone)
        await rack.world.until_asked(Gate.GUIDED_RESET)
        await rack.withdraw()
        assert await rack.ends() == HELD
        assert rack.world.view().question is None
        assert "withdrawn" in str(ended(rack.world)[-1]["detail"])
    assert not phone.wiped


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_an_attempt_after_a_lost_server_asks_again() -> None:
    rack = Attested()
    await rack.came_in()
    phone = Phone(used_bytes=30 * MIB)

    async def lost_once(_: Phone) -> None:
        if phone.calls["enable_test_harness"] == 1:
            await rack.withdraw()
            raise AdbServerLost("gone for a moment")

    phone.faults["enable_test_harness"] = lost_once
    async with rack.world.running():
        rack.world.ports["A1"].plug(phone)
        assert await rack.ends() == HELD
    assert rack.started(StageName.INITIALISE) == 1
    assert phone.calls["enable_test_harness"] == 1
    assert not phone.wiped


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_what_is_withdrawn_between_the_intent_and_the_act_stops_the_act() -> None:
    rack = Attested()
    await rack.came_in()
    phone = Phone(used_bytes=30 * MIB)

    async def meanwhile(_: Phone) -> None:
        if rack.started(StageName.INITIALISE):
            phone.faults.clear()
            await rack.withdraw()

    phone.faults["reset_facts"] = meanwhile
    async with rack.world.running():
        rack.world.ports["A1"].plug(phone)
        assert await rack.ends() == HELD
    assert not phone.wiped


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_sim_is_not_waited_for_before_a_reset_that_nothing_allows_any_more() -> None:
    rack = Attested()
    await rack.came_in()
    phone = Phone(used_bytes=30 * MIB)

    async def put_in(_: Phone) -> None:
        phone.sim = True

    phone.faults["standing"] = put_in
    async with rack.world.running():
        rack.world.ports["A1"].plug(phone)
        await rack.world.until(lambda: rack.world.view().stage is StageName.FINAL_RESET)
        await rack.world.until_state(SlotState.WAITING)
        await rack.withdraw()
        assert await rack.ends() == HELD
    assert Gate.FINAL_RESET not in rack.asked()


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_chip_is_cleared_by_hand_only_as_long_as_its_owner_agrees() -> None:
    rack = Attested(FakeChip(looks=IN_USE, claims=[ClearOutcome.NEEDS_OPERATOR]))
    await rack.came_in()
    rack.world.silent_in = StageName.FELICA_CLEAR
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone(used_bytes=30 * MIB))
        await rack.world.until_asked(Gate.FELICA_CLEAR)
        await rack.withdraw()
        assert await rack.ends() == HELD


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_chip_is_not_cleared_again_once_nothing_allows_it_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rack = Attested(FakeChip(looks=IN_USE, after_clear=None))
    await rack.came_in()
    chips = cast("FakeChipAccess", rack.world.parts.chips)
    clear = chips.clear

    async def clear_and_withdraw(order: ClearOrder) -> ClearClaim:
        claim = await clear(order)
        await rack.withdraw()
        return claim

    monkeypatch.setattr(chips, "clear", clear_and_withdraw)
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone(used_bytes=30 * MIB))
        assert await rack.ends() == HELD
    assert len(chips.orders) == 1


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
