"""Debian's Chromium with the page in it; every file comes from a folder, nothing is listened on."""

from __future__ import annotations

import io
import json
import mimetypes
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import urlsplit

from PIL import Image
from playwright.async_api import Browser, Page, Route, async_playwright

from benchd.domain.errors import UsageRefused

_CHROMIUM: Final = "/usr/bin/chromium-headless-shell"
_PAGE: Final = "http://drawing.invalid/index.html"
_WIDTH_PX: Final = 1440
_FONTS: Final = Path(__file__).parents[3] / "web" / "static" / "fonts"
_INTER: Final = {"Inter-Regular.woff2": 400, "Inter-Medium.woff2": 500}
"""By the names under which Grafana's own stylesheet asks for them."""


@dataclass
class Camera:
    """A browser, and the folders that a page is made of."""

    browser: Browser
    page: Path
    modules: Path

    @classmethod
    @asynccontextmanager
    async def ready(cls, page: Path, modules: Path) -> AsyncGenerator[Self]:
        """With a browser of its own."""
        arguments = ["--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none"]
        arguments += ["--no-sandbox"] if os.getuid() == 0 else []
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=_CHROMIUM, args=arguments)
            try:
                yield cls(browser, page, modules)
            finally:
                await browser.close()

    async def photograph(self, drawing: Mapping[str, Any], into: Path) -> None:
        """Draw one dashboard, and keep its picture as PNG of 256 colours.

        Raises:
            UsageRefused: the page complained of something, and may show less than it should.
            playwright.async_api.TimeoutError: nothing was drawn.
        """
        complaints: list[str] = []
        async with await self.browser.new_context(
            viewport={"width": _WIDTH_PX, "height": 900}, timezone_id="Asia/Tokyo"
        ) as context:
            tab = await context.new_page()
            tab.on("pageerror", lambda error: complaints.append(str(error)))
            tab.on("requestfailed", lambda asked: complaints.append(f"no {asked.url}"))
            await tab.route("**/*", self._answer)
            await tab.add_init_script(f"window.benchdDrawing = {json.dumps(drawing)}")
            await tab.goto(_PAGE)
            await _drawn(tab)
            taken = await tab.locator("main").screenshot(type="png")
        if complaints:
            raise UsageRefused(f"{into.name}: {'; '.join(complaints)}")
        small = Image.open(io.BytesIO(taken)).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        small.save(into, optimize=True)

    async def _answer(self, route: Route) -> None:
        file = self._file(urlsplit(route.request.url).path[1:])
        if file.is_file():
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            await route.fulfill(body=file.read_bytes(), content_type=kind)
        else:
            await route.abort()

    def _file(self, path: str) -> Path:
        first, _, rest = path.partition("/")
        weight = _INTER.get(path.rpartition("/")[2])
        if weight is not None:
            fonts = self.modules / "@fontsource" / "inter" / "files"
            return fonts / f"inter-latin-{weight}-normal.woff2"
        if first == "japanese":
            return _FONTS / rest
        if first == "public":
            shipped = self.modules / "@grafana" / "ui" / "dist" / "public"
            return shipped / rest.removeprefix("build/")
        return self.page / path


async def _drawn(tab: Page) -> None:
    """Wait until all that the page asks for is there, and two frames more."""
    await tab.wait_for_selector("main[data-drawn]", state="attached")
    await tab.wait_for_load_state("networkidle")
