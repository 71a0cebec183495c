"""Every page is clean by axe-core's rules, in both languages and both themes."""

from __future__ import annotations

from importlib import resources
from typing import Literal

import pytest
from chromium import Visit, needs_chromium
from gallery import Gallery
from paper_shop import Shop
from playwright.async_api import expect
from telling import at, errand, ready, slots_of, tell, tell_queue
from test_page_screenshots import fill
from walls import Wall

from benchd.web.dashboard import PAGES
from tests.web.web_fakes import FakeRack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(180), needs_chromium]

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RUN = """async () => (await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a",
  "wcag21aa", "wcag22aa", "best-practice"] })).violations.flatMap(found =>
  found.nodes.map(node => `${found.id}: ${node.target.join(" ")}: ${node.failureSummary}`))"""
LANGUAGES = ("ja", "en")
THEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
NONE: dict[str, list[str]] = {theme: [] for theme in THEMES}
PROBLEM = {"ja": "充電中", "en": "Charging", "what_to_do": {"ja": "", "en": ""}}


async def mistakes(seen: Visit) -> dict[str, list[str]]:
    """What axe finds on the page as it is, by theme; the page follows the machine's at once."""
    await seen.page.evaluate(AXE)
    found: dict[str, list[str]] = {}
    for theme in THEMES:
        await seen.page.emulate_media(color_scheme=theme)
        found[theme] = await seen.page.evaluate(RUN)
    return found


async def crowded(seen: Visit) -> None:
    """Every kind of tile and errand there is."""
    page = seen.page
    await ready(seen)
    kinds = ("question", "confirm", "put_right", "broken", "tray", "port", "rack")
    await tell_queue(
        page,
        errand("replug", "B6", "ケーブルが抜けています", "Cable is out", deadline=at(150)),
        *(errand(kind, "C4" if kind != "port" else None, kind, here=True) for kind in kinds),
        *(errand("carry", "A1", bin_, bin=bin_) for bin_ in ("sellable", "return", "hold")),
    )
    slots = {slot["slot"]: slot for slot in await slots_of(seen)}
    cut = {"state": "replugging", "absence": {"planned": False, "deadline": at(150)}}
    await tell(page, "slot", slots["B6"] | cut)
    await tell(page, "slot", slots["B5"] | {"absence": {"planned": True, "deadline": None}})
    charging = slots["A5"]["problem"] | PROBLEM
    await tell(page, "slot", slots["A5"] | {"mends_itself": True, "problem": charging})
    await tell(page, "slot", slots["A1"] | {"handset_left_s": 3000})


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_wall(rack: FakeRack, wall: Wall, language: str) -> None:
    Gallery(rack).fill(28)
    async with wall(f"?lang={language}&kiosk") as seen:
        await crowded(seen)
        assert await mistakes(seen) == NONE, "kiosk"
        await seen.go(f"?lang={language}")
        await crowded(seen)
        for opened in ("A3", "A6"):
            await seen.open(opened)
            await expect(seen.panel(".story")).to_be_visible()
            assert await mistakes(seen) == NONE, opened
            await seen.panel(".close").click()
        await seen.page.locator("#menu summary").click()
        assert await mistakes(seen) == NONE, "menu"


async def test_a_wall_whose_daemon_is_away(rack: FakeRack, wall: Wall) -> None:
    Gallery(rack).fill(8)
    async with wall.served() as here, wall.open(here, may_be_away=True) as seen:
        await seen.tile("A2").wait_for()
        here.stop.set()
        await here.ended.wait()
        await expect(seen.page.locator("#connection")).to_be_visible()
        for language in LANGUAGES:
            await expect(seen.page.locator("html")).to_have_attribute("lang", language)
            assert await mistakes(seen) == NONE, language
            await seen.page.locator("#language").click()


async def test_every_other_page(shop: Shop) -> None:
    fill(shop)
    asks = [f"{path[1:]}?" for path in PAGES]
    asks += ["handsets?q=3569&", "handsets?job=20261124-00000000a1&"]
    asks += ["report?from=2026-11-01&to=2026-11-30&", "report?from=2020-01-01&to=2020-01-02&"]
    asks += ["board?day=2026-11-24&sheet=handover&", "handsets?label=20261124-00000000a1&"]
    asks += ["disposal?state=tray&", "board?day=2026-11-24&"]
    async with shop.seen_at("/lots") as seen:
        for ask in asks:
            for language in LANGUAGES:
                await seen.go(f"{ask}lang={language}")
                await expect(seen.page.locator("#page > *").first).to_be_visible()
                assert await mistakes(seen) == NONE, (ask, language)


async def test_the_sheet_of_cards(shop: Shop) -> None:
    async with shop.seen_at("/lots") as seen:
        await seen.go("cards")
        await expect(seen.page.locator(".answers li").first).to_be_visible()
        assert await mistakes(seen) == NONE
