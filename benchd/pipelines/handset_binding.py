"""Whether the handset on the port is still this job's: kept up by whoever sees it come back."""

from __future__ import annotations

from dataclasses import replace

from benchd.domain.errors import StageFailed
from benchd.domain.imei import imeis_in_text
from benchd.domain.job import Decision, Gate, Reason
from benchd.domain.screen import OpenedPage, Page
from benchd.pipelines.screen_numbers import numbers_on_screen
from benchd.pipelines.screen_requests import open_page
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.binding import Known, screen_number
from benchd.proof.evidence.job_evidence import ReturnEvidence


def check_return(context: JobContext, seen: ReturnEvidence) -> None:
    """Put on record what came back; StageFailed where it's another handset."""
    others = context.binding.came_back(Known.of(context.evidence), seen)
    if others:
        raise StageFailed(Reason.HANDSET_CHANGED, "; ".join(others))


def add_to_return(context: JobContext, **found: str | int) -> None:
    """The same with what was found out later of a handset that is back already."""
    here = context.station.port().attachment
    seen = context.binding.seen
    if seen is None or seen.attachment != here:
        seen = ReturnEvidence(attachment=here)
    check_return(context, replace(seen, **found))  # pyright: ignore[reportArgumentType]


async def tie_by_screen(context: JobContext) -> OpenedPage | None:
    """Where nothing strong ties the handset that came back, a person reads its own screen.

    Returns the page that was opened for that, if any was.
    """
    if not (context.certifies and context.binding.due(context.station.port().attachment)):
        return None
    opened = await open_page(context, Page.ABOUT)
    await _read_screen(context)
    return opened


async def tie_and_name_by_screen(context: JobContext, note: str) -> None:
    """The same after the last reset, where its screen has to show whose number is certified.

    Whoever has looked at it may have scanned the number into the note of that very answer. Where
    only people know its number, who confirms reads it: two readings are two people's.
    """
    known, here = Known.of(context.evidence), context.station.port().attachment
    if not context.certifies or known.by_people or not context.binding.number_due(known, here):
        return
    gate = known.number_gate
    number = screen_number(gate, note)
    if number is None or (gate is Gate.SERIAL and number != known.serial):
        await _read_screen(context)
    else:
        add_to_return(context, screen_number=_fitting(known, note, number))


def name_by_confirmer(context: JobContext, decision: Decision) -> None:
    """Tie the handset by the number that the second person has read; StageFailed for another's."""
    known = Known.of(context.evidence)
    number = screen_number(Gate.IMEI, decision.note)
    if number is None:
        raise StageFailed(Reason.HANDSET_NOT_BOUND, "who confirmed hasn't read its number")
    add_to_return(context, screen_number=_fitting(known, decision.note, number))


def _fitting(known: Known, note: str, first: str) -> str:
    """Any of its numbers shows which handset it is: scanners read one bar code of two."""
    return next((number for number in imeis_in_text(note) if number in known.imeis), first)


async def _read_screen(context: JobContext) -> None:
    numbers = await numbers_on_screen(context)
    known = Known.of(context.evidence)
    number = _fitting(known, numbers.decision.note, numbers.first)
    add_to_return(context, screen_number=number)
