"""A barcode reader at the keyboard's plug, and a person's fingers, as Chromium is told of them."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from itertools import accumulate

import anyio
from chromium import Visit
from playwright.async_api import CDPSession

KEY_S = 0.005
"""A reader's time from key to key; told with each, however busy this machine is."""
NAMED = {"Enter": 13, "Tab": 9}
IME = 229
SEPARATOR = "\x1d"


_TIMES = "Object.getOwnPropertyDescriptor(Event.prototype, 'timeStamp')"


async def install_clock(seen: Visit) -> None:
    """Time can be wound on from here, but each key keeps the time it was told with.

    Playwright's clock stamps an event when it is handled, which a busy machine does late: no
    reader is heard then.
    """
    await seen.page.evaluate(f"window.keyTimes = {_TIMES}")
    await seen.page.clock.install()
    await seen.page.evaluate("Object.defineProperty(Event.prototype, 'timeStamp', keyTimes)")


@asynccontextmanager
async def _devtools(seen: Visit) -> AsyncGenerator[CDPSession]:
    devtools = await seen.page.context.new_cdp_session(seen.page)
    yield devtools
    await devtools.detach()


def _told(key: str, *, ime: bool) -> dict[str, object]:
    if key in NAMED:
        text = {"text": "\r"} if key == "Enter" else {}
        return {"key": key, "code": key, "windowsVirtualKeyCode": NAMED[key], **text}
    if key == SEPARATOR:
        return {"key": "]", "code": "BracketRight", "modifiers": 2}
    if ime:
        return {"key": "Process", "windowsVirtualKeyCode": IME, **_place(key)}
    return {"key": key, "text": key}


def _place(key: str) -> dict[str, object]:
    """Which key of a JIS keyboard it is."""
    shift = {"modifiers": 8} if key.isupper() else {}
    if key.isalpha():
        return {"code": f"Key{key.upper()}", **shift}
    if key.isdecimal():
        return {"code": f"Digit{key}"}
    return {"code": {":": "Quote", "-": "Minus", "/": "Slash"}[key]}


async def scan(
    seen: Visit,
    code: str,
    *,
    end: str | None = "Enter",
    ime: bool = False,
    key_s: float = KEY_S,
    in_time: bool = False,
    ends: int = 1,
    after_s: float = 0,
) -> None:
    """As a reader types, and with its key at the end, so often; `ime` is a Japanese IME that is on.

    It is told as if it came so long after now as `after_s` says.
    With `in_time` it takes its time too, so that whatever else the page does goes on meanwhile.
    """
    keys = [*code, *[end] * ends] if end else [*code]
    await _press(
        seen,
        keys,
        [after_s + key_s * number for number in range(len(keys))],
        ime=ime,
        in_time=in_time,
    )


HAND_S = (0.14, 0.19, 0.11, 0.23, 0.16)
"""A nimble person's time from key to key, which no two have alike."""


async def by_hand(seen: Visit, text: str) -> None:
    """As a person types, and presses Enter."""
    keys = [*text, "Enter"]
    pauses = (HAND_S[number % len(HAND_S)] for number in range(len(text)))
    await _press(seen, keys, [0.0, *accumulate(pauses)], ime=False, in_time=False)


async def _press(
    seen: Visit, keys: Sequence[str], after: Sequence[float], *, ime: bool, in_time: bool
) -> None:
    """Without `in_time` all keys are in the browser at once.

    With a round trip between two of them a busy machine lets the page's timers end a code half-way.
    """
    began = time.time()
    async with _devtools(seen) as devtools, anyio.create_task_group() as group:
        for key, after_s in zip(keys, after, strict=True):
            for kind, held_s in (("keyDown", 0.0), ("keyUp", KEY_S / 2)):
                at = began + after_s + held_s
                event = {**_told(key, ime=ime), "type": kind, "timestamp": at}
                if in_time:
                    await anyio.sleep(max(0.0, at - time.time()))
                    await devtools.send("Input.dispatchKeyEvent", event)
                else:
                    group.start_soon(devtools.send, "Input.dispatchKeyEvent", event)
