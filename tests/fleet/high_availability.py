"""The engine as configs/fleet/ has it: three machines, each an address and a folder.

The addresses are of loopback, or each is in a network namespace of its own. Each program is
Debian's own, run as an ordinary user with the shipped configuration; replaced in it are folders
and passwords, on loopback addresses, and `peer`, since no user of this machine is called postgres.
"""

from __future__ import annotations

import base64
import json
import os
import pwd
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import anyio
import httpx2
import psycopg

SHIPPED = Path(__file__).parents[2] / "configs/fleet"
POSTGRES = Path("/usr/lib/postgresql/17/bin")
PROGRAMS = {
    "etcd": Path("/usr/bin/etcd"),
    "patroni": Path("/usr/bin/patroni"),
    "pgbouncer": Path("/usr/sbin/pgbouncer"),
    "pgbackrest": Path("/usr/bin/pgbackrest"),
    "postgres": POSTGRES / "postgres",
}
PASSWORDS = ("RESTAPI", "REPLICATION", "REWIND", "FLEET")
LONGEST_WAIT_S = 90
Found = TypeVar("Found")


def user() -> str | None:
    """Whom to run as; None for whoever runs the test, since PostgreSQL refuses root alone."""
    return "nobody" if os.geteuid() == 0 else None


def say(*lines: str) -> None:
    """What pytest shows of a test that failed, or with -s."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


async def until(what: str, ask: Callable[[], Found | None]) -> Found:
    """What was asked for, as soon as it is there."""
    with anyio.move_on_after(LONGEST_WAIT_S):
        while True:
            with suppress(psycopg.Error, httpx2.HTTPError, OSError):
                found = await anyio.to_thread.run_sync(ask)
                if found is not None and found is not False:
                    return found
            await anyio.sleep(0.1)
    raise AssertionError(f"waited in vain until {what}")


@dataclass
class Machine:
    """One address with a folder, and what runs there."""

    address: str
    folder: Path
    texts: Mapping[str, str]
    """What is put in the place of what the shipped configuration says."""
    entered: Sequence[str] = ()
    """What a command begins with that is to run there; loopback's addresses need nothing."""
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "postgresql/17/fleet"

    @property
    def socket(self) -> Path:
        return self.folder / "run"

    @property
    def _user(self) -> str | None:
        """Whom Popen is to become: nobody else where entering does that."""
        return None if self.entered else user()

    def admin(self, database: str = "postgres") -> psycopg.Connection:
        """The superuser, beside PgBouncer."""
        return psycopg.connect(
            f"host={self.socket} user=postgres dbname={database} connect_timeout=5",
            autocommit=True,
        )

    def configured(self, name: str) -> Path:
        """A file of configs/fleet/ with this machine's own addresses and folders."""
        text = (SHIPPED / name).read_text()
        for shipped, here in {"THIS_ADDRESS": self.address, **self.texts}.items():
            text = text.replace(shipped, here)
        file = self.folder / name
        file.write_text(text)
        return file

    @cached_property
    def environment(self) -> Mapping[str, str]:
        return {
            "PATH": f"{POSTGRES}:/usr/sbin:/usr/bin:/bin",
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.folder),
            "PGBACKREST_CONFIG": str(self.configured("pgbackrest.conf")),
            "PGBACKREST_LOCK_PATH": str(self.folder / "lock"),
            "PGBACKREST_LOG_PATH": str(self.folder / "log"),
            "PGBACKREST_SPOOL_PATH": str(self.folder / "spool"),
        }

    def call(self, *words: str | Path, answers: str = "") -> str:
        """Run a command to its end; what it has printed."""
        done = subprocess.run(
            [*self.entered, *words],
            check=False,
            input=answers,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST_WAIT_S,
            cwd=self.folder,
            user=self._user,
            env=self.environment,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}"
        return done.stdout

    def start(self, *names: str) -> None:
        for name in names:
            match name:
                case "etcd":
                    settings = dict(
                        line.split("=", 1)
                        for line in self.configured("etcd.env").read_text().splitlines()
                        if not line.startswith("#")
                    )
                    self._run(name, PROGRAMS[name], **settings)
                case "patroni":
                    self._run(name, PROGRAMS[name], self.configured("patroni.yml"))
                case _:
                    users = self.folder / "userlist.txt"
                    users.write_text(f'"fleet" "{self.texts["FLEET_PASSWORD"]}"\n')
                    self._run(name, PROGRAMS[name], self.configured("pgbouncer.ini"))

    def _run(self, name: str, *words: str | Path, **settings: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [*self.entered, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                user=self._user,
                env={**self.environment, **settings},
            )

    def kill(self, *names: str) -> None:
        """End them by SIGKILL; with Patroni goes its PostgreSQL, each process of it."""
        for name in names:
            program = self.running.pop(name)
            program.kill()
            program.wait()
            if name == "patroni":
                self.kill_postgres()

    def kill_patroni_alone(self) -> None:
        """Its PostgreSQL goes on, and nobody tells it that it is the primary no more."""
        patroni = self.running.pop("patroni")
        patroni.kill()
        patroni.wait()

    def kill_postgres(self) -> None:
        with suppress(FileNotFoundError, ProcessLookupError):
            postmaster = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
            for process in (postmaster, *map(int, children)):
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)

    def stop_patroni(self) -> None:
        """As systemctl has it: PostgreSQL goes down in good order."""
        patroni = self.running.pop("patroni")
        patroni.terminate()
        patroni.wait(LONGEST_WAIT_S)

    def start_missing(self, *names: str) -> None:
        """Those that don't run, as their units have it."""
        for name in names:
            if name not in self.running or self.running[name].poll() is not None:
                self.start(name)

    def recovers(self) -> bool:
        """By PostgreSQL's own word: Patroni's comes before it is so."""
        with self.admin() as admin:
            return admin.execute("SELECT pg_is_in_recovery()").fetchone() != (False,)

    def writes(self) -> bool:
        """Whether it takes a connection and would write for it, by PostgreSQL's own word."""
        try:
            return not self.recovers()
        except psycopg.OperationalError:
            return False

    def is_primary(self) -> bool:
        """By Patroni's own word."""
        answer = httpx2.get(f"http://{self.address}:8008/primary", timeout=5)
        return answer.status_code == 200


