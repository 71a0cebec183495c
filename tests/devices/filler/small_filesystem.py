"""Fills a small file system to its end and checks it: run inside a mount namespace of its own.

Usage: small_filesystem.py tmpfs|ext4 FOLDER PROGRAM LAYOUT. Prints the runs as one JSON object.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from fill_program import check_request, fill_request, run

SIZE_BYTES = 48 << 20


def mount(kind: str, folder: Path) -> Path:
    mounted = folder / "mounted"
    mounted.mkdir()
    if kind == "tmpfs":
        arguments = ["-t", "tmpfs", "-o", f"size={SIZE_BYTES}", "tmpfs"]
    else:
        image = folder / "image"
        with image.open("wb") as file:
            file.truncate(SIZE_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        arguments = ["-o", "loop", str(image)]
    subprocess.run(["mount", *arguments, mounted], check=True)
    return mounted


def main() -> None:
    kind, folder, program, layout = sys.argv[1:]
    mounted = mount(kind, Path(folder))
    asked = {
        **fill_request(str(mounted / "work"), file_bytes=(5 << 20) + 4096),
        "layout": layout,
        "headroom_bytes": 4 << 20,
    }
    filled = run(program, "fill", asked)
    left = os.statvfs(mounted)
    request = check_request(asked, filled.last)
    checked = run(program, "check", {**request, "small_files": filled.last["small_files"]})
    dropped = run(program, "drop", {"directory": asked["directory"]})
    subprocess.run(["umount", mounted], check=True)
    report = {"fill": filled, "check": checked, "drop": dropped}
    print(  # noqa: T201
        json.dumps(
            {name: {"code": run.exit_code, "last": run.last} for name, run in report.items()}
            | {"blocks_left": left.f_bavail}
        )
    )


if __name__ == "__main__":
    main()
