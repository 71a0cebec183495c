"""What must never be taken for an answer: keys, notes and scans that were meant elsewhere."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chromium import needs_chromium
from playwright.async_api import expect
from scanner import install_clock, scan
from screens import A2, BADGE, IMEI, Screen, Screens

from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.people import ShownBy, SignedIn
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Callers, session_way
from tests.people.somebody import somebody
from tests.web.fake_sessions import FakeSessions
from tests.web.web_fakes import A1

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

FINGER_MS = 220


async def nothing_is_sent(one: Screen) -> None:
    """Also not by the end of the time in which an answer can be taken back."""
    await one.page.clock.fast_forward(6_000)
    await expect(one.waiting).to_have_count(0)
    assert one.answers == []


async def opened(one: Screen, gate: Gate = Gate.CONSENT) -> SlotView:
    """A1's question, opened by a press on its tile; time can be wound on from here."""
    await install_clock(one.seen)
    view = one.ask(A1, "job-1", gate)
    await one.seen.shows("A1", "S-job-1")
    await one.seen.open("A1")
    await one.shows("job-1")
    return view


def instead(view: SlotView, gate: Gate) -> SlotView:
    assert view.question is not None
    return replace(view, question=replace(view.question, gate=gate))


def over(view: SlotView) -> SlotView:
    """Somebody else has answered it."""
    return replace(view, question=None, state=SlotState.RUNNING)


class BadgeSessions(FakeSessions):
    """Everybody has shown a badge and no PIN yet."""

    def _of(self, name: str) -> SignedIn:
        return replace(super()._of(name), actor=somebody(name, ShownBy.BADGE))


async def test_a_pin_answers_no_question_that_its_badge_has_brought(screens: Screens) -> None:
    door = BadgeSessions()
    callers = Callers((session_way(door),), anonymous=AccessLevel.WALL)
    async with screens({"callers": callers, "sessions": door}) as one:
        seen = one.seen
        await install_clock(seen)
        one.ask(A1, "job-1", Gate.GUIDED_RESET)
        await seen.open("A1")
        await expect(seen.panel(".asking input").first).to_be_visible()
        await scan(seen, BADGE)
        await one.shows("job-1")
        pin = seen.panel('input[name="pin"]')
        await expect(pin).to_be_focused()
        await seen.page.keyboard.type("1234", delay=FINGER_MS)
        await expect(pin).to_have_value("1234")
        # Nor where the field has lost the focus, and the question has been there for long.
        await one.may_be_read()
        await pin.evaluate("field => field.blur()")
        await seen.page.keyboard.type("1", delay=FINGER_MS)
        await seen.page.keyboard.press("Enter")
        await nothing_is_sent(one)
        # Whoever scans its code means it.
        await scan(seen, "BD:S:A1")
        await seen.page.keyboard.press("1")
        await expect(one.waiting).to_have_count(1)


async def test_what_is_typed_on_for_a_note_that_went_away_is_no_answer(screens: Screens) -> None:
    async with screens() as one:
        view = await opened(one)
        one.ask(A2, "job-2")
        await one.seen.shows("A2", "S-job-2")
        await one.seen.panel("input[name=note]").focus()
        await one.page.keyboard.type("see", delay=FINGER_MS)
        one.rack.board.show(over(view))
        await expect(one.seen.panel(".over")).to_be_visible()
        await expect(one.said).to_contain_text("入力していた質問は")
        # N would open the next question, and 1 answer it.
        await one.page.keyboard.type("n 117", delay=FINGER_MS)
        await one.page.keyboard.press("Enter")
        await expect(one.seen.panel(".over")).to_be_visible()
        await nothing_is_sent(one)
        # After a pause, and on purpose, keys count again.
        await one.page.keyboard.press("Enter")
        await one.page.keyboard.press("n")
        await one.shows("job-2")


