"""Item 4 of a newcomer's hour: what was recorded is said by name, and which form Enter sends."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from chromium import Visit, needs_chromium
from paper_shop import Shop
from playwright.async_api import Locator, expect
from scanner import by_hand, scan

from benchd.domain.record import EntryKind
from tests.intake.lots import imei
from tests.people.people_rig import BADGE, door_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]


def said(seen: Visit) -> Locator:
    return seen.page.locator("#page > .good")


async def grade(seen: Visit) -> None:
    await seen.page.locator("#grading > summary").click()
    await seen.page.locator("#grade-tag").fill("T-1")
    await seen.page.locator("#grade-A").check()
    await seen.page.locator("#grading .do").click()


async def crush(seen: Visit) -> None:
    await seen.page.locator("#dead > summary").click()
    await seen.page.locator("#dead-tag").fill("T-1")
    await seen.page.locator("#dead-reason-water_damage").check()
    await seen.page.locator("#dead .do").click()
    await seen.page.locator("#sure .yes").click()


async def attest(seen: Visit) -> None:
    await seen.page.locator("#attest > summary").click()
    await seen.page.locator("#kinds-consent").check()
    await seen.page.locator("#which-whole").check()
    await seen.page.locator("#attest .do").click()


async def add_one(seen: Visit) -> None:
    await seen.page.locator("#one > summary").click()
    await seen.page.locator("#one-tag").fill("T-2")
    await seen.page.locator("#one .do").click()


RECORDED: dict[str, tuple[Callable[[Visit], Awaitable[None]], tuple[str, ...]]] = {
    "grade": (grade, ("T-1", "A")),
    "crush": (crush, ("T-1", "水没", "破砕")),
    "attest": (attest, ("残高消去の同意",)),
    "add one": (add_one, ("T-2",)),
}


@pytest.mark.parametrize("what", RECORDED)
async def test_what_was_recorded_is_named_until_the_next_form_is_begun(
    shop: Shop, what: str
) -> None:
    do, told = RECORDED[what]
    async with shop.seen_at("/lots") as seen:
        await shop.take_in("L-1", tag="T-1")
        await seen.go("/lots?lot=L-1")
        await do(seen)
        await expect(said(seen)).to_contain_text("記録しました: ")
        for part in told:
            await expect(said(seen)).to_contain_text(part)
        # Where the next one is begun it is no word of that.
        if what == "add one":
            await seen.page.locator("#one-tag").fill("T-3")
        else:
            await seen.page.locator("#assess > summary").click()
        await expect(said(seen)).to_be_empty()


async def test_enter_adds_one_handset_where_a_person_has_pressed_it(shop: Shop) -> None:
    async with shop.seen_at("/lots") as seen:
        await shop.take_in("L-1")
        await seen.go("/lots?lot=L-1")
        page = seen.page
        await page.locator("#one > summary").click()
        tag = page.locator("#one-tag")
        # A reader's Enter, or both of its two, sends nothing: the code stays to be looked at.
        for number, key_s in enumerate((0.005, 0.08)):
            await tag.focus()
            await scan(seen, f"T-10000{number}", key_s=key_s, in_time=True, ends=2)
            await expect(tag).to_have_value(f"T-10000{number}")
            await tag.fill("")
        await page.wait_for_timeout(400)
        assert shop.kept(EntryKind.ASSETS_ADDED) == []
        # Twice in a row it is sent once.
        await by_hand(seen, "T-7")
        await page.keyboard.press("Enter")
        await expect(said(seen)).to_contain_text("T-7")
        await expect(page.locator("#one .said")).to_be_empty()
    [kept] = shop.kept(EntryKind.ASSETS_ADDED)
    assert '"T-7"' in json.dumps(kept.entry.data)


async def test_a_second_enter_adds_no_handset_by_its_tag_alone(shop: Shop) -> None:
    """After a label was read the IMEI is next: Enter in that empty field is one too many."""
    async with shop.seen_at("/lots") as seen:
        await shop.take_in("L-1")
        await seen.go("/lots?lot=L-1")
        page = seen.page
        await page.locator("#one > summary").click()
        await page.locator("#one-tag").focus()
        await scan(seen, "T-100000", in_time=True)
        await expect(page.locator("#one-imei")).to_be_focused()
        # Sooner after a scan it is the reader's.
        await page.wait_for_timeout(400)
        await page.locator("#one-imei").press("Enter")
        await expect(page.locator("#one .said")).to_contain_text("IMEIの欄が空です")
        assert shop.kept(EntryKind.ASSETS_ADDED) == []
        await expect(page.locator("#one-tag")).to_have_value("T-100000")
        await page.locator("#one .do").click()
        await expect(said(seen)).to_contain_text("T-100000")


async def test_enter_sends_nothing_that_somebody_else_has_filled_in(shop: Shop) -> None:
    async with shop.seen_at("/lots") as seen:
        await shop.take_in("L-1")
        await seen.go("/lots?lot=L-1")
        page = seen.page
        await page.locator("#one > summary").click()
        tag = page.locator("#one-tag")
        await tag.fill("T-7")
        await tag.blur()
        await scan(seen, "SUZUKI-1002")
        await expect(page.locator("#operator .who")).to_have_text("SUZUKI-1002")
        await expect(tag).to_have_value("T-7")
        # Sooner after a scan it is the reader's.
        await page.wait_for_timeout(400)
        await tag.press("Enter")
        await expect(page.locator("#one .said")).to_contain_text("別の人が入力した内容")
        assert shop.kept(EntryKind.ASSETS_ADDED) == []
        await page.locator("#one .do").click()
        await expect(said(seen)).to_contain_text("T-7")


async def test_enter_sends_nothing_that_has_no_way_back(shop: Shop) -> None:
    async with shop.seen_at("/lots") as seen:
        await shop.take_in("L-1", tag="T-1")
        await seen.go("/lots?lot=L-1")
        page = seen.page
        await page.locator("#dead > summary").click()
        await page.locator("#dead-reason-water_damage").check()
        await page.locator("#dead-tag").fill("T-1")
        await page.locator("#dead-tag").press("Enter")
        await page.locator("#attest > summary").click()
        await page.locator("#kinds-consent").check()
        await page.locator("#which-whole").check()
        await page.locator("#excepted").press("Enter")
        await page.wait_for_timeout(300)
        await expect(page.locator("#sure")).to_have_count(0)
    assert shop.kept(EntryKind.ATTESTED) == []
    assert shop.kept(EntryKind.ASSET_UNERASABLE) == []


async def test_two_codes_in_a_row_are_of_two_fields(shop: Shop) -> None:
    """A label, and the IMEI after it: what was read is no more than one field's."""
    async with shop.seen_at("/lots") as seen:
        await shop.take_in("L-1")
        await seen.go("/lots?lot=L-1")
        await seen.page.locator("#one > summary").click()
        await seen.page.locator("#one-tag").focus()
        # A reader that ends with two Enters leads no further than the next.
        await scan(seen, "T-002", ends=2)
        await scan(seen, "353871116121457")
        await expect(seen.page.locator("#one-tag")).to_have_value("T-002")
        await expect(seen.page.locator("#one-imei")).to_have_value("353871116121457")
        assert shop.kept(EntryKind.ASSETS_ADDED) == []


