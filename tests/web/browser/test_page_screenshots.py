"""Pictures of the pages beside the wall for people to look at; scripts/screenshots keeps them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from chromium import needs_chromium
from gallery import Gallery
from paper_shop import Shop
from playwright.async_api import Page, ViewportSize, expect

from benchd.web.access_level import AccessLevel
from tests.intake.lots import imei
from tests.web.fake_sessions import believing

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300), needs_chromium]

LAPTOP: ViewportSize = {"width": 1366, "height": 768}
PHONE: ViewportSize = {"width": 390, "height": 844}
A4: ViewportSize = {"width": 718, "height": 1047}
"""What is printed of a page, without its margins, in pixels of a screen."""
ASSETS = "管理番号,IMEI,機種,色,ランク\n" + "".join(
    f"T-{number:03},{imei(number)},SO-51B,黒,B\n" for number in range(1, 9)
)
WRONG = f"管理番号,IMEI\nT-020,{imei(1)}\nT-021,356938035643800\nT 022,\n"


def fill(shop: Shop) -> None:
    for number, (job, goes, reason) in enumerate(
        (
            ("20261124-00000000a1", "destroy", "felica_residue"),
            ("20261124-00000000a2", "return", "locked"),
            ("20261124-00000000a3", "hold", "coverage_too_low"),
            ("20261124-00000000a4", "sellable", None),
            ("20261124-00000000a5", "destroy", "storage_fault"),
            ("20261124-00000000a6", "hold", "network_restricted"),
        ),
        start=1,
    ):
        shop.ended(job, goes, reason, number, tag=f"T-00{number}")


async def take_in(shop: Shop) -> None:
    """Lots with assets, one of which is dead."""
    async with shop.here.over_tcp() as clerk:
        for lot, consignor in (("L-1", "株式会社サンプル"), ("L-2", "個人")):
            told = {"lot": lot, "consignor": consignor, "kind": "purchase", "paper": "No.12"}
            told |= {"identity_check": "運転免許証"}
            assert (await clerk.post("/api/v1/lots", json=told)).is_success
        assets = "/api/v1/lots/L-1/assets.csv"
        assert (await clerk.post(assets, content=ASSETS.encode())).json()["taken"]
        stated = {"kinds": ["consent", "jpki"], "excepted": ["T-003", "T-007"]}
        stated |= {"note": "書類 No.12"}
        assert (await clerk.post("/api/v1/lots/L-1/attestations", json=stated)).is_success
        dead = {"reason": "no_power"}
        assert (await clerk.post("/api/v1/assets/T-008/unerasable", json=dead)).is_success


async def prepare(page: Page, name: str) -> None:
    """What somebody does on the page before it's taken."""
    match name:
        case "lots-add":
            await page.locator("#add-lot > summary").click()
        case "lot-import":
            await page.locator("#import > summary").click()
            file = {"name": "list.csv", "mimeType": "text/csv", "buffer": WRONG.encode()}
            await page.locator("#assets-file").set_input_files(file)  # type: ignore[arg-type]
            await page.locator("#import .do").first.click()
            await expect(page.locator("#import .bad")).to_be_visible()
        case "lot-attest":
            await page.locator("#attest > summary").click()
            await page.locator("#which-whole").check()
        case "disposal-settle":
            await page.locator("#scan").fill("HQ610001")
            await page.keyboard.press("Enter")
            await page.locator("#scan").fill("HQ610005")
            await page.keyboard.press("Enter")
            await page.locator("#to-destroyed").check()
        case "handset":
            await expect(page.locator(".story").first).to_be_visible()
        case "label":
            await page.locator("img.label").evaluate("label => label.decode()")
        case "report-paper" | "board-handover" | "board-paper":
            await page.emulate_media(media="print")
            await page.set_viewport_size(A4)
        case _:
            pass


PAGES = {
    "report-not-signed-in": "report",
    "lots-add": "lots",
    "lot-import": "lots?lot=L-1",
    "lot-attest": "lots?lot=L-1",
    "disposal-settle": "disposal",
    "report": "report?from=2026-11-01&to=2026-11-30",
    "report-figure": "report?from=2026-11-01&to=2026-11-30&figure=became&value=to_destroy",
    "handsets": "handsets?q=3569",
    "handset": "handsets?job=20261124-00000000a1",
    "label": "handsets?label=20261124-00000000a1",
    "report-paper": "report?from=2026-11-01&to=2026-11-30",
}
BOARD = {
    "board": "board?day=2026-11-24",
    "board-phone": "board?day=2026-11-24",
    "board-handover": "board?day=2026-11-24&sheet=handover",
    "board-paper": "board?day=2026-11-24",
    "board-light": "board?day=2026-11-24&theme=light",
}


# In English each page is seen by test_axe.
@pytest.mark.parametrize("language", ["ja", pytest.param("en", marks=pytest.mark.nightly)])
@pytest.mark.parametrize("pages", [PAGES, BOARD], ids=["pages", "board"])
async def test_pages(shop: Shop, tmp_path: Path, pages: dict[str, str], language: str) -> None:
    folder = Path(os.environ.get("BENCHD_SCREENSHOTS", tmp_path))
    fill(shop)
    shop.callers = believing(AccessLevel.WALL)
    if pages is BOARD:
        Gallery(shop.rack).fill(28)
    async with shop.seen_at("/lots", signed_in=False, **LAPTOP) as seen:
        page = seen.page
        await take_in(shop)
        signed_in = False
        for name, path in pages.items():
            await page.emulate_media(media="null")
            await page.set_viewport_size(PHONE if name.endswith("-phone") else LAPTOP)
            await seen.go(f"{path}{'&' if '?' in path else '?'}lang={language}")
            if not name.endswith("not-signed-in"):
                if not signed_in:
                    await seen.sign_in()
                signed_in = True
                await expect(page.locator("#page h2")).to_be_visible()
            await prepare(page, name)
            await seen.fonts()
            file = folder / f"page-{name}-{language}.png"
            await page.screenshot(path=file, animations="disabled", full_page=True)
            assert file.stat().st_size > 10_000


async def test_cards_as_they_are_printed(shop: Shop, tmp_path: Path) -> None:
    folder = Path(os.environ.get("BENCHD_SCREENSHOTS", tmp_path))
    Gallery(shop.rack).fill(28)
    async with shop.seen_at("/lots", **LAPTOP) as seen:
        page = seen.page
        await page.emulate_media(media="print")
        await page.set_viewport_size(A4)
        await seen.go("cards")
        await seen.fonts()
        file = folder / "page-cards.png"
        await page.screenshot(path=file, animations="disabled", full_page=True)
        assert file.stat().st_size > 10_000
