"""How many requests are served at once; the others wait in a line that has an end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import anyio


class _Waiting:
    def __init__(self, marks: Sequence[str]) -> None:
        self.marks = marks
        self.called = anyio.Event()


class RequestLimit:
    """So many in all, and so many of each mark, such as whose a request is and what it asks for.

    Who waits for a mark of which all places are taken keeps nobody waiting who has another one.
    """

    def __init__(self, *, most: int, of_each: Sequence[int], waiting: int, of_one: int) -> None:
        """`of_each` bounds each mark in its order, `of_one` how many of the first one wait."""
        self._most = most
        self._of_each = of_each
        self._longest = waiting
        self._longest_of_one = of_one
        self._taken = Counter[str]()
        self._count = 0
        self._line: list[_Waiting] = []

    async def take(self, *marks: str) -> bool:
        """Take one as soon as there is one; False at once if too many wait for that already."""
        if self._has_room(marks):
            self._add(marks)
            return True
        of_one = sum(each.marks[0] == marks[0] for each in self._line)
        if len(self._line) >= self._longest or of_one >= self._longest_of_one:
            return False
        waiting = _Waiting(marks)
        self._line.append(waiting)
        try:
            await waiting.called.wait()
        except BaseException:
            if waiting.called.is_set():
                self.give_back(*marks)
            else:
                self._line.remove(waiting)
            raise
        return True

    def give_back(self, *marks: str) -> None:
        """Let the next one in."""
        self._count -= 1
        self._taken -= Counter(marks)
        for waiting in [each for each in self._line if self._count < self._most]:
            if self._has_room(waiting.marks):
                self._line.remove(waiting)
                self._add(waiting.marks)
                waiting.called.set()

    def _has_room(self, marks: Sequence[str]) -> bool:
        bounds = zip(marks, self._of_each, strict=True)
        return self._count < self._most and all(self._taken[mark] < most for mark, most in bounds)

    def _add(self, marks: Sequence[str]) -> None:
        self._count += 1
        self._taken.update(marks)