@dataclass
class Engine:
    """Three machines: the first has etcd alone, beside the centre."""

    machines: list[Machine]
    password: str

    @property
    def databases(self) -> list[Machine]:
        return self.machines[1:]

    def through_pgbouncer(self) -> str:
        """What the centre is given, as docs/fleet.md has it."""
        keepalives = "keepalives_idle=10 keepalives_interval=5 keepalives_count=3"
        return f"{self._addressed(6432)} connect_timeout=5 {keepalives} tcp_user_timeout=20000"

    def of_the_primary(self) -> str:
        """What the referee reads."""
        return self._addressed(5432) + " connect_timeout=5 target_session_attrs=read-write"

    def _addressed(self, port: int) -> str:
        hosts = ",".join(each.address for each in self.databases)
        return f"host={hosts} port={port} dbname=fleet user=fleet password={self.password}"

    def primary(self) -> Machine | None:
        for each in self.databases:
            with suppress(httpx2.HTTPError):
                if each.is_primary():
                    return each
        return None

    def other(self, machine: Machine) -> Machine:
        [other] = [each for each in self.databases if each is not machine]
        return other

    def noted_standby(self) -> str | None:
        """Who may take over, by Patroni's key in etcd; HTTPError where no etcd says it."""
        key = base64.b64encode(b"/service/fleet/sync").decode()
        for each in self.machines:
            url = f"http://{each.address}:2379/v3/kv/range"
            with suppress(httpx2.HTTPError):
                found = httpx2.post(url, json={"key": key}, timeout=5).raise_for_status().json()
                values = [json.loads(base64.b64decode(kv["value"])) for kv in found.get("kvs", [])]
                return values[0]["sync_standby"] or None if values else None
        message = "no etcd says who follows"
        raise httpx2.HTTPError(message)

    async def whole(self) -> Machine:
        """The primary, as soon as a standby follows that Patroni has told it to wait for."""

        def ask() -> Machine | None:
            primary = self.primary()
            if primary is None:
                return None
            other = self.other(primary).address
            answer = httpx2.get(f"http://{other}:8008/synchronous", timeout=5)
            # What Patroni goes by at a failover; its own answers are some seconds older.
            is_noted = self.noted_standby() == other
            return primary if answer.status_code == 200 and is_noted else None

        return await until("there is a primary with a synchronous standby", ask)

    def make_database(self, primary: Machine) -> None:
        with primary.admin() as admin:
            admin.execute(f"CREATE ROLE fleet LOGIN PASSWORD '{self.password}'")  # type: ignore[arg-type]
            admin.execute("CREATE DATABASE fleet OWNER fleet")
        primary.call("pgbackrest", "--stanza=fleet", "stanza-create")

    async def empty_database(self) -> None:
        """As it was made: no centre, no rack."""
        primary = await self.whole()
        with primary.admin() as admin:
            admin.execute("DROP DATABASE fleet WITH (FORCE)")
            admin.execute("CREATE DATABASE fleet OWNER fleet")

    async def restore(self, machine: Machine, moment: str) -> None:
        """To a moment, as docs/fleet.md has it: the other machine copies this one anew."""
        control, data = POSTGRES / "pg_ctl", machine.data
        for each in (self.other(machine), machine):
            each.stop_patroni()
        machine.call(
            *("patronictl", "-c", machine.folder / "patroni.yml", "remove", "fleet"),
            answers="fleet\nYes I am aware\n",
        )
        machine.call(
            *("pgbackrest", "--stanza=fleet", "--delta", "--type=time", f"--target={moment}"),
            *("--target-action=promote", "restore"),
        )
        log = machine.folder / "restored.log"
        machine.call(control, "-D", data, "-o", "-h ''", "-l", log, "-w", "start")
        await until("the moment is reached", lambda: not machine.recovers())
        machine.call(control, "-D", data, "-w", "stop")
        machine.start("patroni")
        await until("Patroni has it", machine.is_primary)
        shutil.rmtree(self.other(machine).data)
        self.other(machine).start("patroni")
        await self.whole()


