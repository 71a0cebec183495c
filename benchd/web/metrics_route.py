"""The route that Prometheus scrapes."""

from __future__ import annotations

from typing import Annotated, Final

import anyio
from fastapi import APIRouter, Header
from fastapi.responses import PlainTextResponse, Response

from benchd.web.access_level import AccessLevel, served_to
from benchd.web.service import MetricsSource

OPEN_METRICS: Final = "application/openmetrics-text"


class _Scrape:
    """What all who have asked before it was begun are told."""

    answer: tuple[bytes, str] | None = None


class _Scrapes:
    """Tells the metrics of one form: however many wait for them, they are made once for all."""

    def __init__(self, source: MetricsSource) -> None:
        self._source = source
        self._turn = anyio.Lock()
        self._next = _Scrape()

    async def exposition(self, accept: str) -> tuple[bytes, str]:
        """All metrics as they are after this was asked for."""
        mine = self._next
        async with self._turn:
            if mine.answer is None:
                # Whoever comes from now on gets newer ones.
                self._next = _Scrape()
                mine.answer = await self._source(accept)
        return mine.answer


def metrics_route(source: MetricsSource) -> APIRouter:
    """`/metrics` itself: a mounted application would answer it with a redirect."""
    router = APIRouter()
    text, opened = _Scrapes(source), _Scrapes(source)

    @router.get("/metrics", response_class=PlainTextResponse)
    # Has a switch of its own, and names no handset.
    @served_to(AccessLevel.NONE)
    async def metrics(accept: Annotated[str, Header()] = "") -> Response:
        """Every metric, as Prometheus text or, on request, as OpenMetrics."""
        forms = [each.split(";")[0].strip() for each in accept.split(",")]
        body, content_type = await (opened if OPEN_METRICS in forms else text).exposition(accept)
        return Response(body, media_type=content_type)

    return router
