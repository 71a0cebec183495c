"""The routes that tell of jobs, and the one that takes people's answers."""

# Annotations name what is made in the function, so they are read at once.

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from benchd.domain.ids import JobId
from benchd.domain.token import Scope
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import Somebody, only_as
from benchd.web.certificate_status import certificate_of, history_of
from benchd.web.error_answers import DECISION, INVALID, LEDGER, LONGEST_NAME, NOT_FOUND, SIGN_IN
from benchd.web.grade_objects import graded_shown
from benchd.web.objects import (
    DecisionObject,
    DecisionRequest,
    DirectionObject,
    JobObject,
    JobsObject,
)
from benchd.web.peer import via
from benchd.web.present import Presenter
from benchd.web.service import ServedRack

MOST_JOBS = 1000

JobInPath = Annotated[str, Path(max_length=LONGEST_NAME)]


def job_routes(rack: ServedRack, presenter: Presenter) -> APIRouter:
    """Jobs, certificates and decisions; whether somebody may answer, the desk says."""
    router = APIRouter(prefix="/api/v1/jobs", responses=INVALID | LEDGER)

    @router.get("")
    @served_to(AccessLevel.READ)
    async def jobs(limit: Annotated[int, Query(ge=1, le=MOST_JOBS)] = 50) -> JobsObject:
        """The newest jobs, newest first."""
        newest = await rack.ledger.job_ids(limit)
        histories = [await history_of(rack, job) for job in newest]
        return JobsObject(jobs=[presenter.summary(history) for history in histories])

    @router.get("/{job}", responses=NOT_FOUND)
    @served_to(AccessLevel.READ)
    async def job(job: JobInPath) -> JobObject:
        """One job: what was done, what was answered, how it ended."""
        told = presenter.job(await history_of(rack, JobId(job)))
        asked = await rack.directions(JobId(job))
        directions = [DirectionObject.of(one, next_action=one.action) for one in asked]
        tags = [told.asset.tag] if told.asset else []
        given = rack.grades.book.given(jobs=[job], tags=tags)
        graded = [graded_shown(each) for each in given]
        return told.model_copy(update={"directions": directions, "graded": graded})

    @router.get(
        "/{job}/certificate.json",
        responses=NOT_FOUND | {200: {"content": {"application/json": {}}}},
        response_class=Response,
    )
    @served_to(AccessLevel.READ, token=Scope.CERTIFICATES_READ)
    async def certificate(job: JobInPath) -> Response:
        """The signed certificate, byte for byte as it stands in the ledger.

        That of a drawn job stands in the end of its recheck, whose address is told with it.
        """
        found = await certificate_of(rack, JobId(job))
        at = {"content-location": f"/api/v1/jobs/{found.stands_in}/certificate.json"}
        return Response(found.envelope, media_type="application/json", headers=at)

    @router.post("/{job}/decisions", responses=NOT_FOUND | DECISION | SIGN_IN)
    # Nobody answers a question that they may not read; who may answer is the desk's to say.
    @served_to(AccessLevel.READ)
    async def decide(
        job: JobInPath,
        answer: DecisionRequest,
        request: Request,
        by: Somebody,
    ) -> DecisionObject:
        """Answer an open question of a job; returns when the answer is on disk."""
        how = via(request.scope)
        decision = await rack.desk.decide(
            JobId(job),
            answer.gate,
            approved=answer.approved,
            by=only_as(by, answer.operator),
            note=answer.note,
            via=how,
            asking=answer.asking,
        )
        return DecisionObject.of(decision, decision.by, operator=decision.by.name, via=how)

    @router.get(
        "/{job}/trace.json",
        responses=NOT_FOUND | {200: {"content": {"application/json": {}}}},
        response_class=Response,
    )
    @served_to(AccessLevel.READ)
    async def trace(job: JobInPath) -> Response:
        """OpenTelemetry's OTLP/JSON: an ExportTraceServiceRequest with the job's spans."""
        return Response(await rack.trace(JobId(job)), media_type="application/json")

    return router
