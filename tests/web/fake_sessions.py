"""Who is signed in, for tests that aren't about that: whoever the cookie or the socket names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import cast
from urllib.parse import quote, unquote

from benchd.domain.authority import Action
from benchd.domain.errors import NotFound, NotSignedIn, TokenRefused
from benchd.domain.people import Actor, By, Person, Role, SignedIn
from benchd.domain.token import Scope, Token
from benchd.people.person_register import People
from benchd.people.sessions import Sessions
from benchd.web.access_level import AccessLevel
from benchd.web.callers import COOKIE, COOKIE_OVER_TLS, Callers, session_way, unix_way
from tests.people.somebody import somebody

WORKER, SECOND = "佐藤", "鈴木"


def screen_of(name: str) -> dict[str, str]:
    """The headers of a browser at which somebody has signed in."""
    return {"cookie": f"{COOKIE}={quote(name)}; {COOKIE_OVER_TLS}={quote(name)}"}


class FakeSessions(Sessions):
    """Fake sessions that believe every cookie."""

    def __init__(self) -> None:
        pass

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
        before = None if instead_of is None else unquote(instead_of)
        return self._of(badge or person or before or WORKER)

    def who(self, token: str, source: str) -> SignedIn:
        return self._of(unquote(token))

    def use(self, token: str, csrf: str, source: str) -> SignedIn:
        return self._of(unquote(token))

    def lock(self, token: str | None) -> None:
        pass

    def is_replaced(self, token: str | None) -> bool:
        return False

    def _of(self, name: str) -> SignedIn:
        actor = somebody(name)
        return SignedIn(
            actor=actor,
            person=Person(
                id=actor.person, name=actor.name, reading="", roles=frozenset(Role), badge="b"
            ),
            csrf="csrf",
            idle_s=600,
            token=quote(name),
        )


class Everybody:
    """A fake of as much of `People` as routes ask that need authority: all may do all."""

    everybody = ()

    def refuse_unless_allowed(self, actor: Actor, action: Action) -> None:
        pass

    def holds_badge(self, text: str) -> bool:
        """Nor does any text hold one."""
        return False

    def of_badge(self, badge: str) -> Person | None:
        """A fake has no badge on record: a tag is a tag."""
        return None


EVERYBODY = cast("People", Everybody())


class NoTokens:
    """Fake tokens of a rack that knows none."""

    all = ()

    def admit(self, secret: str, source: str) -> Token:
        raise NotSignedIn("no token of this rack")

    def now(self) -> datetime:
        raise NotImplementedError

    async def create(
        self, by: By, name: str, scopes: Collection[Scope], *, days: int
    ) -> tuple[Token, str]:
        raise TokenRefused("a fake has none")

    async def rotate(
        self, by: By, name: str, *, days: int, overlap_hours: float
    ) -> tuple[Token, str]:
        raise NotFound("a fake has none")

    async def revoke(self, by: By, name: str) -> Token:
        raise NotFound("a fake has none")


def believing(anonymous: AccessLevel) -> Callers:
    """Callers who are whoever their cookie names, else the worker if they come by the socket."""
    worker = somebody(WORKER)
    unix = unix_way(lambda _: worker.person, lambda _: worker.name, None)
    return Callers((session_way(FakeSessions()), unix), anonymous=anonymous)
