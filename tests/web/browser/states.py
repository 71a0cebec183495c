"""All states of the pages that a person may meet: each dialog, bar, toast, menu and error, open.

One table. `opened_in_the_sources` finds what the pages can open; `test_axe` holds the table to it,
so that a new dialog has to join.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from playwright.async_api import FilePayload, Page, Route, expect
from scanner import scan
from screens import A2, Screen
from telling import at, errand, ready, slots_of, tell, tell_queue

from benchd.domain.ids import JobId
from benchd.domain.job import DISPOSITION_OF, Gate, Outcome, Reason
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.domain.slot_states import SlotState
from benchd.web.dashboard import PAGES, STATIC
from tests.intake.lots import imei
from tests.web.web_fakes import A1, running_view, waiting_view


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


async def as_it_is(_: Screen) -> None:
    """Nothing is done on the page."""


@dataclass(frozen=True)
class State:
    """One state: what the rack shows first, which page is opened, and what is done there then."""

    name: str
    place: Place
    path: str = ""
    show: Callable[[Screen], Awaitable[object]] = as_it_is
    first: Callable[[Screen], object] = lambda _: None
    opens: str | None = None
    """What of `opened_in_the_sources` is seen in it."""


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


HINDRANCES = {
    "**/decisions": never,
    "**/api/v1/events": cut,
    "**/api/v1/lots": cut,
    "**/api/v1/slots": cut,
    "**/api/v1/session": turned_away,
}


async def hinder(one: Screen, where: str) -> None:
    await one.page.route(where, HINDRANCES[where])


async def unhindered(one: Screen) -> None:
    """As it was before any state of the table."""
    for where, by in HINDRANCES.items():
        await one.page.unroute(where, by)
    one.refusing = None


# The desk.


def asks(gate: Gate = Gate.CONSENT) -> Callable[[Screen], object]:
    return lambda one: one.ask(A1, "job-1", gate)


def two_ask(one: Screen) -> None:
    one.ask(A1, "job-1")
    one.ask(A2, "job-2")


def in_trouble(code: ProblemCode) -> Callable[[Screen], object]:
    return lambda one: one.rack.board.show(
        replace(waiting_view(A1, 1), problem=ProblemView(code=code))
    )


def ended(reason: Reason) -> Callable[[Screen], object]:
    told = replace(
        running_view(),
        job=JobId("job-1"),
        state=SlotState.FINISHED,
        outcome=Outcome.FAILED,
        disposition=DISPOSITION_OF[reason],
        reason=reason,
    )
    return lambda one: one.rack.board.show(told)


async def open_a1(one: Screen) -> None:
    await one.seen.open("A1")
    await expect(one.seen.panel(".slot")).to_have_text("A1")


def refused(code: str) -> Callable[[Screen], Awaitable[None]]:
    async def show(one: Screen) -> None:
        one.refusing = code
        await open_a1(one)
        await one.seen.answer()
        await expect(one.seen.panel(".refused")).to_have_attribute("data-state", "shown")

    return show


def scans(*codes: str) -> Callable[[Screen], Awaitable[None]]:
    async def show(one: Screen) -> None:
        for code in codes:
            await scan(one.seen, code)
            if code.startswith("BD:S:"):
                await expect(one.seen.panel(".yes")).to_be_enabled()

    return show


def presses(key: str) -> Callable[[Screen], Awaitable[None]]:
    async def show(one: Screen) -> None:
        await one.page.keyboard.press(key)

    return show


async def held(one: Screen) -> None:
    await hinder(one, "**/decisions")
    await open_a1(one)
    await one.seen.panel(".yes").click()
    await expect(one.waiting).to_have_count(1)


async def taken_back(one: Screen) -> None:
    await held(one)
    await one.page.keyboard.press("Escape")
    await expect(one.waiting).to_have_count(0)


async def page_left(one: Screen) -> None:
    await held(one)
    await one.page.reload()


async def over(one: Screen) -> None:
    await open_a1(one)
    one.rack.board.show(replace(running_view(), job=JobId("job-1")))


async def away(one: Screen) -> None:
    await hinder(one, "**/api/v1/events")
    await one.page.reload()


async def away_with_panel(one: Screen) -> None:
    await open_a1(one)
    await one.page.evaluate("() => { document.body.dataset.connection = 'away'; }")


async def noticed(one: Screen) -> None:
    await ready(one.seen)
    told = {"ja": "台帳に書けません", "en": "The ledger can't be written", "code": "x"}
    told["what_to_do"] = {"ja": "管理者へ", "en": "Call the admin"}  # type: ignore[assignment]
    await tell(one.page, "notices", [told])


async def sought(one: Screen) -> None:
    await one.page.keyboard.press("/")
    await one.page.locator("#wall-search").fill("a")
    await expect(one.page.locator("#find-on-wall li").first).to_be_visible()


async def help_over_panel(one: Screen) -> None:
    await open_a1(one)
    await one.page.keyboard.press("?")


async def menu(one: Screen) -> None:
    await one.page.locator("#menu summary").click()


CONFIRMED = (
    "answered_already",
    "body_too_large",
    "decision_refused",
    "internal_error",
    "invalid_request",
    "ledger_fault",
    "more_to_show",
    "not_allowed",
    "not_found",
    "recheck_refused",
    "same_or_other_needed",
    "screen_number_needed",
    "second_person_needed",
    "too_many_connections",
)
"""What the daemon may refuse an answer with, that doesn't end who is signed in."""

