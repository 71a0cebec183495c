"""Takes the routes of a room into the application, as they were made."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from benchd.web.refusals import ANYWHERE


def add_routes(app: FastAPI, router: APIRouter) -> None:
    """All of a router's routes; it was made for this application and nothing is added to it later.

    FastAPI's own `include_router` makes each route a second time, with all its validators, and
    that at the first request that passes it: sixty milliseconds on the event loop.
    """
    for route in router.routes:
        if isinstance(route, APIRoute):
            route.responses = {**ANYWHERE, **route.responses}
        app.router.routes.append(route)
