"""Takes batches of a rack's records in: each once, in the branch where it belongs, or not at all.

A record's hash stands for all before it, so a rack's records are a tree: one line as long as all is
well, a second one where two different records follow the same one. Nothing in it is ever changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import structlog
from anyio import CapacityLimiter, to_thread
from psycopg import AsyncConnection

from benchd.domain.record import EntryKind
from benchd.fleet.fleet_database import FleetDatabase
from benchd.fleet.handset_index import HandsetIndex
from benchd.fleet.joined_racks import JoinedRack
from benchd.fleet.leaf_list import branches_of
from benchd.ledger.fleet_checkpoint import encode_checkpoint
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.ledger.record_batch import Batch, BatchRecord, decode_batch
from benchd.signing.private_key import SigningKey

CHECKED_AT_ONCE: Final = 2

_log = structlog.get_logger()


class GapRefused(Exception):
    """Raised for records that follow one that the centre hasn't; `expected` is what it has."""

    def __init__(self, expected: Head) -> None:
        super().__init__(f"records after record {expected.sequence} are missing")
        self.expected = expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the centre has of a rack."""

    newest: Head
    """The newest of those that were asked for, or the empty head."""
    forks: int
    restores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """Records that the centre has now, or had already."""

    checkpoint: bytes
    forks: int
    restores: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spot:
    """A record in the tree, or the place before the first."""

    branch: int
    head: Head


class RecordIntake:
    """The one way for records into the centre."""

    def __init__(
        self,
        database: FleetDatabase,
        key: SigningKey,
        now: Callable[[], datetime],
        index: HandsetIndex,
    ) -> None:
        """`key` is the centre's own, which signs checkpoints."""
        self._index = index
        self._database = database
        self._key = key
        self._now = now
        self._checking = CapacityLimiter(CHECKED_AT_ONCE)

    async def known(self, rack: JoinedRack, places: Sequence[Head]) -> Known:
        """The newest of these records that the centre has. Nothing is acknowledged by that."""
        async with self._database.transaction() as connection:
            spots = await _spots(connection, rack, [place.hash for place in places])
            forks, restores = await _told(connection, rack)
        found = [spot.head for spot in spots.values()]
        newest = max(found, key=lambda head: head.sequence, default=EMPTY_HEAD)
        return Known(newest=newest, forks=forks, restores=restores)

    async def take(self, rack: JoinedRack, data: bytes) -> Acknowledged:
        """Take a batch in. Raises BatchRefused, GapRefused and NotAcknowledged."""
        check = partial(decode_batch, data, rack.ring)
        batch = await to_thread.run_sync(check, limiter=self._checking)
        async with self._database.transaction() as connection:
            # One batch of a rack at a time.
            await connection.execute("SELECT id FROM rack WHERE id = %s FOR UPDATE", (rack.number,))
            spot, new = await _where(connection, rack, batch)
            begun = None
            if new:
                spot, begun = await _place_for(connection, rack, spot, new[0])
                await self._index.catch_up(connection, rack.number, spot.branch)
                await _copy(connection, rack, spot.branch, new)
                told = [(record.sequence, record.entry) for record in new]
                await self._index.note(connection, rack.number, spot.branch, told)
            checkpoint = await self._checkpoint(connection, rack, spot.branch, new)
            forks, restores = await _told(connection, rack)
        # Only now: until the commit another centre's failure could have undone it.
        if begun is not None:
            _log.error(
                "fleet_branch",
                rack=rack.key_id,
                name=begun,
                sequence=spot.head.sequence,
                count=forks + restores,
            )
        return Acknowledged(checkpoint=checkpoint, forks=forks, restores=restores)

    async def _checkpoint(
        self,
        connection: AsyncConnection,
        rack: JoinedRack,
        branch: int,
        new: Sequence[BatchRecord],
    ) -> bytes:
        """Sign for a branch's tip.

        It writes in any case: what is there already may be so here alone, and only a commit of
        something waits for the standby.
        """
        tip = (new[-1].sequence, new[-1].hash) if new else (None, None)
        await connection.execute(
            """
            UPDATE branch SET tip_sequence = coalesce(%s, tip_sequence),
                noted_sequence = coalesce(%s, noted_sequence),
                tip_hash = coalesce(%s, tip_hash), heard_at = now()
            WHERE rack = %s AND branch = %s
            """,
            (tip[0], *tip, rack.number, branch),
        )
        branches = await branches_of(connection)
        index = [(each.rack, each.branch) for each in branches].index((rack.key_id, branch))
        checkpoint = encode_checkpoint(branches, index, self._now(), self._key)
        await connection.execute(
            "UPDATE branch SET checkpoint = %s WHERE rack = %s AND branch = %s",
            (checkpoint, rack.number, branch),
        )
        return checkpoint


