"""From the handset file to the API's objects; every foreign string is cleaned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from benchd.texts.catalogue import Catalogue, printable
from benchd.web.objects import GuidanceObject, TextsObject
from benchd.web.records_objects import (
    DisposalItemObject,
    DisposalListObject,
    FiledJobObject,
    FiledJobsObject,
    FoundHandsetObject,
    FoundObject,
    HandsetFileObject,
    SettledObject,
    UptoObject,
)
from benchd.words.disposal import DisposalState, moves_from
from benchd.words.handset_file import (
    DisposalLine,
    Found,
    HandsetFile,
    JobLine,
    SettledLine,
    Upto,
)
from benchd.words.ids import JobId
from benchd.words.intake import Unerasable
from benchd.words.job import Reason

LONGEST_NOTE = 500


class RecordsPresenter:
    """Makes the objects of the read model's routes."""

    def __init__(
        self, catalogue: Catalogue, holder: Callable[[JobId], str | None] = lambda _: None
    ) -> None:
        """`holder` tells which other system holds back the handset of a job."""
        self._catalogue = catalogue
        self._holder = holder

    def found(self, found: Found, upto: Upto) -> FoundObject:
        """What was found."""
        return FoundObject(
            handsets=[
                FoundHandsetObject(
                    key=line.key,
                    told_by=line.told_by,
                    jobs=line.jobs,
                    newest=self.job(line.newest),
                )
                for line in found.handsets
            ],
            more=found.more,
            upto=upto_object(upto),
        )

    def file(self, file: HandsetFile, upto: Upto) -> HandsetFileObject:
        """A handset's file."""
        return HandsetFileObject(
            key=file.key,
            told_by=file.told_by,
            jobs=[self.job(job) for job in file.jobs],
            settled=[_settled(line) for line in file.settled],
            perhaps=list(file.perhaps),
            upto=upto_object(upto),
        )

    def items(self, items: Sequence[DisposalLine], upto: Upto) -> DisposalListObject:
        """What waits for somebody."""
        return DisposalListObject(
            items=[
                DisposalItemObject(
                    job=self.job(item.job),
                    settled=_settled(item.settled) if item.settled else None,
                    moves=_moves(item.job),
                )
                for item in items
            ],
            upto=upto_object(upto),
        )

    def jobs(self, jobs: Sequence[JobLine], upto: Upto) -> FiledJobsObject:
        """Jobs by their numbers."""
        return FiledJobsObject(
            jobs=[self.job(job) for job in jobs],
            upto=upto_object(upto),
        )

    def job(self, job: JobLine) -> FiledJobObject:
        """One job in short."""
        return FiledJobObject(
            job=job.job,
            slot=job.slot,
            recipe=job.recipe,
            opened_at=job.opened_at.isoformat(),
            ended_at=_moment(job.ended_at),
            outcome=job.outcome,
            disposition=job.disposition,
            reason=job.reason,
            unerasable=job.unerasable,
            reason_text=self._reason(job.reason, job.unerasable),
            lot=_text(job.lot),
            tag=_text(job.tag),
            manufacturer=_text(job.manufacturer),
            model=_text(job.model),
            serial=_text(job.serial),
            imeis=[printable(imei) for imei in job.imeis],
            usb_serial=_text(job.usb_serial),
            came_with_data=job.came_with_data,
            chip=job.chip,
            certificate=job.certificate,
            held_by=job.held_by(self._holder),
            state=job.state,
            since=_moment(job.since),
            run_again_as=job.run_again_as,
        )

    def _reason(
        self, reason: Reason | None, unerasable: Unerasable | None
    ) -> GuidanceObject | None:
        if unerasable is not None:
            told = self._catalogue.unerasable(unerasable)
        elif reason is not None:
            told = self._catalogue.reason(reason)
        else:
            return None
        to_do = TextsObject(ja=told.what_to_do.ja, en=told.what_to_do.en)
        return GuidanceObject(ja=told.ja, en=told.en, what_to_do=to_do)


def _moves(job: JobLine) -> list[DisposalState]:
    """In the order of the states, so that a page shows them always alike."""
    allowed = moves_from(job.state, job.reason) if job.state else frozenset[DisposalState]()
    return [state for state in DisposalState if state in allowed]


def _settled(line: SettledLine) -> SettledObject:
    return SettledObject(
        sequence=line.sequence,
        job=line.job,
        at=line.at.isoformat(),
        before=line.before,
        state=line.state,
        name=printable(line.name),
        note=printable(line.note, LONGEST_NOTE),
        recycler=_text(line.recycler),
        number=_text(line.number),
        batch=_text(line.batch),
        done_on=_text(line.done_on),
        later_job=_text(line.later_job),
    )


def upto_object(upto: Upto) -> UptoObject:
    """Up to which record an answer is true."""
    return UptoObject(sequence=upto.sequence, hash=upto.hash)


def _text(text: str | None) -> str | None:
    return None if text is None else printable(text, LONGEST_NOTE)


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
