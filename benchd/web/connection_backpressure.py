"""What a server knows of the crowds in its door: who was refused how often, how late its loop is.

While the loop comes late and a crowd is there, nobody's requests aren't heard: they wait in the
kernel, where they cost nothing, and what the processor can do is left to people, probes and jobs.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from benchd.domain.token_bucket import Buckets

Connection = TypeVar("Connection", bound=Hashable)

TOLD_AT_ONCE = 20
TOLD_PER_S = 2.0
"""So fast a source is told that it's refused; beyond that after a rest, since its clients come
again as soon as they are told."""
REFUSED_PER_S = 5.0
REFUSED_AT_ONCE = 40.0
"""So fast the application refuses a source; its connections wait until that pace is kept."""
MOST_SOURCES: Final = 1024
LOOK_EVERY_S: Final = 0.05
LATE_S = 0.1
"""By so much the loop comes back too late where it has more to do than it can."""
CROWD = 32
"""So many connections by one door are one."""
GOLDEN: Final = 0.6180339887
"""Multiples of it, without their whole part, are spread evenly, however many there are."""
SIGN_INS_PER_S = 1.0
SIGN_INS_AT_ONCE = 10
"""So often a source is expected to sign in where others have to wait."""


class Crowds(Generic[Connection]):
    """Of one server, on its loop; connections by the user of the Unix socket, in their order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.told = Buckets[str](
            per_s=TOLD_PER_S, at_once=TOLD_AT_ONCE, most=MOST_SOURCES, now=loop.time
        )
        self.sign_ins = Buckets[str](
            per_s=SIGN_INS_PER_S, at_once=SIGN_INS_AT_ONCE, most=MOST_SOURCES, now=loop.time
        )
        self.refusals = Buckets[str](
            per_s=REFUSED_PER_S, at_once=REFUSED_AT_ONCE, most=MOST_SOURCES, now=loop.time
        )
        """What a source's connections were refused that stay: until none is owed they wait."""
        self.unheard = defaultdict[int | None, dict[Connection, None]](dict)
        """Those that have said nothing yet, or are put off."""
        self.inside = defaultdict[int | None, dict[Connection, None]](dict)
        self.refused: dict[Connection, None] = {}
        self._loop = loop
        self._late_s = 0.0
        self._due: float | None = None
        self._turn = 0.0

    def spread(self) -> float:
        """From 1 to 2, by turns: those that have to wait at once don't come back at once."""
        self._turn = (self._turn + GOLDEN) % 1.0
        return 1.0 + self._turn

    def forget(self, connection: Connection, user: int | None) -> None:
        """It has left, or is about to stand elsewhere."""
        self.refused.pop(connection, None)
        for doors in (self.unheard, self.inside):
            doors[user].pop(connection, None)
            if not doors[user]:
                del doors[user]

    def is_one_at(self, user: int | None) -> bool:
        """Whether so many are there that they are a crowd."""
        return len(self.unheard.get(user, ())) + len(self.inside.get(user, ())) >= CROWD

    def is_late(self) -> bool:
        """Whether the loop has more to do than it can; is looked at as long as somebody asks."""
        if self._due is None:
            self._look_again()
        # A look that is overdue tells as much as one that came too late.
        return max(self._late_s, self._loop.time() - (self._due or 0.0)) > LATE_S

    def _look_again(self) -> None:
        self._due = self._loop.time() + LOOK_EVERY_S
        self._loop.call_at(self._due, self._looked, self._due)

    def _looked(self, due: float) -> None:
        self._late_s = self._loop.time() - due
        self._due = None
        if self._late_s > LATE_S:
            self._look_again()
