"""The daemon as a service on the virtual rack: reload, stop and drain under load, and its logs."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from typer.testing import CliRunner

from benchd.cli.client import BenchdClient
from benchd.cli.main import app
from benchd.lab.demo.demo_operators import ended
from benchd.lab.demo.demo_rack import DemoRack, demo_rack
from benchd.lab.demo.demo_run import as_expected, result_of, until_all_ended
from benchd.lab.simulator.plan import DEFAULT_CAPACITY_BYTES
from benchd.lab.simulator.scenarios import SCENARIOS, Scenario
from benchd.lab.simulator.storage.faults import StorageFaults
from benchd.ledger import export_lines, verify_ledger

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(300)]

SLOW = ("clean", "same-serial-a", "clean", "same-serial-b")
OVERWRITE_S = 15


def scenarios(names: Sequence[str]) -> list[Scenario]:
    return [SCENARIOS[name] for name in names]


def slow_scenarios() -> list[Scenario]:
    """Handsets whose storage is so slow that their overwrites overlap for certain."""
    faults = StorageFaults(write_bytes_per_s=DEFAULT_CAPACITY_BYTES // OVERWRITE_S)
    return [replace(one, plan=replace(one.plan, faults=faults)) for one in scenarios(SLOW)]


def records(rack: DemoRack) -> list[dict[str, Any]]:
    return [json.loads(line)["body"] for line in export_lines(rack.folder.ledger)]


def log_lines(rack: DemoRack) -> list[dict[str, Any]]:
    lines = rack.folder.log.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def events(rack: DemoRack, event: str) -> list[dict[str, Any]]:
    return [line for line in log_lines(rack) if line["event"] == event]


async def until_seen(rack: DemoRack, condition: Callable[[], bool]) -> None:
    with anyio.fail_after(90):
        while not condition():
            await rack.watch.next_look()


async def under_load(rack: DemoRack) -> None:
    """Every slot is in the middle of its overwrite."""
    await until_seen(
        rack, lambda: all(slot["stage"] == "overwrite" for slot in rack.watch.slots.values())
    )


def settled(rack: DemoRack) -> Mapping[str, Mapping[str, Any]]:
    """How each job ended; no job is without an end."""
    told = records(rack)
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
    async with (
        demo_rack(tmp_path, slow_scenarios(), port=8420) as rack,
        anyio.create_task_group() as group,
    ):
        await rack.start_daemon()
        group.start_soon(rack.operators().work)
        await under_load(rack)
        before |= {name: slot["job"] for name, slot in rack.watch.slots.items()}
        whole = rack.folder.config.read_text(encoding="utf-8")
        rewrite(rack, whole[whole.index("[slots.A2]") : whole.index("[slots.A3]")], "")
        reload(rack)
        await until_seen(rack, lambda: "A2" not in rack.watch.slots)
        # A configuration with mistakes changes nothing, and all of them are told.
        rewrite(rack, "settle_s = 0.2", 'settle_s = -1\nrecepie = "x"')
        reload(rack)
        await until_seen(rack, lambda: bool(events(rack, "config_refused")))
        # What can't change at run time is named; the slot is put back by the same file.
        moved = whole.replace('path = "ledger.sqlite"', 'path = "elsewhere.sqlite"')
        rack.folder.config.write_text(moved, encoding="utf-8")
        reload(rack)
        await until_seen(rack, lambda: "A2" in rack.watch.slots)
        with anyio.fail_after(120):
            await until_all_ended(rack)
        for placed in rack.placed:
            result = await result_of(rack, placed)
            assert as_expected(result, placed.scenario), result
        after = {name: slot["job"] for name, slot in rack.watch.slots.items()}
        assert {name for name in after if after[name] != before[name]} == {"A2"}
        group.cancel_scope.cancel()
    ends = settled(rack)
    assert ends[str(before["A2"])]["outcome"] == "aborted"
    assert ends[str(before["A2"])]["reason"] == "slot_reconfigured"
    assert Counter(end["outcome"] for end in ends.values()) == {"aborted": 1, "passed": 4}
    mistakes = [line["name"] for line in events(rack, "config_mistake")]
    assert sorted(mistakes) == ["rack.recepie", "rack.settle_s"]
    assert [line["name"] for line in events(rack, "config_needs_restart")] == ["ledger.path"]
    assert [line["removed"] for line in events(rack, "config_reloaded")] == [["A2"], []]
    assert not (tmp_path / "elsewhere.sqlite").exists()
    told = [body["data"]["slots"].keys() for body in records(rack) if "config" in body["kind"]]
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
            demo_rack(tmp_path / "rack", slow_scenarios(), port=8420) as rack,
            anyio.create_task_group() as group,
        ):
            group.start_soon(listen, manager, told)
            await rack.start_daemon()
            group.start_soon(rack.operators().work)
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


async def test_a_drain_finishes_what_runs_and_ends_with_success(tmp_path: Path) -> None:
    async with (
        demo_rack(tmp_path, scenarios(("clean", "live-data", "clean")), port=8420) as rack,
        anyio.create_task_group() as group,
    ):
        await rack.start_daemon()
        assert rack.daemon is not None
        group.start_soon(rack.operators().work)
        await until_seen(
            rack, lambda: all(slot["job"] is not None for slot in rack.watch.slots.values())
        )
        code, output = await anyio.to_thread.run_sync(drain_by_command, rack.folder.socket)
        assert code == 0, output
        assert output.startswith("no new job begins; running: 3\n")
        assert output.endswith("benchd has ended\n")
        with anyio.fail_after(30):
            assert await rack.daemon.wait() == 0
        rack.daemon = None
        group.cancel_scope.cancel()
    assert {end["outcome"] for end in settled(rack).values()} == {"passed"}
    assert events(rack, "drained")


def drain_by_command(path: Path) -> tuple[int, str]:
    finished = CliRunner().invoke(app, ["drain"], env={"BENCHD_SOCKET": str(path)})
    return finished.exit_code, finished.output


async def test_a_handset_that_comes_during_a_drain_isnt_touched(tmp_path: Path) -> None:
    async with demo_rack(tmp_path, scenarios(("clean", "clean")), port=8420) as rack:
        await rack.hands.unplug("A1")
        await rack.start_daemon()
        async with anyio.create_task_group() as group:
            group.start_soon(rack.operators().work)
            await until_seen(rack, lambda: rack.watch.slots["A2"]["job"] is not None)
            with BenchdClient(rack.folder.socket) as client:
                assert client.drain()["draining"] is True
            assert rack.daemon is not None
            await rack.hands.plug("A1", 1)
            with anyio.fail_after(120):
                assert await rack.daemon.wait() == 0
            rack.daemon = None
            group.cancel_scope.cancel()
        untouched, finished = await rack.hands.handsets()
    assert [end["outcome"] for end in settled(rack).values()] == ["passed"]
    assert (untouched.fill_bytes, untouched.reset_count) == (0, 0)
    assert finished.reset_count > 0


async def test_no_serial_and_no_imei_in_a_log_and_every_line_of_a_job_names_it(
    tmp_path: Path,
) -> None:
    names = ("clean", "same-serial-a", "flash-loses-writes", "reset-lies")
    async with (
        demo_rack(tmp_path, scenarios(names), port=8420) as rack,
        anyio.create_task_group() as group,
    ):
        await rack.start_daemon()
        group.start_soon(rack.operators().work)
        with anyio.fail_after(200):
            await until_all_ended(rack)
        assert all(ended(slot) for slot in rack.watch.slots.values())
        group.cancel_scope.cancel()
    private: set[str] = set()
    for body in records(rack):
        text = json.dumps(body)
        private |= set(re.findall(r'"(?:serial|usb_serial|imei|android_id)": "([^"]+)"', text))
    assert len(private) >= 8
    log = rack.folder.log.read_text(encoding="utf-8")
    assert [word for word in private if word in log] == []
    for line in log_lines(rack):
        assert {"slot", "job", "event", "level", "timestamp"} <= line.keys()
    jobs = {str(body["job"]): body["slot"] for body in records(rack) if body["job"]}
    for event in ("job_opened", "job_ended"):
        told = events(rack, event)
        assert {line["job"]: line["slot"] for line in told} == jobs
