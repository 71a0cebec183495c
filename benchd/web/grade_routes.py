"""The routes of grades: which there are, and what somebody says of a handset."""

# Annotations name what is made in the function, so they are read at once.

from fastapi import APIRouter

from benchd.domain.authority import Action
from benchd.proof.evidence.intake_evidence import Who
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import InPerson, only_as
from benchd.web.error_answers import DECISION, INVALID, LEDGER, NOT_FOUND, SIGN_IN
from benchd.web.grade_objects import (
    GradedObject,
    GradeRequest,
    GradeScaleObject,
    graded_shown,
    scale_shown,
)
from benchd.web.intake_routes import TagInPath
from benchd.web.job_routes import JobInPath
from benchd.web.service import ServedRack


def grade_routes(rack: ServedRack) -> APIRouter:
    """`/api/v1/grades`, and the grade of an asset and of a job's handset."""
    router = APIRouter(prefix="/api/v1", responses=INVALID | LEDGER)

    @router.get("/grades")
    @served_to(AccessLevel.READ)
    async def grades() -> GradeScaleObject:
        """The grades that may be given, the best first."""
        return scale_shown(rack.grades.scale)

    @router.post("/assets/{tag}/grade", responses=NOT_FOUND | DECISION | SIGN_IN)
    @served_to(AccessLevel.READ, action=Action.GRADE)
    async def grade_asset(tag: TagInPath, asked: GradeRequest, by: InPerson) -> GradedObject:
        """Say how an asset looks and works; it counts in place of what was said before."""
        who = Who.of(only_as(by, asked.operator))
        given = await rack.grades.grade_asset(tag, asked.grade, note=asked.note, by=who)
        return graded_shown(given)

    @router.post("/jobs/{job}/grade", responses=NOT_FOUND | DECISION | SIGN_IN)
    @served_to(AccessLevel.READ, action=Action.GRADE)
    async def grade_job(job: JobInPath, asked: GradeRequest, by: InPerson) -> GradedObject:
        """The same of a job's handset, and of the asset that it is if it is one."""
        who = Who.of(only_as(by, asked.operator))
        given = await rack.grades.grade_job(job, asked.grade, note=asked.note, by=who)
        return graded_shown(given)

    return router
