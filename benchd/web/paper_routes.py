"""The routes of certificates as people read them: PDF, and a page for the screen."""

# Annotations name what is made in the function, so they are read at once.

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from benchd.texts.catalogue import Catalogue, Language
from benchd.texts.paper_words import PaperWord
from benchd.web.certified import certificate_of
from benchd.web.job_routes import JobInPath
from benchd.web.refusals import INVALID, LEDGER, NOT_FOUND
from benchd.web.service import ServedRack
from benchd.web.sight import Sight, served_to
from benchd.words.ids import JobId
from benchd.words.token import Scope

PDF = "application/pdf"
HTML = "text/html"


def paper_routes(rack: ServedRack, catalogue: Catalogue) -> APIRouter:
    """What is kept is the certificate alone: these are made of it when somebody asks."""
    router = APIRouter(prefix="/api/v1/jobs", responses=INVALID | LEDGER)

    @router.get(
        "/{job}/certificate.pdf",
        responses=NOT_FOUND | {200: {"content": {PDF: {}}}},
        response_class=Response,
    )
    @served_to(Sight.READ, token=Scope.CERTIFICATES_READ)
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
    @served_to(Sight.READ)
    async def page(job: JobInPath, language: Annotated[Language, Query()] = "ja") -> Response:
        """The same words for the screen."""
        envelope = (await certificate_of(rack, JobId(job))).envelope
        other: Language = "en" if language == "ja" else "ja"
        links = (
            ("certificate.pdf", catalogue.paper(PaperWord.AS_PDF).to(language)),
            ("certificate.json", catalogue.paper(PaperWord.AS_FILE).to(language)),
            (
                f"certificate.html?language={other}",
                catalogue.paper(PaperWord.OTHER_LANGUAGE).to(language),
            ),
        )
        return HTMLResponse(await rack.papers.press.page(envelope, language, links))

    return router
