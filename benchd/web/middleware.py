"""What each request passes on its way: bounds on what is sent and how slowly it is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import anyio
from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchd.web.connection import connection_of
from benchd.web.error_answers import refusal

TOO_LARGE = 413
PIECE_BYTES: Final = 64 * 1024
"""What is larger is sent in pieces, each with its own time: a slow line isn't a stalled one."""
PIECE_WITHIN_S: Final = 30.0


class BodyLimit:
    """Refuses bodies that are announced as too large, and stops reading those that turn out so.

    FastAPI has a limit too, but answers it in plain text.
    """

    def __init__(self, app: ASGIApp, most_bytes: int, files: tuple[str, int] = ("", 0)) -> None:
        """`files` is the end of paths that take files, and how many bytes these may have."""
        self._app = app
        self._most_bytes = most_bytes
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ending, most_bytes = self._files
        if not (ending and str(scope["path"]).endswith(ending)):
            most_bytes = self._most_bytes
        message = f"a body has at most {most_bytes} bytes"
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced[:20]) > most_bytes:
            answer = refusal(TOO_LARGE, "body_too_large", message)
            await answer(scope, receive, send)
            return
        await self._app(scope, _counted(receive, most_bytes, message), send)


def _counted(receive: Receive, most_bytes: int, message: str) -> Receive:
    seen_bytes = 0

    async def counted() -> Message:
        nonlocal seen_bytes
        part = await receive()
        seen_bytes += len(part.get("body", b""))
        if seen_bytes > most_bytes:
            raise HTTPException(TOO_LARGE, message)
        return part

    return counted


class Leaving:
    """Lets an answer end in silence once its visitor has left in the middle of it.

    FastAPI's event streams raise then, and the server would log each with its traceback: anybody
    could fill the journal by opening and closing a page.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        begun = False

        async def told(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, told)
        except* anyio.BrokenResourceError:
            if not begun:
                raise


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
