"""The routes of what becomes of handsets: what waits for somebody, and what somebody says."""

# Annotations name what is made in the function, so they are read at once.

from typing import Annotated

from fastapi import APIRouter, Path, Query

from benchd.domain.authority import RELEASES, Action
from benchd.domain.disposal import OPEN, DisposalState, Settling
from benchd.domain.ids import JobId
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import InPerson, only_as
from benchd.web.error_answers import DECISION, INVALID, LEDGER, LONGEST_NAME, NOT_FOUND, SIGN_IN
from benchd.web.records_objects import (
    DisposalListObject,
    RecordsPresenter,
    SettledItemObject,
    SettlingRequest,
)
from benchd.web.service import ServedRack


def disposal_routes(rack: ServedRack, catalogue: Catalogue) -> APIRouter:
    """`/api/v1/disposal`."""
    router = APIRouter(prefix="/api/v1/disposal", responses=INVALID | LEDGER)
    presenter = RecordsPresenter(catalogue)

    @router.get("")
    @served_to(AccessLevel.READ)
    async def items(
        state: Annotated[list[DisposalState] | None, Query()] = None,
        batch: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None,
    ) -> DisposalListObject:
        """Handsets that wait for somebody, who waits longest first; or all of a batch."""
        wanted = state or (tuple(DisposalState) if batch else OPEN)
        return presenter.items(await rack.records.items(tuple(wanted), batch), rack.records.upto)

    @router.post("/{job}", responses=NOT_FOUND | DECISION | SIGN_IN)
    @served_to(AccessLevel.READ, action=Action.SETTLE)
    async def settle(
        job: Annotated[str, Path(max_length=LONGEST_NAME)],
        told: SettlingRequest,
        by: InPerson,
    ) -> SettledItemObject:
        """Say what has become of a job's handset; returns when it's on disk."""
        only_as(by, told.operator)
        if told.state in RELEASES:
            rack.people.refuse_unless_allowed(by, Action.RELEASE)
        what = Settling(
            to=told.state,
            note=told.note,
            recycler=told.recycler,
            number=told.number,
            batch=told.batch,
            done_on=told.done_on,
            later_job=JobId(told.later_job) if told.later_job else None,
        )
        return SettledItemObject.of(await rack.disposal.dispose(JobId(job), what, by))

    return router
