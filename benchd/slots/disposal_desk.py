"""Where people say what has become of a handset that isn't sold: on record, or refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import anyio

from benchd.domain.disposal import DISPOSAL_MOVES, DisposalState, Settling, moves_from
from benchd.domain.errors import CertificateGap, NotFound, SettlingRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.people import Actor
from benchd.domain.ports import Clock, Ledger
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.certificate_validity import CertificateNamed, sold_under_gaps
from benchd.proof.disposal_fold import ENDS, DisposalItem, item_of
from benchd.proof.evidence.disposal_evidence import DisposalEvidence
from benchd.proof.gate_waiver_proof import bound_in
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.same_handset import Handsets
from benchd.proof.identity.sighting import Sighting, sighting_of, sightings_in
from benchd.proof.identity.takeover import rechecked_in, takes_over
from benchd.proof.identity.traits import Relation
from benchd.proof.job_records import decisions

LONGEST_NOTE: Final = 500
LONGEST_NUMBER: Final = 200
_DONE: Final = (DisposalState.DESTROYED, DisposalState.RETURNED)
_NOTES: Final = {
    DisposalState.RERUN_DUE: "a release needs its reason in the note",
    DisposalState.TO_RETURN: "a release needs its reason in the note",
    DisposalState.TO_DESTROY: "a release needs its reason in the note",
    DisposalState.RETURNED: "say in the note to whom it was handed back",
    DisposalState.ON_SALE: "the note has to be the number of the certificate that it's sold under",
}


async def disposal_of(ledger: Ledger, job: JobId) -> DisposalItem | None:
    """What has become of an ended job's handset; None where it's sold, runs or isn't known.

    Raises CertificateGap for records that can't be read.
    """
    own = await ledger.entries(job)
    mine = sighting_of(job, own)
    others = await records_of_handset(ledger, mine)
    records = sorted([*own, *others], key=lambda record: record.sequence)
    tied = {each.job: each.tied for each in sightings_in(others)}
    later: dict[JobId, Sighting] = {}

    def is_taken_over(record: StoredEntry) -> bool:
        other = record.entry.job
        if other in (None, job):
            return False
        if other not in later:
            # What it told while the first one still ran is as much its handset's.
            told = [r for r in others if r.entry.job == other and r.sequence < record.sequence]
            later[other] = sighting_of(other, told)
        later[other].take(record)
        by_recheck = rechecked_in(record.entry) == job
        traits = replace(later[other].traits, tied_chip=tied[other])
        return by_recheck or takes_over(mine.traits, traits, record.entry)

    return item_of(job, records, is_taken_over)


class DisposalDesk:
    """Takes what people say of handsets; whether it may be so, the ledger decides."""

    def __init__(
        self,
        ledger: Ledger,
        clock: Clock,
        holder: Callable[[JobId], str | None] = lambda _: None,
    ) -> None:
        """`holder` tells which other system holds back the handset of a job."""
        self._holder = holder
        self._ledger = ledger
        self._clock = clock
        self._turn = anyio.Lock()
        """Two people at once don't both settle one handset."""

    async def dispose(self, job: JobId, settling: Settling, actor: Actor) -> DisposalItem:
        """Record it; returns when it's on disk.

        Raises NotFound where the job has left nothing to be settled, SettlingRefused for what
        can't have become of it.
        """
        async with self._turn:
            item = await self._item(job)
            _refuse_move(item, settling)
            _refuse_words(item, settling, self._clock.now())
            if settling.to is DisposalState.RUN_AGAIN:
                await self._refuse_later_job(item, settling)
            if settling.to is DisposalState.ON_SALE:
                await self.refuse_certificate(job, JobId(settling.note.strip()))
            await self._ledger.append(
                Entry(
                    kind=EntryKind.HANDSET_SETTLED,
                    at=self._clock.now(),
                    job=job,
                    data=to_json(DisposalEvidence.of(item.state, settling, actor)),
                )
            )
            return await self._settled(job, settling)

    async def _item(self, job: JobId) -> DisposalItem:
        item = await disposal_of(self._ledger, job)
        if item is None:
            message = f"there is nothing to settle of job {job}: it isn't there, runs, or is sold"
            raise NotFound(message)
        return item

    async def _settled(self, job: JobId, settling: Settling) -> DisposalItem:
        """A later job may have met the handset while this was being written."""
        item = await self._item(job)
        if item.state is not settling.to:
            raise SettlingRefused(
                f"meanwhile it has become {item.state}, by job {item.run_again_as}"
            )
        return item

    async def _refuse_later_job(self, item: DisposalItem, settling: Settling) -> None:
        if settling.later_job is None:
            raise SettlingRefused("name the later job that has taken it over")
        own = await self._ledger.entries(item.job)
        later = await self._ledger.entries(settling.later_job)
        end = next(r.sequence for r in own if r.entry.kind in ENDS)
        if not later or later[0].sequence < end:
            raise SettlingRefused(f"job {settling.later_job} isn't a later one than {item.job}")
        me, other = sighting_of(item.job, own), sighting_of(settling.later_job, later)
        relation = Handsets(me, [other]).relation(other.job)
        if me.imeis and other.imeis and me.imeis.isdisjoint(other.imeis):
            raise SettlingRefused(f"job {settling.later_job} is of a handset of another IMEI")
        if relation is Relation.DISPUTE:
            raise SettlingRefused(
                f"job {settling.later_job} may be of another handset: serial, model or chip differ"
            )
        met = relation is Relation.CERTAIN or _is_asset(own, later)
        if item.state is DisposalState.TO_DESTROY and not (met and _was_let(later)):
            raise SettlingRefused(
                f"nobody in charge has let this handset into job {settling.later_job}:"
                " what is to be destroyed stays so"
            )

    async def refuse_certificate(self, job: JobId, number: JobId) -> None:
        """Refuse a sale of what was re-checked in a job, by the number of an earlier certificate.

        Raises SettlingRefused unless that is of this very handset and still stands.
        """
        own = await self._ledger.entries(job)
        try:
            named = await self._certificate(number)
            gaps = list(sold_under_gaps(job, own, named))
        except CertificateGap as gap:
            raise SettlingRefused(f"the records of job {number} can't be read: {gap}") from gap
        held = [self._holder(each) for each in (number, named.job)]
        gaps += [f"{by} holds it back" for by in dict.fromkeys(held) if by is not None]
        if gaps:
            raise SettlingRefused(
                f"{number} isn't the certificate that this handset is sold under:"
                f" {'; '.join(gaps)}. Look its number up, or erase the handset again"
            )

    async def _certificate(self, number: JobId) -> CertificateNamed:
        """By its own job, or by the drawn one whose recheck has it; raises CertificateGap."""
        records, drawn = await self._ledger.entries(number), ()
        met = sighting_of(number, records)
        if met.is_drawn and not met.is_certified:
            rechecks = [
                each.job
                for each in sightings_in(await records_of_handset(self._ledger, met))
                if each.rechecks == number and each.is_certified
            ]
            if rechecks:
                drawn, records = records, await self._ledger.entries(rechecks[-1])
        elif met.rechecks is not None:
            drawn = await self._ledger.entries(met.rechecks)
        if not records:
            return CertificateNamed(job=number, records=())
        erased = drawn or records
        of_handset = sighting_of(erased[0].entry.job or number, erased)
        return CertificateNamed(
            job=records[0].entry.job or number,
            records=records,
            drawn=drawn,
            others=await records_of_handset(self._ledger, of_handset),
            intake=await self._ledger.intake(erased[0].sequence),
        )