@contextmanager
def engine(
    namespaces: Mapping[str, Sequence[str]] | None = None, planted: Mapping[str, str] | None = None
) -> Generator[Engine]:
    """Make three machines, start nothing, and take all down at the end.

    `namespaces` says how a command gets to each address; without it they are of loopback.
    `planted` are changes of the shipped configuration that a referee has to notice.
    """
    missing = [str(program) for program in PROGRAMS.values() if not program.exists()]
    assert not missing, f"{', '.join(missing)} isn't there: scripts/setup --fleet"
    folder = Path(tempfile.mkdtemp(prefix="benchd-ha-", dir="/tmp"))
    network, addresses = "192.0.2.", dict[str, str]()
    if namespaces is None:
        # Other tests on this machine have other networks of loopback.
        network = f"127.{random.randrange(1, 255)}.{random.randrange(1, 255)}."
        addresses = {"192.0.2.0/24": "127.0.0.0/8", "192.0.2.": network}
    words = {f"{name}_PASSWORD": secrets.token_hex(12) for name in PASSWORDS}
    machines: list[Machine] = []
    try:
        for number in (10, 11, 12):
            own = folder / str(number)
            texts = {
                **(planted or {}),
                **addresses,
                "/var/lib/etcd": str(own / "etcd"),
                "/var/lib/postgresql": str(own / "postgresql"),
                "/var/lib/pgbackrest": str(folder / "repository"),
                "/var/log/postgresql": str(own / "log"),
                "/run/postgresql": str(own / "run"),
                "/etc/pgbouncer": str(own),
                "local all all peer": "local all all trust",
                **words,
            }
            address = f"{network}{number}"
            entered = (namespaces or {}).get(address, ())
            machines.append(Machine(address, own, texts, entered))
            for made in ("etcd", "postgresql/17", "log", "run", "lock"):
                (own / made).mkdir(parents=True)
        (folder / "repository").mkdir()
        owner = user() or pwd.getpwuid(os.geteuid()).pw_name
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, owner)
        yield Engine(machines, words["FLEET_PASSWORD"])
    except BaseException:
        for log in sorted(folder.glob("*/*.log")):
            say(f"== {log}", *log.read_text(errors="replace").splitlines()[-25:])
        raise
    finally:
        for machine in machines:
            machine.kill(*machine.running)
            machine.kill_postgres()
        shutil.rmtree(folder)
