"""Which process listens on a Unix socket, read from procfs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_LISTENS = 0x10000  # __SO_ACCEPTCON of the kernel's include/uapi/linux/net.h
_DEAD = ("Z", "X")  # process states of proc(5) that only wait to be reaped


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningProcess:
    """A process that holds a listening socket; `environment` is empty where it may not be read."""

    pid: int
    command: str
    environment: Mapping[str, str]


def find_listener(path: Path) -> ListeningProcess | None:
    """The process that listens on a socket of this name, whether or not its file is still there.

    None if nobody does, or if it can't be seen: another user's, or in another network namespace.
    """
    wanted = frozenset(_listening_inodes(path))
    if not wanted:
        return None
    for pid in _process_ids():
        if not wanted.isdisjoint(_socket_inodes(pid)):
            return ListeningProcess(pid=pid, command=_command(pid), environment=_environment(pid))
    return None


def start_time(pid: int) -> str | None:
    """When a living process started, in kernel ticks: tells it from a later one with its number."""
    try:
        status = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in parentheses may hold blanks and parentheses itself.
    fields = status.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in _DEAD else None


def _listening_inodes(path: Path) -> Iterator[str]:
    """The kernel's numbers of such sockets, from its table of them (proc_net(5))."""
    try:
        table = (_PROC / "self/net/unix").read_bytes()
    except OSError:
        return
    for line in table.splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if len(fields) == 8 and fields[7] == os.fsencode(path) and int(fields[3], 16) & _LISTENS:
            yield fields[6].decode("ascii")


def _process_ids() -> Iterator[int]:
    for entry in _PROC.iterdir():
        if entry.name.isdigit():
            yield int(entry.name)


def _socket_inodes(pid: int) -> Iterator[str]:
    try:
        descriptors = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                yield target.removeprefix("socket:[").removesuffix("]")


def _command(pid: int) -> str:
    try:
        arguments = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return " ".join(part.decode(errors="replace") for part in arguments if part)


def _environment(pid: int) -> dict[str, str]:
    try:
        block = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return {}
    found: dict[str, str] = {}
    for entry in block.split(b"\0"):
        name, separator, value = entry.decode(errors="replace").partition("=")
        if separator:
            found[name] = value
    return found
