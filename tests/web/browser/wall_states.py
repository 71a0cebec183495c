"""The states of the wall: at a desk, with 28 slots, and for whoever hasn't signed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from playwright.async_api import expect
from scanner import scan
from screens import A2, BADGE, IMEI, Screen
from states import Place, State, as_it_is, hinder, menu
from telling import at, errand, ready, slots_of, tell, tell_queue

from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import DISPOSITION_OF, Gate, Outcome, Reason
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.domain.slot_states import SlotState
from tests.people.somebody import somebody
from tests.web.web_fakes import A1, running_view, waiting_view

# The desk.


def asks(gate: Gate = Gate.CONSENT) -> Callable[[Screen], object]:
    return lambda one: one.ask(A1, "job-1", gate)


def asks_beside(gate: Gate) -> Callable[[Screen], object]:
    def first(one: Screen) -> None:
        one.ask(A1, "job-1", gate)
        one.ask(A2, "job-2")

    return first


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


async def number_read(one: Screen) -> None:
    await open_a1(one)
    await scan(one.seen, "356938035643809")
    await expect(one.seen.panel("input[name=note]")).to_have_value("356938035643809")


async def others_number(one: Screen) -> None:
    await open_a1(one)
    await scan(one.seen, IMEI[A2])


async def held(one: Screen) -> None:
    await hinder(one, "**/decisions")
    await open_a1(one)
    await one.seen.panel(".yes").click()
    await expect(one.waiting).to_have_count(1)


async def held_on_the_wall(one: Screen) -> None:
    await held(one)
    await one.seen.panel(".close").click()
    await expect(one.seen.panel()).to_be_hidden()


async def given_twice(one: Screen) -> None:
    await held(one)
    await scan(one.seen, "BD:A:YES")


async def somebody_else(one: Screen) -> None:
    await held(one)
    await scan(one.seen, "SUZUKI-1002")


async def taken_back(one: Screen) -> None:
    await held(one)
    await one.page.keyboard.press("Escape")
    await expect(one.waiting).to_have_count(0)


async def page_left(one: Screen) -> None:
    await held(one)
    await one.page.reload()


def asks_after(
    gate: Gate, *answered_by: str, slots: tuple[SlotName, ...] = (A1,)
) -> Callable[[Screen], object]:
    """These have answered in its job, and it waits for three quarters of an hour."""

    def first(one: Screen) -> None:
        people = tuple(somebody(name).person for name in answered_by)
        until = datetime.now(UTC) + timedelta(minutes=45)
        for number, slot in enumerate(slots, 1):
            view = one.ask(slot, f"job-{number}", gate)
            assert view.question is not None
            question = replace(view.question, answered_by=people, until=until)
            one.rack.board.show(replace(view, question=question))

    return first


ALL_BAR = asks_after(Gate.CONSENT, "SUZUKI-1002", slots=(A1, A2))


async def weak(one: Screen) -> None:
    await hinder(one, "**/v1/session")
    await one.page.reload()
    await one.seen.live()
    await open_a1(one)
    await expect(one.seen.panel(".barred")).to_have_count(2)


async def soon_locked(one: Screen) -> None:
    """Nobody has used it for nine of its ten minutes."""
    await one.page.evaluate("() => { const now = Date.now; Date.now = () => now() + 542_000; }")
    await expect(one.page.locator("#idle")).to_be_visible()


async def soon_locked_with_panel(one: Screen) -> None:
    await open_a1(one)
    await soon_locked(one)


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


def binds(*where: str) -> Callable[[Screen], Awaitable[None]]:
    """A label is asked for, and its tag typed; `where` is what the daemon says of it."""

    async def show(one: Screen) -> None:
        await open_a1(one)
        await one.page.keyboard.press("l")
        field = one.page.locator("#bind-code")
        await expect(field).to_be_focused()
        if where:
            for place in ("**/api/v1/codes", *where):
                await hinder(one, place)
            await field.fill("T-1")
            await one.page.keyboard.press("Enter")
            await expect(one.page.locator("#bind .answers button")).to_have_count(2)

    return show


async def bound_to_nothing(one: Screen) -> None:
    await binds()(one)
    await one.page.locator("#bind-code").fill("T-9")
    await one.page.keyboard.press("Enter")
    await expect(one.page.locator("#bind .refused")).to_have_attribute("data-state", "shown")
    # That tag is on no record.
    one.seen.complaints[:] = [told for told in one.seen.complaints if "status of 404" not in told]


async def another_slots(one: Screen) -> None:
    """A1's question is answered, A2's has taken its place, and one key came too soon."""
    await open_a1(one)
    await one.seen.panel(".yes").click()
    await one.page.keyboard.press("Enter")
    await expect(one.seen.panel(".slot")).to_have_text("A2")
    await one.page.keyboard.press("y")
    await expect(one.seen.panel(".moved-on span")).to_be_visible()


async def anothers_handset(one: Screen) -> None:
    """While a label is asked for at A1, A2's handset is scanned."""
    await binds()(one)
    await scan(one.seen, IMEI[A2])
    await expect(one.page.locator("#bind .answers button")).to_have_count(3)


async def moved_to_anothers(one: Screen) -> None:
    await anothers_handset(one)
    await one.page.locator("#bind .yes").click()


async def somebody_else_binds(one: Screen) -> None:
    await binds()(one)
    # Who was here in the state before isn't known.
    await scan(one.seen, "TANAKA-1003")
    await expect(one.page.locator("#bind .told")).to_contain_text("TANAKA-1003")


