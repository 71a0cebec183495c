"""The demo's adb server falls silent: the shipped rule as it is, to Alertmanager's webhook."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import DEVNULL, STDOUT

import anyio
import pytest
from anyio.abc import Process

from benchd.lab.demo.demo_rack import DemoRack, demo_rack, loopback_listener
from benchd.lab.simulator.scenarios import SCENARIOS
from tests.free_port import free_port
from tests.outbound.hooks.http_receiver import receiving
from tests.shipped_watch import RULES, heard, shipped_alertmanager, shipped_prometheus
from tests.watchers import alertmanager, prometheus, until

pytestmark = [
    pytest.mark.rack,
    pytest.mark.nightly,
    pytest.mark.asyncio,
    pytest.mark.timeout(400),
]

ALERT = "BenchdAdbServerDown"
HOLDS_FOR_S, SILENT_AFTER_S = 30, 30
"""What the rule waits before it fires, and benchd at most before it calls the server silent."""


@asynccontextmanager
async def adb_server_of(rack: DemoRack) -> AsyncGenerator[Process]:
    """A server in the rack's network, as benchd-adb.service is one: benchd doesn't end it."""
    config = rack.folder.config
    own = config.read_text()
    config.write_text(own.replace("[adb]\n", '[adb]\nserver = "external"\n'))
    environment = {"HOME": str(rack.folder.path / "adb"), "PATH": os.environ["PATH"]}
    environment |= {"ADB_USB": "0", "ADB_MDNS": "0", "ADB_EMU": "0"}
    at = f"localfilesystem:{rack.house.adb_socket}"
    command = rack.house.command("adb", "-L", at, "nodaemon", "server")
    with (rack.folder.path / "adb.log").open("wb") as log:
        server = await anyio.open_process(
            command, env=environment, stdin=DEVNULL, stdout=log, stderr=STDOUT
        )
    try:
        yield server
    finally:
        with anyio.CancelScope(shield=True):
            server.kill()
            await server.wait()
            await server.aclose()


async def test_who_looks_after_the_demo_hears_of_its_silent_adb_server_and_that_it_is_back(
    tmp_path: Path,
) -> None:
    http_port, alerts_port, watch = free_port(), free_port(), tmp_path / "watch"
    shutil.copytree(RULES, watch / "rules", ignore=shutil.ignore_patterns("*.test.yml"))
    with loopback_listener(http_port) as listener:
        async with (
            receiving() as receiver,
            alertmanager(watch, shipped_alertmanager(receiver.port), alerts_port),
            prometheus(watch, shipped_prometheus(http_port, alerts_port)) as watching,
            demo_rack(tmp_path / "rack", [SCENARIOS["clean"]], port=http_port) as rack,
            adb_server_of(rack) as server,
        ):
            await rack.start_daemon(listener)
            await until(watching, "benchd_adb_server_up == 1")
            server.send_signal(signal.SIGSTOP)
            within_s = SILENT_AFTER_S + HOLDS_FOR_S + 60
            told = await heard(receiver, ALERT, "firing", within_s=within_s)
            assert (told["path"], told["severity"]) == ("/admins", "critical")
            server.send_signal(signal.SIGCONT)
            await heard(receiver, ALERT, "resolved")
            await until(watching, "benchd_adb_server_up == 1")
