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
from states import Place, State, opened_in_the_sources, unchanged, unhindered
from test_page_screenshots import fill, take_in
from wall_states import WALL_STATES
from walls import Wall

from benchd.web.access_level import AccessLevel
from tests.web.fake_sessions import believing

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
HEARD = """
  window.heard = 0;
  window.EventSource = class extends EventSource {
    constructor(...all) { super(...all); this.addEventListener("slot", () => { heard += 1; }); }
  };
"""
"""Run in a page before its own scripts: it counts what the rack tells of its slots."""
RUN = """async ([rules, least, leastOnWall]) => {
  // What lies behind a dialog is looked at in the states without one.
  const dialog = [...document.querySelectorAll("dialog[open]")].at(-1);
  const found = await axe.run(dialog ?? document, { runOnly: rules, preload: false });
  const mistakes = found.violations.flatMap(rule => rule.nodes.map(node =>
    `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
  const leastOf = node => document.querySelector(node.target[0])?.closest(
    "#head, #connection, #hidden, #notices, #unknown, #floor") ? leastOnWall : least;
  const contrast = node => node.any.find(({ id }) => id === "color-contrast")?.data ?? {};
  const of = told => told.filter(({ id }) => id === "color-contrast").flatMap(({ nodes }) => nodes);
  const faint = of(found.passes).filter(node => contrast(node).contrastRatio < leastOf(node))
    .map(node => `contrast ${contrast(node).contrastRatio}: ${node.target[0]}`);
  return [...mistakes, ...faint];
}"""
ALL_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_COLOURS = ["color-contrast", "link-in-text-block"]
"""The only ones to which a theme makes a difference."""
STATES = (*WALL_STATES, *PAGE_STATES)
"""The one table."""

LANGUAGES = ("ja", "en")
THEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
LEAST = 4.5
"""To one, also for letters that are large."""
LEAST_ON_THE_WALL = 7
"""They are read from metres away."""
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


async def bring_about(one: Screen, state: State, language: str, *, again: bool) -> None:
    """The page as the state has it, with what it opens on the screen; `again` needs no new load."""
    seen = one.seen
    if again:
        await seen.page.keyboard.press("Escape")
        await expect(seen.page.locator("dialog[open]")).to_have_count(0)
        heard = await seen.page.evaluate("heard")
        state.first(one)
        if state.first is not unchanged:
            await seen.page.wait_for_function("before => heard > before", arg=heard)
    else:
        await load(one, state, language)
    await state.show(one)
    if state.opens is not None:
        selector = state.opens.partition(" ")[2]
        there = seen.page.locator(f"{selector}:visible").first
        await expect(there).to_have_text(re.compile(r"\S"))


async def load(one: Screen, state: State, language: str) -> None:
    seen = one.seen
    await unhindered(one)
    state.first(one)
    # No panel is opened again of the state before.
    await seen.page.evaluate("() => sessionStorage.clear()")
    await seen.go(f"{state.path}{'&' if '?' in state.path else '?'}lang={language}")
    if state.place is Place.PAGES:
        await expect(seen.page.locator("#page > *, .answers li").first).to_be_visible()
    elif state.place is not Place.SHUT:
        await seen.live()


async def mistakes(seen: Visit, on_the_wall: float, name: str) -> dict[str, list[str]]:
    """What axe finds on the page as it is, by theme; the page follows the machine's at once."""
    found: dict[str, list[str]] = {}
    for theme, rules in zip(THEMES, (ALL_RULES, OF_COLOURS), strict=True):
        await seen.page.emulate_media(color_scheme=theme)
        found[theme] = await seen.page.evaluate(RUN, [rules, LEAST, on_the_wall])
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
    found: list[str] = []
    async with opened(place, wall, shop) as one:
        await one.page.add_init_script(HEARD + AXE)
        before: State | None = None
        for state in states:
            again = before is not None and before.leaves_nothing and state.leaves_nothing
            await bring_about(one, state, language, again=again)
            before = state
            least = LEAST if place in (Place.PAGES, Place.SHUT) else LEAST_ON_THE_WALL
            name = f"{state.name} {language}"
            for theme, told in (await mistakes(one.seen, least, name)).items():
                found += [f"{state.name}, {theme}: {mistake}" for mistake in told]
    assert found == [], "\n".join(found)
