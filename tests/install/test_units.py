"""What systemd/ holds: it verifies, is exposed little, and its mistakes would be found."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from install_rig import ROOT, ended

from benchd.config.config_sections import AdbSettings

SYSTEMD = ROOT / "systemd"
CHECK = "scripts/check-units"

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        shutil.which("systemd-analyze") is None or shutil.which("udevadm") is None,
        reason="systemd's own tools aren't there: scripts/setup installs them on Debian",
    ),
]


def check(folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return ended(folder / CHECK, env=os.environ)


def test_the_units_verify_without_a_word() -> None:
    done = check()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


MISTAKES = {
    "a misspelt directive": ("benchd.service", "WatchdogSec=", "WatchdogSecs=", "Unknown key"),
    "a program that isn't there": ("benchd-adb.service", "/usr/bin/adb", "/bin/abd", "abd is not"),
    "a service open to the world": (
        "benchd.service",
        r"(?m)^(Protect\w+|Restrict\w+|SystemCall\w+|CapabilityBoundingSet|PrivateDevices)=.*\n",
        "",
        "Overall exposure level",
    ),
    "a centre open to the world": (
        "benchd-fleet.service",
        r"(?m)^(Protect\w+|Restrict\w+|SystemCall\w+|CapabilityBoundingSet|PrivateDevices)=.*\n",
        "",
        "Overall exposure level",
    ),
    "a misspelt rule": ("72-benchd.rules", "GROUP=", "GRUOP=", "Invalid key"),
    "a user of no kind": (
        "benchd.sysusers.conf",
        r"(?m)^u benchd ",
        "w benchd ",
        "Unknown command",
    ),
    "a folder of no kind": ("benchd.tmpfiles.conf", r"(?m)^d ", "dd ", "Unknown modifiers"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str, tmp_path: Path) -> None:
    shutil.copytree(SYSTEMD, tmp_path / "systemd")
    (tmp_path / "scripts").mkdir()
    shutil.copy(ROOT / CHECK, tmp_path / CHECK)
    name, pattern, replacement, told = MISTAKES[mistake]
    file = tmp_path / "systemd" / name
    text, count = re.subn(pattern, replacement, file.read_text())
    assert count
    file.write_text(text)
    done = check(tmp_path)
    assert done.returncode == 1
    assert told in done.stdout


def drop_in() -> str:
    """The example for anchors that docs/service.md gives."""
    blocks = (ROOT / "docs" / "service.md").read_text().split("```\n")[1::2]
    [example] = [block for block in blocks if "ReadWritePaths=" in block]
    return example


def test_the_drop_in_for_anchors_verifies_and_opens_no_more_than_it_says(tmp_path: Path) -> None:
    units = tmp_path / "etc/systemd/system"
    (units / "benchd.service.d").mkdir(parents=True)
    (units / "benchd.service.d/anchor.conf").write_text(drop_in())
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    for unit in ("benchd.service", "benchd-adb.service", "benchd-adb.socket"):
        shutil.copy(SYSTEMD / unit, units / unit)
    for program in ("opt/benchd/current/bin/benchd", "usr/bin/adb"):
        path = tmp_path / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o755)
    verify = ["systemd-analyze", "verify", "--man=no", f"--root={tmp_path}", "benchd.service"]
    done = ended(*verify, env=os.environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    secure = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20"]
    secure += [f"--root={tmp_path}", "benchd.service"]
    done = ended(*secure, env=os.environ)
    assert done.returncode == 0, done.stdout


def settings_of(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (SYSTEMD / unit).read_text().splitlines():
        key, separator, value = line.partition("=")
        if separator and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


def test_benchd_reaches_no_device_and_only_the_adb_server_reaches_usb() -> None:
    daemon, adb = settings_of("benchd.service"), settings_of("benchd-adb.service")
    assert daemon["PrivateDevices"] == ["yes"]
    assert daemon["DevicePolicy"] == adb["DevicePolicy"] == ["closed"]
    assert "DeviceAllow" not in daemon
    assert adb["DeviceAllow"] == ["char-usb_device rw"]
    assert daemon["CapabilityBoundingSet"] == adb["CapabilityBoundingSet"] == [""]
    assert daemon["User"] != adb["User"]


def test_the_daemon_may_lower_the_priority_of_a_thread() -> None:
    """Of lines that name the same call the last one counts: `@resources` has this one."""
    filters = settings_of("benchd.service")["SystemCallFilter"]
    assert filters.index("setpriority") > filters.index("~@privileged @resources")


def test_what_comes_up_late_is_waited_for_however_often_it_has_failed() -> None:
    for unit in ("benchd.service", "benchd-adb.service", "benchd-fleet.service"):
        assert "\nStartLimitIntervalSec=0\n" in (SYSTEMD / unit).read_text()


def test_backups_give_way_to_the_daemon_and_only_they_have_the_key() -> None:
    backup, verify = settings_of("benchd-backup@.service"), settings_of("benchd-verify.service")
    for unit in (backup, verify):
        assert (unit["IOSchedulingClass"], unit["CPUSchedulingPolicy"]) == (["idle"], ["idle"])
        assert (unit["PrivateNetwork"], unit["User"]) == (["yes"], ["benchd"])
    assert backup["LoadCredential"] == settings_of("benchd.service")["LoadCredential"]
    assert "LoadCredential" not in verify


def test_a_daemon_that_is_killed_leaves_no_secrets_in_a_file() -> None:
    """The watchdog's SIGABRT makes a core file: keys, and the PIN that was just typed."""
    lines = (SYSTEMD / "benchd.service").read_text().splitlines()
    assert "WatchdogSec=30s" in lines
    assert "LimitCORE=0" in lines


