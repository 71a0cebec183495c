"""A page shows one answer, the newest: one headline, its one cause, and what to do about it."""

from __future__ import annotations

import pytest
from chromium import needs_chromium
from paper_shop import Shop
from playwright.async_api import expect
from scanner import scan

from benchd.domain.record import EntryKind
from tests.intake.lots import imei

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]


async def test_item_3_a_refusal_stands_beside_no_older_answer(shop: Shop) -> None:
    async with shop.seen_at("/lots") as seen:
        page = seen.page
        good, one = page.locator("#page > .good"), page.locator("#one .said")
        await shop.take_in("L-1", tag="T-1")
        await seen.go("/lots?lot=L-1")
        await page.locator("#one > summary").click()
        await page.locator("#one-tag").fill("T-2")
        await page.locator("#one .do").click()
        await expect(good).to_have_text("記録しました: T-2")
        await page.locator("#one-tag").fill("T-2")
        await page.locator("#one .do").click()
        await expect(one).to_contain_text("T-2")
        await expect(good).to_be_hidden()
        # Nor is there a second refusal beside the one of another form, nor the old one again.
        await page.locator("#dead > summary").click()
        await page.locator("#dead .do").click()
        await expect(page.locator("#dead .said")).to_contain_text("必須")
        await expect(one).to_be_hidden()
        await page.locator("#language").click()
        await expect(page.locator("#one-tag")).to_have_value("T-2")
        await expect(good).to_be_hidden()


async def test_item_3_what_disposal_refuses_stands_beside_no_older_answer(shop: Shop) -> None:
    for number in (1, 2):
        shop.ended(f"job-{number}", "return", "locked", number)
    async with shop.seen_at("/disposal") as seen:
        outcomes, said = seen.page.locator(".outcomes li"), seen.page.locator(".form .said")
        await scan(seen, imei(1))
        await seen.page.locator("#to-rerun_due").check()
        await seen.page.locator("#note").fill("X")
        await seen.page.locator(".settling .do").click()
        await expect(outcomes).to_contain_text("記録しました")
        await scan(seen, imei(2))
        await seen.page.locator("#to-returned").check()
        await seen.page.locator("#note").fill("X")
        await seen.page.locator("#done_on").fill("2030-01-01")
        await seen.page.locator(".settling .do").click()
        await seen.page.locator("#sure .yes").click()
        await expect(said).to_contain_text("実施日")
        await expect(outcomes).to_have_count(0)


GUESSES = ("か、", ", or ")


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_item_4_a_refusal_tells_its_one_cause(shop: Shop, language: str) -> None:
    causes = {
        "lot": ("ロット L-1 はもうあります。別の番号にします", "lot L-1 already"),
        "tag": ("管理番号 T-1 は、すでにロット L-1 にあります", "L-1 has tag T-1 already"),
        "imei": ("IMEIは、検査数字の合う15桁です", "15 digits with the right check digit"),
        "excepted": ("管理番号 T-9 はロット L-1 のものではありません", "T-9 isn't of lot L-1"),
        "grade": ("管理番号 T-7 はありません。先にロットを取り込みます", "no asset T-7"),
    }
    told = {what: both[language == "en"] for what, both in causes.items()}
    async with shop.seen_at(f"/lots?lang={language}") as seen:
        page = seen.page
        await shop.take_in("L-1", tag="T-1")
        await shop.take_in("L-2", tag="T-9")

        async def refused(form: str, what: str) -> None:
            said = page.locator(f'[data-form="{form}"] .said')
            await page.locator(f'[data-form="{form}"] .do').click()
            await expect(said).to_contain_text(told[what])
            # That is all that is said: nothing is guessed beside it, nor said twice.
            text = await said.inner_text()
            assert text.count(told[what]) == 1
            assert not [guess for guess in GUESSES if guess in text], text

        await page.locator("#add-lot > summary").click()
        await page.locator("#lot").fill("L-1")
        await page.locator("#kind-purchase").check()
        await page.locator("#consignor").fill("X")
        await refused("add-lot", "lot")
        await seen.go("/lots?lot=L-1")
        await page.locator("#one > summary").click()
        await page.locator("#one-tag").fill("T-1")
        await refused("one", "tag")
        await page.locator("#one-tag").fill("T-5")
        await page.locator("#one-imei").fill("356938035643800")
        await refused("one", "imei")
        await page.locator("#attest > summary").click()
        await page.locator("#kinds-consent").check()
        await page.locator("#which-whole").check()
        await page.locator("#excepted").fill("T-9")
        await refused("attest", "excepted")
        await page.locator("#grading > summary").click()
        await page.locator("#grade-tag").fill("T-7")
        await page.locator("#grade-S").check()
        await refused("grade", "grade")
        seen.complaints[:] = [one for one in seen.complaints if "status of 404" not in one]


@pytest.mark.parametrize("form", ["one", "dead", "assess"])
async def test_item_3_a_label_stays_in_no_field_for_an_imei(shop: Shop, form: str) -> None:
    async with shop.seen_at("/lots") as seen:
        await shop.take_in("L-1", tag="T-1")
        await seen.go("/lots?lot=L-1")
        await seen.page.locator(f"#{form} > summary").click()
        field, said = seen.page.locator(f"#{form}-imei"), seen.page.locator(f"#{form} .said")
        await field.focus()
        await scan(seen, "UNKNOWN-7")
        await expect(field).to_have_value("")
        await expect(said).to_contain_text("IMEI")
        # Nor does what was said stay beside what is right.
        await scan(seen, f"IMEI1:{imei(1)}")
        await expect(field).to_have_value(imei(1))
        await expect(said).to_be_hidden()
        await field.fill("")
        await scan(seen, "UNKNOWN-7")
        await expect(said).to_be_visible()
        await seen.page.locator(f"#{form}-tag").fill("T-2")
        await expect(said).to_be_hidden()


async def test_item_12_an_imei_as_a_tag_is_asked_for_once(shop: Shop) -> None:
    async with shop.seen_at("/lots") as seen:
        page, sure = seen.page, seen.page.locator("#sure")
        await shop.take_in("L-1")
        await seen.go("/lots?lot=L-1")
        await page.locator("#one > summary").click()
        tag, good = page.locator("#one-tag"), page.locator("#page > .good")
        await tag.fill(imei(1))
        await page.locator("#one .do").click()
        await expect(sure).to_contain_text("これはIMEIのようです。管理番号として使いますか")
        await sure.locator(".no").click()
        await expect(tag).to_have_value(imei(1))
        assert shop.kept(EntryKind.ASSETS_ADDED) == []
        await page.locator("#one .do").click()
        await sure.locator(".yes").click()
        await expect(good).to_contain_text("記録しました")
        # From then on the lot's tags are IMEIs; and fifteen other digits are no question anywhere.
        await tag.fill(imei(2))
        await page.locator("#one .do").click()
        await expect(page.locator("#page table")).to_contain_text(imei(2))
        await shop.take_in("L-2")
        await seen.go("/lots?lot=L-2")
        await page.locator("#one > summary").click()
        await tag.fill("356938035643800")
        await page.locator("#one .do").click()
        await expect(good).to_contain_text("記録しました")
        await expect(sure).to_be_hidden()
    assert len(shop.kept(EntryKind.ASSETS_ADDED)) == 3
