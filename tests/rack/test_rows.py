"""Rows of the table of attacks on the virtual rack: what comes into a handset or a slot in mid-job.

Several handsets at once, each with its own story, since a rack takes longest to start.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.lab.demo.demo_operators import ended
from benchd.lab.demo.demo_rack import DemoRack, SlotHands
from benchd.lab.simulator.hands import RackHands, Screen
from benchd.lab.simulator.handset_models import XPERIA_ACE_III_ON_14
from benchd.lab.simulator.plan import DEFAULT_CAPACITY_BYTES
from benchd.lab.simulator.scenario import Scenario, freshly_reset
from benchd.lab.simulator.scenarios import PASSED, SCENARIOS
from benchd.lab.simulator.storage.faults import StorageFaults
from tests.rack.working import at_work, certified, overwrites, slow, until_slot

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(300)]

CLEAN = SCENARIOS["clean"]
QUOTA_SHARE = 0.85
"""More than any recipe asks to be proven: coverage alone would let it pass."""
QUOTA = StorageFaults(quota_after_bytes=int(QUOTA_SHARE * DEFAULT_CAPACITY_BYTES))
# Both tell adb no IMEI: only people know their numbers.
UNTOLD = Scenario(
    plan=freshly_reset("untold", XPERIA_ACE_III_ON_14, "HQ633K0F61", "353871116120509"),
    end=PASSED,
)
NEIGHBOUR = Scenario(
    plan=freshly_reset("neighbour", XPERIA_ACE_III_ON_14, "HQ633K0F77", "353871116120517"),
    end=PASSED,
)


async def test_rows_4_7_and_8_a_quota_and_what_comes_in_hold_a_handset_and_a_sim_waits(
    tmp_path: Path,
) -> None:
    with_sim = replace(CLEAN, plan=replace(CLEAN.plan, sim=True))
    limited = replace(CLEAN, plan=replace(CLEAN.plan, faults=QUOTA))
    changed = {"A1": "removable_media", "A2": "locked"}
    four = [slow("clean", 12), slow("clean", 12), with_sim, limited]
    async with at_work(tmp_path, four) as rack:

        async def put_in_a_card() -> None:
            await until_slot(rack, "A1", overwrites)
            await rack.hands.set_tray("A1", memory_card=True)

        async def sign_in() -> None:
            await until_slot(rack, "A2", overwrites)
            await rack.hands.sign_in("A2")

        async with anyio.create_task_group() as changing:
            changing.start_soon(put_in_a_card)
            changing.start_soon(sign_in)
        # A SIM waits on the tile, and its job goes on once it is out.
        waiting = await until_slot(rack, "A3", lambda slot: slot["problem"] is not None)
        assert waiting["problem"]["code"] == "sim_present"
        assert waiting["question"] is None
        await rack.hands.set_tray("A3")
        # What comes in during the overwrite ends the job before the last reset.
        for slot, reason in changed.items():
            end = await until_slot(rack, slot, ended)
            assert (end["disposition"], end["reason"]) == ("hold", reason)
            assert end["stage"] == "final_reset"
            job: Any = await rack.watch.job(str(end["job"]))
            assert "final_reset" not in [decision["gate"] for decision in job["decisions"]]
            assert (await rack.hands.handset(slot)).reset_count == 0
        assert (await until_slot(rack, "A3", ended))["disposition"] == "sellable"
        # A quota of the handset's own isn't taken for a full storage.
        end = await until_slot(rack, "A4", ended)
        told = (end["outcome"], end["reason"], end["disposition"])
        assert told == ("failed", "storage_quota", "hold")


class FirstScanOfTheNeighbour(SlotHands):
    """Hands that take the handset beside it once, when A1's number is wanted first."""

    def __init__(self, hands: RackHands) -> None:
        super().__init__(hands)
        self._scanned: set[str] = set()

    async def screen(self, slot: str) -> Screen:
        first = slot not in self._scanned
        self._scanned.add(slot)
        return await super().screen("A2" if first and slot == "A1" else slot)


async def test_rows_1_and_3_a_wrong_scan_and_a_slot_without_a_reader_certify_nobody(
    tmp_path: Path,
) -> None:
    # Silent with a reader: its chip may be in use, and nobody could see.
    four = [UNTOLD, NEIGHBOUR, SCENARIOS["felica-silent"], CLEAN]
    async with at_work(tmp_path, four, started=False, hands=FirstScanOfTheNeighbour) as rack:
        number = (await rack.hands.screen("A2")).imei
        without_reader(rack, "A4")
        await rack.hands.unplug("A4")
        await rack.start_daemon()
        # A person's word in a slot without a reader leaves a reader's look as it is.
        seen = await until_slot(rack, "A3", ended)
        assert (seen["disposition"], seen["reason"]) == ("hold", "felica_silent")
        await rack.hands.move("A3", 4)
        # The neighbour's number, scanned once, certifies neither by the other.
        misread = await until_slot(rack, "A1", ended)
        assert (misread["disposition"], misread["reason"]) == ("hold", "handset_changed")
        right = await until_slot(rack, "A2", ended)
        assert right["disposition"] == "sellable", right
        assert certified(rack, "A2")["handset"]["imei"] == number
        again = await until_slot(rack, "A4", ended)
        assert (again["disposition"], again["reason"]) == ("hold", "reader_look_stands")
        for slot in (misread, again):
            assert not rack.folder.certificate(str(slot["job"])).exists()


def without_reader(rack: DemoRack, slot: str) -> None:
    """Take a slot's reader out of the configuration, before the daemon starts."""
    config = rack.folder.config
    before, table, after = config.read_text().partition(f"[slots.{slot}]\n")
    port, reader, *others = after.splitlines(keepends=True)
    assert reader.startswith("reader = "), after
    config.write_text("".join((before, table, port, *others)))
