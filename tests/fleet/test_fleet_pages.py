"""The centre's pages in a real browser: both themes and languages, and with nothing to show."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from benchd.domain.record import EntryKind
from tests.certificate.certificate_rack import JOB
from tests.fleet.centre_rig import NOW
from tests.fleet.office_rig import Office, certified, office, tell
from tests.fleet.served_centre import served
from tests.fleet.test_fleet_report import Rack
from tests.fleet.test_public_check import digest_of
from tests.fleet.written_ledger import WrittenLedger
from tests.imeis import imei
from tests.ledger.records.records_rack import IMEI, Told
from tests.web.browser.chromium import Visit, needs_chromium, running_chromium, visited

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120), needs_chromium]

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
RUN = """async rules => (await axe.run(document, { runOnly: rules })).violations.flatMap(
  rule => rule.nodes.map(node => `${rule.id}: ${node.failureSummary}`))"""
CUT = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
PICTURES = os.environ.get("BENCHD_SCREENSHOTS")
"""A folder for pictures of the pages, for people to look at."""
LOOKS = [(language, dark) for language in ("ja", "en") for dark in (True, False)]


@asynccontextmanager
async def page_of(
    here: Office, path: str, *, dark: bool = True, language: str = "en"
) -> AsyncGenerator[Visit]:
    mark = "&" if "?" in path else "?"
    async with (
        served(here.pages) as url,
        running_chromium() as browser,
        visited(browser, f"{url}{path}{mark}lang={language}", dark=dark, width=1366) as seen,
    ):
        yield seen


async def sign_in(page: Page, secret: str) -> None:
    await page.locator("#token").fill(secret)
    await page.keyboard.press("Enter")


async def looked_at(seen: Visit, name: str) -> None:
    """Clean by axe's rules, not cut off on a phone, and a picture where somebody wants one."""
    await seen.fonts()
    await seen.page.evaluate(AXE)
    assert await seen.page.evaluate(RUN, RULES) == []
    if PICTURES:
        await seen.page.screenshot(path=Path(PICTURES) / f"fleet-{name}.png")
    await seen.page.set_viewport_size({"width": 390, "height": 844})
    assert await seen.page.evaluate(CUT) <= 0
    await seen.page.set_viewport_size({"width": 1366, "height": 768})


async def fleet(here: Office, folder: Path) -> str:
    """Two racks, one of them forked, one with a certificate, of which this is the digest."""
    nagoya, osaka = WrittenLedger(), WrittenLedger()
    await here.centre.join(nagoya, "名古屋 1 / Nagoya 1")
    await here.centre.join(osaka, "大阪 2 / Osaka 2")
    told = Told()
    told.open("20261103-00000000a1")
    told.inspect("20261103-00000000a1", serial="R5CT20ABCDE")
    told.end("20261103-00000000a1")
    tell(osaka, [stored.entry for stored in told.stored])
    clone = osaka.copy()
    osaka.add("own")
    clone.add("other")
    await here.centre.send(osaka, 0)
    await here.centre.send(clone, len(clone.records) - 1)
    # Only now: what comes in later of one that may be the same handset withdraws it.
    envelope = certified(nagoya, folder / "certificates")
    await here.centre.send(nagoya, 0)
    return digest_of(envelope)


async def at_work(here: Office) -> Rack:
    """A third rack, with all that the report tells, and somebody who is waited for."""
    rack = Rack("名古屋 3 / Nagoya 3")
    await rack.joins(here)
    rack.told.lot("L-1", "例示商事")
    rack.told.lot("L-2", "個人")
    held = ""
    for number, end in enumerate(("sold", "sold", "sold", "held", "to_destroy", "tray", None)):
        lot = "L-1" if number % 2 else "L-2"
        job = rack.job(imei(number + 1), end, tag=f"T{number}", lot=lot)
        held = job if end == "held" else held
        rack.told.chip(job, "in_use") if end is None else None
    rack.told.settle(held, "held", "to_return")
    rack.told.settle(held, "to_return", "returned")
    for job, outcome in (("today-1", "passed"), ("today-2", "failed")):
        rack.told.open(job, NOW - timedelta(hours=1))
        told = {"outcome": outcome, "disposition": "hold", "reason": None, "detail": ""}
        rack.told.tell(EntryKind.JOB_ENDED, job, {**told, "certificate": None}, NOW)
    rack.told.open("asks", NOW - timedelta(hours=1))
    rack.told.tell(EntryKind.QUESTION_ASKED, "asks", {"gate": "confirm", "facts": {}}, NOW)
    await rack.sends(here)
    return rack


