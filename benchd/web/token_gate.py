"""Finds the token that a request carries, where it may stand and how it may travel (RFC 6750)."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable
from urllib.parse import unquote_plus

from starlette.responses import Response
from starlette.types import Scope

from benchd.domain.errors import NotSignedIn, TriedTooOften
from benchd.domain.token import TOKEN_SECRET, Token
from benchd.people.tokens.token_authentication import TokenAuthenticator
from benchd.proof.evidence.intake_evidence import Who
from benchd.web.callers import token_of
from benchd.web.error_answers import refusal
from benchd.web.peer import peer_of, source_of
from benchd.web.proxy import TrustedProxy

PARAMETER = "access_token"
"""How RFC 6750 calls a token in an address, which it advises against."""

_IN_ADDRESS = (
    "a token never stands in an address, where logs and histories keep it: send it as"
    " Authorization: Bearer, and have this one rotated"
)


class TokenGate:
    """Tells for each request: no token, whose it is, or the answer to one that isn't served."""

    def __init__(self, door: TokenAuthenticator, proxy: TrustedProxy | None) -> None:
        self._door = door
        self._proxy = proxy

    def of(self, scope: Scope) -> Token | Response | None:
        """Counts the request, so it is asked once for each."""
        shown = [value for name, value in scope["headers"] if name == b"authorization"]
        if not any(_is_bearer(value) for value in shown):
            # Other schemes are a proxy's own business.
            return _misplaced(_IN_ADDRESS) if _is_in_address(scope) else None
        refused = self._mistake(scope, len(shown))
        if refused is not None:
            return refused
        try:
            return self._door.admit(_secret_in(shown[0]), source_of(scope))
        except NotSignedIn as unknown:
            answer = refusal(401, "token_not_accepted", str(unknown))
            answer.headers["www-authenticate"] = 'Bearer realm="benchd", error="invalid_token"'
        except TriedTooOften as often:
            answer = refusal(429, "asked_too_often", str(often))
            answer.headers["retry-after"] = str(math.ceil(often.wait_s))
        return answer

    def _mistake(self, scope: Scope, headers: int) -> Response | None:
        """Why a token isn't even looked at; None where it may be."""
        if _is_in_address(scope):
            return _misplaced(_IN_ADDRESS)
        if headers != 1:
            return _misplaced(f"Authorization came {headers} times: send one token")
        if token_of(scope) is not None or (self._proxy and self._proxy.person(scope)):
            return _misplaced("a request shows a person or a token: send one of them")
        if not _is_private(scope):
            return refusal(403, "token_in_clear", "a token is taken over TLS or on this machine")
        return None


def out_of_scope(token: Token) -> Response:
    """The answer to a token that asks for what it isn't for."""
    answer = refusal(
        403,
        "token_out_of_scope",
        f"token {token.name} isn't for this: its scopes say what it is for",
    )
    answer.headers["www-authenticate"] = 'Bearer realm="benchd", error="insufficient_scope"'
    return answer


def revalidate(door: TokenAuthenticator) -> Callable[[Who], None]:
    """A question that raises NotSignedIn once the token of a sender counts no more."""

    def ask(sender: Who) -> None:
        if not sender.is_system:
            return
        name = sender.via.get("token")
        if not any(token.name == name and not token.is_over(door.now()) for token in door.all):
            raise NotSignedIn(f"token {name} counts no more: it was revoked or has ended meanwhile")

    return ask


def _misplaced(message: str) -> Response:
    return refusal(400, "token_misplaced", message)


def _is_bearer(value: bytes) -> bool:
    """Whether it means to be one, well-formed or not: nobody is served without their token."""
    told = value.decode("latin-1")
    return [part.lower() for part in told.split()[:1]] == ["bearer"] or TOKEN_SECRET.search(
        told
    ) is not None


def _secret_in(value: bytes) -> str:
    """What stands after `Bearer` and spaces; nothing in any other form, so that it's refused."""
    scheme, _, rest = value.partition(b" ")
    return rest.strip(b" ").decode("latin-1") if scheme.lower() == b"bearer" else ""


def _is_in_address(scope: Scope) -> bool:
    asked = unquote_plus(scope.get("query_string", b"").decode("latin-1"))
    names = (part.partition("=")[0] for part in asked.split("&"))
    return (
        any(name.lower() == PARAMETER for name in names)
        or TOKEN_SECRET.search(asked) is not None
        or TOKEN_SECRET.search(scope["path"]) is not None
    )


def _is_private(scope: Scope) -> bool:
    """Whether nobody between can read it: over TLS, on the Unix socket or from this machine."""
    if scope.get("scheme") == "https" or peer_of(scope) is not None:
        return True
    client = scope.get("client")
    try:
        return client is not None and ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        return False
