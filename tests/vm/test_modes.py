"""What phones show on USB when they aren't ready: each has its word for the operator."""

from __future__ import annotations

import pytest

from tests.vm.bench import Bench

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(600)]


async def test_every_mode_has_its_word_and_goes_on_when_it_is_right(bench: Bench) -> None:
    kinds = {
        "mtp": "mtp-only",
        "charging": "charging",
        "unauthorized": "unauthorized",
        "fastboot": "fastboot",
        "recovery": "recovery",
    }
    await bench.fill_table(kinds)
    await bench.start_service()
    slots = {name: number for number, name in enumerate(kinds, start=1)}
    await bench.plug(slots)
    for slot, problem in (
        ("S01", "adb_disabled"),
        ("S02", "adb_disabled"),
        ("S03", "unauthorized"),
        ("S04", "wrong_mode"),
        ("S05", "wrong_mode"),
    ):
        await bench.until_problem(slot, problem)
    await bench.rack("storm", rounds=2)
    # What an operator would do to each of them.
    await bench.rack("adb", handsets=["mtp"], enabled=True)
    await bench.rack("mode", handsets=["charging", "fastboot", "recovery"], mode="android")
    await bench.allow_adb("S03")
    for number in slots.values():
        await bench.until_state(f"S{number:02}", "awaiting_operator")


async def test_a_reset_by_hand_is_seen_by_what_the_port_shows(bench: Bench) -> None:
    await bench.fill_table({"one": "ext4", "two": "ext4"})
    await bench.start_service()
    ends = await bench.run_to_the_end({"one": 1, "two": 2})
    for end in ends.values():
        assert end.outcome == "passed", end
        assert end.statement is not None
        reset = end.statement["predicate"]["final_reset"]
        assert reset["kinds"] == ["usb_reenumerated", "operator_welcome"]
        assert reset["absent_s"] >= 1.5
    # Its port says the same: file transfer, and no adb.
    interfaces = await bench.shell(
        "udevadm info -q property -p /sys/bus/usb/devices/1-1 | grep ^ID_USB_INTERFACES="
    )
    assert interfaces.strip() == "ID_USB_INTERFACES=:060101:"
    states = await bench.states()
    assert [state.reset_count for state in states.values()] == [1, 1]


async def test_debugging_switched_off_is_no_reset(bench: Bench) -> None:
    """The port shows the same as after a reset, but for the time that one takes."""
    await bench.fill_table({"one": "ext4"})
    await bench.start_service()

    async def switch_off(slot: str) -> None:
        await bench.rack("adb", handsets=[bench.handset_in[slot]], enabled=False)

    async with bench.operating(reset=switch_off):
        await bench.plug({"one": 1})
        ends = await bench.ends({"one": 1})
    states = await bench.states()
    assert states["one"].reset_count == 0
    end = ends["one"]
    kinds = [] if end.statement is None else end.statement["predicate"]["final_reset"]["kinds"]
    assert "usb_reenumerated" not in kinds, end
