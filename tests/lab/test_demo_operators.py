"""The demo's operators press reset once per question, whoever of them saw the answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import anyio
import pytest

from benchd.domain.ids import JsonValue
from benchd.domain.job import Gate
from benchd.domain.slot import ProblemCode
from benchd.lab.demo.demo_operators import Operators, RackWatch, over_socket
from benchd.lab.simulator.hands import Screen

pytestmark = pytest.mark.asyncio

JOB = "20261124-aa"


class FakeWatch(RackWatch):
    """A fake rack that always shows the same slot."""

    def __init__(self, slot: Mapping[str, JsonValue]) -> None:
        super().__init__(partial(over_socket, Path("/nowhere")))
        self.slots = {"A1": slot}
        self.looks = 0
        self.enough = anyio.Event()

    async def look(self) -> bool:
        self.looks += 1
        if self.looks > 3:
            self.enough.set()
        return True

    async def job(self, job: str) -> Mapping[str, JsonValue]:
        assert job == JOB
        return {"decisions": [{"gate": "final_reset", "approved": True}]}


class FakeHands:
    """Fake hands that only count."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def reset_by_hand(self, slot: str) -> None:
        self.done.append(f"reset {slot}")

    async def enable_adb(self, slot: str) -> None:
        self.done.append(f"adb {slot}")

    async def allow_adb(self, slot: str) -> None:
        self.done.append(f"allow {slot}")

    async def screen(self, slot: str) -> Screen:
        self.done.append(f"screen {slot}")
        return Screen(imei="356938035643809", serial="SIM")


async def assisted(operators: Operators, watch: FakeWatch) -> None:
    """Let them assist until they have looked a few times."""
    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(operators.assist)
            await watch.enough.wait()
            group.cancel_scope.cancel()


RESETTING: Mapping[str, JsonValue] = {
    "problem": None,
    "question": None,
    "job": JOB,
    "state": "replugging",
    "stage": "final_reset",
}


async def test_a_reset_is_made_once_however_often_the_answer_is_seen() -> None:
    watch, hands = FakeWatch(RESETTING), FakeHands()
    await assisted(Operators(watch=watch, hands=hands, answers={}), watch)
    assert hands.done == ["reset A1"]


async def test_a_reset_that_was_made_with_the_answer_is_not_made_again() -> None:
    watch, hands = FakeWatch(RESETTING), FakeHands()
    operators = Operators(watch=watch, hands=hands, answers={}, resets={(JOB, Gate.FINAL_RESET)})
    await assisted(operators, watch)
    assert hands.done == []


@pytest.mark.parametrize(
    ("code", "done"),
    [(ProblemCode.ADB_DISABLED, "adb A1"), (ProblemCode.UNAUTHORIZED, "allow A1")],
)
async def test_what_the_wall_says_is_done_on_the_screen(code: str, done: str) -> None:
    slot = {**RESETTING, "job": None, "state": "waiting", "stage": None, "problem": {"code": code}}
    watch, hands = FakeWatch(slot), FakeHands()
    await assisted(Operators(watch=watch, hands=hands, answers={}), watch)
    assert set(hands.done) == {done}
