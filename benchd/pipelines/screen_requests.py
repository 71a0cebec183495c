"""What a handset is asked to do for the person before it: on record, bounded, never a proof.

A job goes on as if it hadn't been asked, whatever comes of it: what is wrong with the handset, the
next call meets again.
"""

from __future__ import annotations

from collections.abc import Awaitable
from contextlib import suppress
from typing import TypeVar

import anyio

from benchd.domain.errors import HandsetFault, StageFailed
from benchd.domain.handset import offers_adb
from benchd.domain.screen import OpenedPage, Page, ScreenOutcome
from benchd.pipelines.stage_contract import JobContext

ASKED_WITHIN_S = 10.0
"""Somebody may wait for the question meanwhile."""

T = TypeVar("T")


async def open_page(context: JobContext, page: Page) -> OpenedPage | None:
    """Have the page opened that the next question is about; None where adb is off or not used."""
    handset = context.open_handset
    if handset is None or not offers_adb(context.station.port()):
        return None
    opened = await _within_seconds(handset.open_page(page))
    return opened or OpenedPage(page=page, outcome=ScreenOutcome.UNANSWERED)


async def leave_setup_out(context: JobContext) -> ScreenOutcome:
    """Have the first setup left out."""
    return await _within_seconds(context.handset.leave_setup_out()) or ScreenOutcome.UNANSWERED


async def _within_seconds(asked: Awaitable[T]) -> T | None:
    with anyio.move_on_after(ASKED_WITHIN_S), suppress(HandsetFault, StageFailed):
        return await asked
    return None
