"""Runs one test in a child process that has a network of its own, as an ordinary user may.

Debian's adbd listens on every interface and asks nobody for a key: it must not be started
where others could reach it. Ports are then free as well, whatever else runs on the machine.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import struct
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

CLONE_NEWUSER = 0x10000000  # include/uapi/linux/sched.h
CLONE_NEWNET = 0x40000000
PR_SET_CHILD_SUBREAPER = 36  # include/uapi/linux/prctl.h
SIOCGIFFLAGS = 0x8913  # include/uapi/linux/sockios.h
SIOCSIFFLAGS = 0x8914
IFF_UP = 1


def run_in_private_network(work: Callable[[], list[object]]) -> list[object]:
    """What `work` returns in the child, by way of JSON; all that it started is ended."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # The child runs one test and ends; no other thread of this process holds a lock then.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(reading)
        _be_the_child(writing, work)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if not answer:
        raise RuntimeError(f"the child in its own network ended with {status} and said nothing")
    return json.loads(answer)


def _be_the_child(writing: int, work: Callable[[], list[object]]) -> None:
    try:
        adopt_orphans()
        enter_private_network()
        answer = json.dumps(work()).encode()
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(answer)
    except BaseException as failure:  # noqa: BLE001 - a forked child must never go on as its parent
        os.write(2, f"{failure!r}\n".encode())
    finally:
        end_all_children()
        os._exit(0)


def adopt_orphans() -> None:
    """Become the parent of whatever a test leaves without one, so that it can be ended."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_all_children() -> None:
    """Nothing of a test outlives it, not even an adb server in a session of its own."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while started := children.read_text().split():
        for pid in map(int, started):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)


def enter_private_network() -> None:
    """A user and a network namespace with nothing but a loopback interface in it."""
    user, group = os.getuid(), os.getgid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"no user namespace: {os.strerror(number)}")
    for name, content in (
        ("setgroups", "deny"),
        ("uid_map", f"0 {user} 1"),
        ("gid_map", f"0 {group} 1"),
    ):
        Path("/proc/self", name).write_text(content, encoding="ascii")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        request = struct.pack("16sh14x", b"lo", 0)
        answer = fcntl.ioctl(control, SIOCGIFFLAGS, request)
        flags = struct.unpack("16sh14x", answer)[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
