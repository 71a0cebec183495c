"""Whole jobs on the virtual rack: the daemon, people who answer, and what the records say."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio

from benchd.certificate import verify_certificate
from benchd.lab.demo.demo_operators import SlotObject
from benchd.lab.demo.demo_rack import DemoRack, SlotHands, demo_rack
from benchd.lab.demo.demo_run import as_expected, result_of, until_all_ended
from benchd.lab.simulator.hands import RackHands
from benchd.lab.simulator.plan import DEFAULT_CAPACITY_BYTES
from benchd.lab.simulator.scenarios import SCENARIOS, Scenario
from benchd.lab.simulator.storage.faults import StorageFaults
from benchd.ledger import export_lines

WITHIN_S = 200


def scenarios(names: Sequence[str]) -> list[Scenario]:
    return [SCENARIOS[name] for name in names]


def slow(name: str, overwrite_s: int) -> Scenario:
    """With storage that is so slow that its overwrite takes this long, and can be met in it."""
    faults = StorageFaults(write_bytes_per_s=DEFAULT_CAPACITY_BYTES // overwrite_s)
    found = SCENARIOS[name]
    return replace(found, plan=replace(found.plan, faults=faults))


@asynccontextmanager
async def at_work(
    folder: Path,
    handsets: Sequence[Scenario],
    *,
    started: bool = True,
    hands: Callable[[RackHands], SlotHands] = SlotHands,
) -> AsyncGenerator[DemoRack]:
    """A rack whose people answer what its daemon asks, as soon as it is `started`."""
    async with (
        demo_rack(folder, handsets, port=8420) as rack,
        anyio.create_task_group() as people,
    ):
        if started:
            await rack.start_daemon()
        people.start_soon(replace(rack.operators(), hands=hands(rack.hands)).work)
        yield rack
        people.cancel_scope.cancel()


async def until(rack: DemoRack, holds: Callable[[], bool], within_s: float = WITHIN_S) -> None:
    with anyio.move_on_after(within_s) as scope:
        while not holds():
            await rack.watch.next_look()
    assert not scope.cancelled_caught, rack.watch.slots


async def until_slot(rack: DemoRack, slot: str, holds: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - JSON
    """The slot as the daemon tells it, once this holds of it."""
    watch = rack.watch
    await until(rack, lambda: slot in watch.slots and holds(watch.slots[slot]))
    return watch.slots[slot]


def overwrites(slot: SlotObject) -> bool:
    """Whether it is in the middle of its overwrite."""
    done = slot["progress"]
    return slot["stage"] == "overwrite" and isinstance(done, float) and done > 0


async def results(rack: DemoRack) -> list[dict[str, Any]]:
    """How each handset ended, when all have."""
    with anyio.fail_after(WITHIN_S):
        await until_all_ended(rack)
    return [await result_of(rack, placed) for placed in rack.placed]


async def must_end_as_expected(rack: DemoRack) -> None:
    for result, placed in zip(await results(rack), rack.placed, strict=True):
        told = f"{result}\n{rack.folder.log.read_text()[-20000:]}"
        assert as_expected(result, placed.scenario), told


def certified(rack: DemoRack, slot: str) -> Any:  # noqa: ANN401 - JSON
    """What the certificate of the slot's job says, as a stranger reads it."""
    envelope = rack.folder.certificate(str(rack.watch.slots[slot]["job"])).read_bytes()
    told = verify_certificate(envelope, rack.folder.public_key.read_bytes())
    return json.loads(json.dumps(told))["predicate"]


def bodies(ledger: Path) -> list[dict[str, Any]]:
    """What is on record, in order."""
    return [json.loads(line)["body"] for line in export_lines(ledger)]
