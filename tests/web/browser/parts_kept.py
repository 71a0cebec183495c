"""Lets a browser keep the pages' scripts and style sheets from one load to the next.

A page is of one benchd, so a browser is told to keep none of it, and each load asks for forty files
anew. Within one run of tests nobody changes them: they are read once, and handed out by hand.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEPT: dict[tuple[str, bytes], list[Message]] = {}
"""By path and query, what was sent of a file."""


class PartsKept:
    """Stands before the application, and answers for it below `/static` what it has answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, unless its answer is known."""
        if scope["type"] != "http" or not scope["path"].startswith("/static/"):
            await self._app(scope, receive, send)
            return
        asked = scope["path"], scope["query_string"]
        headers = Headers(scope=scope)
        whole = scope["method"] == "GET" and not {"if-none-match", "range"} & set(headers.keys())
        if whole and asked in _KEPT:
            for message in _KEPT[asked]:
                await send(message)
            return
        sent: list[Message] = []

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["cache-control"] = "max-age=3600"
            sent.append(message)
            await send(message)

        await self._app(scope, receive, told)
        if whole and _is_whole(sent):
            _KEPT[asked] = sent


def _is_whole(sent: list[Message]) -> bool:
    """Whether this is all of a file: nothing more is sent to a page that has gone meanwhile."""
    if not sent or sent[0]["status"] != 200:
        return False
    length = sum(len(message.get("body", b"")) for message in sent[1:])
    return str(length) == Headers(raw=sent[0]["headers"]).get("content-length")
