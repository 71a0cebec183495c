"""Folders and the machine: whose they are, what room there is, its clock, units and ports."""

from __future__ import annotations

import os
import socket
import sys
from datetime import UTC, datetime, timedelta
from fcntl import LOCK_EX, flock
from pathlib import Path, PosixPath
from signal import SIGCONT, SIGSTOP
from stat import ST_UID
from subprocess import PIPE, Popen
from types import SimpleNamespace
from typing import cast

import pytest

from benchd.cli.doctor.external_services import (
    ADB_TCP_PORTS,
    adb_over_tcp,
)
from benchd.cli.doctor.findings import Verdict
from benchd.cli.doctor.folders import Owner, flush, folder, space
from benchd.cli.doctor.machine import autosuspend, clock, page_certificate, port, states, units
from benchd.cli.doctor.resource_holders import holder, is_stopped, listener_of, lock_holder
from benchd.cli.messages import both
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
    assert folder("check.state_folder", Path("/proc/version"), ME).word == "doctor.folder_no_folder"
    (state / "ledger.sqlite").touch()
    other = folder("check.state_folder", state, ME, files="ledger*")
    assert other.verdict is OK
    for mode in (0o755, 0o701, 0o770):
        state.chmod(mode)
        assert looked(state) == (WARN, "cure.close_folder", f"{mode:04o}")


class OfBenchd(PosixPath):
    """A folder that belongs to another user than who runs this; what lies in it doesn't."""

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        found = list(super().stat(follow_symlinks=follow_symlinks))
        found[ST_UID] = ME.uid + 1
        return os.stat_result(found)


