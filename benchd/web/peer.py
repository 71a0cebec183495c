"""Who is at the other end of the Unix socket, as the kernel tells it.

uvicorn has no public way to hand this to an application, so its h11 protocol is extended
here; uvicorn's version is pinned, and one test fails when this stops working.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

EXTENSION = "peer_credentials"
_UCRED = struct.Struct("=iII")
"""`struct ucred` of unix(7): pid, uid, gid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """The process that connected, at the moment it did."""

    pid: int
    uid: int
    gid: int


def peer_of(scope: Scope) -> Peer | None:
    """Who sent this request; None when it came over TCP."""
    extensions = cast("Mapping[str, Mapping[str, int]]", scope.get("extensions") or {})
    found = extensions.get(EXTENSION)
    return Peer(pid=found["pid"], uid=found["uid"], gid=found["gid"]) if found else None


def via(scope: Scope) -> dict[str, str]:
    """How an answer came in, for the record."""
    peer = peer_of(scope)
    return {"transport": "unix", "uid": str(peer.uid)} if peer else {"transport": "tcp"}


def is_unix(transport: asyncio.BaseTransport) -> bool:
    """Whether somebody has connected to the Unix socket."""
    connection: socket.socket | None = transport.get_extra_info("socket")
    return connection is not None and connection.family == socket.AF_UNIX


class PeerProtocol(H11Protocol):
    """Puts the credentials of a Unix socket's peer into the scope of its requests."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Ask the kernel once for each connection."""
        super().connection_made(transport)
        if not is_unix(transport):
            return
        connection: socket.socket = transport.get_extra_info("socket")
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
        pid, uid, gid = _UCRED.unpack(raw)
        self.app = _told_of(Peer(pid=pid, uid=uid, gid=gid), self.app)


def _told_of(peer: Peer, app: ASGIApp) -> ASGIApp:
    credentials = {"pid": peer.pid, "uid": peer.uid, "gid": peer.gid}

    async def told(scope: Scope, receive: Receive, send: Send) -> None:
        scope["extensions"] = {**scope.get("extensions", {}), EXTENSION: credentials}
        await app(scope, receive, send)

    return told
