"""From errors to exit codes, the same for every command."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import cast

from benchd.domain.errors import BenchdError
from benchd.domain.plain_text import printable
from benchd.observe.journald import journal_stream_is
from benchd.texts.catalogue import Catalogue
from benchd.texts.failures import failure_text
from benchd.texts.locale_language import language_of

LONGEST_LINE = 2000
IN_THE_JOURNAL = "told in the journal"
"""A note of an error that stands there as a line of its own already."""
_AS_ERROR = "<3>"
"""What makes a line on standard error one of priority error in the journal (sd-daemon(3))."""
UNUSABLE_FILE = 2
"""A file that was named and can't be used is a mistake of whoever named it."""


@contextmanager
def exit_on_error() -> Generator[None, None, None]:
    """Tell a benchd error on standard error and exit with its code; let others through."""
    try:
        yield
    except BenchdError as error:
        _complain(error)
    except BaseExceptionGroup as group:
        error = gravest(group)
        if error is None:
            raise
        _complain(error)


def exit_code_of(error: BaseException) -> int:
    """What a command ends with that this ends."""
    ours = gravest(error)
    if ours is not None:
        return ours.exit_code
    return UNUSABLE_FILE if isinstance(error, OSError) and error.filename else 1


def gravest(error: BaseException) -> BenchdError | None:
    """A benchd error; of a group that holds nothing else that with the highest exit code."""
    if not isinstance(error, BaseExceptionGroup):
        return error if isinstance(error, BenchdError) else None
    ours, others = cast("BaseExceptionGroup[BaseException]", error).split(BenchdError)
    if ours is None or others is not None:
        return None
    return max(_leaves(ours), key=lambda error: error.exit_code)


def _leaves(group: BaseExceptionGroup[BenchdError]) -> list[BenchdError]:
    leaves: list[BenchdError] = []
    for error in group.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves


def _complain(error: BenchdError) -> None:
    told = failure_text(error, Catalogue.load(checked=False), language_of(os.environ))
    # Names of files and answers of handsets are in it: they steer no terminal.
    lines = (printable(line, LONGEST_LINE) for line in told.splitlines())
    complain("\n".join(lines), error)
    sys.exit(error.exit_code)


def complain(text: str, error: BaseException | None = None) -> None:
    """Say on standard error what is wrong; a unit's journal shows it where errors are looked for.

    Once, where the error stands there already.
    """
    is_told = IN_THE_JOURNAL in getattr(error, "__notes__", ())
    mark = _AS_ERROR if not is_told and _goes_to_journal() else ""
    sys.stderr.write("".join(f"{mark}{line}\n" for line in f"benchd: {text}".splitlines()))


def _goes_to_journal() -> bool:
    try:
        return journal_stream_is(sys.stderr.fileno(), os.environ)
    except (OSError, ValueError):
        return False
