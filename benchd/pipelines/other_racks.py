"""Asks the fleet's centre what holds a handset: it can hold it, and never lets one through."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from benchd.domain.errors import StageFailed
from benchd.domain.evidence_json import to_json
from benchd.domain.handset_question import (
    LONGEST_WORD,
    MOST_IMEIS,
    Elsewhere,
    HandsetQuestion,
    NotAsked,
)
from benchd.domain.job import Reason, StageName
from benchd.domain.record import Entry, EntryKind
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.evidence.other_racks_evidence import OtherRacksRecord
from benchd.proof.identity.sighting import Sighting

_REASON_OF: Final[Mapping[Elsewhere, Reason]] = MappingProxyType(
    {
        Elsewhere.DOOMED: Reason.DOOMED_ELSEWHERE,
        Elsewhere.WATCH_LISTED: Reason.LISTED_AT_CENTRE,
        Elsewhere.RECHECK_OWED: Reason.RECHECK_OWED_ELSEWHERE,
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
    if context.other_racks is None and not context.holds_unasked:
        return
    told = (
        NotAsked(why="no_centre")
        if context.other_racks is None
        else await context.other_racks.ask(_question(context, me, stage))
    )
    records = await context.ledger.entries(context.job)
    await context.ledger.append(
        Entry(
            kind=EntryKind.OTHER_RACKS_ASKED,
            at=context.clock.now(),
            slot=context.slot,
            occupancy=records[0].entry.occupancy,
            job=context.job,
            data=to_json(OtherRacksRecord.of(stage, told)),
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


def _question(context: JobContext, me: Sighting, stage: StageName) -> HandsetQuestion:
    traits = me.traits
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
