"""Who is signed in on which screen: in memory only, so that a restart locks every one."""

from __future__ import annotations

import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from benchd.domain.errors import NotSignedIn
from benchd.domain.people import Actor, Person, PersonId, ShownBy, SignedIn
from benchd.domain.ports import Entropy
from benchd.people.authentication import Authentication
from benchd.people.person_register import People

MOST_SESSIONS = 256
MOST_OF_ONE = 16
"""Of one person: whoever has a badge can't lock everybody else's screens by signing in."""
TOKEN_BYTES = 32
LONGEST_S = 12 * 3600.0
"""However busy somebody is: a shift."""


@dataclass(slots=True)
class _Session:
    actor: Actor
    csrf: str
    opened_s: float
    used_s: float
    shown_anew: int
    """`People.shown_anew` as it was opened: once that is another, it is locked."""


class Sessions:
    """Opens, finds and locks sessions. Tokens are known here by their hash alone."""

    def __init__(
        self,
        people: People,
        showing: Authentication,
        *,
        entropy: Entropy,
        now: Callable[[], float],
        idle_s: float,
    ) -> None:
        self._people = people
        self._showing = showing
        self._entropy = entropy
        self._now = now
        self.idle_s = idle_s
        self._open: dict[str, _Session] = {}
        self._replaced = deque[str](maxlen=MOST_SESSIONS)
        """Whose browser has been given the cookie of a newer one."""

    async def open(
        self,
        *,
        badge: str | None,
        person: str | None,
        pin: str | None,
        source: str,
        perhaps_badge: str | None = None,
        instead_of: str | None = None,
        csrf: str = "",
    ) -> SignedIn:
        """A new session, never an old one's token; the one in its place is locked.

        A PIN by itself is added to the badge that has opened the one in its place, which takes that
        one's CSRF token.

        Whoever scans their own badge in a sitting in which they have typed their PIN needn't type
        it again; the sitting grows no longer by that.
        Raises NotSignedIn or TriedTooOften, and then leaves the old one open.
        """
        adds = badge is None and person is None and pin is not None
        badge_of = self._badge_of(instead_of, csrf, source) if adds else None
        actor = await self._showing.show(
            badge=badge,
            badge_of=badge_of,
            person=person,
            pin=pin,
            perhaps_badge=perhaps_badge,
            source=source,
        )
        if badge_of is not None:
            # Comparing takes its time: it may have been locked, or the badge be another one.
            self._badge_of(instead_of, csrf, source)
        opened_s = now = self._now()
        before = self._goes_on(instead_of, actor)
        if before is not None:
            actor, opened_s = replace(actor, shown_by=ShownBy.BADGE_AND_PIN), before.opened_s
        self.lock(instead_of)
        if instead_of is not None:
            self._replaced.append(_name(instead_of))
        token = self._entropy.token(TOKEN_BYTES).hex()
        new_csrf = self._entropy.token(TOKEN_BYTES).hex()
        self._open[_name(token)] = _Session(
            actor=actor,
            csrf=new_csrf,
            opened_s=opened_s,
            used_s=now,
            shown_anew=self._people.shown_anew(actor.person),
        )
        own = [name for name, one in self._open.items() if one.actor.person == actor.person]
        self._lock_oldest(own, MOST_OF_ONE)
        self._lock_oldest(list(self._open), MOST_SESSIONS)
        return self._signed_in(self._open[_name(token)], self._person(actor.person), token)

    def who(self, token: str, source: str) -> SignedIn:
        """Whose session it is, if it is open and of this source; else NotSignedIn."""
        session = self._open.get(_name(token))
        if session is None or session.actor.source != source:
            raise NotSignedIn(_LOCKED)
        if not self._counts(session):
            self.lock(token)
            raise NotSignedIn(_LOCKED)
        try:
            person = self._person(session.actor.person)
        except NotSignedIn:
            self.lock(token)
            raise
        return self._signed_in(session, person, "")

    def use(self, token: str, csrf: str, source: str) -> SignedIn:
        """The same for whoever does something: with the session's own CSRF token, and not idle."""
        session = self._open.get(_name(token))
        if session is None or not hmac.compare_digest(session.csrf.encode(), csrf.encode()):
            raise NotSignedIn(_LOCKED)
        signed_in = self.who(token, source)
        session.used_s = self._now()
        return signed_in

    def is_replaced(self, token: str | None) -> bool:
        """Whether its browser has another since: what was asked by this one came too late."""
        return token is not None and _name(token) in self._replaced

    def lock(self, token: str | None) -> None:
        """End a session; nothing where there is none."""
        if token is not None:
            self._open.pop(_name(token), None)

    def _badge_of(self, token: str | None, csrf: str, source: str) -> PersonId | None:
        """Whose badge has opened this session; None if something else has, or there is none.

        Raises NotSignedIn where it doesn't count any more.
        """
        if token is None:
            return None
        actor = self.use(token, csrf, source).actor
        return actor.person if actor.shown_by in _BY_BADGE else None

    def _goes_on(self, token: str | None, actor: Actor) -> _Session | None:
        """The sitting that this badge is scanned in, and whose PIN was typed in it."""
        before = None if token is None else self._open.get(_name(token))
        if before is None or not self._counts(before) or actor.shown_by is not ShownBy.BADGE:
            return None
        same = replace(before.actor, shown_by=actor.shown_by) == actor
        return before if same and before.actor.shown_by in _BY_PIN else None

    def _lock_oldest(self, names: Sequence[str], most: int) -> None:
        for name in names[: max(0, len(names) - most)]:
            del self._open[name]

    def _counts(self, session: _Session) -> bool:
        now = self._now()
        if now - session.used_s >= self.idle_s or now - session.opened_s >= LONGEST_S:
            return False
        return session.shown_anew == self._people.shown_anew(session.actor.person)

    def _person(self, of: PersonId) -> Person:
        found = next((one for one in self._people.everybody if one.id == of), None)
        if found is None or self._people.is_disabled(found):
            raise NotSignedIn(f"{of} may do nothing on this rack: `benchd people list`")
        return found

    def _signed_in(self, session: _Session, person: Person, token: str) -> SignedIn:
        return SignedIn(
            actor=session.actor, person=person, token=token, csrf=session.csrf, idle_s=self.idle_s
        )


_BY_BADGE = (ShownBy.BADGE, ShownBy.BADGE_AND_PIN)
_BY_PIN = (ShownBy.PIN, ShownBy.BADGE_AND_PIN)


def _name(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


_LOCKED = "nobody is signed in here any more: scan your badge, or give your id and PIN"
