"""Which handset lies in the slot, by everything that the ledger knows: asked by whoever decides.

Debts of what is certainly the same handset apply. Where it may be, or is in dispute, a person is
asked once for each pair; what nobody can say ends the job as HOLD. docs/identity.md has the rules.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator
from typing import Final

import anyio

from benchd.domain.errors import CertificateGap, StageFailed
from benchd.domain.ids import JobId
from benchd.domain.intake import Tag
from benchd.domain.job import Disposition, Gate, Reason
from benchd.domain.record import EntryKind
from benchd.domain.slot import EarlierEnd, ProblemCode, ProblemView
from benchd.pipelines.stage_contract import UNTOLD, JobContext
from benchd.proof.evidence.handset_evidence import InspectEvidence
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.same_handset import Handset, Handsets
from benchd.proof.identity.sighting import Sighting, sighting_of, sightings_in
from benchd.proof.identity.traits import Relation, Traits, compare
from benchd.proof.identity.unresolved_jobs import (
    OpenPair,
    at_work_elsewhere,
    is_anothers_chip,
    open_pairs,
    unclean_look,
)
from benchd.proof.record_fields import RecordReader

MOST_NAMED: Final = 3
"""Of the jobs that a question names; the record has them all."""
ELSEWHERE_LOOK_S: Final = 10.0
"""How often it is looked whether the other job of the same handset has ended."""


async def handsets_of(
    context: JobContext,
    *,
    chips: Collection[str] = (),
    tied: str | None = None,
    label_number: str | None = None,
    inspected: InspectEvidence | None = None,
    by_eye: bool = False,
) -> Handsets:
    """All jobs that may be of this handset, sorted into handsets.

    With what the running stage knows and no record tells yet. Raises StageFailed for records that
    can't be read.
    """
    try:
        me = sighting_of(context.job, await context.ledger.entries(context.job))
        me.chips |= set(chips)
        me.tied = tied or me.tied
        me.looked_by_eye = me.looked_by_eye or by_eye
        if inspected is not None:
            me.inspected(inspected)
        me.label_number = label_number or me.label_number
        labelled: list[JobId] = []
        if me.label is not None:
            bound = context.intake.book.bound.get(Tag(me.label[1]), ())
            labelled = [each.job for each in bound]
        records = await records_of_handset(context.ledger, me, labelled)
        dead = [each async for each in _dead_assets(context, me)]
        return Handsets(me, [*sightings_in(records), *dead])
    except CertificateGap as gap:
        message = f"the records of this handset can't be read: {gap}"
        raise StageFailed(Reason.RECORD_BROKEN, message) from gap


async def _dead_assets(context: JobContext, me: Sighting) -> AsyncIterator[Sighting]:
    """Assets that were entered by hand as not erasable, and may be this handset."""
    book, mine = context.intake.book, me.traits
    for tag, dead in book.unerasable.items():
        asset, case = book.assets.get(tag), book.cases.get(tag)
        if asset is None or case is None:
            continue
        paper = Traits(
            # What a person has read on it, and the chip that a reader saw, are leads.
            imeis=frozenset(filter(None, (asset.line.imei, dead.imei))),
            proven=frozenset(filter(None, (asset.line.imei,))),
            serial=asset.line.serial,
            chips=frozenset(filter(None, (dead.chip.chip if dead.chip else None,))),
            label=(asset.lot, tag),
            is_paper=True,
        )
        if compare(mine, paper).relation is not Relation.NONE:
            seen = sighting_of(case, await context.ledger.entries(case))
            seen.paper = paper
            yield seen


def earlier_end(handsets: Handsets) -> EarlierEnd | None:
    """How the last ended job of the same handset has ended; None where it wasn't here."""
    ended = [each for each in handsets.earlier.sightings if each.end is not None]
    doomed = bool(handsets.earlier.dooming)
    ends = (_end_of(each, doomed=doomed) for each in reversed(ended))
    return next((end for end in ends if end is not None), None)


async def resolve_identity(
    context: JobContext,
    *,
    label_number: str | None = None,
    by_eye: bool = False,
    at_end: bool = False,
) -> Handsets:
    """The same once nothing is open: another job of it has ended, and people have answered.

    `by_eye`: a person is about to look at its chip, which no reader can. `at_end`: its certificate
    is next. Raises StageFailed with `identity_unsettled` where nobody can say whose a debt is.
    """
    while True:
        handsets = await handsets_of(context, label_number=label_number, by_eye=by_eye)
        other = at_work_elsewhere(handsets, disputed=at_end)
        if other is not None:
            await _wait_for(context, other)
            continue
        pair = next(open_pairs(handsets), None)
        if pair is None:
            return handsets
        await _ask(context, pair)


