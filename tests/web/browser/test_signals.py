"""Sounds, "find it", light and dark: how the wall draws somebody's eye and ear."""

from __future__ import annotations

import pytest
from chromium import Visit, needs_chromium
from playwright.async_api import expect
from telling import errand, ready, tell_queue
from walls import Wall

from benchd.domain.ids import SlotName
from tests.web.web_fakes import A1, FakeRack, running_view, waiting_view

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
    "question": ([880, 1175], ["question", "confirm"]),
    "finished": ([523, 659, 784], ["carry"]),
    "fault": ([330, 247], ["broken", "put_right", "tray"]),
    "cable_out": ([988, 988, 988, 988], ["replug"]),
}
"""What each class sounds like, and the errands of it."""


async def heard(seen: Visit) -> list[float]:
    return await seen.page.evaluate("() => window.heard.splice(0)")


async def test_each_class_has_a_sound_of_its_own_once_for_what_is_new(
    rack: FakeRack, wall: Wall
) -> None:
    rack.board.show(running_view())
    async with wall() as seen:
        await seen.page.add_init_script(SPY)
        await ready(seen)
        await tell_queue(seen.page)
        await tell_queue(seen.page, errand("question", "A1", "質問"))
        assert await heard(seen) == []  # nothing sounds until it is switched on
        for name, (tones, kinds) in TONES.items():
            await seen.page.locator("#menu summary").click()
            switch = seen.page.locator(f'#menu input[name="{name}"]')
            await switch.check()
            assert await heard(seen) == tones  # so that it is known from the others
            for kind in kinds:
                await tell_queue(seen.page)
                told = errand(kind, "A1", "何か")
                await tell_queue(seen.page, told)
                assert await heard(seen) == tones
                await tell_queue(seen.page, told)
                assert await heard(seen) == []
                others = [o for o in ("question", "carry", "broken", "replug") if o != kind]
                await tell_queue(seen.page, told, *(errand(o, "A2", "別") for o in others))
                assert await heard(seen) in ([], tones)
            # The choice is kept, and what waits when a page is opened isn't new.
            await seen.page.reload()
            await seen.live()
            await seen.page.locator("#menu summary").click()
            await expect(switch).to_be_checked()
            assert await heard(seen) == []
            await switch.uncheck()
            await seen.page.locator("#menu summary").click()


async def test_a_slot_is_pointed_out_for_some_seconds(rack: FakeRack, wall: Wall) -> None:
    rack.ledger.keep_job()
    rack.board.show(running_view())
    rack.board.show(waiting_view(SlotName("A2"), 2))
    async with wall() as seen:
        await seen.page.emulate_media(reduced_motion="no-preference")
        await seen.page.clock.install()
        await ready(seen)
        await seen.open("A1")
        await seen.panel(".find").click()
        await expect(seen.panel()).to_be_hidden()
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
        # By an address too.
        await seen.go(f"?find={A1}")
        await expect(called).to_have_attribute("data-slot", "A1")
        await seen.go("?find=nowhere")
        await seen.shows("A1", "処理中")
        await expect(called).to_have_count(0)


async def test_light_and_dark_are_the_machines_or_somebodys_choice(
    rack: FakeRack, wall: Wall
) -> None:
    rack.board.show(running_view())
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light, dark = "rgb(233, 238, 243)", "rgb(11, 16, 23)"
    async with wall(dark=False) as seen:
        assert await seen.page.evaluate(ground) == light
        await seen.page.emulate_media(color_scheme="dark")
        assert await seen.page.evaluate(ground) == dark
        await seen.page.locator("#menu summary").click()
        await seen.page.locator('#menu input[value="light"]').check()
        assert await seen.page.evaluate(ground) == light
        await seen.go("handsets")
        assert await seen.page.evaluate(ground) == light
        await seen.page.locator("#menu summary").click()
        await expect(seen.page.locator('#menu input[value="light"]')).to_be_checked()
        await seen.page.locator('#menu input[value="auto"]').check()
        assert await seen.page.evaluate(ground) == dark
