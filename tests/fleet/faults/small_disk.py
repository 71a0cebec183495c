"""A file system of a few MiB that can be full, made in namespaces as an ordinary user can."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SmallDisk:
    """A tmpfs in a process's own namespaces, which others reach by way of /proc."""

    holder: int
    inside: Path
    """Its place for whoever is in the namespaces."""
    user: str | None = None

    @property
    def folder(self) -> Path:
        """Its place for all others."""
        return Path(f"/proc/{self.holder}/root{self.inside}")

    @property
    def entered(self) -> list[str]:
        """What a command begins with that is to run in the namespaces."""
        return ["nsenter", "-t", str(self.holder), "-U", "-m", "--preserve-credentials"]

    def call(self, *words: str) -> bool:
        """A program, as the one user that there is in the namespaces."""
        done = subprocess.run(
            words, check=False, stderr=subprocess.DEVNULL, user=self.user, cwd="/"
        )
        return done.returncode == 0

    def fill(self) -> None:
        """To the last byte."""
        filler = self.folder / "filler"
        assert not self.call("dd", "if=/dev/zero", f"of={filler}", "bs=4k")

    def free(self) -> None:
        assert self.call("rm", "-f", str(self.folder / "filler"))


@contextmanager
def small_disk(mib: int, user: str | None = None) -> Generator[SmallDisk]:
    """One of so many MiB, for this user."""
    inside = Path(tempfile.mkdtemp(prefix="benchd-small-", dir="/tmp"))
    inside.chmod(0o755)
    holds = f'mount -t tmpfs -o size={mib}m,mode=0700 small "{inside}" && echo ready && exec cat'
    try:
        with subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "-Urm", "sh", "-c", holds],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            user=user,
            cwd="/",
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        ) as holder:
            assert holder.stdin is not None
            assert holder.stdout is not None
            try:
                assert holder.stdout.readline() == b"ready\n", "no namespaces for this user"
                yield SmallDisk(holder.pid, inside, user)
            finally:
                holder.stdin.close()
    finally:
        inside.rmdir()
