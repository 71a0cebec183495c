"""What goes wrong at a rack's screen, as wall.md, people.md and operators.ja.md make one expect.

Each move is made up from what those tell people, not from the page's code: what somebody does by
mistake, when, and which words of the catalogue name the cause.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import anyio
from at_work import BACK_S, SLOW_S, Asked, AtWork, by_key
from chromium import Visit
from playwright.async_api import expect

from benchd.domain.job import Gate
from benchd.lab.demo.crew import SECOND, WORKER

PRODUCT: Final = "4901234567894"
NOBODYS_IMEI: Final = "490154203237518"
NOBODYS_BADGE: Final = "DEMO-MORI-1999"
NOBODYS_SLOT: Final = "BD:S:Z9"
TORN: Final = "BD:A:YE"
WRONG_PIN: Final = "550077"
SLOWEST_S: Final = 0.2
NEEDS_PIN: Final = frozenset({Gate.IMEI, Gate.OBSERVE, Gate.FINAL_RESET, Gate.CONFIRM})


class When(StrEnum):
    """What is on the screen when it happens."""

    WALL = "wall"
    LOCKED = "locked"
    ASKED = "asked"
    HELD = "held"
    ELSEWHERE = "elsewhere"


Do = Callable[[AtWork, Asked], Awaitable[bool | None]]
"""Gives False where it came to nothing, so that there was nothing to tell either."""


@dataclass(frozen=True)
class WrongMove:
    """Something that somebody does by mistake."""

    name: str
    when: When
    do: Do
    told: tuple[str, ...] = ()
    """The texts of which one has to come; none, where what was meant happens after all."""
    gates: frozenset[Gate] = frozenset()
    """At which questions; at all of them, if none is named."""
    but: frozenset[Gate] = frozenset()
    sent: bool = False
    """Whether the answer that waits is still on its way, as it was meant."""

    def suits(self, asked: Asked) -> bool:
        return asked.gate not in self.but and (not self.gates or asked.gate in self.gates)


MOVES: list[WrongMove] = []


def wrong(
    when: When,
    *told: str,
    gates: frozenset[Gate] = frozenset(),
    but: frozenset[Gate] = frozenset(),
    sent: bool = False,
) -> Callable[[Do], Do]:
    """Enter what is below into the table."""

    def enter(do: Do) -> Do:
        name = getattr(do, "__name__", repr(do))
        MOVES.append(WrongMove(name, when, do, told, gates, but, sent))
        return do

    return enter


def only(*gates: Gate) -> frozenset[Gate]:
    return frozenset(gates)


# --- Nothing is open, and somebody is signed in.


@wrong(When.WALL, "answering.code_first", "answering.no_question")
async def a_card_before_any_code(at: AtWork, _: Asked) -> None:
    await at.scan("BD:A:YES")


@wrong(When.WALL, "answering.code_first", "answering.no_question", "answering.sign_elsewhere")
async def a_sign_before_any_code(at: AtWork, _: Asked) -> None:
    await at.scan("BD:A:CIRCLE")


@wrong(When.WALL, "answering.code_unknown")
async def another_racks_label(at: AtWork, _: Asked) -> None:
    await at.scan(NOBODYS_SLOT)


@wrong(When.WALL, "answering.code_unknown")
async def a_torn_card(at: AtWork, _: Asked) -> None:
    await at.scan(TORN)


@wrong(When.WALL, "answering.code_unknown", "word.nothing_found")
async def the_imei_of_no_handset_here(at: AtWork, _: Asked) -> None:
    await at.scan(NOBODYS_IMEI)


@wrong(When.WALL, "answering.code_unknown", "page.product_code", "word.nothing_found")
async def a_products_code(at: AtWork, _: Asked) -> None:
    await at.scan(PRODUCT)


@wrong(When.WALL, "page.badge_unknown", "そのバッジ・ID・PINの人はいません")
async def a_badge_of_somebody_who_has_left(at: AtWork, _: Asked) -> None:
    await at.scan(NOBODYS_BADGE)


@wrong(When.WALL, "answering.no_paper", "answering.no_label")
async def printing_nothing(at: AtWork, _: Asked) -> None:
    await at.scan("BD:A:PRINT")


@wrong(When.WALL)
async def the_label_twice(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.code)
    await at.scan(asked.code, again=True)
    await opens_and_holds_nothing(at, asked.slot)


@wrong(When.WALL)
async def the_label_by_a_slow_reader(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.code, key_s=SLOW_S)
    await opens_and_holds_nothing(at, asked.slot)


@wrong(When.WALL)
async def ones_own_badge_by_a_slow_reader(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.who.badge, key_s=SLOW_S)
    sight = await at.until(lambda s: s.is_here(asked.who))
    at.referee.must(sight.is_here(asked.who) and sight.strong, f"signed out: {sight}")


@wrong(When.WALL)
async def a_badge_into_the_search(at: AtWork, asked: Asked) -> None:
    await at.press("/")
    await at.until(lambda s: s.dialog)
    await at.scan(asked.who.badge, key_s=SLOW_S)
    await at.rest(0.5)
    sight = await at.look()
    at.referee.must(sight.path == "/", f"off the wall, at {sight.path}")
    at.referee.must(sight.is_here(asked.who), f"signed out: {sight}")


@wrong(When.WALL, "answering.no_question", "answering.code_first", "page.question_gone")
async def an_answer_where_nothing_is_asked(at: AtWork, asked: Asked) -> None:
    quiet = [
        one.slot
        for one in at.rack.placed
        if not at.rack.watch.slots[one.slot]["question"] and one.slot != asked.slot
    ]
    await at.scan(f"BD:S:{(quiet or ['Z9'])[0]}")
    await at.rest()
    await at.scan("BD:A:YES")


# --- Nobody is signed in.


@wrong(When.LOCKED, "page.pin_wrong", "そのバッジ・ID・PINの人はいません")
async def a_wrong_pin(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.who.badge)
    await at.until(lambda s: s.is_here(asked.who))
    await at.to_pin()
    await at.type(WRONG_PIN)
    await at.press("Enter")


@wrong(When.LOCKED, "page.pin_form")
async def a_pin_that_is_too_short(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.who.badge)
    await at.until(lambda s: s.is_here(asked.who))
    await at.to_pin()
    await at.type(asked.who.pin[:4])
    await at.press("Enter")


@wrong(When.LOCKED, "page.badge_unknown", "そのバッジ・ID・PINの人はいません")
async def nobodys_badge(at: AtWork, _: Asked) -> None:
    await at.scan(NOBODYS_BADGE)


@wrong(When.LOCKED, "page.product_code")
async def a_product_for_a_badge(at: AtWork, _: Asked) -> None:
    await at.scan(PRODUCT)


@wrong(When.LOCKED)
async def the_others_badge_into_the_pin(at: AtWork, asked: Asked) -> None:
    other = WORKER if asked.who is SECOND else SECOND
    await at.scan(other.badge)
    await at.until(lambda s: s.is_here(other))
    await at.to_pin()
    await at.scan(asked.who.badge, key_s=SLOW_S)
    sight = await at.until(lambda s: s.is_here(asked.who))
    at.referee.must(sight.is_here(asked.who), f"a badge in the PIN's field is lost: {sight}")


@wrong(When.LOCKED)
async def away_and_back_before_the_pin(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.who.badge)
    await at.until(lambda s: s.is_here(asked.who))
    await at.seen.go("board?lang=ja")
    await at.until(lambda s: s.is_here(asked.who))
    await at.seen.go("?lang=ja")
    await at.seen.live()
    await at.to_pin()
    await at.type(asked.who.pin)
    await at.press("Enter")
    sight = await at.until(lambda s: s.strong)
    at.referee.must(sight.strong, f"the right PIN isn't taken: {await at.heard()}")


@wrong(
    When.LOCKED,
    "refusal.not_signed_in",
    "page.question_hidden",
    "answering.code_first",
    "answering.no_question",
)
async def an_answer_by_nobody(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.code)
    await at.rest()
    await at.scan("BD:A:YES")


@wrong(When.LOCKED, "refusal.more_to_show", "answering.needs_pin", gates=NEEDS_PIN)
async def an_answer_without_the_pin(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.who.badge)
    await at.until(lambda s: s.is_here(asked.who))
    await at.rest(0.5)
    await at.open(asked)
    if asked.reads_screen:
        await at.read_screen(asked)
    await at.scan(f"BD:S:{asked.slot}")
    await at.rest(0.5)
    await at.scan("BD:A:YES")
    await at.rest(0.4)
    await at.press("Enter")


# --- A question is open and was read.


@wrong(When.ASKED, "answering.taken_back")
async def the_wrong_label(at: AtWork, asked: Asked) -> bool:
    other = at.elsewhere(asked)
    await at.scan(f"BD:S:{other.slot}")
    sight = await at.until(lambda s: s.slot == other.slot, within_s=4)
    at.referee.must(sight.slot == other.slot, f"another label doesn't open its slot: {sight}")
    at.referee.must(not sight.held, f"a label answers: {sight}")
    await at.rest()
    # Only now does somebody see whose it is.
    if not sight.gate:
        return False
    await at.press("n")
    held = (await at.until(lambda s: s.held, within_s=2)).held
    await at.press("Escape")
    return bool(held)


@wrong(When.ASKED)
async def ones_own_badge_into_the_note(at: AtWork, asked: Asked) -> None:
    await badge_into_note(at, asked, key_s=0.005)


@wrong(When.ASKED)
async def ones_own_badge_into_the_note_by_a_slow_reader(at: AtWork, asked: Asked) -> None:
    await badge_into_note(at, asked, key_s=SLOW_S)


@wrong(When.ASKED)
async def ones_own_badge_into_the_note_by_the_slowest_reader(at: AtWork, asked: Asked) -> None:
    await badge_into_note(at, asked, key_s=SLOWEST_S)


@wrong(When.ASKED)
async def the_others_badge_into_the_note(at: AtWork, asked: Asked) -> None:
    other = WORKER if asked.who is SECOND else SECOND
    await to_note(at)
    await at.scan(other.badge, key_s=SLOW_S)
    sight = await at.until(lambda s: s.is_here(other))
    at.referee.must(sight.is_here(other), f"a badge in the note doesn't switch: {sight}")
    at.referee.must(not sight.held, f"a badge answers: {sight}")


@wrong(When.ASKED)
async def ones_own_badge_by_a_slow_reader_at_a_question(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.who.badge, key_s=SLOW_S)
    await at.rest(0.6)
    sight = await at.look()
    at.referee.must(not sight.held, f"a badge answers: {sight}")
    at.referee.must(sight.is_here(asked.who), f"signed out: {sight}")


@wrong(When.ASKED)
async def ones_own_badge_by_the_slowest_reader_at_a_question(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.who.badge, key_s=SLOWEST_S)
    await at.rest(0.6)
    sight = await at.look()
    at.referee.must(not sight.held, f"a badge answers: {sight}")
    at.referee.must(sight.is_here(asked.who), f"signed out: {sight}")


@wrong(When.ASKED, but=only(Gate.IMEI, Gate.OBSERVE))
async def the_handsets_imei_where_none_is_asked_for(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.imei)
    await opens_and_holds_nothing(at, asked.slot)


@wrong(When.ASKED, but=only(Gate.IMEI, Gate.OBSERVE))
async def the_handsets_imei_by_a_slow_reader(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.imei, key_s=SLOW_S)
    await opens_and_holds_nothing(at, asked.slot)


@wrong(When.ASKED, "answering.others_imei", gates=only(Gate.IMEI, Gate.OBSERVE))
async def anothers_imei(at: AtWork, asked: Asked) -> None:
    other = at.elsewhere(asked)
    await at.scan((await at.rack.hands.screen(other.slot)).imei)
    sight = await at.until(lambda s: s.slot != asked.slot, within_s=2)
    at.referee.must(sight.slot == asked.slot, f"thrown off the question, to {sight}")


@wrong(When.ASKED, "answering.others_imei", gates=only(Gate.IMEI, Gate.OBSERVE))
async def anothers_imei_into_the_note_by_a_slow_reader(at: AtWork, asked: Asked) -> None:
    other = at.elsewhere(asked)
    await to_note(at)
    await at.scan((await at.rack.hands.screen(other.slot)).imei, key_s=SLOW_S)
    await at.leave_field()
    await at.press("y")
    if (await at.until(lambda s: s.held, within_s=1)).held:
        await at.rest(0.4)
        await at.press("Escape")


@wrong(
    When.ASKED,
    "refusal.screen_number_needed",
    "answering.code_unknown",
    gates=only(Gate.IMEI, Gate.OBSERVE),
)
async def an_imei_that_was_misread(at: AtWork, asked: Asked) -> None:
    last = str((int(asked.imei[-1]) + 1) % 10)
    await at.scan(asked.imei[:-1] + last)


@wrong(When.ASKED, "refusal.screen_number_needed", gates=only(Gate.IMEI))
async def a_yes_without_the_number(at: AtWork, _: Asked) -> None:
    await at.leave_field()
    await at.press("y")
    await at.rest(0.4)
    await at.press("Enter")


@wrong(
    When.ASKED, "refusal.look_up_result_needed", "answering.sign_differs", gates=only(Gate.NETWORK)
)
async def a_yes_without_the_sign(at: AtWork, _: Asked) -> None:
    await at.scan("BD:A:YES")


@wrong(When.ASKED, "answering.sign_elsewhere", but=only(Gate.NETWORK))
async def a_sign_where_none_is_asked_for(at: AtWork, _: Asked) -> None:
    await at.scan("BD:A:CIRCLE")


@wrong(
    When.ASKED,
    "refusal.second_person_needed",
    "refusal.not_allowed",
    "answering.own_work",
    "answering.needs_role",
    gates=only(Gate.CONFIRM),
)
async def ones_own_work(at: AtWork, asked: Asked) -> None:
    await at.sign_in(WORKER)
    await at.rest()
    await at.open(asked)
    await at.press("y")
    await at.rest(0.4)
    await at.press("Enter")


@wrong(When.ASKED, "answering.code_unknown", "page.product_code", "page.badge_unknown")
async def a_products_code_at_a_question(at: AtWork, asked: Asked) -> None:
    await at.scan(PRODUCT)
    sight = await at.look()
    at.referee.must(sight.slot == asked.slot, f"thrown off the question, to {sight}")


@wrong(When.ASKED, "answering.code_unknown", but=only(Gate.IMEI, Gate.OBSERVE))
async def nobodys_imei_at_a_question(at: AtWork, asked: Asked) -> None:
    await at.scan(NOBODYS_IMEI)
    sight = await at.until(lambda s: s.slot != asked.slot, within_s=2)
    at.referee.must(sight.slot == asked.slot, f"thrown off the question, to {sight}")


@wrong(When.ASKED)
async def a_reload_at_a_question(at: AtWork, asked: Asked) -> None:
    await at.page.reload()
    await at.seen.live()
    sight = await at.until(lambda s: s.slot == asked.slot)
    at.referee.must(sight.slot == asked.slot, f"the question is lost by a reload: {sight}")


@wrong(When.ASKED, "answering.no_question", "refusal.not_found", "page.question_gone")
async def another_tab_was_faster(at: AtWork, asked: Asked) -> None:
    async with second_tab(at) as tab:
        if not (await tab.open(asked) and await tab.give(asked)):
            at.referee.fault(f"the second tab can't answer: {await tab.all_told()}")
            return
        await tab.send(asked)
    await at.press("y")


# --- An answer waits for its five seconds.


@wrong(When.HELD, "answering.taken_back")
async def escape(at: AtWork, _: Asked) -> None:
    await at.press("Escape")


@wrong(When.HELD, "answering.taken_back")
async def the_card_to_take_it_back(at: AtWork, _: Asked) -> None:
    await at.scan("BD:A:CANCEL")


@wrong(When.HELD, "answering.dropped_left")
async def a_reload(at: AtWork, _: Asked) -> None:
    await at.page.reload()
    await at.seen.live()


@wrong(When.HELD, "answering.dropped_left")
async def to_another_page(at: AtWork, _: Asked) -> None:
    await at.seen.go("board?lang=ja")
    await at.rest()
    await at.seen.go("?lang=ja")
    await at.seen.live()


@wrong(When.HELD, "answering.dropped_locked")
async def the_lock(at: AtWork, _: Asked) -> None:
    await at.press("F9")


@wrong(When.HELD, "answering.dropped_person")
async def the_others_badge(at: AtWork, asked: Asked) -> None:
    await at.scan((WORKER if asked.who is SECOND else SECOND).badge)


@wrong(When.HELD, "answering.given_already", sent=True)
async def the_other_answer_too(at: AtWork, asked: Asked) -> None:
    await at.scan("BD:A:NO" if asked.approved else "BD:A:YES")


@wrong(When.HELD, sent=True)
async def the_same_card_twice(at: AtWork, asked: Asked) -> None:
    await at.scan("BD:A:YES" if asked.approved else "BD:A:NO", again=True)


@wrong(When.HELD, sent=True)
async def enter_twice(at: AtWork, _: Asked) -> None:
    await send_at_once(at)
    await at.page.keyboard.press("Enter")


@wrong(When.HELD, sent=True)
async def the_next_label(at: AtWork, asked: Asked) -> None:
    await at.scan(f"BD:S:{at.elsewhere(asked).slot}")
    await at.rest(BACK_S)


@wrong(
    When.HELD,
    "answering.code_first",
    "answering.just_come",
    "answering.no_question",
    sent=True,
)
async def the_same_card_at_what_comes_next(at: AtWork, asked: Asked) -> None:
    await send_at_once(at)
    await at.until(lambda s: not s.held and not s.shows(asked.slot, asked.gate))
    await at.scan("BD:A:YES")


@wrong(When.HELD, sent=True)
async def the_same_key_at_what_comes_next(at: AtWork, asked: Asked) -> None:
    await send_at_once(at)
    await at.until(lambda s: not s.shows(asked.slot, asked.gate))
    await at.press("y", "Enter")
    await at.rest(0.5)
    sight = await at.look()
    others = [one for one in sight.held if not one.startswith(asked.slot)]
    at.referee.must(not others, f"a key answers what nobody has read: {sight}")


@wrong(
    When.HELD,
    "answering.dropped_question",
    "refusal.not_found",
    "refusal.answered_already",
    sent=True,
)
async def both_tabs(at: AtWork, asked: Asked) -> bool:
    async with second_tab(at) as tab:
        if not (await tab.open(asked) and await tab.give(by_key(asked))):
            # The first one has gone by itself meanwhile.
            return False
        await tab.forget()
        # Of the two answers one is meant: `sent` counts it.
        await send_at_once(tab)
        await tab.until(lambda s: not s.held)
        # Whichever came second is told so; the caller looks at the first one.
        causes = ("refusal.not_found", "refusal.answered_already")
        with anyio.move_on_after(6):
            while not await at.told("answering.dropped_question", *causes, within_s=0):
                if await tab.told(*causes, within_s=0.05):
                    return False
        return True


# --- On another page.


@wrong(When.ELSEWHERE)
async def a_badge_on_another_page(at: AtWork, asked: Asked) -> None:
    await at.scan(asked.who.badge, key_s=SLOW_S)
    sight = await at.until(lambda s: s.is_here(asked.who))
    at.referee.must(sight.is_here(asked.who) and sight.strong, f"signed out: {sight}")


@wrong(When.ELSEWHERE, "answering.on_the_wall")
async def an_answer_on_another_page(at: AtWork, _: Asked) -> None:
    await at.scan("BD:A:YES")


@wrong(When.ELSEWHERE, "page.badge_unknown", "そのバッジ・ID・PINの人はいません")
async def nobodys_badge_on_another_page(at: AtWork, _: Asked) -> None:
    await at.scan(NOBODYS_BADGE)


# --- What several of them do.


@asynccontextmanager
async def second_tab(at: AtWork) -> AsyncGenerator[AtWork]:
    """The same wall once more, in the same browser."""
    page = await at.page.context.new_page()
    await page.goto(at.seen.at("?lang=ja"))
    tab = replace(at, seen=Visit(page, at.seen.base))
    await tab.seen.live()
    yield tab
    await page.close()


async def send_at_once(at: AtWork) -> None:
    await at.rest(0.4)
    await at.press("Enter")


async def to_note(at: AtWork) -> None:
    await at.press("i")
    await expect(at.page.locator('#panel input[name="note"]')).to_be_focused(timeout=5000)


async def badge_into_note(at: AtWork, asked: Asked, *, key_s: float) -> None:
    # At `confirm` the code by which it was opened stands there.
    before = (await at.look()).note
    await to_note(at)
    await at.scan(asked.who.badge, key_s=key_s)
    await at.rest(0.5)
    sight = await at.look()
    at.referee.must(sight.note == before, "the note isn't as it was before a badge")
    at.referee.must(not sight.held, f"a badge answers: {sight}")
    at.referee.must(sight.is_here(asked.who), f"signed out: {sight}")


async def opens_and_holds_nothing(at: AtWork, slot: str) -> None:
    sight = await at.until(lambda s: s.slot == slot, within_s=4)
    at.referee.must(sight.slot == slot, f"{slot} isn't opened: {sight} {await at.heard()}")
    await anyio.sleep(0.6)
    sight = await at.look()
    at.referee.must(not sight.held, f"a code answers: {sight}")