SAID = 'taking_back.js p.said[role="alert"]'
QUESTION_OVER = 'panel.js p.over[role="status"]'
AWAY = 'index.html div#connection[role="alert"]'
PANEL = "index.html dialog#panel"


def desk(
    name: str,
    show: Callable[[Screen], Awaitable[object]],
    opens: str | None = None,
    first: Callable[[Screen], object] = two_ask,
) -> State:
    return State(f"desk: {name}", Place.DESK, "", show, first, opens)


DESK = (
    desk("two questions", as_it_is),
    *(desk(f"question {gate}", open_a1, PANEL, asks(gate)) for gate in Gate),
    *(desk(f"problem {code}", open_a1, PANEL, in_trouble(code)) for code in ProblemCode),
    *(desk(f"ended {reason}", open_a1, PANEL, ended(reason)) for reason in DISPOSITION_OF),
    *(
        desk(f"refused {code}", refused(code), 'question_form.js div.refused[role="alert"]')
        for code in CONFIRMED
    ),
    desk("an answer is held", held),
    desk("toast: taken back", taken_back, SAID),
    desk("toast: page left", page_left, SAID),
    desk("toast: code first", scans("BD:A:YES"), SAID),
    desk("toast: sign elsewhere", scans("BD:S:A1", "BD:A:CIRCLE"), SAID),
    desk("toast: given already", scans("BD:S:A1", "BD:A:YES", "BD:A:YES"), SAID),
    desk("toast: somebody else", scans("BD:S:A1", "BD:A:YES", "SUZUKI-1002"), SAID),
    desk("toast: no paper", scans("BD:A:PRINT"), SAID),
    desk("question over", over, QUESTION_OVER),
    desk("help", presses("?"), "help.js dialog#help.over-wall"),
    desk("help over a question", help_over_panel, "help.js dialog#help.over-wall"),
    desk("find", presses("/"), "find.js dialog#find-on-wall.over-wall"),
    desk("found", sought, "find.js dialog#find-on-wall.over-wall"),
    desk("menu", menu, "menu.js details"),
    desk("notice", noticed, 'index.html ul#notices[role="alert"]'),
    desk("away", away, AWAY),
    desk("away with a question", away_with_panel),
)


# The whole wall.


