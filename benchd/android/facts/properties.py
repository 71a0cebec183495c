"""Answers of `getprop`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from benchd.android.shell.text import lines_of, printable
from benchd.errors import AnswerNotRecognised

_OPENING: Final = re.compile(r"\[([^\[\]]+)\]: \[(.*)", re.DOTALL)


def read_properties(text: str) -> Mapping[str, str]:
    """Every property by name; a value may span lines."""
    found: dict[str, str] = {}
    name = value = ""
    for line in lines_of(text):
        if not name:
            if not line:
                continue
            match = _OPENING.fullmatch(line)
            if match is None:
                raise AnswerNotRecognised("getprop: a line that is no property")
            name, value = match[1], match[2]
        else:
            value += "\n" + line
        if value.endswith("]"):
            if name in found:
                raise AnswerNotRecognised(f"getprop: {printable(name)} stands there twice")
            found[name] = value[:-1]
            name = ""
    if name:
        raise AnswerNotRecognised("getprop: the last value has no end")
    if not found:
        raise AnswerNotRecognised("getprop: no properties")
    return found


def required(properties: Mapping[str, str], *names: str) -> str:
    """The first of these properties that isn't empty, fit to be shown."""
    for name in names:
        value = printable(properties.get(name, ""))
        if value:
            return value
    raise AnswerNotRecognised(f"getprop: no {names[0]}")


def one_of(properties: Mapping[str, str], name: str, *allowed: str) -> str | None:
    """A property with a closed list of values; None where the handset doesn't set it."""
    value = properties.get(name, "")
    if not value:
        return None
    if value not in allowed:
        raise AnswerNotRecognised(f"getprop: {name} is {printable(value)!r}")
    return value
