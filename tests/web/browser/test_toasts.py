"""What the pages tell for a while stands beside their buttons, not over them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from chromium import needs_chromium
from gallery import Gallery
from paper_shop import Shop
from playwright.async_api import Page, expect
from screens import Screen, Screens
from telling import at, errand, ready, tell_queue
from wall_states import held_on_the_wall, scans, soon_locked

from benchd.domain.job import Gate
from tests.web.web_fakes import A1

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

COVERED = """() => {
  const boxes = [...document.querySelectorAll('#shelf :is(li, .said, #idle)')]
    .map(each => each.getBoundingClientRect()).filter(box => box.height);
  const seen = box => box.height && box.width && box.bottom > 0 && box.top < innerHeight;
  const over = box => boxes.some(each => box.left < each.right && box.right > each.left
    && box.top < each.bottom && box.bottom > each.top);
  const within = (each, box) => {
    const list = each.closest('#errands')?.getBoundingClientRect() ?? box;
    return { left: box.left, right: box.right, width: box.width, height: box.height,
      top: Math.max(box.top, list.top), bottom: Math.min(box.bottom, list.bottom) };
  };
  return { told: boxes.length,
    covered: [...document.querySelectorAll('button, a, input, select, summary')]
      .filter(each => each.checkVisibility() && !each.closest('#shelf'))
      .filter(each => { const box = within(each, each.getBoundingClientRect());
        return box.bottom > box.top && seen(box) && over(box); })
      .map(each => each.closest('[data-slot]')?.dataset.slot ?? each.textContent) };
}"""
"""What is told for a while, and which of the buttons that are seen it lies over."""
BAND = """() => {
  const box = document.getElementById('shelf').getBoundingClientRect();
  return [box.left, document.documentElement.clientWidth - box.right, innerHeight - box.bottom]
    .map(Math.round);
}"""
TO_THE_END = "() => scrollTo(0, document.documentElement.scrollHeight)"
TOLD: dict[str, Callable[[Screen], Awaitable[None]]] = {
    "held": held_on_the_wall,
    "said": scans("BD:A:YES"),
    "locks soon": soon_locked,
}


async def must_cover_nothing(page: Page) -> None:
    found = await page.evaluate(COVERED)
    assert found["told"] > 0
    assert found["covered"] == []


async def full(one: Screen, slots: int) -> None:
    Gallery(one.rack).fill(slots)
    await ready(one.seen)
    one.ask(A1, "job-1", Gate.CONSENT)
    await expect(one.page.locator("#rack .tile")).to_have_count(slots)
    waiting = (errand("question", "A3", f"質問{n}", since=at(-n)) for n in range(12))
    await tell_queue(one.page, *waiting)


@pytest.mark.parametrize("what", TOLD)
@pytest.mark.parametrize(
    ("width", "height", "slots"), [(1920, 1080, 8), (1366, 768, 8), (1366, 768, 28)]
)
async def test_what_a_wall_tells_for_a_while_covers_no_button_and_moves_no_tile(
    screens: Screens, what: str, width: int, height: int, slots: int
) -> None:
    tiles = """() => [...document.querySelectorAll('#rack .tile')]
      .map(tile => [tile.offsetLeft, tile.offsetTop, tile.offsetWidth, tile.offsetHeight])"""
    async with screens() as one:
        await one.page.set_viewport_size({"width": width, "height": height})
        await full(one, slots)
        before = await one.page.evaluate(tiles)
        await TOLD[what](one)
        await must_cover_nothing(one.page)
        assert await one.page.evaluate(tiles) == before


@pytest.mark.parametrize("what", TOLD)
async def test_on_a_phone_it_is_the_end_of_the_screen_and_what_it_covers_scrolls_clear(
    screens: Screens, what: str
) -> None:
    async with screens() as one:
        await one.page.set_viewport_size({"width": 390, "height": 844})
        await full(one, 16)
        await TOLD[what](one)
        await expect(one.page.locator("#rack .tile")).to_have_count(16)
        # As wide as the screen: it hides no part of a button beside another.
        assert await one.page.evaluate(BAND) == [0, 0, 0]
        await one.page.evaluate(TO_THE_END)
        assert await one.page.evaluate(BAND) == [0, 0, 0]
        await must_cover_nothing(one.page)


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
async def test_on_a_page_it_is_the_end_of_the_screen_too(shop: Shop, size: tuple[int, int]) -> None:
    async with shop.seen_at("/lots", width=size[0], height=size[1]) as seen:
        await seen.page.locator("#add-lot > summary").click()
        await soon_locked(Screen(seen, shop.rack))
        assert await seen.page.evaluate(BAND) == [0, 0, 0]
        await seen.page.evaluate(TO_THE_END)
        await must_cover_nothing(seen.page)


async def test_a_dialog_in_which_nothing_is_told_keeps_clear_of_its_edge(screens: Screens) -> None:
    """Also once something was told there and has gone."""
    left = """panel => panel.getBoundingClientRect().bottom
      - Math.max(...[...panel.querySelectorAll('*')].map(e => e.getBoundingClientRect().bottom))"""
    async with screens() as one:
        one.ask(A1, "job-1", Gate.CONSENT)
        await one.seen.open("A1")
        await expect(one.seen.panel(".yes")).to_be_enabled()
        before = await one.seen.panel().evaluate(left)
        assert before >= 20
        await soon_locked(one)
        await one.page.keyboard.press("Shift")
        await expect(one.page.locator("#idle")).to_have_count(0)
        assert await one.seen.panel().evaluate(left) == before


async def test_in_a_long_dialog_it_is_the_dialogs_foot_and_the_answers_stand_above_it(
    screens: Screens,
) -> None:
    stands = """() => {
      const panel = document.getElementById('panel');
      const of = part => panel.querySelector(part).getBoundingClientRect();
      const [shelf, giving, note] = ['#shelf', '.giving', '.noting input'].map(of);
      const foot = panel.getBoundingClientRect().bottom - panel.clientTop;
      return Math.abs(foot - shelf.bottom) < 1
        && giving.bottom < shelf.top + 1 && note.bottom < giving.top + 1;
    }"""
    async with screens() as one:
        await one.page.set_viewport_size({"width": 1366, "height": 768})
        one.ask(A1, "job-1", Gate.NETWORK)
        await one.seen.open("A1")
        await soon_locked(one)
        await expect(one.seen.panel("#idle")).to_be_visible()
        assert await one.seen.panel().evaluate("panel => panel.scrollHeight > panel.clientHeight")
        await one.page.wait_for_function(stands)
