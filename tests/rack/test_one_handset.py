"""On the virtual rack: a wrong scan and a slot without a reader certify nobody."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.certificate import verify_certificate
from benchd.lab.demo.demo_operators import ended
from benchd.lab.demo.demo_rack import DemoRack, SlotHands, demo_rack
from benchd.lab.simulator.hands import RackHands, Screen
from benchd.lab.simulator.handset_models import XPERIA_ACE_III_ON_14
from benchd.lab.simulator.scenario import Scenario, freshly_reset
from benchd.lab.simulator.scenarios import PASSED, SCENARIOS

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(300)]

# Both tell adb no IMEI: only people know their numbers.
UNTOLD = Scenario(
    plan=freshly_reset("untold", XPERIA_ACE_III_ON_14, "HQ633K0F61", "353871116120509"),
    end=PASSED,
)
NEIGHBOUR = Scenario(
    plan=freshly_reset("neighbour", XPERIA_ACE_III_ON_14, "HQ633K0F77", "353871116120517"),
    end=PASSED,
)


class FirstScanOfTheNeighbour(SlotHands):
    """Hands that take the handset beside it once, when A1's number is wanted first."""

    def __init__(self, hands: RackHands) -> None:
        super().__init__(hands)
        self._scanned: set[str] = set()

    async def screen(self, slot: str) -> Screen:
        first = slot not in self._scanned
        self._scanned.add(slot)
        return await super().screen("A2" if first and slot == "A1" else slot)


@asynccontextmanager
async def working(rack: DemoRack, hands: SlotHands) -> AsyncGenerator[None]:
    """The daemon runs, and two people do what its screen says."""
    await rack.start_daemon()
    async with anyio.create_task_group() as group:
        group.start_soon(replace(rack.operators(), hands=hands).work)
        yield
        group.cancel_scope.cancel()


async def until(rack: DemoRack, slot: str, holds: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - JSON
    with anyio.move_on_after(200) as scope:
        while slot not in rack.watch.slots or not holds(rack.watch.slots[slot]):
            await rack.watch.next_look()
    assert not scope.cancelled_caught, rack.watch.slots[slot]
    return rack.watch.slots[slot]


async def test_row_1_the_neighbours_number_scanned_once_certifies_neither_by_the_other(
    tmp_path: Path,
) -> None:
    async with demo_rack(tmp_path, [UNTOLD, NEIGHBOUR], port=8420) as rack:
        number = (await rack.hands.screen("A2")).imei
        async with working(rack, FirstScanOfTheNeighbour(rack.hands)):
            misread = await until(rack, "A1", ended)
            right = await until(rack, "A2", ended)
        assert (misread["disposition"], misread["reason"]) == ("hold", "handset_changed")
        assert right["disposition"] == "sellable", right
        certificate = rack.folder.certificate(str(right["job"])).read_bytes()
        statement: Any = verify_certificate(certificate, rack.folder.public_key.read_bytes())
        assert statement["predicate"]["handset"]["imei"] == number
        assert not rack.folder.certificate(str(misread["job"])).exists()


async def test_row_3_a_persons_word_in_a_slot_without_reader_leaves_a_readers_look(
    tmp_path: Path,
) -> None:
    # Silent with a reader: its chip may be in use, and nobody could see.
    async with demo_rack(
        tmp_path, [SCENARIOS["felica-silent"], SCENARIOS["clean"]], port=8420
    ) as rack:
        without_reader(rack, "A2")
        await rack.hands.unplug("A2")
        async with working(rack, SlotHands(rack.hands)):
            seen = await until(rack, "A1", ended)
            assert (seen["disposition"], seen["reason"]) == ("hold", "felica_silent")
            await rack.hands.move("A1", 2)
            end = await until(rack, "A2", ended)
        assert (end["disposition"], end["reason"]) == ("hold", "reader_look_stands")
        assert not rack.folder.certificate(str(end["job"])).exists()


def without_reader(rack: DemoRack, slot: str) -> None:
    """Take a slot's reader out of the configuration, before the daemon starts."""
    config = rack.folder.config
    before, table, after = config.read_text().partition(f"[slots.{slot}]\n")
    port, reader, *others = after.splitlines(keepends=True)
    assert reader.startswith("reader = "), after
    config.write_text("".join((before, table, port, *others)))
