"""A storm over real sockets: the crowd's rack at work, strangers in a process of their own."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import anyio
import apsw
import httpx2
from anyio.abc import Process

from benchd.domain.errors import BenchdError
from benchd.domain.sql_statements import query
from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace
from benchd.lab.benchmarks.crowd.crowd_rack import CrowdRack, cores, crowd_rack, pinned
from benchd.lab.benchmarks.crowd.latencies import read_steps
from benchd.lab.benchmarks.crowd.measure import attended, require_passed, until_ended
from benchd.lab.benchmarks.crowd.places import plan_of
from benchd.lab.demo.crew import SECOND
from benchd.lab.demo.demo_operators import NO_TLS

STRANGERS: Final = 200
PERSON_S: Final = 2.0
PROBE_S: Final = 1.0
LOOKS_S: Final = 1.0
PAUSE_S: Final = (1.0, 4.0)
LOCKED_S: Final = 0.7
DONE_WITHIN_S: Final = 600.0
WORKER: Final = b"fake_worker"


async def run_real(
    seed: int, seconds: float, count: int, *, strangers: int = STRANGERS, patience: float = 1.0
) -> Sequence[str]:
    """What was broken; `patience` is by how much longer than promised an answer may take.

    Jobs take about as long as they are told to; the storm lasts until the last has ended.
    """
    work = Path(tempfile.mkdtemp(prefix="st-"))
    pace = CrowdPace(fill_s=max(0.5, seconds * 0.4), check_s=max(0.1, seconds * 0.1), away_s=0.2)
    try:
        return await _Real(seed, patience).run(
            work / "r", count=count, pace=pace, strangers=strangers
        )
    finally:
        shutil.rmtree(work, ignore_errors=True)


class _Real:
    def __init__(self, seed: int, patience: float) -> None:
        self._seed = seed
        self._chance = random.Random(f"real storm {seed}")  # noqa: S311 - the same by the seed
        self._patience = patience
        self._broken: list[str] = []
        self._locked_until = 0.0

    async def run(
        self, folder: Path, *, count: int, pace: CrowdPace, strangers: int
    ) -> Sequence[str]:
        daemon_core, crowd_core = cores()
        plan = plan_of(count, pace, in_use_every=4)
        try:
            async with crowd_rack(folder, plan, core=crowd_core) as rack:
                await rack.start_daemon(core=daemon_core)
                crowd = await self._strangers(rack, strangers, crowd_core)
                async with attended(rack), anyio.create_task_group() as storm:
                    await rack.hands.plug(within_s=0.1)
                    for part in (self._probe, self._look_in, self._mishaps):
                        storm.start_soon(part, rack)
                    with anyio.fail_after(DONE_WITHIN_S):
                        await until_ended(rack)
                    storm.cancel_scope.cancel()
                with anyio.CancelScope(shield=True):
                    crowd.kill()
                    await crowd.wait()
                    await crowd.aclose()
                code = await rack.stop_daemon()
                if code:
                    self._broken.append(f"the daemon ended with {code}")
                require_passed(read_steps(rack.folder.ledger), range(1, count + 1))
        except (BenchdError, TimeoutError, BaseExceptionGroup) as error:
            self._broken.append(repr(error))
        return self._broken

    async def _strangers(self, rack: CrowdRack, count: int, core: int | None) -> Process:
        file = Path(__file__).with_name("strangers.py")
        command = [*pinned(core), sys.executable, str(file), str(_port(rack)), str(self._seed)]
        return await anyio.open_process(
            ["setpriv", "--pdeathsig", "KILL", *command, str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    async def _probe(self, rack: CrowdRack) -> None:
        """What systemd and Prometheus on this machine do, each time anew."""
        turn = 0
        while True:
            await anyio.sleep(LOOKS_S)
            path = "/metrics" if turn % 5 == 4 else "/healthz"
            turn += 1
            async with _over_tcp(rack) as client:
                await self._ask(client, path, PROBE_S)

    async def _look_in(self, rack: CrowdRack) -> None:
        """Somebody signs in at a screen of the shop, and looks at the rack."""
        async with _over_tcp(rack) as client:
            shown = {"badge": SECOND.badge, "person": SECOND.id, "pin": SECOND.pin}
            answer = await client.post("/api/v1/session", json=shown)
            if not answer.is_success:
                self._broken.append(f"{SECOND.id} was refused: {answer.status_code}")
                return
            while True:
                await self._ask(client, "/api/v1/slots", PERSON_S)
                await anyio.sleep(LOOKS_S)

    async def _ask(self, client: httpx2.AsyncClient, path: str, within_s: float) -> None:
        began = time.monotonic()
        try:
            answer = await client.get(path)
            failed = "" if answer.is_success else str(answer.status_code)
        except httpx2.HTTPError as error:
            failed = repr(error)
        took_s = time.monotonic() - began
        if failed or took_s > within_s * self._patience:
            self._broken.append(f"{path}: {failed or 'answered'} after {took_s:.2f} s")

    async def _mishaps(self, rack: CrowdRack) -> None:
        while True:
            await anyio.sleep(self._chance.uniform(*PAUSE_S))
            match self._chance.randrange(3):
                case 0:
                    rack.reload()
                case 1:
                    await _lock(rack.folder.ledger)
                case _:
                    _stop_a_worker(rack)


def _port(rack: CrowdRack) -> int:
    listen = next(
        line for line in rack.folder.config.read_text().splitlines() if line.startswith("listen")
    )
    return int(listen.rpartition(":")[2].strip('" '))


def _over_tcp(rack: CrowdRack) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{_port(rack)}", verify=NO_TLS, trust_env=False, timeout=30.0
    )


async def _lock(ledger: Path) -> None:
    """As a backup program or a shell on the file does."""
    other = apsw.Connection(str(ledger))
    try:
        list(query(other, "BEGIN IMMEDIATE"))
        await anyio.sleep(LOCKED_S)
        list(query(other, "ROLLBACK"))
    except apsw.BusyError:
        pass
    finally:
        other.close()


def _stop_a_worker(rack: CrowdRack) -> None:
    """A helper of this daemon gets no further, and hasn't ended."""
    if rack.daemon is None:
        return
    children = Path(f"/proc/{rack.daemon.pid}/task/{rack.daemon.pid}/children").read_text().split()
    for child in children:
        if WORKER in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(int(child), signal.SIGSTOP)
            return
