"""Lines of a command that are heard as they come, whatever becomes of the command."""

from __future__ import annotations

import pytest
from handset_fakes import FakeShell, Pause, Step, Unplug

from benchd.devices.android.shell.lines import MOST_SAID_BYTES, run_by_lines
from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import AnswerNotRecognised, BenchdError, HandsetGone, HandsetStalled

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def said(text: str) -> Output:
    return Output(text.encode(), is_error=False)


def complained(text: str) -> Output:
    return Output(text.encode(), is_error=True)


class Heard:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shell = FakeShell()

    async def run(self, *steps: Step) -> int:
        self.shell.on("tell", *steps)
        return await run_by_lines(self.shell, "tell", self.lines.append, line_within_s=20)


async def test_each_line_is_heard_in_whatever_pieces_it_comes() -> None:
    heard = Heard()
    assert (
        await heard.run(said("a"), said("b\nc\n\n"), complained("x\n"), said("d\n"), Exit(3)) == 3
    )
    assert heard.lines == ["ab", "c", "", "d"]
    assert heard.shell.streams[0].stdin_closed


async def test_each_line_has_its_own_time() -> None:
    heard = Heard()
    assert await heard.run(*[Pause(15), said("a\n")] * 5, Pause(15), Exit(0)) == 0
    assert heard.lines == ["a"] * 5


@pytest.mark.parametrize(
    ("rest", "fault"),
    [
        ([Pause(21), said("b\n"), Exit(0)], HandsetStalled),
        ([*[Pause(15), said("b")] * 2, Exit(0)], HandsetStalled),
        ([*[Pause(15), complained("b\n")] * 2, Exit(0)], HandsetStalled),
        ([Unplug()], HandsetGone),
        ([said("b"), Exit(0)], AnswerNotRecognised),
        ([said("b\n" * MOST_SAID_BYTES), Exit(0)], AnswerNotRecognised),
        ([complained("b\n" * MOST_SAID_BYTES), Exit(0)], AnswerNotRecognised),
    ],
    ids=["late", "slow", "only complaints", "unplugged", "cut off", "flood", "flood of complaints"],
)
async def test_what_was_heard_before_a_fault_stays_heard(
    rest: list[Step], fault: type[BenchdError]
) -> None:
    heard = Heard()
    with pytest.raises(fault):
        await heard.run(said("a\n"), *rest)
    assert heard.lines == ["a"]
