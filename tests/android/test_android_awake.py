"""Kept awake while it works and as before when it's done; one that refuses works all the same."""

from __future__ import annotations

import anyio
import pytest
from handset_fakes import FakeShell, Pause, Step, Unplug, said

from benchd.android.fill.awake import kept_awake
from benchd.android.shell.packets import Exit, Output
from benchd.errors import HandsetGone, HandsetStalled, StorageFault
from benchd.words.fill import AwakeReport, StayOn

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

READ = "settings get global stay_on_while_plugged_in"
PUT = "settings put global stay_on_while_plugged_in"
WAKE = "input keyevent KEYCODE_WAKEUP"
DENIED: list[Step] = [
    Output(
        b"Exception occurred while executing 'put':\njava.lang.SecurityException:"
        b" Permission denial:"
        b" writing to settings requires:android.permission.WRITE_SECURE_SETTINGS\n",
        is_error=True,
    ),
    *said("0\n"),
]
"""As OnePlus handsets say it: Genymobile/scrcpy issue 2699."""


def handset(before: str | None = None, *after_put: str, wake: int = 0) -> FakeShell:
    """What it says is set before anything is, and after each writing."""
    shell = FakeShell()
    if before is not None:
        shell.on(READ, *said(f"{before}\n"))
    for value in after_put:
        shell.on(PUT, *said(f"{value}\n"))
    shell.on(WAKE, Exit(wake))
    return shell


async def report_of(shell: FakeShell) -> AwakeReport:
    async with kept_awake(shell) as awake:
        pass
    return awake.report


@pytest.mark.parametrize(("before", "held", "after"), [("0", 7, 0), ("null", 7, 0), ("8", 15, 8)])
async def test_it_is_set_and_set_back(before: str, held: int, after: int) -> None:
    shell = handset(before, str(held), str(after))
    wanted = AwakeReport(stay_on=StayOn.SET, screen_woken=True, restored=True)
    assert await report_of(shell) == wanted
    assert shell.commands == [READ, f"{PUT} {held}; {READ}", WAKE, f"{PUT} {after}; {READ}"]


async def test_what_was_set_already_is_left_so() -> None:
    shell = handset("7")
    wanted = AwakeReport(stay_on=StayOn.WAS_SET, screen_woken=True, restored=None)
    assert await report_of(shell) == wanted
    assert shell.commands == [READ, WAKE]


async def test_a_refusal_is_on_record_and_no_fault() -> None:
    shell = handset("0", wake=137)
    shell.on(PUT, *DENIED)
    wanted = AwakeReport(stay_on=StayOn.REFUSED, screen_woken=False, restored=None)
    assert await report_of(shell) == wanted


@pytest.mark.parametrize(
    "answer", [said("", 127), said("x\n"), said("-1\n"), [HandsetStalled("late")]]
)
async def test_a_setting_that_cant_be_read_is_let_be(answer: list[Step]) -> None:
    shell = handset()
    shell.on(READ, *answer)
    wanted = AwakeReport(stay_on=StayOn.UNKNOWN, screen_woken=True, restored=None)
    assert await report_of(shell) == wanted
    assert not any(command.startswith(PUT) for command in shell.commands)


async def test_it_is_set_back_after_a_fault_too() -> None:
    shell = handset("0", "7", "0")
    with pytest.raises(StorageFault):
        async with kept_awake(shell):
            raise StorageFault("worn out")
    assert shell.commands[-1] == f"{PUT} 0; {READ}"


async def test_a_setting_that_stays_changed_is_on_record() -> None:
    shell = handset("0", "7", "7")
    assert (await report_of(shell)).restored is False


async def test_a_handset_that_has_gone_hides_no_fault() -> None:
    shell = handset("0", "7")
    shell.on(PUT, Unplug())
    with pytest.raises(StorageFault):
        async with kept_awake(shell):
            raise StorageFault("worn out")


async def test_a_handset_that_goes_meanwhile_is_gone() -> None:
    shell = handset("0", "7")
    shell.scripts[WAKE] = [[Unplug()]]
    with pytest.raises(HandsetGone):
        async with kept_awake(shell):
            pytest.fail("nothing is to be begun")


async def test_whoever_breaks_it_off_waits_for_two_seconds_at_most() -> None:
    shell = handset("0", "7")
    begun = anyio.current_time()
    with anyio.move_on_after(5):
        async with kept_awake(shell):
            shell.scripts[PUT] = [[Pause(1e6)]]
            await anyio.sleep_forever()
    assert anyio.current_time() - begun == pytest.approx(7)
