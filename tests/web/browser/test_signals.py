"""Sounds, "find it", light and dark: how the wall draws somebody's eye and ear."""

from __future__ import annotations

import pytest
from chromium import Visit, Visits, needs_chromium
from playwright.async_api import expect
from telling import errand, tell_queue
from test_queue_panel import address, ready

from benchd.domain.ids import SlotName
from tests.web.web_fakes import A1, FakeRack, running_view, waiting_view
from tests.web.web_running import Server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

SPY = """
  window.heard = [];
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (at) {
    window.heard.push(this.frequency.value);
    return start.call(this, at);
  };
"""
TONES = {
    "question": [880, 1175],
    "finished": [523, 659, 784],
    "fault": [330, 247],
    "cable_out": [988, 988, 988, 988],
}


async def heard(seen: Visit) -> list[float]:
    return await seen.page.evaluate("() => window.heard.splice(0)")


async def test_nothing_sounds_until_it_is_switched_on(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.board.show(running_view())
    async with server() as here, visit(address(here)) as seen:
        await seen.page.add_init_script(SPY)
        await ready(seen)
        await tell_queue(seen.page)
        await tell_queue(seen.page, errand("question", "A1", "質問"))
        assert await heard(seen) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("question", "question"),
        ("question", "confirm"),
        ("finished", "carry"),
        ("fault", "broken"),
        ("fault", "put_right"),
        ("fault", "tray"),
        ("cable_out", "replug"),
    ],
)
async def test_each_class_has_a_sound_of_its_own_once_for_what_is_new(
    rack: FakeRack, server: Server, visit: Visits, name: str, kind: str
) -> None:
    rack.board.show(running_view())
    async with server() as here, visit(address(here)) as seen:
        await seen.page.add_init_script(SPY)
        await ready(seen)
        await seen.page.locator("#menu summary").click()
        await seen.page.locator(f'#menu input[name="{name}"]').check()
        assert await heard(seen) == TONES[name]  # so that it is known from the others
        await tell_queue(seen.page)
        told = errand(kind, "A1", "何か")
        await tell_queue(seen.page, told)
        assert await heard(seen) == TONES[name]
        await tell_queue(seen.page, told)
        assert await heard(seen) == []
        others = [other for other in ("question", "carry", "broken", "replug") if other != kind]
        await tell_queue(seen.page, told, *(errand(o, "A2", "別") for o in others))
        assert await heard(seen) in ([], TONES[name])
        # The choice is kept, and what waits when a page is opened isn't new.
        await seen.page.reload()
        await expect(seen.page.locator("body")).to_have_attribute("data-connection", "live")
        await seen.page.locator("#menu summary").click()
        await expect(seen.page.locator(f'#menu input[name="{name}"]')).to_be_checked()
        assert await heard(seen) == []


async def test_a_slot_is_pointed_out_for_some_seconds(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.ledger.keep_job()
    rack.board.show(running_view())
    rack.board.show(waiting_view(SlotName("A2"), 2))
    async with server() as here, visit(address(here)) as seen:
        await seen.page.emulate_media(reduced_motion="no-preference")
        await seen.page.clock.install()
        await ready(seen)
        await seen.tile("A1").locator(".open").click()
        await seen.page.locator("#panel .find").click()
        await expect(seen.page.locator("#panel")).to_be_hidden()
        called = seen.page.locator(".called-out")
        await expect(called).to_have_attribute("data-slot", "A1")
        frame = "tile => getComputedStyle(tile, '::after').animationName"
        assert await called.evaluate(frame) == "seek"
        await seen.page.emulate_media(reduced_motion="reduce")
        assert await called.evaluate(frame) == "none"
        await seen.page.clock.run_for(5_000)
        await expect(called).to_have_count(1)
        await seen.page.clock.run_for(4_000)
        await expect(called).to_have_count(0)


async def test_an_address_can_point_out_a_slot_on_its_page(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.board.show(running_view())
    async with server() as here, visit(address(here, f"?find={A1}")) as seen:
        await expect(seen.page.locator(".called-out")).to_have_attribute("data-slot", "A1")
        await seen.page.goto(address(here, "?find=nowhere"))
        await seen.shows("A1", "処理中")
        await expect(seen.page.locator(".called-out")).to_have_count(0)


async def test_light_and_dark_are_the_machines_or_somebodys_choice(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.board.show(running_view())
    wall = "() => getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(233, 238, 243)", "rgb(11, 16, 23)"
    async with server() as here, visit(address(here), dark=False) as seen:
        assert await seen.page.evaluate(wall) == light
        await seen.page.emulate_media(color_scheme="dark")
        assert await seen.page.evaluate(wall) == dark
        await seen.page.locator("#menu summary").click()
        await seen.page.locator('#menu input[value="light"]').check()
        assert await seen.page.evaluate(wall) == light
        await seen.page.goto(address(here, "handsets"))
        assert await seen.page.evaluate(wall) == light
        await seen.page.locator("#menu summary").click()
        await expect(seen.page.locator('#menu input[value="light"]')).to_be_checked()
        await seen.page.locator('#menu input[value="auto"]').check()
        assert await seen.page.evaluate(wall) == dark
