"""Item 3: the question for the IMEI. A scan is its answer, and another slot's number is none."""

from __future__ import annotations

import pytest
from chromium import needs_chromium
from playwright.async_api import Locator, expect
from scanner import scan
from screens import A2, IMEI, Screen, Screens

from benchd.domain.job import Gate
from tests.web.web_fakes import A1

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

ITS_OWN = "356938035643809"
"""On its screen; on no other handset of the rack."""
MISREAD = "356938035643808"
OTHER_GATES = [Gate.OBSERVE, Gate.RECHECK]


def note(one: Screen) -> Locator:
    return one.seen.panel("input[name=note]")


def is_read(one: Screen) -> Locator:
    return one.seen.panel(".read")


async def opened(one: Screen, gate: Gate = Gate.IMEI) -> None:
    one.ask(A1, "job-1", gate)
    one.ask(A2, "job-2")
    await one.seen.shows("A2", "S-job-2")
    await one.seen.open("A1")
    await one.shows("job-1")


@pytest.mark.parametrize("gate", [Gate.IMEI, *OTHER_GATES])
async def test_a_scan_is_its_answer_without_any_key(screens: Screens, gate: Gate) -> None:
    async with screens() as one:
        await opened(one, gate)
        await scan(one.seen, ITS_OWN)
        await expect(note(one)).to_have_value(ITS_OWN)
        await expect(is_read(one)).to_contain_text("1つ読み取りました")
        await one.shows("job-1")
        # Nothing is given by the scan itself, nor by an Enter too many; a card or a key gives it.
        await expect(one.page.locator(":focus")).to_have_class("answering")
        await one.page.wait_for_timeout(300)
        await one.page.keyboard.press("Enter")
        await expect(one.waiting).to_have_count(0)
        await scan(one.seen, "BD:A:YES")
        await expect(one.waiting).to_contain_text(ITS_OWN)
        await one.seen.send_now()
        assert one.answers == [("job-1", gate.value, True, ITS_OWN)]


async def test_both_of_two_sims_are_taken_and_told(screens: Screens) -> None:
    async with screens() as one:
        await opened(one)
        await scan(one.seen, ITS_OWN)
        await note(one).focus()
        await scan(one.seen, IMEI[A1], key_s=0.08)
        await expect(note(one)).to_have_value(f"{ITS_OWN} {IMEI[A1]}")
        await expect(is_read(one)).to_contain_text("2つ以上")


async def test_anothers_number_is_told_before_it_is_sent(screens: Screens) -> None:
    async with screens() as one:
        await opened(one)
        refused = one.seen.panel(".refused")
        await scan(one.seen, IMEI[A2])
        await expect(refused).to_contain_text("これはA2のIMEIです")
        await expect(note(one)).to_have_value("")
        await one.shows("job-1")
        # Typed too, and it is no answer.
        await note(one).fill(IMEI[A2])
        await expect(is_read(one)).to_contain_text("これはA2のIMEIです")
        await one.seen.panel(".yes").click()
        await expect(refused).to_contain_text("これはA2のIMEIです")
        await expect(one.waiting).to_have_count(0)
        await note(one).fill("")
        await scan(one.seen, IMEI[A1])
        await expect(refused).to_be_empty()
        await expect(note(one)).to_have_value(IMEI[A1])


async def test_a_number_that_was_misread_is_told_and_stands_nowhere(screens: Screens) -> None:
    async with screens() as one:
        await opened(one)
        await scan(one.seen, MISREAD)
        await expect(one.seen.panel(".refused")).to_contain_text("検査数字")
        await expect(note(one)).to_have_value("")
        await note(one).fill(MISREAD)
        await one.seen.panel(".yes").click()
        await expect(one.seen.panel(".refused")).to_contain_text("検査数字")
        await expect(one.waiting).to_have_count(0)


async def test_it_is_a_field_with_a_button_for_what_cant_be_read(screens: Screens) -> None:
    async with screens() as one:
        await opened(one)
        await expect(one.seen.panel(".yes b")).to_have_text("この番号で答える")
        await expect(one.seen.panel(".no b")).to_have_text("読めない")
        await expect(one.seen.panel(".question")).not_to_contain_text("書きましたか")
        await one.seen.panel(".no").click()
        await one.seen.send_now()
        assert one.answers == [("job-1", "imei", False, "")]


async def test_no_scan_leads_off_the_wall_while_a_question_is_open(screens: Screens) -> None:
    async with screens() as one:
        await opened(one, Gate.CONSENT)
        await scan(one.seen, ITS_OWN)
        await expect(one.said).to_contain_text("ラックにはありません")
        await one.shows("job-1")


async def test_while_others_are_confirmed_a_label_goes_on_to_its_handset(screens: Screens) -> None:
    async with screens() as one:
        await opened(one, Gate.CONFIRM)
        await scan(one.seen, IMEI[A2])
        await one.shows("job-2")


async def test_a_number_that_came_before_the_question_was_read_is_none(screens: Screens) -> None:
    async with screens() as one:
        one.ask(A1, "job-1", Gate.IMEI)
        one.ask(A2, "job-2", Gate.IMEI)
        await one.seen.shows("A2", "S-job-2")
        await one.seen.open("A1")
        await scan(one.seen, ITS_OWN)
        await one.seen.panel(".yes").click()
        await one.seen.send_now()
        # The next one has opened by itself.
        await one.shows("job-2")
        await scan(one.seen, "356938035643817")
        await expect(note(one)).to_have_value("")
        await expect(one.said).to_contain_text("表示されたばかり")
