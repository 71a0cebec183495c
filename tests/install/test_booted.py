"""The installed units under a real systemd: start, reload, watchdog, drain, stop, journal."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Generator
from functools import partial
from pathlib import Path

import pytest
from install_rig import ROOT
from installed_job import set_up
from machine import BOOTED, UDEV, Machine, booted
from machine import until as until_within

pytestmark = [*BOOTED, pytest.mark.slow, pytest.mark.timeout(1200)]

SERVICE_MD = ROOT / "docs/service.md"
SLOT = '\n[slots.{name}]\nport = "pci-0000:00:14.0-usb-0:{number}"\n'
CONFIG = "etc/benchd/benchd.toml"
until = partial(until_within, within_s=120)


@pytest.fixture(scope="module")
def machine(installed: Path) -> Generator[Machine]:
    config = installed / CONFIG
    kept = config.read_bytes()
    key = config.with_name("certificate_key.pem")
    keys = [(file, file.read_bytes(), file.stat().st_mode) for file in beside(key)]
    stand_in = installed / "etc/tmpfiles.d/stand-in-for-udev.conf"
    stand_in.write_text(UDEV)
    config.write_bytes(kept + SLOT.format(name="A1", number=1).encode())
    try:
        with booted(installed) as machine:
            yield machine
    finally:
        stand_in.unlink()
        config.write_bytes(kept)
        # A rotated key belongs to the ledger that goes with this machine.
        for file in beside(key):
            file.unlink()
        for file, data, mode in keys:
            file.write_bytes(data)
            file.chmod(mode)
        shutil.rmtree(installed / "var/lib/benchd", ignore_errors=True)
        shutil.rmtree(installed / "etc/systemd/system/benchd.service.d", ignore_errors=True)
        for left in (installed / "var/tmp").glob("*"):
            shutil.rmtree(left)
        shutil.rmtree(installed / "mnt/backup", ignore_errors=True)
        for left in (installed / "etc/systemd/system").glob("*.wants/benchd-backup@*"):
            left.unlink()


def beside(key: Path) -> list[Path]:
    """The key's file, and all that lies beside it under its name."""
    return list(key.parent.glob(f"{key.name}*"))


def test_the_boot_brings_it_up_as_its_own_user_without_any_right(machine: Machine) -> None:
    until(lambda: machine.show("benchd", "ActiveState") == "active")
    # It is ready first, and says how things are right after.
    until(lambda: machine.show("benchd", "StatusText") != "")
    told = machine.show("benchd", "StatusText")
    assert told == "1 slot, 0 busy, 0 need a person, no job begins: no administrator"
    assert machine.show("benchd-adb", "ActiveState") == "active"
    for unit in ("benchd", "benchd-adb"):
        pid = machine.show(unit, "MainPID")
        status = machine.run("cat", f"/proc/{pid}/status")
        fields = dict(line.split(":\t", 1) for line in status.splitlines())
        user = machine.run("id", "-u", unit).strip()
        assert fields["Uid"].split() == [user] * 4
        assert int(fields["CapBnd"], 16) == int(fields["CapEff"], 16) == 0
        assert (fields["Seccomp"], fields["NoNewPrivs"]) == ("2", "1")
    modes = machine.run("stat", "-c", "%a %U", "/var/lib/benchd", "/run/benchd/benchd.sock")
    assert modes == "700 benchd\n660 benchd\n"


def test_only_benchds_user_and_root_reach_the_adb_server(machine: Machine) -> None:
    until(lambda: machine.show("benchd-adb", "ActiveState") == "active")
    place = "/run/benchd-adb/adb.sock"
    told = machine.run("stat", "-c", "%a %U %n", "/run/benchd-adb", place)
    assert told == f"755 root /run/benchd-adb\n600 benchd {place}\n"
    asks = "import socket as s; c = s.socket(s.AF_UNIX); c.connect('{place}');"
    asks += " c.sendall(b'000chost:version'); print(c.recv(8).decode())"
    command = ("runuser", "-u", "{user}", "--", "python3", "-c", asks.format(place=place))
    for user in ("benchd", "root"):
        assert "OKAY" in machine.run(*(word.format(user=user) for word in command))
    for user in ("nobody", "benchd-adb"):
        refused = " ".join(shlex.quote(word.format(user=user)) for word in command)
        assert "Permission denied" in machine.run("sh", "-c", f"! {refused} 2>&1")
    # Nor is there another way: adb's unit may not even make a socket of TCP's.
    pid = machine.show("benchd-adb", "MainPID")
    assert f":{15037:04X} " not in machine.run("cat", f"/proc/{pid}/net/tcp")


