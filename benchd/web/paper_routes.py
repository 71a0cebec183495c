"""The routes of papers: a certificate as PDF and page, and those of many handsets as a ZIP."""

# Annotations name what is made in the function, so they are read at once.

import re
from collections.abc import AsyncGenerator
from datetime import date, datetime, timedelta
from typing import Annotated, cast

import anyio
from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.types import Send

from benchd.domain.authority import Action
from benchd.domain.errors import UsageRefused
from benchd.domain.ids import JobId
from benchd.domain.lot_papers import AskedPapers, PapersOf
from benchd.domain.plain_text import Language
from benchd.domain.token import Scope
from benchd.intake.intake_desk import LONGEST_TEXT
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import Taking
from benchd.web.certificate_status import certificate_of
from benchd.web.error_answers import INVALID, LEDGER, LONGEST_NAME, NOT_FOUND, SIGN_IN
from benchd.web.job_routes import JobInPath
from benchd.web.service import ServedRack

PDF = "application/pdf"
HTML = "text/html"
ZIP = "application/zip"
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(9000, 1, 1)
"""Clocks of racks are in between, and calendars go no further."""
_UNSAFE = re.compile(r"[^A-Za-z0-9-]")


def paper_routes(rack: ServedRack, catalogue: Catalogue) -> APIRouter:
    """What is kept is the certificate alone: these are made of it when somebody asks."""
    router = APIRouter(prefix="/api/v1/jobs", responses=INVALID | LEDGER)

    @router.get(
        "/{job}/certificate.pdf",
        responses=NOT_FOUND | {200: {"content": {PDF: {}}}},
        response_class=Response,
    )
    @served_to(AccessLevel.READ, token=Scope.CERTIFICATES_READ)
    async def pdf(job: JobInPath) -> Response:
        """The certificate as a signed PDF, the certificate's own file within."""
        found = await certificate_of(rack, JobId(job))
        return Response(await rack.papers.press.pdf(found.envelope), media_type=PDF)

    # HTMLResponse would have its refusals documented as HTML too.
    @router.get(
        "/{job}/certificate.html",
        responses=NOT_FOUND | {200: {"content": {HTML: {}}}},
        response_class=Response,
    )
    @served_to(AccessLevel.READ)
    async def page(job: JobInPath, language: Annotated[Language, Query()] = "ja") -> Response:
        """The same words for the screen, and above them that another system holds it back."""
        found = await certificate_of(rack, JobId(job))
        other: Language = "en" if language == "ja" else "ja"
        links = (
            ("certificate.pdf", catalogue.text("paper.as_pdf").to(language)),
            ("certificate.json", catalogue.text("paper.as_file").to(language)),
            (
                f"certificate.html?language={other}",
                catalogue.text("paper.other_language").to(language),
            ),
        )
        holder = rack.holder
        held = any(holder(each) is not None for each in (JobId(job), found.stands_in))
        keys = ("wall.held_back", "wall.held_back_to_do") if held else ()
        since = [catalogue.text(key).to(language) for key in keys]
        made = await rack.papers.press.page(found.envelope, language, links, since)
        return HTMLResponse(made)

    return router


def lot_paper_routes(rack: ServedRack, stopping: anyio.Event) -> APIRouter:
    """`/api/v1/papers.zip`."""
    router = APIRouter(prefix="/api/v1", responses=INVALID | LEDGER)

    @router.get(
        "/papers.zip",
        responses=NOT_FOUND | SIGN_IN | {200: {"content": {ZIP: {}}}},
        response_class=Response,
    )
    @served_to(AccessLevel.READ, action=Action.TAKE_OUT)
    async def papers(
        _: Taking,
        lot: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None,
        day: Annotated[date | None, Query()] = None,
        consignor: Annotated[str | None, Query(max_length=LONGEST_TEXT)] = None,
    ) -> StreamingResponse:
        """Certificates as PDF, a CSV, JSON lines, a signed list of it all and its summary.

        Of one lot, of all lots of a consignor, or of the jobs that ended on a day by this machine's
        calendar; exactly one of them. It's sent while it's made: without its end it's no ZIP.
        """
        asked = asked_papers(lot, day, consignor)
        made = await rack.papers.export(asked)
        name = f"papers-{asked.of}-{_UNSAFE.sub('_', asked.name)}.zip"
        kept = {"content-disposition": f'attachment; filename="{name}"'}
        return Papers(_until(made, stopping), media_type=ZIP, headers=kept)

    return router


class Papers(StreamingResponse):
    """Papers while they are made, which ends with whoever reads them: others wait for the place."""

    async def stream_response(self, send: Send) -> None:
        """Send each piece once the one before was taken."""
        try:
            await super().stream_response(send)
        finally:
            with anyio.CancelScope(shield=True):
                await cast("AsyncGenerator[bytes]", self.body_iterator).aclose()


async def _until(made: AsyncGenerator[bytes], stopping: anyio.Event) -> AsyncGenerator[bytes]:
    """What is made, until whoever reads it leaves, or the daemon ends."""
    try:
        async for piece in made:
            if stopping.is_set():
                raise anyio.BrokenResourceError
            yield piece
    finally:
        with anyio.CancelScope(shield=True):
            await made.aclose()


def asked_papers(lot: str | None, day: date | None, consignor: str | None) -> AskedPapers:
    """What a request asks for; raises UsageRefused unless it's exactly one of them."""
    match lot, day, consignor:
        case str(), None, None:
            return AskedPapers(of=PapersOf.LOT, name=lot)
        case None, None, str():
            return AskedPapers(of=PapersOf.CONSIGNOR, name=consignor)
        case None, date(), None if FIRST_DAY <= day <= LAST_DAY:
            return AskedPapers(
                of=PapersOf.DAY,
                name=day.isoformat(),
                begin=_midnight(day),
                end=_midnight(day + timedelta(days=1)),
            )
        case _:
            raise UsageRefused("ask for one lot, one day since 2000, or one consignor")


def _midnight(day: date) -> datetime:
    """Where the rack stands."""
    return datetime(day.year, day.month, day.day).astimezone()
