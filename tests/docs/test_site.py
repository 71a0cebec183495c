"""The manuals' site: what leads nowhere is a mistake, Japanese is found, nothing is loaded."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.web.browser.chromium import needs_chromium, running_chromium

ROOT = Path(__file__).parents[2]
SOUND = {
    "docs/index.md": """\
# Manuals

## 担当者

* [手引き](work.ja.md): A
* [B](b.md): B
* [decisions](adr/README.md)
""",
    "docs/work.ja.md": """\
# 手引き

## 次に

端末は**上書き**
消去のあとで運ぶ。鍵を
見る。[b](b.md#some-work-its-way)
""",
    "docs/b.md": """\
# B

## Some work, its way

[次に](work.ja.md#次に) ![dot](dot.svg) rotations
""",
    "docs/dot.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>\n',
    "docs/adr/README.md": "# Decisions\n",
    "docs/adr/0001-first.md": "# 1. First\n",
}


def build(sources: Path, pages: Mapping[str, str], out: Path) -> subprocess.CompletedProcess[str]:
    for name, text in pages.items():
        file = sources / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return subprocess.run(
        [ROOT / "scripts" / "docs", "--sources", sources, out],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(folder / "sources", SOUND, folder / "out")
    assert built.returncode == 0, built.stderr
    return folder / "out"


def test_every_mistake_of_every_page_is_told_at_once(tmp_path: Path) -> None:
    wrong = {
        **SOUND,
        "docs/b.md": "# B\n\n[x](gone.md) [y](work.ja.md#nowhere) [z](#not-here) ![p](gone.png)\n",
        "docs/lost.md": "# In no section\n",
        "README.md": "# Read me\n\n![counted](https://example.com/hit.png)\n",
    }
    built = build(tmp_path / "sources", wrong, tmp_path / "out")
    assert built.returncode == 1
    for place in (
        *("'gone.md'", "nowhere", "not-here", "gone.png", "docs/lost.md"),
        'README.html loads from elsewhere: <img alt="counted" src="https://example.com/hit.png"',
    ):
        assert place in built.stderr, built.stderr


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("kept")
    built = build(tmp_path / "sources", SOUND, tmp_path)
    assert built.returncode == 2
    assert (tmp_path / "letters").exists()


def test_the_first_pages_lists_are_the_table_of_contents(site: Path) -> None:
    page = (site / "docs" / "b.html").read_text(encoding="utf-8")
    for entry in ("手引き</a>", "Decisions</a>", "1. First</a>", ">担当者<"):
        assert entry in page


def test_japanese_says_that_it_is_and_is_not_spaced_where_its_lines_break(site: Path) -> None:
    page = (site / "docs" / "work.ja.html").read_text(encoding="utf-8")
    assert 'lang="ja"' in page
    assert "<strong>上書き</strong>消去のあとで" in page
    assert 'lang="en"' in (site / "docs" / "b.html").read_text(encoding="utf-8")


@needs_chromium
@pytest.mark.asyncio
async def test_a_page_is_found_by_japanese_and_english_from_a_disk(site: Path) -> None:
    asked: list[str] = []
    async with running_chromium() as browser:
        page = await browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        await page.goto((site / "index.html").as_uri())
        await expect(page.locator("h1")).to_contain_text("Manuals")
        for words, found in (("消去のあと", "手引き"), ("を見る", "手引き"), ("rotation", "B")):
            await page.goto((site / "search.html").as_uri() + f"?q={words}")
            await expect(page.locator("ul.search li a")).to_have_text([found])
        await page.goto((site / "search.html").as_uri() + "?q=去消")
        await expect(page.locator("#search-results")).to_contain_text("did not match")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
