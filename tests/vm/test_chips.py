"""FeliCa chips on readers behind the machine's own pcscd, which polkit lets benchd use."""

from __future__ import annotations

import pytest

from tests.vm.guest.rackvm.plan import READER_SLOTS
from tests.vm.rig import Rig, slot_name

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]


async def test_a_chip_is_cleared_by_a_tool_and_the_tools_word_alone_never_passes(
    rig: Rig,
) -> None:
    kinds = {"used": "felica-in-use", "lies": "felica-clear-lies"}
    slots = dict(zip(kinds, READER_SLOTS, strict=False))
    await rig.fill_table(kinds)
    await rig.start_service()
    ends = await rig.run_to_the_end(slots)
    felica = ends["used"].proven()["felica"]
    said = {key: felica[key] for key in ("source", "check", "clear", "recheck")}
    assert said == {
        "source": "reader",
        "check": "in_use",
        "clear": "claimed: done",
        "recheck": "unused",
    }
    # The tool ran inside the service's sandbox, as benchd's own user.
    ends["lies"].must_not_pass("destroy", "felica_residue")


@pytest.mark.nightly
async def test_a_reader_that_is_gone_is_waited_for(rig: Rig) -> None:
    await rig.fill_table({"one": "ext4"})
    await rig.start_service()
    slot = READER_SLOTS[0]
    await rig.shell("systemctl stop pcscd.socket pcscd")
    try:
        async with rig.operating():
            await rig.plug({"one": slot})
            await rig.until_problem(slot_name(slot), "reader_gone")
            await rig.shell("systemctl start pcscd.socket")
            ends = await rig.ends({"one": slot})
    finally:
        await rig.shell("systemctl start pcscd.socket")
    assert ends["one"].outcome == "passed", ends
