"""Owns a virtual handset's sandbox: adbd is its restartable child, an unplug leaves the rest alive.

The rack steers it by JSON lines on stdin. It is the sandbox's main process: when stdin ends
or it dies, the handset is gone for good, and the rack says so.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import sys
from contextlib import suppress
from typing import NoReturn

ADBD = "/usr/sbin/adbd"
LOG = "/dev/null"


class Supervisor:
    """Starts, stops and freezes adbd as the rack says."""

    def __init__(self) -> None:
        self._adbd: int | None = None
        self._watch = selectors.DefaultSelector()
        self._watched: int | None = None
        self._pending = b""

    def run(self) -> None:
        """Serve until stdin ends."""
        self._watch.register(sys.stdin.fileno(), selectors.EVENT_READ)
        say(event="ready")
        while True:
            for key, _ in self._watch.select():
                if key.fd == self._watched:
                    self._note_end()
                elif not self._read():
                    return

    def _read(self) -> bool:
        data = os.read(sys.stdin.fileno(), 65536)
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            request = json.loads(line)
            try:
                self._obey(request)
            except (OSError, ValueError, KeyError) as error:
                say(id=request["id"], error=repr(error))
            else:
                say(id=request["id"])
        return bool(data)

    def _obey(self, request: dict[str, str]) -> None:
        match request["do"]:
            case "start_adbd":
                self._stop()
                self._start(request["port"], request["banner"])
            case "stop_adbd":
                self._stop()
            case "freeze_adbd":
                self._signal(signal.SIGSTOP)
            case "thaw_adbd":
                self._signal(signal.SIGCONT)
            case "end_everything":
                self._stop()
                with suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)  # spares this process and the sandbox's init
            case unknown:
                raise ValueError(unknown)

    def _start(self, port: str, banner: str) -> None:
        environment = {**os.environ, "ADBD_PORT": port}
        child = os.fork()
        if child == 0:
            become_adbd(banner, environment)
        self._adbd = child
        self._watched = os.pidfd_open(child)
        self._watch.register(self._watched, selectors.EVENT_READ)

    def _stop(self) -> None:
        adbd = self._adbd
        if adbd is None:
            return
        # What adbd itself does to a shell whose transport is gone (daemon/shell_service.cpp).
        for child in children_of(adbd):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGHUP)
        os.kill(adbd, signal.SIGKILL)
        self._reap()

    def _signal(self, number: signal.Signals) -> None:
        if self._adbd is None:
            raise ValueError("adbd isn't running")
        os.kill(self._adbd, number)

    def _note_end(self) -> None:
        status = self._reap()
        say(event="adbd_ended", status=status)

    def _reap(self) -> int:
        if self._adbd is None or self._watched is None:
            return 0
        _, status = os.waitpid(self._adbd, 0)
        self._watch.unregister(self._watched)
        os.close(self._watched)
        self._adbd = self._watched = None
        return status


def say(**line: object) -> None:
    """Tell the rack."""
    os.write(sys.stdout.fileno(), json.dumps(line).encode() + b"\n")


def become_adbd(banner: str, environment: dict[str, str]) -> NoReturn:
    """Turn the forked child into adbd, in its own session and without this process's streams."""
    try:
        os.setsid()
        null = os.open(LOG, os.O_RDWR)
        for descriptor in (0, 1):
            os.dup2(null, descriptor)
        # Who started the rack may ignore hang-ups, as under nohup: a handset's shells never do.
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        os.execve(ADBD, [ADBD, "--device_banner", banner], environment)  # noqa: S606 - no shell wanted
    finally:
        os._exit(127)


def children_of(parent: int) -> list[int]:
    """The processes that this one has started."""
    try:
        with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as listing:  # noqa: PTH123 - pathlib is slow to load
            return [int(word) for word in listing.read().split()]
    except OSError:
        return []


if __name__ == "__main__":
    Supervisor().run()
