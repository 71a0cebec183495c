"""`benchd demo --fleet`: racks and their centre, to the end, and nothing of them is left."""

from __future__ import annotations

import json
import os
import re
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


def test_what_one_rack_knows_holds_on_all_and_their_records_are_at_the_centre(
    tmp_path: Path,
) -> None:
    done = subprocess.run(
        demo(tmp_path / "demo", "--fleet", "3", "--once", "--json"),
        capture_output=True,
        text=True,
        check=False,
        cwd=HOUSE,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["ok"]
    [dies], [twin, held], [other, clean] = (rack["handsets"] for rack in told["racks"])
    assert dies["disposition"] == "destroy"
    assert (held["serial"], held["disposition"]) == (dies["serial"], "hold")
    assert (held["reason"], held["bytes_written"]) == ("doomed_elsewhere", None)
    assert twin["serial"] == other["serial"]
    ends = sorted((each["disposition"], each["reason"]) for each in (twin, other))
    assert ends == [("hold", "running_elsewhere"), ("sellable", None)]
    assert clean["disposition"] == "sellable"
    assert [said for rack in told["racks"] for said in rack["verified"]] == ["valid"] * 2
    assert all(rack["records"] > 20 for rack in told["racks"])
    nothing_is_left(told["database"], tmp_path)


def test_ctrl_c_ends_all_of_it(tmp_path: Path) -> None:
    with subprocess.Popen(
        demo(tmp_path / "demo", "--fleet", "1", "--slots", "1"),
        stderr=subprocess.PIPE,
        text=True,
        cwd=HOUSE,
    ) as running:
        assert running.stderr is not None
        database = next(line for line in running.stderr if "--database" in line)
        assert [of for of in programs() if folder_in(database) in of]
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=120)
    assert running.returncode == 0
    nothing_is_left(database, tmp_path)


def folder_in(database: str) -> str:
    """Where its PostgreSQL lies, as it is told."""
    found = re.search(r"host=(/tmp/benchd-pg-\w+) ", database)
    assert found, database
    return found[1]


def nothing_is_left(database: str, tmp_path: Path) -> None:
    folder = folder_in(database)
    assert not [of for of in programs() if folder in of or str(tmp_path) in of]
    assert not Path(folder).exists()


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