async def pin_over_help(one: Screen) -> None:
    """Who is here by a badge alone scans it once more."""
    await hinder(one, "**/v1/session")
    await one.page.reload()
    await one.seen.live()
    await one.page.keyboard.press("?")
    await expect(one.page.locator("#help")).to_be_visible()
    await one.page.evaluate(
        """async () => {
      const { showBadge } = await import("/static/sign_in.js");
      const real = window.fetch;
      window.fetch = async (...asked) => {
        const answer = await real(...asked);
        if (asked[1]?.method !== "POST") return answer;
        return Response.json({ ...(await answer.json()), strong: false });
      };
      await showBadge("SATO-1001");
      window.fetch = real;
    }"""
    )
    await expect(one.page.locator("#help .guest input")).to_be_focused()


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

REFUSED = 'question_form.js div.refused[role="alert"]'
NUMBER_READ = 'question_form.js small.read[role="status"]'
SAID = 'taking_back.js p.said[role="alert"]'
BIND_NEXT = 'binding.js p.to-do[role="status"]'
MOVED_ON = 'question_form.js p.moved-on[role="status"]'
BIND_MOVED = 'binding.js p.moved-on[role="status"]'
BIND_REFUSED = 'binding.js div.refused[role="alert"]'
SIGN_IN_TOLD = 'sign_in.js p.told[role="alert"]'
QUESTION_OVER = 'panel.js p.over[role="status"]'
AWAY = 'index.html div#connection[role="alert"]'
IDLE = 'idle.js p#idle[role="alert"]'
PANEL = "index.html dialog#panel"
HIDDEN = 'index.html p#hidden[role="status"]'


def desk(
    name: str,
    show: Callable[[Screen], Awaitable[object]],
    opens: str | None = None,
    first: Callable[[Screen], object] = two_ask,
) -> State:
    return State(f"desk: {name}", Place.DESK, "", show, first, opens)


def a1_in_full(name: str, first: Callable[[Screen], object]) -> State:
    return replace(desk(name, open_a1, PANEL, first), leaves_nothing=True)


DESK = (
    desk("two questions", as_it_is),
    *(a1_in_full(f"question {gate}", asks(gate)) for gate in Gate),
    *(a1_in_full(f"problem {code}", in_trouble(code)) for code in ProblemCode),
    *(a1_in_full(f"ended {reason}", ended(reason)) for reason in DISPOSITION_OF),
    *(
        replace(desk(f"refused {code}", refused(code), REFUSED), leaves_nothing=True)
        for code in CONFIRMED
    ),
    desk("a number was read", number_read, NUMBER_READ, asks(Gate.IMEI)),
    desk("another's number", others_number, REFUSED, asks_beside(Gate.IMEI)),
    desk("takes the PIN", weak, PANEL, asks()),
    desk("takes a role", weak, PANEL, asks(Gate.CONFIRM)),
    desk("own work, with a limit", open_a1, PANEL, asks_after(Gate.CONFIRM, BADGE)),
    desk("bars from confirming", open_a1, PANEL, asks_after(Gate.CONSENT, "SUZUKI-1002")),
    desk("toast: only what bars", presses("n"), SAID, ALL_BAR),
    desk("locks soon", soon_locked, IDLE),
    desk("locks soon, with a question", soon_locked_with_panel, IDLE),
    desk("an answer is held", held),
    desk("an answer is held, on the wall", held_on_the_wall),
    desk("toast: taken back", taken_back, SAID),
    desk("toast: page left", page_left, SAID),
    desk("toast: code first", scans("BD:A:YES"), SAID),
    desk("toast: sign elsewhere", scans("BD:S:A1", "BD:A:CIRCLE"), SAID),
    desk("toast: given already", given_twice, SAID),
    desk("toast: somebody else", somebody_else, SAID),
    desk("toast: no paper", scans("BD:A:PRINT"), SAID),
    desk("question over", over, QUESTION_OVER),
    desk("help", presses("?"), "help.js dialog#help.over-wall"),
    desk("help over a question", help_over_panel, "help.js dialog#help.over-wall"),
    desk("find", presses("/"), "search.js dialog#find-on-wall.over-wall"),
    desk("found", sought, "search.js dialog#find-on-wall.over-wall"),
    desk("a label is asked for", binds(), "binding.js dialog#bind.over-wall", asks()),
    desk("a label may be bound", binds("**/slots/A1/asset"), BIND_NEXT, asks()),
    desk("a label of another model", binds("**/v1/slots/A1/asset"), BIND_REFUSED, asks()),
    desk("a label of no lot", bound_to_nothing, BIND_REFUSED, asks()),
    desk("a label, at another's handset", anothers_handset, BIND_NEXT, two_ask),
    desk("a label, moved to another slot", moved_to_anothers, BIND_MOVED, two_ask),
    desk("a label, somebody else", somebody_else_binds, "binding.js dialog#bind.over-wall", asks()),
    desk("another slot's question", another_slots, MOVED_ON, two_ask),
    desk("the PIN over the help", pin_over_help, "help.js dialog#help.over-wall"),
    desk("menu", menu, "menu.js details"),
    desk("notice", noticed, 'index.html div#notices[role="alert"]'),
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
        errand("carry", "A2", "sellable", bin="sellable"),
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
        State(
            f"wall: panel of {slot}",
            Place.WALL,
            "",
            slot_opened(slot),
            opens=PANEL,
            leaves_nothing=True,
        )
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
    State("stranger: wall", Place.STRANGER, "", first=two_ask, opens=HIDDEN),
    State("stranger: a question", Place.STRANGER, "", open_a1, two_ask, PANEL),
    State(
        "stranger: not let in",
        Place.STRANGER,
        "",
        not_let_in,
        opens=SIGN_IN_TOLD,
    ),
)

WALL_STATES = (*DESK, *WALL, *STRANGER)
