"""The daemon as a service on the virtual rack: reload, stop and drain under load, and its logs."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from typer.testing import CliRunner

from benchd.cli.client import BenchdClient
from benchd.cli.main import app
from benchd.lab.demo.demo_rack import DemoRack
from benchd.lab.simulator.storage.faults import StorageFaults
from benchd.ledger import verify_ledger
from tests.rack.working import (
    WITHIN_S,
    at_work,
    bodies,
    must_end_as_expected,
    scenarios,
    slow,
    until,
    until_slot,
)

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(600)]

HELD = [slow(name, WITHIN_S) for name in ("clean", "same-serial-a", "clean", "same-serial-b")]
"""Handsets whose overwrites overlap for certain: none ends before all have to be in theirs."""
STALL, PATIENT = "stall_s = 5\n", "stall_s = 90\n"
"""They take 13 s for a piece, more than the demo's recipe allows a handset to make no progress."""


def events(rack: DemoRack, event: str) -> list[dict[str, Any]]:
    lines = rack.folder.log.read_text(encoding="utf-8").splitlines()
    return [line for line in map(json.loads, lines) if line["event"] == event]


async def under_load(rack: DemoRack) -> None:
    """Start the daemon, and wait until every slot is in the middle of its overwrite."""
    recipe = rack.folder.path / "recipes" / "overwrite.toml"
    text = recipe.read_text(encoding="utf-8")
    assert STALL in text
    recipe.write_text(text.replace(STALL, PATIENT), encoding="utf-8")
    await rack.start_daemon()
    await until(
        rack, lambda: all(slot["stage"] == "overwrite" for slot in rack.watch.slots.values())
    )


def settled(rack: DemoRack) -> Mapping[str, Mapping[str, Any]]:
    """How each job ended; no job is without an end."""
    told = bodies(rack.folder.ledger)
    opened = [str(body["job"]) for body in told if body["kind"] == "job_opened"]
    ends = {str(body["job"]): body["data"] for body in told if body["kind"] == "job_ended"}
    assert sorted(opened) == sorted(ends)
    for end in ends.values():
        assert (end["certificate"] is not None) == (end["outcome"] == "passed")
    verify_ledger(rack.folder.ledger, rack.folder.public_key.read_bytes())
    return ends


def rewrite(rack: DemoRack, old: str, new: str) -> None:
    text = rack.folder.config.read_text(encoding="utf-8")
    assert old in text
    rack.folder.config.write_text(text.replace(old, new), encoding="utf-8")


def reload(rack: DemoRack) -> None:
    assert rack.daemon is not None
    rack.daemon.send_signal(signal.SIGHUP)


async def test_a_reload_under_load_changes_one_slot_and_no_other(tmp_path: Path) -> None:
    before: dict[str, object] = {}
    async with at_work(tmp_path, HELD, started=False) as rack:
        await under_load(rack)
        before |= {name: slot["job"] for name, slot in rack.watch.slots.items()}
        whole = rack.folder.config.read_text(encoding="utf-8")
        rewrite(rack, whole[whole.index("[slots.A2]") : whole.index("[slots.A3]")], "")
        reload(rack)
        await until(rack, lambda: "A2" not in rack.watch.slots)
        # A configuration with mistakes changes nothing, and all of them are told.
        rewrite(rack, "settle_s = 0.2", 'settle_s = -1\nrecepie = "x"')
        reload(rack)
        await until(rack, lambda: bool(events(rack, "config_refused")))
        # What can't change at run time is named; the slot is put back by the same file.
        moved = whole.replace('path = "ledger.sqlite"', 'path = "elsewhere.sqlite"')
        rack.folder.config.write_text(moved, encoding="utf-8")
        reload(rack)
        await until(rack, lambda: "A2" in rack.watch.slots)
        for placed in rack.placed:
            await rack.hands.set_faults(placed.slot, StorageFaults())
        await must_end_as_expected(rack)
        after = {name: slot["job"] for name, slot in rack.watch.slots.items()}
        assert {name for name in after if after[name] != before[name]} == {"A2"}
    ends = settled(rack)
    assert ends[str(before["A2"])]["outcome"] == "aborted"
    assert ends[str(before["A2"])]["reason"] == "slot_reconfigured"
    assert Counter(end["outcome"] for end in ends.values()) == {"aborted": 1, "passed": 4}
    mistakes = [line["name"] for line in events(rack, "config_mistake")]
    assert sorted(mistakes) == ["rack.recepie", "rack.settle_s"]
    assert [line["name"] for line in events(rack, "config_needs_restart")] == ["ledger.path"]
    assert [line["removed"] for line in events(rack, "config_reloaded")] == [["A2"], []]
    assert not (tmp_path / "elsewhere.sqlite").exists()
    told = [
        body["data"]["slots"].keys()
        for body in bodies(rack.folder.ledger)
        if "config" in body["kind"]
    ]
    assert [sorted(slots) for slots in told] == [["A1", "A3", "A4"], ["A1", "A2", "A3", "A4"]]


