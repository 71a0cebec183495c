"""Every state of every page is clean by axe-core's rules, in both themes and both languages."""

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
from contrast import WORDS, measured
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
HEARD = """
  window.heard = 0;
  window.EventSource = class extends EventSource {
    constructor(...all) { super(...all); this.addEventListener("slot", () => { heard += 1; }); }
  };
"""
"""Run in a page before its own scripts: it counts what the rack tells of its slots."""
SCOPE = '[...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body'
"""What lies behind a dialog is looked at in the states without one."""
RUN = """async ([rules, least, leastOnWall]) => {
  const scope = $SCOPE;
  const [around, behind] = scope === document.body ? [document, []]
    : [scope, [...document.body.children].filter(one => one !== scope)];
  // axe looks through a dialog and gives up where what lies behind differs from line to line.
  for (const one of behind) one.style.visibility = "hidden";
  const found = await axe.run(around, { runOnly: rules, preload: false, elementRef: true });
  for (const one of behind) one.style.visibility = "";
  const mistakes = found.violations.flatMap(rule => rule.nodes.map(node =>
    `${rule.id}: ${node.target.join(" ")}: ${node.failureSummary}`));
  const leastOf = element => element.closest(
    "#head, #connection, #hidden, #notices, #unknown, #floor") ? leastOnWall : least;
  return [...mistakes, ...contrast.hold(scope, found, leastOf)];
}""".replace("$SCOPE", SCOPE)
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


@asynccontextmanager
async def looked_at(place: Place, wall: Wall, shop: Shop) -> AsyncGenerator[Screen]:
    """The same, with what looks at the page in it from its next load on."""
    async with opened(place, wall, shop) as one:
        await one.page.add_init_script(HEARD + AXE + WORDS)
        yield one


async def bring_about(one: Screen, state: State, language: str, *, again: bool) -> None:
    """The page as the state has it, with what it opens on the screen; `again` needs no new load."""
    seen = one.seen
    if again:
        await seen.page.keyboard.press("Escape")
        await expect(seen.page.locator("dialog[open]")).to_have_count(0)
        heard = await seen.page.evaluate("heard")
        shown = dict(one.rack.board.views())
        state.first(one)
        if shown != one.rack.board.views():
            await seen.page.wait_for_function("before => heard > before", arg=heard)
    else:
        await load(one, state, language)
    await state.show(one)
    if state.opens is not None:
        selector = state.opens.partition(" ")[2]
        there = seen.page.locator(f"{selector}:visible").first
        await expect(there).to_have_text(re.compile(r"\S"))
        assert await there.evaluate(f"element => ({SCOPE}).contains(element)"), state.name


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
    """What is found on the page as it is, by theme; the page follows the machine's at once."""
    found: dict[str, list[str]] = {}
    for theme, rules in zip(THEMES, (ALL_RULES, OF_COLOURS), strict=True):
        await seen.page.emulate_media(color_scheme=theme)
        found[theme] = await seen.page.evaluate(RUN, [rules, LEAST, on_the_wall])
        found[theme] += await measured(seen.page)
        if PICTURES:
            file = Path(PICTURES) / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}-{theme}.png"
            await seen.page.screenshot(path=file, animations="disabled")
    return found


def walks() -> Iterator[Any]:
    """The table in parts, each of one place; the night reads all of it in English too.

    Racks are read in Japanese, and what a theme or a rule makes of a state is the same in both
    languages, so in English one part of each place is enough at every change.
    """
    for place in Place:
        of_it = [state for state in STATES if state.place is place]
        for start in range(0, len(of_it), AT_ONCE):
            for language in LANGUAGES:
                yield pytest.param(
                    place,
                    of_it[start : start + AT_ONCE],
                    language,
                    id=f"{place}-{start}-{language}",
                    marks=[pytest.mark.nightly] if start and language == "en" else [],
                )


@needs_chromium
@pytest.mark.timeout(300)
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(("place", "states", "language"), list(walks()))
async def test_item_1_each_state_is_clean_and_can_be_read(
    wall: Wall, shop: Shop, place: Place, states: list[State], language: str
) -> None:
    found: list[str] = []
    async with looked_at(place, wall, shop) as one:
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


ADD = """rules => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(rules.join(" "));
  document.adoptedStyleSheets.push(sheet);
}"""
STRIPES = "repeating-linear-gradient(135deg, #d05a52 0 14px, #fff3f2 14px 28px)"
NOT_DECIDED = {
    "wall: crowded": {
        f'.tile[data-kind="quarantined"] {{ background: {STRIPES}; }}': "p.short",
        "#bins b { color: #888; }": "li > b",
    },
    "desk: question network": {
        "#panel .question { color: #888; }": "p.question",
        "#panel .answers b { color: #888; background: white; }": "button.sign > b",
        "#panel .skip::before { color: #888; }": "button.skip::before",
    },
    "page: shift": {".plot text { fill: #888; }": "svg.plot > text"},
    "stranger: wall": {"#operator ::placeholder { color: #888; }": "input::placeholder"},
}
"""What makes words faint that axe leaves undecided or doesn't look at, and how they are told."""


@needs_chromium
@pytest.mark.timeout(120)
@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("name", NOT_DECIDED)
async def test_item_1_no_word_is_too_faint_where_axe_cant_tell(
    wall: Wall, shop: Shop, name: str
) -> None:
    (state,) = [one for one in STATES if one.name == name]
    async with looked_at(state.place, wall, shop) as one:
        await bring_about(one, state, "ja", again=False)
        await one.page.evaluate(ADD, list(NOT_DECIDED[name]))
        found = (await mistakes(one.seen, LEAST, name))["light"]
    faint = [mistake for mistake in found if mistake.startswith("contrast ")]
    missed = [of for of in NOT_DECIDED[name].values() if not any(of in one for one in faint)]
    assert missed == [], "\n".join(found)
