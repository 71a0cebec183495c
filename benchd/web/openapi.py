"""The application and its document, which also tells where another system's token counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Route

from benchd.web.access_level import AccessLevel, served_of, served_to
from benchd.web.error_answers import ANYWHERE

SCHEME = "token"


class DocumentedApi(FastAPI):
    """The same with tokens in `/openapi.json`.

    The framework knows security only from dependencies; here a request is looked at before it.
    """

    def setup(self) -> None:
        """Serve the document, which names all that there is, to whoever may read."""
        super().setup()
        for route in self.routes:
            served_to(AccessLevel.READ)(cast("Route", route).endpoint)

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        made = self.openapi_schema is None
        document = super().openapi()
        if made:
            _add_tokens(document, self.routes)
        return document


def _add_tokens(document: dict[str, Any], routes: Iterable[BaseRoute]) -> None:
    document["components"]["securitySchemes"] = {
        SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of another system, by `benchd tokens create`; see docs/api.md.",
        }
    }
    for route in routes:
        served = served_of(route.endpoint) if isinstance(route, APIRoute) else None
        if isinstance(route, APIRoute) and served is not None and served.token is not None:
            for method in route.methods or ():
                # A person needs none, and is shown by other means.
                security = [{}, {SCHEME: [served.token.value]}]
                document["paths"][route.path][method.lower()]["security"] = security


def add_routes(app: FastAPI, router: APIRouter) -> None:
    """All of a router's routes; it was made for this application and nothing is added to it later.

    FastAPI's own `include_router` makes each route a second time, with all its validators, and
    that at the first request that passes it: sixty milliseconds on the event loop.
    """
    for route in router.routes:
        if isinstance(route, APIRoute):
            route.responses = {**ANYWHERE, **route.responses}
        app.router.routes.append(route)
