"""Serials and IMEIs are cut so that what differs is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chromium import Visits, needs_chromium
from test_queue_panel import address

from benchd.domain.ids import SlotName
from tests.web.web_fakes import FakeRack, identity, port, running_view
from tests.web.web_running import Server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

CUT = "async numbers => [...(await import('/static/tails.js')).cut(numbers).values()]"


@pytest.mark.parametrize(
    ("numbers", "shown"),
    [
        (["HQ6123"], ["HQ6123"]),
        (["HQ633K0CQ8", "R5CT60ABCDE"], ["…0CQ8", "…BCDE"]),
        (["356938035643809", "356938035643810"], ["…3809", "…3810"]),
        # Alike in the last four: longer ends.
        (["AAAAAA71234", "AAAAAA81234"], ["…71234", "…81234"]),
        # They differ in the middle.
        (["HQ61230000099", "HQ61990000099"], ["…1230…", "…1990…"]),
        (["ABCD000000001111", "ABCE000000001111"], ["…BCD0…", "…BCE0…"]),
        # Two with one serial: nothing differs, and nothing is made up.
        (["0123456789ABCDEF", "0123456789ABCDEF"], ["…CDEF"]),
    ],
)
async def test_the_part_that_differs_is_shown(
    server: Server, visit: Visits, numbers: list[str], shown: list[str]
) -> None:
    async with server() as here, visit(address(here)) as seen:
        assert await seen.page.evaluate(CUT, numbers) == shown


async def test_what_is_shown_of_many_differs(server: Server, visit: Visits) -> None:
    numbers = [f"3569380356{middle:02}{end:03}" for middle in range(8) for end in (1, 2, 777)]
    async with server() as here, visit(address(here)) as seen:
        shown = await seen.page.evaluate(CUT, numbers)
    assert len(set(shown)) == len(numbers)


async def test_tiles_are_cut_anew_when_another_handset_comes(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    def show(slot: str, number: int, serial: str) -> None:
        told = identity(serial=serial)
        view = replace(running_view(), slot=SlotName(slot), port_path=port(number), identity=told)
        rack.board.show(view)

    rack.ledger.keep_job()
    show("A1", 1, "HQ61230000099")
    async with server() as here, visit(address(here)) as seen:
        await seen.shows("A1", "…0099")
        show("A2", 2, "HQ61990000099")
        await seen.shows("A1", "…1230…")
        await seen.shows("A2", "…1990…")
        # In full where there is room for it.
        await seen.tile("A1").locator(".open").click()
        await seen.page.locator("#panel dd", has_text="HQ61230000099").wait_for()
