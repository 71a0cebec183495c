"""The Debian package's whole life under a real systemd, in a machine that has no network."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Generator
from hashlib import sha256
from pathlib import Path

import pytest
from deb_rig import (
    NEWER,
    NEWER_IN_DEBIAN,
    Packages,
    Rack,
    build_packages,
)
from install_rig import ROOT, run
from installed_job import SLOT, Hands, handset, set_up
from machine import BOOTED, UDEV, Machine, booted, until

pytestmark = [*BOOTED, pytest.mark.nightly, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A Debian with all that the package needs, and nothing of benchd's."""
    root = tmp_path_factory.mktemp("debian") / "root"
    names = 'source "$0"; printf "%s," "${!packages[@]}" systemd-sysv'
    needed = run("bash", "-c", names, ROOT / "scripts/machine.sh").strip(",\n")
    run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={needed}", "trixie", root)
    (root / "etc/tmpfiles.d/stand-in-for-udev.conf").write_text(UDEV)
    maker = os.getpid()
    yield root
    if os.getpid() == maker:
        shutil.rmtree(root)


@pytest.fixture(scope="module")
def packages(root: Path, wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Packages:
    return build_packages(wheels, tmp_path_factory.mktemp("packages"), root)


@pytest.fixture(scope="module")
def machine(root: Path) -> Generator[Machine]:
    with booted(root) as machine:
        yield machine


@pytest.fixture(scope="module")
def rack(machine: Machine, root: Path, packages: Packages) -> Rack:
    """One on which the package's first release is installed."""
    rack = Rack(machine, root)
    rack.dpkg("-i", packages.first)
    return rack


@pytest.fixture(scope="module")
def hands(machine: Machine, root: Path, rack: Rack) -> Generator[Hands]:
    """The release runs, and somebody has a handset for it."""
    assert rack.state().endswith(" installed")
    with handset(machine, root) as hands:
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "start", "benchd")
        set_up(machine)
        yield hands


@pytest.fixture
def first(rack: Rack, packages: Packages, hands: Hands) -> Rack:
    """The first release runs, whatever ran before."""
    assert hands
    if rack.state() != f"{packages.version} installed":
        rack.dpkg("-i", packages.first)
    return rack


@pytest.fixture
def busy(first: Rack, hands: Hands) -> Generator[Rack]:
    """A job runs, and waits for an answer before it overwrites."""
    hands.plug()
    yield first
    hands.unplug()


def test_the_installed_units_run_without_a_network(first: Rack) -> None:
    machine = first.machine
    assert machine.run("ls", "/sys/class/net").split() == ["lo"]
    first.daemon()
    # The line follows what is so, such as that there is an administrator now, within a second.
    quiet = "1 slot, 0 busy, 0 need a person"
    until(lambda: machine.show("benchd", "StatusText") == quiet)
    assert machine.show("benchd", "WatchdogUSec") == "30s"
    assert machine.show("benchd-adb.socket", "ActiveState") == "active"
    assert machine.show("benchd-verify.timer", "ActiveState") == "active"
    assert "sato\t佐藤 健" in machine.run("benchd", "people", "list")
    assert '"slot": "A1"' in machine.run("benchd", "status", "--json")
    told = machine.run("sh", "-c", "benchd doctor --json || true")
    assert '"check": "daemon"' in told
    key = machine.run("stat", "-c", "%a %U", "/etc/benchd/certificate_key.pem")
    assert key == "600 root\n"
    ask = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8420/healthz').status)"
    assert machine.run("python3", "-c", ask) == "200\n"


def room_of(root: Path, *places: str) -> int:
    """KiB on the disk, each file once whatever its names."""
    told = run("du", "--summarize", "--total", *(root / place for place in places))
    return int(told.splitlines()[-1].split()[0])


PLACES = ("usr/lib/benchd", "usr/share/doc/benchd", "opt/benchd")


