"""What a daemon that was killed may have left on its port: its adb server, known by its marks.

Such a server is replaced, never adopted: its transports and its tracker belong to nobody,
and nothing vouches for how long it has been stuck.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import anyio
import structlog

from benchd.android.server.listener import (
    ListeningProcess,
    find_listener,
    is_listened_on,
    start_time,
)
from benchd.errors import DependencyMissing

_log = structlog.get_logger()

PLACE_MARK: Final = "BENCHD_ADB_SERVER"
OWNER_MARK: Final = "BENCHD_ADB_SERVER_OWNER"
END_DEADLINE_S: Final = 5.0


def marks(port: int, home: Path) -> Mapping[str, str]:
    """The environment by which a later daemon knows this daemon's adb server."""
    return {PLACE_MARK: _place(port, home), OWNER_MARK: _self()}


async def clear_port(port: int, home: Path) -> None:
    """Make the port free by ending what a dead benchd left there; refuse to touch anything else."""
    holder = find_listener(port)
    if holder is None:
        if is_listened_on(port):
            raise DependencyMissing(
                f"another user's program already listens on the adb port {port}",
                cure="stop that program, or set another adb port",
            )
        return
    if holder.environment.get(PLACE_MARK) != _place(port, home):
        raise DependencyMissing(
            f"the adb port {port} is taken by process {holder.pid} ({holder.command})",
            cure="stop that program, or set another adb port",
        )
    owner = holder.environment.get(OWNER_MARK, "")
    if _is_running(owner):
        raise DependencyMissing(
            f"another benchd (process {owner.partition(':')[0]}) runs the adb server"
            f" on port {port}",
            cure="stop the other benchd, or set another adb port",
        )
    await _end(holder, port)
    _log.warning("leftover_adb_server_ended", pid=holder.pid)


async def _end(holder: ListeningProcess, port: int) -> None:
    try:
        # The descriptor names this very process, even if its number were given to another.
        descriptor = os.pidfd_open(holder.pid)
    except ProcessLookupError:
        return
    try:
        found = find_listener(port)
        if found is None or found.pid != holder.pid:
            return
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        with anyio.fail_after(END_DEADLINE_S):
            await anyio.wait_readable(descriptor)
    except TimeoutError as late:
        raise DependencyMissing(
            f"a left-over adb server (process {holder.pid}) doesn't end",
            cure=f"end process {holder.pid}, or set another adb port",
        ) from late
    finally:
        os.close(descriptor)


def _place(port: int, home: Path) -> str:
    return f"{port}:{home.absolute()}"


def _self() -> str:
    pid = os.getpid()
    return f"{pid}:{start_time(pid)}"


def _is_running(owner: str) -> bool:
    pid, _, started = owner.partition(":")
    return pid.isdigit() and start_time(int(pid)) == started
