"""Who is at the other end of a connection, as the kernel or their certificate shows.

Where that is the trusted proxy, its visitor is who counts (`Hop`).

uvicorn has no public way to hand this to an application, so its h11 protocol is extended
here; uvicorn's version is pinned, and tests fail when this stops working.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from benchd.web import connection

EXTENSION = "peer"
HOP = "hop"
_UCRED = struct.Struct("=iII")
"""`struct ucred` of unix(7): pid, uid, gid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The process that connected, at the moment it did."""

    pid: int
    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """That a client certificate was shown, and by whose rules it was found good."""

    context: ssl.SSLContext


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """What the trusted proxy tells of the way between its visitor and itself."""

    visitor: str | None
    """The address; None where it doesn't say."""
    encrypted: bool | None


def peer_of(scope: Scope) -> Peer | None:
    """The process that sent this request; None when it came over TCP."""
    shown = _shown(scope)
    return shown if isinstance(shown, Peer) else None


def certified_by(scope: Scope) -> ssl.SSLContext | None:
    """The rules by which a client certificate was found good; None where none was shown."""
    shown = _shown(scope)
    return shown.context if isinstance(shown, Certified) else None


def via(scope: Scope) -> dict[str, str]:
    """How an answer came in, for the record."""
    peer = peer_of(scope)
    return {"transport": "unix", "uid": str(peer.uid)} if peer else {"transport": "tcp"}


def source_of(scope: Scope) -> str:
    """From where a request comes, as the record has it."""
    hop = _hop(scope)
    if hop is not None and hop.visitor is not None:
        return hop.visitor
    peer = peer_of(scope)
    if peer is not None:
        return f"socket, uid {peer.uid}"
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def is_encrypted(scope: Scope) -> bool:
    """Whether the visitor's own browser has come over TLS."""
    hop = _hop(scope)
    if hop is not None and hop.encrypted is not None:
        return hop.encrypted
    return scope.get("scheme") == "https"


def is_unix(transport: asyncio.BaseTransport) -> bool:
    """Whether somebody has connected to the Unix socket."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    return connection is not None and connection.family == socket.AF_UNIX


class PeerProtocol(H11Protocol):
    """Puts into the scope of its requests who has shown what at the other end."""

    peer: Peer | Certified | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Look once for each connection."""
        super().connection_made(transport)
        self.peer = _unix_peer(transport) if is_unix(transport) else _certified(transport)
        shown = {} if self.peer is None else {EXTENSION: self.peer}
        self.app = _with_extensions({connection.EXTENSION: self, **shown}, self.app)


def _unix_peer(transport: asyncio.BaseTransport) -> Peer:
    connection: socket.socket = transport.get_extra_info("socket")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, gid = _UCRED.unpack(raw)
    return Peer(pid=pid, uid=uid, gid=gid)


def _certified(transport: asyncio.BaseTransport) -> Certified | None:
    """A certificate that isn't found good ends the handshake, so what is there is good."""
    encrypted: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if encrypted is None or encrypted.getpeercert(binary_form=True) is None:
        return None
    return Certified(context=encrypted.context)


def _hop(scope: Scope) -> Hop | None:
    extensions = cast("Mapping[str, object]", scope.get("extensions") or {})
    return cast("Hop | None", extensions.get(HOP))


def _shown(scope: Scope) -> object:
    extensions = cast("Mapping[str, object]", scope.get("extensions") or {})
    return extensions.get(EXTENSION)


def _with_extensions(extensions: Mapping[str, object], app: ASGIApp) -> ASGIApp:
    async def extended(scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"] = {**scope.get("extensions", {}), **extensions}
        await app(scope, receive, send)

    return extended
