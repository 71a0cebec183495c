"""Puts the web application together."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Literal, cast

import anyio
from fastapi import APIRouter, FastAPI, Request

from benchd.domain.ids import JobId
from benchd.domain.version_info import version
from benchd.intake.csv_format import LARGEST_FILE_BYTES
from benchd.intake.intake_desk import IntakeDesk
from benchd.proof.evidence.intake_evidence import BoundRecord
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.authoriser import Authoriser, rows_of
from benchd.web.callers import Callers, caller_of
from benchd.web.cards import cards_route
from benchd.web.certificate_routes import certificate_routes
from benchd.web.code_routes import code_routes
from benchd.web.cross_site_guard import SiteGuard
from benchd.web.dashboard import Addition, add_dashboard
from benchd.web.disposal_routes import disposal_routes
from benchd.web.dossier_routes import dossier_routes
from benchd.web.drain_route import drain_route
from benchd.web.error_answers import ANYWHERE, answer_in_one_form
from benchd.web.forwarded import Forwarded
from benchd.web.grade_routes import grade_routes
from benchd.web.intake_routes import intake_routes
from benchd.web.job_routes import job_routes
from benchd.web.label_routes import cards_pdf_route, label_routes
from benchd.web.live_routes import live_routes
from benchd.web.log_level_route import log_level_route
from benchd.web.metrics_route import metrics_route
from benchd.web.middleware import BodyLimit, Leaving, TakenInTime
from benchd.web.objects import HealthObject, IndexObject, LabelsObject, WallPlanObject
from benchd.web.openapi import DocumentedApi, add_routes
from benchd.web.paper_routes import lot_paper_routes, paper_routes
from benchd.web.people_routes import people_routes
from benchd.web.present import Presenter
from benchd.web.proofs import Proofs
from benchd.web.recheck_slots import RecheckSlots
from benchd.web.records_routes import records_routes
from benchd.web.service import ServedRack
from benchd.web.session_routes import session_routes
from benchd.web.shift_routes import shift_routes
from benchd.web.shipping_routes import shipping_routes
from benchd.web.slot_cache import SlotsByAccessLevel
from benchd.web.slot_routes import slot_routes
from benchd.web.time_routes import time_routes
from benchd.web.token_gate import TokenGate, revalidate
from benchd.web.token_routes import token_routes

LARGEST_BODY_BYTES = 16 * 1024


def create_app(
    rack: ServedRack,
    catalogue: Catalogue,
    *,
    callers: Callers,
    allowed_hosts: Collection[str] = (),
    addition: Addition | None = None,
) -> FastAPI:
    """The API of one rack; `allowed_hosts` are names that it has beside loopback ones.

    An `addition` is served with it, by the same rules.

    Raises RuntimeError for a route that doesn't declare whom it is served to.
    """
    app = DocumentedApi(
        title="benchd",
        summary="Erases racks of used Android handsets before resale, and proves it",
        version=version(),
        docs_url=None,  # the page loads its scripts from elsewhere: blank on a rack without a net
        redoc_url=None,
        responses=ANYWHERE,
    )
    stopping = anyio.Event()
    app.state.rack, app.state.stopping = rack, stopping
    answer_in_one_form(app)

    @app.get("/api/v1")
    @served_to(AccessLevel.WALL)
    async def index(request: Request) -> IndexObject:
        """Where the API is, and how much of it this caller is shown."""
        shown: Literal["read", "wall"] = (
            "read" if caller_of(request.scope).access_level >= AccessLevel.READ else "wall"
        )
        return IndexObject(
            name="benchd",
            version=app.version,
            shown=shown,
            slots="/api/v1/slots",
            jobs="/api/v1/jobs",
            events="/api/v1/events",
            texts="/api/v1/texts",
            openapi="/openapi.json",
            health="/healthz",
            prints=bool(rack.labels.printers),
            wall=_wall(rack),
        )

    @app.get("/healthz")
    @served_to(AccessLevel.NONE)
    async def healthz() -> HealthObject:
        """That the daemon answers; it stops by itself when its ledger can't serve."""
        return HealthObject(status="ok", slots=len(rack.board.views()))

    rechecking = RecheckSlots(rack.board, rack.shipping, catalogue)
    presenter = Presenter(catalogue, _bound_in(rack.intake), rechecking.instead)

    @app.get("/api/v1/texts")
    # The page's own words, from the very package: without them nobody could sign in.
    @served_to(AccessLevel.NONE)
    async def texts() -> LabelsObject:
        """The name of every value in both languages, and the dashboard's own words."""
        return presenter.labels()

    add_dashboard(app, addition.scripts if addition else ())
    rack.intake.revalidate_by(revalidate(rack.tokens))
    slots, proofs = SlotsByAccessLevel(presenter), Proofs(rack)
    for router in (
        cards_route(rack.board, catalogue),
        slot_routes(rack, presenter, slots, proofs),
        live_routes(rack, presenter, slots, proofs, catalogue, callers, stopping),
        job_routes(rack, presenter),
        paper_routes(rack, catalogue),
        lot_paper_routes(rack, stopping),
        metrics_route(rack.scrape) if rack.scrape is not None else APIRouter(),
        drain_route(rack),
        log_level_route(rack.logs, rack.board.views) if rack.logs is not None else APIRouter(),
        intake_routes(rack, catalogue),
        grade_routes(rack),
        code_routes(rack, catalogue),
        shipping_routes(rack, catalogue, rechecking),
        time_routes(rack),
        label_routes(rack),
        cards_pdf_route(rack),
        dossier_routes(rack),
        people_routes(rack),
        token_routes(rack),
        session_routes(rack),
        records_routes(rack, catalogue),
        certificate_routes(rack),
        shift_routes(rack, catalogue),
        disposal_routes(rack, catalogue),
        addition.router if addition else APIRouter(),
    ):
        add_routes(app, router)
    _guard(app, callers, allowed_hosts, TokenGate(rack.tokens, callers.proxy))
    return app


def _guard(
    app: FastAPI, callers: Callers, allowed_hosts: Collection[str], tokens: TokenGate
) -> None:
    """The one added last is the first to see a request."""
    app.add_middleware(TakenInTime)
    app.add_middleware(BodyLimit, most_bytes=LARGEST_BODY_BYTES, files=(".csv", LARGEST_FILE_BYTES))
    app.add_middleware(
        Authoriser,
        callers=callers,
        rows=rows_of(app.routes),
        tokens=tokens,
        stopping=stopping_of(app),
    )
    app.add_middleware(SiteGuard, callers=callers, allowed_hosts=allowed_hosts)
    app.add_middleware(Forwarded, proxy=callers.proxy)
    app.add_middleware(Leaving)


def _wall(rack: ServedRack) -> WallPlanObject:
    whole = rack.wall.plan.for_slots(rack.board.views())
    return WallPlanObject(rows=[list(row) for row in whole.rows], scan_prefix=whole.scan_prefix)


def _bound_in(intake: IntakeDesk) -> Callable[[JobId], BoundRecord | None]:
    """Which asset the handset of a job was taken for."""

    def bound(job: JobId) -> BoundRecord | None:
        found = intake.book.of_job.get(job)
        return None if found is None else found.told

    return bound


def stopping_of(app: FastAPI) -> anyio.Event:
    """What open streams of this application wait for, so that it can stop quickly."""
    return cast("anyio.Event", app.state.stopping)