def test_a_release_is_on_the_disk_once_and_the_one_before_beside_it(
    first: Rack, packages: Packages
) -> None:
    """As large as the package says, and twice that after an upgrade."""
    (first.root / "opt/benchd/previous").unlink(missing_ok=True)
    said = int(run("dpkg-deb", "--field", first.root / packages.first[1:], "Installed-Size"))
    running = first.root / "opt/benchd/releases" / first.release()
    for other in running.parent.iterdir():
        if other != running:
            shutil.rmtree(other)
    alone = room_of(first.root, *PLACES)
    assert abs(alone - said) < said * 0.05, (alone, said)
    assert alone < 175 * 1024
    first.dpkg("-i", packages.newer)
    assert len(list(running.parent.iterdir())) == 2
    both = room_of(first.root, *PLACES)
    assert both < 2 * alone, (alone, both)
    # Whatever runs is what the package has, byte for byte.
    program = first.root / "usr/lib/benchd/program/packages"
    current = first.root / "opt/benchd/releases" / first.release()
    [packages_] = current.glob("lib/python3*/site-packages")
    for name in ("typst/_typst.abi3.so", "benchd/daemon/service_lifecycle.py"):
        assert (packages_ / name).samefile(program / name)
    first.dpkg("-i", packages.first)


def test_what_runs_is_what_the_pinned_wheels_have(
    first: Rack, wheels: Path, tmp_path: Path
) -> None:
    """Byte for byte, but for the tables of symbols that Debian's packages go without."""
    pins = (ROOT / "requirements.txt").read_text()
    packages = first.root / "opt/benchd/current"
    release = packages.parent / packages.readlink()
    [packages] = release.glob("lib/python3*/site-packages")
    unknown = {
        str(file.relative_to(packages))
        for file in packages.rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }
    told = first.root / "usr/share/doc/benchd/wheels.sha256"
    lines = [line.split("  ") for line in told.read_text().splitlines()]
    made_of = {name: digest for digest, name in lines}
    for wheel in wheels.glob("*.whl"):
        digest = sha256(wheel.read_bytes()).hexdigest()
        assert made_of.pop(wheel.name) == digest
        assert wheel.name.startswith(("benchd-", "pyscard-")) or f"sha256:{digest}" in pins
        with zipfile.ZipFile(wheel) as archive:
            for name in unknown.intersection(archive.namelist()):
                unknown.discard(name)
                data = archive.read(name)
                if ".so" in name:
                    library = tmp_path / "library"
                    library.write_bytes(data)
                    run("strip", "--strip-unneeded", library)
                    data = library.read_bytes()
                assert (packages / name).read_bytes() == data, name
    assert not unknown
    assert not made_of


@pytest.mark.skipif(shutil.which("lintian") is None, reason="lintian isn't there")
def test_lintian_finds_no_error(first: Rack, packages: Packages) -> None:
    package = first.root / packages.first[1:]
    run("lintian", "--allow-root", "--fail-on", "error", "--no-tag-display-limit", package)


def test_an_upgrade_waits_for_what_runs_and_the_slots_go_on(
    busy: Rack, packages: Packages, hands: Hands
) -> None:
    before, release, pauses = busy.daemon(), busy.release(), busy.pauses()
    upgrade = busy.machine.begin("dpkg", "-i", packages.newer)
    until(lambda: busy.pauses() > pauses)
    assert (busy.daemon(), busy.release()) == (before, release)
    hands.answer()
    told, _ = upgrade.communicate()
    assert upgrade.returncode == 0, told
    assert busy.daemon() != before
    # What ran was overwritten, read back and put on record by the daemon that gave way then.
    ends = busy.machine.events("BENCHD_EVENT=job_ended", f"_PID={before}")
    assert ends == ["job_ended"]
    assert "passed" in [job["outcome"] for job in hands.jobs()]
    assert not busy.is_paused()
    assert busy.state() == f"{NEWER_IN_DEBIAN} installed"
    assert NEWER in busy.machine.run("benchd", "--version")
    assert '"slot": "A1"' in busy.machine.run("benchd", "status", "--json")
    # What the admin has written stays, and what is new is shown.
    assert "+++ /etc/benchd/benchd.toml.new" in told
    assert SLOT in (busy.root / "etc/benchd/benchd.toml").read_text()


def test_jobs_that_dont_end_in_time_refuse_an_upgrade_and_go_on(
    busy: Rack, packages: Packages
) -> None:
    before = busy.runs()
    bound = busy.root / "etc/default/benchd"
    bound.write_text("BENCHD_PAUSE_WITHIN=1s\n")
    told = busy.refused("-i", packages.newer)
    bound.unlink()
    assert "BENCHD_PAUSE_WITHIN=2h" in told
    assert (busy.runs(), busy.state()) == (before, f"{packages.version} installed")


