"""The installed service's walls: adb's socket, hung helpers, signals, a release put back."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from install_rig import run
from installed_job import PERSON, Hands, handset, set_up, slot_table
from machine import BOOTED, UDEV, Machine, booted, until
from other_wheels import listed, other_wheels

pytestmark = [*BOOTED, pytest.mark.slow, pytest.mark.timeout(1200)]

CONFIG = "etc/benchd/benchd.toml"
NEWER = "9.9"
ADB = ("adb", "-L", "localfilesystem:/run/benchd-adb/adb.sock", "devices")
NO_HOSTS = "\nallowed_hosts = []\n"
PROXY = """
allowed_hosts = ["rack7.example"]
trusted_proxy = { uid = 33, header = "X-Remote-User", forwarded = true }
"""
METRICS = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8420/metrics').read())"
CONNECTS = "import socket; socket.create_connection(('127.0.0.1', 5037))"
ASKS = """
import http.client as h, json, socket, sys
c = h.HTTPConnection("localhost")
c.sock = socket.socket(socket.AF_UNIX)
c.sock.connect("/run/benchd/benchd.sock")
c.request("GET", "/", headers=json.loads(sys.argv[1]))
answer = c.getresponse()
print(json.dumps([answer.status, {k.lower(): v for k, v in answer.getheaders()}]))
"""
SIGNALS_WHILE_SETTLING = """
import os, signal, sqlite3, subprocess, sys, time
pid = int(sys.argv[1])

def told(event):
    match = [f"BENCHD_EVENT={event}", f"_PID={pid}"]
    asked = ["journalctl", "-q", "-o", "cat", *match]
    return subprocess.run(asked, stdout=subprocess.PIPE, check=True).stdout.count(b"\\n")

lock = sqlite3.connect("/var/lib/benchd/ledger.sqlite", isolation_level=None, timeout=30)
lock.execute("BEGIN IMMEDIATE")
ended = told("job_ended")
subprocess.run(["systemctl", "stop", "--no-block", "benchd"], check=True)
latest = time.monotonic() + 8  # nobody may hold it for ten seconds
while not told("stopping"):
    assert time.monotonic() < latest
for again in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    os.kill(pid, again)
while not told("stopping_already"):
    assert time.monotonic() < latest
assert told("job_ended") == ended
"""


@pytest.fixture(scope="module")
def root(debian: Path, bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """One of this file's own, in which releases may change; others may have removed benchd."""
    root = tmp_path_factory.mktemp("walls") / "root"
    run("cp", "--archive", "--reflink=auto", debian, root)
    for left in (root / "etc/benchd", root / "var/lib/benchd"):
        shutil.rmtree(left, ignore_errors=True)
    for journal in (root / "var/log/journal").glob("*"):
        shutil.rmtree(journal)
    run(bundle / "scripts/install", "--root", root)
    (root / "etc/tmpfiles.d/stand-in-for-udev.conf").write_text(UDEV)
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def machine(root: Path) -> Generator[Machine]:
    """As it was installed, with a slot whose reader isn't plugged in."""
    config = root / CONFIG
    kept = config.read_bytes()
    config.write_bytes(kept + slot_table(1).replace('"fill"', '"delete"').encode())
    with config.open("a") as more:
        more.write('reader = "usb:1-4"\n')
    with booted(root) as machine:
        until(lambda: machine.show("benchd", "ActiveState") == "active")
        config.write_bytes(kept)
        for user in ("clerk", "colleague"):
            machine.run("useradd", "--create-home", user)
        # As docs/admin.md has it for whoever works with the command.
        machine.run("usermod", "-aG", "benchd", "colleague")
        yield machine


@pytest.fixture(scope="module")
def hands(machine: Machine, root: Path) -> Generator[Hands]:
    """Somebody with two handsets."""
    with handset(machine, root, slots=2) as hands:
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "restart", "benchd")
        set_up(machine)
        yield hands


def refused(machine: Machine, *command: str) -> str:
    """What a command says that doesn't do it."""
    return machine.run("sh", "-c", 'if "$@" 2>&1; then exit 1; fi', "refused", *command)


def helper_up(machine: Machine, helper: str) -> bool:
    told = machine.run("python3", "-c", METRICS)
    [up] = re.findall(rf'benchd_helper_up{{helper="{helper}"}} (\S+?)\\n', told)
    return float(up) > 0


def worker(machine: Machine) -> str:
    """The reader worker's process, if there is one."""
    look = r"grep -lsz '[b]enchd\.devices\.felica\.worker' /proc/[0-9]*/cmdline | cut -d/ -f3"
    return machine.run("sh", "-c", look).strip()


