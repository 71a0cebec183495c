"""What phones show on USB when they aren't ready: each has its word for the operator."""

from __future__ import annotations

import pytest

from tests.vm.rig import Rig

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]


async def test_every_mode_has_its_word_and_goes_on_when_it_is_right(rig: Rig) -> None:
    kinds = {
        "mtp": "mtp-only",
        "charging": "charging",
        "unauthorized": "unauthorized",
        "fastboot": "fastboot",
        "recovery": "recovery",
    }
    slots = await rig.fill_table(kinds)
    await rig.start_service()
    await rig.plug(slots)
    for slot, problem in (
        ("S01", "adb_disabled"),
        ("S02", "adb_disabled"),
        ("S03", "unauthorized"),
        ("S04", "wrong_mode"),
        ("S05", "wrong_mode"),
    ):
        await rig.until_problem(slot, problem)
    await rig.rack("storm", rounds=2)
    # What an operator would do to each of them.
    await rig.rack("adb", handsets=["mtp"], enabled=True)
    await rig.rack("mode", handsets=["charging", "fastboot", "recovery"], mode="android")
    await rig.allow_adb("S03")
    for number in slots.values():
        await rig.until_state(f"S{number:02}", "awaiting_operator")


@pytest.mark.nightly
async def test_a_reset_by_hand_is_seen_by_what_the_port_shows(rig: Rig) -> None:
    slots = await rig.fill_table({"one": "ext4", "two": "ext4"})
    await rig.start_service()
    for end in (await rig.run_to_the_end(slots)).values():
        reset = end.proven()["final_reset"]
        assert reset["kinds"] == ["usb_reenumerated", "operator_welcome"]
        assert reset["absent_s"] >= 20
    # Its port says the same: file transfer, and no adb.
    interfaces = await rig.shell(
        "udevadm info -q property -p /sys/bus/usb/devices/1-1 | grep ^ID_USB_INTERFACES="
    )
    assert interfaces.strip() == "ID_USB_INTERFACES=:060101:"
    states = await rig.states()
    assert [state.reset_count for state in states.values()] == [1, 1]


@pytest.mark.nightly
async def test_debugging_switched_off_is_no_reset(rig: Rig) -> None:
    """The port shows the same as after a reset, but for the time that one takes."""
    await rig.fill_table({"one": "ext4"})
    await rig.start_service()

    async def switch_off(slot: str) -> None:
        await rig.rack("adb", handsets=[rig.handset_in[slot]], enabled=False)

    async with rig.operating(reset=switch_off):
        await rig.plug({"one": 1})
        ends = await rig.ends({"one": 1})
    states = await rig.states()
    assert states["one"].reset_count == 0
    end = ends["one"]
    kinds = [] if end.statement is None else end.statement["predicate"]["final_reset"]["kinds"]
    assert "usb_reenumerated" not in kinds, end
