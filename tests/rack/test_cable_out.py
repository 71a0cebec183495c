"""A cable that comes out in mid-overwrite: in the queue, then in the tray, never forgotten."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.lab.demo.demo_operators import over_socket
from benchd.lab.demo.demo_rack import DemoRack
from tests.rack.working import at_work, overwrites, slow, until_slot

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(300)]

RETURN_WITHIN_S = 6
LOOK_EVERY_S = 0.02
GENEROUS_S = 5.0
"""Half a second on a busy machine; a second is what people are promised."""
WAITS = f'unplugged = "wait"\nreturn_within_s = {RETURN_WITHIN_S}'


async def queue_of(rack: DemoRack) -> dict[str, Any]:
    async with over_socket(rack.folder.socket) as client:
        told: dict[str, Any] = (await client.get("/api/v1/queue")).json()
    return told


async def until(rack: DemoRack, holds: Callable[[list[dict[str, Any]]], bool]) -> dict[str, Any]:
    """The queue as soon as this holds of its errands."""
    with anyio.fail_after(90):
        while True:
            told = await queue_of(rack)
            if holds(told["errands"]):
                return told
            await anyio.sleep(LOOK_EVERY_S)


def kinds(errands: list[dict[str, Any]], slot: str = "A1") -> list[str]:
    return [errand["kind"] for errand in errands if errand["slot"] == slot]


async def test_a_cable_out_is_told_within_a_second_and_never_becomes_an_empty_tile(
    tmp_path: Path,
) -> None:
    async with at_work(tmp_path, [slow("clean", 30)], started=False) as rack:
        recipe = next(rack.folder.config.parent.glob("**/overwrite.toml"))
        text = recipe.read_text(encoding="utf-8")
        changed = text.replace("\nfile_bytes = ", f"\n{WAITS}\nfile_bytes = ")
        assert changed != text
        recipe.write_text(changed, encoding="utf-8")
        await rack.start_daemon()
        under_way = await until_slot(rack, "A1", lambda a: overwrites(a) and a["progress"] > 0.1)
        job = under_way["job"]
        assert kinds((await queue_of(rack))["errands"]) == []

        await rack.hands.unplug("A1")
        began = anyio.current_time()
        told = await until(rack, lambda errands: kinds(errands) == ["replug"])
        with_deadline = await until(rack, lambda e: e[0]["deadline"] is not None)
        assert anyio.current_time() - began < GENEROUS_S
        (errand,) = with_deadline["errands"]
        left = datetime.fromisoformat(errand["deadline"]) - datetime.fromisoformat(
            with_deadline["now"]
        )
        assert 0 < left.total_seconds() <= RETURN_WITHIN_S
        assert told["errands"][0]["job"] == job

        told = await until(rack, lambda errands: kinds(errands) == ["tray"])
        assert (told["errands"][0]["job"], told["errands"][0]["here"]) == (job, True)
        # Whoever wasn't there when it happened has to know of it too.
        await rack.kill_daemon()
        await rack.start_daemon()
        told = await until(rack, lambda errands: kinds(errands) == ["tray"])
        assert (told["errands"][0]["job"], told["errands"][0]["here"]) == (job, True)

        # The same handset, plugged in again: its new job takes it over.
        await rack.hands.plug("A1", 1)
        await until(rack, lambda errands: "tray" not in kinds(errands))
