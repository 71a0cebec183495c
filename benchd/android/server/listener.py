"""Which process listens on a local TCP port, read from procfs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_LISTENING = "0A"  # TCP_LISTEN in the kernel's include/net/tcp_states.h
_DEAD = ("Z", "X")  # process states of proc(5) that only wait to be reaped


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningProcess:
    """A process that holds a listening socket; `environment` is empty where it may not be read."""

    pid: int
    command: str
    environment: Mapping[str, str]


def is_listened_on(port: int) -> bool:
    """Whether anybody listens on this port, in this network namespace."""
    return bool(_listening_inodes(port))


def holds_listener(pid: int, port: int) -> bool:
    """Whether this process holds the socket that listens on this port."""
    wanted = _listening_inodes(port)
    return bool(wanted) and not wanted.isdisjoint(_socket_inodes(pid))


def find_listener(port: int) -> ListeningProcess | None:
    """The process that listens on this port; None if nobody does or it can't be seen."""
    wanted = _listening_inodes(port)
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


def listening_users(port: int) -> frozenset[int]:
    """The user ids that listen on this port, as this user namespace numbers them."""
    return frozenset(int(fields[7]) for fields in _listeners(port))


def _listening_inodes(port: int) -> frozenset[str]:
    return frozenset(fields[9] for fields in _listeners(port))


def _listeners(port: int) -> Iterator[list[str]]:
    """The rows of procfs's socket tables, as proc_net(5) describes them."""
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "self/net" / table).read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        for line in lines[1:]:
            fields = line.split()
            if fields[3] == _LISTENING and fields[1].endswith(f":{port:04X}"):
                yield fields


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
