"""A virtual rack with an adb server in it, and plain `adb` to look at it with."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process

from benchd.lab.simulator.hands import RackHands
from benchd.lab.simulator.plan import HandsetPlan, RackPlan
from benchd.lab.simulator.scenarios import SCENARIOS
from benchd.lab.simulator.virtual_house import RackHouse

TMP = "/data/local/tmp"
DEADLINE_S = 20.0
MEBIBYTE = 1 << 20


def one(scenario: str, slot: int = 1, **changes: Any) -> HandsetPlan:  # noqa: ANN401 - any field
    plan = SCENARIOS[scenario].handset(name=scenario, slot=slot)
    return replace(plan, **changes)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that nobody announces."""
    with anyio.fail_after(DEADLINE_S):
        while not await condition():  # noqa: ASYNC110 - there is no event to wait for
            await anyio.sleep(0.02)


@dataclass(kw_only=True)
class Bench:
    house: RackHouse
    hands: RackHands
    environment: dict[str, str]
    server: Process | None = None

    @property
    def client(self) -> list[str]:
        """adb, as it is called for the socket at which the rack's cables expect its server."""
        return ["adb", "-L", f"localfilesystem:{self.house.adb_socket}"]

    async def start_server(self) -> None:
        """Through the pipe by which adb says that it's ready: descriptors survive the way in."""
        ready, told = os.pipe()
        try:
            command = self.house.command(
                *self.client, "fork-server", "server", "--reply-fd", str(told)
            )
            self.server = await anyio.open_process(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=self.environment,
                pass_fds=(told,),
            )
            os.close(told)
            with anyio.fail_after(DEADLINE_S):
                await anyio.wait_readable(ready)
            assert os.read(ready, 16).startswith(b"OK")
        finally:
            os.close(ready)

    async def kill_server(self) -> None:
        assert self.server is not None
        self.server.kill()
        await self.server.wait()
        self.server = None

    async def adb(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        with anyio.fail_after(DEADLINE_S):
            done = await anyio.run_process(
                self.house.command(*self.client, *arguments), env=self.environment, check=False
            )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    async def shell(self, line: str, slot: int = 1) -> subprocess.CompletedProcess[str]:
        return await self.adb("-s", f"127.0.0.1:{16000 + slot}", "shell", line)

    async def push(self, file: str, place: str, slot: int = 1) -> subprocess.CompletedProcess[str]:
        return await self.adb("-s", f"127.0.0.1:{16000 + slot}", "push", file, place)

    async def output(self, line: str, slot: int = 1) -> str:
        done = await self.shell(line, slot)
        assert done.returncode == 0, done
        return done.stdout.strip()

    async def run_inside(self, program: str, *arguments: object) -> Any:  # noqa: ANN401 - JSON
        """What one of the programs beside this file has found, from the daemon's side."""
        file = str(Path(__file__).with_name(program))
        command = self.house.command(sys.executable, file, *map(str, arguments))
        return json.loads((await anyio.run_process(command, stderr=None)).stdout)

    async def state(self, slot: int = 1) -> str:
        listing = (await self.adb("devices")).stdout.splitlines()
        states = dict(line.split("\t") for line in listing if "\t" in line)
        return states.get(f"127.0.0.1:{16000 + slot}", "absent")

    async def until_state(self, state: str, slot: int = 1) -> None:
        async def reached() -> bool:
            return await self.state(slot) == state

        await until(reached)


@asynccontextmanager
async def virtual_rack(
    directory: Path, *handsets: HandsetPlan, server: bool = True
) -> AsyncGenerator[Bench, None]:
    """A rack and, unless told otherwise, an adb server that has found every handset in it."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(directory),
        "ANDROID_ADB_LOG_PATH": str(directory / "adb.log"),
        "ADB_MDNS": "0",
        "ADB_EMU": "0",
        "ADB_USB": "0",
    }
    async with (
        RackHouse(RackPlan(handsets=handsets)) as house,
        RackHands.connect(house.control_socket) as hands,
    ):
        bench = Bench(house=house, hands=hands, environment=environment)
        try:
            if server:
                await bench.start_server()
                for handset in handsets:
                    if handset.slot is not None and handset.adb_enabled:
                        await bench.until_state("device", handset.slot)
            yield bench
        finally:
            if bench.server is not None:
                with anyio.CancelScope(shield=True):
                    await bench.kill_server()
