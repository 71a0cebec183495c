"""Puts the web application together."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from functools import partial
from typing import Literal, cast

import anyio
from fastapi import FastAPI, Request

from benchd.intake.desk import IntakeDesk
from benchd.intake.table import LARGEST_FILE_BYTES
from benchd.proof.evidence.intake import BoundRecord
from benchd.revision import version
from benchd.texts.catalogue import Catalogue
from benchd.web.body_limit import BodyLimit
from benchd.web.callers import Callers, caller_of
from benchd.web.cards import cards_route
from benchd.web.certificate_routes import certificate_routes
from benchd.web.dashboard import add_dashboard
from benchd.web.disposal_routes import disposal_routes
from benchd.web.doorman import Doorman
from benchd.web.dossier_routes import dossier_routes
from benchd.web.drain_route import drain_route
from benchd.web.forwarded import Forwarded
from benchd.web.guard import SiteGuard
from benchd.web.intake_routes import intake_routes
from benchd.web.job_routes import job_routes
from benchd.web.kept_slots import SlotsBySight
from benchd.web.label_routes import LabelDoor, cards_pdf_route, label_routes
from benchd.web.leaving import Leaving
from benchd.web.live_routes import live_routes
from benchd.web.log_level_route import LogDoor, log_level_route
from benchd.web.lot_paper_routes import lot_paper_routes
from benchd.web.metrics_route import metrics_route
from benchd.web.objects import HealthObject, IndexObject, LabelsObject, WallPlanObject
from benchd.web.openapi import DocumentedApi
from benchd.web.paper_routes import paper_routes
from benchd.web.people_routes import people_routes
from benchd.web.present import Presenter
from benchd.web.proofs import Proofs
from benchd.web.records_routes import records_routes
from benchd.web.refusals import ANYWHERE, answer_in_one_form
from benchd.web.routes import add_routes
from benchd.web.service import (
    Directions,
    DossierDoor,
    DrainDoor,
    LotPaperDoor,
    MetricsSource,
    PaperDoor,
    PeopleDoor,
    RackService,
    RecordsDoor,
    SessionDoor,
    SettlingDesk,
)
from benchd.web.session_routes import session_routes
from benchd.web.shift_routes import shift_routes
from benchd.web.sight import Sight
from benchd.web.slot_routes import slot_routes
from benchd.web.still_counts import heed_tokens
from benchd.web.taken_in_time import TakenInTime
from benchd.web.time_routes import time_routes
from benchd.web.token_gate import TokenDoor, TokenGate
from benchd.web.token_routes import token_routes
from benchd.web.trace_route import TraceDoor, trace_route
from benchd.web.who import WhoActs
from benchd.words.ids import JobId
from benchd.words.wall_plan import WallPlan

LARGEST_BODY_BYTES = 16 * 1024


def create_app(  # noqa: C901, PLR0913 - each is a door of its own
    rack: RackService,
    catalogue: Catalogue,
    *,
    callers: Callers | None = None,
    allowed_hosts: Collection[str] = (),
    metrics: MetricsSource | None = None,
    drain: DrainDoor | None = None,
    dossiers: DossierDoor | None = None,
    people: PeopleDoor | None = None,
    sessions: SessionDoor | None = None,
    records: RecordsDoor | None = None,
    disposal: SettlingDesk | None = None,
    intake: IntakeDesk | None = None,
    papers: PaperDoor | None = None,
    lot_papers: LotPaperDoor | None = None,
    labels: LabelDoor | None = None,
    logs: LogDoor | None = None,
    tokens: TokenDoor | None = None,
    directions: Directions | None = None,
    traces: TraceDoor | None = None,
    holder: Callable[[JobId], str | None] = lambda _: None,
    plan: Callable[[], WallPlan] = WallPlan,
    now: Callable[[], datetime] | None = None,
) -> FastAPI:
    """The API of one rack; `allowed_hosts` are names that it has beside loopback ones.

    Without `callers` nobody can show who they are, and all over TCP see the wall; without
    `sessions` nobody can sign in. Without `metrics` there is no `/metrics`, without `drain` no
    `/api/v1/drain`, without `dossiers` no `/api/v1/dossiers`, without `people` no
    `/api/v1/people`, without `records` no handset file, shift board and report, and without
    `disposal` beside it nothing of what becomes of handsets; without `intake` neither lots nor
    assets, without `papers` certificates only as they were signed, without `lot_papers` none of
    many handsets at once, without `labels` none of them, without
    `logs` no `/api/v1/log-level`, without `tokens` no other system gets in
    by one, without `directions` nothing is told of what other systems have asked for, and without
    `traces` nobody is told where a job's time went.
    `holder` tells which of them holds back the handset of a job.
    `plan` tells how screens lay out the rack; what it doesn't place, its name does.
    """
    app = DocumentedApi(
        title="benchd",
        summary="Erases racks of used Android handsets before resale, and proves it",
        version=version(),
        docs_url=None,  # the page loads its scripts from elsewhere: blank on a rack without a net
        redoc_url=None,
        responses=ANYWHERE,
    )
    callers = callers or Callers()
    stopping = anyio.Event()
    app.state.stopping = stopping
    _guard(app, callers, allowed_hosts, tokens)
    answer_in_one_form(app)

    @app.get("/api/v1")
    async def index(request: Request) -> IndexObject:
        """Where the API is, and how much of it this caller is shown."""
        shown: Literal["read", "wall"] = (
            "read" if caller_of(request.scope).sight >= Sight.READ else "wall"
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
            prints=labels is not None and bool(labels.printers),
            wall=_wall(plan(), rack),
        )

    @app.get("/healthz")
    async def healthz() -> HealthObject:
        """That the daemon answers; it stops by itself when its ledger can't serve."""
        return HealthObject(status="ok", slots=len(rack.board.views()))

    presenter = Presenter(catalogue, _bound_in(intake))

    @app.get("/api/v1/texts")
    async def texts() -> LabelsObject:
        """The name of every value in both languages, and the dashboard's own words."""
        return presenter.labels()

    add_dashboard(app)
    add_routes(app, cards_route(rack.board, catalogue, pdf=labels is not None))
    who = WhoActs(people, sessions)
    slots, proofs = SlotsBySight(presenter), Proofs(rack)
    add_routes(app, slot_routes(rack, presenter, slots, proofs))
    add_routes(app, live_routes(rack, presenter, slots, proofs, catalogue, callers, stopping))
    add_routes(app, job_routes(rack, presenter, who, directions))
    if traces is not None:
        add_routes(app, trace_route(traces))
    if papers is not None:
        add_routes(app, paper_routes(rack, papers, catalogue))
    if lot_papers is not None:
        add_routes(app, lot_paper_routes(lot_papers, who, stopping))
    _look_after(app, who, rack, metrics=metrics, drain=drain, logs=logs)
    if intake is not None:
        heed_tokens(intake, tokens)
        add_routes(app, intake_routes(intake, rack.board, catalogue, who))
        add_routes(app, time_routes(intake, who))
    if labels is not None:
        add_routes(app, label_routes(labels, who))
        add_routes(app, cards_pdf_route(rack.board, labels, now or partial(datetime.now, UTC)))
    if dossiers is not None:
        add_routes(app, dossier_routes(dossiers, who))
    if people is not None:
        add_routes(app, people_routes(people, who))
    if tokens is not None:
        add_routes(app, token_routes(tokens, who))
    if sessions is not None:
        add_routes(app, session_routes(sessions, people))
    if records is not None:
        add_routes(app, records_routes(records, catalogue, who, holder))
        add_routes(app, certificate_routes(rack, records, intake, holder, pdf=papers is not None))
        add_routes(app, shift_routes(records, catalogue, now or partial(datetime.now, UTC)))
        if disposal is not None:
            add_routes(app, disposal_routes(records, disposal, catalogue, who))
    return app


