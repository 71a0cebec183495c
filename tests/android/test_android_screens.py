"""What a handset says when a page of its settings is opened, and when its wizard is left out."""

from __future__ import annotations

import pytest
from handset_fakes import FakeShell, said

from benchd.android.screens import WAYS, leave_setup_out, open_page
from benchd.android.shell.packets import Exit, Output
from benchd.errors import AnswerNotRecognised, HandsetGone
from benchd.words.screen import OpenedPage, Page, ScreenOutcome

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


def shell_with(*, wake: int = 0, **answers: str) -> FakeShell:
    shell = FakeShell()
    shell.on("input keyevent KEYCODE_WAKEUP", *said("", wake))
    shell.on("wm dismiss-keyguard", *said("", 0))
    for name, text in answers.items():
        shell.on(f"am start {name}", *said(text))
    return shell


def asked_for(shell: FakeShell) -> list[str]:
    return [command for command in shell.commands if command.startswith("am ")]


@pytest.mark.parametrize("page", Page)
async def test_the_very_page_comes_first_and_is_enough(page: Page) -> None:
    shell = shell_with()
    shell.on("am start", *said("Starting: Intent { act=x }\n"))
    option, name = WAYS[page][0]
    assert await open_page(shell, page) == OpenedPage(
        page=page, outcome=ScreenOutcome.DONE, way=name, woken=True
    )
    assert shell.commands == [
        "input keyevent KEYCODE_WAKEUP",
        "wm dismiss-keyguard",
        f"am start {option} {name} --activity-clear-task",
    ]


async def test_a_page_that_lay_open_already_is_open() -> None:
    shell = shell_with()
    warning = "Warning: Activity not started, its current task has been brought to the front\n"
    shell.on(
        "am start",
        Output(STARTING.encode(), is_error=False),
        Output(warning.encode(), is_error=True),
        Exit(0),
    )
    assert (await open_page(shell, Page.RESET)).outcome is ScreenOutcome.DONE


@pytest.mark.parametrize("case", NOT_STARTED)
async def test_without_the_very_page_the_settings_themselves_are_opened(case: str) -> None:
    shell = shell_with()
    for option, name in WAYS[Page.RESET][:-1]:
        shell.on(f"am start {option} {name.split('$')[0]}", *said(NOT_STARTED[case]))
        shell.on(f"am start {option} '{name.split('$')[0]}", *said(NOT_STARTED[case]))
    shell.on("am start -a android.settings.SETTINGS", *said("Starting: Intent { act=y }\n"))
    found = await open_page(shell, Page.RESET)
    assert (found.outcome, found.way) == (ScreenOutcome.DONE, "android.settings.SETTINGS")
    assert len(asked_for(shell)) == len(WAYS[Page.RESET])


@pytest.mark.parametrize("code", [0, 1, 255])
async def test_an_exception_is_a_refusal_whatever_the_code(code: int) -> None:
    shell = shell_with(wake=255)
    shell.on("am start", Output(EXCEPTION.encode(), is_error=True), Exit(code))
    assert await open_page(shell, Page.RESET) == OpenedPage(
        page=Page.RESET, outcome=ScreenOutcome.REFUSED, way=None, woken=False
    )
    assert len(asked_for(shell)) == len(WAYS[Page.RESET])


async def test_a_dollar_reaches_the_handset_as_it_is() -> None:
    shell = shell_with()
    shell.on("am start", *said(NOT_STARTED["unknown"]))
    await open_page(shell, Page.RESET)
    named = "'com.android.settings/.Settings$FactoryResetActivity'"
    assert f"am start -n {named} --activity-clear-task" in shell.commands


async def test_an_answer_without_end_is_none() -> None:
    shell = shell_with()
    shell.on("am start", *said("x" * (1 << 20)))
    with pytest.raises(AnswerNotRecognised):
        await open_page(shell, Page.ABOUT)


async def test_a_handset_that_goes_says_so() -> None:
    shell = FakeShell()
    shell.on("input", HandsetGone("?"))
    with pytest.raises(HandsetGone):
        await open_page(shell, Page.ABOUT)


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
    shell.on(GET, *said(after))
    shell.on("settings put", *said(""))
    found = await leave_setup_out(shell)
    assert found is (ScreenOutcome.DONE if after == "1\n" else ScreenOutcome.REFUSED)
    assert [command for command in shell.commands if " put " in command] == [
        "settings put global device_provisioned 1",
        "settings put --user 0 secure user_setup_complete 1",
    ]


async def test_an_exception_where_it_is_asked_is_no_setup_that_is_over() -> None:
    shell = FakeShell()
    shell.on(GET, *said("1\n", 255))
    shell.on("settings put", *said("java.lang.SecurityException\n", 255))
    assert await leave_setup_out(shell) is ScreenOutcome.REFUSED
