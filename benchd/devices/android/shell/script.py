"""Several commands in one shell call, each with its own output and its own exit status."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from benchd.devices.android.shell.commands import COMMAND_DEADLINE_S, Shell, require_success
from benchd.devices.android.shell.packets import StdinPackets
from benchd.devices.android.shell.parsing_thread import read_beside
from benchd.domain.errors import AnswerNotRecognised

Name = TypeVar("Name", bound=str)

LONGEST_COMPLAINT: Final = 4096
"""Bytes of what all commands of a script have written to stderr."""


_READ_THE_REST: Final = "\ncat > /dev/null 2>&1 || true"
"""adbd has one socket for a command's input and output, and lets go of it with what is still unread
there when some of the input finds nobody any more, as of a `cat` to a full storage. Source: AOSP
packages/modules/adb/daemon/shell_service.cpp, Subprocess::PassInput."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one command of a script wrote, and how it ended."""

    command: str
    status: int
    text: str

    def required(self) -> str:
        """The text of a command that must have ended with 0."""
        if self.status != 0:
            raise AnswerNotRecognised(f"{self.command}: ended with {self.status}")
        return self.text


def _fresh_mark() -> str:
    return secrets.token_hex(8)


async def run_script(
    shell: Shell,
    commands: Mapping[Name, str],
    *,
    stdin: bytes | StdinPackets = b"",
    deadline_s: float = COMMAND_DEADLINE_S,
    fresh_mark: Callable[[], str] = _fresh_mark,
) -> dict[Name, Answer]:
    """Run each named command, all in one call; raises AnswerNotRecognised if one has no answer.

    The commands are fixed texts of benchd's own: nothing that a handset said goes into one. Of
    `stdin` each has what those before it have left.
    """
    mark = fresh_mark()
    line = "\n".join(
        f'({command})\nstatus=$?\necho\necho "{mark} {number} $status"'
        for number, command in enumerate(commands.values())
    )
    if stdin:
        line += _READ_THE_REST
    completed = await shell.run(line, stdin=stdin, deadline_s=deadline_s)
    output = require_success(completed, "a script")
    complaints = completed.stderr[:LONGEST_COMPLAINT].decode(errors="replace")
    return await read_beside(
        len(output),
        lambda: _take_apart(output.decode(errors="replace"), mark, commands, complaints),
    )


_END: Final = re.compile(r"([0-9]{1,3}) ([0-9]{1,3})\n")
_UNFIT: Final = "the parts of a script's answer don't fit the script"


def _take_apart(
    output: str, mark: str, commands: Mapping[Name, str], complaints: str
) -> dict[Name, Answer]:
    # The mark is new for every call: nothing stored on a handset can hold it beforehand.
    text, *rest = output.split(f"\n{mark} ")
    texts, numbers, statuses = list[str](), list[str](), list[str]()
    for piece in rest:
        if (end := _END.match(piece)) is None:
            raise AnswerNotRecognised(_UNFIT)
        texts.append(text)
        numbers.append(end[1])
        statuses.append(end[2])
        text = piece[end.end() :]
    if numbers != [str(number) for number in range(len(commands))] or text:
        raise AnswerNotRecognised(_UNFIT)
    return {
        name: Answer(
            command=command,
            status=int(status),
            # Which command has complained can't be told apart; one that succeeded had no need to.
            text=text if int(status) == 0 else text + complaints,
        )
        for (name, command), text, status in zip(commands.items(), texts, statuses, strict=True)
    }
