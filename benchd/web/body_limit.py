"""Bounds what a request may send: an answer to a question is small."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchd.web.refusals import refusal

TOO_LARGE = 413


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
