"""Folders and the machine: whose they are, what room there is, its clock, units and ports."""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from benchd.cli.doctor.findings import Verdict
from benchd.cli.doctor.folders import Owner, flush, folder, space
from benchd.cli.doctor.machine import autosuspend, clock, page_certificate, port, states, units
from benchd.cli.doctor.neighbours import (
    ADB_TCP_PORTS,
    adb_over_tcp,
)
from tests.web.certificates import Authority

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
ME = Owner(name="benchd", uid=os.geteuid())


OK, WARN, FAIL, NOT_CHECKED = Verdict.OK, Verdict.WARN, Verdict.FAIL, Verdict.NOT_CHECKED


@pytest.fixture
def state(tmp_path: Path) -> Path:
    made = tmp_path / "state"
    made.mkdir(mode=0o700)
    return made


class NotYours:
    """A path that this user may not look at."""

    def stat(self) -> os.stat_result:
        raise PermissionError(13, "Permission denied")


def test_a_folder_is_benchds_own_and_nobody_else_gets_in(state: Path) -> None:
    def looked(path: Path, owner: Owner = ME) -> tuple[Verdict, str | None, object]:
        found = folder("check.state_folder", path, owner)
        return found.verdict, found.cure or found.word, found.facts.get("value")

    assert looked(state)[:2] == (OK, "doctor.folder_private")
    assert looked(state, Owner(name="benchd", uid=ME.uid + 1))[:2] == (FAIL, "cure.give_folder")
    assert folder("check.state_folder", state / "none", ME).word == "doctor.folder_missing"
    assert looked(state / "none")[0] is WARN
    # What may not be seen is never ok.
    assert looked(cast("Path", NotYours()))[:2] == (NOT_CHECKED, "cure.as_root")
    for mode in (0o755, 0o701, 0o770):
        state.chmod(mode)
        assert looked(state) == (WARN, "cure.close_folder", f"{mode:04o}")


@pytest.mark.parametrize(
    ("free", "flags", "verdict"),
    [(50e9, 0, OK), (1e9, 0, WARN), (100e6, 0, FAIL), (50e9, os.ST_RDONLY, FAIL)],
)
def test_the_less_room_the_graver_and_a_read_only_disk_fails_whatever_its_room(
    state: Path, free: float, flags: int, verdict: Verdict
) -> None:
    disk = SimpleNamespace(f_bavail=int(free), f_frsize=1, f_flag=flags)
    found = space(state, lambda _: cast("os.statvfs_result", disk))
    assert (found.verdict, found.word == "doctor.read_only") == (verdict, bool(flags))


ON_ROOT = "25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"


@pytest.mark.parametrize(
    ("kind", "options", "verdict", "word"),
    [
        ("ext4", "rw,errors=remount-ro", OK, "doctor.flush_reaches"),
        ("ext4", "rw,nobarrier", FAIL, "doctor.flush_off"),
        ("ext4", "rw,barrier=0", FAIL, "doctor.flush_off"),
        ("tmpfs", "rw", FAIL, "doctor.flush_memory"),
        ("nfs4", "rw", WARN, "doctor.flush_elsewhere"),
        ("fuse.sshfs", "rw", WARN, "doctor.flush_elsewhere"),
        ("overlay", "rw,upperdir=/run/rw", NOT_CHECKED, "doctor.flush_underneath"),
        ("fuse", "rw", NOT_CHECKED, "doctor.flush_underneath"),
        ("fuse.rclone", "rw", NOT_CHECKED, "doctor.flush_underneath"),
        ("fuseblk", "rw", NOT_CHECKED, "doctor.flush_underneath"),
    ],
)
def test_a_flush_goes_by_the_mount_that_the_folder_lies_on(
    state: Path, kind: str, options: str, verdict: Verdict, word: str
) -> None:
    mounts = state / "mountinfo"
    place = str(state.resolve()).replace(" ", r"\040")
    # Another mount whose name begins like the folder's is none of it.
    other = f"26 25 0:9 / {place}-other rw - tmpfs tmpfs rw\n"
    mounts.write_text(f"{ON_ROOT}27 25 8:2 / {place} rw - {kind} /dev/sdb1 {options}\n{other}")
    found = flush(state / "not yet made", mounts)
    assert (found.verdict, found.word, found.facts["name"]) == (verdict, word, kind)
    mounts.write_text("nonsense\n")
    assert flush(state, mounts).verdict is NOT_CHECKED


@pytest.mark.parametrize(
    ("kept", "verdict"),
    [(True, OK), (False, FAIL), (None, NOT_CHECKED)],
)
def test_the_clock_is_as_the_kernel_says(kept: bool | None, verdict: Verdict) -> None:
    assert clock(lambda: kept).verdict is verdict


SHOWN = """\
Id=benchd.service
LoadState=loaded
ActiveState={benchd}
SubState=x
Result=exit-code
UnitFileState={enabled}

Id=benchd-adb.socket
LoadState=loaded
ActiveState=active
UnitFileState=enabled

Id=pcscd.socket
LoadState=not-found
ActiveState=inactive
UnitFileState=
"""


