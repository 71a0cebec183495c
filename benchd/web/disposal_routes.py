"""The routes of what becomes of handsets: what waits for somebody, and what somebody says."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from benchd.texts.catalogue import Catalogue
from benchd.web.acting import actor_of
from benchd.web.present_records import RecordsPresenter
from benchd.web.records_objects import DisposalListObject, SettledItemObject, SettlingRequest
from benchd.web.refusals import DECISION, INVALID, LEDGER, LONGEST_NAME, NOT_FOUND
from benchd.web.service import RecordsDoor, SettlingDesk
from benchd.words.disposal import OPEN, DisposalState, Settling
from benchd.words.ids import JobId


def disposal_routes(door: RecordsDoor, desk: SettlingDesk, catalogue: Catalogue) -> APIRouter:
    """`/api/v1/disposal`."""
    router = APIRouter(prefix="/api/v1/disposal", responses=INVALID | LEDGER)
    presenter = RecordsPresenter(catalogue)

    @router.get("")
    async def items(
        state: Annotated[list[DisposalState] | None, Query()] = None,
        batch: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None,
    ) -> DisposalListObject:
        """Handsets that wait for somebody, the oldest first; or all of a batch."""
        wanted = state or (tuple(DisposalState) if batch else OPEN)
        return presenter.items(await door.items(tuple(wanted), batch), door.upto)

    @router.post("/{job}", responses=NOT_FOUND | DECISION)
    async def settle(
        job: Annotated[str, Path(max_length=LONGEST_NAME)],
        told: SettlingRequest,
        request: Request,
    ) -> SettledItemObject:
        """Say what has become of a job's handset; returns when it's on disk."""
        settling = Settling(
            to=told.state,
            note=told.note,
            recycler=told.recycler,
            number=told.number,
            batch=told.batch,
            done_on=told.done_on,
            later_job=JobId(told.later_job) if told.later_job else None,
        )
        item = await desk.settle(JobId(job), settling, actor_of(request.scope, told.operator))
        return SettledItemObject(
            job=item.job,
            state=item.state,
            since=item.since.isoformat(),
            run_again_as=item.run_again_as,
        )

    return router
