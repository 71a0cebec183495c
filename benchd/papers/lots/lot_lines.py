"""The lines of lot papers, one after the other: each job by its own records in the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from anyio.lowlevel import checkpoint

from benchd.certificate.certificate_verification import certificate_digest
from benchd.domain.errors import RecordsUnavailable
from benchd.domain.handset_file import JobLine
from benchd.domain.ids import JobId
from benchd.domain.intake import LotId, Tag
from benchd.domain.job import Disposition, Reason
from benchd.domain.lot_papers import Listed, ListedJob, Standing
from benchd.domain.ports import Ledger
from benchd.domain.record import StoredEntry
from benchd.ledger.job_aftermath import HandsetSince, drawn_job_in
from benchd.papers.lots.line_of_job import (
    Found,
    Row,
    assessed,
    file_of,
    found_in,
    is_passed_look,
    row_of,
    tag_of,
    tag_on_lines,
)
from benchd.papers.lots.line_of_job import unerasable as found_unerasable
from benchd.papers.lots.lot_statement import HandsetLine
from benchd.proof.grade_book import GradeBook, Graded
from benchd.proof.intake_book import IntakeBook, Lot
from benchd.proof.ports import CertificateIssuer


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    """None where there is no such thing."""

    job: JobId | None = None
    """The newest job of the handset, which isn't listed as one of it."""
    again_as: Tag | None = None
    """The other label under which it came in again."""


class LaterThings:
    """Of what was listed, as of the list's record: by the read model, and again by the ledger."""

    def __init__(self, listed: Listed, ledger: Ledger, book: IntakeBook) -> None:
        self._handset_of: Mapping[JobId, int] = {
            each.line.job: each.line.handset for each in listed.jobs
        }
        self._since = HandsetSince(ledger, book, listed.upto.sequence)

    def listed(self, job: ListedJob) -> Later:
        """By the read model alone: enough for what isn't called sellable anyway."""
        return Later(job=self._elsewhere(job.newest_job, job))

    async def certified(self, job: ListedJob, records: Sequence[StoredEntry]) -> Later:
        """Of a certified handset; `records` are its job's.

        Raises LedgerFault, and RecordsUnavailable where the list takes one handset for two.
        """
        since = await self._since.of(job.line.job, records)
        for other in since.same:
            if self._handset_of.get(other, job.line.handset) != job.line.handset:
                message = f"the file of records takes jobs {job.line.job} and {other} for two"
                raise RecordsUnavailable(message)
        newest = since.jobs[-1] if since.jobs else None
        later = self.listed(job).job or self._elsewhere(newest, job)
        return Later(job=later, again_as=since.again_as)

    def _elsewhere(self, newest: JobId | None, job: ListedJob) -> JobId | None:
        """The newest, unless it stands in the list with the handset of this job."""
        there = newest is None or self._handset_of.get(newest) == job.line.handset
        return None if there else newest


