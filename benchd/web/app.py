"""Puts the web application together."""

from __future__ import annotations

from collections.abc import Collection
from importlib import metadata
from typing import cast

import anyio
from fastapi import FastAPI

from benchd.texts.catalogue import Catalogue
from benchd.web.body_limit import BodyLimit
from benchd.web.dashboard import add_dashboard
from benchd.web.dossier_routes import dossier_routes
from benchd.web.drain_route import drain_route
from benchd.web.guard import SiteGuard
from benchd.web.job_routes import job_routes
from benchd.web.metrics_route import metrics_route
from benchd.web.objects import HealthObject, IndexObject, LabelsObject
from benchd.web.people_routes import people_routes
from benchd.web.present import Presenter
from benchd.web.refusals import ANYWHERE, answer_in_one_form
from benchd.web.service import (
    DossierDoor,
    DrainDoor,
    MetricsSource,
    PeopleDoor,
    RackService,
    SessionDoor,
)
from benchd.web.session_routes import session_routes
from benchd.web.slot_routes import slot_routes

LARGEST_BODY_BYTES = 16 * 1024


def create_app(
    rack: RackService,
    catalogue: Catalogue,
    *,
    allowed_hosts: Collection[str] = (),
    metrics: MetricsSource | None = None,
    drain: DrainDoor | None = None,
    dossiers: DossierDoor | None = None,
    people: PeopleDoor | None = None,
    sessions: SessionDoor | None = None,
) -> FastAPI:
    """The API of one rack; `allowed_hosts` are names that it has beside loopback ones.

    Without `metrics` there is no `/metrics`, without `drain` no `/api/v1/drain`, without
    `dossiers` no `/api/v1/dossiers`, without `people` no `/api/v1/people`; without
    `sessions` nobody can sign in, so all do nothing but read.
    """
    app = FastAPI(
        title="benchd",
        summary="Erases racks of used Android handsets before resale, and proves it",
        version=metadata.version("benchd"),
        docs_url=None,  # the page loads its scripts from elsewhere: blank on a rack without a net
        redoc_url=None,
        responses=ANYWHERE,
    )
    stopping = anyio.Event()
    app.state.stopping = stopping
    # The one added last is the first to see a request.
    app.add_middleware(BodyLimit, most_bytes=LARGEST_BODY_BYTES)
    app.add_middleware(SiteGuard, allowed_hosts=allowed_hosts)
    answer_in_one_form(app)

    @app.get("/api/v1")
    async def index() -> IndexObject:
        """Where the API is."""
        return IndexObject(
            name="benchd",
            version=app.version,
            slots="/api/v1/slots",
            jobs="/api/v1/jobs",
            events="/api/v1/events",
            texts="/api/v1/texts",
            openapi="/openapi.json",
            health="/healthz",
        )

    @app.get("/healthz")
    async def healthz() -> HealthObject:
        """That the daemon answers; it stops by itself when its ledger can't serve."""
        return HealthObject(status="ok", slots=len(rack.board.views()))

    presenter = Presenter(catalogue)

    @app.get("/api/v1/texts")
    async def texts() -> LabelsObject:
        """The name of every value in both languages, and the dashboard's own words."""
        return presenter.labels()

    add_dashboard(app)
    app.include_router(slot_routes(rack.board, presenter, stopping))
    app.include_router(job_routes(rack, presenter, sessions))
    if metrics is not None:
        app.include_router(metrics_route(metrics))
    if drain is not None:
        app.include_router(drain_route(drain, people, sessions))
    if dossiers is not None:
        app.include_router(dossier_routes(dossiers, people, sessions))
    if people is not None:
        app.include_router(people_routes(people, sessions))
    if sessions is not None:
        app.include_router(session_routes(sessions))
    return app


def stopping_of(app: FastAPI) -> anyio.Event:
    """What open streams of this application wait for, so that it can stop quickly."""
    return cast("anyio.Event", app.state.stopping)
