"""`benchd doctor` on an installed rack: broken, found, the cure typed as printed, mended."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from doctor_rows import KEPT, ROWS, Row
from install_rig import run
from installed_job import set_up
from machine import BOOTED, STAND_IN, UDEV, Machine, booted, until

from tests.web.certificates import Authority

pytestmark = [*BOOTED, pytest.mark.nightly, pytest.mark.timeout(1200)]

KEEP = f"""
systemctl stop benchd
mkdir -p {KEPT}
cp -a /etc/benchd {KEPT}/etc
cp -a /var/lib/benchd {KEPT}/lib
systemctl start benchd
"""


@pytest.fixture(scope="module")
def root(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """One of this file's own, which is broken again and again."""
    root = tmp_path_factory.mktemp("doctor") / "root"
    run("cp", "--archive", "--reflink=auto", installed, root)
    shutil.rmtree(root / "var/lib/benchd", ignore_errors=True)
    (root / "etc/tmpfiles.d/stand-in-for-udev.conf").write_text(UDEV)
    (root / "usr/local/lib/systemd/system/systemd-udevd.service").write_text(STAND_IN)
    pair = Authority(root / "srv", "authority").issue("rack")
    pair.certificate.rename(root / "srv/rack.pem")
    pair.key.rename(root / "srv/rack_key.pem")
    # The machine has no network: apt finds what it is asked for where it has put it before.
    apt = ("chroot", root, "apt-get", "-qq", "--yes", "--download-only", "install")
    run(*apt, "systemd-timesyncd")
    yield root
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def machine(root: Path) -> Generator[Machine]:
    with booted(root) as machine:
        machine.run("systemctl", "start", "systemd-udevd")
        until(lambda: machine.show("benchd", "ActiveState") == "active")
        set_up(machine)
        machine.run("sh", "-ec", KEEP)
        yield machine


WHOLE = f"""
systemctl unmask benchd benchd-adb.socket benchd-adb.service pcscd.service benchd-verify.timer
systemctl unmask systemd-udevd
rm -rf /etc/systemd/system/benchd-adb.socket.d /etc/systemd/system/benchd.service.d
cp /opt/benchd/current/systemd/benchd-adb.socket /usr/local/lib/systemd/system/
systemctl daemon-reload
systemctl stop squatter other-adb holder benchd
pid=$(grep -lsz '[h]ttp.server' /proc/[0-9]*/cmdline | cut -d/ -f3)
test -z "$pid" || kill $pid
umount /var/lib/benchd
rm -rf /srv/away
rm -rf /etc/benchd /var/lib/benchd/*
cp -a {KEPT}/etc /etc/benchd
cp -a {KEPT}/lib/. /var/lib/benchd/
systemctl start systemd-udevd benchd-adb.socket pcscd.socket benchd
"""


@pytest.fixture
def broken(machine: Machine, request: pytest.FixtureRequest) -> Generator[Machine]:
    """The machine, which is made whole by hand where a cure hasn't done it."""
    failed = request.session.testsfailed
    yield machine
    if request.session.testsfailed > failed:
        machine.run("sh", "-c", f"{WHOLE} 2>&1 || true")


def findings(machine: Machine, check: str) -> list[dict[str, Any]]:
    """What doctor finds of one check."""
    told = json.loads(machine.run("sh", "-c", "benchd doctor --json 2>/dev/null || true"))
    return [each for each in told["checks"] if each["check"] == check]


def of(row: Row, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that the row is about, and that something has to be done about."""
    return [
        each
        for each in found
        if each["found"] == row.found
        and row.says in each["en"]
        and each["verdict"] in ("warn", "fail")
    ]


BEGINS = (
    'case "$(systemctl is-active benchd)" in activating) systemctl restart benchd;;'
    " *) systemctl start benchd;; esac"
)
"""A start that was under way has read what was there before the cure, and fails by it."""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name.replace(" ", "_"))
def test_item_2_broken_found_the_cure_typed_mended(broken: Machine, row: Row) -> None:
    broken.run("sh", "-ec", row.breaks)
    [found] = of(row, findings(broken, row.check))
    broken.run("sh", "-ec", row.by_hand)
    for command in re.findall(r"`([^`]+)`", found["cure"]["en"]):
        if not command.startswith(row.leaves_out):
            broken.run("sh", "-ec", f"{command} 2>&1")
    broken.run("sh", "-ec", BEGINS)
    until(lambda: broken.show("benchd", "ActiveState") == "active")
    left = findings(broken, row.check)
    assert of(row, left) == [] or row.stays, left
    assert [each["found"] for each in findings(broken, "daemon")] == ["daemon_answers"]
    broken.run("sh", "-ec", row.then)


END_SQUATTER = "kill $(grep -lsz '[h]ttp.server' /proc/[0-9]*/cmdline | cut -d/ -f3)"
CAUSES = {
    "a mistake in the configuration": ("2", "racks"),
    "a torn ledger": ("4", "can't be opened"),
    "another process has the port": ("3", "8420"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_item_2_the_journal_shows_a_failed_start_where_it_is_looked_for(
    broken: Machine, name: str
) -> None:
    [row] = [each for each in ROWS if each.name == name]
    status, said = CAUSES[name]
    broken.run("sh", "-ec", row.breaks)
    since = broken.run("date", "+%F %T").strip()
    broken.run("sh", "-c", "systemctl restart benchd 2>/dev/null || true")
    for priority in ("warning", "err"):
        shown = broken.run("journalctl", "-q", "-u", "benchd", "-p", priority, "-S", since)
        [line, *_] = [line for line in shown.splitlines() if "ended_by_fault" in line]
        assert f"status={status}" in line
        assert said in line
    explained = broken.run("journalctl", "-q", "-x", "-u", "benchd", "-p", "err", "-S", since)
    assert "benchd couldn't start, or couldn't go on" in explained
    broken.run("sh", "-ec", row.by_hand or END_SQUATTER)
    broken.run("systemctl", "restart", "benchd")
