"""The sockets that the API listens on, each with a cure for what can go wrong."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchd.domain.errors import DependencyMissing
from benchd.web.connection_limit import QUEUE

PROBE_TIMEOUT_S = 1.0


@contextmanager
def tcp_listener(host: str, port: int) -> Generator[socket.socket]:
    """A TCP socket that listens; DependencyMissing says why it can't."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, OverflowError, UnicodeError) as error:
        message = f"benchd can't listen on {host!r}: {_told(error)}"
        raise DependencyMissing(message, cure=_TCP_HOST_CURE) from error
    with listener:
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(QUEUE)
        except (OSError, OverflowError) as error:
            message = f"benchd can't listen on {host} port {port}: {_told(error)}"
            in_use = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            cure = _TCP_IN_USE_CURE.format(port=port) if in_use else _TCP_HOST_CURE
            raise DependencyMissing(message, cure=cure) from error
        yield listener


@contextmanager
def unix_listener(path: Path, *, mode: int = 0o660) -> Generator[socket.socket]:
    """A Unix socket that listens at this path, which is removed again at the end.

    A file that a dead daemon has left is replaced; a socket on which somebody answers, and
    any other kind of file, is left alone: DependencyMissing then says what to do.
    """
    _refuse_if_taken(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with listener:
        # Made under another name: at its own it is seen only once it listens, with its mode.
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            fresh.unlink(missing_ok=True)
            listener.bind(os.fspath(fresh))
            fresh.chmod(mode)
            listener.listen(QUEUE)
            ours = fresh.lstat()
            fresh.rename(path)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            message = f"benchd can't make its socket {path}: {_told(error)}"
            raise DependencyMissing(message, cure=_unix_cure(path, error)) from error
        try:
            yield listener
        finally:
            _remove_if_ours(path, ours)


def _refuse_if_taken(path: Path) -> None:
    try:
        found = path.lstat()
    except OSError:
        return  # either it isn't there, or making the socket tells what is wrong
    if not stat.S_ISSOCK(found.st_mode):
        message = f"{path} is there already and isn't a socket"
        raise DependencyMissing(message, cure="Move it away, or set another path for the socket.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(PROBE_TIMEOUT_S)
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return  # nobody listens: a dead daemon has left it
        except OSError as error:
            message = f"benchd can't tell whether {path} is in use: {_told(error)}"
            raise DependencyMissing(message, cure=_TAKEN_CURE) from error
    message = f"another program answers on {path}"
    raise DependencyMissing(message, cure=_TAKEN_CURE)


def _remove_if_ours(path: Path, ours: os.stat_result) -> None:
    with suppress(OSError):
        found = path.lstat()
        if (found.st_dev, found.st_ino) == (ours.st_dev, ours.st_ino):
            path.unlink()


def _told(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _unix_cure(path: Path, error: OSError) -> str:
    folder = path.parent
    if error.errno == errno.ENOENT:
        return f"Make its folder: install -d -m 0755 {folder} (systemd does so by itself)."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Let benchd's user write into {folder}, or set another path for the socket."
    return "Set a path for the socket on this machine's own disk, of at most 90 characters."


_TAKEN_CURE = (
    "One benchd per rack: see `systemctl status benchd`,"
    " and stop the one that runs before starting another."
)
_TCP_IN_USE_CURE = (
    "Another program has this port: `sudo ss -ltnp 'sport = :{port}'` names it."
    " Stop it, or set another port."
)
_TCP_HOST_CURE = (
    "Set an address that this machine has (`ip address`) and a port from 1024 to 65535."
)
