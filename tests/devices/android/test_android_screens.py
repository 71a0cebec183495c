"""What a handset says when a page is opened, its wizard left out, it's reset, or kept awake."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest
from handset_fakes import FakeShell, Pause, Step, Unplug, said

from benchd.devices.android.fill.keep_awake import HOLD, kept_awake
from benchd.devices.android.handset_access import enable_test_harness, switch_nfc
from benchd.devices.android.handset_screens import UNCOVER, WAYS, leave_setup_out, open_page
from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    HandsetStalled,
    StageFailed,
    StorageFault,
    UnsupportedHandset,
)
from benchd.domain.fill import AwakeReport, StayOn
from benchd.domain.screen import OpenedPage, Page, ScreenOutcome

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

RESET = "com.android.settings.action.FACTORY_RESET"
STARTING = f"Starting: Intent {{ act={RESET} }}\n"
# AOSP, ActivityManagerShellCommand.runStartActivity: each of them ends with 0.
NOT_STARTED = {
    "unknown": STARTING
    + f"Error: Activity not started, unable to resolve Intent {{ act={RESET} }}\n",
    "no class": STARTING + "Error type 3\nError: Activity class {x} does not exist.\n",
    "forbidden": STARTING
    + "Error: Activity not started, you do not have permission to access it.\n",
    "nothing": "",
    "another word": "activity started\n",
}
# A SecurityException, as a shell command of the system prints it.
EXCEPTION = (
    STARTING
    + "Security exception: Permission Denial: starting Intent requires android.permission.BACKUP\n"
    + "\njava.lang.SecurityException: Permission Denial\n"
)


WOKEN = said("woken 0\n")[0]


def shell_with(first: Sequence[Step], *others: Sequence[Step], wake: int = 0) -> FakeShell:
    """What it says to the first way, after it has said how waking went, and to each other."""
    shell = FakeShell()
    shell.on(UNCOVER, said(f"woken {wake}\n")[0], *first)
    for steps in others:
        shell.on("am start", *steps)
    return shell


@pytest.mark.parametrize("page", Page)
async def test_the_very_page_comes_first_and_is_enough(page: Page) -> None:
    shell = shell_with(said("Starting: Intent { act=x }\n"))
    option, name = WAYS[page][0]
    wanted = OpenedPage(page=page, outcome=ScreenOutcome.DONE, way=name, woken=True)
    assert await open_page(shell, page) == wanted
    assert shell.commands == [f"{UNCOVER}am start {option} {name} --activity-clear-task"]


async def test_a_page_that_lay_open_already_is_open() -> None:
    warning = b"Warning: Activity not started, its current task has been brought to the front\n"
    shell = shell_with([*said(STARTING)[:1], Output(warning, is_error=True), Exit(0)])
    assert (await open_page(shell, Page.RESET)).outcome is ScreenOutcome.DONE


@pytest.mark.parametrize("case", NOT_STARTED)
async def test_without_the_very_page_the_settings_themselves_are_opened(case: str) -> None:
    no = said(NOT_STARTED[case])
    shell = shell_with(no, no, said("Starting: Intent { act=y }\n"), wake=255)
    way = "android.settings.SETTINGS"
    wanted = OpenedPage(page=Page.RESET, outcome=ScreenOutcome.DONE, way=way, woken=False)
    assert await open_page(shell, Page.RESET) == wanted
    assert len(shell.commands) == len(WAYS[Page.RESET])
    # A dollar reaches the handset as it is.
    named = "'com.android.settings/.Settings$FactoryResetActivity'"
    assert f"am start -n {named} --activity-clear-task" in shell.commands


@pytest.mark.parametrize("code", [0, 1, 255])
async def test_an_exception_is_a_refusal_whatever_the_code(code: int) -> None:
    refused: list[Step] = [Output(EXCEPTION.encode(), is_error=True), Exit(code)]
    shell = shell_with(refused, refused, wake=255)
    wanted = OpenedPage(page=Page.RESET, outcome=ScreenOutcome.REFUSED, way=None, woken=False)
    assert await open_page(shell, Page.RESET) == wanted
    assert len(shell.commands) == len(WAYS[Page.RESET])


@pytest.mark.parametrize(
    "text",
    ["", STARTING, f"woken\n{STARTING}", f"{STARTING}woken 0\n", "woken 0\n" + "x" * (1 << 20)],
    ids=["nothing", "not woken", "no code", "another order", "without end"],
)
async def test_a_page_is_open_only_by_the_whole_answer(text: str) -> None:
    shell = FakeShell()
    shell.on(UNCOVER, *said(text))
    with pytest.raises(AnswerNotRecognised):
        await open_page(shell, Page.RESET)


@pytest.mark.parametrize("heard", [[], [WOKEN], [WOKEN, *said(STARTING)[:1]]])
@pytest.mark.parametrize("fault", [HandsetGone("?"), HandsetStalled("late")])
async def test_a_handset_that_goes_or_hangs_anywhere_says_so(
    heard: list[Step], fault: HandsetGone | HandsetStalled
) -> None:
    shell = FakeShell()
    shell.on(UNCOVER, *heard, fault)
    with pytest.raises(type(fault)):
        await open_page(shell, Page.ABOUT)
    assert len(shell.commands) == 1


GET = "settings get --user 0 secure user_setup_complete"
NO_HARNESS = "cmd: Can't find service: testharness"


@pytest.mark.parametrize(
    ("answer", "fault", "says"),
    [
        *((said("", code), HandsetGone, "") for code in (129, 137, 143)),
        ([HandsetGone("rebooting")], HandsetGone, "rebooting"),
        ([HandsetStalled("no answer")], HandsetStalled, "no answer"),
        *((said(NO_HARNESS, code), UnsupportedHandset, NO_HARNESS) for code in (1, 20, 127)),
    ],
)
async def test_a_reset_that_was_not_answered_is_unknown_or_refused(
    answer: list[Step], fault: type[BenchdError], says: str
) -> None:
    """Died of a signal it may have been heard; some handsets can't."""
    shell = FakeShell()
    shell.on("cmd testharness enable", *answer)
    with pytest.raises(fault) as refused:
        await enable_test_harness(shell)
    assert type(refused.value) is fault
    assert says in str(refused.value)


