"""The dashboard: its pages and what they are made of, from this very package."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import FileResponse, HTMLResponse
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from benchd.web.access_level import AccessLevel, served_to

STATIC = Path(str(resources.files("benchd.web").joinpath("static")))
PAGES = ("/board", "/lots", "/disposal", "/report", "/handsets")
HTML = "text/html; charset=utf-8"
FONTS_KEPT = "public, max-age=604800, immutable"
"""Megabytes that only change with their name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addition:
    """What whoever runs a daemon serves with it and shows on its wall; no shipped one has any."""

    router: APIRouter
    scripts: tuple[str, ...]
    """Addresses of modules that the wall loads after its own."""


def add_dashboard(app: FastAPI, scripts: Sequence[str] = ()) -> None:
    """Serve the wall at `/`, the other pages beside it, and their parts below `/static`."""
    added = "".join(f'<script type="module" src="{script}"></script>\n' for script in scripts)
    index = (STATIC / "index.html").read_text("utf-8").replace("</head>", f"{added}</head>", 1)

    @app.get("/", include_in_schema=False)
    @served_to(AccessLevel.NONE)
    async def wall() -> HTMLResponse:
        return HTMLResponse(index)

    # One file for all of them: which it is, its script sees by the address.
    @served_to(AccessLevel.NONE)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "page.html", media_type=HTML)

    for path in PAGES:
        app.add_api_route(path, page, methods=["GET"], include_in_schema=False)

    app.mount("/static", _Parts(directory=STATIC))


@served_to(AccessLevel.NONE)
class _Parts(StaticFiles):
    """Files beside the page; only fonts are kept by the browser, since a page is of one benchd."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        response = await super().get_response(path, scope)
        if path.startswith("fonts/") and response.status_code == 200:
            response.headers["cache-control"] = FONTS_KEPT
        return response
