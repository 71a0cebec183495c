"""Holds each request to its route's declaration: who sends it, and whether they may see it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import anyio
import structlog
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchd.domain.token import Scope as TokenScope
from benchd.domain.token import Token, TokenName
from benchd.web.access_level import AccessLevel, Served, served_of
from benchd.web.acting_person import GUARDS
from benchd.web.callers import EXTENSION, Caller, Callers, caller_of
from benchd.web.connection import connection_of
from benchd.web.error_answers import refusal
from benchd.web.peer import peer_of
from benchd.web.token_gate import TokenGate, out_of_scope
from benchd.web.visitor_shares import Shares, Who, visit_of

MOST_OPEN: Final = 4
"""Requests of one token that are served at once: what is slow takes no place from people."""
NOWHERE = ""
NOBODYS = frozenset({Who.PROBE, Who.SIGN_IN, Who.ANYBODY})

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Row:
    """Whom one path is served to, by method; HEAD counts as GET."""

    path: str
    form: re.Pattern[str]
    served: dict[str, Served] = field(default_factory=dict[str, Served])


def rows_of(routes: Iterable[BaseRoute]) -> list[Row]:
    """The row of each path.

    Raises RuntimeError for a route that doesn't declare whom it is served to, or whose guard and
    action don't go together: such an application isn't made.
    """
    found: dict[str, Row] = {}
    for route in routes:
        is_mount = isinstance(route, Mount)
        path: str = getattr(route, "path", "") + ("/{path:path}" if is_mount else "")
        served = served_of(getattr(route, "app" if is_mount else "endpoint", None))
        if served is None:
            message = f"route {path} doesn't declare whom it is served to"
            raise RuntimeError(message)
        if (served.action is not None) != _has_guard(route):
            message = f"route {path} declares an action without a guard, or the other way round"
            raise RuntimeError(message)
        methods: set[str] = getattr(route, "methods", None) or {"GET"}
        row = found.setdefault(path, Row(path, compile_path(path)[0]))
        row.served.update(dict.fromkeys(methods - {"HEAD"}, served))
    return list(found.values())


def _has_guard(route: BaseRoute) -> bool:
    return isinstance(route, APIRoute) and any(
        one.call in GUARDS for one in route.dependant.dependencies
    )


class Authoriser:
    """Refuses what a request may not see, and what no row tells of."""

    def __init__(
        self,
        app: ASGIApp,
        callers: Callers,
        rows: Sequence[Row],
        tokens: TokenGate,
        stopping: anyio.Event,
    ) -> None:
        self._app = app
        self._callers = callers
        self._tokens = tokens
        self._open = OpenRequests()
        self._shares = Shares(stopping)
        self._rows = rows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        row = self._row_of(scope["path"])
        refused = self._refused(scope, row)
        caller, connection = self._caller(scope), connection_of(scope)
        on_machine = self._callers.is_on_machine(scope)
        visit = visit_of(scope, caller, row.path if row else NOWHERE, on_machine=on_machine)
        connection.is_nobodys = visit.who in NOBODYS

        async def begin(message: Message) -> None:
            if message["type"] == "http.response.start":
                connection.answers()
            await send(message)

        with self._open.one_of(caller.token) as too_many:
            app = refused or too_many or self._app
            await self._shares.serve(visit, app, scope, receive, begin)

    def _caller(self, scope: Scope) -> Caller:
        """Also of what was refused before anybody asked for it."""
        if EXTENSION not in (scope.get("extensions") or {}):
            _introduce(scope, self._callers.of(scope))
        return caller_of(scope)

    def _refused(self, scope: Scope, row: Row | None) -> Response | None:
        proxy = self._callers.proxy
        lie = None if proxy is None else proxy.refusal(scope)
        if lie is not None:
            peer, client = peer_of(scope), scope.get("client")
            source = f"uid {peer.uid}" if peer else str(client[0]) if client else ""
            _log.warning("proxy_header_refused", source=source, detail=lie)
            return refusal(403, "proxy_header_refused", lie)
        token = self._tokens.of(scope)
        if isinstance(token, Response):
            return token
        if row is None:
            return refusal(404, "not_found", "there is nothing at this address")
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        served = row.served.get(method)
        if served is None:
            allowed = ", ".join(sorted(row.served))
            return refusal(405, "method_not_allowed", f"allowed here: {allowed}")
        if token is not None:
            return _token_refused(scope, token, served.token)
        return self._sight_refused(scope, served.access_level)

    def _sight_refused(self, scope: Scope, wanted: AccessLevel) -> Response | None:
        caller = self._callers.of(scope)
        _introduce(scope, caller)
        if caller.access_level >= wanted:
            return None
        if wanted is AccessLevel.SOCKET:
            return refusal(403, "socket_only", "this is asked for over benchd's Unix socket")
        return refusal(403, "sign_in_needed", "this is shown to nobody who hasn't signed in")

    def _row_of(self, path: str) -> Row | None:
        return next((row for row in self._rows if row.form.match(path)), None)


def _token_refused(scope: Scope, token: Token, wanted: TokenScope | None) -> Response | None:
    """A token counts for its routes alone, whatever else its request would be shown."""
    if wanted is None or wanted not in token.scopes:
        return out_of_scope(token)
    _introduce(scope, Caller(actor=None, access_level=AccessLevel.NONE, token=token))
    return None


def _introduce(scope: Scope, caller: Caller) -> None:
    scope["extensions"] = {**(scope.get("extensions") or {}), EXTENSION: caller}


class OpenRequests:
    """Counts open requests by the token's name, which outlives its secrets."""

    def __init__(self) -> None:
        self._open = Counter[TokenName]()

    @contextmanager
    def one_of(self, token: Token | None) -> Generator[Response | None]:
        """Serve one more inside of this block, unless it gives an answer; without a token, all."""
        if token is None:
            yield None
        elif self._open[token.name] >= MOST_OPEN:
            answer = refusal(
                429,
                "asked_too_often",
                f"token {token.name} has {MOST_OPEN} requests open: wait for one of their answers",
            )
            answer.headers["retry-after"] = "1"
            yield answer
        else:
            self._open[token.name] += 1
            try:
                yield None
            finally:
                self._open[token.name] -= 1
