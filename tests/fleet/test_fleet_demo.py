"""`benchd demo --fleet`: racks and their centre, to the end, and nothing of them is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchd.lab.demo.fleet import CENTRE_PORT_AFTER
from tests.free_port import free_port

pytestmark = [pytest.mark.rack, pytest.mark.timeout(240)]

BENCHD = (sys.executable, "-c", "from benchd.cli.main import main; main()")
HOUSE = Path(__file__).parents[2]


def demo(directory: Path, *words: str) -> list[str]:
    port = free_port() - CENTRE_PORT_AFTER
    return [*BENCHD, "demo", "--directory", str(directory), "--port", str(port), *words]


def test_three_racks_have_all_their_records_at_the_centre(tmp_path: Path) -> None:
    before = postgres_of_now()
    done = subprocess.run(
        demo(tmp_path / "demo", "--fleet", "3", "--once", "--json"),
        capture_output=True,
        text=True,
        check=False,
        cwd=HOUSE,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["ok"]
    assert [rack["handsets"][0]["disposition"] for rack in told["racks"]] == ["sellable"] * 3
    assert len({rack["handsets"][0]["serial"] for rack in told["racks"]}) == 3
    assert all(rack["records"] > 30 for rack in told["racks"])
    assert postgres_of_now() <= before


def test_ctrl_c_ends_all_of_it(tmp_path: Path) -> None:
    before = postgres_of_now()
    with subprocess.Popen(
        demo(tmp_path / "demo", "--fleet", "1", "--slots", "1"),
        stderr=subprocess.PIPE,
        text=True,
        cwd=HOUSE,
    ) as running:
        assert running.stderr is not None
        said = iter(running.stderr)
        while "Ctrl+C ends them" not in next(said):
            pass
        started = postgres_of_now() - before
        assert started
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=120)
    assert running.returncode == 0
    assert not started & postgres_of_now()
    assert not [of for of in programs() if str(tmp_path) in of]


def programs() -> Sequence[str]:
    """The command of each process that there is."""
    told: list[str] = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                command = Path(entry.path, "cmdline").read_bytes()
            except OSError:
                continue
            told.append(command.replace(b"\0", b" ").decode(errors="replace"))
    return told


def postgres_of_now() -> set[str]:
    """The private ones, by where their folders are."""
    return {of for of in programs() if "/bin/postgres -D /tmp/benchd-pg-" in of}