def test_a_strangers_file_is_taken_away_and_not_made_benchds_own(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Owner(name="benchd", uid=ME.uid + 1)
    others = OfBenchd(state)

    def looked() -> tuple[Verdict, str | None, object]:
        found = folder("check.state_folder", others, other, files="ledger*")
        return found.verdict, found.cure, found.facts.get("value")

    assert looked()[0] is OK
    (state / "ledger.sqlite").touch()
    assert looked() == (FAIL, "cure.give_folder", "ledger.sqlite")
    (state / "film.mkv").touch()
    assert looked() == (WARN, "cure.take_file_away", "film.mkv")
    (state / "film.mkv").unlink()
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert looked() == (FAIL, "cure.see_mount", "ledger.sqlite")


@pytest.mark.parametrize(
    ("free", "flags", "verdict"),
    [(50e9, 0, OK), (1e9, 0, WARN), (100 << 20, 0, FAIL), (50e9, os.ST_RDONLY, FAIL)],
)
def test_the_less_room_the_graver_and_a_read_only_disk_fails_whatever_its_room(
    state: Path, free: float, flags: int, verdict: Verdict
) -> None:
    disk = SimpleNamespace(f_bavail=int(free), f_frsize=1, f_flag=flags, f_files=0, f_favail=0)
    found = space(state, lambda _: cast("os.statvfs_result", disk))
    assert (found.verdict, found.word == "doctor.read_only") == (verdict, bool(flags))
    if flags:
        assert found.cure == "cure.see_mount"
    else:
        # What is left, and below what nothing begins: a full disk is seen to be one.
        shown = {50e9: "46.6 GiB", 1e9: "953 MiB", 100 << 20: "100 MiB"}[free]
        assert (found.facts["value"], found.facts["count"]) == (shown, "256 MiB")


@pytest.mark.parametrize(("left", "verdict"), [(1000, OK), (999, FAIL), (0, FAIL)])
def test_a_disk_that_takes_no_more_files_is_full_however_many_bytes_are_free(
    state: Path, left: int, verdict: Verdict
) -> None:
    disk = SimpleNamespace(f_bavail=50e9, f_frsize=1, f_flag=0, f_files=9000, f_favail=left)
    found = space(state, lambda _: cast("os.statvfs_result", disk))
    assert (found.verdict, found.cure is None) == (verdict, verdict is OK)


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

Id=systemd-udevd.service
LoadState={udev}
ActiveState={udev_active}
UnitFileState=static
"""
UDEV_RUNS = {"udev": "loaded", "udev_active": "active"}


@pytest.mark.parametrize(
    ("benchd", "enabled", "word"),
    [
        ("active", "enabled", "doctor.unit_active"),
        ("reloading", "enabled", "doctor.unit_active"),
        ("active", "disabled", "doctor.unit_not_enabled"),
        ("inactive", "enabled", "doctor.unit_inactive"),
        ("activating", "enabled", "doctor.unit_inactive"),
        ("activating", "auto-restart", "doctor.unit_restarts"),
        ("failed", "enabled", "doctor.unit_failed"),
    ],
)
def test_each_unit_is_as_systemd_says(benchd: str, enabled: str, word: str) -> None:
    shown = SHOWN.format(benchd=benchd, enabled=enabled, **UDEV_RUNS)
    shown = shown.replace("SubState=x", f"SubState={enabled}")
    found = units(states(["any"], lambda _: shown), lambda _: "")
    words = [each.word for each in found]
    assert words == [word, "doctor.unit_active", "doctor.unit_missing", "doctor.unit_active"]
    [without_systemd] = units(states(["any"], lambda _: None))
    assert without_systemd.verdict is NOT_CHECKED


DROP_IN = "/etc/systemd/system/benchd.service.d/override.conf"
SAID = f"""\
/usr/lib/systemd/system/other.service:7: Support for it has been removed, ignoring.
{DROP_IN}:2: Unknown key 'IPAdressAllow' in section [Service], ignoring.
"""


def test_a_drop_in_that_systemd_doesnt_understand_and_one_that_it_hasnt_read_are_told() -> None:
    shown = SHOWN.format(benchd="active", enabled="enabled", **UDEV_RUNS)
    shown = shown.replace("SubState=x", "NeedDaemonReload=yes")
    said = {"benchd.service": SAID}
    found = units(states(["any"], lambda _: shown), lambda name: said.get(name, ""))
    changed, mistake = (each for each in found if each.word not in KNOWN_WORDS)
    assert (changed.word, changed.cure) == ("doctor.unit_changed", "cure.reload_unit")
    assert (mistake.word, mistake.cure) == ("doctor.unit_mistake", "cure.mend_unit")
    assert mistake.facts["detail"] == SAID.splitlines()[1]


KNOWN_WORDS = ("doctor.unit_active", "doctor.unit_missing")


def test_a_start_that_comes_again_and_again_isnt_one_that_goes_on() -> None:
    shown = SHOWN.format(benchd="activating", enabled="enabled", **UDEV_RUNS)
    again = shown.replace("SubState=x", "SubState=start\nNRestarts=3")
    [found, *_] = units(states(["any"], lambda _: again), lambda _: "")
    assert (found.word, found.verdict) == ("doctor.unit_restarts", FAIL)


@pytest.mark.parametrize(
    ("udev", "active", "word", "cure"),
    [
        ("loaded", "inactive", "doctor.udev_dead", "cure.start_unit"),
        ("not-found", "inactive", "doctor.udev_dead", "cure.install_udev"),
        ("masked", "inactive", "doctor.unit_masked", "cure.unmask_unit"),
    ],
)
def test_without_udev_no_handset_is_noticed(udev: str, active: str, word: str, cure: str) -> None:
    shown = SHOWN.format(benchd="active", enabled="enabled", udev=udev, udev_active=active)
    [found] = [
        each
        for each in units(states(["any"], lambda _: shown))
        if "udev" in str(each.facts["name"])
    ]
    assert (found.verdict, found.word, found.cure) == (FAIL, word, cure)


def test_what_others_start_is_told_where_it_is_masked() -> None:
    masked = "\n\nId=benchd-adb.service\nLoadState=masked\nActiveState=inactive\n"
    shown = SHOWN.format(benchd="active", enabled="enabled", **UDEV_RUNS) + masked
    found, *others = units(states(["any"], lambda _: shown))
    assert (found.word, found.facts["name"]) == ("doctor.unit_masked", "benchd-adb.service")
    # A socket isn't started while its service is masked: all are unmasked before one is started.
    shown = shown.replace(
        "Id=benchd-adb.socket\nLoadState=loaded", "Id=benchd-adb.socket\nLoadState=masked"
    )
    found, *others = units(states(["any"], lambda _: shown))
    assert found.facts["name"] == "benchd-adb.service benchd-adb.socket"
    assert both(found.cure or "", **found.facts).en == (
        "`systemctl unmask benchd-adb.service benchd-adb.socket`,"
        " then `systemctl start benchd-adb.service benchd-adb.socket`"
    )
    assert not [each for each in others if "adb" in str(each.facts["name"])]


def time_daemon(load: str, active: str) -> dict[str, dict[str, str]]:
    return {"chrony.service": {"LoadState": load, "ActiveState": active}}


@pytest.mark.parametrize(
    ("found", "cure"),
    [
        ({}, "cure.install_time_daemon"),
        (time_daemon("not-found", "inactive"), "cure.install_time_daemon"),
        (time_daemon("loaded", "inactive"), "cure.start_time_daemon"),
        (time_daemon("masked", "inactive"), "cure.unmask_unit"),
        (time_daemon("loaded", "active"), "cure.reach_time_server"),
    ],
)
def test_a_clock_is_mended_by_what_this_machine_has(
    found: dict[str, dict[str, str]], cure: str
) -> None:
    """`timedatectl set-ntp` fails on a clean Debian 13, which has nothing that could."""
    assert clock(lambda: False, found).cure == cure


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


def test_whoever_has_the_port_in_the_daemons_place_is_named(tmp_path: Path) -> None:
    code = "import socket, sys; s = socket.create_server(('127.0.0.1', 0));"
    code += " print(s.getsockname()[1], flush=True); sys.stdin.read()"
    with Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE, text=True) as other:
        assert other.stdout is not None
        number = int(other.stdout.readline())
        found = port(number, with_tls=False, taken_by=lambda: listener_of(number))
        assert (found.verdict, found.cure) == (FAIL, "cure.end_holder")
        assert found.facts["count"] == str(other.pid)
        assert found.facts["detail"] == f"kill {other.pid}"
        lock = tmp_path / "lock"
        with lock.open("w") as held:
            flock(held, LOCK_EX)
            assert lock_holder(lock) == holder(os.getpid())
        assert lock_holder(lock) is None
        other.send_signal(SIGSTOP)
        os.waitpid(other.pid, os.WUNTRACED)
        assert is_stopped(other.pid)
        other.send_signal(SIGCONT)
        other.communicate("")
    assert listener_of(number) is None


def test_a_service_is_ended_as_one_since_systemd_would_begin_it_anew(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7/comm").write_text("nginx\n")
    for group, ended_by in (
        ("/system.slice/nginx.service", "systemctl stop nginx.service"),
        ("/system.slice/system-x.slice/x@1.service", "systemctl stop x@1.service"),
        ("/user.slice/user-1.slice/user@1.service/app.slice/a.scope", "kill 7"),
    ):
        (tmp_path / "7/cgroup").write_text(f"1:cpu:/\n0::{group}\n")
        assert holder(7, tmp_path).ended_by == ended_by


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