def test_the_first_administrator_is_made_over_the_socket(machine: Machine) -> None:
    assert "benchd setup" in machine.run("benchd", "status")
    set_up(machine)
    assert "benchd setup" not in machine.run("benchd", "status")
    assert "sato\t佐藤 健" in machine.run("benchd", "people", "list")


def test_the_journal_has_the_fields(machine: Machine) -> None:
    assert machine.events("BENCHD_EVENT=ready", "_SYSTEMD_UNIT=benchd.service")
    told = machine.run("journalctl", "-q", "-o", "export", "BENCHD_EVENT=ready")
    assert "\nBENCHD_SLOTS=1\n" in told
    assert "\nMESSAGE=ready slots=1\n" in told
    assert "\nPRIORITY=6\n" in told


def test_a_reload_is_over_when_systemctl_says_so(machine: Machine, installed: Path) -> None:
    config = installed / CONFIG
    pid = machine.show("benchd", "MainPID")
    config.write_text(config.read_text() + SLOT.format(name="A2", number=2))
    machine.run("systemctl", "reload", "benchd")
    assert '"slot": "A2"' in machine.run("benchd", "status", "--json")
    good = config.read_text()
    config.write_text(good.replace("settle_s = 2.0", "settle_s = -2.0"))
    machine.run("systemctl", "reload", "benchd")
    config.write_text(good)
    assert machine.events("BENCHD_EVENT=config_mistake", "PRIORITY=3") == ["config_mistake"]
    assert machine.show("benchd", "MainPID") == pid
    assert machine.show("benchd", "ActiveState") == "active"


def test_a_dead_adb_server_comes_back_by_its_socket(machine: Machine) -> None:
    machine.run("systemctl", "kill", "--signal=KILL", "benchd-adb.service")
    until(lambda: machine.events("BENCHD_EVENT=adb_server_back") == ["adb_server_back"])
    assert machine.events("BENCHD_EVENT=adb_server_down") == ["adb_server_down"]


def test_a_mistake_in_the_configuration_isnt_tried_again(machine: Machine, installed: Path) -> None:
    config = installed / CONFIG
    good = config.read_text()
    config.write_text("not TOML")
    machine.run("systemctl", "stop", "benchd")
    assert machine.show("benchd", "Result") == "success"
    machine.run("systemctl", "start", "--no-block", "benchd")
    until(lambda: machine.show("benchd", "ActiveState") == "failed")
    assert machine.show("benchd", "ExecMainStatus") == "2"
    config.write_text(good)
    machine.run("systemctl", "reset-failed", "benchd")
    machine.run("systemctl", "start", "benchd")


def test_a_change_of_releases_that_was_cut_off_is_finished_before_the_daemon_starts(
    machine: Machine, installed: Path
) -> None:
    """As after a power cut: the links have changed, and nothing else yet."""
    machine.run("systemctl", "stop", "benchd")
    current = installed / "opt/benchd/current"
    unit = installed / "usr/local/lib/systemd/system/benchd.service"
    own = (current / "systemd/benchd.service").read_text()
    unit.write_text(own.replace("Description=benchd", "Description=former"))
    recipe = installed / "etc/benchd/recipes/delete.toml"
    kept = recipe.read_bytes()
    recipe.unlink()
    (current / "half-installed").touch()
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "benchd")
    assert unit.read_text() == own
    assert "former" not in machine.show("benchd", "Description")
    assert recipe.read_bytes() == kept
    assert not (current / "half-installed").exists()
    told = machine.run("journalctl", "-q", "-o", "cat", "-u", "benchd-takeover")
    assert "finished: program, units and recipes are those of releases/" in told
    # At a start with nothing to finish it isn't run.
    machine.run("systemctl", "restart", "benchd")
    told = machine.run("journalctl", "-q", "-o", "cat", "-u", "benchd-takeover")
    assert told.count("was cut off in the middle") == 1


def test_a_drained_daemon_stays_down(machine: Machine) -> None:
    assert "benchd has ended" in machine.run("benchd", "drain")
    until(lambda: machine.show("benchd", "ActiveState") == "inactive")
    assert machine.show("benchd", "Result") == "success"
    assert machine.show("benchd", "ExecMainStatus") == "0"


def block_with(words: str, page: Path = SERVICE_MD) -> str:
    """The one example of a page that has these words."""
    [found] = [block for block in page.read_text().split("```\n")[1::2] if words in block]
    return found


