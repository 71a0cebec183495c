"""A look at known places on a handset, whose answer says that it has reached its end."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from benchd.devices.android.shell.text import lines_of
from benchd.domain.errors import AnswerNotRecognised

_END: Final = "looked everywhere"


def search_command(places: Collection[str], test: str) -> str:
    """A shell command that names those places for which `test` holds, then its end."""
    return (
        f'for p in {" ".join(places)}; do if [ {test} "$p" ]; then echo "$p"; fi; done;'
        f' echo "{_END}"'
    )


def read_search(text: str, places: Collection[str], what: str) -> tuple[str, ...]:
    """The places that it has named; an answer without its end is none."""
    lines = lines_of(text)
    if not lines or lines[-1] != _END:
        raise AnswerNotRecognised(f"the search for {what} has no end")
    found = tuple(lines[:-1])
    if not set(found) <= set(places) or len(found) > len(places):
        raise AnswerNotRecognised(f"the search for {what} found another place")
    return found
