"""Debian's Chromium with the page in it; every file comes from a folder, nothing is listened on."""

from __future__ import annotations

import json
import mimetypes
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, Route, async_playwright

_CHROMIUM: Final = "/usr/bin/chromium"
_PAGE: Final = "http://drawing.invalid/index.html"
_WIDTH_PX: Final = 1440
_FONTS: Final = Path(__file__).parents[3] / "web" / "static" / "fonts"


@asynccontextmanager
async def chromium() -> AsyncGenerator[Browser]:
    """A browser without a page."""
    arguments = ["--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none"]
    arguments += ["--no-sandbox"] if os.getuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=arguments)
        try:
            yield browser
        finally:
            await browser.close()


async def photograph(
    browser: Browser, page: Path, modules: Path, drawing: Mapping[str, Any], into: Path
) -> list[str]:
    """Draw one dashboard and keep its picture as PNG; answers with what the page complained of."""
    folders = {
        "inter": modules / "@fontsource" / "inter" / "files",
        "biz": _FONTS,
        "public": modules / "@grafana" / "ui" / "dist" / "public",
    }

    async def answer(route: Route) -> None:
        first, _, rest = urlsplit(route.request.url).path[1:].partition("/")
        file = folders[first] / rest.removeprefix("build/") if first in folders else page / first
        if file.is_file():
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            await route.fulfill(body=file.read_bytes(), content_type=kind)
        else:
            await route.abort()

    complaints: list[str] = []
    async with await browser.new_context(
        viewport={"width": _WIDTH_PX, "height": 900}, timezone_id="Asia/Tokyo"
    ) as context:
        tab = await context.new_page()
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        tab.on(
            "console",
            lambda told: complaints.append(told.text) if told.type == "error" else None,
        )
        await tab.route("**/*", answer)
        await tab.add_init_script(f"window.benchdDrawing = {json.dumps(drawing)}")
        await tab.goto(_PAGE)
        try:
            await _drawn(tab)
        except Exception:
            print(complaints)
            raise
        await tab.locator("main").screenshot(path=into, type="png")
    return complaints


async def _drawn(tab: Page) -> None:
    """Wait until the page says that nothing changes any more."""
    await tab.wait_for_selector("main", timeout=8000)
    await tab.wait_for_load_state("networkidle")
