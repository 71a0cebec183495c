"""Debian packages, good and bad, and the rack that they are installed on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from install_rig import build_deb, run
from machine import Machine
from other_wheels import other_wheels

NEWER = "1.2.4.dev3+gabcdef"
NEWER_IN_DEBIAN = "1.2.4~dev3+gabcdef"


@dataclass(frozen=True)
class Packages:
    """Paths in the machine: what there is to install."""

    first: str
    newer: str
    torn: str
    truncated: str
    broken: str
    version: str
    """The first one's, as Debian has it."""


def tear(package: Path, unpacked: Path) -> None:
    """A byte of the program is another one, as after a bad stick, and dpkg can't see it."""
    run("dpkg-deb", "--raw-extract", package, unpacked)
    file = unpacked / "usr/lib/benchd/program/packages/fastapi/routing.py"
    file.write_bytes(file.read_bytes().replace(b"import", b"imporT", 1))
    run("dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--build", unpacked, package)


def build_packages(wheels: Path, made: Path, root: Path) -> Packages:
    """All of them, in the root's /srv."""
    newer = other_wheels(wheels, made / "newer", NEWER)
    torn = other_wheels(wheels, made / "torn", "1.3.0")
    life = {"benchd/daemon/service_lifecycle.py": ("notifier.ready()", "raise SystemExit(7)")}
    broken = other_wheels(wheels, made / "broken", "1.4.0", life)
    built = [build_deb(folder, root / "srv") for folder in (wheels, newer, torn, broken)]
    tear(built[2], made / "unpacked")
    cut = built[1].with_name("truncated.deb")
    cut.write_bytes(built[1].read_bytes()[: built[1].stat().st_size * 2 // 3])
    first, new, bad, dead = (f"/srv/{package.name}" for package in built)
    version = run("dpkg-deb", "--field", built[0], "Version").strip()
    return Packages(first, new, bad, f"/srv/{cut.name}", dead, version)


class Rack:
    """The machine as its admin sees it."""

    def __init__(self, machine: Machine, root: Path) -> None:
        self.machine = machine
        self.root = root

    def dpkg(self, *words: str) -> str:
        """What is said by a command that did it."""
        return self.machine.run("dpkg", *words)

    def refused(self, *words: str) -> str:
        """What is said by a command that didn't."""
        return self.machine.run("sh", "-c", 'if dpkg "$@" 2>&1; then exit 1; fi', "dpkg", *words)

    def release(self) -> str:
        return (self.root / "opt/benchd/current").readlink().name

    def state(self) -> str:
        asked = ("-W", "-f", "${Version} ${db:Status-Status}", "benchd")
        return self.machine.run("dpkg-query", *asked).strip()

    def daemon(self) -> str:
        """Its process, which is at work."""
        assert self.machine.show("benchd", "ActiveState") == "active"
        return self.machine.show("benchd", "MainPID")

    def runs(self) -> tuple[str, str]:
        """Its process and its release, and jobs may begin."""
        assert not self.is_paused()
        return self.daemon(), self.release()

    def is_paused(self) -> bool:
        look = "from benchd.cli.daemon_client import daemon_client as c; print(c().draining())"
        return "'paused': True" in self.machine.run("/opt/benchd/current/bin/python", "-c", look)

    def pauses(self) -> int:
        return len(self.machine.events("BENCHD_EVENT=paused"))