async def test_what_is_typed_on_for_a_note_whose_question_was_replaced_is_no_answer(
    screens: Screens,
) -> None:
    async with screens() as one:
        view = await opened(one)
        await one.seen.panel("input[name=note]").focus()
        await one.page.keyboard.type("see", delay=FINGER_MS)
        one.rack.board.show(instead(view, Gate.JPKI))
        await expect(one.seen.panel(".question")).to_contain_text("電子証明書")
        await one.page.keyboard.type(" paper 117", delay=FINGER_MS)
        await one.page.keyboard.press("Enter")
        await one.page.clock.fast_forward(3_000)
        await one.may_be_read()
        # Not after a pause either: somebody may be looking for the next letter.
        await one.page.keyboard.type("1", delay=FINGER_MS)
        await one.page.clock.fast_forward(1_000)
        await nothing_is_sent(one)
        # A scan is meant.
        await scan(one.seen, "BD:S:A1")
        await one.page.keyboard.press("1")
        await expect(one.waiting).to_have_count(1)


async def test_a_question_that_comes_after_a_while_without_one_is_read_first(
    screens: Screens,
) -> None:
    async with screens() as one:
        view = await opened(one)
        one.rack.board.show(over(view))
        await expect(one.seen.panel(".over")).to_be_visible()
        # A press for the next question, in the very moment in which this slot asks something else.
        await one.page.evaluate("""() => { const seen = new MutationObserver(() => {
          const yes = document.querySelector('#panel .yes');
          if (!yes) return;
          seen.disconnect();
          window.rested = yes.disabled;
          const how = { key: 'n', bubbles: true, cancelable: true };
          document.body.dispatchEvent(new KeyboardEvent('keydown', how)); });
          seen.observe(document.querySelector('#panel'), { childList: true, subtree: true }); }""")
        one.rack.board.show(instead(view, Gate.JPKI))
        await one.page.wait_for_function("() => window.rested === true")
        # Cards aren't taken for it so soon either.
        await scan(one.seen, "BD:S:A1")
        await scan(one.seen, "BD:A:YES")
        await nothing_is_sent(one)


async def test_enter_sends_the_answer_to_what_is_shown(screens: Screens) -> None:
    async with screens() as one:
        one.ask(A1, "job-1")
        one.ask(A2, "job-2")
        await one.seen.shows("A2", "S-job-2")
        for slot, job in ((A1, "job-1"), (A2, "job-2")):
            await scan(one.seen, f"BD:S:{slot}")
            await one.shows(job)
            await one.seen.panel(".yes").click()
        await expect(one.waiting).to_have_count(2)
        await scan(one.seen, IMEI[A1])
        await one.shows("job-1")
        await one.seen.press("Enter")
        await expect(one.waiting.filter(has_text="A1")).to_have_count(0)
        assert one.answers[0] == ("job-1", "consent", True, "")


async def test_a_look_up_of_one_handset_is_none_of_another_with_its_serial(
    screens: Screens,
) -> None:
    async with screens() as one:
        await install_clock(one.seen)
        note = one.seen.panel("input[name=note]")
        for slot, job, serial in ((A1, "job-1", "0123456789ABCDEF"), (A2, "job-2", "")):
            view = one.ask(slot, job, Gate.NETWORK)
            await one.seen.shows(slot, f"S-{job}")
            assert view.identity is not None
            twin = replace(view, identity=replace(view.identity, serial=serial, imei=None))
            one.rack.board.show(twin)
            await expect(one.seen.tile(slot)).not_to_contain_text(f"S-{job}")
            await scan(one.seen, f"BD:S:{slot}")
            await note.fill("○ 11:02")
            await one.seen.panel(".question").click()
            await scan(one.seen, "BD:A:CIRCLE")
            await expect(one.waiting).to_have_count(1)
            # Pulled out before it is sent; another one is put in.
            one.rack.board.show(replace(twin, occupancy=99, job=JobId(f"job-1{job[-1]}")))
            await expect(one.waiting).to_have_count(0)
            await expect(note).to_have_value("")
            await nothing_is_sent(one)