def _refuse_move(item: DisposalItem, settling: Settling) -> None:
    allowed = DISPOSAL_MOVES[item.state]
    if settling.to not in allowed:
        onward = ", ".join(sorted(allowed)) or "nowhere: it's settled"
        raise SettlingRefused(f"it is {item.state}; from there it goes to: {onward}")
    if settling.to not in moves_from(item.state, item.reason):
        raise SettlingRefused("only a handset that was re-checked goes back on sale like this")


def _refuse_words(item: DisposalItem, settling: Settling, now: datetime) -> None:
    if len(settling.note) > LONGEST_NOTE:
        raise SettlingRefused(f"a note has at most {LONGEST_NOTE} characters")
    papers = (settling.recycler, settling.number, settling.batch)
    if any(len(text or "") > LONGEST_NUMBER for text in papers):
        raise SettlingRefused(f"a name or number has at most {LONGEST_NUMBER} characters")
    if settling.to in _NOTES and not settling.note.strip():
        raise SettlingRefused(_NOTES[settling.to])
    if settling.to is DisposalState.DESTROYED and not (settling.recycler and settling.number):
        raise SettlingRefused("name the recycler and their number of the receipt")
    if settling.done_on is None:
        return
    if settling.to not in _DONE:
        raise SettlingRefused("a day is told only of what was done: destroyed or returned")
    # By the rack's own calendar, as whoever did it has it.
    if not item.ended_at.astimezone().date() <= settling.done_on <= now.astimezone().date():
        raise SettlingRefused("the day lies before the end of its job, or hasn't come yet")


def _is_asset(own: Sequence[StoredEntry], later: Sequence[StoredEntry]) -> bool:
    """Whether what couldn't be plugged in by its tag is what this job's handset was bound to."""
    bound = bound_in(later)
    dead = [r.entry.data for r in own if r.entry.kind is EntryKind.ASSET_UNERASABLE]
    return bound is not None and any(told.get("tag") == bound.tag for told in dead)


def _was_let(later: Sequence[StoredEntry]) -> bool:
    answers = [each for each in decisions(later) if each.gate is Gate.DESTROYED_BEFORE]
    return bool(answers) and answers[-1].approved
