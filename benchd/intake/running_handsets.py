"""Which handsets' jobs run just now: nobody can be taking one of those in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from benchd.domain.ids import SlotName
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.proof.evidence.intake_evidence import AssetLine
from benchd.proof.intake_book import IntakeBook

AT_WORK: Final = (
    SlotState.RUNNING,
    SlotState.WAITING,
    SlotState.AWAITING_OPERATOR,
    SlotState.REPLUGGING,
)
"""In which a slot that has a job is in the middle of it."""

Views = Callable[[], Mapping[SlotName, SlotView]]
"""Every slot as it is now."""


def imeis_at_work(views: Mapping[SlotName, SlotView], book: IntakeBook) -> Mapping[str, SlotName]:
    """Where the handset of each of these numbers lies, by its own word and by its asset's."""
    return {
        imei: slot
        for slot, view in views.items()
        if view.job is not None and view.state in AT_WORK
        for imei in _imeis_of(view, book)
    }


def found_at_work(
    assets: Iterable[AssetLine], book: IntakeBook, views: Mapping[SlotName, SlotView]
) -> Iterator[tuple[AssetLine, SlotName]]:
    """Those that are to come in again while their handset is at work, with its slot.

    One that was never taken in may come in: its job began before its papers were there. But one
    handset under two labels in mid-job would be two truths, of which its certificate knows one.
    """
    at_work = imeis_at_work(views, book)
    for asset in assets:
        if asset.imei is not None and asset.imei in at_work and asset.imei in book.by_imei:
            yield asset, at_work[asset.imei]


def _imeis_of(view: SlotView, book: IntakeBook) -> Iterator[str]:
    if view.identity is not None:
        yield from view.identity.imeis
    bound = None if view.job is None else book.of_job.get(view.job)
    if bound is not None:
        yield from bound.told.imeis
        asset = book.assets.get(bound.tag)
        if asset is not None and asset.line.imei is not None:
            yield asset.line.imei
