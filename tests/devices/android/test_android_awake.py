"""Kept awake while it works and as before when it's done; one that refuses works all the same."""

from __future__ import annotations

import anyio
import pytest
from handset_fakes import FakeShell, Pause, Step, Unplug, said

from benchd.devices.android.fill.awake import HOLD, kept_awake
from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import HandsetGone, HandsetStalled, StorageFault
from benchd.domain.fill import AwakeReport, StayOn

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

READ = "settings get global stay_on_while_plugged_in"
PUT = "settings put global stay_on_while_plugged_in"
DENIED: list[Step] = [
    Output(
        b"Exception occurred while executing 'put':\njava.lang.SecurityException:"
        b" Permission denial:"
        b" writing to settings requires:android.permission.WRITE_SECURE_SETTINGS\n",
        is_error=True,
    ),
    *said("7\n"),
]
"""As OnePlus handsets say it: Genymobile/scrcpy issue 2699."""
HANGS = Pause(1e6)


def spoken(*lines: str) -> list[Step]:
    """What the script says, each line as it comes."""
    return [Output(f"{line}\n".encode(), is_error=False) for line in lines]


def handset(*steps: Step, restoring: list[Step] | None = None) -> FakeShell:
    """What the script says to hold it, and what is read when it is set back."""
    shell = FakeShell()
    shell.on(HOLD, *steps)
    if restoring is not None:
        shell.on(PUT, *restoring)
    return shell


def answering(*lines: str, after: str) -> FakeShell:
    return handset(*spoken(*lines), Exit(0), restoring=said(f"{after}\n"))


async def report_of(shell: FakeShell) -> AwakeReport:
    async with kept_awake(shell) as awake:
        pass
    return awake.report


@pytest.mark.parametrize(("before", "held"), [(0, 7), (8, 15), (3, 7)])
async def test_it_is_set_and_set_back_in_one_shell_each(before: int, held: int) -> None:
    shell = answering(f"before {before}", f"after {held}", "woken 0", after=str(before))
    wanted = AwakeReport(stay_on=StayOn.SET, screen_woken=True, restored=True)
    assert await report_of(shell) == wanted
    assert shell.commands == [HOLD, f"{PUT} {before}; {READ}"]


async def test_a_setting_that_nobody_had_made_is_as_good_as_none() -> None:
    shell = answering("before 0", "after 7", "woken 0", after="null")
    assert (await report_of(shell)).restored is True


async def test_what_was_set_already_is_left_so() -> None:
    shell = handset(*spoken("before 7", "woken 0"), Exit(0))
    wanted = AwakeReport(stay_on=StayOn.WAS_SET, screen_woken=True, restored=None)
    assert await report_of(shell) == wanted
    assert shell.commands == [HOLD]


async def test_a_refusal_is_on_record_and_no_fault() -> None:
    shell = handset(*spoken("before 0", "after 0", "woken 137"), Exit(0))
    wanted = AwakeReport(stay_on=StayOn.REFUSED, screen_woken=False, restored=None)
    assert await report_of(shell) == wanted
    assert shell.commands == [HOLD]


async def test_a_value_that_nobody_asked_for_is_set_back() -> None:
    shell = answering("before 0", "after 3", "woken 0", after="0")
    wanted = AwakeReport(stay_on=StayOn.REFUSED, screen_woken=True, restored=True)
    assert await report_of(shell) == wanted


@pytest.mark.parametrize(
    "steps",
    [
        [*spoken("before ", "woken 0"), Exit(0)],
        [Exit(127)],
        [*spoken("x"), Exit(0)],
        [*spoken("before 1000"), Exit(0)],
        [*spoken("after 7", "woken 0"), Exit(0)],
        [Output(b"before 0", is_error=False), Exit(0)],
        [Output(b"x" * (1 << 20), is_error=False), Exit(0)],
        [HandsetStalled("late")],
        [HANGS],
    ],
    ids=[
        "no value",
        "no shell",
        "garbage",
        "too much",
        "no before",
        "cut",
        "flood",
        "late",
        "hangs",
    ],
)
async def test_a_setting_that_cant_be_read_is_let_be(steps: list[Step]) -> None:
    shell = handset(*steps)
    found = await report_of(shell)
    assert (found.stay_on, found.restored) == (StayOn.UNKNOWN, None)
    assert shell.commands == [HOLD]


