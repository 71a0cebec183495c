"""Asks the fleet's centre what holds a handset: it can hold it, and never lets one through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from benchd.domain.errors import CertificateGap, StageFailed
from benchd.domain.evidence_json import to_json
from benchd.domain.handset_question import (
    LONGEST_WORD,
    MOST_IMEIS,
    Asked,
    Elsewhere,
    HandsetQuestion,
    NotAsked,
)
from benchd.domain.job import Reason, StageName
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.evidence.other_racks_evidence import OtherRacksRecord
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.same_handset import Handsets
from benchd.proof.identity.sighting import Sighting, sighting_of, sightings_in
from benchd.proof.identity.traits import Traits
from benchd.proof.other_racks_proof import last_lease

_REASON_OF: Final[Mapping[Elsewhere, Reason]] = MappingProxyType(
    {
        Elsewhere.DOOMED: Reason.DOOMED_ELSEWHERE,
        Elsewhere.WATCH_LISTED: Reason.LISTED_AT_CENTRE,
        Elsewhere.RECHECK_OWED: Reason.RECHECK_OWED_ELSEWHERE,
        Elsewhere.CHIP_SEEN: Reason.CHIP_SEEN_ELSEWHERE,
        Elsewhere.HELD: Reason.HELD_ELSEWHERE,
        Elsewhere.RUNNING: Reason.RUNNING_ELSEWHERE,
        Elsewhere.OTHER: Reason.HELD_ELSEWHERE,
    }
)
"""The gravest first."""


async def ask_other_racks(context: JobContext, me: Sighting, stage: StageName) -> None:
    """Put on record what the centre says of this handset; StageFailed where that holds it.

    Beyond its reach the recipe says whether the handset is held. What comes back is a reason to
    hold or none: nothing that was found here is weighed against it.
    """
    if _is_asked(context):
        await _ask(context, me.traits, stage, me)


async def ask_before_sale(context: JobContext) -> None:
    """The same of the handset whose label was scanned at a look, which itself tells no number.

    What is known of it here is known from its certified job, else from the asset's papers.
    """
    if _is_asked(context):
        await _ask(context, await _traits_on_sale(context), StageName.LOOK)


def _is_asked(context: JobContext) -> bool:
    return context.other_racks is not None or context.holds_unasked


async def _traits_on_sale(context: JobContext) -> Traits | None:
    book = context.intake.book
    bound = book.of_job.get(context.job)
    if bound is None:
        return None
    try:
        jobs = [each.job for each in book.bound.get(bound.tag, ()) if each.job != context.job]
        seen = [sighting_of(job, await context.ledger.entries(job)) for job in jobs]
        certified = [each for each in seen if each.is_certified]
        if certified:
            last = max(certified, key=lambda each: each.end_sequence)
            others = sightings_in(await records_of_handset(context.ledger, last))
            return _together([each.traits for each in Handsets(last, others).mine.sightings])
    except CertificateGap as gap:
        message = f"the records of this handset can't be read: {gap}"
        raise StageFailed(Reason.RECORD_BROKEN, message) from gap
    asset = book.assets.get(bound.tag)
    if asset is None or not (asset.line.imei or asset.line.serial):
        return None
    numbers = frozenset(filter(None, (asset.line.imei,)))
    return Traits(imeis=numbers, proven=numbers, serial=asset.line.serial, is_paper=True)


def _together(traits: Sequence[Traits]) -> Traits:
    """What several jobs of one handset tell of it."""
    serials = {each.serial for each in traits if each.serial is not None}
    models = {each.model for each in traits if each.model is not None}
    return Traits(
        imeis=frozenset[str]().union(*(each.imeis for each in traits)),
        proven=frozenset[str]().union(*(each.proven for each in traits)),
        is_full=any(each.is_full for each in traits),
        serial=next(iter(serials)) if len(serials) == 1 else None,
        model=next(iter(models)) if len(models) == 1 else None,
    )


async def _ask(
    context: JobContext, traits: Traits | None, stage: StageName, seen: Sighting | None = None
) -> None:
    """`traits` None: nobody knows which handset it is. `seen` tells which chip it has."""
    chip = None if seen is None else seen.fleet_chip
    records = await context.ledger.entries(context.job)
    if context.other_racks is None:
        told: Asked | NotAsked = NotAsked(why="no_centre")
    elif traits is None:
        told = NotAsked(why="no_label")
    else:
        tied = seen is not None and chip is not None and chip == seen.fleet_tied
        question = replace(
            _question(context, traits, stage),
            chip=chip,
            chip_tied=tied,
            lease=_lease_in(records),
        )
        told = await context.other_racks.ask(question)
    await context.ledger.append(
        Entry(
            kind=EntryKind.OTHER_RACKS_ASKED,
            at=context.clock.now(),
            slot=context.slot,
            occupancy=records[0].entry.occupancy,
            job=context.job,
            data=to_json(OtherRacksRecord.of(stage, told, with_chip=chip is not None)),
        )
    )
    if isinstance(told, NotAsked):
        if context.holds_unasked:
            message = f"the fleet's centre hasn't answered ({told.why})"
            raise StageFailed(Reason.OTHER_RACKS_NOT_ASKED, message)
        return
    if told.findings:
        gravest = min(told.findings, key=lambda finding: tuple(_REASON_OF).index(finding.kind))
        raise StageFailed(
            _REASON_OF[gravest.kind],
            f"the fleet's centre says so: rack {gravest.rack}, job {gravest.job},"
            f" relation {gravest.relation}",
        )


def _lease_in(records: Sequence[StoredEntry]) -> int | None:
    try:
        return last_lease(records)
    except CertificateGap as gap:
        message = f"the records of this handset can't be read: {gap}"
        raise StageFailed(Reason.RECORD_BROKEN, message) from gap


def _question(context: JobContext, traits: Traits, stage: StageName) -> HandsetQuestion:
    # What is proven finds the most.
    imeis = sorted(traits.imeis, key=lambda imei: (imei not in traits.proven, imei))[:MOST_IMEIS]
    return HandsetQuestion(
        job=context.job,
        stage=stage,
        imeis=tuple(imeis),
        proven=tuple(imei for imei in imeis if imei in traits.proven),
        is_full=traits.is_full,
        serial=_word(traits.serial),
        model=_word(traits.model),
    )


def _word(told: str | None) -> str | None:
    """What a handset calls itself, where that is a word."""
    is_word = told is not None and 0 < len(told) <= LONGEST_WORD and told.isprintable()
    return told if is_word else None
