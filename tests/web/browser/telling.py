"""Tells a page what a rack would: events of the stream, beside those that it sends by itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from chromium import Visit
from playwright.async_api import Page

LISTENS = """
  const streams = [];
  window.EventSource = class extends EventSource {
    constructor(...all) { super(...all); streams.push(this); }
  };
  window.tell = (name, told) =>
    streams.at(-1).dispatchEvent(new MessageEvent(name, { data: JSON.stringify(told) }));
"""
"""Run in a page before its own scripts."""

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
"""The rack's time, which is another than the browser's."""

BINS = {"sellable": 3, "return": 1, "hold": 2, "destroy": 0}


def at(seconds: float) -> str:
    """A moment of the rack's, so many seconds from now."""
    return (NOW + timedelta(seconds=seconds)).isoformat()


def errand(kind: str, slot: str | None, ja: str, en: str = "", **more: object) -> dict[str, object]:
    """One thing that a person has to do."""
    told: dict[str, object] = {
        "kind": kind,
        "slot": slot,
        "occupancy": 7,
        "job": None,
        "since": at(-600),
        "deadline": None,
        "gate": None,
        "bin": None,
        "ja": ja,
        "en": en or ja,
        "in_short": None,
        "what_to_do": {"ja": "", "en": ""},
        "handset": None,
        "here": False,
    }
    return told | more


async def tell_queue(page: Page, *errands: dict[str, object]) -> None:
    """What has to be done next, in this order."""
    await tell(page, "queue", {"now": NOW.isoformat(), "errands": list(errands), "bins": BINS})


async def tell(page: Page, name: str, told: object) -> None:
    """One event of the stream."""
    await page.evaluate(f"told => tell({json.dumps(name)}, told)", told)


async def ready(seen: Visit) -> None:
    """Have the page listen to `tell`, from a new load on."""
    await seen.page.add_init_script(LISTENS)
    await seen.page.reload()
    await seen.live()


async def slots_of(seen: Visit) -> list[dict[str, Any]]:
    """The slots as the rack itself tells them, to tell them otherwise."""
    answer = await seen.page.request.get(seen.at("api/v1/slots"))
    return (await answer.json())["slots"]
