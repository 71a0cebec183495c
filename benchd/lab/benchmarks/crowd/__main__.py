"""`python -m benchd.lab.benchmarks.crowd PLAN FOLDER`: the crowd, until its standard input ends.

PLAN is a JSON file of `CrowdPlan`. Its sockets are made in FOLDER; once all listen, one line on
standard output tells at which port the adb server is reached besides.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anyio

from benchd.lab.benchmarks.crowd.crowd import Crowd
from benchd.lab.benchmarks.crowd.crowd_chips import ChipDesk
from benchd.lab.benchmarks.crowd.crowd_control import LONGEST_LINE_BYTES, ControlDesk
from benchd.lab.benchmarks.crowd.places import (
    ADB_SOCKET,
    CHIP_SOCKET,
    CONTROL_SOCKET,
    PLAN_JSON,
    PLUG_SOCKET,
    CrowdPlan,
)

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


def main() -> None:
    """Run it."""
    plan, folder = (Path(argument) for argument in sys.argv[1:3])
    anyio.run(_run, PLAN_JSON.validate_json(plan.read_bytes()), folder)


async def _run(plan: CrowdPlan, folder: Path) -> None:
    crowd = Crowd(plan.handsets, plan.pace)
    await crowd.door.open(folder / ADB_SOCKET)
    servers: list[tuple[str, Serve]] = [
        (CONTROL_SOCKET, ControlDesk(crowd).serve),
        (CHIP_SOCKET, ChipDesk(crowd.handsets, crowd.drawn).serve),
    ]
    for name, serve in servers:
        await asyncio.start_unix_server(serve, folder / name, limit=LONGEST_LINE_BYTES)
    plugs = await anyio.create_unix_listener(folder / PLUG_SOCKET)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(plugs.serve, crowd.board.serve)
        sys.stdout.write(json.dumps({"adb_port": crowd.door.port}) + "\n")
        sys.stdout.flush()
        while await _has_more():
            pass
        tasks.cancel_scope.cancel()


async def _has_more() -> bool:
    await anyio.wait_readable(sys.stdin)
    return bool(os.read(sys.stdin.fileno(), 4096))


if __name__ == "__main__":
    main()
