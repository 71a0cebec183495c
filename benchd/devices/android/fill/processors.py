"""For which processors a handset runs programs, by what its system says of itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from benchd.devices.android.filler import is_known_abi
from benchd.devices.android.shell.commands import Shell, command_line, require_success
from benchd.devices.android.shell.parsing_thread import read_beside
from benchd.devices.android.shell.script import Answer
from benchd.devices.android.shell.text import lines_of, printable
from benchd.domain.errors import AnswerNotRecognised, UnsupportedHandset

# Those of 64 bits first: a newer processor has no others, and an older one is slower with them.
# The last two are for systems that leave the lists by width empty; `ro.product.cpu.abi` alone
# names what the system prefers, and says nothing of what else it runs.
_PROPERTIES: Final = (
    "ro.product.cpu.abilist64",
    "ro.product.cpu.abilist32",
    "ro.product.cpu.abilist",
    "ro.product.cpu.abi",
)
_ASK: Final = "; ".join(command_line("getprop", name) for name in _PROPERTIES)
MOST_ANSWER_BYTES: Final = 2048
ALL_PROPERTIES: Final = "properties"
"""The name of the answer that lists them; `android/facts/questions.py`."""
_LISTED: Final = re.compile(r"\[(ro\.product\.cpu\.abi(?:list(?:64|32)?)?)\]: \[([^\]\r\n]*)\]")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Processors:
    """What one handset runs, found out once per transport."""

    def __init__(self, shell: Shell, heard: Mapping[str, Answer]) -> None:
        """`heard` is what it has answered over the same transport, to whatever question."""
        self._shell = shell
        self._heard = heard
        self._abis: tuple[str, ...] = ()

    async def abis(self) -> tuple[str, ...]:
        """The ABIs that there are programs for, the best first; UnsupportedHandset for none."""
        if not self._abis:
            self._abis = read_abis(await self._listed() or await self._asked())
        return self._abis

    async def _listed(self) -> str:
        """The lists among all properties, if those were read; empty without any list."""
        answer = self._heard.get(ALL_PROPERTIES)
        if answer is None or answer.status != 0:
            return ""
        return await read_beside(len(answer.text), lambda: listed_abis(answer.text))

    async def _asked(self) -> str:
        answer = await self._shell.run(_ASK, maximum_output_bytes=MOST_ANSWER_BYTES)
        return require_success(answer, "getprop").decode(errors="replace")


def listed_abis(properties: str) -> str:
    """What `getprop` without a name tells of ABIs, as it does with their names; empty for no list.

    Every Android has a list: without one, this isn't all that it would say.
    """
    # A mere search, whoever wrote the lines: a wrong list leads to a program that doesn't run.
    found: dict[str, str] = dict(_LISTED.findall(properties))
    told = [found.get(name, "") for name in _PROPERTIES]
    return "\n".join(told) if any(told[:-1]) else ""


def read_abis(text: str) -> tuple[str, ...]:
    """The known names in lists of ABIs, each once, in their order."""
    names = [name for line in lines_of(text) for name in line.strip().split(",") if name]
    if not names:
        raise AnswerNotRecognised("getprop: no ABI")
    for name in names:
        if _NAME.fullmatch(name) is None:
            raise AnswerNotRecognised(f"getprop: {printable(name)} is no ABI")
    known = tuple(dict.fromkeys(name for name in names if is_known_abi(name)))
    if not known:
        raise UnsupportedHandset(f"benchd has no program for {', '.join(dict.fromkeys(names))}")
    return known
