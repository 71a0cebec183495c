"""A release, and its installation in a clean Debian 13: run, upgraded, taken away."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import shutil
import stat
import zipfile
from pathlib import Path

import pytest
from install_rig import ROOT, ended, make_release, refused, run

from benchd.cli.doctor.doctor_command import INSTALLED
from benchd.domain.version_info import commit_of
from benchd.observe.log_events import message_ids

UNITS = "/usr/local/lib/systemd/system"
ABIS = ("arm64", "arm", "amd64", "386")
PROGRAMS = ("benchd-fill", "benchd-cache")

pytestmark = [
    pytest.mark.as_root,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(os.geteuid() != 0, reason="a Debian root is made and entered by root only"),
    pytest.mark.skipif(shutil.which("mmdebstrap") is None, reason="mmdebstrap isn't there"),
]

RUN = """
set -eu
root=$1
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys" 2>/dev/null || true
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
ip link set lo up
install -d -o "$2" -g "$2" "$root/run/benchd" "$root/run/credentials"
install -d -m 0700 -o "$2" -g "$2" "$root/var/lib/benchd"
install -d -m 0700 -o "$3" -g "$3" "$root/var/lib/benchd-adb"
install -m 0400 -o "$2" "$root/etc/benchd/certificate_key.pem" "$root/run/credentials/"
# SetCredential: there are no secrets beside the key before its first rotation.
secrets="$root/run/credentials/certificate_key.pem.secrets"
echo none | install -m 0400 -o "$2" /dev/stdin "$secrets"
# Stands for udev's daemon, which would act on the devices of the machine that the test runs on.
install -D /dev/null "$root/run/udev/control"
exec chroot "$root" /bin/bash /usr/local/share/benchd-run
"""
"""What systemd does for the units, in a network and a mount namespace of their own."""

INSIDE = r"""
set -eu
as() {
    setpriv --reuid "$1" --regid "$1" --clear-groups --bounding-set=-all --no-new-privs "${@:2}"
}
# adb as its unit has it: root's socket, its own user.
mkdir -p /run/benchd-adb
systemd-socket-activate -l /run/benchd-adb/adb.sock -E HOME=/var/lib/benchd-adb -E ADB_USB=0 \
    -E ADB_MDNS=0 -E ADB_EMU=0 setpriv --reuid benchd-adb --regid benchd-adb --clear-groups \
    adb -L acceptfd:3 server nodaemon 2>/dev/null &
adb=$!
until [ -S /run/benchd-adb/adb.sock ]; do
    kill -0 "$adb"
    read -rt 0.1 <> <(:) || true
done
chown benchd /run/benchd-adb/adb.sock
chmod 0600 /run/benchd-adb/adb.sock
# Memory that is writable is never executable, as MemoryDenyWriteExecute= has it (prctl 65).
deny='import ctypes, os, sys
ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])'
CREDENTIALS_DIRECTORY=/run/credentials as benchd /opt/benchd/current/bin/python -c "$deny" \
    /opt/benchd/current/bin/benchd run &
daemon=$!
told=
for _ in $(seq 300); do
    told=$(benchd status --json 2>/dev/null) && break
    kill -0 "$daemon"
    read -rt 0.1 <> <(:) || true
