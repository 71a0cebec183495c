"""Describes the form of a JSON document by checks, and finds every place that doesn't have it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from benchd.words.ids import JsonValue

Check = Callable[[JsonValue], str | None]
"""What a value should have been, or None where it is."""
Form = Mapping[str, "Check | Form"]

_SHA256 = re.compile("[0-9a-f]{64}")


def faults_of(value: JsonValue, form: Form, place: str) -> Iterator[str]:
    """Every field that is missing or isn't what it should be; fields beside the form are free."""
    if not isinstance(value, Mapping):
        yield f"{place} isn't an object"
        return
    for key, wanted in form.items():
        where = f"{place}.{key}"
        if key not in value:
            yield f"{where} is missing"
        elif callable(wanted):
            fault = wanted(value[key])
            if fault is not None:
                yield f"{where} isn't {fault}"
        else:
            yield from faults_of(value[key], wanted, where)


def text(value: JsonValue) -> str | None:
    """A text that says something."""
    return None if isinstance(value, str) and value.strip() else "a text"


def text_or_null(value: JsonValue) -> str | None:
    """A text, or null where nothing is known."""
    return None if value is None or isinstance(value, str) else "a text or null"


def moment(value: JsonValue) -> str | None:
    """A time of ISO 8601 with its zone."""
    try:
        if isinstance(value, str) and datetime.fromisoformat(value).utcoffset() is not None:
            return None
    except ValueError:
        pass
    return "a time with its zone"


def sha256(value: JsonValue) -> str | None:
    """A SHA-256 as hex."""
    return None if isinstance(value, str) and _SHA256.fullmatch(value) else "a SHA-256"


def flag(value: JsonValue) -> str | None:
    """True or false."""
    return None if isinstance(value, bool) else "true or false"


def count(value: JsonValue) -> str | None:
    """A whole number, zero or above."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return None
    return "a whole number"


def positive(value: JsonValue) -> str | None:
    """A whole number above zero."""
    return None if count(value) is None and value != 0 else "a whole number above zero"


def share(value: JsonValue) -> str | None:
    """A number from 0 to 1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return None
    return "a number from 0 to 1"


def seconds_or_null(value: JsonValue) -> str | None:
    """A duration, or null where it wasn't measured."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return None
    return None if value is None else "a number of seconds or null"


def anything(_: JsonValue) -> str | None:
    """Whatever is said, as long as something is."""
    return None


def exactly(wanted: str) -> Check:
    """One word and no other."""

    def check(value: JsonValue) -> str | None:
        return None if value == wanted else repr(wanted)

    return check


def one_of(*wanted: str) -> Check:
    """One of these words."""

    def check(value: JsonValue) -> str | None:
        return None if value in wanted else " or ".join(map(repr, wanted))

    return check


def texts(value: JsonValue) -> str | None:
    """A list of texts that isn't empty."""
    items = _items(value)
    return None if items and all(text(item) is None for item in items) else "a list of texts"


def list_of(form: Form) -> Check:
    """A list, not empty, of objects of one form."""

    def check(value: JsonValue) -> str | None:
        items = _items(value)
        if not items:
            return "a list"
        faults = [
            fault
            for number, item in enumerate(items)
            for fault in faults_of(item, form, f"[{number}]")
        ]
        return f"well-formed: {'; '.join(faults)}" if faults else None

    return check


def _items(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