@pytest.mark.parametrize(
    ("benchd", "enabled", "word"),
    [
        ("active", "enabled", "doctor.unit_active"),
        ("reloading", "enabled", "doctor.unit_active"),
        ("active", "disabled", "doctor.unit_not_enabled"),
        ("inactive", "enabled", "doctor.unit_inactive"),
        ("activating", "enabled", "doctor.unit_inactive"),
        ("failed", "enabled", "doctor.unit_failed"),
    ],
)
def test_each_unit_is_as_systemd_says(benchd: str, enabled: str, word: str) -> None:
    shown = SHOWN.format(benchd=benchd, enabled=enabled)
    found = units(states(["any"], lambda _: shown))
    words = [each.word for each in found]
    assert words == [word, "doctor.unit_active", "doctor.unit_missing"]
    [without_systemd] = units(states(["any"], lambda _: None))
    assert without_systemd.verdict is NOT_CHECKED


HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"


def table(folder: Path, *addresses: str, state: str = "0A") -> list[Path]:
    file = folder / "tcp"
    lines = [f"   0: {address} 00000000:0000 {state} 0 0 0\n" for address in addresses]
    file.write_text(HEAD + "".join(lines))
    return [file, folder / "tcp6 that a kernel without IPv6 doesn't have"]


LOOPBACK = "0100007F:20E4"
EVERYWHERE = "00000000:20E4"

OTHER_PORT = "00000000:0050"


@pytest.mark.parametrize(
    ("addresses", "verdict", "shown"),
    [
        ([LOOPBACK, OTHER_PORT], OK, "127.0.0.1:8420"),
        (["00000000000000000000000001000000:20E4", OTHER_PORT], OK, "[::1]:8420"),
        (["0000000000000000FFFF00000100007F:20E4", OTHER_PORT], OK, "127.0.0.1:8420"),
        ([LOOPBACK, EVERYWHERE], FAIL, "0.0.0.0:8420"),
    ],
)
def test_a_port_is_ok_on_loopback_and_fails_where_others_reach_it(
    tmp_path: Path, addresses: list[str], verdict: Verdict, shown: str
) -> None:
    found = port(8420, with_tls=False, tables=table(tmp_path, *addresses))
    assert (found.verdict, found.facts["value"]) == (verdict, shown)


def test_a_port_that_is_encrypted_or_at_which_nobody_listens(tmp_path: Path) -> None:
    tables = table(tmp_path, LOOPBACK, EVERYWHERE)
    assert port(8420, with_tls=True, tables=tables).word == "doctor.port_open_tls"
    established = table(tmp_path, EVERYWHERE, state="01")
    assert port(8420, with_tls=False, tables=established).verdict is NOT_CHECKED
    # The kernel's own table shows a real listener.
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        assert port(number, with_tls=False).facts["value"] == f"127.0.0.1:{number}"


def test_an_adb_server_on_tcp_is_a_warning(tmp_path: Path) -> None:
    for number in ADB_TCP_PORTS:
        found = adb_over_tcp(table(tmp_path, f"0100007F:{number:04X}"))
        assert (found.verdict, found.facts["value"]) == (WARN, str(number))
    assert adb_over_tcp(table(tmp_path, OTHER_PORT)).verdict is OK


def test_a_device_that_may_be_put_to_sleep_is_named_and_a_hub_is_not(tmp_path: Path) -> None:
    def device(name: str, kind: str, control: str) -> None:
        (tmp_path / name / "power").mkdir(parents=True)
        (tmp_path / name / "bDeviceClass").write_text(f"{kind}\n")
        (tmp_path / name / "power" / "control").write_text(f"{control}\n")

    device("usb1", "09", "auto")
    device("1-1", "00", "on")
    (tmp_path / "1-1:1.0").mkdir()
    assert autosuspend(tmp_path).verdict is OK
    device("1-4.2", "00", "auto")
    found = autosuspend(tmp_path)
    assert (found.verdict, found.facts["value"]) == (WARN, "1-4.2")
    assert autosuspend(tmp_path / "none").verdict is NOT_CHECKED


def test_the_pages_certificate_is_told_before_it_ends(tmp_path: Path) -> None:
    assert page_certificate(None, NOW).verdict is OK
    file = Authority(tmp_path, "authority").issue("rack").certificate
    ends = datetime.fromisoformat(f"{page_certificate(file, NOW).facts['value']}T00:00:00+00:00")
    for before, verdict in ((timedelta(days=30), OK), (timedelta(days=9), WARN)):
        assert page_certificate(file, ends - before).verdict is verdict
    assert page_certificate(file, ends + timedelta(days=2)).verdict is FAIL
    file.write_text("none")
    assert page_certificate(file, NOW).verdict is NOT_CHECKED
    assert page_certificate(tmp_path / "gone", NOW).verdict is NOT_CHECKED
