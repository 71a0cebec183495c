"""Debian's Chromium with a page of the dashboard in it; nothing is ever downloaded."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import (
    Browser,
    ConsoleMessage,
    HttpCredentials,
    Locator,
    Page,
    async_playwright,
    expect,
)

from tests.patience import PATIENCE_S

CHROMIUM = Path("/usr/bin/chromium-headless-shell")
"""The same engine without the windows, whose start costs each page more than the page does."""
ARGUMENTS = (
    "--disable-gpu",
    "--font-render-hinting=none",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
    *(("--no-sandbox",) if os.getuid() == 0 else ()),
)
AWAY = "net::ERR_"
"""What Chromium says of a server that isn't there: the one complaint that a test may cause."""

REFUSED = "status of 403"
"""What it says of an answer that isn't for this page's eyes."""

ANSWERED = re.compile("status of (401|409)")

needs_chromium = pytest.mark.skipif(
    not CHROMIUM.exists(), reason="Debian's chromium-headless-shell isn't here"
)


@dataclass
class Visit:
    """A page, and what it complained of."""

    page: Page
    base: str
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def at(self, path: str) -> str:
        """The address of another page of the same rack."""
        return self.base + path.removeprefix("/")

    async def go(self, path: str) -> None:
        await self.page.goto(self.at(path))

    def tile(self, slot: str) -> Locator:
        return self.page.locator(f'.tile[data-slot="{slot}"]')

    def panel(self, within: str = "") -> Locator:
        return self.page.locator(f"#panel {within}")

    async def open(self, slot: str) -> None:
        """Press on a tile."""
        await self.tile(slot).locator(".open").click()

    async def shows(self, slot: str, *texts: str, within_ms: int | None = None) -> None:
        for text in texts:
            await expect(self.tile(slot)).to_contain_text(text, timeout=within_ms)

    async def ground(self, slot: str) -> str:
        return await self.tile(slot).evaluate("tile => getComputedStyle(tile).backgroundColor")

    async def live(self) -> None:
        await expect(self.page.locator("body")).to_have_attribute("data-connection", "live")

    async def fonts(self) -> None:
        """Have the page's fonts, those too that no word has asked for yet: boxes are by them."""
        await self.page.evaluate(
            "() => Promise.all([...document.fonts].map(face => face.load())).then(() => null)"
        )

    async def sign_in(self, name: str = "佐藤") -> None:
        """Somebody signs in at the head of the page, with id and PIN."""
        await self.page.locator('#operator input[name="person"]').fill(name)
        await self.page.locator('#operator input[name="pin"]').fill("902716")
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator("#operator .who")).to_have_text(name)

    async def answer(self, which: str = "yes") -> None:
        """Press an answer's button in the panel, and send it at once: somebody is in a hurry."""
        await self.panel(f".{which}").click()
        await self.send_now()

    async def send_now(self) -> None:
        """Don't wait for the five seconds in which an answer may be taken back to run out."""
        await self.press("Enter")
        await expect(self.page.locator("#given li")).to_have_count(0)

    async def press(self, key: str) -> None:
        """Press a key as a person does: an Enter right after a reader's key may be the reader's."""
        read = await self.page.evaluate("() => performance.now()")
        await self.page.wait_for_function("at => performance.now() > at + 300", arg=read)
        await self.page.keyboard.press(key)


Visits = Callable[..., AbstractAsyncContextManager[Visit]]
"""`visited` with the browser that all tests share."""


@asynccontextmanager
async def running_chromium() -> AsyncGenerator[Browser]:
    """A browser without a page."""
    # The wrapper of umockdev, under which pytest runs, isn't for browsers.
    environment: dict[str, str | float | bool] = {
        key: value for key, value in os.environ.items() if key != "LD_PRELOAD"
    }
    expect.set_options(timeout=1000 * PATIENCE_S)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(ARGUMENTS), env=environment
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def visited(
    browser: Browser,
    url: str,
    *,
    width: int = 1920,
    height: int = 1080,
    may_be_away: bool = False,
    refused: bool = False,
    dark: bool = True,
    login: tuple[str, str] | None = None,
) -> AsyncGenerator[Visit]:
    """The page at this address; it must not complain, nor ask any other host for anything.

    With a `login` it is a proxy's, whose certificate no authority of this machine has signed.
    """
    name, password = login or ("", "")
    credentials: HttpCredentials = {"username": name, "password": password}
    # Storage, cookies and cache are the context's, so no visit knows of another.
    async with await browser.new_context(
        viewport={"width": width, "height": height},
        timezone_id="Asia/Tokyo",
        color_scheme="dark" if dark else "light",
        # Without a graphics card each frame that moves is painted by a processor, 60 a second for
        # as long as a tile calls somebody. A test of what moves asks for it.
        reduced_motion="reduce",
        http_credentials=credentials if login else None,
        ignore_https_errors=login is not None,
    ) as context:
        page = await context.new_page()
        seen = Visit(page, "{0.scheme}://{0.netloc}/".format(urlsplit(url)))
        page.on("console", lambda message: _note(seen, message))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("request", lambda asked: seen.foreign.append(asked.url))
        await page.goto(url)
        yield seen
        # A handler may still have what the page has asked for last; soon nobody reads its answer.
        await page.unroute_all(behavior="ignoreErrors")
        told = [c for c in seen.complaints if not (may_be_away and AWAY in c)]
        told = [c for c in told if not (refused and REFUSED in c)]
        assert told == [], told
        assert [asked for asked in seen.foreign if not asked.startswith(seen.base)] == []


def _note(seen: Visit, message: ConsoleMessage) -> None:
    # A refused answer is told by the browser too; the page's own tests look at those.
    if message.type in ("error", "warning") and not ANSWERED.search(message.text):
        seen.complaints.append(message.text)