async def test_a_key_that_hangs_keeps_back_nothing_of_the_setting() -> None:
    shell = handset(*spoken("before 0", "after 7"), HANGS, restoring=said("0\n"))
    wanted = AwakeReport(stay_on=StayOn.SET, screen_woken=False, restored=True)
    assert await report_of(shell) == wanted


@pytest.mark.parametrize(
    "rest",
    [[HANGS], [*spoken("woken 0"), Exit(0)], [Exit(137)], [*spoken("after 7 7"), Exit(0)]],
    ids=["hangs", "says nothing of it", "is killed", "says something else"],
)
async def test_a_writing_that_isnt_heard_to_end_is_set_back_and_that_isnt_claimed(
    rest: list[Step],
) -> None:
    shell = handset(*spoken("before 4"), *rest, restoring=said("4\n"))
    wanted = AwakeReport(stay_on=StayOn.UNKNOWN, screen_woken=False, restored=False)
    assert await report_of(shell) == wanted
    assert shell.commands == [HOLD, f"{PUT} 4; {READ}"]


async def test_what_cant_be_read_again_is_set_back_all_the_same() -> None:
    shell = answering("before 0", "after ", "woken 0", after="0")
    wanted = AwakeReport(stay_on=StayOn.UNKNOWN, screen_woken=True, restored=True)
    assert await report_of(shell) == wanted


async def test_it_is_set_back_after_a_fault_too() -> None:
    shell = answering("before 0", "after 7", "woken 0", after="0")
    with pytest.raises(StorageFault):
        async with kept_awake(shell):
            raise StorageFault("worn out")
    assert shell.commands[-1] == f"{PUT} 0; {READ}"


@pytest.mark.parametrize(
    "answer", [said("7\n"), DENIED, said("x\n"), said("", 255), [HandsetStalled("late")]]
)
async def test_a_setting_that_stays_changed_is_on_record(answer: list[Step]) -> None:
    shell = handset(*spoken("before 0", "after 7", "woken 0"), Exit(0), restoring=answer)
    assert (await report_of(shell)).restored is False


async def test_a_handset_that_has_gone_hides_no_fault() -> None:
    shell = handset(*spoken("before 0", "after 7", "woken 0"), Exit(0), restoring=[Unplug()])
    with pytest.raises(StorageFault):
        async with kept_awake(shell):
            raise StorageFault("worn out")


@pytest.mark.parametrize("heard", [[], ["before 0"], ["before 0", "after 7"]])
async def test_a_handset_that_goes_meanwhile_is_gone(heard: list[str]) -> None:
    shell = handset(*spoken(*heard), Unplug(), restoring=[Unplug()])
    with pytest.raises(HandsetGone):
        async with kept_awake(shell):
            pytest.fail("nothing is to be begun")


async def test_whoever_breaks_it_off_waits_for_two_seconds_at_most() -> None:
    shell = handset(*spoken("before 0", "after 7", "woken 0"), Exit(0), restoring=[HANGS])
    begun = anyio.current_time()
    with anyio.move_on_after(5):
        async with kept_awake(shell):
            await anyio.sleep_forever()
    assert anyio.current_time() - begun == pytest.approx(7)


async def test_it_is_set_back_where_it_is_broken_off_while_the_key_hangs() -> None:
    shell = handset(*spoken("before 0", "after 7"), HANGS, restoring=said("0\n"))
    with anyio.move_on_after(5):
        async with kept_awake(shell):
            pytest.fail("nothing is to be begun")
    assert shell.commands[-1] == f"{PUT} 0; {READ}"
