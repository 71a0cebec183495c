"""For which processors a handset runs programs, by what its system says of itself."""

from __future__ import annotations

import re
from typing import Final

from benchd.android.shell.commands import Shell, command_line, require_success
from benchd.android.shell.text import lines_of, printable
from benchd.errors import AnswerNotRecognised, UnsupportedHandset
from benchd.filler import is_known_abi

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
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Processors:
    """What one handset runs, asked once per transport."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self._abis: tuple[str, ...] = ()

    async def abis(self) -> tuple[str, ...]:
        """The ABIs that there are programs for, the best first; UnsupportedHandset for none."""
        if not self._abis:
            answer = await self._shell.run(_ASK, maximum_output_bytes=MOST_ANSWER_BYTES)
            self._abis = read_abis(require_success(answer, "getprop").decode(errors="replace"))
        return self._abis


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
