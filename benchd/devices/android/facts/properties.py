"""Answers of `getprop`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from benchd.devices.android.shell.text import lines_of, printable
from benchd.domain.errors import AnswerNotRecognised

LONGEST_NAME: Final = 256
LONGEST_VALUE: Final = 4096
"""Characters. A value that can be set has at most 91 bytes; one that a build sets may have more."""
MOST_PROPERTIES: Final = 20_000
_MOST_DIGITS: Final = 4

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
        _check_size(name, value.removesuffix("]"), len(found))
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


def _check_size(name: str, value: str, number: int) -> None:
    if len(name) > LONGEST_NAME or len(value) > LONGEST_VALUE:
        raise AnswerNotRecognised(f"getprop: {printable(name)} is longer than properties are")
    if number >= MOST_PROPERTIES:
        raise AnswerNotRecognised(f"getprop: more than {MOST_PROPERTIES} properties")


def required(properties: Mapping[str, str], *names: str) -> str:
    """The first of these properties that isn't empty, fit to be shown."""
    for name in names:
        value = printable(properties.get(name, ""))
        if value:
            return value
    raise AnswerNotRecognised(f"getprop: no {names[0]}")


def one_of(properties: Mapping[str, str], name: str, *allowed: str) -> str | None:
    """A property with a closed list of values, in any case; None where it isn't set."""
    told = properties.get(name, "")
    value = told.casefold()
    if not value:
        return None
    if value not in allowed:
        raise AnswerNotRecognised(f"getprop: {name} is {printable(told)!r}")
    return value


def flag(properties: Mapping[str, str], name: str) -> bool | None:
    """A property that is true or false; None where it isn't set."""
    value = one_of(properties, name, "true", "false", "1", "0")
    return None if value is None else value in ("true", "1")


def whole_number(properties: Mapping[str, str], name: str) -> int:
    """A property that has to be a number of at most four digits."""
    required(properties, name)
    # As it came: without what can't be shown another number might be left of it.
    value = properties[name]
    if not (value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS):
        raise AnswerNotRecognised(f"getprop: {name} is no number")
    return int(value)
