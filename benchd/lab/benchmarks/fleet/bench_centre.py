"""The shipped centre as its own process, on a private PostgreSQL that syncs what it commits."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from benchd.fleet.fleet_database import FleetDatabase, open_database
from benchd.fleet.joined_racks import JoinedRacks
from benchd.lab.benchmarks.fleet.synthetic_racks import SyntheticRack
from benchd.lab.demo.demo_rack import loopback_listener
from benchd.lab.demo.fleet_centre import running_centre
from benchd.lab.demo.private_postgres import SHORT, Cluster, private_cluster
from benchd.outbound.fleet.centre_client import CentreTarget, HttpCentre
from benchd.signing.private_key import SigningKey, create_key

# What an administrator would set for a machine of its own with so much memory.
SETTINGS: Final = """
fsync = on
shared_buffers = 1GB
maintenance_work_mem = 1GB
max_wal_size = 8GB
checkpoint_timeout = 15min
"""
TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchCentre:
    """One that answers."""

    process: int
    url: str
    pages_url: str | None
    conninfo: str
    database: FleetDatabase
    """Its database, past it."""
    key: SigningKey

    def target(self) -> CentreTarget:
        """Where a rack sends to."""
        return CentreTarget(
            url=self.url, key=self.key.public, client=None, authority=None, timeout_s=TIMEOUT_S
        )

    def client_of(self, rack: SyntheticRack) -> HttpCentre:
        """The shipped client of one rack."""
        return HttpCentre(self.target(), rack.key.ring.rack)


@contextmanager
def bench_cluster(directory: Path | None) -> Generator[Cluster]:
    """A PostgreSQL whose commits wait for the disk."""
    with private_cluster(SETTINGS, directory or SHORT) as cluster:
        yield cluster


@asynccontextmanager
async def bench_centre(
    cluster: Cluster, racks: Sequence[SyntheticRack], name: str, *, with_pages: bool
) -> AsyncGenerator[BenchCentre]:
    """A centre on a new database of this name that these racks have joined."""
    with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    conninfo = cluster.conninfo(name)
    key = create_key(cluster.folder / f"{name}.pem")
    async with open_database(conninfo) as database:
        joined = JoinedRacks(database)
        for rack in racks:
            await joined.join(rack.name, rack.key.ring)
        with loopback_listener(0) as listener:
            port = int(listener.getsockname()[1])
            pages = free_port() if with_pages else None
            log = cluster.folder / f"{name}.log"
            async with running_centre(
                conninfo, cluster.folder / f"{name}.pem", [listener], pages, log
            ) as process:
                yield BenchCentre(
                    process=process,
                    url=f"http://127.0.0.1:{port}",
                    pages_url=None if pages is None else f"http://127.0.0.1:{pages}",
                    conninfo=conninfo,
                    database=database,
                    key=key,
                )


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])