def test_adbs_socket_is_where_the_configuration_has_it_and_for_benchd_alone() -> None:
    socket, daemon = settings_of("benchd-adb.socket"), settings_of("benchd.service")
    place = AdbSettings(server="external").server_socket
    assert socket["ListenStream"] == [str(place)]
    assert (socket["SocketMode"], socket["SocketUser"]) == (["0600"], daemon["User"])
    # A folder of the daemon's own is emptied with each of its ends, and this socket outlives it.
    assert place.parent.name not in daemon["RuntimeDirectory"]
    own = AdbSettings(server="own").server_socket
    assert own.parent.name in daemon["RuntimeDirectory"]


def test_the_adb_server_has_no_network() -> None:
    adb = settings_of("benchd-adb.service")
    assert adb["RestrictAddressFamilies"] == ["AF_UNIX AF_NETLINK"]
    assert (adb["IPAddressDeny"], "IPAddressAllow" in adb) == (["any"], False)


def test_only_benchd_is_let_at_the_readers() -> None:
    rule = (SYSTEMD / "50-benchd.polkit.rules").read_text()
    assert re.findall(r"org\.debian\.pcsc-lite\.\w+", rule) == [
        "org.debian.pcsc-lite.access_pcsc",
        "org.debian.pcsc-lite.access_card",
    ]
    assert 'subject.user === "benchd"' in rule


def test_the_centre_reaches_no_device_and_waits_for_a_database_that_is_away() -> None:
    centre = settings_of("benchd-fleet.service")
    assert (centre["PrivateDevices"], centre["CapabilityBoundingSet"]) == (["yes"], [""])
    assert (centre["IPAddressDeny"], centre["IPAddressAllow"]) == (["any"], ["localhost"])
    assert (centre["ProtectSystem"], centre["LimitCORE"]) == (["strict"], ["0"])
    assert (centre["Restart"], centre["RestartPreventExitStatus"]) == (["on-failure"], ["2"])
    # Each key is root's alone, and without one of them it isn't even tried.
    named = [each.partition(":")[2] for each in centre["LoadCredential"]]
    assert named == [*centre["AssertPathExists"], "/etc/benchd-fleet/locked_store"]
    # But for that one: not everybody has a locked store.
    assert centre["SetCredential"] == ["locked_store:none"]