def send(machine: Machine, signal: str, pid: str) -> None:
    machine.run("sh", "-c", f"kill -{signal} {pid}")


def told_by(pid: str, machine: Machine, event: str) -> list[str]:
    return machine.events(f"BENCHD_EVENT={event}", f"_PID={pid}")


def verified(machine: Machine) -> None:
    assert "records, head" in machine.run("benchd", "ledger", "verify")


@pytest.mark.parametrize("user", ["nobody", "clerk", "colleague"])
def test_no_ordinary_user_reaches_the_adb_server(machine: Machine, user: str) -> None:
    """Nor does who may use the command."""
    for who in ("root", "benchd"):
        told = machine.run("runuser", "-u", who, "--", "env", "HOME=/tmp", *ADB)
        assert "List of devices attached" in told
    switch = ("runuser", "-u", user, "--", "env", "HOME=/tmp")
    assert "List of devices" not in refused(machine, *switch, *ADB)
    assert "ConnectionRefusedError" in refused(machine, *switch, "python3", "-c", CONNECTS)
    server = machine.show("benchd-adb", "MainPID")
    refused(machine, *switch, "ls", f"/proc/{server}/fd/")
    refused(machine, *switch, "ls", "/var/lib/benchd-adb")
    # The attempt has harmed nothing.
    assert machine.show("benchd-adb", "MainPID") == server
    assert helper_up(machine, "adb_server")


def test_the_dashboard_is_all_that_listens(machine: Machine) -> None:
    rows = machine.run("cat", "/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp").splitlines()
    bound = [line.split() for line in rows if re.match(r"\s*\d+:", line)]
    assert {row[1] for row in bound if row[3] in ("0A", "07")} == {f"0100007F:{8420:04X}"}


def test_a_reader_worker_that_hangs_is_told_and_begun_anew(machine: Machine) -> None:
    until(lambda: helper_up(machine, "reader_worker"))
    hung = worker(machine)
    send(machine, "STOP", hung)
    until(lambda: bool(machine.events("BENCHD_EVENT=reader_worker_ended")))
    told = machine.run("journalctl", "-q", "-o", "cat", "BENCHD_EVENT=reader_worker_ended")
    assert "it hasn't answered for 15 s" in told
    until(lambda: helper_up(machine, "reader_worker"))
    assert worker(machine) not in (hung, "")
    refused(machine, "test", "-e", f"/proc/{hung}")


def test_an_adb_server_that_hangs_counts_as_down_until_it_is_restarted(machine: Machine) -> None:
    until(lambda: helper_up(machine, "adb_server"))
    machine.run("systemctl", "kill", "--signal=STOP", "benchd-adb.service")
    until(lambda: not helper_up(machine, "adb_server"))
    assert machine.events("BENCHD_EVENT=adb_server_down") == ["adb_server_down"]
    machine.run("systemctl", "restart", "benchd-adb")
    until(lambda: helper_up(machine, "adb_server"))
    assert machine.events("BENCHD_EVENT=adb_server_back") == ["adb_server_back"]


def test_a_stop_is_no_error_of_the_services_own(machine: Machine) -> None:
    """The reader worker isn't ended behind the daemon's back, in the middle of what it settles."""
    assert machine.show("benchd", "KillMode") == "mixed"
    pid, helper = machine.show("benchd", "MainPID"), worker(machine)
    assert helper
    before = len(machine.events("BENCHD_EVENT=reader_worker_ended"))
    machine.run("systemctl", "restart", "benchd")
    assert told_by(pid, machine, "stopped") == ["stopped"]
    assert len(machine.events("BENCHD_EVENT=reader_worker_ended")) == before
    refused(machine, "test", "-e", f"/proc/{helper}")


def test_a_stuck_daemon_is_ended_and_its_slots_come_up_again(
    machine: Machine, hands: Hands
) -> None:
    hands.plug(1)
    job, pid = hands.slot(1)["job"], machine.show("benchd", "MainPID")
    restarts = int(machine.show("benchd", "NRestarts"))
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "benchd")
    until(
        lambda: (
            machine.show("benchd", "MainPID") not in (pid, "0")
            and machine.show("benchd", "ActiveState") == "active"
        )
    )
    assert int(machine.show("benchd", "NRestarts")) == restarts + 1
    assert machine.run("journalctl", "-q", "-o", "cat", "-u", "benchd", "-g", "result 'watchdog'")
    hands.until_asked(1)
    assert [one["outcome"] for one in hands.jobs() if one["job"] == job] == ["interrupted"]
    assert hands.slot(1)["job"] != job
    verified(machine)
    hands.unplug(1)


