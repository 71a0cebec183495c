"""Refused tries on record, and how a flood of them is kept from filling the ledger.

Thirty in a row each get their record, then one a minute; how many had none in between stands in
the next. So a day of any flood costs at most 1,470 records, and none goes uncounted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from enum import StrEnum

import anyio

from benchd.domain.people import PersonId
from benchd.domain.ports import Clock
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.domain.token_bucket import TokenBucket

AT_ONCE = 30
EACH_S = 60.0
LONGEST_SOURCE = 64


class Why(StrEnum):
    """Why somebody wasn't let in."""

    UNKNOWN_BADGE = "unknown_badge"
    UNKNOWN_PERSON = "unknown_person"
    WRONG_PIN = "wrong_pin"
    ANOTHERS_BADGE = "anothers_badge"
    DISABLED = "disabled"
    TOO_SOON = "too_soon"


class Refusals:
    """Keeps refusals on record, within bounds."""

    def __init__(
        self,
        append: Callable[[Entry], Awaitable[Receipt]],
        clock: Clock,
        now: Callable[[], float],
    ) -> None:
        self._append = append
        self._clock = clock
        self._share = TokenBucket(per_s=1 / EACH_S, at_once=AT_ONCE, now=now)
        self._not_recorded = 0
        self._turn = anyio.Lock()
        """One record at a time, however many try at once: handsets' records go between."""

    async def keep(self, why: Why, person: PersonId | None, source: str) -> None:
        """Record it, or count it. Who isn't known isn't named: it may be a PIN in a wrong field."""
        if self._share.take_or_wait_s() > 0:
            self._not_recorded += 1
            return
        before, self._not_recorded = self._not_recorded, 0
        async with self._turn:
            await self._append(
                Entry(
                    kind=EntryKind.PERSON_REFUSED,
                    at=self._clock.now(),
                    data={
                        "why": why,
                        "person": person,
                        "source": source[:LONGEST_SOURCE],
                        "not_recorded_before": before,
                    },
                )
            )
