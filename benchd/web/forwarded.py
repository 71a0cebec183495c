"""From whom and over what a request has come to the trusted proxy, by that proxy's word alone.

Of X-Forwarded-For only the last address is its word: it adds its visitor to what the visitor sent.
"""

from __future__ import annotations

import ipaddress

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from benchd.web.peer import HOP, Hop
from benchd.web.proxy import TrustedProxy

FOR, PROTO = b"x-forwarded-for", b"x-forwarded-proto"
LONGEST_ADDRESS = 64
_ENCRYPTED = {"https": True, "http": False}

_log = structlog.get_logger()


class Forwarded:
    """Puts into the scope of the proxy's requests what it tells of its visitor."""

    def __init__(self, app: ASGIApp, proxy: TrustedProxy | None) -> None:
        self._app = app
        self._proxy = proxy if proxy is not None and proxy.tells_visitors else None
        self._warned = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and self._proxy is not None and self._proxy.sends(scope):
            hop = Hop(
                visitor=_address(_last(scope, FOR)),
                encrypted=_ENCRYPTED.get(_last(scope, PROTO).lower()),
            )
            scope["extensions"] = {**(scope.get("extensions") or {}), HOP: hop}
            self._tell(hop)
        await self._app(scope, receive, send)

    def _tell(self, hop: Hop) -> None:
        if hop.visitor is None and not self._warned:
            self._warned = True
            _log.warning("proxy_visitors_unknown", cure="docs/service.md: X-Forwarded-For")


def _last(scope: Scope, header: bytes) -> str:
    told = b",".join(value for name, value in scope["headers"] if name == header)
    return told.rpartition(b",")[2].strip().decode("latin-1")


def _address(told: str) -> str | None:
    try:
        address = ipaddress.ip_address(told if len(told) <= LONGEST_ADDRESS else "")
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address
    return str(address)
