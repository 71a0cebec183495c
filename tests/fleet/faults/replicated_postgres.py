"""PostgreSQL and its synchronous standby in private folders, which are killed and put back."""

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
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.fleet.faults.small_disk import SmallDisk, small_disk
from tests.fleet.high_availability import user

DISK_MIB = 192
WITHIN_S = 60
SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "max_connections": "60",
    "shared_buffers": "16MB",
    "min_wal_size": "32MB",
    "max_wal_size": "64MB",
    "wal_keep_size": "48MB",
    "wal_retrieve_retry_interval": "100ms",
    "synchronous_standby_names": "*",
}


def programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda file: int(file.parts[-2]))
    assert found, "PostgreSQL isn't there: apt-get install postgresql"
    return found[-1]


def name() -> str:
    return user() or pwd.getpwuid(os.geteuid()).pw_name


@dataclass
class Server:
    """One PostgreSQL, on a disk of its own."""

    socket: Path
    disk: SmallDisk
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.disk.folder / "data"

    def address(self, database: str = "postgres") -> str:
        return f"host={self.socket} user={name()} dbname={database} connect_timeout=5"

    def admin(self) -> psycopg.Connection:
        return psycopg.connect(self.address(), autocommit=True)

    def call(self, program: str, *words: str | Path) -> None:
        subprocess.run(
            [programs() / program, *words],
            check=True,
            capture_output=True,
            timeout=WITHIN_S,
            user=user(),
            cwd="/",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )

    def start(self) -> None:
        """Until it answers; what a killed one has left may have to end first.

        By the thread that stays to the end: the kernel ends it with that one.
        """
        settings = {**SETTINGS, "unix_socket_directories": str(self.socket)}
        words = [word for each in settings.items() for word in ("-c", "=".join(each))]
        end = time.monotonic() + WITHIN_S
        while time.monotonic() < end:
            if self.process is None or self.process.poll() is not None:
                with (self.socket / "log").open("ab") as log:
                    self.process = subprocess.Popen(
                        [
                            *("setpriv", "--pdeathsig", "QUIT", programs() / "postgres"),
                            *("-D", self.data, *words),
                        ],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        start_new_session=True,
                        user=user(),
                        cwd="/",
                        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                    )
            with suppress(psycopg.OperationalError), self.admin():
                return
            time.sleep(0.05)
        raise AssertionError((self.socket / "log").read_text()[-3000:])

    def kill(self) -> None:
        """Each of its processes, by SIGKILL."""
        if self.process is None:
            return
        postmaster = self.process.pid
        children: list[int] = []
        with suppress(FileNotFoundError, ProcessLookupError):
            told = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text()
            children = [int(each) for each in told.split()]
        for each in (postmaster, *children):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def copy_from(self, primary: Server) -> None:
        """Become another's standby, from nothing."""
        self.disk.call("rm", "-rf", str(self.data))
        source = f"host={primary.socket} user={name()}"
        self.call(
            "pg_basebackup", "-D", self.data, "-d", source, "-R", "-c", "fast", "-X", "stream"
        )

    def make(self) -> None:
        self.call(
            *("initdb", "-D", self.data, "-A", "trust", "-N", "-E", "UTF8", "-U", name()),
            "--no-instructions",
        )


@dataclass
class Replicated:
    """The two of them."""

    primary: Server
    standby: Server
    standby_is_gone: bool = False
    """What lies there was a primary, and has to be copied anew."""
    numbers: list[int] = field(default_factory=lambda: [0])

    def address(self, database: str) -> str:
        """Both, of which the centre finds the one that may write."""
        hosts = f"{self.primary.socket},{self.standby.socket}"
        return f"host={hosts} user={name()} dbname={database} connect_timeout=5"

    def whole(self) -> None:
        """Both run, and the standby is waited for by whatever commits."""
        if self.standby_is_gone:
            self.standby.copy_from(self.primary)
            self.standby_is_gone = False
        for server in (self.primary, self.standby):
            if server.process is None or server.process.poll() is not None:
                server.start()
        end = time.monotonic() + WITHIN_S
        while time.monotonic() < end:
            with suppress(psycopg.OperationalError), self.primary.admin() as admin:
                states = admin.execute("SELECT sync_state FROM pg_stat_replication").fetchall()
                if ("sync",) in states:
                    return
            time.sleep(0.05)
        raise AssertionError((self.standby.socket / "log").read_text()[-3000:])

    def lose_primary(self) -> None:
        """Its disk is gone; what the standby has is all that there is."""
        self.primary.kill()
        self.standby_is_gone = True
        with self.standby.admin() as admin:
            admin.execute("SELECT pg_promote()")
        self.primary, self.standby = self.standby, self.primary

    @contextmanager
    def database(self) -> Generator[str]:
        """A new one, by name."""
        self.numbers[0] += 1
        made = f"faults_{self.numbers[0]}"
        with self.primary.admin() as admin:
            admin.execute(f"CREATE DATABASE {made}")  # type: ignore[arg-type]
        try:
            yield made
        finally:
            self.whole()
            with self.primary.admin() as admin:
                admin.execute(f"DROP DATABASE {made} WITH (FORCE)")  # type: ignore[arg-type]


@contextmanager
def replicated_postgres() -> Generator[Replicated]:
    """Make both and take them down with all that is in them."""
    folder = Path(tempfile.mkdtemp(prefix="benchd-rep-", dir="/tmp"))
    shutil.chown(folder, name())
    try:
        with small_disk(DISK_MIB, user()) as one, small_disk(DISK_MIB, user()) as other:
            servers: list[Server] = []
            for number, disk in enumerate((one, other)):
                socket = folder / str(number)
                socket.mkdir()
                shutil.chown(socket, name())
                servers.append(Server(socket, disk))
            first, second = servers
            try:
                first.make()
                first.start()
                second.copy_from(first)
                here = Replicated(first, second)
                here.whole()
                yield here
            finally:
                for server in servers:
                    server.kill()
    finally:
        shutil.rmtree(folder)
