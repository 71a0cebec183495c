"""docs/fleet.md from nothing: centre, standby and first rack on clean Debians, and leaving."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from install_rig import ROOT, build_deb, build_fleet_deb, ended, run
from installed_job import set_up
from machine import BOOTED, FIREWALL, UDEV, Machine, booted, until

TOOLS = "systemd-sysv,dbus,iproute2,openssl,openssh-client,openssh-server"
MOST_COMMANDS = 15
SHELL = 'apt() { command apt --yes "$@"; }\n'
PLACES = {"centre": "192.0.2.10", "standby": "192.0.2.11", "rack": "192.0.2.20"}
TYPED_AT = ("centre", "standby", "centre", "rack")
"""Where the page has each of its blocks typed; the next one is for leaving."""
PSQL = "runuser -u postgres -- psql -Atc"
IS_STANDBY = f"{PSQL} 'SELECT pg_is_in_recovery()'"
SLOTS = f"{PSQL} 'TABLE pg_replication_slots'"
COPY = "/var/lib/postgresql/17/main.standby"
SLOT = '\n[slots.A1]\nport = "pci-0000:00:14.0-usb-0:1"\n'


def blocks() -> list[str]:
    """The blocks of commands from "Setting it up" on, in their order."""
    page = (ROOT / "docs/fleet.md").read_text("utf-8").partition("\n## Setting it up\n")[2]
    return re.findall(r"^```\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[str]:
    """Each command as it is typed, a pipe or a text that is given along counted as part of it."""
    whole = re.sub(
        r"<<'END'\n.*?^END$", "", block.replace("\\\n", ""), flags=re.MULTILINE | re.DOTALL
    )
    return whole.splitlines()


def test_a_fleet_is_set_up_in_so_few_commands() -> None:
    typed = [each for block in blocks()[: len(TYPED_AT)] for each in commands(block)]
    assert len(typed) <= MOST_COMMANDS
    # None of them hides another.
    assert not [each for each in typed if re.search(r";|&&|\|\|", each)]


def test_a_password_is_no_argument() -> None:
    refused = ended("bash", ROOT / "deb/fleet-database", "standby", "192.0.2.10", "a password")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("Usage: benchd-fleet-database ")


@dataclass
class Fleet:
    """The three machines, with their roots."""

    machines: dict[str, Machine]
    roots: dict[str, Path]

    def types(self, at: str, typed: str, *, answer: str = "") -> str:
        words = ("bash", "-euo", "pipefail", "-c", f"cd /srv\n{SHELL}{typed}")
        return self.machines[at].run(*words, stdin=answer)

    def sequence(self) -> int:
        """How far the centre has come with the rack's records, by its own word."""
        told: dict[str, Any] = json.loads(self.types("centre", "benchd-fleet racks --json"))
        [line] = told["racks"]
        return int(line["sequence"])

    def acknowledged(self) -> int:
        """How far the rack has the centre's signed word for it."""
        file = self.roots["rack"] / "var/lib/benchd/ledger.sqlite.checkpoint"
        return int(json.loads(file.read_bytes())["sequence"]) if file.exists() else 0

    def written(self) -> int:
        """The last record of the rack's own ledger."""
        asks = "import sqlite3; print(sqlite3.connect('file:/var/lib/benchd/ledger.sqlite?mode=ro',"
        asks += " uri=True).execute('SELECT max(sequence) FROM record').fetchone()[0])"
        return int(self.types("rack", f'python3 -c "{asks}"'))

    def append(self, person: str, name: str, reading: str) -> None:
        """A record on the rack: somebody else may use it."""
        named = f"--name '{name}' --reading '{reading}'"
        self.types("rack", f"benchd people add {person} {named} --role operator")


