"""While a large answer is read the loop goes on: its neighbours' slots are on it."""

from __future__ import annotations

import threading

import anyio
import pytest
from handset_fakes import ScriptedShell

from benchd.devices.android.facts import fact_table, inspection
from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.devices.android.shell.large_answers import USUAL_BYTES, read_beside
from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.handset import BatteryFacts

pytestmark = pytest.mark.asyncio

PATIENCE_S = 20.0


async def test_a_usual_answer_is_read_at_once() -> None:
    assert await read_beside(USUAL_BYTES, threading.get_ident) == threading.get_ident()


async def test_what_is_wrong_with_a_large_answer_is_told_as_ever() -> None:
    def refuse() -> None:
        raise AnswerNotRecognised("no battery")

    with pytest.raises(AnswerNotRecognised, match="no battery"):
        await read_beside(USUAL_BYTES + 1, refuse)


async def test_a_neighbour_gets_its_turn_while_a_large_answer_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = threading.Event()
    neighbour = threading.Event()

    def until_neighbour(text: str) -> BatteryFacts:
        read.set()
        assert neighbour.wait(PATIENCE_S), f"the loop stood still over {len(text)} characters"
        return BatteryFacts(percent=50, temperature_c=20.0)

    async def neighbours_turn() -> None:
        while not read.is_set():  # noqa: ASYNC110 - another thread's event
            await anyio.sleep(0.001)
        neighbour.set()

    monkeypatch.setattr(fact_table, "read_battery", until_neighbour)
    shell = ScriptedShell({QUESTIONS["battery"]: "x" * USUAL_BYTES + "x"})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(neighbours_turn)
        assert (await inspection.read_battery_facts(shell)).percent == 50
