"""What befalls a whole rack at once while every handset fills: how long until it goes on.

A reload, the adb server's death, all ports lost and back, and a power cut of the daemon's process.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

import anyio

from benchd.domain.ids import JsonValue
from benchd.domain.slot_states import SlotState
from benchd.lab.benchmarks.crowd.crowd_rack import CrowdRack, cores, crowd_rack
from benchd.lab.benchmarks.crowd.measure import (
    MOST_PATIENCE_S,
    attended,
    until_first_bytes,
)
from benchd.lab.benchmarks.crowd.places import CrowdPlan

LONG_FILL_S: Final = 3600.0
SERVER_DOWN_S: Final = 1.0
PORTS_AWAY_S: Final = 2.0
LOOKS_A_S: Final = 10
_RELOADED: Final = b'"event": "config_reloaded"'
_UNDECIDED: Final = frozenset({SlotState.EMPTY, SlotState.SETTLING})


async def deal_blows(plan: CrowdPlan, directory: Path) -> dict[str, JsonValue]:
    """Each of them in turn, against a crowd that fills for longer than it takes."""
    daemon_core, crowd_core = cores()
    plan = replace(plan, pace=replace(plan.pace, fill_s=LONG_FILL_S))
    told: dict[str, JsonValue] = {}
    async with crowd_rack(directory, plan, core=crowd_core) as rack:
        await rack.start_daemon(core=daemon_core)
        async with attended(rack, must_live=False):
            await rack.hands.plug(within_s=0.1)
            with anyio.fail_after(MOST_PATIENCE_S):
                await until_first_bytes(rack)
                told |= await _dealt(rack, "reload", lambda: _reload(rack))
                told |= await _dealt(rack, "server_death", lambda: _server_death(rack))
                told |= await _dealt(rack, "storm", lambda: _storm(rack))
                told["restart_decided_s"] = await _restart(rack, daemon_core)
    return told


async def _dealt(
    rack: CrowdRack, name: str, blow: Callable[[], Awaitable[float]]
) -> dict[str, JsonValue]:
    since = time.time()
    seconds = await blow()
    await anyio.sleep(1.5)  # what the loop has noted is written each second
    lags = rack.lags_ms(since)
    return {f"{name}_s": round(seconds, 2), f"{name}_lag_max_ms": round(max(lags), 1)}


async def _reload(rack: CrowdRack) -> float:
    """Until the new configuration is in effect."""
    size_bytes = rack.folder.log.stat().st_size
    begun = time.monotonic()
    rack.reload()
    while _RELOADED not in rack.folder.log.read_bytes()[size_bytes:]:  # noqa: ASYNC110 - a file
        await anyio.sleep(1 / LOOKS_A_S)
    return time.monotonic() - begun


async def _server_death(rack: CrowdRack) -> float:
    """From the new server until every handset fills again."""
    await rack.hands.end_server(SERVER_DOWN_S)
    return await _until_all_fill(rack)


async def _storm(rack: CrowdRack) -> float:
    """From the last port that is back until every handset fills again."""
    await rack.hands.unplug()
    await anyio.sleep(PORTS_AWAY_S)
    await rack.hands.plug(within_s=0.1)
    return await _until_all_fill(rack)


async def _restart(rack: CrowdRack, core: int | None) -> float:
    """From the start of the next daemon until every slot has been decided about."""
    await rack.kill_daemon()
    begun = time.monotonic()
    await rack.start_daemon(core=core)
    while len(rack.watch.slots) < rack.slots or any(
        SlotState(str(slot["state"])) in _UNDECIDED for slot in rack.watch.slots.values()
    ):
        await rack.watch.next_look()
    return round(time.monotonic() - begun, 2)


async def _until_all_fill(rack: CrowdRack) -> float:
    begun = time.monotonic()
    # Another process: only looking tells.
    while not all(one.filling for one in (await rack.hands.figures())[0]):  # noqa: ASYNC110
        await anyio.sleep(1 / LOOKS_A_S)
    return time.monotonic() - begun
