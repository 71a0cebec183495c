"""A container with systemd as its first process, in a network of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from install_rig import own_environment, run

BOOT_S = 60
STOP_S = 30
PATIENCE_S = 300
BOOTED = (
    pytest.mark.as_root,
    pytest.mark.boots,
    pytest.mark.skipif(os.geteuid() != 0, reason="a container is booted by root only"),
    pytest.mark.skipif(
        shutil.which("systemd-nspawn") is None or shutil.which("mmdebstrap") is None,
        reason="systemd-nspawn (Debian package systemd-container) or mmdebstrap isn't there",
    ),
)
"""What holds for tests that boot one."""
UDEV = "f /run/udev/control 0644 root root -\n"
"""Stands for udev's daemon, which would act on the devices of the machine the test runs on.

Nothing is ever plugged in there by itself.
"""
STAND_IN = """\
[Unit]
Description=Stands for udev's daemon, which would act on the devices of the test's own machine
[Service]
ExecStart=/usr/bin/sleep infinity
"""
"""A unit for that, where one has to run."""
NSPAWN = ["systemd-nspawn", "--quiet", "--keep-unit", "--register=no", "--private-network"]
"""A container of which the machine's own systemd, if it has one, knows nothing."""


FIREWALL = "--system-call-filter=bpf"
"""Lets the machine's systemd put up the walls of its units against other addresses."""


def own_cgroup(mounts: str, name: str = "") -> Path:
    """A new cgroup of version 2 for a container, by `/proc/self/mounts`; or a skip with why."""
    for line in mounts.splitlines():
        _, place, kind, options = line.split()[:4]
        if kind == "cgroup2" and "rw" in options.split(","):
            group = Path(place) / f"benchd-test-{os.getpid()}{name}"
            try:
                group.mkdir()
            except OSError as error:
                pytest.skip(f"a container needs a cgroup of its own, and none can be made: {error}")
            return group
    pytest.skip(
        "a container needs a cgroup of its own, and /proc/self/mounts has no cgroup2 that may be"
        " written to: this is a container itself, started without the right to that"
    )


def until(condition: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    """Wait for what a machine does in its own time."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline


class Machine:
    """A booted container."""

    def __init__(self, leader: int) -> None:
        self._leader = str(leader)
        self._enter = ["nsenter", "--target", self._leader, *["-m", "-u", "-i", "-n", "-p", "-C"]]
        self._enter += ["env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin", "LANG=C.UTF-8"]

    def run(self, *command: str, stdin: str = "") -> str:
        return run(*self._enter, *command, stdin=stdin)

    def begin(self, *command: str) -> subprocess.Popen[str]:
        """Start a command; all that it says comes from its standard output."""
        return subprocess.Popen(
            [*self._enter, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=own_environment(),
        )

    def in_its_network(self, *command: str) -> list[str]:
        """A command of this machine's own that finds the container's network, and no other."""
        return ["nsenter", "--target", self._leader, "--net", *command]

    def put_on(self, bridge: Machine, address: str, link: str) -> None:
        """Give it this address on a bridge in another one's network."""
        steps = [f"link add {link} type veth peer name eth0 netns {self._leader}"]
        steps += [f"link set {link} master br0 up"]
        for step in steps:
            run(*bridge.in_its_network("ip", *step.split()))
        for step in (f"address add {address} dev eth0", "link set eth0 up"):
            run(*self.in_its_network("ip", *step.split()))

    def make_bridge(self, address: str) -> None:
        """The network that others are put on."""
        for step in (
            "link add br0 type bridge",
            f"address add {address} dev br0",
            "link set br0 up",
        ):
            run(*self.in_its_network("ip", *step.split()))

    def show(self, unit: str, name: str) -> str:
        return self.run("systemctl", "show", "--value", "-p", name, unit).strip()

    def events(self, *matches: str) -> list[str]:
        told = self.run("journalctl", "-q", "-o", "cat", "--output-fields=BENCHD_EVENT", *matches)
        return told.split()


@contextmanager
def booted(root: Path, *more: str, name: str = "") -> Generator[Machine]:
    """Boot the root, with more words to nspawn; nothing of it is left afterwards, no cgroup.

    Of several at a time each has a name.
    """
    group = own_cgroup(Path("/proc/self/mounts").read_text(), name)
    boot = [
        *NSPAWN,
        f"--directory={root}",
        f"--machine={group.name}",
        "--console=pipe",
        *more,
        "--boot",
    ]
    command = ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', str(group), *boot]
    log = root.with_name("boot.log")
    with log.open("wb") as told:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            start_new_session=True,
            env=own_environment(),
        )
    try:
        leader = _leader(process)
        if leader is None:
            not_booted(root, log.read_text(errors="replace"))
        yield Machine(leader)
    finally:
        process.terminate()  # nspawn hands it on as an orderly power-off
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _remove(group)


def _remove(group: Path) -> None:
    """End what may be left in the group, and take it away once the kernel sees it empty."""
    (group / "cgroup.kill").write_text("1")
    deadline = time.monotonic() + STOP_S
    while "populated 1" in (group / "cgroup.events").read_text():
        assert time.monotonic() < deadline
    for folder, _, _ in os.walk(group, topdown=False):
        Path(folder).rmdir()


def not_booted(root: Path, told: str) -> NoReturn:
    """Skip where no container runs at all, with the reason; one that runs has to boot."""
    done = subprocess.run(
        [*NSPAWN, f"--directory={root}", "--as-pid2", "/bin/true"],
        capture_output=True,
        check=False,
        timeout=BOOT_S,
        text=True,
        env=own_environment(),
    )
    if done.returncode == 0:
        pytest.fail(f"a container runs here, but this one didn't boot:\n{told[-3000:]}")
    said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
    pytest.skip(f"systemd-nspawn can't run even /bin/true in a container here: {said[-1]}")


def _leader(process: subprocess.Popen[bytes]) -> int | None:
    """The container's first process, once its systemd serves; none if it has ended."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait = ["systemctl", "is-system-running", "--wait"]
    while process.poll() is None:
        for child in children.read_text().split():
            if _name_of(child) != "systemd":
                continue
            enter = ["nsenter", "--target", child, *["-m", "-u", "-i", "-n", "-p", "-C"]]
            done = subprocess.run(
                [*enter, *wait],
                capture_output=True,
                check=False,
                timeout=BOOT_S,
                text=True,
                env=own_environment(),
            )
            if done.stdout.strip() in ("running", "degraded"):
                return int(child)
    return None


def _name_of(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""  # a short-lived one of nspawn's own