@pytest.mark.parametrize(("language", "dark"), LOOKS)
async def test_the_racks_are_shown_to_whoever_has_a_token(
    conninfo: str, tmp_path: Path, language: str, dark: bool
) -> None:
    look = f"{language}-{'dark' if dark else 'light'}"
    async with office(conninfo) as here, page_of(here, "/", dark=dark, language=language) as seen:
        page = seen.page
        await looked_at(seen, f"token-{look}")
        await sign_in(page, "benchd_guessed")
        await expect(page.get_by_role("alert")).to_be_visible()
        await sign_in(page, here.secret)
        await expect(page.locator("main")).to_contain_text("benchd fleet join")
        await looked_at(seen, f"empty-{look}")
        await fleet(here, tmp_path)
        await at_work(here)
        await here.filed.catch_up()
        await here.counted.catch_up()
        await page.reload()
        await expect(page.locator("tbody tr")).to_have_count(4)
        await expect(page.get_by_role("alert")).to_contain_text("Osaka 2")
        await expect(page.locator(".alarm")).to_have_count(1)
        # One question is open on the first rack, and all that has ended there today has passed.
        nagoya = page.locator("tbody tr", has_text="Nagoya 3")
        await expect(nagoya.locator(".waits")).to_have_text("1")
        await expect(nagoya).to_contain_text("50 %")
        await expect(nagoya).to_contain_text("1 / 2")
        await looked_at(seen, f"racks-{look}")


@pytest.mark.parametrize(("language", "dark"), LOOKS[:2])
async def test_a_handset_is_found_over_all_racks_on_its_page(
    conninfo: str, tmp_path: Path, language: str, dark: bool
) -> None:
    look = f"{language}-{'dark' if dark else 'light'}"
    async with (
        office(conninfo) as here,
        page_of(here, "/handsets", dark=dark, language=language) as seen,
    ):
        page = seen.page
        await fleet(here, tmp_path)
        await sign_in(page, here.secret)
        await page.locator("#q").fill(IMEI)
        await page.keyboard.press("Enter")
        # One number, but another serial and model: each may be the other, and neither is.
        await expect(page.locator("main section")).to_have_count(2)
        await expect(page.locator("main table")).to_have_count(4)
        await expect(page.locator("main")).to_contain_text(JOB)
        await looked_at(seen, f"handsets-{look}")
        await page.locator("#q").fill("nothing here")
        await page.keyboard.press("Enter")
        await expect(page.locator("main table")).to_have_count(0)
        await expect(page.locator(".nothing")).to_have_count(1)
        assert IMEI not in page.url


@pytest.mark.parametrize(("language", "dark"), LOOKS)
async def test_strangers_check_a_certificate_by_its_code(
    conninfo: str, tmp_path: Path, language: str, dark: bool
) -> None:
    look = f"{language}-{'dark' if dark else 'light'}"
    async with (
        office(conninfo) as here,
        # As the code says it, in capital letters.
        page_of(here, "/VERIFY", dark=dark, language=language) as seen,
    ):
        page = seen.page
        digest = await fleet(here, tmp_path)
        await looked_at(seen, f"verify-{look}")
        standing = page.locator(".standing")
        for typed, expected in (
            (f"BENCHD:{JOB}:{digest}:HTTP://127.0.0.1/VERIFY".upper(), "valid"),
            (f"BENCHD:{JOB}:{'0' * 64}", "invalid"),
            ("<b>no code</b>", "invalid"),
        ):
            await page.locator("#code").fill(typed)
            await page.keyboard.press("Enter")
            await expect(standing).to_have_attribute("data-standing", expected)
            await looked_at(seen, f"{expected}-{look}")
        await seen.go(f"/verify?number={JOB}&digest={digest}&lang={language}")
        await expect(standing).to_have_attribute("data-standing", "valid")
        await expect(standing).to_contain_text("Sony SO-51C")
        assert await page.locator("#nav a").count() == 0


@pytest.mark.parametrize(("language", "dark"), LOOKS)
async def test_the_report_tells_of_racks_lots_and_consignors(
    conninfo: str, tmp_path: Path, language: str, dark: bool
) -> None:
    look = f"{language}-{'dark' if dark else 'light'}"
    path = "/report?from=2026-11-01&to=2026-11-30"
    async with office(conninfo) as here, page_of(here, path, dark=dark, language=language) as seen:
        page = seen.page
        await sign_in(page, here.secret)
        await expect(page.locator("#from")).to_have_value("2026-11-01")
        await expect(page.locator("main table")).to_have_count(0)
        await looked_at(seen, f"report-empty-{look}")
        await fleet(here, tmp_path)
        await at_work(here)
        await page.reload()
        row = page.locator("tbody tr", has_text="Nagoya 3")
        # Came in, certified, returned, destroyed, waiting, running, not erasable and the yield.
        expected = ["7", "3", "1", "0", "2", "1", "2", "50 %"]
        await expect(row.locator("td:not(:first-child)")).to_have_text(expected)
        await expect(page.get_by_role("status")).to_contain_text(["Osaka 2"])
        await looked_at(seen, f"report-{look}")
        await row.get_by_role("link").click()
        await expect(page.locator("#rack")).to_have_value("名古屋 3 / Nagoya 3")
        await expect(page.locator("tbody tr").first.locator("td")).to_have_text(expected)
        await expect(page.locator("tbody tr", has_text="L-1")).to_have_count(1)
        await page.locator("#lot").fill("L-1")
        await page.keyboard.press("Enter")
        await expect(page.locator("tbody tr").first.locator("td").first).to_have_text("3")