@pytest.fixture(scope="module")
def fleet(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[Fleet]:
    """Three Debians on a network of theirs; of benchd only the rack has something in it."""
    made = tmp_path_factory.mktemp("fleet")
    roots = {place: made / place / "root" for place in PLACES}
    for root in roots.values():
        root.parent.mkdir()
    centre = roots["centre"]
    run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={TOOLS}", "trixie", centre)
    (centre / "etc/tmpfiles.d/stand-in-for-udev.conf").write_text(UDEV)
    apt = ("apt-get", "-qq", "--yes")
    run("chroot", centre, *apt, "update")
    for place in ("standby", "rack"):
        run("cp", "-a", centre, roots[place])
    package = build_fleet_deb(wheels, centre / "srv")
    shutil.copy(package, roots["standby"] / "srv")
    racks = build_deb(wheels, roots["rack"] / "srv")
    for place, root in roots.items():
        wanted = racks if place == "rack" else package
        run("chroot", root, *apt, "--download-only", "install", f"/srv/{wanted.name}")
    # Whoever sets up the centre may sign in at the rack as root.
    ssh = centre / "root/.ssh"
    ssh.mkdir(0o700, exist_ok=True)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ssh / "id_ed25519")
    (ssh / "config").write_text("StrictHostKeyChecking accept-new\n")
    (roots["rack"] / "root/.ssh").mkdir(0o700, exist_ok=True)
    shutil.copy(ssh / "id_ed25519.pub", roots["rack"] / "root/.ssh/authorized_keys")
    with ExitStack() as stack:
        machines = {
            place: stack.enter_context(booted(root, FIREWALL, name=f"-{place}"))
            for place, root in roots.items()
        }
        machines["centre"].make_bridge(f"{PLACES['centre']}/24")
        for place in ("standby", "rack"):
            machines[place].put_on(machines["centre"], f"{PLACES[place]}/24", place)
        yield Fleet(machines, roots)
    shutil.rmtree(made)


@pytest.mark.nightly
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("_", [pytest.param("", marks=BOOTED)])
def test_a_fleet_comes_to_stand_by_the_pages_commands_and_a_rack_leaves_it(
    fleet: Fleet, _: str
) -> None:
    fleet.types("rack", "apt install ./benchd_*.deb 2>&1")
    config = fleet.roots["rack"] / "etc/benchd/benchd.toml"
    config.write_text(config.read_text() + SLOT)
    before = config.read_text()
    fleet.types("rack", "systemctl start benchd")
    set_up(fleet.machines["rack"])

    primary, standby, *joins, leaves = blocks()[: len(TYPED_AT) + 1]
    [password] = re.findall(r"(?m)^[0-9a-f]{32}$", fleet.types("centre", primary))
    installs, asks = standby.splitlines()
    fleet.types("standby", installs)
    # A wrong password changes nothing, so that the right one can be typed next.
    for wrong in ("\n", f"{password[::-1]}\n"):
        assert "nothing was changed" in fleet.types("standby", f"! {asks} 2>&1", answer=wrong)
        assert fleet.types("standby", IS_STANDBY) == "f\n"
    # Nor does a copy that breaks off, here since its disk is full.
    fleet.types(
        "standby", f"install -d -o postgres {COPY}; mount -t tmpfs -o size=4m,mode=777 none {COPY}"
    )
    told = fleet.types("standby", f"! {asks} 2>&1", answer=f"{password}\n")
    assert "No space left on device" in told
    assert "was taken back" in told
    assert fleet.types("centre", SLOTS) == ""
    assert fleet.types("standby", IS_STANDBY) == "f\n"
    fleet.types("standby", f"umount {COPY}; rmdir {COPY}")
    # One that was killed leaves its slot, and it is said what to do about that.
    fleet.types("centre", f"{PSQL} \"SELECT pg_create_physical_replication_slot('standby')\"")
    told = fleet.types("standby", f"! {asks} 2>&1", answer=f"{password}\n")
    [cure] = re.findall(r"(?m)^benchd: +(runuser .*)$", told)
    fleet.types("centre", cure)
    told = fleet.types("standby", f"{asks} 2>&1", answer=f"{password}\n")
    assert password not in told
    for at, block in zip(TYPED_AT[2:], joins, strict=True):
        fleet.types(at, block)
    until(lambda: fleet.acknowledged() == fleet.written() == fleet.sequence())

    # Without the standby nothing is acknowledged, and it comes in once that is back.
    fleet.types("standby", "systemctl stop postgresql@17-main")
    known = fleet.acknowledged()
    rack = fleet.machines["rack"]
    fleet.append("yamada", "山田 花", "やまだ はな")
    until(lambda: "fleet_unreachable" in rack.events("BENCHD_EVENT=fleet_unreachable"))
    assert fleet.acknowledged() == known < fleet.written()
    fleet.types("standby", "systemctl start postgresql@17-main")
    until(lambda: fleet.acknowledged() == fleet.written() == fleet.sequence())

    kept = fleet.sequence()
    fleet.types("rack", leaves)
    assert config.read_text().rstrip() == before.rstrip()
    fleet.append("suzuki", "鈴木 一郎", "すずき いちろう")
    assert fleet.written() > kept
    fleet.types("rack", "systemctl start benchd-verify")
    assert fleet.sequence() == kept
    for person in ("yamada", "suzuki"):
        assert f"\n{person}\t" in f"\n{fleet.types('rack', 'benchd people list')}"
