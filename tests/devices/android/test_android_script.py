"""Commands in one call, heard line by line, and read beside the loop where they answer much."""

from __future__ import annotations

import re
import subprocess
import threading

import anyio
import pytest
from handset_fakes import FakeShell, Pause, ScriptedShell, Step, Unplug, kept_patterns, said

from benchd.devices.android.facts import fact_table, inspection
from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.devices.android.shell.commands import Completed
from benchd.devices.android.shell.lines import MOST_SAID_BYTES, run_by_lines
from benchd.devices.android.shell.packets import Exit, Output
from benchd.devices.android.shell.parsing_thread import USUAL_BYTES, read_beside
from benchd.devices.android.shell.script import Answer, run_script
from benchd.domain.errors import AnswerNotRecognised, BenchdError, HandsetGone, HandsetStalled
from benchd.domain.handset import BatteryFacts

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

MARK = "0123abcd"
COMMANDS = {"first": "getprop", "second": "cat /proc/mounts"}


async def run(output: str, code: int = 0) -> dict[str, Answer]:
    shell = FakeShell()
    shell.on("(getprop)", *said(output, code))
    return await run_script(shell, COMMANDS, fresh_mark=lambda: MARK)


async def test_each_part_has_its_text_and_a_status_that_is_seen_where_it_is_required() -> None:
    answers = await run(f"a\nb\n\n{MARK} 0 0\n\n{MARK} 1 127\n")
    told = {name: (answer.status, answer.text) for name, answer in answers.items()}
    assert told == {"first": (0, "a\nb\n"), "second": (127, "")}
    with pytest.raises(AnswerNotRecognised, match="cat /proc/mounts: ended with 127"):
        answers["second"].required()
    answers = await run(f"\n{MARK} 0 0\nx\n{MARK} 1 1\n")
    assert answers["first"].required() == ""
    with pytest.raises(AnswerNotRecognised, match="cat /proc/mounts: ended with 1"):
        answers["second"].required()


@pytest.mark.parametrize(
    "output",
    [
        "",
        f"a\n{MARK} 0 0\n",
        f"a\n{MARK} 0 0\nb\n{MARK} 1 0\nmore",
        f"a\n{MARK} 1 0\nb\n{MARK} 0 0\n",
        f"a\n{MARK} 0 0\nb\n{MARK} 1 0\nc\n{MARK} 2 0\n",
        f"a\n{MARK} 0 0\nb\n{MARK} 0 0\nc\n{MARK} 1 0\n",
        f"a\n{MARK} 0 0\nb\n{MARK} 1 x\n",
        f"a\n{MARK} 0 0\nb\n{MARK} 1 {'7' * 5000}\n",
        f"a\n{MARK} of its own\n\n{MARK} 0 0\nb\n{MARK} 1 0\n",
    ],
)
async def test_parts_that_do_not_fit_are_refused(output: str) -> None:
    with pytest.raises(AnswerNotRecognised, match="parts"):
        await run(output)


async def test_a_script_that_fails_as_a_whole_is_refused() -> None:
    with pytest.raises(AnswerNotRecognised, match="ended with 1"):
        await run(f"\n{MARK} 0 0\n\n{MARK} 1 0\n", 1)


async def test_the_mark_is_new_for_every_call() -> None:
    shell = FakeShell()
    shell.on("(getprop)", *said(""))
    for _ in range(2):
        with pytest.raises(AnswerNotRecognised):
            await run_script(shell, COMMANDS)
    assert shell.commands[0] != shell.commands[1]


async def test_a_new_mark_is_no_new_pattern_for_re_to_keep() -> None:
    async def asked(mark: str) -> None:
        shell = FakeShell()
        shell.on("(getprop)", *said(f"\n{mark} 0 0\n\n{mark} 1 0\n"))
        await run_script(shell, COMMANDS, fresh_mark=lambda: mark)

    re.purge()
    await asked(MARK)
    before = kept_patterns()
    for number in range(20):
        await asked(f"{number:08x}")
    assert kept_patterns() == before


