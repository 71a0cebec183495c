"""How tests answer: with the five seconds in which a person may take it back behind them."""

from __future__ import annotations

from chromium import Visit
from playwright.async_api import expect


async def answer(seen: Visit, which: str = "yes") -> None:
    """Press an answer's button in the panel, and send it at once as somebody in a hurry does."""
    await seen.page.locator(f"#panel .{which}").click()
    await send_now(seen)


async def send_now(seen: Visit) -> None:
    """Don't wait for the bar to run out."""
    await seen.page.keyboard.press("Enter")
    await expect(seen.page.locator("#given li")).to_have_count(0)
