"""A state of a page that a person may meet: each dialog, bar, toast, menu and error, open.

The table of them is `wall_states` and `page_states`. `opened_in_the_sources` finds what the pages
can open; `test_axe` holds the table to it, so that a new dialog has to join.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from playwright.async_api import Route
from screens import Screen

from benchd.web.dashboard import STATIC


class Place(StrEnum):
    """Where a state is seen: what stands behind the page, and who is signed in."""

    DESK = "desk"
    """The wall of two slots, somebody signed in by badge; answers are caught on their way."""
    WALL = "wall"
    """The wall of 28 slots with everything that a tile can be."""
    STRANGER = "stranger"
    """The wall as it is shown to whoever hasn't signed in."""
    PAGES = "pages"
    """The pages beside the wall, of a shop with lots and jobs that have ended."""
    SHUT = "shut"
    """The same pages for whoever hasn't signed in."""


async def as_it_is(_: Screen) -> None:
    """Nothing is done on the page."""


def unchanged(_: Screen) -> None:
    """The rack shows what it has shown."""


@dataclass(frozen=True)
class State:
    """One state: what the rack shows first, which page is opened, and what is done there then."""

    name: str
    place: Place
    path: str = ""
    show: Callable[[Screen], Awaitable[object]] = as_it_is
    first: Callable[[Screen], object] = unchanged
    opens: str | None = None
    """What of `opened_in_the_sources` is seen in it."""
    leaves_nothing: bool = False
    """Escape closes all that it opens, so that the next such state needs no new load."""


# What the pages can open.

TOLD = r"\{((?:[^{}]|\$\{[^{}]*\})*)\}"
MADE = re.compile(r'\bel\(\s*"(\w+)",\s*' + TOLD)
WRITTEN = re.compile(r"<(\w+)([^<>]*)>")
SPEAKS = re.compile(r'\brole(?:: |=)"(alert|status)"')
OPENS = ("dialog", "details")


def opened_in_the_sources() -> set[str]:
    """Each dialog, menu, alert and status of the pages, as "file selector"."""
    found: set[str] = set()
    for file in sorted(STATIC.iterdir()):
        pattern = {".js": MADE, ".html": WRITTEN}.get(file.suffix)
        if pattern is None:
            continue
        for tag, told in pattern.findall(file.read_text(encoding="utf-8")):
            if tag in OPENS or SPEAKS.search(told):
                found.add(f"{file.name} {_selector(tag, told)}")
    return found


def _selector(tag: str, told: str) -> str:
    selector = tag
    if name := re.search(r'\bid(?:: |=)"([\w-]+)"', told):
        selector += f"#{name[1]}"
    if kinds := re.search(r'\bclass(?:: |=)"([\w-]+)"', told):
        selector += f".{kinds[1]}"
    if role := SPEAKS.search(told):
        selector += f'[role="{role[1]}"]'
    return selector


# Routes that a state puts in the way of its page; whoever walks the table takes them out again.


async def never(_: Route) -> None:
    """An answer on its way, for as long as somebody looks."""


async def cut(route: Route) -> None:
    """The daemon can't be reached."""
    await route.abort()


async def turned_away(route: Route) -> None:
    """Nobody is let in."""
    if route.request.method == "POST":
        await route.fulfill(status=401, json={"error": {"code": "not_signed_in", "message": ""}})
    else:
        await route.fallback()


async def weakly(route: Route) -> None:
    """Whoever is here is an operator, by a badge alone."""
    if route.request.method != "GET":
        await route.fallback()
        return
    response = await route.fetch(max_retries=3)
    told = {**await response.json(), "strong": False, "roles": ["operator"]}
    await route.fulfill(response=response, json=told)


async def label_known(route: Route) -> None:
    """An asset of a lot."""
    asset = {"tag": "T-1", "lot": "L-1", "imei": None, "serial": None, "model": "SO-51B"}
    told = {"colour": "黒", "grade": "A", "jobs": ["job-0"], "unerasable": None}
    whole = {**asset, **told, "disposition": None, "case": None}
    others = {"lot": False, "handset": False, "batch": False, "badge": False}
    await route.fulfill(json={"asset": whole, **others})


async def may_be_bound(route: Route) -> None:
    await route.fulfill(json={"tag": "T-1", "lot": "L-1", "bound_by": "tag", "model_differs": ""})


async def of_another_model(route: Route) -> None:
    cause = {"ja": "機種が書類と違います", "en": "its model isn't that of the papers"}
    error = {"code": "model_differs", "message": "", "cause": cause}
    await route.fulfill(status=409, json={"error": error})


HINDRANCES = {
    "**/api/v1/codes": label_known,
    "**/slots/A1/asset": may_be_bound,
    "**/v1/slots/A1/asset": of_another_model,
    "**/v1/session": weakly,
    "**/decisions": never,
    "**/api/v1/events": cut,
    "**/api/v1/lots": cut,
    "**/api/v1/slots": cut,
    "**/label.svg*": cut,
    "**/api/v1/session": turned_away,
}


async def hinder(one: Screen, where: str) -> None:
    await one.page.route(where, HINDRANCES[where])


async def unhindered(one: Screen) -> None:
    """As it was before any state of the table."""
    for where, by in HINDRANCES.items():
        await one.page.unroute(where, by)
    await one.page.emulate_media(media="screen")
    one.refusing = None


async def on_paper(one: Screen) -> None:
    await one.page.emulate_media(media="print")


async def menu(one: Screen) -> None:
    await one.page.locator("#menu summary").click()
