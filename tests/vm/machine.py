"""The virtual machine, seen from the host: QEMU without KVM, and a port that takes commands."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.free_port import free_port

CHECKOUT = Path(__file__).parents[2]
GUEST = CHECKOUT / "tests" / "vm" / "guest"
BUILD = CHECKOUT / "tests" / "vm" / "image" / "build"

MEMORY_MIB = 6144
PROCESSOR = "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+aes,+pclmulqdq,+rdrand,+cx16"
"""Without what costs an emulation more than it saves: SMAP, wide vectors, large page tables."""
KERNEL = "root=LABEL=rack-vm rw console=ttyS0 quiet panic=-1"
LEAN = "mitigations=off cgroup.memory=nokmem highres=off"
"""Nor its kernel: nothing to keep apart here, no pages of the kernel's own to be counted, and
dummy_hcd's timers, 8000 times a second for each port with a transfer waiting, at each tick."""
START_WITHIN_S = 300.0
COMMAND_WITHIN_S = 120.0
HELLO_EVERY_S = 0.5
LONGEST_TAIL = 4000


class MachineBroken(Exception):
    """Raised when the virtual machine ended or doesn't answer: no test has shown anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """How a command in the guest ended."""

    argv: Sequence[str]
    status: int
    output: str
    error: str

    def required(self) -> str:
        """What it printed; raises AssertionError unless it ended with 0."""
        told = f"{' '.join(self.argv)} ended with {self.status}\n{self.output}\n{self.error}"
        assert self.status == 0, told
        return self.output


def build_disk() -> Path:
    """The folder of the disk, from the cache or made now."""
    built = subprocess.run([BUILD], stdout=subprocess.PIPE, check=True, text=True)
    return Path(built.stdout.strip())


class Machine:
    """`with Machine(disk, story) as machine:` has a booted guest; its story stays in a folder."""

    def __init__(self, disk: Path, story: Path, *, dashboard_port: int | None = None) -> None:
        self.story = story
        self.dashboard_port = dashboard_port or free_port()
        self._disk = disk
        # The name of a Unix socket may be 107 bytes long: not in a test's deep folder.
        self._sockets = tempfile.TemporaryDirectory(prefix="rack-vm-")
        self._process: subprocess.Popen[bytes] | None = None
        self._port = socket.socket(socket.AF_UNIX)
        self._arrived = threading.Condition()
        self._answers: dict[int, Mapping[str, Any]] = {}
        self._greeted: set[int] = set()
        self._next_id = 0

    @property
    def results(self) -> Path:
        """What the guest sees as /results."""
        return self.story / "results"

    def __enter__(self) -> Self:
        self.results.mkdir(parents=True)
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace
        self.close()

    def run(self, *argv: str, within_s: float = COMMAND_WITHIN_S) -> Completed:
        """Run a command as the guest's root and wait for its end."""
        return self._ask(argv, {"argv": argv}, within_s)

    def say_to(self, address: str, line: str, *, within_s: float = COMMAND_WITHIN_S) -> str:
        """Say a line to the guest's Unix socket of that address; the line that it answers."""
        asked = ("say to", address, line)
        return self._ask(asked, {"say_to": address, "line": line}, within_s).required()

    def shell(self, script: str, *, within_s: float = COMMAND_WITHIN_S) -> str:
        """Run a shell script in the guest that must succeed; what it printed."""
        return self.run("bash", "-euo", "pipefail", "-c", script, within_s=within_s).required()

    def close(self) -> None:
        """End the machine, at once: its disk is thrown away."""
        process = self._process
        if process is not None:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(10)
            if process.poll() is None:
                process.kill()
            process.wait()
            self._process = None
        self._port.close()
        self._sockets.cleanup()

    def _start(self) -> None:
        agent = Path(self._sockets.name) / "agent"
        with (self.story / "qemu.txt").open("wb") as log:
            self._process = subprocess.Popen(
                self._command(agent), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_WITHIN_S
        while True:
            self._require_alive()
            with suppress(OSError):
                self._port.connect(os.fspath(agent))
                break
            time.sleep(0.05)
        threading.Thread(target=self._read, daemon=True).start()
        # What is said before the guest's end is open is lost or late: say it until it's answered.
        greeting = 0
        with self._arrived:
            while not self._greeted:
                self._require_alive()
                if time.monotonic() > deadline:
                    raise MachineBroken(f"the guest doesn't come up: {self.console_tail()}")
                greeting += 1
                self._say({"hello": greeting})
                self._arrived.wait(HELLO_EVERY_S)

    def _command(self, agent: Path) -> list[str]:
        dashboard = f"hostfwd=tcp:127.0.0.1:{self.dashboard_port}-10.0.2.15:8420"
        return [
            # Whoever started it may be killed: then it ends as well.
            *("setpriv", "--pdeathsig", "TERM", "qemu-system-x86_64"),
            *("-accel", "tcg,thread=multi", "-cpu", PROCESSOR, "-smp", "2", "-m", f"{MEMORY_MIB}"),
            *("-machine", "q35", "-nodefaults", "-display", "none", "-no-reboot"),
            *("-kernel", str(self._disk / "vmlinuz"), "-initrd", str(self._disk / "initrd.img")),
            *("-append", f"{KERNEL} {LEAN}"),
            *("-chardev", f"file,id=console,path={self.story / 'console.txt'}"),
            *("-serial", "chardev:console"),
            *("-drive", f"file={self._disk / 'disk.img'},format=raw,if=virtio,snapshot=on"),
            *("-device", "virtio-rng-pci"),
            *("-device", "virtio-serial-pci"),
            *("-chardev", f"socket,id=agent,path={agent},server=on,wait=off"),
            *("-device", "virtserialport,chardev=agent,name=agent"),
            "-virtfs",
            f"local,path={GUEST},mount_tag=guest,security_model=none,readonly=on,multidevs=remap",
            "-virtfs",
            f"local,path={self.results},mount_tag=results,security_model=none,multidevs=remap",
            # It reaches nobody; the host's loopback reaches the dashboard.
            *("-netdev", f"user,id=host,restrict=on,{dashboard}"),
            *("-device", "virtio-net-pci,netdev=host,romfile="),
        ]

    def _ask(
        self, argv: Sequence[str], request: Mapping[str, object], within_s: float
    ) -> Completed:
        with self._arrived:
            self._next_id += 1
            number = self._next_id
        self._say({"id": number, **request})
        deadline = time.monotonic() + within_s
        with self._arrived:
            while number not in self._answers:
                self._require_alive()
                if not self._arrived.wait(min(1.0, max(0.0, deadline - time.monotonic()))) and (
                    time.monotonic() >= deadline
                ):
                    raise MachineBroken(f"no end within {within_s:.0f} s: {' '.join(argv)}")
            answer = self._answers.pop(number)
        return Completed(
            argv=argv, status=answer["status"], output=answer["output"], error=answer["error"]
        )

    def _say(self, message: Mapping[str, object]) -> None:
        try:
            self._port.sendall(json.dumps(message).encode() + b"\n")
        except OSError as gone:
            raise MachineBroken(f"the guest's port is gone: {gone}") from gone

    def _read(self) -> None:
        pending = b""
        with suppress(OSError):
            while data := self._port.recv(1 << 16):
                *lines, pending = (pending + data).split(b"\n")
                with self._arrived:
                    for line in lines:
                        answer = json.loads(line)
                        if "hello" in answer:
                            self._greeted.add(answer["hello"])
                        else:
                            self._answers[answer["id"]] = answer
                    self._arrived.notify_all()

    def _require_alive(self) -> None:
        if self._process is None or self._process.poll() is not None:
            said = (self.story / "qemu.txt").read_text(errors="replace")[-LONGEST_TAIL:]
            raise MachineBroken(f"QEMU ended: {said}\n{self.console_tail()}")

    def console_tail(self) -> str:
        """The last that the guest's console showed."""
        with suppress(OSError):
            return (self.story / "console.txt").read_text(errors="replace")[-LONGEST_TAIL:]
        return ""
