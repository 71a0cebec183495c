"""The routes of labels: how the printers are, a label as it looks, and one printed again."""

# Annotations name what is made in the function, so they are read at once.

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal, Protocol

from fastapi import APIRouter, Depends, Query, Response

from benchd.authority import Action
from benchd.texts.templates import Language
from benchd.web.job_routes import JobInPath
from benchd.web.refusals import (
    DECISION,
    INVALID,
    LEDGER,
    LONGEST_NAME,
    NOT_FOUND,
    SIGN_IN,
    Responses,
)
from benchd.web.serialiser import Verbatim, WebObject
from benchd.web.service import WatchedBoard
from benchd.web.who import Acting, WhoActs
from benchd.words.ids import JobId, SlotName
from benchd.words.label import PrinterTrouble, PrinterView
from benchd.words.people import By

PrinterInQuery = Annotated[str | None, Query(max_length=LONGEST_NAME)]

NO_LABEL: Responses = NOT_FOUND | {409: DECISION[409]}


class LabelDoor(Protocol):
    """The labels of the rack. Each call raises NotFound or LabelRefused."""

    @property
    def printers(self) -> Sequence[PrinterView]:
        """How each printer is doing."""
        ...

    async def print_again(self, job: JobId, printer: str | None = None) -> PrinterView:
        """Have a label printed; returns once it waits for its printer."""
        ...

    async def cards(self, slots: Sequence[SlotName], at: datetime) -> bytes:
        """All answer cards and these slots' labels as PDF."""
        ...

    async def picture(
        self,
        job: JobId,
        kind: Literal["png", "svg", "zpl"],
        printer: str | None = None,
        language: Language | None = None,
    ) -> bytes:
        """The label as it would be printed."""
        ...


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


def label_routes(door: LabelDoor, who: WhoActs) -> APIRouter:
    """`/api/v1/printers`, and `/api/v1/jobs/{job}/label` with its pictures."""
    router = APIRouter(prefix="/api/v1", responses=INVALID | LEDGER)
    printing = Acting(Action.PRINT, who)

    @router.get("/printers")
    async def printers() -> PrintersObject:
        """The printers of labels; none where none is configured."""
        return PrintersObject.of(printers=door.printers)

    @router.post("/jobs/{job}/label", status_code=202, responses=NOT_FOUND | DECISION | SIGN_IN)
    async def print_again(
        job: JobInPath, _: Annotated[By, Depends(printing)], printer: PrinterInQuery = None
    ) -> PrinterObject:
        """Print the label of a handset's newest job, also once more; it waits for its printer."""
        return PrinterObject.of(await door.print_again(JobId(job), printer))

    @router.get(
        "/jobs/{job}/label.png",
        responses=NO_LABEL | {200: {"content": {"image/png": {}}}},
        response_class=Response,
    )
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
    async def zpl(
        job: JobInPath, printer: PrinterInQuery = None, lang: Language | None = None
    ) -> Response:
        """The same as its printer is sent it."""
        made = await door.picture(JobId(job), "zpl", printer, lang)
        return Response(made, media_type="text/plain; charset=us-ascii")

    return router


def cards_pdf_route(board: WatchedBoard, door: LabelDoor, now: Callable[[], datetime]) -> APIRouter:
    """`/cards.pdf`: what `/cards` has, as it comes out on every printer."""
    router = APIRouter()

    @router.get(
        "/cards.pdf",
        responses={200: {"content": {"application/pdf": {}}}, 409: DECISION[409]},
        response_class=Response,
    )
    async def cards() -> Response:
        """Answer cards and the labels of the slots that there are, to be printed and cut."""
        made = await door.cards(tuple(board.views()), now())
        return Response(made, media_type="application/pdf")

    return router
