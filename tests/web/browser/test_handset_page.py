"""What happened to one handset, as somebody asks whose customer has called; and its label."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from chromium import needs_chromium
from paper_shop import Shop
from playwright.async_api import expect

from benchd.domain.chip import ChipVerdict
from benchd.domain.evidence_json import to_json
from benchd.domain.hook import Direction, NextAction
from benchd.domain.ids import Evidence, JobId
from benchd.domain.record import EntryKind
from tests import recorded
from tests.intake.lots import imei
from tests.ledger.records.records_rack import INSPECT
from tests.web.web_fakes import BEGAN

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

JOB = JobId("20261124-00000000c1")


def cleared(shop: Shop, *, certificate: str | None) -> None:
    """A handset whose chip was cleared between two looks."""
    keep = shop.rack.ledger.keep
    in_use = recorded.chip(
        verdict=ChipVerdict.IN_USE,
        owners_ja=("Suica", "WAON"),
        owners_en=("Suica", "WAON"),
        reader="PaSoRi 3",
        passes=2,
    )
    stages: tuple[tuple[str, Evidence], ...] = (
        ("inspect", to_json(INSPECT)),
        ("felica_check", in_use),
        ("overwrite", recorded.overwrite(bytes_written=58_290_000_000, elapsed_s=600.0)),
        ("felica_recheck", recorded.chip(verdict=ChipVerdict.UNUSED)),
    )
    keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, JOB)
    for stage, evidence in stages:
        keep(EntryKind.STAGE_STARTED, {"stage": stage}, JOB)
        keep(EntryKind.STAGE_ENDED, recorded.stage_ended(stage, evidence), JOB)
    answer: Evidence = {
        "gate": "confirm",
        "approved": True,
        "operator": "鈴木",
        "person": "suzuki",
        "shown_by": "badge_and_pin",
        "note": "",
        "at": BEGAN.isoformat(),
    }
    keep(EntryKind.DECISION, answer, JOB)
    end: Evidence = {
        "outcome": "passed",
        "disposition": "sellable",
        "reason": None,
        "detail": "",
        "certificate": certificate,
    }
    keep(EntryKind.JOB_ENDED, end, JOB)


async def test_the_story_says_what_each_stage_found_whose_chip_it_was_and_who_said_what(
    shop: Shop,
) -> None:
    cleared(shop, certificate='{"payload": ""}')
    async with shop.seen_at(f"/handsets?job={JOB}") as seen:
        page = seen.page
        story = page.locator(".story")
        await expect(story.locator(".stages")).to_contain_text("58.2 GB を書き込み（所要 10:00）")
        await expect(story.locator(".stages")).to_contain_text("Android 13")
        chips = story.locator(".chips-seen dd")
        await expect(chips).to_have_count(2)
        await expect(chips.nth(0)).to_contain_text("Suica、WAON")
        await expect(chips.nth(1)).not_to_contain_text("Suica")
        await expect(story.locator(".decisions")).to_contain_text("鈴木")
        await expect(story.locator(".decisions")).to_contain_text("バッジとPIN")
        certificate = page.locator("main > .facts a.certificate")
        page_of_it = f"/api/v1/jobs/{JOB}/certificate.html?language=ja"
        await expect(certificate).to_have_attribute("href", page_of_it)
        await page.locator("#language").click()
        await expect(story.locator(".stages")).to_contain_text("58.2 GB written in 10:00")


async def test_battery_and_grade_stand_beside_the_certificate(shop: Shop) -> None:
    cleared(shop, certificate='{"payload": ""}')
    shop.ended("job-2", "hold", "felica_residue", 2)
    async with shop.seen_at(f"/handsets?job={JOB}") as seen:
        page = seen.page
        facts = page.locator("main > .facts")
        await expect(facts).to_contain_text("電池")
        await expect(facts).to_contain_text("最大容量 不明、充電回数 不明")
        await expect(facts).to_contain_text("まだ付けていません")
        await page.locator("#grading > summary").click()
        for code in ("A", "J"):
            await page.locator(f"#grade-{code}").check()
            await page.locator("#grade-note").fill(f"{code} と判断")
            await page.locator("#grading .do").click()
            await expect(facts).to_contain_text(f"{code}（")
        lines = page.locator("#grades tbody tr")
        await expect(lines).to_have_count(2)
        await expect(lines.nth(0)).to_contain_text("J（ジャンク品）")
        await expect(lines.nth(0)).to_contain_text("J と判断")
        await expect(lines.nth(1)).to_contain_text("A（美品）")
        await expect(facts.locator("a.certificate")).to_be_visible()
        await page.locator("#language").click()
        await expect(facts).to_contain_text("J (junk)")
        await seen.go("/handsets?job=job-2")
        await expect(facts).to_contain_text("not given yet")


async def test_a_label_says_where_the_handset_goes_and_is_one_small_page(
    shop: Shop, tmp_path: Path
) -> None:
    cleared(shop, certificate='{"payload": ""}')
    shop.ended("job-2", "destroy", "felica_residue", 2, model="<b>M</b>" + "X" * 70)
    shop.ended("job-3", "sellable", None, 3)
    shop.ended("job-4", "destroy", "felica_residue", 3)
    async with shop.seen_at(f"/handsets?job={JOB}") as seen:
        label = seen.page.locator(".label")
        await seen.page.locator("#label").click()
        # It is the daemon's own picture, whose words stand beside it for who can't see it.
        await expect(label).to_have_attribute("src", f"/api/v1/jobs/{JOB}/label.svg?lang=ja")
        await expect(label).to_have_attribute("alt", re.compile(f"^販売可 .*{JOB}$"))
        assert await label.evaluate(DRAWN)
        await seen.go("/handsets?label=job-2")
        await expect(label).to_have_attribute("alt", re.compile("^破砕 .*<b>M</b>.*FeliCa"))
        assert await label.evaluate(DRAWN)
        file = tmp_path / "label.pdf"
        printed = await seen.page.pdf(path=file, prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
        boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", printed)
        points = [round(float(size) / 72 * 25.4) for size in boxes[0]]
        assert points == [62, 40]
        # No label says of a handset what an older job found.
        await seen.go("/handsets?label=job-3")
        await expect(seen.page.locator("#page .caution")).to_contain_text("新しい作業")
        await expect(seen.page.locator("#page")).not_to_contain_text("販売可")
        await expect(seen.page.locator(".label, #print")).to_have_count(0)
        await seen.page.get_by_role("link", name="新しい作業のラベル").click()
        await expect(label).to_have_attribute("alt", re.compile("^破砕 "))


DRAWN = "label => label.decode().then(() => label.naturalWidth > 0)"


async def test_a_label_that_the_daemon_cant_draw_isnt_printed(shop: Shop) -> None:
    shop.ended("job-1", "destroy", "felica_residue", 1)
    async with shop.seen_at("/handsets?job=job-1") as seen:
        page = seen.page
        refused = {"error": {"code": "decision_refused", "message": "no"}}
        await page.route("**/label.svg*", lambda route: route.fulfill(status=409, json=refused))
        await seen.go("/handsets?label=job-1")
        await expect(
            page.get_by_role("alert").filter(has_text="ラベルを作れません")
        ).to_be_visible()
        await expect(page.locator("img.label, #print")).to_have_count(0)


HELD = Direction(hook="stock", sequence=1, job=JOB, action=NextAction.HOLD, bin=None, refused=None)


@pytest.mark.parametrize(
    ("certificate", "held", "on_label", "in_file"),
    [
        (None, None, "保留", "証明書はありません"),
        ('{"payload": ""}', HELD, "外部システムが保留（stock）", "保留"),
    ],
    ids=["no certificate", "held back by another system"],
)
async def test_no_label_and_no_file_calls_sellable_what_isnt(
    shop: Shop, certificate: str | None, held: Direction | None, on_label: str, in_file: str
) -> None:
    cleared(shop, certificate=certificate)
    if held:
        shop.rack.held.take(held)
    async with shop.seen_at(f"/handsets?label={JOB}") as seen:
        await expect(seen.page.locator(".label")).to_have_attribute(
            "alt", re.compile(f"(?=^保留 ).*{re.escape(on_label)}")
        )
        await seen.go(f"/handsets?job={JOB}")
        await expect(seen.page.locator("main > .facts")).to_contain_text(in_file)
        await expect(seen.page.locator("#page")).not_to_contain_text("販売可")
        if held:
            await expect(seen.page.locator("#page")).not_to_contain_text("販売")


async def test_a_handset_is_found_by_a_part_of_a_number_which_no_address_keeps(
    shop: Shop,
) -> None:
    shop.ended("job-1", "destroy", "felica_residue", 1)
    shop.ended("job-2", "hold", "coverage_too_low", 2)
    async with shop.seen_at("/handsets?q=HQ610001") as seen:
        page, found = seen.page, seen.page.locator("#page tbody tr")
        await expect(found).to_contain_text("job-1")
        assert page.url == seen.at("handsets")
        # Whoever comes back finds what they had found.
        await found.get_by_role("link", name="job-1").click()
        await expect(page.locator("#label")).to_be_visible()
        await page.go_back()
        await expect(found).to_contain_text("job-1")
        await page.keyboard.press("F9")
        await expect(page.locator("#operator form")).to_be_visible()
        await seen.sign_in()
        await expect(page.locator("#page #q")).to_have_value("")
        assert "HQ61" not in await page.content()
        await page.locator("#q").fill("Q610002")
        await page.keyboard.press("Enter")
        await expect(found).to_have_count(1)
        await expect(found).to_contain_text(imei(2))
        await page.locator("#q").fill("nothing-has-this")
        await page.keyboard.press("Enter")
        await expect(page.locator(".nothing")).to_contain_text("この番号の端末はありません")
