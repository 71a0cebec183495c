"""A PostgreSQL in a private folder, on a Unix socket alone, run as an ordinary user."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

from benchd.domain.errors import DependencyMissing

DATABASES: Final = Path("/usr/lib/postgresql")
OLDEST: Final = 15
SYSTEM_USER: Final = "nobody"
"""Who runs it for root, which PostgreSQL refuses to be run by."""
WITHIN_S: Final = 60
SHORT: Final = Path("/tmp")  # noqa: S108 - mkdtemp makes a folder there that is its own
"""The path of a Unix socket is short."""
_SETTINGS: Final = """
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
max_connections = 60
shared_buffers = 16MB
"""
_LOOK_EVERY_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running one."""

    folder: Path
    user: str

    def conninfo(self, database: str = "postgres") -> str:
        """A database of it, as libpq takes it."""
        return f"host={self.folder} user={self.user} dbname={database}"


@contextmanager
def private_cluster(settings: str = "", directory: Path = SHORT) -> Generator[Cluster]:
    """Make one, start it, and take it down with all that is in it. Raises DependencyMissing.

    `settings` are lines of postgresql.conf that count before its own.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="benchd-pg-", dir=directory))
    is_root = os.geteuid() == 0
    user = SYSTEM_USER if is_root else pwd.getpwuid(os.geteuid()).pw_name
    other = user if is_root else None
    data, log = folder / "data", folder / "log"
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    try:
        shutil.chown(folder, other or os.geteuid())
        subprocess.run(
            [programs / "initdb", "-D", data, "-A", "trust", "-N", "-E", "UTF8", "-U", user],
            check=True,
            capture_output=True,
            timeout=WITHIN_S,
            cwd=folder,
            user=other,
            env=environment,
        )
        with (data / "postgresql.conf").open("a") as written:
            written.write(_SETTINGS.format(folder=folder) + settings)
        cluster = Cluster(folder=folder, user=user)
        # It hears of its parent's end from the kernel, and of Ctrl-C from its parent.
        with (
            log.open("ab") as said,
            subprocess.Popen(
                ["setpriv", "--pdeathsig", "INT", programs / "postgres", "-D", data],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                cwd=folder,
                user=other,
                env=environment,
            ) as server,
        ):
            try:
                _wait_for(cluster, server, log)
                yield cluster
            finally:
                _end(server)
    finally:
        shutil.rmtree(folder)


def _wait_for(cluster: Cluster, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + WITHIN_S
    while True:
        with suppress(psycopg.OperationalError), psycopg.connect(cluster.conninfo()):
            return
        if server.poll() is not None or time.monotonic() > end:
            raise DependencyMissing(
                f"PostgreSQL didn't start: {log.read_text(errors='replace')}",
                cure="Look what it says, and for room in /tmp.",
            )
        time.sleep(_LOOK_EVERY_S)


def _end(server: subprocess.Popen[bytes]) -> None:
    # "Fast": whoever is connected is sent away.
    server.send_signal(signal.SIGINT)
    try:
        server.wait(WITHIN_S)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)


def _programs() -> Path:
    """Of the newest PostgreSQL that Debian has put on this machine."""
    found = sorted(DATABASES.glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    if not found or int(found[-1].parts[-3]) < OLDEST:
        raise DependencyMissing(
            f"PostgreSQL {OLDEST} or newer isn't there", cure="apt-get install postgresql"
        )
    return found[-1].parent