async def test_label_after_label_is_graded_and_none_leads_away(shop: Shop) -> None:
    """A pile of handsets: scan, choose, send, and the next, wherever the focus is in that form."""
    async with shop.seen_at("/lots") as seen:
        page = seen.page
        tag, s_grade = page.locator("#grade-tag"), page.locator("#grade-S")
        await shop.take_in("L-1", tag="LABEL-001")
        for number in (2, 3):
            await shop.enter("lots/L-1/assets", tag=f"LABEL-00{number}", imei=imei(number))
        await seen.go("/lots?lot=L-1")
        await expect(page.locator("#operator .who")).to_be_visible()
        here = page.url
        await page.locator("#grading > summary").click()
        await scan(seen, "LABEL-001")
        await expect(tag).to_have_value("LABEL-001")
        # What comes next is the choice, and another label until then is only another.
        await expect(s_grade).to_be_focused()
        await scan(seen, "LABEL-002")
        await expect(tag).to_have_value("LABEL-002")
        await s_grade.check()
        # What was chosen for one is never said of another.
        await scan(seen, "LABEL-003")
        await expect(page.locator("#grading .said")).to_contain_text("先に送信するか")
        await expect(tag).to_have_value("LABEL-002")
        await page.locator("#grading .do").click()
        await expect(said(seen)).to_contain_text("LABEL-002")
        await expect(tag).to_be_focused()
        await scan(seen, "LABEL-003", ends=2)
        await expect(s_grade).to_be_focused()
        assert len(shop.kept(EntryKind.HANDSET_GRADED)) == 1
        # A person's, and no third end of the code that has just been read.
        await page.wait_for_timeout(400)
        await page.keyboard.press("Space")
        await page.keyboard.press("Enter")
        await expect(said(seen)).to_contain_text("LABEL-003")
        assert page.url == here
    told = [one.entry.data["tag"] for one in shop.kept(EntryKind.HANDSET_GRADED)]
    assert told == ["LABEL-002", "LABEL-003"]


