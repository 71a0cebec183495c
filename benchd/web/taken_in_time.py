"""Bounds how long a visitor may take for a piece of an answer: who reads nothing holds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchd.web.connection import connection_of

PIECE_BYTES: Final = 64 * 1024
"""What is larger is sent in pieces, each with its own time: a slow line isn't a stalled one."""
PIECE_WITHIN_S: Final = 30.0


class TakenInTime:
    """Ends an answer of which nothing is read any more; what makes it is told by its end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""

        async def in_time(message: Message) -> None:
            for piece in _pieces(message):
                with anyio.move_on_after(PIECE_WITHIN_S) as patience:
                    await send(piece)
                if patience.cancelled_caught:
                    connection_of(scope).leave()
                    raise anyio.BrokenResourceError

        await self._app(scope, receive, in_time)


def _pieces(message: Message) -> Iterator[Message]:
    body = message.get("body", b"")
    if len(body) <= PIECE_BYTES:
        yield message
        return
    more = message.get("more_body", False)
    for at in range(0, len(body), PIECE_BYTES):
        piece = body[at : at + PIECE_BYTES]
        is_last = at + PIECE_BYTES >= len(body)
        yield {**message, "body": piece, "more_body": more or not is_last}