done
printf '%s\n' "$told"
benchd drain
wait "$daemon"
kill "$adb"
"""


def in_root(root: Path, *command: str) -> str:
    return run("chroot", root, *command)


def releases_in(root: Path) -> set[Path]:
    return {*root.glob("opt/benchd/*"), *root.glob("opt/benchd/releases/*")}


def user_of(root: Path, name: str) -> str:
    lines = (root / "etc/passwd").read_text().splitlines()
    return next(line.split(":")[2] for line in lines if line.startswith(f"{name}:"))


def test_a_release_lists_all_that_it_is(release: Path) -> None:
    lines = (release / "SHA256SUMS").read_text().splitlines()
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    files = {str(path.relative_to(release)) for path in release.rglob("*") if path.is_file()}
    assert set(listed) == files - {"SHA256SUMS"}
    assert {f"{release.name}.tar", "sbom.cdx.json", "LICENCES.md"} <= set(listed)
    [package] = release.glob("benchd_*.deb")
    assert package.name in listed
    [centre] = release.glob("fleet/benchd-fleet_*.deb")
    names = (centre.name, "sbom.cdx.json", "LICENCES.md")
    assert {f"fleet/{name}" for name in names} <= set(listed)
    told = json.loads((release / "fleet/sbom.cdx.json").read_text())
    assert {"psycopg", "postgresql"} <= {part["name"] for part in told["components"]}
    for name, digest in listed.items():
        assert hashlib.sha256((release / name).read_bytes()).hexdigest() == digest


def test_a_bundle_has_what_an_installation_without_a_network_asks_for(bundle: Path) -> None:
    packages = [line.split() for line in (bundle / "debian-packages.txt").read_text().splitlines()]
    assert {"adb", "pcscd", "python3"} <= {name for name, _, _ in packages}
    told = json.loads((bundle / "sbom.cdx.json").read_text())
    assert {"name": "benchd:commit", "value": commit_of(ROOT)} in (
        told["metadata"]["component"]["properties"]
    )
    carried = {part["name"]: part for part in told["components"]}
    for wheel in bundle.glob("wheels/*.whl"):
        name = wheel.name.partition("-")[0].replace("_", "-")
        part = told["metadata"]["component"] if name == "benchd" else carried[name]
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        assert part["hashes"] == [{"alg": "SHA-256", "content": digest}]


def test_a_bundle_with_a_changed_byte_changes_nothing(debian: Path, bundle: Path) -> None:
    [wheel] = bundle.glob("wheels/anyio-*.whl")
    kept, before = wheel.read_bytes(), releases_in(debian)
    wheel.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    try:
        told = refused(debian, by=bundle / "scripts/install")
    finally:
        wheel.write_bytes(kept)
    assert f"wheels/{wheel.name}: FAILED" in told
    assert "nothing was changed" in told
    assert releases_in(debian) == before


@pytest.mark.nightly
def test_the_same_commit_gives_the_same_bytes(release: Path, tmp_path: Path) -> None:
    again = make_release(tmp_path)
    assert again.name == release.name
    for path in release.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_the_wheel_has_the_programs_for_every_processor_and_the_commit_it_was_built_from(
    wheels: Path,
) -> None:
    (wheel,) = wheels.glob("benchd-*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for abi, program in itertools.product(ABIS, PROGRAMS):
        assert f"benchd/devices/android/filler/bin/{program}-{abi}" in names
    assert "benchd/py.typed" in names
    assert zipfile.ZipFile(wheel).read("benchd/commit.txt").decode().strip() == commit_of(ROOT)
    assert not (wheels / "commit.txt").exists()


def test_an_installation_carries_no_lab(installed: Path, wheels: Path) -> None:
    (wheel,) = wheels.glob("benchd-*.whl")
    carried = [*zipfile.ZipFile(wheel).namelist(), *(path.name for path in wheels.iterdir())]
    carried += [str(path) for path in (installed / "opt/benchd").rglob("*")]
    for part in ("benchd/lab/", "mfusepy", "securesystemslib"):
        assert not [name for name in carried if part in name], part


def test_what_needs_the_lab_says_what_to_do(installed: Path) -> None:
    for command in (("demo",), ("bench", "scale")):
        refused = ended("chroot", installed, "benchd", *command)
        assert refused.returncode == 3
        assert "scripts/demo" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_every_unit_verifies_where_it_is_installed(installed: Path) -> None:
    units = ("benchd.service", "benchd-adb.service", "benchd-adb.socket", "benchd-verify.timer")
    paths = [f"{UNITS}/{unit}" for unit in units]
    assert in_root(installed, "systemd-analyze", "verify", "--man=no", *paths) == ""
    rules = "/usr/local/lib/udev/rules.d/72-benchd.rules"
    in_root(installed, "udevadm", "verify", rules)
    wants = installed / "etc/systemd/system"
    assert (wants / "multi-user.target.wants/benchd.service").is_symlink()
    assert (wants / "sockets.target.wants/benchd-adb.socket").is_symlink()
    timers = [path.name for path in (wants / "timers.target.wants").glob("benchd-*")]
    assert timers == ["benchd-verify.timer"]
    assert (installed / f"{UNITS[1:]}/benchd-backup@.timer").exists()


def test_the_journal_explains_what_benchd_logs(installed: Path) -> None:
    message_id = message_ids()["ledger_broken"]
    assert f"{message_id} benchd: " in in_root(installed, "journalctl", "--list-catalog")


def test_users_key_and_configuration_are_there(installed: Path) -> None:
    assert user_of(installed, "benchd") != user_of(installed, "benchd-adb")
    key = installed / "etc/benchd/certificate_key.pem"
    assert (stat.S_IMODE(key.stat().st_mode), key.stat().st_uid) == (0o600, 0)
    told = in_root(installed, "benchd", "check-config", "/etc/benchd/benchd.toml")
    recipes = len(list((ROOT / "configs/recipes").glob("*.toml")))
    assert told == f"/etc/benchd/benchd.toml: 0 slots, {recipes} recipes\n"
    assert 'server = "external"' in (installed / "etc/benchd/benchd.toml").read_text()


def test_manuals_rules_and_dashboards_are_where_doctor_says(installed: Path) -> None:
    there = in_root(installed, "find", "-L", str(INSTALLED), "-type", "f").split()
    for folder in ("docs", "configs/prometheus/rules", "configs/alertmanager", "configs/grafana"):
        shipped = {path for path in (ROOT / folder).rglob("*.*") if path.suffix in {".md", ".yml"}}
        for path in shipped:
            place = f"{INSTALLED}/{path.relative_to(ROOT)}"
            assert (place in there) != path.name.endswith(".test.yml"), place


def test_the_installed_daemon_runs_as_its_own_user_and_drains(installed: Path) -> None:
    config = installed / "etc/benchd/benchd.toml"
    before = config.read_text()
    config.write_text(before + '\n[slots.A1]\nport = "pci-0000:00:14.0-usb-0:1"\n')
    (installed / "usr/local/share/benchd-run").write_text(INSIDE)
    users = (user_of(installed, name) for name in ("benchd", "benchd-adb"))
    enter = ("unshare", "--net", "--mount", "--pid", "--fork", "--kill-child")
    told = run(*enter, "--propagation", "private", "sh", "-c", RUN, "sh", installed, *users)
    assert '"slot": "A1"' in told
    assert '"state": "empty"' in told
    assert "no new job begins; running: 0\n" in told
    assert "benchd has ended" in told
    ledger = installed / "var/lib/benchd/ledger.sqlite"
    assert ledger.stat().st_uid == int(user_of(installed, "benchd"))
    key = "/etc/benchd/certificate_key.pem.pub"
    in_root(installed, "benchd", "ledger", "verify", "/var/lib/benchd/ledger.sqlite", "--key", key)


def test_an_upgrade_without_a_network_keeps_what_is_the_admins(
    installed: Path, bundle: Path
) -> None:
    etc = installed / "etc/benchd"
    (etc / "benchd.toml").write_text(
        (etc / "benchd.toml").read_text().replace("Example Reuse", "My Reuse")
    )
    (etc / "recipes/delete.toml").unlink()
    kept = {
        name: (etc / name).read_bytes()
        for name in ("benchd.toml", "certificate_key.pem", "recipes/overwrite.toml")
    }
    run("unshare", "--net", bundle / "scripts/install", "--root", installed)
    assert kept == {name: (etc / name).read_bytes() for name in kept}
    assert b"Example Reuse" in (etc / "benchd.toml.new").read_bytes()
    assert (etc / "recipes/delete.toml").exists()
    assert not list(etc.glob("recipes/*.new"))


def test_the_release_before_is_kept_and_can_be_gone_back_to(installed: Path) -> None:
    opt = installed / "opt/benchd"
    now, before = (opt / link for link in ("current", "previous"))
    commit = commit_of(ROOT)[:12]
    assert re.fullmatch(rf"releases/[^-/]+-{commit}(-\d+)?", str(now.readlink()))
    assert {f"releases/{path.name}" for path in (opt / "releases").iterdir()} == {
        str(now.readlink()),
        str(before.readlink()),
    }
    newer, older = now.readlink(), before.readlink()
    unit = installed / UNITS[1:] / "benchd.service"
    (opt / older / "systemd/benchd.service").write_text(unit.read_text() + "# older\n")
    # A release from before there was a catalogue goes without one.
    (opt / older / "systemd/benchd.catalog").unlink()
    catalogue = installed / "usr/local/lib/systemd/catalog/benchd.catalog"
    assert catalogue.exists()
    # One from before there was this timer.
    timer = unit.with_name("benchd-verify.timer")
    (opt / older / "systemd/benchd-verify.timer").unlink()
    run(ROOT / "scripts/install", "--back", "--root", installed)
    assert not catalogue.exists()
    assert (now.readlink(), before.readlink()) == (older, newer)
    assert unit.read_text().endswith("# older\n")
    assert not timer.exists()
    assert commit in in_root(installed, "benchd", "--version")
    run(ROOT / "scripts/install", "--back", "--root", installed)
    assert (now.readlink(), before.readlink()) == (newer, older)
    assert catalogue.exists()
    assert timer.exists()


def test_an_older_release_is_refused_where_the_ledger_has_a_newer_form(installed: Path) -> None:
    ledger = installed / "var/lib/benchd/ledger.sqlite"
    kept = ledger.read_bytes()
    with ledger.open("r+b") as file:
        file.seek(60)  # user_version: https://www.sqlite.org/fileformat.html
        file.write((99).to_bytes(4))
    try:
        before = (installed / "opt/benchd/current").readlink()
        told = refused(installed, "--back")
        assert "has form 99" in told
        assert "nothing was changed" in told
        assert (installed / "opt/benchd/current").readlink() == before
    finally:
        ledger.write_bytes(kept)


@pytest.mark.parametrize("package", ["benchd", "anyio"])
def test_an_upgrade_with_a_torn_wheel_leaves_what_runs(
    installed: Path, wheels: Path, tmp_path: Path, package: str
) -> None:
    torn = Path(shutil.copytree(wheels, tmp_path / "wheels"))
    (torn / "SHA256SUMS").unlink()  # whose check would find it sooner
    [wheel] = torn.glob(f"{package}-*.whl")
    os.truncate(wheel, wheel.stat().st_size // 2)
    opt = installed / "opt/benchd"
    before, current = releases_in(installed), (opt / "current").readlink()
    assert "nothing was changed" in refused(installed, "--wheels", torn)
    assert (releases_in(installed), (opt / "current").readlink()) == (before, current)
    in_root(installed, "benchd", "--version")


def test_a_configuration_that_only_the_running_release_takes_stops_the_upgrade(
    installed: Path, wheels: Path
) -> None:
    opt = installed / "opt/benchd"
    checker = opt / "current" / "bin/benchd"
    kept, config = checker.read_bytes(), installed / "etc/benchd/benchd.toml"
    known = config.read_bytes()
    # Stands for a release that knows this key.
    checker.write_text("#!/bin/sh\nexit 0\n")
    config.write_bytes(b'key_of_another_release = "x"\n' + known)
    before = (opt / "current").readlink()
    try:
        told = refused(installed, "--wheels", wheels)
    finally:
        checker.write_bytes(kept)
        config.write_bytes(known)
    assert "key_of_another_release" in told
    assert "nothing was changed" in told
    assert (opt / "current").readlink() == before


# The last of this folder: the others need what it takes away.
def test_removed_is_all_but_what_was_recorded(installed: Path) -> None:
    run(ROOT / "scripts/install", "--remove", "--root", installed)
    assert "benchd" not in in_root(installed, "journalctl", "--list-catalog")
    left = {
        str(path.relative_to(installed))
        for path in installed.rglob("*benchd*")
        if "benchd" not in str(path.relative_to(installed).parent) and path.name != "benchd-run"
    }
    # What an anchor was given lies outside the rack, and is nobody's to take away.
    left = {path for path in left if not path.startswith("mnt/anchor/")}
    # What was told to back up stays told, and when it did so last.
    left = {path for path in left if "stamp-benchd-backup@" not in path}
    assert left == {"etc/benchd", "var/lib/benchd", "var/lib/benchd-adb"}
    assert (installed / "var/lib/benchd/ledger.sqlite").exists()
    assert (installed / "etc/benchd/certificate_key.pem").exists()
    run(ROOT / "scripts/install", "--remove", "--root", installed)
