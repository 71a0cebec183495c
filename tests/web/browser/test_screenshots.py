"""Pictures of the dashboard for people to look at; scripts/screenshots keeps them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from chromium import needs_chromium
from gallery import Gallery
from playwright.async_api import expect
from walls import Wall

from benchd.domain.ids import PortPath
from benchd.web.access_level import AccessLevel
from tests.web.web_fakes import FakeRack, port

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

SIZES = """() => {
  const size = scope => {
    const texts = document.createTreeWalker(document.querySelector(scope), NodeFilter.SHOW_TEXT);
    const found = new Map();
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      if (!texts.currentNode.data.trim()) continue;
      if (!element.checkVisibility({ opacityProperty: true })) continue;
      const kind = element.closest("h2") ? "name"
        : element.closest(".state, .short, .percent") ? "word" : "other";
      const pixels = parseFloat(getComputedStyle(element).fontSize);
      found.set(kind, Math.min(found.get(kind) ?? 999, pixels));
    }
    return kind => (found.has(kind) ? found.get(kind).toFixed(1) : "-");
  };
  const [rack, queue, head] = ["#rack", "#queue", "#head"].map(size);
  const least = of => Math.min(...["name", "word", "other"].map(of).filter(Number)).toFixed(1);
  return [rack("name"), rack("word"), rack("other"), least(queue), least(head)].join(" | ");
}"""
WALL = (1920, 1080)
PHONE = (390, 844)
LAPTOP = (1366, 768)
LIGHT = {"wall-en", "wall-64-en", "laptop-28-ja", "phone-28-en"}
IN_ENGLISH = pytest.mark.nightly
"""Sizes are looked at in English by test_layout, every kind of tile and panel by test_axe."""
SIGNED_IN = {"wall-ja", "wall-28-ja", "question-en", "phone-ja", "story-ja"}


@pytest.mark.parametrize(
    ("name", "query", "slots", "size", "opened"),
    [
        ("not-signed-in-ja", "", 8, WALL, None),
        pytest.param("not-signed-in-en", "?lang=en", 8, WALL, None, marks=IN_ENGLISH),
        ("not-signed-in-question-ja", "", 8, WALL, "A3"),
        ("wall-ja", "", 8, WALL, None),
        pytest.param("wall-en", "?lang=en", 8, WALL, None, marks=IN_ENGLISH),
        ("wall-28-ja", "", 28, WALL, None),
        ("wall-64-ja", "", 64, WALL, None),
        pytest.param("wall-64-en", "?lang=en", 64, WALL, None, marks=IN_ENGLISH),
        ("kiosk-64-ja", "?kiosk", 64, WALL, None),
        ("laptop-28-ja", "", 28, LAPTOP, None),
        pytest.param("laptop-64-en", "?lang=en", 64, LAPTOP, None, marks=IN_ENGLISH),
        pytest.param("phone-28-en", "?lang=en", 28, PHONE, None, marks=IN_ENGLISH),
        ("question-ja", "", 8, WALL, "A3"),
        pytest.param("question-en", "?lang=en", 8, WALL, "A3", marks=IN_ENGLISH),
        ("story-ja", "", 8, WALL, "A2"),
        ("phone-ja", "", 16, PHONE, None),
        ("phone-question-ja", "", 16, PHONE, "A3"),
        ("away-ja", "", 8, WALL, "away"),
    ],
)
async def test_screenshot(
    *,
    rack: FakeRack,
    wall: Wall,
    tmp_path: Path,
    name: str,
    query: str,
    slots: int,
    size: tuple[int, int],
    opened: str | None,
) -> None:
    folder = Path(os.environ.get("BENCHD_SCREENSHOTS", tmp_path))
    Gallery(rack).fill(slots)
    if slots > 16:
        rack.board.show_unknown_port(PortPath(port(9)), attached=False)
    shown = AccessLevel.WALL if name.startswith("not-signed-in") else AccessLevel.READ
    how = {"width": size[0], "height": size[1], "may_be_away": True, "dark": name not in LIGHT}
    async with wall.served(shown) as here, wall.open(here, query, **how) as seen:
        await expect(seen.tile("A2")).to_have_attribute("data-kind", "sellable")
        await seen.fonts()
        if name in SIGNED_IN:
            await seen.sign_in("佐藤 健")
        if opened == "away":
            here.stop.set()
            await here.ended.wait()
            await expect(seen.page.locator("#connection")).to_be_visible()
        elif opened:
            await seen.open(opened)
            inside = ".story" if shown is AccessLevel.READ else ".to-do"
            await expect(seen.panel(inside)).to_be_visible()
        await expect(seen.page.locator("#errands li").first).to_be_attached()
        sizes = await seen.page.evaluate(SIZES)
        print(f"\n| `{name}` | {sizes} |")  # noqa: T201 - the table in docs/wall.md
        file = folder / f"{name}.png"
        await seen.page.screenshot(path=file, animations="disabled")
    assert file.stat().st_size > 10_000
