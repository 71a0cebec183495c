"""The pages' head is one line where there is room, and no word of a sheet or a head is broken."""

from __future__ import annotations

import pytest
from chromium import Visit, needs_chromium
from gallery import Gallery
from paper_shop import Shop
from playwright.async_api import expect
from screens import Screens
from test_page_screenshots import fill

from benchd.domain.job import Gate
from tests.web.web_fakes import A1

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

LINES = """() => {
  const middle = e => { const box = e.getBoundingClientRect(); return box.y + box.height / 2; };
  const first = middle(document.getElementById('menu'));
  return ['title', 'operator', 'language']
    .filter(id => Math.abs(middle(document.getElementById(id)) - first) > 4);
}"""
"""What of the head stands in another line than its menu."""
BROKEN = """of => {
  const broken = [];
  const texts = document.createTreeWalker(document.querySelector(of), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { textContent: text, parentElement } = texts.currentNode;
    // Between two signs a Japanese sentence goes on in the next line; a heading doesn't.
    const words = parentElement.closest('th') ? /[^\\s（(]+/g : /[\\x21-\\x7e]+/g;
    for (const { 0: word, index } of text.matchAll(words)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, index);
      range.setEnd(texts.currentNode, index + word.length);
      const tops = [...range.getClientRects()].map(box => Math.round(box.top));
      if (new Set(tops).size > 1) broken.push(word);
    }
  }
  return broken;
}"""
"""Words that begin in one line and end in the next one."""
SHEET = "/board?sheet=handover&day=2026-11-24"


async def laid_out(seen: Visit, path: str) -> None:
    await seen.go(path)
    await expect(seen.page.locator("#page > *").first).to_be_visible()
    await seen.fonts()


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize("language", ["ja", "en"])
async def test_who_is_here_and_the_language_stand_beside_the_pages_whoever_is_here(
    shop: Shop, language: str, *, signed_in: bool
) -> None:
    async with shop.seen_at("/lots", signed_in=signed_in) as seen:
        for width in (1920, 1366, 1280, 1024):
            await seen.page.set_viewport_size({"width": width, "height": 768})
            await laid_out(seen, f"/lots?lang={language}")
            assert await seen.page.evaluate(LINES) == [], width


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_no_word_of_the_handover_sheet_is_broken_on_a_screen(
    shop: Shop, language: str
) -> None:
    fill(shop)
    Gallery(shop.rack).fill(16)
    async with shop.seen_at("/board") as seen:
        for width in (1920, 1366):
            await seen.page.set_viewport_size({"width": width, "height": 900})
            await laid_out(seen, f"{SHEET}&lang={language}")
            await expect(seen.page.locator(".sheet tbody tr").first).to_be_visible()
            assert await seen.page.evaluate(BROKEN, ".sheet") == []
            sheet = seen.page.locator(".sheet")
            assert await sheet.evaluate("sheet => sheet.scrollWidth <= sheet.clientWidth")


async def test_whoever_is_here_reads_it_in_the_language_in_every_dialog(screens: Screens) -> None:
    """That of a dialog which was made before somebody switched, and is opened afterwards."""
    async with screens() as one:
        one.ask(A1, "job-1", Gate.CONSENT)
        await one.page.locator("#language").click()
        await one.seen.open("A1")
        await one.seen.panel(".bind").click()
        await expect(one.page.locator("#bind .lock")).to_have_text("Lock (F9)")
        await expect(one.seen.panel(".lock")).to_have_text("Lock (F9)")
        await expect(one.page.locator("#operator .lock")).to_have_text("Lock (F9)")
