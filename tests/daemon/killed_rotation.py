"""Rotates the key of a copy of a rack, killed at one step after the other; tells what was left.

Run as a program: killed_rotation.py FOLDER lost|rotated. One line of JSON per step.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path

import anyio

from benchd.certificate import load_rack_key
from benchd.domain.errors import BenchdError
from benchd.signing.key_store import KeyFiles
from benchd.signing.rotation import Retired
from tests.daemon.rotated_rack import rotated, settings_in

TOUCHING = ("os.rename", "os.remove", "os.chmod", "os.chown", "os.link", "open")


def kill_at(step: int, folder: Path) -> None:
    """Die by SIGKILL before the file system is touched for the so-manieth time."""
    left = step

    def watch(event: str, told: tuple[object, ...]) -> None:
        nonlocal left
        if event not in TOUCHING or not str(told[0]).startswith(str(folder)):
            return
        # An open file that is only read changes nothing.
        flags = told[2] if event == "open" else os.O_RDWR
        if not (isinstance(flags, int) and flags & (os.O_RDWR | os.O_WRONLY)):
            return
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def in_child(folder: Path, why: Retired, step: int | None) -> int:
    """Rotate in a process of its own; how that ended, as os.waitstatus_to_exitcode has it."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            settings = settings_in(folder)
            if step is not None:
                kill_at(step, folder)
            anyio.run(rotated, settings, why)
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def state_of(folder: Path) -> str:
    """What a daemon would find that starts now."""
    files = KeyFiles(folder / "key.pem")
    decided = files.next_ring.exists()
    try:
        key = load_rack_key(files.key, {})
    except BenchdError:
        return "refused, decided" if decided else "refused"
    return "rotated" if key.ring.rotations else "as before"


def main() -> None:
    folder, why = Path(sys.argv[1]), Retired(sys.argv[2])
    # Both take the same steps in the end: of one, each is tried.
    stride = 1 if why is Retired.ROTATED else 3
    for step in count(1, stride):
        copy = folder.with_name(f"{folder.name}-{why.value}-{step}")
        shutil.copytree(folder, copy)
        killed = in_child(copy, why, step) == -signal.SIGKILL
        left = state_of(copy)
        mended = left == "rotated" or in_child(copy, why, None) == 0
        told = json.dumps({"folder": str(copy), "left": left, "mended": mended})
        sys.stdout.write(f"{told}\n")
        sys.stdout.flush()
        if not killed:
            return


if __name__ == "__main__":
    main()
