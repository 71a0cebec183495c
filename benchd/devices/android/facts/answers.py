"""A handset's answers by the names of the questions, wherever they come from."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar

from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import AnswerNotRecognised, OtherUserClosed
from benchd.domain.job import Reason

T = TypeVar("T")

_REFUSED: Final = "SecurityException: "
_CLOSED: Final = re.compile(r"(?:access|run as) user ([1-9][0-9]{0,8})\b")
_REFUSED_WITHIN: Final = 300
"""Characters between the two, on one line. Source: AOSP, ActivityManager's handling of incoming
users, for a user with DISALLOW_DEBUGGING; Secure Folder and work profiles have it, and `pm` without
a user means them all."""


class NotAsked(Exception):
    """Raised for a fact that rests on a question which wasn't put."""


class Answers:
    """Hands each answer to its parser, and remembers what was lacking and what wasn't understood.

    Of a handset that is there every question has been put; a dossier may lack any of them.
    """

    def __init__(self, told: Mapping[str, Answer]) -> None:
        self._told = told
        self._refused: dict[str, AnswerNotRecognised] = {}
        self._missing: dict[str, None] = {}
        self._closed: dict[str, str | None] = {}
        """Which user an answer says is closed, looked for once for all facts that rest on it."""

    @property
    def refused(self) -> Mapping[str, str]:
        """Why an answer that was read wasn't understood, by its name."""
        return {name: refusal.detail for name, refusal in self._refused.items()}

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What a handset would be held for because of that, each once."""
        return tuple(dict.fromkeys(refusal.reason for refusal in self._refused.values()))

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of questions that facts rest on and that weren't put."""
        return tuple(self._missing)

    def read(self, name: str, parse: Callable[[str], T]) -> T:
        """What a parser makes of an answer; AnswerNotRecognised where the handset refused it.

        Raises NotAsked where there is none.
        """
        answer = self._answer(name)
        if answer is None:
            raise NotAsked(name)
        with self.blamed(name):
            return parse(answer.required())

    def read_if_asked(self, name: str, parse: Callable[[str], T], otherwise: T) -> T:
        """The same for what only adds to another answer."""
        return otherwise if self._answer(name) is None else self.read(name, parse)

    def read_if_answered(self, name: str, parse: Callable[[str], T]) -> T | None:
        """The same for what a handset may refuse: it has said nothing then."""
        answer = self._answer(name)
        if answer is None or answer.status != 0:
            return None
        with self.blamed(name):
            return parse(answer.text)

    def read_always(self, name: str, parse: Callable[[str], T]) -> T | None:
        """The same where the exit status says nothing: the parser tells what is an answer."""
        answer = self._answer(name)
        return None if answer is None else parse(answer.text)

    @contextmanager
    def blamed(self, name: str) -> Generator[None]:
        """Put down a refusal in this block to the answer of that name."""
        try:
            yield
        except AnswerNotRecognised as refusal:
            self._refused.setdefault(name, refusal)
            raise

    def _answer(self, name: str) -> Answer | None:
        answer = self._told.get(name)
        if answer is None:
            self._missing[name] = None
            return None
        if name not in self._closed:
            self._closed[name] = _closed_user(answer.text)
        closed = self._closed[name]
        if closed is not None:
            with self.blamed(name):
                raise OtherUserClosed(f"{answer.command}: user {closed} is closed to adb")
        return answer


def _closed_user(text: str) -> str | None:
    """The user whom a refusal in this answer is about; None where there is none."""
    for found in _CLOSED.finditer(text):
        before = text[max(0, found.start() - _REFUSED_WITHIN - len(_REFUSED)) : found.start()]
        if _REFUSED in before.rpartition("\n")[2]:
            return found[1]
    return None
