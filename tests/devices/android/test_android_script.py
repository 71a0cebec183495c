"""Several commands in one call, each with its own status."""

from __future__ import annotations

import re
import subprocess

import pytest
from handset_fakes import FakeShell, kept_patterns, said

from benchd.devices.android.shell.commands import Completed
from benchd.devices.android.shell.script import run_script
from benchd.domain.errors import AnswerNotRecognised

pytestmark = pytest.mark.asyncio

MARK = "0123abcd"
COMMANDS = {"first": "getprop", "second": "cat /proc/mounts"}


async def run(output: str, code: int = 0) -> dict[str, tuple[int, str]]:
    shell = FakeShell()
    shell.on("(getprop)", *said(output, code))
    answers = await run_script(shell, COMMANDS, fresh_mark=lambda: MARK)
    return {name: (answer.status, answer.text) for name, answer in answers.items()}


async def test_each_part_has_its_text_and_status() -> None:
    answers = await run(f"a\nb\n\n{MARK} 0 0\n\n{MARK} 1 127\n")
    assert answers == {"first": (0, "a\nb\n"), "second": (127, "")}


async def test_a_status_is_seen_only_where_it_is_required() -> None:
    shell = FakeShell()
    shell.on("(getprop)", *said(f"\n{MARK} 0 0\nx\n{MARK} 1 1\n"))
    answers = await run_script(shell, COMMANDS, fresh_mark=lambda: MARK)
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
