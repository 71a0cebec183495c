"""The routes of labels: how the printers are, a label as it looks, and one printed again."""

# Annotations name what is made in the function, so they are read at once.

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response

from benchd.domain.authority import Action
from benchd.domain.ids import JobId
from benchd.domain.label import PrinterTrouble
from benchd.domain.plain_text import Language
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import Acting
from benchd.web.error_answers import (
    DECISION,
    INVALID,
    LEDGER,
    LONGEST_NAME,
    NOT_FOUND,
    SIGN_IN,
    Responses,
)
from benchd.web.job_routes import JobInPath
from benchd.web.serialiser import Verbatim, WebObject
from benchd.web.service import ServedRack

PrinterInQuery = Annotated[str | None, Query(max_length=LONGEST_NAME)]

NO_LABEL: Responses = NOT_FOUND | {409: DECISION[409]}


class PrinterObject(WebObject):
    """How a printer of labels is doing."""

    name: Verbatim
    waiting: int
    trouble: PrinterTrouble | None
    newest: Verbatim | None
    """The job of the label that it was sent last, to be printed again."""


class PrintersObject(WebObject):
    """All printers that are configured."""

    printers: list[PrinterObject]


def label_routes(rack: ServedRack) -> APIRouter:
    """`/api/v1/printers`, and `/api/v1/jobs/{job}/label` with its pictures."""
    door = rack.labels
    router = APIRouter(prefix="/api/v1", responses=INVALID | LEDGER)

    @router.get("/printers")
    @served_to(AccessLevel.READ)
    async def printers() -> PrintersObject:
        """The printers of labels; none where none is configured."""
        return PrintersObject.of(printers=door.printers)

    @router.post("/jobs/{job}/label", status_code=202, responses=NOT_FOUND | DECISION | SIGN_IN)
    @served_to(AccessLevel.READ, action=Action.PRINT)
    async def print_again(
        job: JobInPath, _: Acting, printer: PrinterInQuery = None
    ) -> PrinterObject:
        """Print the label of a handset's newest job, also once more; it waits for its printer."""
        return PrinterObject.of(await door.print_again(JobId(job), printer))

    @router.get(
        "/jobs/{job}/label.png",
        responses=NO_LABEL | {200: {"content": {"image/png": {}}}},
        response_class=Response,
    )
    @served_to(AccessLevel.READ)
    async def png(
        job: JobInPath, printer: PrinterInQuery = None, lang: Language | None = None
    ) -> Response:
        """The label with one pixel for each of the printer's dots."""
        made = await door.picture(JobId(job), "png", printer, lang)
        return Response(made, media_type="image/png")

    @router.get(
        "/jobs/{job}/label.svg",
        responses=NO_LABEL | {200: {"content": {"image/svg+xml": {}}}},
        response_class=Response,
    )
    @served_to(AccessLevel.READ)
    async def svg(
        job: JobInPath, printer: PrinterInQuery = None, lang: Language | None = None
    ) -> Response:
        """The same for a screen."""
        made = await door.picture(JobId(job), "svg", printer, lang)
        return Response(made, media_type="image/svg+xml")

    @router.get(
        "/jobs/{job}/label.zpl",
        responses=NO_LABEL | {200: {"content": {"text/plain": {}}}},
        response_class=Response,
    )
    @served_to(AccessLevel.READ)
    async def zpl(
        job: JobInPath, printer: PrinterInQuery = None, lang: Language | None = None
    ) -> Response:
        """The same as its printer is sent it."""
        made = await door.picture(JobId(job), "zpl", printer, lang)
        return Response(made, media_type="text/plain; charset=us-ascii")

    return router


def cards_pdf_route(rack: ServedRack) -> APIRouter:
    """`/cards.pdf`: what `/cards` has, as it comes out on every printer."""
    router = APIRouter()

    @router.get(
        "/cards.pdf",
        responses={200: {"content": {"application/pdf": {}}}, 409: DECISION[409]},
        response_class=Response,
    )
    @served_to(AccessLevel.WALL)
    async def cards() -> Response:
        """Answer cards and the labels of the slots that there are, to be printed and cut."""
        made = await rack.labels.cards(tuple(rack.board.views()), datetime.now(UTC))
        return Response(made, media_type="application/pdf")

    return router