async def test_a_real_shell_understands_the_script() -> None:
    commands = {"exits": "exit 3", "quiet": "true", "tail": "printf 'no end'", "err": "echo e >&2"}
    shell = FakeShell()
    shell.on("(exit 3)", *said(""))
    with pytest.raises(AnswerNotRecognised):
        await run_script(shell, commands, fresh_mark=lambda: MARK)
    real = subprocess.run(
        ["/bin/sh", "-c", shell.commands[0]], capture_output=True, text=True, check=False
    )
    shell = FakeShell()
    shell.on("(exit 3)", *said(real.stdout, real.returncode))
    answers = await run_script(shell, commands, fresh_mark=lambda: MARK)
    found = {name: (answer.status, answer.text) for name, answer in answers.items()}
    assert found == {"exits": (3, ""), "quiet": (0, ""), "tail": (0, "no end"), "err": (0, "")}


class Complaining:
    """A shell whose `pm` complains on stderr, as Android's does."""

    async def run(self, line: str, *, stdin: bytes, deadline_s: float) -> Completed:
        del line, stdin, deadline_s
        return Completed(
            exit_code=0, stdout=f"\n{MARK} 0 255\nfine\n\n{MARK} 1 0\n".encode(), stderr=b"closed"
        )


async def test_what_a_command_complains_about_belongs_to_its_answer() -> None:
    shell = Complaining()
    told = await run_script(shell, COMMANDS, fresh_mark=lambda: MARK)  # pyright: ignore[reportArgumentType]
    assert "closed" in told["first"].text
    assert told["second"].text == "fine\n"


def spoken(text: str) -> Output:
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
    steps = (spoken("a"), spoken("b\nc\n\n"), complained("x\n"), spoken("d\n"), Exit(3))
    assert await heard.run(*steps) == 3
    assert heard.lines == ["ab", "c", "", "d"]
    assert heard.shell.streams[0].stdin_closed


async def test_each_line_has_its_own_time() -> None:
    heard = Heard()
    assert await heard.run(*[Pause(15), spoken("a\n")] * 5, Pause(15), Exit(0)) == 0
    assert heard.lines == ["a"] * 5


@pytest.mark.parametrize(
    ("rest", "fault"),
    [
        ([Pause(21), spoken("b\n"), Exit(0)], HandsetStalled),
        ([*[Pause(15), spoken("b")] * 2, Exit(0)], HandsetStalled),
        ([*[Pause(15), complained("b\n")] * 2, Exit(0)], HandsetStalled),
        ([Unplug()], HandsetGone),
        ([spoken("b"), Exit(0)], AnswerNotRecognised),
        ([spoken("b\n" * MOST_SAID_BYTES), Exit(0)], AnswerNotRecognised),
        ([complained("b\n" * MOST_SAID_BYTES), Exit(0)], AnswerNotRecognised),
    ],
    ids=["late", "slow", "only complaints", "unplugged", "cut off", "flood", "flood of complaints"],
)
async def test_what_was_heard_before_a_fault_stays_heard(
    rest: list[Step], fault: type[BenchdError]
) -> None:
    heard = Heard()
    with pytest.raises(fault):
        await heard.run(spoken("a\n"), *rest)
    assert heard.lines == ["a"]


PATIENCE_S = 20.0


async def test_a_usual_answer_is_read_at_once() -> None:
    assert await read_beside(USUAL_BYTES, threading.get_ident) == threading.get_ident()


async def test_what_is_wrong_with_a_large_answer_is_told_as_ever() -> None:
    def refuse() -> None:
        raise AnswerNotRecognised("no battery")

    with pytest.raises(AnswerNotRecognised, match="no battery"):
        await read_beside(USUAL_BYTES + 1, refuse)


async def test_a_neighbour_gets_its_turn_while_a_large_answer_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = threading.Event()
    neighbour = threading.Event()

    def until_neighbour(text: str) -> BatteryFacts:
        read.set()
        assert neighbour.wait(PATIENCE_S), f"the loop stood still over {len(text)} characters"
        return BatteryFacts(percent=50, temperature_c=20.0)

    async def neighbours_turn() -> None:
        while not read.is_set():  # noqa: ASYNC110 - another thread's event
            await anyio.sleep(0.001)
        neighbour.set()

    monkeypatch.setattr(fact_table, "read_battery", until_neighbour)
    shell = ScriptedShell({QUESTIONS["battery"]: "x" * USUAL_BYTES + "x"})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(neighbours_turn)
        assert (await inspection.read_battery_facts(shell)).percent == 50
