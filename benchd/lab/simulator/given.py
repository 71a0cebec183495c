"""Answers of another handset in the place of a virtual one's own, as far as it can live with them.

Its own stay what its erasure rests on: storage, files, the programs' kind of processor, and, once
it was reset, all that a reset changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from benchd.android.facts import fact_table
from benchd.android.facts.fact_table import QUESTIONS
from benchd.lab.simulator.plan import GivenAnswer

NEVER_GIVEN: Final = frozenset(
    {*fact_table.STORAGE_TWICE, "uptime", "files", "superuser", "felica"}
)
"""Storage, files and its last start have to be true; what looks for places finds those that are."""
_UNTIL_A_RESET: Final = frozenset(
    {*fact_table.OWNERS, *fact_table.RESET, *fact_table.LEFT, "policy", "trust"}
)
_OWN_PROPERTIES: Final = ("ro.product.cpu.abi", "ro.product.cpu.abilist")
_PROPERTY: Final = re.compile(r"^\[([^\[\]\n]+)\]: \[([^\n]*)\]\r?$", re.MULTILINE)

Asked = tuple[str, str]
Said = tuple[str, int]


def given_answers(
    given: Mapping[str, GivenAnswer], own: Mapping[str, str], *, was_reset: bool
) -> Mapping[Asked, Said]:
    """By tool and arguments: what the handset says with another one's words.

    `own` are its own properties, of which it needs some.
    """
    left_out = NEVER_GIVEN | _UNTIL_A_RESET if was_reset else NEVER_GIVEN
    said: dict[Asked, Said] = {}
    for name, answer in given.items():
        if name in left_out:
            continue
        text = _with_own(answer.text, own) if name == "properties" else answer.text
        said[asked_as(QUESTIONS[name])] = (text, answer.status)
        if name == "properties":
            said |= {("getprop", key): (f"{value}\n", 0) for key, value in _PROPERTY.findall(text)}
    return said


def asked_as(command: str) -> Asked:
    """A command as the virtual tools look for its answer."""
    tool, _, arguments = command.partition(" ")
    if tool == "content":
        # By provider, as the tool itself looks for it.
        return tool, arguments.partition("content://")[2].partition("/")[0].partition(" ")[0]
    return tool, arguments or "all"


def _with_own(text: str, own: Mapping[str, str]) -> str:
    """With what native programs need to run here, and with the mark of its own last reset."""
    mark = "persist.sys.test_harness"
    needed = {name: own[name] for name in (*_OWN_PROPERTIES, mark) if name in own}

    def line(found: re.Match[str]) -> str:
        return f"[{found[1]}]: [{needed.pop(found[1], found[2])}]"

    replaced = _PROPERTY.sub(line, text)
    if mark not in needed:
        return replaced
    return f"{replaced.removesuffix(chr(10))}\n[{mark}]: [{needed[mark]}]\n"
