"""Lets a browser keep the pages' scripts and style sheets from one load to the next.

A page is of one benchd, so a browser is told to keep none of it, and each load asks for forty files
anew. Within one test nobody changes them.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class PartsKept:
    """Stands before the application, and changes one header below `/static`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["cache-control"] = "max-age=3600"
            await send(message)

        of_page = scope["type"] == "http" and scope["path"].startswith("/static/")
        await self._app(scope, receive, told if of_page else send)