def test_no_signal_cuts_short_what_is_settled(machine: Machine, hands: Hands) -> None:
    """The job's last record is due, and the ledger's lock is somebody else's for a moment."""
    hands.plug(1)
    job, pid = hands.slot(1)["job"], machine.show("benchd", "MainPID")
    machine.run("python3", "-c", SIGNALS_WHILE_SETTLING, pid)
    until(lambda: machine.show("benchd", "ActiveState") == "inactive")
    assert machine.show("benchd", "ExecMainStatus") == "0"
    verified(machine)
    machine.run("systemctl", "start", "benchd")
    hands.until_asked(1)
    [ended] = [one for one in hands.jobs() if one["job"] == job]
    assert (ended["outcome"], ended["reason"]) == ("aborted", "daemon_stopped")
    hands.unplug(1)


def test_signals_up_to_the_last_moment_leave_nothing_unsettled(
    machine: Machine, hands: Hands
) -> None:
    hands.plug(1)
    pid = machine.show("benchd", "MainPID")
    again = f"while kill -TERM {pid} && kill -HUP {pid} && kill -INT {pid}; do :; done 2>/dev/null"
    machine.run("sh", "-c", f"systemctl stop --no-block benchd & {again}")
    until(lambda: machine.show("benchd", "ActiveState") == "inactive")
    assert told_by(pid, machine, "stopping_already")
    assert machine.show("benchd", "Result") == "success"
    assert told_by(pid, machine, "stopped") == ["stopped"]
    verified(machine)
    machine.run("systemctl", "start", "benchd")
    hands.until_asked(1)
    hands.unplug(1)


def test_behind_a_proxy_the_headers_are_those_of_its_tls(
    machine: Machine, root: Path, hands: Hands
) -> None:
    assert hands
    config = root / CONFIG
    kept = config.read_text()
    assert kept.count(NO_HOSTS) == 1
    config.write_text(kept.replace(NO_HOSTS, PROXY))
    machine.run("usermod", "-aG", "benchd", "www-data")
    machine.run("systemctl", "restart", "benchd")

    def asked(user: str, **more: str) -> tuple[int, dict[str, str]]:
        headers = {"Host": "rack7.example", "X-Forwarded-Proto": "https", **more}
        sent = ("python3", "-c", ASKS, json.dumps(headers))
        status, told = json.loads(machine.run("runuser", "-u", user, "--", *sent))
        return status, told

    status, told = asked("www-data")
    assert status == 200
    assert told["strict-transport-security"].startswith("max-age=31536000")
    assert told["cross-origin-opener-policy"] == "same-origin"
    assert told["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in told["permissions-policy"]
    assert "frame-ancestors 'none'" in told["content-security-policy"]
    assert asked("www-data", **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    # Who isn't the proxy names nobody and came over no TLS, whatever their group.
    assert asked("colleague", **{"X-Remote-User": PERSON})[0] == 403
    assert "strict-transport-security" not in asked("colleague")[1]
    config.write_text(kept)
    machine.run("systemctl", "restart", "benchd")


def test_going_back_a_release_holds_what_it_cannot_read_and_no_more(
    machine: Machine, root: Path, hands: Hands, bundle: Path, tmp_path: Path
) -> None:
    """The next release calls a kind of record by another word."""
    kind = {"benchd/domain/record.py": ('"stage_started"', '"stage_begun"')}
    newer = listed(other_wheels(bundle / "wheels", tmp_path / "newer", NEWER, kind))
    for folder, name in ((bundle, "bundle"), (newer, "newer")):
        run("cp", "--archive", folder, root / "srv" / name)
    install = "/srv/bundle/scripts/install"
    machine.run("systemctl", "stop", "benchd")
    machine.run(install, "--wheels", "/srv/newer")
    machine.run("systemctl", "start", "benchd")
    assert NEWER in machine.run("benchd", "--version")
    hands.plug(2)
    machine.run("systemctl", "stop", "benchd")
    machine.run(install, "--back")
    machine.run("systemctl", "start", "benchd")
    assert NEWER not in machine.run("benchd", "--version")

    until(lambda: hands.slot(2)["state"] == "finished")
    held = hands.slot(2)
    assert (held["disposition"], held["reason"]) == ("hold", "record_broken")
    hands.plug(1)
    hands.answer(1)
    until(lambda: hands.slot(1)["state"] == "finished")
    assert hands.slot(1)["outcome"] == "passed"
    hands.unplug(2)
    verified(machine)
    # Forward again, nothing of it is broken.
    machine.run("systemctl", "stop", "benchd")
    machine.run(install, "--wheels", "/srv/newer")
    machine.run("systemctl", "start", "benchd")
    [job] = [one for one in hands.jobs() if one["slot"] == "A2"]
    assert (job["outcome"], job["reason"]) == ("aborted", "daemon_stopped")
