"""The daemon and the adb server are killed at random moments: nothing is lost, nothing lies."""

from __future__ import annotations

import os
import random
import re
import signal
from pathlib import Path
from resource import RLIMIT_FSIZE, prlimit

import anyio
import pytest

from benchd.devices.android.fill.sample_blocks import BLOCK_BYTES
from benchd.devices.android.fill.shown_reads import PROBE_BLOCKS
from benchd.lab.demo.demo_operators import ended
from benchd.lab.demo.demo_rack import DemoRack
from benchd.ledger import verify_ledger
from tests.rack.working import at_work, bodies, must_end_as_expected, scenarios, until

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(300)]

NAMES = ("clean", "live-data", "same-serial-a", "reset-lies")


def transferring(rack: DemoRack) -> bool:
    """Whether the adb server is carrying an overwrite or a read-back."""
    return any(slot["stage"] in ("overwrite", "read_back") for slot in rack.watch.slots.values())


def all_ended(rack: DemoRack) -> bool:
    return all(ended(slot) for slot in rack.watch.slots.values())


def adb_server_of(rack: DemoRack) -> int:
    """The daemon's own adb server, found among its children."""
    assert rack.daemon is not None
    for task in Path(f"/proc/{rack.daemon.pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "adb":
                return int(child)
    raise AssertionError("the daemon has no adb server")


@pytest.mark.parametrize("kills", [5, pytest.param(20, marks=pytest.mark.nightly)])
async def test_the_daemon_killed_again_and_again(tmp_path: Path, kills: int) -> None:
    chance = random.Random()
    async with at_work(tmp_path, scenarios(NAMES)) as rack:
        known: list[dict[str, object]] = []
        for _ in range(kills):
            await anyio.sleep(chance.uniform(0.0, 1.5))
            await rack.kill_daemon()
            # What was on record before is on record still, and in the same place.
            now = bodies(rack.folder.ledger)
            assert now[: len(known)] == known
            known = now
            verify_ledger(rack.folder.ledger, rack.folder.public_key.read_bytes())
            await rack.start_daemon()
        await must_end_as_expected(rack)
    told = bodies(rack.folder.ledger)
    opened = [body["job"] for body in told if body["kind"] == "job_opened"]
    ends = [body for body in told if body["kind"] == "job_ended"]
    assert sorted(map(str, opened)) == sorted(str(body["job"]) for body in ends)
    for body in ends:
        data = body["data"]
        assert (data["certificate"] is not None) == (data["outcome"] == "passed")


async def test_the_adb_server_killed_under_load(tmp_path: Path) -> None:
    names = ("clean", "live-data", "same-serial-a", "same-serial-b", "clean", "live-data")
    async with at_work(tmp_path, scenarios(names)) as rack:
        for _ in range(3):
            # Where the last blow has hit what came last, no transfer is left to strike.
            await until(rack, lambda: transferring(rack) or all_ended(rack))
            if not transferring(rack):
                break
            os.kill(adb_server_of(rack), signal.SIGKILL)
            # The last blow's recovery may be under way or over: both are worth the next one.
            await anyio.sleep(0.5)
        await must_end_as_expected(rack)
    lost = [
        body
        for body in bodies(rack.folder.ledger)
        if body["kind"] == "stage_ended" and body["data"]["because"] == "adb_server_lost"
    ]
    assert lost


async def test_a_ledger_that_cannot_grow_stops_the_daemon_before_anything_is_wiped(
    tmp_path: Path,
) -> None:
    async with at_work(tmp_path, scenarios(("clean", "live-data"))) as rack:
        assert rack.daemon is not None
        full = rack.folder.ledger.stat().st_size
        prlimit(rack.daemon.pid, RLIMIT_FSIZE, (full, full))
        with anyio.fail_after(60):
            assert await rack.daemon.wait() == 4
        rack.daemon = None
        states = await rack.hands.handsets()
    # The second slot's append may be the one that is heard of.
    told = rack.folder.log.read_text(encoding="utf-8")
    assert re.search(r"the ledger .*couldn't (store record|be stored)", told)
    # What the inspection tries on blocks of its own may still lie there.
    assert all(state.fill_bytes <= PROBE_BLOCKS * BLOCK_BYTES for state in states)
    assert [state.reset_count for state in states] == [0, 0]
