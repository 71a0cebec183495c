"""What systemd hears of the centre: that it listens, that its loop turns, that it ends."""

from __future__ import annotations

import socket
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from fastapi import FastAPI

from benchd.fleet.centre_server import CentreServer, server_config
from benchd.observe.notify_socket import Notifier
from tests.free_port import free_port

pytestmark = pytest.mark.asyncio
PATIENCE_S = 30


async def test_systemd_hears_of_its_life(tmp_path: Path) -> None:
    port = free_port()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_S)

        async def told() -> str:
            return (await anyio.to_thread.run_sync(manager.recv, 4096)).decode()

        notifier = Notifier(str(tmp_path / "notify"))
        server = CentreServer(server_config(FastAPI(), "127.0.0.1", port, None), notifier)
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve)
            assert await told() == "READY=1"
            async with await anyio.connect_tcp("127.0.0.1", port):
                # More than once: what feeds it is the loop.
                assert [await told(), await told()] == ["WATCHDOG=1", "WATCHDOG=1"]
            server.should_exit = True
            while (last := await told()) != "STOPPING=1":
                assert last == "WATCHDOG=1"
