"""Every state of every page is clean by axe-core's rules, in both languages and both themes."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import pytest
from chromium import Visit, needs_chromium
from gallery import Gallery
from page_states import LATER_JOB, PAGE_STATES
from paper_shop import Shop
from playwright.async_api import expect
from screens import Screen, screen
from states import Place, State, opened_in_the_sources, unhindered
from test_page_screenshots import fill, take_in
from wall_states import WALL_STATES
from walls import Wall

from benchd.web.access_level import AccessLevel
from tests.web.fake_sessions import believing

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RUN = """async least => {
  const found = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa",
    "wcag22aa", "best-practice"] });
  const mistakes = found.violations.flatMap(rule => rule.nodes.map(node =>
    `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
  const onWall = node => document.querySelector(node.target[0])?.closest(
    "#head, #connection, #hidden, #notices, #unknown, #floor");
  const measured = found.passes.filter(rule => rule.id === "color-contrast")
    .flatMap(rule => rule.nodes).filter(onWall).map(node => [node.target[0],
      node.any.find(check => check.id === "color-contrast")?.data?.contrastRatio ?? 21]);
  const faint = measured.filter(([, ratio]) => ratio < least)
    .map(([target, ratio]) => `contrast ${ratio}: ${target}`);
  return [...mistakes, ...faint];
}"""
STATES = (*WALL_STATES, *PAGE_STATES)
"""The one table."""

LANGUAGES = ("ja", "en")
THEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
LEAST_ON_THE_WALL = 7
"""To one, also for letters that are large: they are read from metres away."""
PICTURES = os.environ.get("BENCHD_STATES")
"""A folder for a picture of each state, for people to look at."""
AT_ONCE = 20
"""So many states are looked at in one test."""


def test_item_1_the_table_names_everything_that_the_pages_can_open() -> None:
    """A new dialog, menu, alert or status joins the table, or this fails."""
    assert {state.opens for state in STATES} - {None} == opened_in_the_sources()


def test_item_1_the_table_has_150_states_each_once() -> None:
    assert len(STATES) >= 150
    assert len({state.name for state in STATES}) == len(STATES)


@asynccontextmanager
async def opened(place: Place, wall: Wall, shop: Shop) -> AsyncGenerator[Screen]:
    """A page in this place, whose states are still to be brought about."""
    match place:
        case Place.DESK:
            async with screen(wall, may_be_away=True) as one:
                yield one
        case Place.WALL:
            Gallery(wall.rack).fill(28)
            async with wall(may_be_away=True) as seen:
                yield Screen(seen, wall.rack)
        case Place.STRANGER:
            hidden = {"shown": AccessLevel.WALL, "refused": True, "may_be_away": True}
            async with wall(**hidden) as seen:  # type: ignore[arg-type]
                yield Screen(seen, wall.rack)
        case Place.PAGES:
            fill(shop)
            shop.ended(LATER_JOB, "sellable", None, 1)
            Gallery(shop.rack).fill(8)
            async with shop.seen_at("/lots", may_be_away=True) as seen:
                await take_in(shop)
                yield Screen(seen, shop.rack)
                # A handset is asked for of which nothing is known.
                seen.complaints[:] = [t for t in seen.complaints if "status of 4" not in t]
        case Place.SHUT:
            shop.callers = believing(AccessLevel.WALL)
            async with shop.seen_at("/lots", signed_in=False) as seen:
                yield Screen(seen, shop.rack)


async def bring_about(one: Screen, state: State, language: str) -> None:
    """The page as the state has it, with what it opens on the screen."""
    seen = one.seen
    await unhindered(one)
    state.first(one)
    # No panel is opened again of the state before.
    await seen.page.evaluate("() => sessionStorage.clear()")
    await seen.go(f"{state.path}{'&' if '?' in state.path else '?'}lang={language}")
    if state.place is Place.PAGES:
        await expect(seen.page.locator("#page > *").first).to_be_visible()
    elif state.place is not Place.SHUT:
        await seen.live()
    await state.show(one)
    if state.opens is not None:
        selector = state.opens.partition(" ")[2]
        there = seen.page.locator(f"{selector}:visible").first
        await expect(there).to_have_text(re.compile(r"\S"))


async def mistakes(seen: Visit, least: float, name: str) -> dict[str, list[str]]:
    """What axe finds on the page as it is, by theme; the page follows the machine's at once."""
    await seen.page.evaluate(AXE)
    found: dict[str, list[str]] = {}
    for theme in THEMES:
        await seen.page.emulate_media(color_scheme=theme)
        found[theme] = await seen.page.evaluate(RUN, least)
        if PICTURES:
            file = Path(PICTURES) / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}-{theme}.png"
            await seen.page.screenshot(path=file, animations="disabled")
    return found


def walks() -> Iterator[Any]:
    """The table in parts, each of one place."""
    for place in Place:
        of_it = [state for state in STATES if state.place is place]
        for start in range(0, len(of_it), AT_ONCE):
            yield pytest.param(place, of_it[start : start + AT_ONCE], id=f"{place}-{start}")


@needs_chromium
@pytest.mark.timeout(300)
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("place", "states"), list(walks()))
async def test_item_1_each_state_is_clean_and_can_be_read(
    wall: Wall, shop: Shop, place: Place, states: list[State], language: str
) -> None:
    found: dict[str, list[str]] = {}
    async with opened(place, wall, shop) as one:
        for state in states:
            await bring_about(one, state, language)
            least = 0 if place in (Place.PAGES, Place.SHUT) else LEAST_ON_THE_WALL
            name = f"{state.name} {language}"
            for theme, told in (await mistakes(one.seen, least, name)).items():
                found[f"{state.name}, {theme}"] = told
    assert {state: told for state, told in found.items() if told} == {}
