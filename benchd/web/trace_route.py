"""The route that tells where an ended job's time went."""

# Annotations name what is made in the function, so they are read at once.

from fastapi import APIRouter, Response

from benchd.web.job_routes import JobInPath
from benchd.web.refusals import INVALID, LEDGER, NOT_FOUND
from benchd.web.service import ServedRack
from benchd.web.sight import Sight, served_to
from benchd.words.ids import JobId


def trace_route(rack: ServedRack) -> APIRouter:
    """A job's trace, as it would be sent to a collector."""
    router = APIRouter(prefix="/api/v1/jobs", responses=INVALID | LEDGER)

    @router.get(
        "/{job}/trace.json",
        responses=NOT_FOUND | {200: {"content": {"application/json": {}}}},
        response_class=Response,
    )
    @served_to(Sight.READ)
    async def trace(job: JobInPath) -> Response:
        """OpenTelemetry's OTLP/JSON: an ExportTraceServiceRequest with the job's spans."""
        return Response(await rack.trace(JobId(job)), media_type="application/json")

    return router