async def test_the_imei_after_a_label_is_that_handsets(shop: Shop) -> None:
    async with shop.seen_at("/lots") as seen:
        page = seen.page
        await shop.take_in("L-1", tag="LABEL-001")
        await seen.go("/lots?lot=L-1")
        await expect(page.locator("#operator .who")).to_be_visible()
        await page.locator("#assess > summary").click()
        for code in ("LABEL-001", imei(1)):
            await scan(seen, code)
        await expect(page.locator("#assess-tag")).to_have_value("LABEL-001")
        await expect(page.locator("#assess-imei")).to_have_value(imei(1))


@pytest.mark.parametrize("code", ["BD:S:A1", "BD:A:NEXT", imei(2), "LABEL-002"])
async def test_no_scan_leads_away_from_what_is_half_filled_in(shop: Shop, code: str) -> None:
    async with shop.seen_at("/lots") as seen:
        page = seen.page
        await shop.take_in("L-1", tag="LABEL-001")
        await shop.enter("lots/L-1/assets", tag="LABEL-002", imei=imei(2))
        await seen.go("/lots?lot=L-1")
        head = page.locator("#operator")
        await expect(head.locator(".who")).to_be_visible()
        here = page.url
        await page.locator("#attest > summary").click()
        await page.locator("#kinds-consent").check()
        await scan(seen, code)
        await expect(head).to_contain_text("先に送信するか")
        assert page.url == here
        await page.locator("#kinds-consent").uncheck()
        # Another code than before: the same again would be one that was read twice.
        await scan(seen, "BD:S:A2")
        await expect(page).to_have_url(seen.at("/"))


async def test_a_refusal_says_once_that_the_pin_is_missing(shop: Shop, tmp_path: Path) -> None:
    """Its headline says it already: what the daemon says of it in English form isn't said again."""
    folder = tmp_path / "people"
    folder.mkdir()
    async with door_in(folder) as door:
        shop.callers = door.callers()
        shop.parts = {"sessions": door.sessions, "people": door.people}
        async with shop.seen_at("/lots", signed_in=False, refused=True) as seen:
            await expect(seen.page.locator("#operator .sign-in")).to_be_visible()
            await scan(seen, BADGE)
            await expect(seen.page.locator("#operator .star")).to_be_visible()
            await seen.page.locator("#add-lot > summary").click()
            await seen.page.locator("#lot").fill("L-1")
            await seen.page.locator("#kind-purchase").check()
            await seen.page.locator("#consignor").fill("個人")
            await seen.page.locator("#add-lot .do").click()
            await expect(seen.page.locator("#add-lot .said")).to_have_text(
                "この操作には、バッジとPINの両方が必要です。まだのほうを加えます。"
            )
