"""The shift board and the handover sheet in Debian's Chromium."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from chromium import needs_chromium
from gallery import Gallery
from paper_shop import Shop
from playwright.async_api import Page, expect

from benchd.domain.ids import SlotName
from benchd.domain.job import Disposition, Gate, Reason
from benchd.domain.plain_text import Language
from benchd.domain.slot import QuestionView
from benchd.texts.catalogue import Catalogue
from tests.intake.lots import imei
from tests.web.web_fakes import asking_view, identity, running_view

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

DAY = "/board?day=2026-11-24&from=00:00&to=00:00"
MARKUP = "<img src=x onerror=alert(1)>"
LANGUAGES: tuple[Language, ...] = ("ja", "en")


def worked(shop: Shop) -> None:
    shop.ended("job-1", "destroy", "felica_residue", 1)
    shop.ended("job-2", "hold", "coverage_too_low", 2, model=MARKUP)
    shop.ended("job-3", "sellable", None, 3)
    shop.ended("job-4", "sellable", None, 2)


async def one_more(shop: Shop, number: int) -> None:
    shop.ended(f"job-{number}", "sellable", None, number)
    shop.records.follower.stored(shop.stored[-1].entry)
    await shop.caught_up()


def count(figure: str, value: str = "") -> str:
    return f'[id="count-{figure}-{value}"]'


async def test_the_board_shows_what_was_done_and_each_count_leads_to_its_jobs(shop: Shop) -> None:
    worked(shop)
    shop.rack.board.show(running_view())
    async with shop.seen_at(DAY) as seen:
        page = seen.page
        await expect(page.locator('[data-sum="done"]')).to_have_text("3")
        await expect(page.locator('[data-sum="share_sold"]')).to_contain_text("66.6%")
        await expect(page.locator('[data-sum="failed"]')).to_contain_text("2")
        # All plots, and what a handset calls itself is text in them.
        await expect(page.locator("svg.plot")).to_have_count(4)
        await expect(page.locator('[data-plot="model"] svg')).to_contain_text(MARKUP)
        await expect(page.locator("#page img")).to_have_count(0)
        await expect(page.get_by_role("img", name="失敗・中断: 理由ごと")).to_be_visible()
        await expect(page.locator("#page")).to_contain_text("いまラックにある端末: 1")
        # The picture has the figures; the table with the same ones is there when somebody asks.
        await expect(page.locator(".pictured table")).to_have_count(4)
        await expect(page.locator(".pictured table:visible")).to_have_count(0)
        await page.locator("#table-reason > summary").click()
        await page.locator(count("reason", "felica_residue")).click()
        await expect(page.locator("tbody tr")).to_have_count(1)
        await expect(page.locator("tbody tr")).to_contain_text(imei(1))
        await page.get_by_role("link", name="シフトに戻る").click()
        await page.locator(count("done")).click()
        await expect(page.locator("tbody tr")).to_have_count(3)
        # A shift is chosen by day and hours, which the screen remembers.
        await seen.go("/board")
        await page.locator("#day").fill("2026-11-24")
        await page.locator("#from").fill("20:00")
        await page.locator("#to").fill("02:30")
        await page.locator("#to").press("Enter")
        await expect(page.locator("h2")).to_contain_text("2026-11-24 20:00 – 2026-11-25 02:30")
        await page.get_by_role("link", name="次の日 →").click()
        await expect(page.locator("h2")).to_contain_text("2026-11-25 20:00 – 2026-11-26 02:30")
        await seen.go("/board")
        await expect(page.locator("#from")).to_have_value("20:00")
        await expect(page.locator("#to")).to_have_value("02:30")


async def test_the_board_says_which_step_takes_most_of_peoples_time(shop: Shop) -> None:
    shop.rack.ledger.keep_questions()
    async with shop.seen_at(DAY) as seen:
        people = seen.page.locator('[data-plot="attended"]')
        await expect(people.locator(".most")).to_have_text(
            "いちばん時間がかかっている工程: 受入確認（5.0分／台）"
        )
        await expect(people.locator("svg")).to_contain_text("受入確認")
        await people.locator("summary").click()
        await expect(people.locator("tbody tr").first).to_have_text("受入確認15.05.00")
        await seen.go("/report?from=2026-11-24&to=2026-11-24")
        await expect(seen.page.locator("table", has_text="人を待った時間")).to_contain_text("5.0")


async def test_the_board_is_told_anew_each_minute_and_focus_and_scroll_stay(shop: Shop) -> None:
    worked(shop)
    async with shop.seen_at(DAY, signed_in=False, height=500) as seen:
        page = seen.page
        await page.clock.install()
        await page.reload()
        await seen.sign_in()
        await page.locator("#table-model > summary").click()
        link = page.locator(count("model", "Sony SO-51B"))
        await link.focus()
        before = await page.evaluate("() => scrollY")
        assert before > 0
        await one_more(shop, 5)
        await page.clock.run_for(61_000)
        await expect(page.locator('[data-sum="done"]')).to_have_text("4")
        await expect(link).to_be_focused()
        assert await page.evaluate("() => scrollY") == before
        # Nothing is changed under the hand of somebody who types.
        await page.locator("#day").focus()
        await one_more(shop, 6)
        await page.clock.run_for(61_000)
        await expect(page.locator('[data-sum="done"]')).to_have_text("4")
        await link.focus()
        await page.clock.run_for(61_000)
        await expect(page.locator('[data-sum="done"]')).to_have_text("5")


async def test_a_sheet_calls_nothing_sellable_without_certificate_and_needs_the_rack(
    shop: Shop,
) -> None:
    Gallery(shop.rack).fill(2)
    shop.rack.ledger.stored.clear()
    async with shop.seen_at("/board?sheet=handover", may_be_away=True) as seen:
        page = seen.page
        rows = page.locator(".sheet tbody tr")
        await expect(rows.nth(1)).to_contain_text("A2")
        await expect(rows.nth(1)).not_to_contain_text("販売可")
        await expect(rows.nth(1)).to_contain_text("証明書")
        assert seen.complaints == []
        # Of a rack that can't be told there is nothing to print.
        await page.route("**/api/v1/slots", lambda route: route.abort())
        await seen.go("/board?sheet=handover")
        await expect(page.get_by_role("alert").filter(has_text="印刷せず")).to_be_visible()
        await expect(page.locator(".sheet")).to_have_count(0)


async def pages_of(page: Page, folder: Path) -> int:
    printed = await page.pdf(path=folder / "sheet.pdf", prefer_css_page_size=True)
    return len(re.findall(rb"/Type\s*/Page\b", printed))


def handover(language: Language) -> str:
    return f"/board?sheet=handover&day=2026-11-24&lang={language}"


def longest(catalogue: Catalogue, language: Language) -> Reason:
    return max(Reason, key=lambda reason: len(catalogue.reason(reason).to(language)))


async def test_a_sheet_of_28_handsets_with_the_longest_reasons_is_one_page_too(
    shop: Shop, tmp_path: Path
) -> None:
    gallery = Gallery(shop.rack)
    async with shop.seen_at("/board") as seen:
        for language in LANGUAGES:
            reason = longest(shop.catalogue, language)
            for number in range(28):
                gallery.failed(reason)(SlotName(f"{chr(65 + number // 8)}{number % 8 + 1}"))
            await seen.go(handover(language))
            await expect(seen.page.locator(".sheet tbody tr").nth(27)).to_contain_text("D4")
            assert await pages_of(seen.page, tmp_path) == 1


async def test_the_handover_sheet_of_28_slots_is_one_page(shop: Shop, tmp_path: Path) -> None:
    Gallery(shop.rack).fill(28)
    worked(shop)
    whole = {view.identity.serial for view in shop.rack.board.views().values() if view.identity}
    async with shop.seen_at("/board") as seen:
        page = seen.page
        sheet = page.locator(".sheet")
        for language in LANGUAGES:
            await page.emulate_media(media="null")
            await seen.go(handover(language))
            await expect(sheet.locator("table").first.locator("tbody tr")).to_have_count(23)
            # Cut serials beside the labels, so that what differs is seen.
            shown = await sheet.locator("tbody tr td:nth-child(4)").all_text_contents()
            assert not whole & set(shown)
            assert len([one for one in shown if "…" in one]) == len(whole)
            # Sellable is what has its certificate, and nothing else.
            of_a2 = sheet.locator("tbody tr").filter(has_text=re.compile("^A2"))
            sellable = shop.catalogue.disposition(Disposition.SELLABLE)
            await expect(of_a2).to_contain_text(sellable.to(language))
            # What the sheet says of what is open is what the records say.
            await expect(sheet.locator("table").nth(2).locator("tbody tr")).to_have_count(5)
            # On the screen nothing of it is cut.
            assert await sheet.evaluate("sheet => sheet.scrollWidth - sheet.clientWidth") == 0
            assert await pages_of(page, tmp_path) == 1
            await page.emulate_media(media="print")
            # Its heading stays, of no size, for who has a PDF read to them.
            for part in ("#nav", "#operator", "#print"):
                await expect(page.locator(part)).to_be_hidden()


async def test_the_sheet_tells_two_handsets_apart_and_how_long_each_has_waited(shop: Shop) -> None:
    """Twins of one model and serial, as cheap ones are, that both wait for somebody."""
    began = datetime.now(UTC).replace(second=0, microsecond=0)
    answer_by = began + timedelta(hours=1)
    for number in (1, 2):
        twin = replace(identity(), imei=imei(number))
        view = replace(asking_view(SlotName(f"A{number}"), number), identity=twin, since=began)
        if number == 2:
            asked = QuestionView(gate=Gate.CONFIRM, facts={}, until=answer_by)
            view = replace(view, question=asked)
        shop.rack.board.show(view)
    async with shop.seen_at("/board?sheet=handover") as seen:
        rows = seen.page.locator(".sheet tbody").first.locator("tr")
        await expect(rows).to_have_count(2)
        told = [await rows.nth(place).locator("td").all_inner_texts() for place in (0, 1)]
        assert told[0][3] == told[1][3]
        # Of a number no more is on paper than tells one from the other.
        assert [one[4] for one in told] == ["…0013", "…0021"]
        assert told[0][-1] == f"{began.astimezone():%H:%M}から"
        assert told[1][-1] == f"{answer_by.astimezone():%H:%M}まで"
