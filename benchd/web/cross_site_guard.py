"""Keeps other web sites out of the API: a browser on the rack's PC visits them too."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchd.domain.loopback import is_loopback
from benchd.web.callers import Callers
from benchd.web.dashboard import PAGES
from benchd.web.error_answers import refusal
from benchd.web.hosts import host_name
from benchd.web.safe_headers import safe_headers

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_FETCHES = frozenset({"same-origin", "none"})
"""What a browser says of a request that comes from our own page, or was typed by a person."""
LINKED = frozenset({"/", *PAGES, "/cards", "/cards.pdf"})
"""What a person may open by a link on another site's page; no other site loads anything."""


class SiteGuard:
    """Refuses foreign hosts beyond the Unix socket, and whatever a foreign page has sent."""

    def __init__(self, app: ASGIApp, callers: Callers, allowed_hosts: Collection[str] = ()) -> None:
        self._app = app
        self._callers = callers
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, send = Headers(scope=scope), _with_safe_headers(scope, send)
        if not (self._callers.is_on_machine(scope) or self._is_ours(headers.getlist("host"))):
            # DNS rebinding: a foreign name that has come to point at this machine or its proxy.
            answer = refusal(
                403,
                "host_refused",
                "benchd isn't reached under this name; its configuration lists allowed hosts",
            )
            await answer(scope, receive, send)
        elif self._is_foreign(scope, headers):
            answer = refusal(403, "origin_refused", "this request was sent by another web site")
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_ours(self, hosts: list[str]) -> bool:
        if len(hosts) != 1:
            return False
        name = host_name(hosts[0])
        return name is not None and (name in self._allowed_hosts or is_loopback(name))

    def _is_foreign(self, scope: Scope, headers: Headers) -> bool:
        fetched = headers.get("sec-fetch-site")
        is_others = fetched is not None and fetched not in OWN_FETCHES
        if scope["method"] in SAFE_METHODS:
            return is_others and not _is_link(scope, headers)
        origins = headers.getlist("origin")
        ours = headers.get("host", "").lower()
        return is_others or any(_authority(origin) != ours for origin in origins)


def _is_link(scope: Scope, headers: Headers) -> bool:
    """Whether a person opens one of our pages in a window of its own."""
    return (
        headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest") == "document"
        and scope["path"] in LINKED
    )


def _authority(origin: str) -> str | None:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") else None


def _with_safe_headers(scope: Scope, send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in safe_headers(scope).items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