async def _wait_for(context: JobContext, other: Sighting) -> None:
    """One handset can't lie in two slots: somebody has to look which of them is which."""
    opened = await context.ledger.entries(other.job)
    facts = {"slot": str(next((each.entry.slot for each in opened if each.entry.slot), "?"))}
    context.station.show_problem(ProblemView(code=ProblemCode.SAME_HANDSET_ELSEWHERE, facts=facts))
    try:
        while True:
            await anyio.sleep(ELSEWHERE_LOOK_S)
            records = await context.ledger.entries(other.job)
            if any(record.entry.kind is EntryKind.JOB_ENDED for record in records):
                return
    finally:
        context.station.show_problem(None)


async def _ask(context: JobContext, pair: OpenPair) -> None:
    facts = {
        **context.handset_facts(),
        "other": pair.by.job,
        "debt": pair.debt,
        "relation": pair.handset.relation,
        "joins": ",".join(sorted(pair.handset.joins)),
        "clashes": ",".join(sorted(pair.handset.clashes)),
    }
    decision = await context.ask(pair.gate, facts)
    if not decision.approved:
        raise StageFailed(
            Reason.IDENTITY_UNSETTLED,
            f"nobody can say whether it is the handset of job {pair.by.job} ({pair.debt})",
        )


async def let_by_somebody_in_charge(context: JobContext, handsets: Handsets) -> tuple[str, ...]:
    """What sent this handset to be destroyed; StageFailed unless it's let in.

    Earlier jobs, and the cases of assets that were entered by hand as not erasable. Asked only
    where a certificate is wanted: without one nothing is sold.
    """
    mine = handsets.mine
    if mine.doomed_by is None:
        return ()
    doomed_by = tuple(_name_of(context, each) for each in mine.dooming)
    if context.certifies:
        facts = {
            **context.handset_facts(),
            "earlier_job": ", ".join(doomed_by[:MOST_NAMED]),
            "earlier_reason": next(_reasons(mine), UNTOLD),
        }
        await context.approved(Gate.DESTROYED_BEFORE, Reason.DESTROY_STANDS, facts)
    return doomed_by


def refuse_doomed(handsets: Handsets) -> None:
    """StageFailed where it has turned out after the gates that it was to be destroyed.

    A number that was read since, its chip or somebody's answer may tell; nobody has let it go on,
    and one late sign sends nothing to be crushed: whoever runs it again is asked first.
    """
    doomed_by = handsets.mine.doomed_by
    if doomed_by is not None:
        raise StageFailed(
            Reason.PROOF_INCOMPLETE,
            f"it is the handset of {doomed_by.job}, which was to be destroyed",
        )


def refuse_over_reader(handsets: Handsets) -> None:
    """StageFailed where a reader's look on record stands against a person's word."""
    unclean_by = unclean_look(handsets)
    if unclean_by is not None:
        raise StageFailed(
            Reason.READER_LOOK_STANDS,
            f"in job {unclean_by.job} a reader saw no unused chip in this handset: only another"
            " look by a reader decides",
        )
    for each in handsets.sharing_chip:
        if is_anothers_chip(each):
            raise StageFailed(
                Reason.READER_LOOK_STANDS,
                f"a reader saw the chip of job {each.sightings[-1].job}, of another handset, with"
                " this one: only a reader that ties its own chip decides",
            )


def _name_of(context: JobContext, seen: Sighting) -> str:
    """The job, or the tag of what was entered by hand."""
    tags = (tag for tag, case in context.intake.book.cases.items() if case == seen.job)
    return next(tags, seen.job)


def _reasons(handset: Handset) -> Iterator[str]:
    for seen in reversed(handset.dooming):
        if seen.paper_reason is not None:
            yield seen.paper_reason
        end = _end_of(seen, doomed=True)
        if end is not None and end.reason is not None:
            yield end.reason


def _end_of(seen: Sighting, *, doomed: bool) -> EarlierEnd | None:
    """How a job ended by its record; None for one that can't be read."""
    if seen.end is None or seen.end.job is None:
        return None
    reader = RecordReader(seen.end.data, seen.end.kind)
    try:
        return EarlierEnd(
            job=seen.end.job,
            at=seen.end.at,
            disposition=reader.word("disposition", Disposition),
            reason=reader.optional_word("reason", Reason),
            doomed=doomed,
        )
    except CertificateGap:
        return None
