"""What a daemon that was killed may have left: its adb server, known by its marks.

Such a server is replaced, never adopted: its transports and its tracker belong to nobody, and
nothing vouches for how long it has been stuck.
"""

from __future__ import annotations

import os
import signal
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import anyio
import structlog

from benchd.devices.android.server.listener import ListeningProcess, find_listener, start_time
from benchd.domain.errors import DependencyMissing

_log = structlog.get_logger()

PLACE_MARK: Final = "BENCHD_ADB_SERVER"
OWNER_MARK: Final = "BENCHD_ADB_SERVER_OWNER"
END_DEADLINE_S: Final = 5.0
PROBE_DEADLINE_S: Final = 1.0
_OTHERWISE: Final = "or set another adb.socket in the configuration"


def marks(path: Path, home: Path) -> Mapping[str, str]:
    """The environment by which a later daemon knows this daemon's adb server."""
    return {PLACE_MARK: _place(path, home), OWNER_MARK: _self()}


async def clear_place(path: Path, home: Path) -> None:
    """End what a dead benchd left on this socket; refuse to touch anything else that is there."""
    holder = find_listener(path)
    if holder is None:
        _refuse_strangers(path)
        return
    if holder.environment.get(PLACE_MARK) != _place(path, home):
        raise DependencyMissing(
            f"process {holder.pid} ({holder.command}) listens on the adb server's socket {path}",
            cure=f"stop that program, {_OTHERWISE}",
        )
    owner = holder.environment.get(OWNER_MARK, "")
    if _is_running(owner):
        raise DependencyMissing(
            f"another benchd (process {owner.partition(':')[0]}) runs the adb server on {path}",
            cure=f"stop the other benchd, {_OTHERWISE}",
        )
    await _end(holder, path)
    _log.warning("leftover_adb_server_ended", pid=holder.pid)


def _refuse_strangers(path: Path) -> None:
    """Nobody whom procfs shows listens there; a connection shows all others."""
    try:
        found = path.lstat()
    except OSError:
        return  # either nothing is there, or making the socket tells what is wrong
    if not stat.S_ISSOCK(found.st_mode):
        raise DependencyMissing(
            f"{path} is there already and isn't a socket", cure=f"move it away, {_OTHERWISE}"
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_DEADLINE_S)
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return  # a dead server has left it
        except OSError:
            pass  # somebody is there who takes nobody in, or not this user
    raise DependencyMissing(
        f"another user's program already listens on the adb server's socket {path}",
        cure=f"stop that program, {_OTHERWISE}",
    )


async def _end(holder: ListeningProcess, path: Path) -> None:
    try:
        # The descriptor names this very process, even if its number were given to another.
        descriptor = os.pidfd_open(holder.pid)
    except ProcessLookupError:
        return
    try:
        found = find_listener(path)
        if found is None or found.pid != holder.pid:
            return
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        with anyio.fail_after(END_DEADLINE_S):
            await anyio.wait_readable(descriptor)
    except TimeoutError as late:
        raise DependencyMissing(
            f"a left-over adb server (process {holder.pid}) doesn't end",
            cure=f"end process {holder.pid}, {_OTHERWISE}",
        ) from late
    finally:
        os.close(descriptor)


def _place(path: Path, home: Path) -> str:
    return f"{path}:{home.absolute()}"


def _self() -> str:
    pid = os.getpid()
    return f"{pid}:{start_time(pid)}"


def _is_running(owner: str) -> bool:
    pid, _, started = owner.partition(":")
    return pid.isdigit() and start_time(int(pid)) == started