async def test_a_lock_forbids_test_harness() -> None:
    shell = FakeShell()
    shell.on("cmd testharness enable", *said("", 2))
    with pytest.raises(StageFailed) as refusal:
        await enable_test_harness(shell)
    assert refusal.value.reason == "locked"


async def test_a_reset_that_was_answered_is_under_way() -> None:
    shell = FakeShell()
    shell.on("cmd testharness enable", *said("", 0))
    await enable_test_harness(shell)


async def test_nfc_is_switched_by_one_command_whose_answer_proves_nothing() -> None:
    shell = FakeShell()
    shell.on("svc nfc enable", *said("NFC operation failed", code=255))
    shell.on("trap", *said(""))
    await switch_nfc(shell, on=True)
    await switch_nfc(shell, on=False)
    assert shell.commands[1].endswith(" svc nfc disable")


async def test_a_setup_that_is_over_is_left_alone() -> None:
    shell = FakeShell()
    shell.on(GET, *said("1\n"))
    assert await leave_setup_out(shell) is ScreenOutcome.NOT_NEEDED
    assert shell.commands == [GET]


@pytest.mark.parametrize("before", ["0\n", "null\n", ""])
@pytest.mark.parametrize("after", ["1\n", "0\n", "null\n"])
async def test_what_was_written_is_read_again(before: str, after: str) -> None:
    shell = FakeShell()
    shell.on(GET, *said(before))
    shell.on("settings put", *said(after))
    found = await leave_setup_out(shell)
    assert found is (ScreenOutcome.DONE if after == "1\n" else ScreenOutcome.REFUSED)
    assert shell.commands == [
        GET,
        "settings put global device_provisioned 1 > /dev/null 2>&1\n"
        "settings put --user 0 secure user_setup_complete 1 > /dev/null 2>&1\n" + GET,
    ]


async def test_an_exception_where_it_is_asked_is_no_setup_that_is_over() -> None:
    shell = FakeShell()
    shell.on(GET, *said("1\n", 255))
    shell.on("settings put", *said("java.lang.SecurityException\n", 255))
    assert await leave_setup_out(shell) is ScreenOutcome.REFUSED


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


async def report_of(shell: FakeShell) -> AwakeReport:
    async with kept_awake(shell) as awake:
        pass
    return awake.report


def ended(*lines: str) -> list[Step]:
    return [*spoken(*lines), Exit(0)]


