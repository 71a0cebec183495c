"""Programs of the system, run to their end."""

from __future__ import annotations

import subprocess

import anyio

from benchd.lab.simulator.lines.child import RackBroken


async def call(*argv: str, text: str | None = None) -> str:
    """Run it and return what it printed; RackBroken unless it ended with 0."""
    given = None if text is None else text.encode()
    ended = await anyio.run_process(argv, input=given, stderr=subprocess.PIPE, check=False)
    if ended.returncode != 0:
        message = ended.stderr.decode(errors="replace").strip()
        raise RackBroken(f"{' '.join(argv)} ended with {ended.returncode}: {message}")
    return ended.stdout.decode(errors="replace").strip()
