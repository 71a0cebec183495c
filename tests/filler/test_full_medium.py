"""What happens when a real file system has no block left."""

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

SCRIPT = Path(__file__).with_name("small_filesystem.py")
UNPRIVILEGED = ("unshare", "--user", "--map-root-user", "--mount")
PRIVILEGED = ("unshare", "--mount")


def works(*command: str) -> bool:
    if shutil.which(command[0]) is None:
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def fill_and_check(kind: str, entry: tuple[str, ...], folder: str, program: Path) -> dict[str, Any]:
    Path(folder).mkdir()
    command = [*entry, sys.executable, SCRIPT, kind, folder, program]
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


def test_ext4_is_filled_to_the_last_block_and_proven(program: Path, folder: str) -> None:
    if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
        pytest.skip("needs root and loop devices")
    if not works(*PRIVILEGED, "true") or shutil.which("mkfs.ext4") is None:
        pytest.skip("needs mount namespaces and mkfs.ext4")

    report = fill_and_check("ext4", PRIVILEGED, folder, program)

    filled, checked = report["fill"]["last"], report["check"]["last"]
    assert report["fill"]["code"] == 0
    assert filled["bytes"] >= filled["free_bytes_before"]
    assert filled["bytes"] == sum(file["bytes"] for file in filled["files"])
    assert report["blocks_left"] == 0
    assert report["check"]["code"] == 0
    assert (checked["bytes_proven"], checked["bytes_bad"]) == (filled["bytes"], 0)
    assert report["drop"]["last"]["files_removed"] == len(filled["files"])
