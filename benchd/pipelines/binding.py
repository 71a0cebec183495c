"""Whether the handset on the port is still this job's: kept up by whoever sees it come back."""

from __future__ import annotations

from dataclasses import replace

from benchd.errors import StageFailed
from benchd.pipelines.contract import JobContext
from benchd.pipelines.screens import open_page
from benchd.proof.binding import Known, screen_number
from benchd.proof.evidence.binding import ReturnEvidence
from benchd.words.job import Gate, Reason
from benchd.words.screen import OpenedPage, Page

SHOWN = {Gate.IMEI: ("model", "serial"), Gate.SERIAL: ("model",)}
"""What the question tells of the handset: never the number that is asked for."""


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
    """The same at the end, where its screen has to show whose number goes on the certificate.

    Whoever has looked at it may have scanned the number into the note of that very answer.
    """
    known, here = Known.of(context.evidence), context.station.port().attachment
    if not (context.certifies and context.binding.number_due(known, here)):
        return
    gate = known.number_gate
    number = screen_number(gate, note)
    if number is None or (gate is Gate.SERIAL and number != known.serial):
        await _read_screen(context)
    else:
        add_to_return(context, screen_number=number)


async def _read_screen(context: JobContext) -> None:
    add_to_return(context, screen_number=await number_on_screen(context))


async def number_on_screen(context: JobContext) -> str:
    """The number that a person reads there and types in."""
    gate = Known.of(context.evidence).number_gate
    facts = context.handset_facts()
    shown = {name: facts[name] for name in SHOWN[gate]}
    decision = await context.approved(gate, Reason.HANDSET_NOT_BOUND, shown)
    number = screen_number(gate, decision.note)
    if number is None:
        raise StageFailed(Reason.HANDSET_NOT_BOUND, f"{gate}: the answer is no such number")
    return number
