"""Who sends a request, and how much of the rack it may see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

from starlette.requests import HTTPConnection
from starlette.types import Scope

from benchd.domain.errors import NotSignedIn
from benchd.domain.people import Actor, PersonId, ShownBy
from benchd.domain.token import Token
from benchd.people.sessions import Sessions
from benchd.web.access_level import AccessLevel
from benchd.web.peer import is_encrypted, peer_of, source_of
from benchd.web.proxy import NameOf, TrustedProxy

EXTENSION = "caller"
COOKIE = "benchd_session"
COOKIE_OVER_TLS = f"__Host-{COOKIE}"
"""Browsers take it over TLS only, and from nobody but this very host."""

Way = Callable[[Scope], Actor | None]
"""One way to show who sends a request; None where it shows nobody.

Is asked again and again while an event stream is open: being asked is no sign of a person.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who sends a request, if that was shown, and what may be answered."""

    actor: Actor | None
    access_level: AccessLevel
    token: Token | None = None
    """The one that it came with; then it is nobody, and sees only what its scopes are for."""


class Callers:
    """Asks each way in its order; the first that shows somebody counts."""

    def __init__(
        self,
        ways: Sequence[Way] = (),
        *,
        proxy: TrustedProxy | None = None,
        anonymous: AccessLevel = AccessLevel.WALL,
    ) -> None:
        """`anonymous` is what a request sees that shows nobody and didn't come by the socket."""
        self._ways = (*ways, *((proxy.person,) if proxy else ()))
        self.proxy = proxy
        self._anonymous = anonymous

    def of(self, scope: Scope) -> Caller:
        """Who sends this request."""
        shown = (way(scope) for way in self._ways)
        actor = next((one for one in shown if one is not None), None)
        if self.is_on_machine(scope):
            return Caller(actor=actor, access_level=AccessLevel.SOCKET)
        return Caller(actor=actor, access_level=AccessLevel.READ if actor else self._anonymous)

    def is_on_machine(self, scope: Scope) -> bool:
        """Whether it came by the Unix socket, and not for somebody elsewhere."""
        return peer_of(scope) is not None and not (self.proxy and self.proxy.sends(scope))


def caller_of(scope: Scope) -> Caller:
    """Who sends this request, as the doorman has found."""
    return cast("Caller", scope["extensions"][EXTENSION])


def token_of(scope: Scope) -> str | None:
    """What the cookie of a session holds; None where there is no such cookie."""
    return HTTPConnection(scope).cookies.get(cookie_name(scope))


def cookie_name(scope: Scope) -> str:
    """How the session's cookie is called on the way that this request has come."""
    return COOKIE_OVER_TLS if is_encrypted(scope) else COOKIE


def session_way(sessions: Sessions) -> Way:
    """Who has signed in at this screen."""

    def person(scope: Scope) -> Actor | None:
        token = token_of(scope)
        if token is None:
            return None
        try:
            return sessions.who(token, source_of(scope)).actor
        except NotSignedIn:
            return None

    return person


def unix_way(
    person_of: Callable[[int], PersonId | None], name_of: NameOf, proxy: TrustedProxy | None
) -> Way:
    """Who has connected to the Unix socket, by the person that their user id is mapped to.

    The proxy is nobody, whatever its user id is mapped to.
    """

    def person(scope: Scope) -> Actor | None:
        peer = None if proxy is not None and proxy.sends(scope) else peer_of(scope)
        who = None if peer is None else person_of(peer.uid)
        name = None if who is None else name_of(who)
        if who is None or name is None:
            return None
        return Actor(person=who, name=name, shown_by=ShownBy.UNIX, source=source_of(scope))

    return person