@pytest.mark.parametrize("package", ["truncated", "torn"])
def test_a_package_that_is_damaged_leaves_the_daemon_running(
    first: Rack, packages: Packages, package: str
) -> None:
    before = first.runs()
    told = first.refused("-i", getattr(packages, package))
    assert first.runs() == before
    if package == "truncated":
        assert first.state() == f"{packages.version} installed"
    else:
        assert "nothing was changed" in told
        assert first.state() == "1.3.0 half-configured"
        first.dpkg("-i", packages.first)
        assert first.state() == f"{packages.version} installed"


def test_a_full_disk_leaves_the_daemon_running_and_is_mended_once_there_is_room(
    first: Rack, packages: Packages
) -> None:
    before = first.runs()
    over = "lowerdir=/opt/benchd,upperdir=/mnt/small/upper,workdir=/mnt/small/work"
    first.machine.run(
        "sh",
        "-ec",
        "mkdir -p /mnt/small; mount -t tmpfs -o size=120m tmpfs /mnt/small;"
        f"mkdir /mnt/small/upper /mnt/small/work; mount -t overlay -o {over} overlay /opt/benchd",
    )
    told = first.refused("-i", packages.newer)
    first.machine.run("sh", "-c", "umount -l /opt/benchd; umount -l /mnt/small")
    assert "No space left" in told
    assert "nothing was changed" in told
    assert first.runs() == before
    first.dpkg("--configure", "-a")
    assert first.state() == f"{NEWER_IN_DEBIAN} installed"
    assert first.daemon() != before[0]


def test_an_upgrade_that_is_killed_leaves_the_daemon_running_and_is_mended(
    first: Rack, packages: Packages
) -> None:
    before = first.runs()
    kept = len(list((first.root / "opt/benchd/releases").iterdir()))
    upgrade = ("systemd-run", "--quiet", "--collect", "--unit=upgrade")
    first.machine.run(*upgrade, "dpkg", "-i", packages.newer)
    until(lambda: len(list((first.root / "opt/benchd/releases").iterdir())) > kept)
    first.machine.run("systemctl", "kill", "--signal=KILL", "upgrade")
    until(lambda: first.machine.show("upgrade", "ActiveState") != "active")
    assert (first.daemon(), first.release()) == before
    first.dpkg("--configure", "-a")
    assert first.state() == f"{NEWER_IN_DEBIAN} installed"
    assert first.daemon() != before[0]
    assert len(list((first.root / "opt/benchd/releases").iterdir())) == 2


def test_an_upgrade_that_is_killed_while_the_release_takes_over_is_finished_by_the_next_start(
    first: Rack, packages: Packages
) -> None:
    opt, machine = first.root / "opt/benchd", first.machine
    upgrade = ("systemd-run", "--quiet", "--collect", "--unit=upgrade")
    machine.run(*upgrade, "dpkg", "-i", packages.newer)
    until(lambda: NEWER in first.release())
    machine.run("systemctl", "kill", "--signal=KILL", "upgrade")
    until(lambda: machine.show("upgrade", "ActiveState") != "active")
    machine.run("systemctl", "start", "benchd")
    first.daemon()
    assert not (opt / "current/half-installed").exists()
    for unit in ("benchd.service", "benchd-adb.socket"):
        placed = first.root / "usr/local/lib/systemd/system" / unit
        assert placed.read_bytes() == (opt / "current/systemd" / unit).read_bytes()
    first.dpkg("--configure", "-a")
    assert first.state() == f"{NEWER_IN_DEBIAN} installed"
    first.daemon()


def test_a_daemon_that_was_masked_while_it_runs_refuses_an_upgrade(
    first: Rack, packages: Packages
) -> None:
    before = first.runs()
    first.machine.run("systemctl", "mask", "benchd")
    told = first.refused("-i", packages.newer)
    first.machine.run("systemctl", "unmask", "benchd")
    assert "systemctl unmask benchd" in told
    assert (first.runs(), first.state()) == (before, f"{packages.version} installed")


def test_a_release_that_doesnt_start_here_gives_way_to_the_one_that_did(
    first: Rack, packages: Packages
) -> None:
    release = first.release()
    told = first.refused("-i", packages.broken)
    assert "the new release didn't start, so the former one runs" in told
    first.daemon()
    assert first.release() == release
    assert not os.path.lexists(first.root / "opt/benchd/previous")
    assert len(list((first.root / "opt/benchd/releases").iterdir())) == 1
    first.dpkg("-i", packages.first)


