"""Answers by card, key and press: of the question that was seen, with time to take them back."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import pytest
from chromium import needs_chromium
from playwright.async_api import Route, expect
from scanner import install_clock, scan
from screens import A2, BADGE, IMEI, Screen, Screens

from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Gate
from benchd.domain.slot_states import SlotState
from tests.people.somebody import somebody
from tests.web.web_fakes import A1

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]


async def test_a_card_answers_the_question_that_was_seen_after_its_code(screens: Screens) -> None:
    async with screens() as one:
        one.ask(A1, "job-1")
        one.ask(A2, "job-2")
        await one.seen.shows("A2", "S-job-2")
        # Nothing has been scanned: nothing is answered.
        await scan(one.seen, "BD:A:YES")
        await expect(one.said).to_contain_text("先に")
        await scan(one.seen, "BD:S:A1")
        await one.shows("job-1")
        await scan(one.seen, "BD:A:YES")
        await expect(one.waiting).to_contain_text("A1")
        assert one.answers == []
        await one.seen.send_now()
        assert (one.given_as, one.given_to) == ([somebody(BADGE).person], [1])
        assert one.answers == [("job-1", "consent", True, "")]
        # The next question has opened by itself; a card that is read once more doesn't answer it.
        await one.shows("job-2")
        await scan(one.seen, "BD:A:NO")
        await expect(one.said).to_contain_text("先に")
        await one.may_be_read()
        await scan(one.seen, IMEI[A2])
        await scan(one.seen, "BD:A:NO")
        await scan(one.seen, "BD:A:NO")
        await scan(one.seen, "BD:A:NEXT")
        await expect(one.waiting).to_have_count(0)
        assert one.answers[1:] == [("job-2", "consent", False, "")]


async def test_a_card_doesnt_answer_what_has_come_in_the_place_of_what_was_seen(
    screens: Screens,
) -> None:
    async with screens() as one:
        view = one.ask(A1, "job-1")
        await one.seen.shows("A1", "S-job-1")
        await scan(one.seen, IMEI[A1])
        await one.shows("job-1")
        # The same job asks something else.
        one.rack.board.show(replace(view, question=replace(view.question, gate=Gate.JPKI)))  # type: ignore[arg-type]
        await expect(one.seen.panel(".question")).to_contain_text("電子証明書")
        await scan(one.seen, "BD:A:YES")
        await expect(one.said).to_contain_text("先に")
        # Nor is what waits sent where the question goes meanwhile.
        await one.may_be_read()
        await scan(one.seen, "BD:S:A1")
        await scan(one.seen, "BD:A:YES")
        await expect(one.waiting).to_have_count(1)
        one.ask(A1, "job-2")
        await expect(one.waiting).to_have_count(0)
        await expect(one.said).to_contain_text("この質問はもう出ていない")
        assert one.answers == []


async def test_five_seconds_to_take_an_answer_back(screens: Screens) -> None:
    async with screens() as one:
        await install_clock(one.seen)
        one.ask(A1, "job-1")
        await one.seen.open("A1")
        await one.seen.panel(".no").click()
        await expect(one.waiting).to_contain_text("いいえ")
        await expect(one.seen.panel(".yes")).to_be_disabled()
        await one.page.clock.fast_forward(4_000)
        await one.page.keyboard.press("Escape")
        await expect(one.said).to_contain_text("取り消しました")
        await expect(one.seen.panel(".yes")).to_be_enabled()
        await one.page.clock.fast_forward(6_000)
        assert one.answers == []
        # By card too.
        await scan(one.seen, "BD:S:A1")
        await scan(one.seen, "BD:A:NO")
        await expect(one.waiting).to_have_count(1)
        await scan(one.seen, "BD:A:CANCEL")
        await expect(one.waiting).to_have_count(0)
        await one.seen.panel(".yes").click()
        await one.page.clock.fast_forward(5_100)
        await expect(one.seen.panel()).to_be_hidden()
        assert one.answers == [("job-1", "consent", True, "")]


async def test_the_page_goes_on_though_the_question_went_before_its_answer_was_taken(
    screens: Screens,
) -> None:
    async with screens() as one:
        view = one.ask(A1, "job-1")

        async def late(route: Route) -> None:
            one.rack.board.show(replace(view, question=None, state=SlotState.RUNNING))
            await expect(one.seen.panel(".over")).to_be_visible()
            await route.continue_()

        await one.seen.shows("A1", "S-job-1")
        await one.page.route("**/decisions", late)
        await scan(one.seen, "BD:S:A1")
        await one.shows("job-1")
        await one.seen.panel(".yes").click()
        await one.seen.send_now()
        await expect(one.seen.panel()).to_be_hidden()
        assert one.answers == [("job-1", "consent", True, "")]


async def test_an_answer_is_dropped_where_nobody_vouches_for_it_any_more(screens: Screens) -> None:
    async with screens() as one:
        one.ask(A1, "job-1")
        await one.seen.shows("A1", "S-job-1")
        await scan(one.seen, "BD:S:A1")
        await scan(one.seen, "BD:A:YES")
        await expect(one.waiting).to_have_count(1)
        await scan(one.seen, "SUZUKI-1002")
        await expect(one.said).to_contain_text("担当者が替わったため")
        await expect(one.seen.panel(".who")).to_have_text("SUZUKI-1002")
        # What the one before has seen, the other one hasn't.
        await scan(one.seen, "BD:A:YES")
        await expect(one.said).to_contain_text("先に")
        await one.seen.panel(".yes").click()
        await one.page.keyboard.press("F9")
        await expect(one.said).to_contain_text("ロックされたため")
        await scan(one.seen, BADGE)
        await scan(one.seen, "BD:S:A1")
        await one.seen.panel(".yes").click()
        await one.page.reload()
        await expect(one.said).to_contain_text("ページを離れたため")
        await one.shows("job-1")
        assert one.answers == []


async def test_another_badge_names_each_answer_that_was_dropped_and_the_number_that_is_gone(
    screens: Screens,
) -> None:
    async with screens() as one:
        one.ask(A1, "job-1")
        one.ask(A2, "job-2", Gate.IMEI)
        await one.seen.shows("A2", "S-job-2")
        await scan(one.seen, "BD:S:A1")
        await scan(one.seen, "BD:A:YES")
        await scan(one.seen, "BD:S:A2")
        await one.shows("job-2")
        await one.seen.panel("input[name=note]").fill(IMEI[A2])
        await one.seen.panel(".yes").click()
        await expect(one.waiting).to_have_count(2)
        await scan(one.seen, "SUZUKI-1002")
        await expect(one.seen.panel(".who")).to_have_text("SUZUKI-1002")
        dropped = "担当者が替わったため、回答は送られませんでした"
        await expect(one.said).to_contain_text(f"A1: {dropped}")
        await expect(one.said).to_contain_text(f"A2: {dropped}")
        await expect(one.said).to_contain_text("SATO-1001 が入力していたメモは消しました")
        # The next thing that is done takes all of it away.
        await one.seen.panel("input[name=note]").fill(IMEI[A2])
        await one.seen.panel(".yes").click()
        await expect(one.said).to_be_empty()
        assert one.answers == []


async def test_keys_answer_only_what_is_on_the_screen_and_no_scan_is_a_key(
    screens: Screens,
) -> None:
    async with screens() as one:
        one.ask(A1, "job-1")
        one.ask(A2, "job-2")
        await one.seen.shows("A2", "S-job-2")
        await one.page.keyboard.press("y")
        await one.page.keyboard.press("ArrowRight")
        await one.page.keyboard.press("ArrowRight")
        await expect(one.seen.tile("A2").locator("button")).to_be_focused()
        await one.page.keyboard.press("ArrowLeft")
        # So soon after a key it may be a reader's.
        await one.page.wait_for_timeout(400)
        await one.page.keyboard.press("Enter")
        await one.shows("job-1")
        assert await one.waiting.count() == 0
        # Codes that begin like an answer's key.
        badge = "2" * 16
        for code in ("1001", "Y-17", badge, "N1"):
            await scan(one.seen, code)
        # One of them was a badge: for whoever has come, the question has only just come too.
        await expect(one.page.locator("#operator .who")).to_have_text(badge)
        assert await one.waiting.count() == 0
        await one.may_be_read()
        await one.page.keyboard.press("2")
        await expect(one.waiting).to_contain_text("いいえ")
        await one.seen.send_now()
        await one.shows("job-2")
        assert one.answers == [("job-1", "consent", False, "")]
        await one.page.keyboard.press("Escape")
        await expect(one.seen.panel()).to_be_hidden()
        await one.page.keyboard.press("n")
        await expect(one.seen.panel(".yes")).to_be_enabled()
        # In a field they are letters.
        await one.seen.panel("input[name=note]").press_sequentially("y1n")
        assert await one.waiting.count() == 0
        await one.seen.panel(".question").focus()


async def test_signs_of_the_look_up_are_the_answer_to_it_alone(screens: Screens) -> None:
    async with screens() as one:
        one.ask(A1, "job-1", Gate.NETWORK)
        await one.seen.shows("A1", "S-job-1")
        for card in ("CIRCLE", "TRIANGLE", "DASH", "CROSS"):
            await scan(one.seen, "BD:S:A1")
            await one.shows("job-1")
            await scan(one.seen, f"BD:A:{card}")
            await one.seen.send_now()
            one.ask(A1, "job-1", Gate.JPKI)
            await expect(one.seen.tile("A1")).to_contain_text("電子証明書")
            one.ask(A1, "job-1", Gate.NETWORK)
            await expect(one.seen.tile("A1")).to_contain_text("利用制限")
        assert [answer[2:] for answer in one.answers] == [
            (True, "○"),
            (True, "△"),
            (True, "-"),
            (False, "×"),
        ]
        # A yes says which sign it was, or isn't one; the page says so at once.
        await scan(one.seen, "BD:S:A1")
        await scan(one.seen, "BD:A:YES")
        await expect(one.seen.panel(".refused")).to_contain_text("記号")
        one.ask(A2, "job-2", Gate.CONSENT)
        # A code of a slot that the page hasn't been told of is none.
        await expect(one.seen.tile("A2")).to_be_visible()
        await scan(one.seen, "BD:S:A2")
        await one.shows("job-2")
        await scan(one.seen, "BD:A:CIRCLE")
        await expect(one.said).to_contain_text("だけに使えます")
        assert len(one.answers) == 4


async def test_what_is_half_typed_survives_updates_and_a_reload_and_nobody_elses_badge(
    screens: Screens,
) -> None:
    async with screens() as one:
        view = one.ask(A1, "job-1")
        await one.seen.shows("A1", "S-job-1")
        await scan(one.seen, "BD:S:A1")
        note = one.seen.panel("input[name=note]")
        await note.fill("書類 No.1")
        await note.focus()
        close = await one.seen.panel(".close").element_handle()
        one.rack.board.show(replace(view, recipe="delete"))
        one.rack.board.show(replace(view, identity=replace(view.identity, android="14")))  # type: ignore[arg-type]
        await expect(one.seen.panel(".identity")).to_contain_text("14")
        await expect(note).to_be_focused()
        # The very button that a finger is on.
        assert close is not None
        assert await close.evaluate("button => button.isConnected")
        await one.page.reload()
        await one.shows("job-1")
        await expect(note).to_have_value("書類 No.1")
        await scan(one.seen, "SUZUKI-1002")
        await expect(one.seen.panel(".who")).to_have_text("SUZUKI-1002")
        await one.page.reload()
        await expect(one.page.locator("#operator .who")).to_have_text("SUZUKI-1002")
        await one.seen.open("A1")
        await expect(note).to_have_value("")
        assert "No.1" not in await one.page.evaluate("() => JSON.stringify(sessionStorage)")
        # It survives a daemon that asks the same in another job too.
        await note.fill("書類 No.1")
        one.rack.board.show(replace(view, job=JobId("job-9")))
        await one.page.reload()
        await one.shows("job-1")
        await expect(note).to_have_value("書類 No.1")
        # Another handset's is its own.
        one.ask(A1, "job-3")
        await one.page.reload()
        await one.shows("job-3")
        await expect(note).to_have_value("")


STEPS = ("slot", "imei", "card", "twice", "asks", "enter", "back")
WEIGHTS = (6, 4, 7, 2, 3, 5, 1)
SCRIPT = """
code => {
  const stamp = code => {
    const how = { bubbles: true, cancelable: true };
    const target = () => document.activeElement ?? document.body;
    for (const key of [...code, 'Enter'])
      target().dispatchEvent(new KeyboardEvent('keydown', { key, ...how }));
  };
  if (code) stamp(code);
  const panel = document.querySelector('#panel');
  if (!panel.open || !panel.querySelector('.yes')) return null;
  return panel.querySelector('.identity').textContent.match(/S-(job-\\d+)/)?.[1] ?? null;
}
"""


@dataclass
class Shift:
    """Drawn steps at a screen, and what each of them has shown."""

    one: Screen
    chance: random.Random
    asked: int = 0
    seen_after_code: str | None = None
    may_be_sent: dict[str, set[bool]] = field(default_factory=dict)

    async def ask(self, slot: SlotName) -> None:
        self.asked += 1
        self.one.ask(slot, f"job-{self.asked}")
        if self.chance.random() < 0.5:
            await self.one.seen.shows(slot, f"S-job-{self.asked}")

    async def card(self, times: int) -> None:
        yes = self.chance.choice((True, False))
        for _ in range(times):
            shown = await self.scan("")
            if shown is not None and shown == self.seen_after_code:
                self.may_be_sent.setdefault(shown, set()).add(yes)
            await self.scan(f"BD:A:{'YES' if yes else 'NO'}")
            self.seen_after_code = None

    async def scan(self, code: str) -> str | None:
        return await self.one.page.evaluate(SCRIPT, code)

    async def step(self) -> None:
        slot = self.chance.choice((A1, A2))
        match self.chance.choices(STEPS, WEIGHTS)[0]:
            case "slot":
                self.seen_after_code = await self.scan(f"BD:S:{slot}")
            case "imei":
                self.seen_after_code = await self.scan(IMEI[slot])
            case "card":
                await self.card(1)
            case "twice":
                await self.card(2)
            case "asks":
                await self.ask(slot)
            case "enter":
                await self.scan("BD:A:NEXT")
            case _:
                await self.scan("BD:A:CANCEL")
                self.seen_after_code = None


@pytest.mark.parametrize("seed", [20261126, 18, 7])
async def test_whatever_comes_between_an_answer_is_of_the_question_that_was_seen(
    screens: Screens, seed: int
) -> None:
    """Scans, twice-read cards, questions that change under them, in any order."""
    async with screens() as one:
        shift = Shift(one, random.Random(seed))
        for slot in (A1, A2):
            await shift.ask(slot)
        await one.seen.shows("A2", "S-job-2")
        for _ in range(60):
            await shift.step()
        await expect(one.waiting).to_have_count(0)
        for job, _, approved, _ in one.answers:
            assert approved in shift.may_be_sent.get(job, set()), (job, one.answers)
        assert one.answers, "a run without any answer shows nothing"