async def _where(
    connection: AsyncConnection, rack: JoinedRack, batch: Batch
) -> tuple[_Spot, Sequence[BatchRecord]]:
    """The last record of a batch that is there already, and those after it. Raises GapRefused."""
    branch = await _branch_with_tip(connection, rack, batch.after)
    if branch is not None:
        # Nothing follows a tip, so none of them is there.
        return _Spot(branch=branch, head=batch.after), batch.records
    hashes = [batch.after.hash, *(record.hash for record in batch.records)]
    spots = await _spots(connection, rack, hashes)
    if batch.after == EMPTY_HEAD:
        spots[batch.after.hash] = _Spot(branch=0, head=EMPTY_HEAD)
    # Who has a record has all before it, so those that are there come first.
    count = sum(hash_ in spots for hash_ in hashes)
    if not count:
        raise GapRefused(await _tip(connection, rack, 0))
    return spots[hashes[count - 1]], batch.records[count - 1 :]


async def _place_for(
    connection: AsyncConnection, rack: JoinedRack, spot: _Spot, first: BatchRecord
) -> tuple[_Spot, str | None]:
    """Where records after this one go: its own branch, or a new one, and why there is one."""
    if await _tip(connection, rack, spot.branch) == spot.head:
        return spot, None
    why = "restored" if first.entry.kind is EntryKind.LEDGER_RESTORED else "fork"
    made = await connection.execute(
        """
        INSERT INTO branch (rack, branch, why, left_branch, left_sequence, tip_sequence, tip_hash)
        SELECT %(rack)s, max(branch) + 1, %(why)s, %(left)s, %(at)s, %(at)s, %(hash)s
        FROM branch WHERE rack = %(rack)s RETURNING branch
        """,
        {
            "rack": rack.number,
            "why": why,
            "left": spot.branch,
            "at": spot.head.sequence,
            "hash": spot.head.hash,
        },
    )
    [branch] = await made.fetchone() or (0,)
    return _Spot(branch=branch, head=spot.head), why


async def _copy(
    connection: AsyncConnection, rack: JoinedRack, branch: int, new: Sequence[BatchRecord]
) -> None:
    async with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY record (rack, branch, sequence, hash, kind, body) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        copy.set_types(("int4", "int4", "int8", "bytea", "text", "bytea"))
        for record in new:
            row = (
                rack.number,
                branch,
                record.sequence,
                record.hash,
                record.entry.kind.value,
                record.body,
            )
            await copy.write_row(row)


async def _branch_with_tip(connection: AsyncConnection, rack: JoinedRack, tip: Head) -> int | None:
    found = await connection.execute(
        "SELECT branch FROM branch WHERE rack = %s AND tip_hash = %s AND tip_sequence = %s",
        (rack.number, tip.hash, tip.sequence),
    )
    row = await found.fetchone()
    return None if row is None else int(row[0])


async def _spots(
    connection: AsyncConnection, rack: JoinedRack, hashes: Sequence[bytes]
) -> dict[bytes, _Spot]:
    """Where the records of these hashes are, of those that there are."""
    found = await connection.execute(
        "SELECT hash, branch, sequence FROM record WHERE rack = %s AND hash = ANY(%s)",
        (rack.number, list(hashes)),
    )
    return {
        row[0]: _Spot(branch=row[1], head=Head(sequence=row[2], hash=row[0]))
        for row in await found.fetchall()
    }


async def _tip(connection: AsyncConnection, rack: JoinedRack, branch: int) -> Head:
    found = await connection.execute(
        "SELECT tip_sequence, tip_hash FROM branch WHERE rack = %s AND branch = %s",
        (rack.number, branch),
    )
    row = await found.fetchone()
    return EMPTY_HEAD if row is None else Head(sequence=row[0], hash=row[1])


async def _told(connection: AsyncConnection, rack: JoinedRack) -> tuple[int, int]:
    """How many forks and how many restores of this rack there are."""
    found = await connection.execute(
        """
        SELECT count(*) FILTER (WHERE why = 'fork'), count(*) FILTER (WHERE why = 'restored')
        FROM branch WHERE rack = %s
        """,
        (rack.number,),
    )
    forks, restores = await found.fetchone() or (0, 0)
    return forks, restores
