"""What a page says before an answer is given: who can't give it, what it stops, and until when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from chromium import needs_chromium
from playwright.async_api import expect
from scanner import install_clock, scan
from screens import A2, BADGE, IMEI, Screen, Screens

from benchd.domain.ids import SlotName
from benchd.domain.job import Gate
from benchd.domain.people import PersonId, Role, ShownBy, SignedIn
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Callers, session_way
from tests.people.somebody import somebody
from tests.web.fake_sessions import FakeSessions
from tests.web.web_fakes import A1

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

ME = somebody(BADGE).person
OTHER = PersonId("suzuki-1002")


@dataclass
class Door(FakeSessions):
    """Believes every cookie, of people who are as it was told."""

    roles: frozenset[Role] = frozenset(Role)
    shown_by: ShownBy = ShownBy.BADGE_AND_PIN
    idle_s: float = 600

    def _of(self, name: str) -> SignedIn:
        told = super()._of(name)
        person = replace(told.person, roles=self.roles)
        actor = somebody(name, self.shown_by)
        return replace(told, actor=actor, person=person, idle_s=self.idle_s)

    @property
    def parts(self) -> dict[str, Any]:
        callers = Callers((session_way(self),), anonymous=AccessLevel.WALL)
        return {"callers": callers, "sessions": self}


def ask(one: Screen, slot: SlotName, job: str, gate: Gate, *answered_by: PersonId) -> None:
    """A question in whose job these have answered before."""
    view = one.ask(slot, job, gate)
    assert view.question is not None
    told = replace(view.question, answered_by=answered_by)
    one.rack.board.show(replace(view, question=told))


async def locked(one: Screen) -> None:
    """The page has seen that it is shown less, and is new."""
    await expect(one.page.locator("body")).to_have_attribute("data-shown", "wall")
    await one.seen.live()
    await expect(one.seen.panel()).to_be_hidden()


async def here(one: Screen, badge: str = BADGE) -> None:
    await scan(one.seen, badge)
    await expect(one.page.locator("#operator .who")).to_have_text(badge)


@pytest.mark.parametrize(
    ("door", "gate", "answered_by", "says"),
    [
        (Door(shown_by=ShownBy.BADGE), Gate.CONSENT, (), "PINが必要"),
        (Door(shown_by=ShownBy.BADGE), Gate.GUIDED_RESET, (), ""),
        (Door(roles=frozenset({Role.OPERATOR})), Gate.CONFIRM, (), "必要な役割: 確認者"),
        (Door(roles=frozenset({Role.OPERATOR})), Gate.SAME_HANDSET, (), "必要な役割: 責任者"),
        (Door(), Gate.CONFIRM, (ME,), "自分が作業した端末"),
        (Door(), Gate.CONFIRM, (OTHER,), ""),
    ],
)
async def test_item_5_the_buttons_say_what_an_answer_takes_before_it_is_given(
    screens: Screens, door: Door, gate: Gate, answered_by: tuple[PersonId, ...], says: str
) -> None:
    async with screens(door.parts) as one:
        await here(one)
        ask(one, A1, "job-1", gate, *answered_by)
        await one.seen.shows("A1", "S-job-1")
        await one.seen.open("A1")
        whys = one.seen.panel(".answers .why")
        await expect(whys).to_have_text([says, says])
        if says:
            await one.seen.panel(".yes").click()
            await expect(one.seen.panel(".refused")).not_to_be_empty()
            await expect(one.waiting).to_have_count(0)
            assert one.answers == []


async def test_item_5_who_has_signed_in_meanwhile_isnt_told_to(screens: Screens) -> None:
    async with screens() as one:
        ask(one, A1, "job-1", Gate.CONSENT)
        await one.page.keyboard.press("F9")
        await one.seen.shows("A1", "S-job-1")
        await one.seen.open("A1")
        whys = one.seen.panel(".answers .why")
        await expect(whys).to_have_text(["サインインが必要"] * 2)
        await one.seen.panel(".yes").click()
        await expect(one.seen.panel(".refused")).to_contain_text("サインインしていません")
        await here(one, OTHER)
        await expect(whys).to_have_text(["", ""])
        await expect(one.seen.panel(".refused")).to_be_empty()


SIGNS = (("○", "CIRCLE", True), ("△", "TRIANGLE", True), ("-", "DASH", True), ("×", "CROSS", False))


async def test_item_5_each_sign_of_the_look_up_has_its_button_with_its_key(
    screens: Screens,
) -> None:
    async with screens() as one:
        for number, (_, button, _) in enumerate(SIGNS, 1):
            one.ask(A1, f"job-{number}", Gate.NETWORK)
            await one.seen.shows("A1", f"S-job-{number}")
            await one.seen.open("A1")
            keys = one.seen.panel(".answers button")
            shown = await keys.evaluate_all("all => all.map(one => one.dataset.key)")
            assert shown == ["O", "V", "-", "X", "N"]
            await one.seen.panel(f'[data-answer="{button}"]').click()
            await one.seen.send_now()
        assert [answer[2:] for answer in one.answers] == [(yes, sign) for sign, _, yes in SIGNS]


async def test_item_5_a_sign_stands_before_what_was_typed_and_against_no_other_sign(
    screens: Screens,
) -> None:
    async with screens() as one:
        one.ask(A1, "job-1", Gate.NETWORK)
        await one.seen.shows("A1", "S-job-1")
        await one.seen.open("A1")
        note = one.seen.panel("input[name=note]")
        await note.fill("× 11:02")
        for button in ("CIRCLE", "TRIANGLE", "DASH"):
            await one.seen.panel(f'[data-answer="{button}"]').click()
            await expect(one.said).to_contain_text("違います")
            await expect(one.waiting).to_have_count(0)
        await note.fill("11:02")
        await one.seen.panel('[data-answer="TRIANGLE"]').click()
        await one.seen.send_now()
        assert one.answers == [("job-1", "network", True, "△ 11:02")]


DOUBLE_ENTER = """button => {
  button.focus();
  const down = () => document.activeElement.dispatchEvent(
    new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
  down();
  document.activeElement.click();
  down(); }"""
"""What a browser does with Enter on a button that has the focus, twice as fast as a finger."""


async def test_item_5_enter_sends_what_is_held_or_says_that_it_did_nothing(
    screens: Screens,
) -> None:
    async with screens() as one:
        one.ask(A1, "job-1")
        await one.seen.shows("A1", "S-job-1")
        await one.seen.open("A1")
        await one.may_be_read()
        # The second press of a double one would send what the first has only given.
        await one.seen.panel(".yes").evaluate(DOUBLE_ENTER)
        await expect(one.waiting).to_have_count(1)
        await expect(one.said).to_contain_text("まだ送っていません")
        assert one.answers == []
        # With nothing on the screen it sends what waits, too.
        await one.seen.panel(".close").click()
        await one.page.evaluate("() => document.activeElement.blur()")
        await one.page.wait_for_timeout(300)
        await one.page.keyboard.press("Enter")
        await expect(one.waiting).to_have_count(0, timeout=3_000)
        assert one.answers == [("job-1", "consent", True, "")]


async def test_item_5_the_note_survives_an_idle_lock_that_warns_before(screens: Screens) -> None:
    async with screens(Door(idle_s=6).parts) as one:
        await here(one)
        one.ask(A1, "job-1")
        await one.seen.shows("A1", "S-job-1")
        await one.seen.open("A1")
        note = one.seen.panel("input[name=note]")
        await note.click()
        await note.press_sequentially("slip 4")
        warning = one.page.locator("#idle")
        await expect(warning).to_be_visible()
        await one.page.keyboard.press("Shift")
        await expect(warning).to_have_count(0)
        await expect(warning).to_be_visible()
        # Nothing of it stays on the screen.
        await locked(one)
        await here(one)
        await one.shows("job-1")
        await expect(note).to_have_value("slip 4")
        # Nobody else finds it, nor whoever locks by themselves.
        await one.page.keyboard.press("F9")
        await locked(one)
        await here(one)
        await one.seen.shows("A1", "S-job-1")
        await one.seen.open("A1")
        await expect(note).to_have_value("")


async def test_item_4_a_key_leaves_a_question_for_later(screens: Screens) -> None:
    async with screens() as one:
        for slot, job in ((A1, "job-1"), (A2, "job-2")):
            one.ask(slot, job)
            await one.seen.shows(slot, f"S-{job}")
        await one.page.keyboard.press("n")
        await one.shows("job-1")
        for job in ("job-2", "job-1"):
            await one.page.keyboard.press("s")
            await one.shows(job)
        assert await one.waiting.count() == 0
        await one.seen.panel(".skip").click()
        await one.shows("job-2")


@pytest.mark.parametrize(
    ("roles", "first"), [(frozenset(Role), "A2"), (frozenset({Role.OPERATOR}), "A1")]
)
async def test_item_4_to_whoever_may_confirm_it_others_work_comes_first(
    screens: Screens, roles: frozenset[Role], first: str
) -> None:
    async with screens(Door(roles=roles).parts) as one:
        await here(one)
        ask(one, A1, "job-1", Gate.JPKI)
        ask(one, A2, "job-2", Gate.CONFIRM, OTHER)
        await one.seen.shows("A2", "S-job-2")
        rows = one.page.locator("#errands .where")
        await expect(rows).to_have_text(["A1", "A2"] if first == "A1" else ["A2", "A1"])
        await one.page.keyboard.press("n")
        await expect(one.seen.panel(".slot")).to_have_text(first)


async def test_item_4_nobody_is_led_to_what_bars_them_from_confirming(
    screens: Screens,
) -> None:
    async with screens() as one:
        ask(one, A1, "job-1", Gate.JPKI, OTHER)
        ask(one, A2, "job-2", Gate.CONFIRM, OTHER)
        await one.seen.shows("A2", "S-job-2")
        await one.page.keyboard.press("n")
        await one.shows("job-2")
        await one.page.keyboard.press("s")
        await expect(one.seen.panel()).to_be_hidden()
        await expect(one.said).to_contain_text("確認はできなくなります")
        # Whoever opens it by themselves is told, and may answer it.
        await one.seen.open("A1")
        await expect(one.seen.panel(".barring")).to_contain_text("確認できなくなります")
        await one.seen.answer()
        assert one.answers == [("job-1", "jpki", True, "")]
        await one.shows("job-2")
        await one.seen.panel(".close").click()
        # Whoever has answered there can't confirm it anyway.
        ask(one, A1, "job-1", Gate.JPKI, OTHER, ME)
        ask(one, A2, "job-2", Gate.CONFIRM, ME)
        await one.seen.open("A1")
        await expect(one.seen.panel(".barring")).to_be_hidden()


async def test_item_5_a_screen_isnt_idle_while_another_page_of_it_is_used(
    screens: Screens,
) -> None:
    async with screens(Door(idle_s=600).parts) as one:
        await here(one)
        await install_clock(one.seen)
        other = await one.page.context.new_page()
        await other.goto(one.seen.at(""))
        await expect(other.locator("#operator .who")).to_have_text(BADGE)
        warning = one.page.locator("#idle")
        await one.page.clock.fast_forward(545_000)
        await expect(warning).to_be_visible()
        await other.keyboard.press("Shift")
        await expect(warning).to_have_count(0)
        await expect(one.page.locator("#operator .who")).to_have_text(BADGE)


@pytest.mark.parametrize("opens", ["a scan", "a reader that ends with two", "Enter on the tile"])
async def test_one_enter_too_many_answers_nothing(screens: Screens, opens: str) -> None:
    """A question that has just been opened has no answer under the finger."""
    async with screens() as one:
        one.ask(A1, "job-1", Gate.JPKI)
        await one.seen.shows("A1", "S-job-1")
        if opens == "Enter on the tile":
            # A person's, and no second end of the badge that has just been read.
            await one.page.wait_for_timeout(300)
            await one.seen.tile("A1").locator(".open").focus()
            await one.page.keyboard.press("Enter")
        else:
            await scan(one.seen, IMEI[A1])
        if opens == "a reader that ends with two":
            await one.page.keyboard.press("Enter")
        await one.shows("job-1")
        await one.page.keyboard.press("Enter")
        await one.page.keyboard.press("Space")
        await expect(one.waiting).to_have_count(0)
        # Whoever means it answers by its key.
        await one.page.keyboard.press("y")
        await expect(one.waiting).not_to_have_count(0)


@pytest.mark.parametrize("gate", [Gate.NETWORK, Gate.IMEI, Gate.CONSENT])
async def test_what_a_yes_means_is_said_on_its_button_and_nowhere_else(
    screens: Screens, gate: Gate
) -> None:
    async with screens() as one:
        one.ask(A1, "job-1", gate)
        tile = one.seen.tile("A1").locator(".to-do")
        await expect(tile).to_contain_text("？")
        await expect(tile).not_to_contain_text("はい=")
        await one.seen.open("A1")
        question = one.seen.panel(".question")
        await expect(question).to_contain_text("？")
        await expect(question).not_to_contain_text("はい=")
        await expect(one.seen.panel(".answers .yes span").first).not_to_be_empty()


IN_VIEW = """panel => {
  const [head, all] = [panel.querySelector('header'), panel].map(e => e.getBoundingClientRect());
  return [...panel.querySelectorAll('.question, .answers button, .skip')].filter(part => {
    const box = part.getBoundingClientRect();
    return box.top < head.bottom || box.bottom > Math.min(all.bottom, innerHeight);
  }).map(part => part.textContent);
}"""
"""What of a question isn't seen as a whole in the panel as it opens."""


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("height", [768, 1080])
async def test_a_question_opens_with_its_answers_in_view_and_no_further(
    screens: Screens, height: int, language: str
) -> None:
    cut: dict[str, list[str]] = {}
    async with screens() as one:
        await one.page.set_viewport_size({"width": 1366, "height": height})
        one.ask(A1, "job-1")
        await one.seen.go(f"?lang={language}")
        await one.seen.fonts()
        for number, gate in enumerate(Gate, 1):
            one.ask(A1, f"job-{number}", gate)
            await one.seen.open("A1")
            await expect(one.seen.panel(f'[data-gate="{gate}"] .answers')).to_be_visible()
            if missing := await one.seen.panel().evaluate(IN_VIEW):
                cut[gate] = missing
            if height == 1080:
                assert await one.seen.panel().evaluate("panel => panel.scrollTop") == 0
            await one.seen.panel(".close").click()
    assert cut == {}
