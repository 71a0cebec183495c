"""The route that Prometheus scrapes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import PlainTextResponse, Response

from benchd.web.service import MetricsSource


def metrics_route(source: MetricsSource) -> APIRouter:
    """`/metrics` itself: a mounted application would answer it with a redirect."""
    router = APIRouter()

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics(accept: Annotated[str, Header()] = "") -> Response:
        """Every metric, as Prometheus text or, on request, as OpenMetrics."""
        body, content_type = await source(accept)
        return Response(body, media_type=content_type)

    return router
