"""How a mistake is worded: what was found, what is allowed, what was probably meant."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from datetime import date, time

from pydantic_core import PydanticCustomError

REFUSED = "benchd_refused"
"""The type of the errors whose message says it all."""
_LONGEST_SHOWN = 60
_LARGEST_SHOWN = 1 << 64


def refused(message: str) -> PydanticCustomError:
    """An error for a validator to raise; the message goes to the person as it is."""
    # The message is a value of the template, so that braces in it mean nothing.
    return PydanticCustomError(REFUSED, "{message}", {"message": message})


def found(value: object) -> str:
    """A value of tomllib's as the file has it, bounded and printable."""
    match value:
        case str():
            shown = "".join(c if c.isprintable() else "?" for c in value[:_LONGEST_SHOWN])
            ending = "…" if len(value) > _LONGEST_SHOWN else ""
            text = json.dumps(shown + ending, ensure_ascii=False)
        case bool():
            text = "true" if value else "false"
        case int() if abs(value) > _LARGEST_SHOWN:
            text = "a number far too large"
        case int() | float():
            text = str(value)
        case date() | time():
            text = "a date or time"
        case list():
            text = "an array"
        case _:
            text = "a table"
    return text


def listed(words: Iterable[str]) -> str:
    """Words for a person to choose from."""
    return ", ".join(words)


def suggestion(word: object, candidates: Iterable[str]) -> str:
    """`; did you mean "…"?` if one of the candidates is close, else nothing."""
    if not isinstance(word, str):
        return ""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    close = difflib.get_close_matches(word.lower()[:_LONGEST_SHOWN], by_lower, n=1)
    return f'; did you mean "{by_lower[close[0]]}"?' if close else ""