async def crowded(one: Screen) -> None:
    """Every kind of tile and errand there is."""
    seen, page = one.seen, one.page
    await ready(seen)
    kinds = ("question", "confirm", "put_right", "broken", "tray", "port", "rack")
    await tell_queue(
        page,
        errand("replug", "B6", "ケーブルが抜けています", "Cable is out", deadline=at(150)),
        *(errand(kind, "C4" if kind != "port" else None, kind, here=True) for kind in kinds),
        *(errand("carry", "A1", bin_, bin=bin_) for bin_ in ("sellable", "return", "hold")),
    )
    slots = {slot["slot"]: slot for slot in await slots_of(seen)}
    unplugged = {"state": "replugging", "absence": {"planned": False, "deadline": at(150)}}
    await tell(page, "slot", slots["B6"] | unplugged)
    await tell(page, "slot", slots["B5"] | {"absence": {"planned": True, "deadline": None}})
    charging = slots["A5"]["problem"] | {"ja": "充電中", "en": "Charging"}
    charging["what_to_do"] = {"ja": "", "en": ""}
    await tell(page, "slot", slots["A5"] | {"mends_itself": True, "problem": charging})
    await tell(page, "slot", slots["A1"] | {"handset_left_s": 3000})


def slot_opened(slot: str) -> Callable[[Screen], Awaitable[None]]:
    async def show(one: Screen) -> None:
        await one.seen.open(slot)
        await expect(one.seen.panel(".slot")).to_have_text(slot)

    return show


WALL = (
    State("wall: crowded", Place.WALL, "", crowded),
    State("wall: crowded kiosk", Place.WALL, "?kiosk", crowded),
    State("wall: a slot is pointed out", Place.WALL, "?find=A1"),
    State("wall: menu", Place.WALL, "", menu, opens="menu.js details"),
    *(
        State(f"wall: panel of {slot}", Place.WALL, "", slot_opened(slot), opens=PANEL)
        for slot in (f"{row}{place}" for row in "AB" for place in range(1, 9))
    ),
)


# Who hasn't signed in.


async def not_let_in(one: Screen) -> None:
    await hinder(one, "**/api/v1/session")
    await one.page.locator('#operator input[name="person"]').fill("9999")
    await one.page.locator('#operator input[name="pin"]').fill("000000")
    await one.page.keyboard.press("Enter")


STRANGER = (
    State("stranger: wall", Place.STRANGER, "", first=two_ask),
    State("stranger: a question", Place.STRANGER, "", open_a1, two_ask, PANEL),
    State(
        "stranger: not let in",
        Place.STRANGER,
        "",
        not_let_in,
        opens='sign_in.js span.told[role="alert"]',
    ),
)


# The pages beside the wall.

JOB_1, JOB_2 = "20261124-00000000a1", "20261124-00000000a2"
LATER_JOB = "20261125-00000000b1"
"""Of the same handset as the first."""


def clicks(*selectors: str) -> Callable[[Screen], Awaitable[None]]:
    async def show(one: Screen) -> None:
        for selector in selectors:
            await one.page.locator(selector).first.click()

    return show


async def _check_file(page: Page, text: str) -> None:
    await page.locator("#import > summary").click()
    file: FilePayload = {"name": "list.csv", "mimeType": "text/csv", "buffer": text.encode()}
    await page.locator("#assets-file").set_input_files(file)
    await page.locator("#import .do").first.click()


async def mistakes_told(one: Screen) -> None:
    await _check_file(one.page, "管理番号,IMEI\nT 22,\nT-23,356938035643800\n")
    await expect(one.page.locator("#import .bad")).to_be_visible()


async def file_is_clean(one: Screen) -> None:
    await _check_file(one.page, "管理番号\nT-901\n")
    await expect(one.page.locator("#import .good")).to_be_visible()


async def taken_in(one: Screen) -> None:
    await file_is_clean(one)
    await one.page.locator("#import .do:visible").last.click()


async def list_taken(one: Screen) -> None:
    page = one.page
    await page.locator("#network > summary").click()
    await page.locator("#source").fill("X")
    listed = f"IMEI,判定,照会日時\n{imei(1)},○,2026-11-23 10:00\n"
    file: FilePayload = {"name": "list.csv", "mimeType": "text/csv", "buffer": listed.encode()}
    await page.locator("#network-file").set_input_files(file)
    await page.locator("#network .do").first.click()
    await page.locator("#network .do:visible").last.click()


