"""A chip that lies, refuses or stops, in 20 places each: no fill on it passes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from test_full_medium import PRIVILEGED, UNPRIVILEGED, works
from virtual_flash import PLACES, UNPLUGS

SCRIPT = Path(__file__).with_name("virtual_flash.py")

pytestmark = pytest.mark.rack


def trials(name: str, folder: str, program: Path) -> list[dict[str, Any]]:
    entry = PRIVILEGED if works(*PRIVILEGED, "true") else UNPRIVILEGED
    command = [*entry, sys.executable, SCRIPT, name, folder, program]
    done = subprocess.run(command, capture_output=True, check=False, timeout=55)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.parametrize("fault", ["lost", "torn", "repeated", "stuck", "read_error"])
def test_what_the_chip_keeps_to_itself_the_check_finds(
    fault: str, program: Path, folder: str
) -> None:
    seen = trials(fault, folder, program)
    assert len(seen) == PLACES
    for trial in seen:
        # A torn or lost write may also be met by the program's own work, which then gives up.
        assert trial["fill"] in (0, 4)
        if trial["fill"] == 0:
            checked = trial["checked"]
            assert trial["check"] == 1
            assert checked["bytes_bad"] > 0
            assert checked["bytes_proven"] + checked["bytes_bad"] == trial["filled"]["bytes"]
            assert checked["bad"][0]["bytes"] > 0
    assert sum(trial["fill"] == 0 for trial in seen) > PLACES / 2


@pytest.mark.parametrize("fault", ["write_error", "fsync_error"])
def test_what_the_chip_refuses_ends_the_fill(fault: str, program: Path, folder: str) -> None:
    seen = trials(fault, folder, program)
    assert len(seen) == PLACES
    for trial in seen:
        assert trial["fill"] == 4
        assert trial["filled"]["event"] == "error"
        assert trial["filled"]["code"] == "io"


@pytest.mark.usefixtures("cache_program")
def test_after_an_eviction_a_dd_that_only_remembers_tells_the_truth(
    program: Path, folder: str
) -> None:
    (seen,) = trials("remembered", folder, program)
    assert seen["remembered"]
    assert seen["seen"] == ["resident=512", "resident=0", "resident=512"]
    assert not seen["held"]
    assert seen["checked"] == 0  # what was lost is the later write


def test_a_chip_that_stops_is_never_done(program: Path, folder: str) -> None:
    seen = trials("stalled", folder, program)
    assert len(seen) == PLACES
    for trial in seen:
        assert set(trial["events"]) == {"progress"}
        assert trial["grown"] == 0
        assert not trial["done"]


def test_fifty_unplugs_write_again_only_what_was_not_proven(program: Path, folder: str) -> None:
    seen = trials("unplugged", folder, program)
    assert len(seen) == UNPLUGS
    for trial in seen:
        assert trial["codes"] == [0, 0]
        assert trial["resumed"] == trial["held"]
        # The program's probe of O_DIRECT is one block.
        assert trial["written"] == trial["bytes"] - trial["resumed"] + trial["small"] + 4096
        assert trial["proven"] == trial["bytes"]
    assert len({trial["resumed"] for trial in seen}) > 6
