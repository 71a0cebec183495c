"""The route that tells where an ended job's time went."""

# Annotations name what is made in the function, so they are read at once.

from typing import Protocol

from fastapi import APIRouter, Response

from benchd.web.job_routes import JobInPath
from benchd.web.refusals import INVALID, LEDGER, NOT_FOUND
from benchd.words.ids import JobId


class TraceDoor(Protocol):
    """Tells where an ended job's time went."""

    async def __call__(self, job: JobId, /) -> bytes:
        """OTLP/JSON; raises NotFound for a job that isn't there or hasn't ended."""
        ...


def trace_route(traces: TraceDoor) -> APIRouter:
    """A job's trace, as it would be sent to a collector."""
    router = APIRouter(prefix="/api/v1/jobs", responses=INVALID | LEDGER)

    @router.get(
        "/{job}/trace.json",
        responses=NOT_FOUND | {200: {"content": {"application/json": {}}}},
        response_class=Response,
    )
    async def trace(job: JobInPath) -> Response:
        """OpenTelemetry's OTLP/JSON: an ExportTraceServiceRequest with the job's spans."""
        return Response(await traces(JobId(job)), media_type="application/json")

    return router
