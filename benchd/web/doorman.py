"""Holds each request to its row: who sends it, and whether that may see what it asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping

import structlog
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from benchd.web.callers import EXTENSION, Callers
from benchd.web.peer import peer_of
from benchd.web.refusals import refusal
from benchd.web.sight import ROWS, Sight

_log = structlog.get_logger()


class Doorman:
    """Refuses what a request may not see, and what no row tells of."""

    def __init__(self, app: ASGIApp, callers: Callers) -> None:
        self._app = app
        self._callers = callers
        self._rows = _by_path()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refused = self._refused(scope)
        if refused is not None:
            await refusal(*refused)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _refused(self, scope: Scope) -> tuple[int, str, str] | None:
        proxy = self._callers.proxy
        lie = None if proxy is None else proxy.refusal(scope)
        if lie is not None:
            peer, client = peer_of(scope), scope.get("client")
            source = f"uid {peer.uid}" if peer else str(client[0]) if client else ""
            _log.warning("proxy_header_refused", source=source, detail=lie)
            return 403, "proxy_header_refused", lie
        methods = self._methods_of(scope["path"])
        if methods is None:
            return 404, "not_found", "there is nothing at this address"
        wanted = methods.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if wanted is None:
            return 405, "method_not_allowed", f"allowed here: {', '.join(sorted(methods))}"
        caller = self._callers.of(scope)
        scope["extensions"] = {**(scope.get("extensions") or {}), EXTENSION: caller}
        if caller.sight >= wanted:
            return None
        if wanted is Sight.SOCKET:
            return 403, "socket_only", "this is asked for over benchd's Unix socket"
        return 403, "sign_in_needed", "this is shown to nobody who hasn't signed in"

    def _methods_of(self, path: str) -> Mapping[str, Sight] | None:
        return next((methods for form, methods in self._rows if form.match(path)), None)


def _by_path() -> list[tuple[re.Pattern[str], dict[str, Sight]]]:
    found: dict[str, dict[str, Sight]] = {}
    for (method, path), sight in ROWS.items():
        found.setdefault(path, {})[method] = sight
    return [(compile_path(path)[0], methods) for path, methods in found.items()]
