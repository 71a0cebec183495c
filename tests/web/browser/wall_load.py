"""How busy a page is under a rack's full load, and how long a plug takes to its tile."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import anyio
from chromium import Visit

from benchd.domain.ids import SlotName
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from tests.web.web_fakes import FakeRack, identity, port, running_view

WATCHED = """
  window.told = 0;
  window.longest = 0;
  window.changes = {};
  window.EventSource = class extends EventSource {
    constructor(...all) {
      super(...all);
      this.addEventListener("slot", () => { window.told += 1; });
    }
  };
  new PerformanceObserver(list => {
    for (const { duration } of list.getEntries()) {
      window.longest = Math.max(window.longest, duration);
    }
  }).observe({ type: "longtask" });
  document.addEventListener("DOMContentLoaded", () => new MutationObserver(list => {
    const at = performance.timeOrigin + performance.now();
    for (const { target } of list) {
      window.changes[`${target.dataset.slot} ${target.dataset.state}`] ??= at;
    }
  }).observe(document.getElementById("rack"), { subtree: true, attributeFilter: ["data-state"] }));
"""
"""Run in a page before its own scripts."""

EVERY_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one measurement has shown."""

    updates_per_s: float
    """Of all slots together."""
    busy: float
    """Share of the time in which the page's main thread did something."""
    processor: float
    """Share that the thread itself has had of a processor; waiting for one isn't in it."""
    longest_task_ms: float
    """0 where none took 50 ms or more: the browser tells of no shorter one."""

    def __str__(self) -> str:
        longest = f"{self.longest_task_ms:.0f} ms" if self.longest_task_ms else "under 50 ms"
        return (
            f"{self.updates_per_s:.0f} updates/s, main thread {self.busy:.1%} busy"
            f" ({self.processor:.1%} of a processor), longest task {longest}"
        )


def names(slots: int) -> list[SlotName]:
    """A1 to A8, B1 and so on."""
    return [SlotName(f"{chr(65 + at // 8)}{at % 8 + 1}") for at in range(slots)]


def fill(rack: FakeRack, slots: int) -> list[SlotView]:
    """Every slot overwrites a handset."""
    views = [
        replace(
            running_view(0.0),
            slot=name,
            port_path=port(number),
            identity=identity(serial=f"HQ61{number:08}"),
            handset_left_s=5_000,
        )
        for number, name in enumerate(names(slots), 1)
    ]
    for view in views:
        rack.board.show(view)
    return views


@asynccontextmanager
async def updating(rack: FakeRack, views: list[SlotView]) -> AsyncGenerator[None]:
    """Every slot gets on, ten times a second."""

    async def go_on() -> None:
        turn = 0
        while True:
            turn += 1
            for view in views:
                done = turn % 1000 / 1000
                rack.board.show(
                    replace(view, progress=done, eta_s=1000 - turn, handset_left_s=5_000 - turn)
                )
            await anyio.sleep(EVERY_S)

    async with anyio.create_task_group() as group:
        group.start_soon(go_on)
        yield
        group.cancel_scope.cancel()


async def load_of(seen: Visit, seconds: float) -> Load:
    """What the page does in so many seconds from now."""
    session = await seen.page.context.new_cdp_session(seen.page)
    await session.send("Performance.enable")

    async def now() -> tuple[float, float, float, float]:
        told = (await session.send("Performance.getMetrics"))["metrics"]
        metrics = {metric["name"]: metric["value"] for metric in told}
        count = await seen.page.evaluate("() => window.told")
        return metrics["TaskDuration"], metrics["ThreadTime"], time.monotonic(), count

    await seen.page.evaluate("() => { window.longest = 0; }")
    busy, thread, at, count = await now()
    await anyio.sleep(seconds)
    busy_then, thread_then, at_then, count_then = await now()
    return Load(
        updates_per_s=(count_then - count) / (at_then - at),
        busy=(busy_then - busy) / (at_then - at),
        processor=(thread_then - thread) / (at_then - at),
        longest_task_ms=await seen.page.evaluate("() => window.longest"),
    )


async def plugs(rack: FakeRack, seen: Visit, views: list[SlotView], rounds: int) -> list[float]:
    """Milliseconds from the board to the tile, for plugs one after the other."""
    took: list[float] = []
    for turn in range(rounds):
        view = views[turn % len(views)]
        state = SlotState.SETTLING if turn // len(views) % 2 == 0 else SlotState.EMPTY
        key = f"{view.slot} {state}"
        await seen.page.evaluate("key => { delete window.changes[key]; }", key)
        began = time.time()
        rack.board.show(SlotView(slot=view.slot, port_path=view.port_path, state=state))
        shown = await seen.page.wait_for_function("key => window.changes[key]", arg=key)
        took.append(float(await shown.json_value()) - began * 1000)
    return took
