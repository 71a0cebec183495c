"""Item 2 of a newcomer's hour: the next slot's question takes no key meant for the one before."""

from __future__ import annotations

import pytest
from chromium import needs_chromium
from playwright.async_api import Locator, expect
from scanner import install_clock
from screens import A2, Screen, Screens

from benchd.domain.job import Gate
from tests.web.web_fakes import A1

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]


def banner(one: Screen) -> Locator:
    return one.seen.panel(".moved-on")


async def first_answered(one: Screen) -> None:
    """A1's question is answered and sent; A2's has come by itself, and time stands still."""
    one.ask(A1, "job-1", Gate.NETWORK)
    one.ask(A2, "job-2", Gate.NETWORK)
    await one.seen.open("A1")
    await one.shows("job-1")
    await install_clock(one.seen)
    await one.page.keyboard.press("o")
    await one.page.clock.fast_forward(400)
    await expect(one.waiting).to_have_count(1)
    await one.page.keyboard.press("Enter")
    await one.shows("job-2")


async def test_what_is_pressed_for_the_slot_before_is_ignored_and_that_is_said(
    screens: Screens,
) -> None:
    async with screens() as one:
        await first_answered(one)
        await expect(banner(one)).to_contain_text("A1 → A2")
        await expect(banner(one)).not_to_contain_text("無視")
        for _ in range(2):
            await one.page.keyboard.press("o")
            await one.page.clock.fast_forward(400)
        await expect(banner(one)).to_contain_text("無視しました")
        await expect(banner(one)).to_contain_text("A2 の質問")
        await expect(one.waiting).to_have_count(0)
        assert [job for job, *_ in one.answers] == ["job-1"]


async def test_whoever_reads_first_answers_the_next_by_one_key(screens: Screens) -> None:
    async with screens() as one:
        await first_answered(one)
        await one.page.clock.fast_forward(1_100)
        await one.may_be_read()
        await one.page.keyboard.press("o")
        await one.page.clock.fast_forward(400)
        await expect(one.waiting).to_have_count(1)
        await one.page.keyboard.press("Enter")
        await expect(one.waiting).to_have_count(0)
        assert [job for job, *_ in one.answers] == ["job-1", "job-2"]


@pytest.mark.parametrize("behind", ["another window", "help"])
async def test_no_time_counts_in_which_nobody_can_see_the_question(
    screens: Screens, behind: str
) -> None:
    async with screens() as one:
        await first_answered(one)
        hide = "on => Object.defineProperty(document, 'hidden', { value: on, configurable: true })"
        if behind == "help":
            await one.page.keyboard.press("?")
            await one.page.clock.fast_forward(200)
            await expect(one.page.locator("#help")).to_be_visible()
        else:
            await one.page.evaluate(hide, True)
        await one.page.clock.fast_forward(5_000)
        await expect(one.seen.panel(".yes")).to_be_disabled()
        if behind == "help":
            await one.page.keyboard.press("Escape")
        else:
            await one.page.evaluate(hide, False)
        await one.page.keyboard.press("o")
        await one.page.clock.fast_forward(400)
        await expect(banner(one)).to_contain_text("無視しました")
        await one.page.clock.fast_forward(2_100)
        await one.may_be_read()


async def test_a_key_for_what_is_given_already_says_so(screens: Screens) -> None:
    async with screens() as one:
        one.ask(A1, "job-1")
        await one.seen.open("A1")
        await one.shows("job-1")
        await one.page.keyboard.press("y")
        await expect(one.waiting).to_have_count(1)
        await one.page.keyboard.press("n")
        await expect(one.said).to_contain_text("もう答えています")


async def test_the_same_slots_next_question_is_no_other_slot(screens: Screens) -> None:
    async with screens() as one:
        one.ask(A1, "job-1", Gate.NETWORK)
        await one.seen.open("A1")
        await one.shows("job-1")
        one.ask(A1, "job-2", Gate.CONSENT)
        await one.shows("job-2")
        await expect(banner(one)).to_be_hidden()
        await one.page.keyboard.press("y")
        await expect(banner(one)).to_contain_text("A1 の質問で、出たばかり")
        await expect(one.waiting).to_have_count(0)
