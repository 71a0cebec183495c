"""Item 3 of a newcomer's hour: who takes over is said, and what becomes of what was typed."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import unquote

import pytest
from chromium import Visit, needs_chromium
from paper_shop import Shop
from playwright.async_api import Locator, Page, expect
from scanner import scan
from screens import Screen, Screens

from benchd.domain.errors import NotSignedIn
from benchd.domain.job import Gate
from benchd.domain.people import SignedIn
from benchd.domain.record import EntryKind
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Callers, session_way
from tests.web.fake_sessions import FakeSessions
from tests.web.web_fakes import A1

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]


def told(page: Page, place: str = "#operator") -> Locator:
    return page.locator(f"{place} .told")


@asynccontextmanager
async def another_page(seen: Visit, path: str) -> AsyncGenerator[Visit]:
    """A second page in the same browser, with the same session."""
    page = await seen.page.context.new_page()
    await page.goto(seen.at(path))
    await expect(page.locator("#operator .who")).to_be_visible()
    # It ends with its browser's context.
    yield Visit(page, seen.base)


async def shows(one: Screen, name: str) -> None:
    await expect(one.seen.panel(".who")).to_have_text(name)


async def test_a_badge_over_a_question_says_who_was_and_who_is_and_that_the_note_is_gone(
    screens: Screens,
) -> None:
    async with screens() as one:
        one.ask(A1, "job-1")
        await one.seen.open("A1")
        await one.seen.panel("input[name=note]").fill("書類 No.1")
        await scan(one.seen, "SUZUKI-1002")
        await shows(one, "SUZUKI-1002")
        await expect(told(one.page, "#panel")).to_contain_text("SATO-1001 → SUZUKI-1002")
        await expect(one.said).to_contain_text("SATO-1001 が入力していたメモは消しました")
        await expect(one.seen.panel("input[name=note]")).to_have_value("")


@pytest.mark.parametrize("gate", [Gate.CONSENT, Gate.IMEI])
async def test_who_signs_in_at_another_page_leaves_a_note_but_no_number(
    screens: Screens, gate: Gate
) -> None:
    async with screens() as one:
        one.ask(A1, "job-1", gate)
        await one.seen.open("A1")
        note = one.seen.panel("input[name=note]")
        await note.fill("356938030000013")
        async with another_page(one.seen, "board") as other:
            await scan(other, "SUZUKI-1002")
            await expect(other.page.locator("#operator .who")).to_have_text("SUZUKI-1002")
            # At once, not when something is sent.
            await shows(one, "SUZUKI-1002")
        await expect(told(one.page, "#panel")).to_contain_text("別の画面")
        await expect(told(one.page, "#panel")).to_contain_text("SATO-1001 → SUZUKI-1002")
        kept = gate is Gate.CONSENT
        await expect(one.said).to_contain_text("残っています" if kept else "消しました")
        await expect(note).to_have_value("356938030000013" if kept else "")
        # Also after a reload: what stays is now theirs.
        await one.page.reload()
        await expect(note).to_have_value("356938030000013" if kept else "")


@asynccontextmanager
async def lot_begun(shop: Shop, *scripts: str) -> AsyncGenerator[Visit]:
    """A lot is half entered by one person."""
    sessions = Strict()
    shop.callers = Callers((session_way(sessions),), anonymous=AccessLevel.READ)
    shop.parts = {"sessions": sessions}
    async with shop.seen_at("/lots", signed_in=False, refused=True) as seen:
        page = seen.page
        for script in scripts:
            await page.add_init_script(script)
        await page.reload()
        # The page hears what is scanned from here on.
        await expect(page.locator("#operator .sign-in")).to_be_visible()
        await scan(seen, "SATO-1001")
        await expect(page.locator("#operator .who")).to_have_text("SATO-1001")
        await page.locator("#add-lot > summary").click()
        await page.locator("#lot").fill("L-1")
        await page.locator("#kind-purchase").check()
        await page.locator("#consignor").fill("個人")
        async with another_page(seen, "disposal") as other:
            await scan(other, "SUZUKI-1002")
            await expect(other.page.locator("#operator .who")).to_have_text("SUZUKI-1002")
        yield seen


class Strict(FakeSessions):
    """Each session has a secret of its own, as the daemon's have."""

    def use(self, token: str, csrf: str, source: str) -> SignedIn:
        told = self._of(unquote(token))
        if csrf != told.csrf:
            raise NotSignedIn("the session's other secret is missing or wrong")
        return told

    def _of(self, name: str) -> SignedIn:
        return replace(super()._of(name), csrf=f"of-{name}")


async def test_a_form_stays_filled_in_whoever_signs_in_at_another_page(shop: Shop) -> None:
    async with lot_begun(shop) as seen:
        page = seen.page
        # At once, not when something is sent.
        await expect(page.locator("#operator .who")).to_have_text("SUZUKI-1002")
        await expect(told(page)).to_contain_text("SATO-1001 → SUZUKI-1002")
        await expect(told(page)).to_contain_text("入力した内容は残っています")
        await expect(page.locator("#lot")).to_have_value("L-1")
        await page.locator("#add-lot .do").click()
        await expect(page.locator("h2")).to_contain_text("L-1")
        [lot] = shop.kept(EntryKind.LOT_ADDED)
        assert "SUZUKI-1002" in str(lot.entry.data["by"])


DEAF = "window.BroadcastChannel = class { postMessage() {} };"
"""Run in a page before its own scripts: it hears of no other page."""


async def test_a_form_isnt_thrown_away_where_only_the_daemon_tells_of_another_session(
    shop: Shop,
) -> None:
    async with lot_begun(shop, DEAF) as seen:
        page = seen.page
        await expect(page.locator("#operator .who")).to_have_text("SATO-1001")
        send = page.locator("#add-lot .do")
        await send.click()
        await expect(page.locator("#operator .who")).to_have_text("SUZUKI-1002")
        await expect(page.locator("#add-lot .said")).to_contain_text("別の画面でサインイン")
        await expect(page.locator("#lot")).to_have_value("L-1")
        assert shop.kept(EntryKind.LOT_ADDED) == []
        await send.click()
        await expect(page.locator("h2")).to_contain_text("L-1")


async def test_who_locks_at_another_page_locks_this_one_at_once(screens: Screens) -> None:
    async with screens() as one, another_page(one.seen, "lots") as other:
        await other.page.keyboard.press("F9")
        await expect(one.page.locator("#operator .who")).to_have_count(0)