async def test_sigterm_under_load_leaves_every_job_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = tmp_path / "notify"
    told: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(os.fspath(address))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", os.fspath(address))
        monkeypatch.setenv("WATCHDOG_USEC", "600000")
        async with (
            at_work(tmp_path / "rack", HELD, started=False) as rack,
            anyio.create_task_group() as group,
        ):
            group.start_soon(listen, manager, told)
            await under_load(rack)
            assert await rack.stop_daemon() == 0
            group.cancel_scope.cancel()
        told += queued(manager)
    ends = settled(rack)
    assert {(end["outcome"], end["reason"]) for end in ends.values()} == {
        ("aborted", "daemon_stopped")
    }
    assert len(ends) == 4
    assert told[0] == "READY=1"
    assert told.count("WATCHDOG=1") > 1
    assert "STATUS=4 slots, 4 busy, 0 need a person" in told
    assert told.count("STOPPING=1") == 1


def queued(manager: socket.socket) -> list[str]:
    found: list[str] = []
    while True:
        try:
            found.append(manager.recv(4096).decode())
        except BlockingIOError:
            return found


async def listen(manager: socket.socket, told: list[str]) -> None:
    """What systemd does at its end of the notify socket."""
    while True:
        await anyio.wait_readable(manager)
        told.append(manager.recv(4096).decode())


async def test_a_drain_finishes_what_runs_and_touches_nothing_that_comes_meanwhile(
    tmp_path: Path,
) -> None:
    said: list[tuple[int, str]] = []
    four = scenarios(("clean", "clean", "live-data", "clean"))
    async with at_work(tmp_path, four, started=False) as rack:
        await rack.hands.unplug("A1")
        await rack.start_daemon()
        assert rack.daemon is not None
        for slot in ("A2", "A3", "A4"):
            await until_slot(rack, slot, lambda seen: seen["job"] is not None)

        async def drain() -> None:
            said.append(await anyio.to_thread.run_sync(drain_by_command, rack.folder.socket))

        async with anyio.create_task_group() as draining:
            draining.start_soon(drain)
            with anyio.fail_after(30), BenchdClient(rack.folder.socket) as client:
                while not client.draining()["draining"]:  # noqa: ASYNC110 - another process
                    await anyio.sleep(0.05)
                assert client.drain()["draining"] is True
            await rack.hands.plug("A1", 1)
        with anyio.fail_after(30):
            assert await rack.daemon.wait() == 0
        rack.daemon = None
        untouched, *finished = await rack.hands.handsets()
    ((code, output),) = said
    assert code == 0, output
    assert output.startswith("no new job begins; running: 3\n")
    assert output.endswith("benchd has ended\n")
    assert [end["outcome"] for end in settled(rack).values()] == ["passed"] * 3
    assert events(rack, "drained")
    assert (untouched.fill_bytes, untouched.reset_count) == (0, 0)
    assert all(state.reset_count > 0 for state in finished)


def drain_by_command(path: Path) -> tuple[int, str]:
    finished = CliRunner().invoke(app, ["drain"], env={"BENCHD_SOCKET": str(path)})
    return finished.exit_code, finished.output
