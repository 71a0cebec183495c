"""A crowd and the daemon that looks after it, each a process of its own on a core of its own."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import anyio
from anyio import to_thread
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.domain.errors import BenchdError
from benchd.lab.benchmarks.crowd.crowd_daemon import LAGS_FILE, PROFILE_FILE, SAMPLE_FROM_NOW
from benchd.lab.benchmarks.crowd.crowd_folder import make_folder
from benchd.lab.benchmarks.crowd.crowd_hands import CrowdHands
from benchd.lab.benchmarks.crowd.places import CONTROL_SOCKET, PLAN_JSON, PLUG_SOCKET, CrowdPlan
from benchd.lab.benchmarks.old_ledger import copy_ledger
from benchd.lab.demo.crew import enrol
from benchd.lab.demo.demo_folder import DemoFolder
from benchd.lab.demo.demo_operators import Operators
from benchd.lab.demo.rack_daemon import RackDaemon, tail_of

START_WITHIN_S: Final = 120.0
LOOPBACK: Final = "127.0.0.1"


class CrowdBroken(BenchdError):
    """Raised when the crowd ended although nobody asked it to."""


class CrowdRack(RackDaemon):
    """A running crowd; the daemon on it may be started and killed at will."""

    start_within_s = START_WITHIN_S
    stop_within_s = 60.0

    def __init__(
        self,
        *,
        folder: DemoFolder,
        sockets: Path,
        hands: CrowdHands,
        crowd: Process,
        slots: int,
        adb_port: int,
        http_host: str,
        http_port: int,
    ) -> None:
        super().__init__(folder)
        self.hands = hands
        self.crowd = crowd
        self.slots = slots
        self.adb_port = adb_port
        self.http_host = http_host
        self.http_port = http_port
        self._sockets = sockets

    async def start_daemon(self, *, core: int | None, profile: bool = False) -> float:
        """Start it, wait until its API answers; returns how many seconds that took."""
        begun = time.monotonic()
        command = [*pinned(core), sys.executable, "-m", "benchd.lab.benchmarks.crowd.crowd_daemon"]
        command += [str(self.folder.config), str(self._sockets / PLUG_SOCKET)]
        command += [str(self.folder.path), *(["--profile"] if profile else [])]
        if self.http_host != LOOPBACK:
            command += ["--listen", f"{self.http_host}:{self.http_port}"]
        await self.begin(["setpriv", "--pdeathsig", "TERM", *command])
        return time.monotonic() - begun

    def reload(self) -> None:
        """Ask it to read its configuration anew."""
        if self.daemon is not None:
            self.daemon.send_signal(signal.SIGHUP)

    def begin_profile(self) -> None:
        """What a daemon that was started with a profile does from now on is sampled."""
        if self.daemon is not None:
            self.daemon.send_signal(SAMPLE_FROM_NOW)

    def lags_ms(
        self, since: float = 0.0, until: float = math.inf, *, of: str = LAGS_FILE
    ) -> list[float]:
        """By how much the loop came back too late, between two moments of the wall clock."""
        file = self.folder.path / of
        noted = [json.loads(line) for line in file.read_text(encoding="ascii").splitlines()]
        return [1000 * lag for line in noted for at, lag in line if since <= at <= until]

    def profile(self) -> dict[str, dict[str, float]]:
        """What the sampler has seen of a daemon that has ended."""
        told: dict[str, dict[str, float]] = json.loads(
            (self.folder.path / PROFILE_FILE).read_bytes()
        )
        return told

    def operators(self, *, look_every_s: float) -> Operators:
        """The people of this rack, who look so often for what there is to do."""
        return Operators(watch=self.watch, hands=self.hands, answers={}, look_every_s=look_every_s)


@asynccontextmanager
async def crowd_rack(
    directory: Path,
    plan: CrowdPlan,
    *,
    http_host: str = LOOPBACK,
    http_port: int | None = None,
    core: int | None = None,
    old: Path | None = None,
) -> AsyncGenerator[CrowdRack, None]:
    """A crowd that nobody has plugged in yet; nothing is left running of it afterwards.

    With `core` the crowd runs on that one alone. Without `http_port` the daemon takes a free one.
    Another `http_host` than loopback is an address of a network that nobody else is in. `old` is
    the folder of the ledger that the daemon goes on with.
    """
    http_port = http_port or _free_port()
    sockets = directory / "crowd"
    sockets.mkdir(parents=True)
    plan_file = sockets / "plan.json"
    plan_file.write_bytes(PLAN_JSON.dump_json(plan))
    log = sockets / "crowd.log"
    with log.open("ab") as out:
        crowd = await anyio.open_process(
            [
                *("setpriv", "--pdeathsig", "KILL", *pinned(core), sys.executable),
                *("-m", "benchd.lab.benchmarks.crowd", str(plan_file), str(sockets)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=out,
        )
    try:
        ready = await _ready(crowd, log)
        folder = make_folder(
            directory / "daemon",
            slots=len(plan.handsets),
            http_port=http_port,
            crowd=sockets,
            python=sys.executable,
        )
        if old is not None:
            await to_thread.run_sync(copy_ledger, old, folder.path)
        await enrol(folder.config)
        async with CrowdHands.connect(sockets / CONTROL_SOCKET) as hands:
            rack = CrowdRack(
                folder=folder,
                sockets=sockets,
                hands=hands,
                crowd=crowd,
                slots=len(plan.handsets),
                adb_port=ready["adb_port"],
                http_host=http_host,
                http_port=http_port,
            )
            try:
                yield rack
            finally:
                with anyio.CancelScope(shield=True):
                    await rack.stop_daemon()
                    await rack.watch.aclose()
    finally:
        with anyio.CancelScope(shield=True):
            with suppress(ProcessLookupError):
                crowd.kill()
            await crowd.wait()
            await crowd.aclose()


def pinned(core: int | None) -> Sequence[str]:
    """What a command is begun with that shall stay on one core."""
    return [] if core is None else ["taskset", "--cpu-list", str(core)]


def cores() -> tuple[int | None, int | None]:
    """The daemon's core and the crowd's; None for both where there is only one."""
    found = sorted(os.sched_getaffinity(0))
    return (found[0], found[-1]) if len(found) > 1 else (None, None)


def _free_port() -> int:
    """One that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


async def _ready(crowd: Process, log: Path) -> dict[str, Any]:
    if crowd.stdout is None:
        raise CrowdBroken("the crowd has no standard output")
    try:
        with anyio.fail_after(START_WITHIN_S):
            lines = BufferedByteReceiveStream(crowd.stdout)
            told: dict[str, Any] = json.loads(await lines.receive_until(b"\n", 4096))
    except (anyio.EndOfStream, anyio.IncompleteRead, TimeoutError) as ended:
        raise CrowdBroken(f"the crowd didn't start: {tail_of(log)}") from ended
    return told
