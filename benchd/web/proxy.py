"""A proxy before benchd that says who sends a request: in one header, from one peer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import Scope

from benchd.domain.ids import OperatorName
from benchd.domain.people import Actor, PersonId, ShownBy
from benchd.signing.tls import Tls
from benchd.web.peer import certified_by, peer_of, source_of

NameOf = Callable[[PersonId], OperatorName | None]
"""The display name of a person who may act now; None for nobody, and for whoever is disabled."""
Shown = Callable[[Scope], bool]
"""Whether a request came from the proxy, as the kernel or its certificate shows."""

_PERSON = re.compile(r"[a-z0-9-]{1,64}")


def by_uid(uid: int) -> Shown:
    """The proxy is whoever connects to the Unix socket as this user."""

    def shown(scope: Scope) -> bool:
        peer = peer_of(scope)
        return peer is not None and peer.uid == uid

    return shown


def by_certificate(tls: Tls) -> Shown:
    """The proxy is whoever has shown a client certificate that counts now, not before a reload."""
    return lambda scope: certified_by(scope) is tls.context


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedProxy:
    """Whose word counts for who a person is.

    The header counts from that peer alone. From anybody else the request is refused, since who
    claims to be a person and can't show it is either lying or set up wrongly.
    """

    header: str
    sends: Shown
    name_of: NameOf
    tells_visitors: bool = False
    """Whether it sets X-Forwarded-For and X-Forwarded-Proto itself; many hand on what they got."""

    def person(self, scope: Scope) -> Actor | None:
        """Whom the proxy names; None where it names nobody, or where it isn't the proxy."""
        if not self.sends(scope) or self.refusal(scope) is not None:
            return None
        who = self._named(scope)
        name = self.name_of(who) if who else None
        if who is None or name is None:
            return None
        return Actor(person=who, name=name, shown_by=ShownBy.PROXY, source=source_of(scope))

    def refusal(self, scope: Scope) -> str | None:
        """Why a request with this header isn't served; None if nothing speaks against it."""
        claims = self._claims(scope)
        if not claims:
            return None
        if not self.sends(scope):
            return f"{self.header} counts from the trusted proxy alone, and this isn't it"
        if len(claims) > 1:
            return f"{self.header} came {len(claims)} times: the proxy has to replace the visitor's"
        who = self._named(scope)
        if who is None and claims != [""]:
            return f"{self.header} has to name one person by id: lower-case letters, digits, -"
        if who is not None and self.name_of(who) is None:
            return f"{self.header} names nobody who may act on this rack"
        return None

    def _named(self, scope: Scope) -> PersonId | None:
        claims = self._claims(scope)
        if len(claims) != 1 or not _PERSON.fullmatch(claims[0]):
            return None
        return PersonId(claims[0])

    def _claims(self, scope: Scope) -> list[str]:
        wanted = self.header.lower().encode()
        return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]
