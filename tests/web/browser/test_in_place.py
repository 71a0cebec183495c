"""Updates change what is there: neither the focus nor an unfinished press is lost to one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chromium import Visits, needs_chromium
from playwright.async_api import expect
from telling import errand, tell, tell_queue
from test_queue_panel import address, ready

from benchd.domain.ids import SlotName
from tests.web.web_fakes import A1, FakeRack, port, running_view, waiting_view
from tests.web.web_running import Server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

FOCUS = "() => document.activeElement.closest('[data-slot]')?.dataset.slot"


async def test_a_press_on_a_tile_survives_an_update(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.board.show(running_view(0.1))
    async with server() as here, visit(address(here)) as seen:
        await ready(seen)
        await seen.tile("A1").locator(".open").hover()
        await seen.page.mouse.down()
        rack.board.show(replace(running_view(0.7), eta_s=61))
        await seen.shows("A1", "70%")
        rack.board.show(waiting_view(A1, 1))
        await seen.shows("A1", "要対応")
        await seen.page.mouse.up()
        await expect(seen.page.locator("#panel h2")).to_contain_text("A1")


async def test_a_press_on_an_errand_survives_others_that_come_before_it(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    for number, name in enumerate(("A1", "A2", "A3"), 1):
        rack.board.show(waiting_view(SlotName(name), number))
    async with server() as here, visit(address(here)) as seen:
        await ready(seen)
        one, two, three = (errand("put_right", f"A{n}", f"問題{n}") for n in (1, 2, 3))
        await tell_queue(seen.page, one, two)
        line = seen.page.locator('#errands li[data-slot="A2"] button')
        box = await line.bounding_box()
        assert box is not None
        await seen.page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 6)
        await seen.page.mouse.down()
        # What is pressed stays the same element, though its place has changed.
        await tell_queue(seen.page, two | {"ja": "問題2、まだ"}, three, one)
        await expect(seen.page.locator("#errands .where")).to_have_text(["A2", "A3", "A1"])
        await line.hover()
        await seen.page.mouse.up()
        await expect(seen.page.locator("#panel h2")).to_contain_text("A2")


async def test_the_focus_stays_through_fifty_updates(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    for number in range(1, 5):
        rack.board.show(
            replace(running_view(), slot=SlotName(f"A{number}"), port_path=port(number))
        )
    async with server() as here, visit(address(here)) as seen:
        await ready(seen)
        errands = [errand("question", f"A{n}", f"質問{n}") for n in range(1, 5)]
        await tell_queue(seen.page, *errands)
        answer = await seen.page.request.get(address(here, "api/v1/slots"))
        slots = (await answer.json())["slots"]
        await seen.page.locator('#errands li[data-slot="A3"] button').focus()
        for turn in range(50):
            await tell_queue(seen.page, *errands[turn % 4 :], *errands[: turn % 4])
            await tell(seen.page, "slot", slots[turn % 4] | {"progress": turn / 50})
        assert await seen.page.evaluate(FOCUS) == "A3"
        await seen.tile("A2").locator(".open").focus()
        for turn in range(50):
            state = "running" if turn % 2 else "settling"
            await tell(seen.page, "slot", slots[1] | {"progress": turn / 50, "state": state})
            await tell(seen.page, "alive", {"slots": ["A1", "A2", "A3", "A4"]})
        assert await seen.page.evaluate(FOCUS) == "A2"


async def test_the_focus_in_an_open_panel_stays_too(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.ledger.keep_job()
    rack.board.show(running_view())
    async with server() as here, visit(address(here)) as seen:
        await ready(seen)
        await seen.tile("A1").locator(".open").click()
        close = seen.page.locator("#panel .close")
        await close.focus()
        await seen.page.mouse.move(*await centre(close))
        await seen.page.mouse.down()
        for turn in range(50):
            rack.board.show(replace(running_view(turn / 50), eta_s=turn))
        await expect(seen.page.locator("#panel .about")).to_contain_text("98%")
        await expect(close).to_be_focused()
        await seen.page.mouse.up()
        await expect(seen.page.locator("#panel")).to_be_hidden()


async def centre(locator) -> tuple[float, float]:  # noqa: ANN001 - playwright's Locator
    box = await locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
