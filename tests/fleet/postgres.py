"""A PostgreSQL of the test's own: a cluster in a private folder, run as an ordinary user."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DATABASES = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running one, on a Unix socket alone."""

    folder: Path
    user: str

    def conninfo(self, database: str = "postgres") -> str:
        return f"host={self.folder} user={self.user} dbname={database}"


@contextmanager
def cluster() -> Generator[Cluster]:
    """Make one, start it, and take it down with all that is in it."""
    # The path of a Unix socket is short.
    folder = Path(tempfile.mkdtemp(prefix="benchd-pg-", dir="/tmp"))
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    programs = _programs()
    data = folder / "data"

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, *arguments],
            check=True,
            capture_output=True,
            timeout=60,
            cwd=folder,
            user=user if os.geteuid() == 0 else None,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )

    try:
        call("initdb", "-D", str(data), "-A", "trust", "-N", "-E", "UTF8", "-U", user)
        with (data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = ''\nunix_socket_directories = '{folder}'\n"
                "fsync = off\nmax_connections = 60\nshared_buffers = 16MB\n"
            )
        log = str(folder / "log")
        call("pg_ctl", "-D", str(data), "-w", "-l", log, "start")
        try:
            yield Cluster(folder=folder, user=user)
        finally:
            call("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _programs() -> Path:
    """Of the newest PostgreSQL that Debian has put on this machine."""
    found = sorted(DATABASES.glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    assert found, "PostgreSQL isn't there: scripts/setup --rack"
    return found[-1].parent