HELD = ended("before 0", "after 7", "woken 0")
SET, REFUSED, UNKNOWN = StayOn.SET, StayOn.REFUSED, StayOn.UNKNOWN
REPORTS: dict[str, tuple[list[Step], list[Step] | None, tuple[StayOn, bool, bool | None]]] = {
    "set": (HELD, said("0\n"), (SET, True, True)),
    "some was set": (ended("before 8", "after 15", "woken 0"), said("8\n"), (SET, True, True)),
    "part was set": (ended("before 3", "after 7", "woken 0"), said("3\n"), (SET, True, True)),
    "nobody had made it": (HELD, said("null\n"), (SET, True, True)),
    "was set": (ended("before 7", "woken 0"), None, (StayOn.WAS_SET, True, None)),
    "refused": (ended("before 0", "after 0", "woken 137"), None, (REFUSED, False, None)),
    "another": (ended("before 0", "after 3", "woken 0"), said("0\n"), (REFUSED, True, True)),
    "not read": (ended("before 0", "after ", "woken 0"), said("0\n"), (UNKNOWN, True, True)),
    "key hangs": ([*spoken("before 0", "after 7"), HANGS], said("0\n"), (SET, False, True)),
    # A writing that isn't heard to end is set back, and that isn't claimed.
    "hangs": ([*spoken("before 4"), HANGS], said("4\n"), (UNKNOWN, False, False)),
    "says nothing": (ended("before 4", "woken 0"), said("4\n"), (UNKNOWN, False, False)),
    "is killed": ([*spoken("before 4"), Exit(137)], said("4\n"), (UNKNOWN, False, False)),
    "says else": (ended("before 4", "after 7 7"), said("4\n"), (UNKNOWN, False, False)),
    # A setting that stays changed is on record.
    "stays": (HELD, said("7\n"), (SET, True, False)),
    "stays, denied": (HELD, DENIED, (SET, True, False)),
    "stays, garbage": (HELD, said("x\n"), (SET, True, False)),
    "stays, failed": (HELD, said("", 255), (SET, True, False)),
    "stays, late": (HELD, [HandsetStalled("late")], (SET, True, False)),
}


@pytest.mark.parametrize("case", REPORTS)
async def test_it_is_set_and_set_back_in_one_shell_each(case: str) -> None:
    steps, restoring, report = REPORTS[case]
    shell = handset(*steps, restoring=restoring)
    stay_on, screen_woken, restored = report
    wanted = AwakeReport(stay_on=stay_on, screen_woken=screen_woken, restored=restored)
    assert await report_of(shell) == wanted
    assert isinstance(steps[0], Output)
    before = steps[0].data.decode().split()[1]
    assert shell.commands == [HOLD, f"{PUT} {before}; {READ}"][: 1 if restoring is None else 2]


UNREADABLE: dict[str, list[Step]] = {
    "no value": [*spoken("before ", "woken 0"), Exit(0)],
    "no shell": [Exit(127)],
    "garbage": [*spoken("x"), Exit(0)],
    "too much": [*spoken("before 1000"), Exit(0)],
    "no before": [*spoken("after 7", "woken 0"), Exit(0)],
    "cut": [Output(b"before 0", is_error=False), Exit(0)],
    "flood": [Output(b"x" * (1 << 20), is_error=False), Exit(0)],
    "late": [HandsetStalled("late")],
    "hangs": [HANGS],
}


@pytest.mark.parametrize("case", UNREADABLE)
async def test_a_setting_that_cant_be_read_is_let_be(case: str) -> None:
    shell = handset(*UNREADABLE[case])
    found = await report_of(shell)
    assert (found.stay_on, found.restored) == (StayOn.UNKNOWN, None)
    assert shell.commands == [HOLD]


@pytest.mark.parametrize("restoring", [said("0\n"), [Unplug()]], ids=["set back", "gone"])
async def test_it_is_set_back_after_a_fault_which_a_handset_that_has_gone_doesnt_hide(
    restoring: list[Step],
) -> None:
    shell = handset(*HELD, restoring=restoring)
    with pytest.raises(StorageFault):
        async with kept_awake(shell):
            raise StorageFault("worn out")
    assert shell.commands[-1] == f"{PUT} 0; {READ}"


@pytest.mark.parametrize("heard", [[], ["before 0"], ["before 0", "after 7"]])
async def test_a_handset_that_goes_meanwhile_is_gone(heard: list[str]) -> None:
    shell = handset(*spoken(*heard), Unplug(), restoring=[Unplug()])
    with pytest.raises(HandsetGone):
        async with kept_awake(shell):
            pytest.fail("nothing is to be begun")


async def test_whoever_breaks_it_off_waits_for_two_seconds_at_most() -> None:
    shell = handset(*HELD, restoring=[HANGS])
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
