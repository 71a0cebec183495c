"""The printed sheet, read as a reader does: by a program that knows nothing of how it was made."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from chromium import Visits, needs_chromium
from paper_shop import address

from benchd.domain.ids import SlotName
from tests.web.web_fakes import FakeRack, waiting_view
from tests.web.web_running import Server

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(120),
    needs_chromium,
    pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbar-tools isn't here"),
]

ANSWERS = ["YES", "NO", "CIRCLE", "TRIANGLE", "CROSS", "DASH", "NEXT", "PRINT", "CANCEL"]
SLOTS = ["A1", "b2", "C-10"]
WIDTH, HEIGHT = 800, 1130
"""A4 at 96 dots an inch, so what is seen is no larger than what is printed."""


async def read(files: list[Path]) -> list[str]:
    """What each of the pictures says."""
    command = ["zbarimg", "--quiet", *map(str, files)]
    told = await anyio.run_process(command, check=False)
    return told.stdout.decode().split("\n")[:-1]


async def test_each_code_of_the_sheet_is_read_as_what_it_stands_for(
    rack: FakeRack, server: Server, tmp_path: Path, visit: Visits
) -> None:
    for number, slot in enumerate(SLOTS, start=1):
        rack.board.show(replace(waiting_view(SlotName(slot), number), slot=SlotName(slot)))
    codes = [*(f"BD:A:{answer}" for answer in ANSWERS), *(f"BD:S:{slot}" for slot in SLOTS)]
    async with (
        server() as here,
        visit(address(here, "/cards"), width=WIDTH, height=HEIGHT) as seen,
    ):
        page = seen.page
        cards = await page.locator("li").evaluate_all("all => all.map(li => li.dataset.code)")
        assert cards == codes
        await expect_black_on_white(seen.page)
        # As fine as an office's printer: three of its dots for one of the screen.
        await page.evaluate("() => (document.documentElement.style.zoom = 3)")
        pictures: list[Path] = []
        for kind in ("qr", "bars"):
            for number in range(len(codes)):
                file = tmp_path / f"{kind}-{number}.png"
                await page.locator(f"svg.{kind}").nth(number).screenshot(path=file)
                pictures.append(file)
        read_as = await read(pictures)
    assert read_as == [
        *(f"QR-Code:{code}" for code in codes),
        *(f"CODE-128:{code}" for code in codes),
    ]


async def expect_black_on_white(page) -> None:  # noqa: ANN001 - playwright's Page
    colour = await page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(255, 255, 255)"


async def test_names_of_slots_are_text(rack: FakeRack, server: Server, visit: Visits) -> None:
    hostile = "<b>x</b>"
    rack.board.show(replace(waiting_view(SlotName("A1"), 1), slot=SlotName(hostile)))
    async with server() as here, visit(address(here, "/cards")) as seen:
        card = seen.page.locator(f'li[data-code="BD:S:{hostile}"]')
        assert await card.locator("h2").inner_text() == hostile
        assert await seen.page.locator("h2 b", has_text="x").count() == 0
