"""Follows the records of all lines beside the intake, for what is read of them: it never waits.

What is made of them decides nothing. It is made anew by emptying its tables.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

import anyio
import structlog
from anyio import CapacityLimiter
from psycopg import AsyncConnection, sql

from benchd.domain.record import EntryKind
from benchd.fleet.fleet_database import FleetDatabase, NotAcknowledged

PIECE: Final = 500
"""Records in one transaction."""
LOOK_EVERY_S: Final = 2.0

_log = structlog.get_logger()
_Line = tuple[int, int]
"""A rack and its branch."""


class LinesNotFollowed(Exception):
    """Raised when all is read but what some lines have. It goes to the journal, to nobody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Records of one line, by their sequence, and how far the line is read with them."""

    rack: int
    branch: int
    rows: Sequence[tuple[int, bytes]]
    upto: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is read, and what is done to it."""

    lock: int
    """The advisory lock of the one centre that does it."""
    upto: str
    """The table of how far each line is read."""
    kinds: Collection[EntryKind]
    lines: int
    """How many of them may be taken in one transaction."""
    take: Callable[[AsyncConnection, Sequence[Stretch], CapacityLimiter], Awaitable[None]]
    """Makes of records what there is to make, with one thread for what only computes."""


class RecordFollower:
    """Reads all that has come in; one centre at a time does so."""

    def __init__(self, database: FleetDatabase, reading: Reading) -> None:
        self._database = database
        self._reading = reading
        self._thread = CapacityLimiter(1)
        self._last: _Line = (0, 0)
        """The line that had its turn last: the next one comes after it, also where it failed."""
        self._singly = False
        """After a failure each line has a transaction of its own, until all are read."""

    async def run(self) -> None:
        """Go on reading until cancelled."""
        while True:
            try:
                await self.catch_up()
            except Exception as error:  # noqa: BLE001 - a bulkhead: intake and questions go on
                _log.warning("fleet_filing", detail=str(error) or repr(error))
            await anyio.sleep(LOOK_EVERY_S)

    async def catch_up(self) -> None:
        """Read all that has come in by now. Raises LinesNotFollowed, after all other lines."""
        failed: dict[_Line, Exception] = {}
        while await self._piece(failed):
            pass
        for (rack, branch), error in failed.items():
            message = f"rack {rack}, branch {branch}, {len(failed)} in all: {error!r}"
            raise LinesNotFollowed(message) from error
        self._singly = False

    async def _piece(self, failed: dict[_Line, Exception]) -> bool:
        stretches: list[Stretch] = []
        due: list[tuple[int, int, int, int]] = []
        try:
            async with self._database.transaction() as connection:
                await connection.execute("SELECT pg_advisory_xact_lock(%s)", (self._reading.lock,))
                due += await self._due(connection, failed)
                room = PIECE
                for line in due:
                    if not room:
                        break
                    self._last = line[:2]
                    stretches.append(await self._read(connection, *line, most=room))
                    room -= len(stretches[-1].rows)
                if due:
                    await self._keep_upto(connection, stretches)
                    await self._reading.take(connection, stretches, self._thread)
        except Exception as error:
            self._singly = True
            if not due or isinstance(error, NotAcknowledged):
                raise
            if len(due) == 1:
                failed[due[0][:2]] = error
        return bool(due)

    async def _due(
        self, connection: AsyncConnection, but: Collection[_Line]
    ) -> list[tuple[int, int, int, int]]:
        """The lines that have more, how far each is read and how far it has come."""
        found = await connection.execute(
            sql.SQL(
                """
                SELECT rack, branch, coalesce(sequence, left_sequence), tip_sequence
                FROM branch LEFT JOIN {upto} USING (rack, branch)
                WHERE tip_sequence > coalesce(sequence, left_sequence)
                    AND (rack, branch) NOT IN (SELECT * FROM unnest(%s::int[], %s::int[]))
                ORDER BY (rack, branch) <= (%s, %s), rack, branch LIMIT %s
                """
            ).format(upto=sql.Identifier(self._reading.upto)),
            (
                [rack for rack, _ in but],
                [branch for _, branch in but],
                *self._last,
                1 if self._singly else self._reading.lines,
            ),
        )
        return await found.fetchall()

    async def _read(
        self, connection: AsyncConnection, rack: int, branch: int, upto: int, tip: int, *, most: int
    ) -> Stretch:
        """What is due of one line, or as many of its records as may be."""
        found = await connection.execute(
            """
            SELECT sequence, body FROM record
            WHERE rack = %s AND branch = %s AND sequence > %s AND sequence <= %s
                AND kind = ANY(%s) ORDER BY sequence LIMIT %s
            """,
            (rack, branch, upto, tip, list(self._reading.kinds), most),
        )
        rows = [(each[0], bytes(each[1])) for each in await found.fetchall()]
        end = rows[-1][0] if len(rows) == most else tip
        return Stretch(rack=rack, branch=branch, rows=rows, upto=end)

    async def _keep_upto(self, connection: AsyncConnection, stretches: Sequence[Stretch]) -> None:
        await connection.execute(
            sql.SQL(
                """
                INSERT INTO {upto} (rack, branch, sequence)
                SELECT * FROM unnest(%s::int[], %s::int[], %s::int8[])
                ON CONFLICT (rack, branch) DO UPDATE SET sequence = excluded.sequence
                """
            ).format(upto=sql.Identifier(self._reading.upto)),
            (
                [each.rack for each in stretches],
                [each.branch for each in stretches],
                [each.upto for each in stretches],
            ),
        )
