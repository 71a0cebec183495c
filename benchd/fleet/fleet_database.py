"""The centre's database: PostgreSQL, its tables by numbered SQL, and what counts as committed."""

from __future__ import annotations

import importlib.resources
import itertools
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, LiteralString, cast

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import Diagnostic
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from benchd.domain.errors import BenchdError, DependencyMissing
from benchd.domain.handset_question import LONGEST_WORD

CONNECTIONS: Final = 8
LONGEST_TEXT: Final = 1000
TURN_S: Final = 10.0
"""How long whoever asks waits for a connection: while no standby answers, all of them wait."""
_MIGRATING: Final = 0x62656E636864
"""The advisory lock of whoever makes tables: two centres may start at once."""
_VERSIONS: Final = """
    CREATE TABLE IF NOT EXISTS migration (
        version integer PRIMARY KEY, made_at timestamptz NOT NULL DEFAULT now()
    )
"""
_NOT_SURE: Final = "the fleet's database hasn't said that it and its standby have this"
_CURE: Final = "Look after PostgreSQL, then start it again; racks keep all they have meanwhile."
_AWAY: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
    PoolTimeout,
)


class NotAcknowledged(BenchdError):
    """Raised when it isn't sure that what was written would outlive the database's machine."""


class FleetDatabase:
    """Transactions on a pool of connections."""

    def __init__(self, pool: AsyncConnectionPool[AsyncConnection]) -> None:
        self._pool = pool

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncConnection]:
        """One that is committed at its end, and where there are standbys, by them as well.

        Raises NotAcknowledged where that isn't known: what was written may be there nevertheless.
        """
        warnings: list[str] = []

        def hear(told: Diagnostic) -> None:
            if told.severity_nonlocalized == "WARNING":
                warnings.append(told.message_primary or "")

        try:
            async with self._pool.connection(TURN_S) as connection:
                connection.add_notice_handler(hear)
                try:
                    async with connection.transaction():
                        # No transaction takes less than the standby's word, whatever the default
                        # is; for a session it can't be set where PgBouncer shares sessions.
                        await connection.execute("SET LOCAL synchronous_commit = on")
                        yield connection
                finally:
                    connection.remove_notice_handler(hear)
        except _AWAY as error:
            raise NotAcknowledged(_NOT_SURE) from error
        # A wait for the standby that was cancelled ends in a commit here, and in a warning.
        if warnings:
            raise NotAcknowledged(_NOT_SURE)


@asynccontextmanager
async def open_database(conninfo: str) -> AsyncGenerator[FleetDatabase]:
    """The database, its tables as this release knows them.

    Raises DependencyMissing where it can't be reached or a newer release has made it.
    """
    pool: AsyncConnectionPool[AsyncConnection] = AsyncConnectionPool(
        next_hosts(conninfo, os.environ),
        min_size=1,
        max_size=CONNECTIONS,
        open=False,
        # One that was restarted costs nobody an answer, and after a failover the former primary,
        # which only reads by now, is left for another of the list.
        configure=_require_primary,
        check=_require_primary,
        reconnect_timeout=TURN_S,
        timeout=TURN_S,
    )
    try:
        await pool.open(wait=True, timeout=TURN_S)
    except PoolTimeout as error:
        await pool.close()
        message = "the fleet's database can't be reached"
        raise DependencyMissing(message, cure=_CURE) from error
    try:
        async with pool.connection() as connection:
            await _migrate(connection)
        yield FleetDatabase(pool)
    finally:
        await pool.close()


def next_hosts(conninfo: str, environment: Mapping[str, str]) -> Callable[[], str]:
    """The same address each time, but of several hosts another is the first to be tried.

    Which of them is the primary only they say, and PgBouncer before them tells of it too late for
    libpq's own `target_session_attrs`: what it says at the start is what it heard long ago.
    """
    given = conninfo_to_dict(conninfo)
    lists = {
        key: str(given.get(key) or environment.get(f"PG{key.upper()}", "")).split(",")
        for key in ("host", "hostaddr", "port")
    }
    several = {key: each for key, each in lists.items() if len(each) > 1}
    turns = itertools.count()

    def turned() -> str:
        turn = next(turns)
        first = {key: turn % len(each) for key, each in several.items()}
        hosts = {key: ",".join(several[key][at:] + several[key][:at]) for key, at in first.items()}
        return make_conninfo(conninfo, **hosts)

    return turned


async def _require_primary(connection: AsyncConnection) -> None:
    """Raises OperationalError for one that can't write, and ends it: the pool takes another."""
    await connection.set_autocommit(True)
    found = await connection.execute("SHOW transaction_read_only")
    if await found.fetchone() != ("off",):
        await connection.close()
        message = "this PostgreSQL only reads"
        raise psycopg.OperationalError(message)
    await connection.set_autocommit(False)


async def _migrate(connection: AsyncConnection) -> None:
    known = migrations()
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
        await connection.execute(_VERSIONS)
        found = await connection.execute("SELECT coalesce(max(version), 0) FROM migration")
        [version] = await found.fetchone() or (0,)
        if version > max(known):
            message = f"the fleet's database has form {version}, and this benchd knows {max(known)}"
            raise DependencyMissing(message, cure="Run a benchd as new as the one that made it.")
        for number, sql in known.items():
            if number > version:
                await connection.execute(sql)
                await connection.execute("INSERT INTO migration (version) VALUES (%s)", (number,))


def migrations() -> Mapping[int, LiteralString]:
    """The SQL of each form, by its number and in their order."""
    folder = importlib.resources.files("benchd.fleet") / "migrations"
    return {
        # Files of the package itself, as good as literals.
        int(file.name[:4]): cast("LiteralString", file.read_text(encoding="utf-8"))
        for file in sorted(folder.iterdir(), key=lambda each: each.name)
        if file.name.endswith(".sql")
    }


def kept_text(text: str | None) -> str:
    """A foreign text as PostgreSQL can keep it, which takes neither NUL nor half a character."""
    cut = (text or "")[:LONGEST_TEXT].replace("\0", "�")
    return cut.encode("utf-8", "replace").decode()


def can_be_kept(text: str) -> bool:
    """Whether it may be a name in a table: a rack signs what it likes."""
    return 0 < len(text) <= LONGEST_WORD and text.isprintable()