def test_a_configuration_that_no_release_takes_is_refused_before_anything_stops(
    first: Rack, packages: Packages
) -> None:
    before = first.runs()
    config = first.root / "etc/benchd/benchd.toml"
    kept = config.read_text()
    config.write_text(f"key_of_nobody = 1\n{kept}")
    told = first.refused("-i", packages.newer)
    config.write_text(kept)
    assert "wouldn't start again either" in told
    assert first.runs() == before
    first.dpkg("-i", packages.first)


def test_an_older_package_is_taken_within_one_form_of_the_ledger_and_refused_beyond(
    first: Rack, packages: Packages
) -> None:
    first.dpkg("-i", packages.newer)
    newer = first.release()
    first.dpkg("-i", packages.first)
    assert first.state() == f"{packages.version} installed"
    assert (first.root / "opt/benchd/previous").readlink().name == newer
    first.machine.run("systemctl", "stop", "benchd")
    ledger = first.root / "var/lib/benchd/ledger.sqlite"
    kept = ledger.read_bytes()
    with ledger.open("r+b") as file:
        file.seek(60)  # user_version: https://www.sqlite.org/fileformat.html
        file.write((99).to_bytes(4))
    told = first.refused("-i", packages.newer)
    ledger.write_bytes(kept)
    first.machine.run("systemctl", "start", "benchd")
    assert f"has form 99 and benchd {NEWER_IN_DEBIAN} reads up to" in told
    assert first.state() == f"{packages.version} installed"


def test_a_removal_is_refused_while_jobs_run(busy: Rack, packages: Packages) -> None:
    before = busy.daemon()
    bound = busy.root / "etc/default/benchd"
    bound.write_text("BENCHD_PAUSE_WITHIN=1s\n")
    told = busy.refused("--remove", "benchd")
    bound.unlink()
    assert "BENCHD_PAUSE_WITHIN=2h" in told
    assert (busy.daemon(), busy.state()) == (before, f"{packages.version} installed")
    assert not busy.is_paused()


BACKUP = "benchd-backup@mnt-backup.timer"
WANTED = "etc/systemd/system/timers.target.wants"


def test_a_backup_survives_a_removal_and_goes_on_with_the_next_installation(
    first: Rack, packages: Packages
) -> None:
    machine = first.machine
    machine.run(*["install", "-d", "-o", "benchd", "-g", "benchd", "-m", "0700", "/mnt/backup"])
    machine.run("systemctl", "enable", "--now", BACKUP)
    told = first.dpkg("--remove", "benchd")
    assert f"to forget it: rm /{WANTED}/{BACKUP}" in told
    assert machine.run("sh", "-c", f"systemctl is-active {BACKUP} || true") == "inactive\n"
    assert os.path.lexists(first.root / WANTED / BACKUP)
    # A boot in between finds no such unit and goes on.
    machine.run("systemctl", "daemon-reload")
    first.dpkg("-i", packages.first)
    assert machine.show(BACKUP, "ActiveState") == "active"
    assert machine.run("systemctl", "is-enabled", BACKUP) == "enabled\n"
    machine.run("systemctl", "start", "benchd")
    machine.run("systemctl", "start", BACKUP.replace("timer", "service"))
    assert list((first.root / "mnt/backup").glob("*.json"))


# The last of this file: the others need what it takes away.
def test_a_purge_leaves_what_an_erasure_is_proven_by_and_says_where(first: Rack) -> None:
    # It stops the daemon, masked or not.
    first.machine.run("systemctl", "mask", "benchd")
    told = first.dpkg("--purge", "benchd")
    assert "rm -r /etc/benchd /var/lib/benchd" in told
    root = first.root
    for gone in (
        *("opt/benchd", "usr/lib/benchd", "usr/local/bin/benchd", "etc/default/benchd"),
        "usr/local/share/benchd",
    ):
        assert not os.path.lexists(root / gone)
    assert not list((root / "usr/local/lib/systemd/system").glob("benchd*"))
    assert not list((root / "etc/benchd").rglob("*.new"))
    assert not os.path.lexists(root / WANTED / BACKUP)
    for kept in ("etc/benchd/certificate_key.pem", "var/lib/benchd/ledger.sqlite"):
        assert (root / kept).stat().st_size
    assert SLOT in (root / "etc/benchd/benchd.toml").read_text()
    assert first.machine.run("sh", "-c", "systemctl is-active benchd || true") == "inactive\n"