async def test_what_was_scanned_is_neither_the_next_persons_nor_for_the_same_when_asked_again(
    screens: Screens,
) -> None:
    async with screens() as one:
        view = await opened(one, Gate.IMEI)
        await scan(one.seen, "BD:S:A1")
        note = one.seen.panel("input[name=note]")
        await note.fill(IMEI[A1])
        await one.seen.panel(".question").click()
        one.rack.board.show(over(view))
        await expect(one.seen.panel(".over")).to_be_visible()
        one.rack.board.show(view)
        await one.shows("job-1")
        await expect(note).to_have_value("")
        await one.may_be_read()
        await scan(one.seen, "BD:A:YES")
        await expect(one.said).to_contain_text("先に")
        await nothing_is_sent(one)
        await note.fill(IMEI[A1])
        await one.seen.panel(".question").click()
        await scan(one.seen, "SUZUKI-1002")
        await expect(one.seen.panel(".who")).to_have_text("SUZUKI-1002")
        await expect(note).to_have_value("")
        await one.seen.panel(".yes").click()
        await expect(one.seen.panel(".refused")).not_to_be_empty()
        await nothing_is_sent(one)


LATE_LETTERS = """() => {
  const down = key => document.body.dispatchEvent(
    new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  new MutationObserver(() => {
    if (window.late || !document.querySelector('#given li')) return;
    window.late = true;
    for (const key of 'XYZ77') down(key);
  }).observe(document.body, { childList: true, subtree: true });
  down('1'); }"""


async def test_a_reader_that_stutters_and_an_enter_that_comes_too_soon_answer_nothing(
    screens: Screens,
) -> None:
    async with screens() as one:
        await opened(one)
        keys = one.page.keyboard
        for last in ("1", "X", ""):
            # The button that has the focus mustn't be pressed by the reader's Enter either.
            await one.seen.panel(".yes").focus()
            await keys.type("TX1", delay=5)
            await keys.type("7", delay=FINGER_MS)
            await keys.type(last, delay=5)
            await keys.press("Enter")
            await nothing_is_sent(one)
            await one.seen.panel(".yes").focus()
        # Right after a key it may be a reader's Enter, which sends nothing.
        await scan(one.seen, "1", key_s=0.1)
        await expect(one.waiting).to_have_count(1)
        await keys.press("Escape")
        await nothing_is_sent(one)
        # A reader that stutters after its first letter.
        await one.page.evaluate(LATE_LETTERS)
        await one.page.wait_for_function("() => window.late")
        await nothing_is_sent(one)


async def test_enter_on_a_button_presses_that_button(screens: Screens) -> None:
    async with screens() as one:
        await opened(one)
        for key in ("Enter", "Space"):
            await one.seen.panel(".yes").click()
            await expect(one.waiting).to_have_count(1)
            await one.page.locator("#given li button").first.focus()
            await one.seen.press(key)
            await expect(one.said).to_contain_text("取り消しました")
        await nothing_is_sent(one)


async def test_neither_a_slot_that_is_taken_off_the_rack_nor_a_kiosk_is_asked_anything(
    screens: Screens,
) -> None:
    async with screens() as one:
        one.ask(A1, "job-1")
        await one.seen.go("?kiosk")
        await one.seen.shows("A1", "S-job-1")
        await scan(one.seen, "BD:A:NEXT")
        await expect(one.said).to_contain_text("回答できません")
        await expect(one.seen.panel()).to_be_hidden()
        await one.seen.go("")
        await one.seen.live()
        await opened(one)
        one.ask(A2, "job-2")
        await one.seen.shows("A2", "S-job-2")
        await one.seen.panel(".yes").click()
        one.rack.board.arrange([A2])
        await expect(one.seen.tile("A1")).to_have_count(0)
        await expect(one.seen.panel()).to_be_hidden()
        # Which complains, if what is open has no slot.
        await one.page.locator("#language").click()
        await expect(one.page.locator("html")).to_have_attribute("lang", "en")
        await nothing_is_sent(one)
