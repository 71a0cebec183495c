"""A chip that lies, refuses or stops, in 20 places each, and a file system without a block left."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from small_filesystem import SIZE_BYTES
from virtual_flash import PLACES, UNPLUGS

SMALL = Path(__file__).with_name("small_filesystem.py")
UNPRIVILEGED = ("unshare", "--user", "--map-root-user", "--mount")
PRIVILEGED = ("unshare", "--mount")


def works(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def fill_and_check(
    kind: str, entry: tuple[str, ...], folder: str, program: Path, layout: str = "plain"
) -> dict[str, Any]:
    Path(folder).mkdir()
    command = [*entry, sys.executable, SMALL, kind, folder, program, layout]
    done = subprocess.run(command, capture_output=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


def test_tmpfs_is_filled_to_the_last_block_and_never_proven(program: Path, folder: str) -> None:
    if not works(*UNPRIVILEGED, "true"):
        pytest.skip("user namespaces are not allowed here")

    report = fill_and_check("tmpfs", UNPRIVILEGED, folder, program)

    assert report["fill"]["code"] == 0
    assert report["fill"]["last"]["bytes"] == SIZE_BYTES
    assert report["fill"]["last"]["free_bytes_after"] == 0
    assert report["blocks_left"] == 0
    assert report["check"]["code"] == 4
    assert report["check"]["last"]["code"] == "cache_not_evicted"
    assert report["drop"]["code"] == 0


@pytest.mark.as_root
@pytest.mark.parametrize("layout", ["plain", "logs"])
def test_ext4_is_filled_to_the_last_block_and_proven(
    layout: str, program: Path, folder: str
) -> None:
    if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
        pytest.skip("needs root and loop devices")
    if not works(*PRIVILEGED, "true") or shutil.which("mkfs.ext4") is None:
        pytest.skip("needs mount namespaces and mkfs.ext4")

    report = fill_and_check("ext4", PRIVILEGED, folder, program, layout)

    filled, checked = report["fill"]["last"], report["check"]["last"]
    assert report["fill"]["code"] == 0
    taken = filled["bytes"] + 4096 * (filled["small_files"] + filled["directories"])
    assert taken >= filled["free_bytes_before"]
    assert filled["bytes"] == sum(file["bytes"] for file in filled["files"])
    assert report["blocks_left"] == 0
    assert report["check"]["code"] == 0
    assert (checked["bytes_proven"], checked["bytes_bad"]) == (filled["bytes"], 0)
    assert checked["small_same"] == filled["small_files"]
    assert {file["name"][:5] for file in filled["files"]} == {"fill-", "tail-"}
    ends = {file["name"].split(".")[1] for file in filled["files"] if file["name"][:4] == "tail"}
    assert ends == ({"dat", "db", "jpg", "long", "short"} if layout == "logs" else {"dat"})
    assert (filled["directories"] > 0) == (layout == "logs")
    assert filled["logs"] == ("by_name_and_lifetime" if layout == "logs" else "one")
    assert checked["bytes_shown"] == filled["bytes"]
    assert report["drop"]["last"]["files_removed"] == len(filled["files"])
    # As root the medium is told, and the loop device passes it on.
    assert report["drop"]["last"]["trim"] == "done"


FLASH = Path(__file__).with_name("virtual_flash.py")


def trials(name: str, folder: str, program: Path) -> list[dict[str, Any]]:
    entry = PRIVILEGED if works(*PRIVILEGED, "true") else UNPRIVILEGED
    command = [*entry, sys.executable, FLASH, name, folder, program]
    done = subprocess.run(command, capture_output=True, check=False, timeout=55)
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.parametrize("fault", ["lost", "torn", "repeated", "stuck", "read_error"])
@pytest.mark.rack
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
@pytest.mark.rack
def test_what_the_chip_refuses_ends_the_fill(fault: str, program: Path, folder: str) -> None:
    seen = trials(fault, folder, program)
    assert len(seen) == PLACES
    for trial in seen:
        assert trial["fill"] == 4
        assert trial["filled"]["event"] == "error"
        assert trial["filled"]["code"] == "io"


@pytest.mark.usefixtures("cache_program")
@pytest.mark.rack
def test_after_an_eviction_a_dd_that_only_remembers_tells_the_truth(
    program: Path, folder: str
) -> None:
    (seen,) = trials("remembered", folder, program)
    assert seen["remembered"]
    assert seen["seen"] == ["resident=512", "resident=0", "resident=512"]
    assert not seen["held"]
    assert seen["checked"] == 0  # what was lost is the later write


@pytest.mark.rack
def test_a_chip_that_stops_is_never_done(program: Path, folder: str) -> None:
    seen = trials("stalled", folder, program)
    assert len(seen) == PLACES
    for trial in seen:
        assert set(trial["events"]) == {"progress"}
        assert trial["grown"] == 0
        assert not trial["done"]


@pytest.mark.rack
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