def reads(*codes: str) -> Callable[[Screen], Awaitable[None]]:
    async def show(one: Screen) -> None:
        for code in codes:
            await one.page.locator("#scan").fill(code)
            await one.page.locator("#scan").press("Enter")

    return show


async def nothing_said(one: Screen) -> None:
    await reads("HQ610002")(one)
    await one.page.locator(".settling .do").click()


async def settled(one: Screen) -> None:
    await reads("HQ610002")(one)
    await one.page.locator("#to-returned").check()
    await one.page.locator("#note").fill("株式会社サンプル")
    await one.page.locator(".settling .do").click()


async def lots_away(one: Screen) -> None:
    await hinder(one, "**/api/v1/lots")
    await one.page.reload()


async def sheet_without_rack(one: Screen) -> None:
    await hinder(one, "**/api/v1/slots")
    await one.page.reload()


def page(
    name: str,
    path: str,
    show: Callable[[Screen], Awaitable[object]] = as_it_is,
    opens: str | None = None,
) -> State:
    return State(f"page: {name}", Place.PAGES, path, show, opens=opens)


FORM_SAID = 'forms.js p.said[role="alert"]'
FOLDED = "forms.js details.folded"
LOT = "lots?lot=L-1"
FIGURES = "report?from=2026-11-01&to=2026-11-30"
BESIDE = (
    *(page(path, path[1:]) for path in PAGES),
    page("shift", "board?day=2026-11-24"),
    page("handover sheet", "board?day=2026-11-24&sheet=handover"),
    page(
        "sheet without a rack",
        "board?sheet=handover",
        sheet_without_rack,
        'handover.js p.nothing[role="alert"]',
    ),
    page("figures", FIGURES),
    page("a figure's jobs", f"{FIGURES}&figure=became&value=to_destroy"),
    page("handsets found", "handsets?q=3569"),
    page("no handset", "handsets?q=ZZZZZZ", opens='handsets.js p.nothing[role="status"]'),
    page("handset", f"handsets?job={JOB_1}", opens="handset.js details.job"),
    page("unknown job", "handsets?job=unknown", opens='frame.js p.nothing[role="alert"]'),
    page("label", f"handsets?label={JOB_2}"),
    page(
        "label of an older job", f"handsets?label={JOB_1}", opens='label.js p.caution[role="alert"]'
    ),
    page("menu", "lots", menu, "menu.js details"),
    page("away", "lots", lots_away, 'page.html div#connection[role="alert"]'),
    page("lot to add", "lots", clicks("#add-lot > summary"), FOLDED),
    page("lot not filled in", "lots", clicks("#add-lot > summary", "#add-lot .do"), FORM_SAID),
    page("list to take in", "lots", clicks("#network > summary"), FOLDED),
    page("list taken in", "lots", list_taken, 'lots.js p.good[role="status"]'),
    page("lot", LOT),
    *(
        page(f"lot: {part}", LOT, clicks(f"#{part} > summary"), FOLDED)
        for part in ("import", "one", "dead", "attest")
    ),
    *(
        page(f"lot: {part} not filled in", LOT, clicks(f"#{part} > summary", f"#{part} .do"), said)
        for part, said in (
            ("import", 'csv_import.js p.said[role="alert"]'),
            ("one", FORM_SAID),
            ("dead", FORM_SAID),
            ("attest", FORM_SAID),
        )
    ),
    page("list with mistakes", LOT, mistakes_told, 'csv_import.js div.checked[role="status"]'),
    page("list is clean", LOT, file_is_clean, 'csv_import.js div.checked[role="status"]'),
    page("handsets taken in", LOT, taken_in, 'lot.js p.good[role="status"]'),
    page("disposal: read", "disposal", reads("HQ610005"), 'settling.js p.chosen[role="status"]'),
    page("disposal: unknown", "disposal", reads("ZZZZ"), 'settling.js p.said[role="status"]'),
    page("disposal: unsaid", "disposal", nothing_said, 'settling.js p.said[role="alert"]'),
    page("disposal: settled", "disposal", settled, 'settling.js ul.outcomes[role="status"]'),
)

STATES = (*DESK, *WALL, *STRANGER, *BESIDE)
