"""Every letter that a page shows is in the fonts that benchd brings: a kiosk may have no other."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from chromium import Visit, needs_chromium
from paper_shop import Shop
from playwright.async_api import expect

from benchd import texts
from benchd.web import dashboard

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

CATALOGUES = [Path(texts.__path__[0]) / f"{language}.toml" for language in ("ja", "en")]
SCRIPTS = sorted((Path(dashboard.__file__).parent / "static").glob("*.js"))
NAMES = "髙橋 山﨑 濵田 德永 廣瀨 栁田 渡邉 渡邊 齋藤 櫻井 嶋﨑 塚本 逢坂 辻"
"""Letters of people's names that lists of everyday ones leave out."""
OLDER = "ℓ㈱①②③Ⅱ～‐☆★◎※々〆"
"""What papers of intake bring along."""
TYPED = "✕✖"
"""A script reads these from a note as other signs, and shows none of them."""
PUT = """words => {
  const line = document.createElement('p');
  line.id = 'every-letter';
  const bold = document.createElement('b');
  line.append(words);
  bold.append(words);
  line.append(bold);
  document.body.append(line);
  return Promise.all([line, bold].map(each => {
    const { font } = getComputedStyle(each);
    return document.fonts.load(font, words);
  })).then(() => null);
}"""


def told_in(part: object) -> Iterator[str]:
    """All the texts of a catalogue."""
    if isinstance(part, Mapping):
        for each in part.values():
            yield from told_in(each)
    elif isinstance(part, list):
        for each in part:
            yield from told_in(each)
    elif isinstance(part, str):
        yield part


def letters() -> str:
    said = "".join("".join(told_in(tomllib.loads(file.read_text()))) for file in CATALOGUES)
    scripts = "".join(file.read_text(encoding="utf-8") for file in SCRIPTS)
    return "".join(
        sorted({one for one in said + scripts + NAMES + OLDER if one.isprintable()} - {*TYPED})
    )


async def fonts_of(seen: Visit, words: str) -> list[dict[str, Any]]:
    """Which fonts these words are painted with."""
    await seen.page.evaluate(PUT, words)
    await seen.page.screenshot()
    devtools = await seen.page.context.new_cdp_session(seen.page)
    await devtools.send("DOM.enable")
    await devtools.send("CSS.enable")
    document = await devtools.send("DOM.getDocument")
    line = {"nodeId": document["root"]["nodeId"], "selector": "#every-letter"}
    node = await devtools.send("DOM.querySelector", line)
    told = await devtools.send("CSS.getPlatformFontsForNode", node)
    return told["fonts"]


@pytest.mark.parametrize("path", ["/", "/board?sheet=handover", "/cards"])
async def test_no_letter_of_a_page_is_left_to_the_machines_own_fonts(shop: Shop, path: str) -> None:
    async with shop.seen_at("/") as seen:
        await seen.go(path)
        await expect(seen.page.locator("h1").first).to_be_attached()
        others = [font for font in await fonts_of(seen, letters()) if not font["isCustomFont"]]
        assert others == []
