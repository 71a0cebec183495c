"""Whoever leaves while something is being told to them is no fault of the application's."""

from __future__ import annotations

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


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
