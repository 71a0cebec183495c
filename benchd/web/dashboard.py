"""The dashboard: one page and what it is made of, from this very package."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(str(resources.files("benchd.web").joinpath("static")))
FONTS_KEPT = "public, max-age=604800, immutable"
"""Megabytes that only change with their name."""


def add_dashboard(app: FastAPI) -> None:
    """Serve the page at `/` and its parts below `/static`."""

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", media_type="text/html; charset=utf-8")

    app.mount("/static", _Parts(directory=STATIC))


class _Parts(StaticFiles):
    """Files beside the page; only fonts are kept by the browser, since a page is of one benchd."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        response = await super().get_response(path, scope)
        if path.startswith("fonts/") and response.status_code == 200:
            response.headers["cache-control"] = FONTS_KEPT
        return response