class Lines:
    """Of what was listed; `rows` grows with each call."""

    def __init__(
        self,
        listed: Listed,
        ledger: Ledger,
        issuer: CertificateIssuer,
        book: IntakeBook,
        grades: GradeBook,
        holder: Callable[[JobId], str | None],
    ) -> None:
        """`holder` tells which other system holds back the handset of a job."""
        self._listed = listed
        self._ledger = ledger
        self._issuer = issuer
        self._book = book
        self._grades = grades
        self._holder = holder
        self._later = LaterThings(listed, ledger, book)
        self._of_handset = defaultdict[int, list[JobLine]](list)
        for each in listed.jobs:
            self._of_handset[each.line.handset].append(each.line)
        self._again: dict[str, int] = {}
        """Other labels under which handsets that stand here came in again."""
        self._numbers: dict[int | str, int] = {}
        self.rows: list[Row] = []

    async def take(self, job: ListedJob) -> bytes | None:
        """Add a job's line; returns its certificate if it has one. Raises LedgerFault.

        RecordsUnavailable where the list and the ledger don't speak of the same.
        """
        # A ledger in memory, or an asset entered by hand, has nothing to wait for.
        await checkpoint()
        by_hand = job.line.by_hand
        records: Sequence[StoredEntry] = () if by_hand else await self._in_ledger(job)
        found = self._by_hand(job) if by_hand else found_in(records, self._issuer)
        tag = tag_of(found, job.line, self._book.of_job.get(drawn_job_in(records) or JobId("")))
        if tag != tag_on_lines(job.line.tag):
            raise RecordsUnavailable(f"the file of records takes job {job.line.job} for another")
        envelope = found.envelope
        later = (
            self._later.listed(job)
            if envelope is None
            else await self._later.certified(job, records)
        )
        number = self._number_of(job, later)
        holder = None if envelope is None else job.line.held_by(self._holder)
        line = HandsetLine(
            handset=number,
            job=job.line.job,
            tag=tag,
            standing=found.standing,
            disposition=found.disposition if holder is None else Disposition.HOLD,
            reason=found.reason,
            certificate=None if envelope is None else certificate_digest(envelope),
            pdf=None if envelope is None else file_of(job.line.job, tag),
            later_job=later.job,
            again_as=tag_on_lines(later.again_as),
            held_by=holder,
            is_look=not by_hand and is_passed_look(found, job.line),
        )
        self._keep(line, found, job)
        return envelope

    async def take_unseen(self, lots: Sequence[Lot]) -> None:
        """Add a line for each asset of these lots that has none yet."""
        there = {row.line.tag for row in self.rows}
        for tag in [tag for lot in lots for tag in lot.tags]:
            await checkpoint()
            if tag_on_lines(tag) not in there:
                self._take_unseen(tag)

    def _take_unseen(self, tag: Tag) -> None:
        dead = self._book.unerasable.get(tag)
        if dead is not None:
            found = found_unerasable(dead)
        else:
            # A job of it that isn't listed is newer than the list.
            of_job, jobs = self._book.of_job, self._book.bound.get(tag, ())
            runs = any(of_job[bound.job] is bound for bound in jobs)
            found = Found(
                standing=Standing.RUNNING if runs else Standing.NOT_RUN,
                disposition=None,
                reason=None,
                history=None,
            )
        line = HandsetLine(
            handset=self._again.get(tag) or self._number(f"tag {tag}"),
            job=None,
            tag=tag_on_lines(tag),
            standing=found.standing,
            disposition=found.disposition,
            reason=found.reason,
            certificate=None,
            pdf=None,
            later_job=None,
            again_as=None,
            held_by=None,
        )
        self._keep(line, found, None, tag=tag)

    async def _in_ledger(self, job: ListedJob) -> Sequence[StoredEntry]:
        """As it was when the list was made: what came later isn't told."""
        records = [
            record
            for record in await self._ledger.entries(job.line.job)
            if record.sequence <= self._listed.upto.sequence
        ]
        if not records:
            raise RecordsUnavailable(f"the ledger has no job {job.line.job}: make the records anew")
        return records

    def _by_hand(self, job: ListedJob) -> Found:
        tag = Tag(job.line.tag or "")
        if job.line.reason is Reason.ASSESSED and tag in self._book.assessed:
            return assessed()
        told = self._book.unerasable.get(tag)
        if told is None:
            raise RecordsUnavailable(f"the ledger has no asset of case {job.line.job}")
        return found_unerasable(told)

    def _number_of(self, job: ListedJob, later: Later) -> int:
        """One for each handset; what has only a label is the one that came in again under it."""
        tag = job.line.tag
        number = self._again.get(tag) if tag is not None and not job.line.imeis else None
        number = number or self._number(job.line.handset)
        if later.again_as is not None:
            self._again[later.again_as] = number
        return number

    def _number(self, key: int | str) -> int:
        return self._numbers.setdefault(key, len(self._numbers) + 1)

    def _keep(
        self, line: HandsetLine, found: Found, job: ListedJob | None, tag: Tag | None = None
    ) -> None:
        told = tag or Tag(job.line.tag or "" if job is not None else "")
        asset = self._book.assets.get(told)
        name = asset.lot if asset is not None else (job.line.lot if job is not None else None)
        lot = self._book.lots.get(LotId(name)) if name is not None else None
        self.rows.append(
            row_of(
                line,
                found,
                job=job.line if job is not None else None,
                asset=asset,
                consignor=lot.told.consignor if lot is not None else "",
                graded=self._graded(told, job),
            )
        )

    def _graded(self, tag: Tag, job: ListedJob | None) -> Graded | None:
        """The grade that counted when the list was made, given to this handset in any line."""
        same = () if job is None else self._of_handset.get(job.line.handset, ())
        jobs, tags = [each.job for each in same], [each.tag for each in same]
        return self._grades.newest(jobs=jobs, tags=[tag, *tags], upto=self._listed.upto.sequence)
