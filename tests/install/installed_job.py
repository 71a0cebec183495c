"""A job on an installed rack: the crowd plays its handset, and all else is what was installed.

An installation has no lab. So the crowd's process is the checkout's, in the machine's own network,
where it serves as adb server; and the installed daemon hears of plugs from the crowd's socket
instead of udev, which a container hasn't. Units, sandbox, daemon, ledger and adb's client are real.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from install_rig import ROOT, own_environment
from machine import Machine, until

from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace
from benchd.lab.benchmarks.crowd.places import (
    ADB_SOCKET,
    CONTROL_SOCKET,
    PLAN_JSON,
    PLUG_SOCKET,
    plan_of,
)
from benchd.lab.simulator.addresses import port_path

PERSON, PIN = "sato", "902716"


def slot_table(number: int) -> str:
    """What the configuration says of the slot of one of the crowd's handsets."""
    return f'\n[slots.A{number}]\nport = "{port_path(number)}"\nrecipe = "fill"\n'


SLOT = slot_table(1)
STAGES = ("inspect", "gates", "overwrite", "read_back")
HOTPLUG = f"""
from pathlib import Path

import benchd
import benchd.hotplug

benchd.__path__.append("/srv/load/benchd")
from benchd.lab.simulator.plug_source import SimulatedHotplug

benchd.hotplug.UdevHotplug = lambda: SimulatedHotplug(Path("/srv/load/{PLUG_SOCKET}"))
"""
DROP_IN = "[Service]\nEnvironment=PYTHONPATH=/srv/load\n"


def set_up(machine: Machine) -> None:
    """Make the first administrator, who is the one person."""
    named = ("--person", PERSON, "--name", "佐藤 健", "--reading", "さとう けん")
    machine.run("benchd", "setup", *named, "--pin-file", "-", stdin=f"{PIN}\n")


class Hands:
    """The handsets, each in the slot of its number, and one person."""

    def __init__(self, machine: Machine, control: Path) -> None:
        self._machine = machine
        self._control = control

    def plug(self, number: int = 1) -> None:
        """It waits with a question before it is overwritten."""
        self.put_in(number)
        self.until_asked(number)

    def put_in(self, number: int) -> None:
        """Whatever comes of it."""
        self._do("plug", number)

    def until_asked(self, number: int = 1) -> None:
        until(lambda: self.slot(number)["state"] == "awaiting_operator")

    def answer(self, number: int = 1) -> None:
        job = self.slot(number)["job"]
        said = ("--approve", "--operator", PERSON, "--pin-file", "-")
        self._machine.run("benchd", "decide", job, "consent", *said, stdin=f"{PIN}\n")

    def unplug(self, number: int = 1) -> None:
        self._do("unplug", number)
        until(lambda: self.slot(number)["state"] == "empty")

    def slot(self, number: int) -> dict[str, Any]:
        """How it stands."""
        slots = self._told("status")["slots"]
        return next(dict(one) for one in slots if one["slot"] == f"A{number}")

    def jobs(self) -> list[dict[str, Any]]:
        """The newest first."""
        return list(self._told("jobs")["jobs"])

    def _do(self, what: str, number: int) -> None:
        asked = {"do": what, "numbers": [number]}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._control))
            connection.sendall(json.dumps(asked).encode() + b"\n")
            assert json.loads(connection.recv(4096)) == {}

    def _told(self, command: str) -> dict[str, Any]:
        return dict(json.loads(self._machine.run("benchd", command, "--json")))


@contextmanager
def handset(machine: Machine, root: Path, slots: int = 1) -> Generator[Hands]:
    """The crowd, plugged in nowhere, and what the daemon needs for it from its next start on."""
    load = root / "srv/load"
    load.mkdir()
    plan = load / "plan.json"
    plan.write_bytes(PLAN_JSON.dump_json(plan_of(slots, CrowdPace(fill_s=4, check_s=2))))
    crowd = subprocess.Popen(
        machine.in_its_network(
            *(sys.executable, "-m", "benchd.lab.benchmarks.crowd", str(plan), str(load))
        ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=own_environment(),
    )
    try:
        assert crowd.stdout is not None
        assert crowd.stdout.readline(), "the crowd didn't start"
        _prepare(root, slots)
        for socket_file in (PLUG_SOCKET, ADB_SOCKET):
            (load / socket_file).chmod(0o666)
        yield Hands(machine, load / CONTROL_SOCKET)
    finally:
        crowd.kill()
        crowd.communicate()


def _prepare(root: Path, slots: int) -> None:
    """The installed configuration, and how its daemon hears of plugs."""
    etc, load = root / "etc/benchd", root / "srv/load"
    config = (etc / "benchd.toml").read_text()
    assert config.count("\n[adb]\n") == 1
    config = config.replace("\n[adb]\n", f'\n[adb]\nsocket = "/srv/load/{ADB_SOCKET}"\n')
    (etc / "benchd.toml").write_text(config + "".join(map(slot_table, range(1, slots + 1))))
    (etc / "recipes/fill.toml").write_text(_recipe((etc / "recipes/overwrite.toml").read_text()))
    (load / "sitecustomize.py").write_text(HOTPLUG)
    code_alone = shutil.ignore_patterns("__pycache__", "page")
    shutil.copytree(ROOT / "benchd/lab", load / "benchd/lab", ignore=code_alone)
    drop_in = root / "etc/systemd/system/benchd.service.d/load.conf"
    drop_in.parent.mkdir()
    drop_in.write_text(DROP_IN)


def _recipe(shipped: str) -> str:
    """Of the shipped one what a single person can do: a question, the overwrite, its read-back."""
    stages = re.split(r"(?m)^(?=\[\[stage\]\]$)", shipped)[1:]
    kept = [one for one in stages if any(f'\nname = "{name}"\n' in one for name in STAGES)]
    assert len(kept) == len(STAGES)
    head = 'name = "fill"\ndescription_ja = "上書き"\ndescription_en = "Overwrite"\n'
    head += 'ends_as = "overwrite_due"\n'
    return head + re.sub(r"(?m)^attest = .*$", 'attest = ["consent"]', "".join(kept))
