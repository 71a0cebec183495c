"""What a handset says when a page of its settings is opened, and when its wizard is left out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from handset_fakes import FakeShell, Step, said

from benchd.devices.android.handset_screens import UNCOVER, WAYS, leave_setup_out, open_page
from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import AnswerNotRecognised, HandsetGone, HandsetStalled
from benchd.domain.screen import OpenedPage, Page, ScreenOutcome

pytestmark = pytest.mark.asyncio

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


WOKEN = Output(b"woken 0\n", is_error=False)


def shell_with(first: Sequence[Step], *others: Sequence[Step], wake: int = 0) -> FakeShell:
    """What it says to the first way, after it has said how waking went, and to each other."""
    shell = FakeShell()
    shell.on(UNCOVER, Output(f"woken {wake}\n".encode(), is_error=False), *first)
    for steps in others:
        shell.on("am start", *steps)
    return shell


@pytest.mark.parametrize("page", Page)
async def test_the_very_page_comes_first_and_is_enough(page: Page) -> None:
    shell = shell_with(said("Starting: Intent { act=x }\n"))
    option, name = WAYS[page][0]
    assert await open_page(shell, page) == OpenedPage(
        page=page, outcome=ScreenOutcome.DONE, way=name, woken=True
    )
    assert shell.commands == [f"{UNCOVER}am start {option} {name} --activity-clear-task"]


async def test_a_page_that_lay_open_already_is_open() -> None:
    warning = "Warning: Activity not started, its current task has been brought to the front\n"
    shell = shell_with(
        [
            Output(STARTING.encode(), is_error=False),
            Output(warning.encode(), is_error=True),
            Exit(0),
        ]
    )
    assert (await open_page(shell, Page.RESET)).outcome is ScreenOutcome.DONE


@pytest.mark.parametrize("case", NOT_STARTED)
async def test_without_the_very_page_the_settings_themselves_are_opened(case: str) -> None:
    no = said(NOT_STARTED[case])
    shell = shell_with(no, no, said("Starting: Intent { act=y }\n"), wake=255)
    found = await open_page(shell, Page.RESET)
    assert found == OpenedPage(
        page=Page.RESET, outcome=ScreenOutcome.DONE, way="android.settings.SETTINGS", woken=False
    )
    assert len(shell.commands) == len(WAYS[Page.RESET])


@pytest.mark.parametrize("code", [0, 1, 255])
async def test_an_exception_is_a_refusal_whatever_the_code(code: int) -> None:
    refused: list[Step] = [Output(EXCEPTION.encode(), is_error=True), Exit(code)]
    shell = shell_with(refused, refused, wake=255)
    assert await open_page(shell, Page.RESET) == OpenedPage(
        page=Page.RESET, outcome=ScreenOutcome.REFUSED, way=None, woken=False
    )
    assert len(shell.commands) == len(WAYS[Page.RESET])


async def test_a_dollar_reaches_the_handset_as_it_is() -> None:
    no = said(NOT_STARTED["unknown"])
    shell = shell_with(no, no)
    await open_page(shell, Page.RESET)
    named = "'com.android.settings/.Settings$FactoryResetActivity'"
    assert f"am start -n {named} --activity-clear-task" in shell.commands


async def test_an_answer_without_end_is_none() -> None:
    with pytest.raises(AnswerNotRecognised):
        await open_page(shell_with(said("x" * (1 << 20))), Page.ABOUT)


@pytest.mark.parametrize("text", ["", STARTING, f"woken\n{STARTING}", f"{STARTING}woken 0\n"])
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