def test_an_older_ledger_is_refused_by_its_anchor_until_the_loss_is_recorded(
    machine: Machine, installed: Path
) -> None:
    """With the drop-in and the command of docs/service.md as they stand there."""
    config, state = installed / CONFIG, installed / "var/lib/benchd"
    drop_in = installed / "etc/systemd/system/benchd.service.d/anchor.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(block_with("ReadWritePaths="))
    machine.run("systemctl", "stop", "benchd")
    config.write_text(config.read_text() + '\n[ledger.anchor]\nfolder = "/mnt/anchor"\n')
    machine.run("install", "-d", "-o", "benchd", "-g", "benchd", "-m", "0700", "/mnt/anchor")
    machine.run("systemctl", "daemon-reload")
    older = {file: file.read_bytes() for file in state.glob("ledger.sqlite*")}
    machine.run("systemctl", "start", "benchd")
    until(lambda: any((installed / "mnt/anchor").iterdir()))
    machine.run("systemctl", "stop", "benchd")

    for file in state.glob("ledger.sqlite*"):
        file.unlink()
    for file, data in older.items():
        file.write_bytes(data)
        file.chmod(0o600)
        shutil.chown(file, *(int(machine.run("id", flag, "benchd")) for flag in ("-u", "-g")))
    machine.run("systemctl", "start", "--no-block", "benchd")
    until(lambda: machine.show("benchd", "ExecMainStatus") == "4")
    machine.run("sh", "-ec", block_with("benchd ledger restored").replace("NAME", "Sato"))
    until(lambda: machine.show("benchd", "ActiveState") == "active")
    modes = machine.run("sh", "-c", "stat -c %a:%U /var/lib/benchd/ledger.sqlite*")
    assert set(modes.split()) == {"600:benchd"}


def test_the_key_is_rotated_by_the_lines_of_its_page(machine: Machine, installed: Path) -> None:
    """The daemon starts again only if systemd has handed over the secrets beside the key."""
    lines = block_with("benchd key rotate", SERVICE_MD.with_name("keys.md"))
    machine.run("sh", "-ec", "cd /srv\n" + lines.replace("NAME", "Sato"))
    until(lambda: machine.show("benchd", "ActiveState") == "active")
    assert len(machine.run("benchd", "key", "list").splitlines()) == 2
    assert (installed / "srv/ring.json").stat().st_size > 100
    key = "/etc/benchd/certificate_key.pem"
    modes = machine.run("sh", "-c", f"stat -c %a:%U:%n {key}*").split()
    assert modes == [
        f"600:root:{key}",
        f"644:root:{key}.pub",
        f"644:root:{key}.ring",
        f"600:root:{key}.secrets",
    ]
    modes = machine.run("sh", "-c", "stat -c %a:%U /var/lib/benchd/ledger.sqlite*")
    assert set(modes.split()) == {"600:benchd"}


def test_backups_are_made_and_put_back_by_the_lines_of_their_pages(
    machine: Machine, installed: Path
) -> None:
    machine.run("systemctl", "start", "benchd")
    machine.run("sh", "-ec", block_with("benchd-backup@"))
    machine.run("systemctl", "start", "benchd-verify")
    assert "benchd-backup@mnt-backup.timer" in machine.run("systemctl", "list-timers", "--all")
    [backup] = (installed / "mnt/backup").glob("*.json")
    look = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8420/metrics').read())"
    told = machine.run("/opt/benchd/current/bin/python", "-c", look)
    # The machine has one disk, and a backup on the ledger's own doesn't count as done.
    seen = re.findall(r"(benchd_ledger_last_\w+) ([0-9.e+]+)", told)
    assert [name for name, at in seen if float(at) > 0] == [
        "benchd_ledger_last_verification_timestamp_seconds"
    ]
    page = SERVICE_MD.parent / "runbooks/recovery.md"
    lines = block_with("as_benchd() {", page) + block_with("benchd-before", page)
    lines = lines.replace("benchd-….json", backup.name).replace("NAME", "Sato")
    machine.run("sh", "-c", "rm /var/lib/benchd/ledger.sqlite*")
    assert "records, head" in machine.run("sh", "-ec", lines)
    assert "sato\t佐藤 健" in machine.run("benchd", "people", "list")
    modes = machine.run("sh", "-c", "stat -c %a:%U /var/lib/benchd/ledger.sqlite*")
    assert set(modes.split()) == {"600:benchd"}