def _look_after(
    app: FastAPI,
    who: WhoActs,
    rack: RackService,
    *,
    metrics: MetricsSource | None,
    drain: DrainDoor | None,
    logs: LogDoor | None,
) -> None:
    """What concerns the daemon itself, and no handset."""
    if metrics is not None:
        add_routes(app, metrics_route(metrics))
    if drain is not None:
        add_routes(app, drain_route(drain, who))
    if logs is not None:
        add_routes(app, log_level_route(logs, rack.board.views, who))


def _guard(
    app: FastAPI, callers: Callers, allowed_hosts: Collection[str], tokens: TokenDoor | None
) -> None:
    """The one added last is the first to see a request."""
    app.add_middleware(TakenInTime)
    app.add_middleware(BodyLimit, most_bytes=LARGEST_BODY_BYTES, files=(".csv", LARGEST_FILE_BYTES))
    gate = None if tokens is None else TokenGate(tokens, callers.proxy)
    app.add_middleware(Doorman, callers=callers, tokens=gate)
    app.add_middleware(SiteGuard, callers=callers, allowed_hosts=allowed_hosts)
    app.add_middleware(Forwarded, proxy=callers.proxy)
    app.add_middleware(Leaving)


def _wall(plan: WallPlan, rack: RackService) -> WallPlanObject:
    whole = plan.for_slots(rack.board.views())
    return WallPlanObject(rows=[list(row) for row in whole.rows], scan_prefix=whole.scan_prefix)


def _bound_in(intake: IntakeDesk | None) -> Callable[[JobId], BoundRecord | None]:
    """Which asset the handset of a job was taken for."""

    def bound(job: JobId) -> BoundRecord | None:
        found = intake.book.of_job.get(job) if intake is not None else None
        return None if found is None else found.told

    return bound


def stopping_of(app: FastAPI) -> anyio.Event:
    """What open streams of this application wait for, so that it can stop quickly."""
    return cast("anyio.Event", app.state.stopping)
