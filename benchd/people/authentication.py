"""Showing who you are: a badge, a PIN, or both; in the same time whoever it is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio

from benchd.domain.errors import NotSignedIn, TriedTooOften
from benchd.domain.people import Actor, Person, PersonId, ShownBy
from benchd.domain.visitor_source import machine_of
from benchd.people.login_throttle import Tries, Whom
from benchd.people.person_register import People
from benchd.people.refused_tries import Refusals, Why

MOST_WAITING = 16
"""Tries that stand in each line; one costs a fifth of a second of one processor."""
MOST_OF_SOURCE = 4
"""Of one source, the one that is being looked at among them: it fills no line by itself."""
REST_FACTOR = 9.0
"""So many times as long as a failed try has taken nobody else without a badge is looked at: whoever
guesses PINs has a tenth of one processor, which the slots' own work may be waiting for."""
LONGEST_REST_S = 1.0
NOBODY = "nobody by that badge, id and PIN: look whether it is the right badge, then try again"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What somebody shows, and from where."""

    badge: str | None
    badge_of: PersonId | None
    """Whose badge was shown before, in the sitting that goes on."""
    person: str | None
    pin: str | None
    source: str

    @property
    def by_badge(self) -> bool:
        return self.badge is not None or self.badge_of is not None

    @property
    def way(self) -> ShownBy:
        if not self.by_badge:
            return ShownBy.PIN
        return ShownBy.BADGE if self.pin is None else ShownBy.BADGE_AND_PIN


class Authentication:
    """Lets in who has shown who they are; raises NotSignedIn or TriedTooOften."""

    def __init__(
        self, people: People, tries: Tries, refusals: Refusals, now: Callable[[], float]
    ) -> None:
        """`now` gives seconds of a clock that no setting moves."""
        self._now = now
        self._people = people
        self._tries = tries
        self._refusals = refusals
        self._with_badge = anyio.Lock()
        self._others = anyio.Lock()
        """Two lines, of each of which one is looked at: a crowd without badges keeps out nobody who
        has one, and takes no processor from the slots' work."""
        self._others_from_s = 0.0
        """Until then nobody in the line of the others is looked at."""
        self._standing = Counter[tuple[anyio.Lock, str]]()

    async def show(
        self,
        *,
        badge: str | None,
        person: str | None,
        pin: str | None,
        source: str,
        badge_of: PersonId | None = None,
        perhaps_badge: str | None = None,
    ) -> Actor:
        """Who it is. A badge alone is enough to be known, id and PIN are, or all three.

        `badge_of` is whose badge has opened the sitting to which a PIN is added: the badge needn't
        be shown again, and all else is as if it were. `perhaps_badge` is what of the PIN came as
        from a reader: where it is somebody's badge that is what was shown, and no PIN was.
        """
        shown = _Shown(badge=badge, badge_of=badge_of, person=person, pin=pin, source=source)
        if badge is not None or perhaps_badge is None:
            return await self._show(shown)
        scanned = _Shown(badge=perhaps_badge, badge_of=None, person=None, pin=None, source=source)
        claimed, whom = self._claimed(scanned)
        if claimed is not None and self._wait_s(scanned, whom) <= 0:
            return await self._show(scanned)
        try:
            return await self._show(shown)
        except (NotSignedIn, TriedTooOften):
            # Else badges could be guessed here for nothing.
            self._tries.failed(whom, source)
            raise

    async def _show(self, shown: _Shown) -> Actor:
        person, pin, source = shown.person, shown.pin, shown.source
        if not shown.by_badge and (person is None or pin is None):
            raise NotSignedIn("scan your badge, or give your id and your PIN")
        # Who has to wait anyway takes nobody's place in a line.
        held_s = await self._admit(shown)
        if pin is None:
            # There is nothing to compare that takes its time.
            return await self._look(shown)
        line = self._with_badge if shown.by_badge and held_s <= 0 else self._others
        with self._standing_in(line, source):
            async with line:
                if line is self._others:
                    await anyio.sleep(max(0.0, self._others_from_s - self._now()))
                return await self._look_in_turn(shown, patiently=line is self._others)

    @contextmanager
    def _standing_in(self, line: anyio.Lock, source: str) -> Generator[None]:
        """One more in this line inside of the block; TriedTooOften where it takes no more."""
        place = (line, machine_of(source))
        is_full = line.statistics().tasks_waiting >= MOST_WAITING
        if is_full or self._standing[place] >= MOST_OF_SOURCE:
            raise TriedTooOften("too many try at once: try again", wait_s=1)
        self._standing[place] += 1
        try:
            yield
        finally:
            self._standing[place] -= 1
            if not self._standing[place]:
                del self._standing[place]

    async def _look_in_turn(self, shown: _Shown, *, patiently: bool) -> Actor:
        """Look at what is shown; where it fails the line of the others may rest after it."""
        begun_s = self._now()
        try:
            held_s = await self._admit(shown)
            if held_s > 0:
                return await self._look_past(held_s, shown, patiently=patiently)
            return await self._look(shown, patiently=patiently)
        except (NotSignedIn, TriedTooOften):
            if patiently:
                ended_s = self._now()
                rest_s = min(REST_FACTOR * (ended_s - begun_s), LONGEST_REST_S)
                self._others_from_s = ended_s + rest_s
            raise

    async def _admit(self, shown: _Shown) -> float:
        """For how long the source is held all the same; raises TriedTooOften for who has to wait.

        Who shows badge and PIN is looked at wherever they come from.
        """
        claimed, whom = self._claimed(shown)
        held_s = self._tries.source_wait_s(shown.source, by_badge=shown.by_badge)
        if held_s > 0 and shown.way is ShownBy.BADGE_AND_PIN:
            return held_s
        wait_s = self._wait_s(shown, whom)
        if wait_s > 0:
            raise await self._too_soon(claimed, wait_s, shown.source)
        return 0.0

    def _wait_s(self, shown: _Shown, whom: Whom) -> float:
        held_s = self._tries.source_wait_s(shown.source, by_badge=shown.by_badge)
        return max(held_s, self._tries.wait_s(whom))

    async def _look_past(self, held_s: float, shown: _Shown, *, patiently: bool) -> Actor:
        """Let in badge and PIN together where somebody guesses badges, if both are right.

        A badge alone isn't: one that is let in while others are held could be guessed at any
        speed. Nor does a refusal tell whether it is anybody's, by what it says or by its time.
        """
        claimed, whom = self._claimed(shown)
        if self._tries.wait_s(whom) > 0:
            await self._people.is_pin(None, shown.pin or "", patiently=patiently)
            raise await self._too_soon(claimed, held_s, shown.source)
        try:
            return await self._look(shown, patiently=patiently)
        except NotSignedIn:
            raise _wait(held_s) from None

    async def _look(self, shown: _Shown, *, patiently: bool = False) -> Actor:
        claimed, whom = self._claimed(shown)
        anew = self._people.shown_anew(claimed.id) if claimed else 0
        right = shown.pin is None or await self._people.is_pin(
            claimed, shown.pin, patiently=patiently
        )
        if claimed is not None:
            # Comparing takes its time: what was shown may have come to count no more.
            right = right and anew == self._people.shown_anew(claimed.id)
            claimed = self._people.person(claimed.id)
        why = self._why_not(claimed, shown, right=right)
        if why is not None or claimed is None:
            self._tries.failed(whom, shown.source)
            known = claimed.id if claimed else None
            await self._refusals.keep(why or Why.UNKNOWN_PERSON, known, shown.source)
            raise NotSignedIn(NOBODY)
        if shown.pin is not None:
            self._tries.succeeded(whom)
        return actor_of(claimed, shown.way, shown.source)

    def _claimed(self, shown: _Shown) -> tuple[Person | None, Whom]:
        if shown.badge is not None:
            claimed = self._people.of_badge(shown.badge)
        else:
            claimed = self._known(shown.badge_of or shown.person)
        return claimed, _whom(claimed, shown)

    async def _too_soon(self, claimed: Person | None, wait_s: float, source: str) -> TriedTooOften:
        await self._refusals.keep(Why.TOO_SOON, claimed.id if claimed else None, source)
        return _wait(wait_s)

    def _known(self, person: str | None) -> Person | None:
        return next((one for one in self._people.everybody if one.id == person), None)

    def _why_not(self, claimed: Person | None, shown: _Shown, *, right: bool) -> Why | None:
        if claimed is None:
            return Why.UNKNOWN_BADGE if shown.by_badge else Why.UNKNOWN_PERSON
        if shown.by_badge and shown.person is not None and claimed.id != shown.person:
            return Why.ANOTHERS_BADGE
        if not right:
            return Why.WRONG_PIN
        return Why.DISABLED if self._people.is_disabled(claimed) else None


def _wait(wait_s: float) -> TriedTooOften:
    message = f"too many tries have failed: wait for {wait_s:.0f} s"
    return TriedTooOften(message, wait_s=wait_s)


def _whom(claimed: Person | None, shown: _Shown) -> Whom:
    """Whoever isn't known is counted too: the same pauses as for who is, so that none tells."""
    told = (shown.badge or shown.person or "").encode("utf-8", "replace")
    mark = claimed.badge if claimed is not None and shown.by_badge else None
    return Whom(
        name=mark or (claimed.id if claimed else hashlib.sha256(told).hexdigest()),
        is_known=claimed is not None,
        by_badge=shown.by_badge,
    )


def actor_of(person: Person, shown_by: ShownBy, source: str) -> Actor:
    """Somebody as the record names them."""
    return Actor(person=PersonId(person.id), name=person.name, shown_by=shown_by, source=source)
