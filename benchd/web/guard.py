"""Keeps other web sites out of the API: a browser on the rack's PC visits them too."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchd.web.callers import Callers
from benchd.web.refusals import refusal

CONTENT_POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'"
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_FETCHES = frozenset({"same-origin", "none"})
"""What a browser says of a request that comes from our own page, or was typed by a person."""


class SiteGuard:
    """Refuses foreign hosts beyond the Unix socket, and writes that a foreign page has sent."""

    def __init__(self, app: ASGIApp, callers: Callers, allowed_hosts: Collection[str] = ()) -> None:
        self._app = app
        self._callers = callers
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not (self._callers.is_on_machine(scope) or self._is_ours(headers.getlist("host"))):
            # DNS rebinding: a foreign name that has come to point at this machine or its proxy.
            answer = refusal(
                403,
                "host_refused",
                "benchd isn't reached under this name; its configuration lists allowed hosts",
            )
            await answer(scope, receive, send)
        elif scope["method"] not in SAFE_METHODS and self._is_foreign(headers):
            answer = refusal(403, "origin_refused", "this request was sent by another web site")
            await answer(scope, receive, send)
        else:
            await self._app(scope, receive, _with_safe_headers(send))

    def _is_ours(self, hosts: list[str]) -> bool:
        if len(hosts) != 1:
            return False
        name = _host_name(hosts[0])
        return name is not None and (name in self._allowed_hosts or _is_loopback(name))

    def _is_foreign(self, headers: Headers) -> bool:
        fetched = headers.get("sec-fetch-site")
        if fetched is not None and fetched not in OWN_FETCHES:
            return True
        origins = headers.getlist("origin")
        return any(_authority(origin) != headers.get("host", "").lower() for origin in origins)


def _host_name(host: str) -> str | None:
    """The name in a Host header, without port and brackets; None where it has no such form."""
    try:
        parts = urlsplit(f"//{host}")
        valid = parts.port is None or parts.port > 0
    except ValueError:
        return None
    if not valid or parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return parts.hostname


def _authority(origin: str) -> str | None:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") else None


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _with_safe_headers(send: Send) -> Send:
    """What is shown isn't kept by a cache, taken for another kind of file, framed or scripted."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("cache-control", "no-store")
            headers.setdefault("x-content-type-options", "nosniff")
            headers.setdefault("content-security-policy", CONTENT_POLICY)
            headers.setdefault("referrer-policy", "no-referrer")
        await send(message)

    return send_with_headers
