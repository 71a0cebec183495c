"""Takes batches of a rack's records in: each once, in the branch where it belongs, or not at all.

A record's hash stands for all before it, so a rack's records are a tree: one line as long as all is
well, a second one where two different records follow the same one. Nothing in it is ever changed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from benchd.fleet.batch_reader import BatchReader, ReadBatch, ReadRecord
from benchd.fleet.fleet_database import FleetDatabase
from benchd.fleet.handset_index import HandsetIndex, keep_notes
from benchd.fleet.joined_racks import JoinedRack
from benchd.fleet.leaf_list import branch_of
from benchd.ledger.fleet_checkpoint import Branch, encode_checkpoint
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.signing.private_key import SigningKey

_COPY_BEGINS: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_ENDS: Final = b"\xff\xff"
_ROW_BEGINS: Final = struct.Struct("!hiiii").pack
"""How many columns; rack and branch, each with its length before it."""

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
        self._reader = BatchReader()

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
        batch = await self._reader.read(data, rack.ring)
        async with self._database.transaction() as connection:
            # One batch of a rack at a time; rows that name the rack may be filed meanwhile.
            await connection.execute(
                "SELECT id FROM rack WHERE id = %s FOR NO KEY UPDATE", (rack.number,)
            )
            lines = await _Lines.read(connection, rack)
            spot, new = await _where(connection, rack, batch, lines)
            begun = None
            if new:
                spot, begun = await _place_for(connection, rack, spot, new[0], lines)
                if lines.lacks_notes(spot.branch):
                    await self._index.catch_up(connection, rack.number, spot.branch)
                await _copy(connection, rack, spot.branch, new)
                notes = [record.note for record in new if record.note is not None]
                await keep_notes(connection, rack.number, spot.branch, notes)
                lines.grow(spot.branch, batch.header.end)
            checkpoint = encode_checkpoint(
                *lines.leaves(spot.branch), at=self._now(), key=self._key
            )
            await _keep_tip(connection, rack, spot.branch, new, checkpoint)
        # Only now: until the commit another centre's failure could have undone it.
        if begun is not None:
            _log.error(
                "fleet_branch",
                rack=rack.key_id,
                name=begun,
                sequence=spot.head.sequence,
                count=lines.forks + lines.restores,
            )
        return Acknowledged(checkpoint=checkpoint, forks=lines.forks, restores=lines.restores)


class _Lines:
    """How far the centre had come with all racks' lines when a batch of one of them began.

    Nothing changes those of that rack meanwhile, and others only grow.
    """

    def __init__(self, rack: JoinedRack, rows: Sequence[TupleRow]) -> None:
        self._rack = rack
        self._every = [branch_of(*row[:4]) for row in rows]
        mine = [row for row in rows if row[0] == rack.key_id]
        self._noted: dict[int, int] = {row[1]: row[4] for row in mine}
        self._place = {
            each.branch: at for at, each in enumerate(self._every) if each.rack == rack.key_id
        }
        why = [row[5] for row in mine]
        self.forks, self.restores = why.count("fork"), why.count("restored")

    @classmethod
    async def read(cls, connection: AsyncConnection, rack: JoinedRack) -> _Lines:
        """In the order of the tree."""
        found = await connection.execute(
            """
            SELECT key_id, branch, tip_sequence, tip_hash, noted_sequence, why
            FROM branch JOIN rack ON rack.id = branch.rack ORDER BY key_id COLLATE "C", branch
            """
        )
        return cls(rack, await found.fetchall())

    def tip(self, branch: int) -> Head:
        """The last record of one of the rack's lines."""
        place = self._place.get(branch)
        return EMPTY_HEAD if place is None else self._every[place].tip

    def with_tip(self, tip: Head) -> int | None:
        """The line that ends with this record, or None."""
        return next((each for each in self._place if self.tip(each) == tip), None)

    def lacks_notes(self, branch: int) -> bool:
        """Whether something came in that nobody has noted for look-ups."""
        return self._noted[branch] < self.tip(branch).sequence

    def begin(self, branch: int, left: Head, why: str) -> None:
        """A line that has just been begun: the rack's newest, and so its last."""
        place = self._place[max(self._place)] + 1
        self._every.insert(place, branch_of(self._rack.key_id, branch, left.sequence, left.hash))
        self._place[branch], self._noted[branch] = place, left.sequence
        self.forks += why == "fork"
        self.restores += why == "restored"

    def grow(self, branch: int, tip: Head) -> None:
        """Go on with a line up to this record."""
        place = self._place[branch]
        self._every[place] = branch_of(self._rack.key_id, branch, tip.sequence, tip.hash)

    def leaves(self, branch: int) -> tuple[list[Branch], int]:
        """All, and which of them is this line's."""
        return self._every, self._place[branch]


async def _keep_tip(
    connection: AsyncConnection,
    rack: JoinedRack,
    branch: int,
    new: Sequence[ReadRecord],
    checkpoint: bytes,
) -> None:
    """Keep a line's new end with what was signed for it.

    It writes in any case: what is there already may be so here alone, and only a commit of
    something waits for the standby.
    """
    tip = (new[-1].sequence, new[-1].hash) if new else (None, None)
    await connection.execute(
        """
        UPDATE branch SET tip_sequence = coalesce(%s, tip_sequence),
            noted_sequence = coalesce(%s, noted_sequence),
            tip_hash = coalesce(%s, tip_hash), heard_at = now(), checkpoint = %s
        WHERE rack = %s AND branch = %s
        """,
        (tip[0], *tip, checkpoint, rack.number, branch),
    )


async def _where(
    connection: AsyncConnection, rack: JoinedRack, batch: ReadBatch, lines: _Lines
) -> tuple[_Spot, Sequence[ReadRecord]]:
    """The last record of a batch that is there already, and those after it. Raises GapRefused."""
    branch = lines.with_tip(batch.header.after)
    if branch is not None:
        # Nothing follows a tip, so none of them is there.
        return _Spot(branch=branch, head=batch.header.after), batch.records
    hashes = [batch.header.after.hash, *(record.hash for record in batch.records)]
    spots = await _spots(connection, rack, hashes)
    if batch.header.after == EMPTY_HEAD:
        spots[batch.header.after.hash] = _Spot(branch=0, head=EMPTY_HEAD)
    # Who has a record has all before it, so those that are there come first.
    count = sum(hash_ in spots for hash_ in hashes)
    if not count:
        raise GapRefused(lines.tip(0))
    return spots[hashes[count - 1]], batch.records[count - 1 :]


async def _place_for(
    connection: AsyncConnection,
    rack: JoinedRack,
    spot: _Spot,
    first: ReadRecord,
    lines: _Lines,
) -> tuple[_Spot, str | None]:
    """Where records after this one go: its own branch, or a new one, and why there is one."""
    if lines.tip(spot.branch) == spot.head:
        return spot, None
    why = "restored" if first.is_restore else "fork"
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
    lines.begin(branch, spot.head, why)
    return _Spot(branch=branch, head=spot.head), why


async def _copy(
    connection: AsyncConnection, rack: JoinedRack, branch: int, new: Sequence[ReadRecord]
) -> None:
    """Send them as bytes that are joined here. Source: PostgreSQL's manual, COPY, Binary Format."""
    begins = _ROW_BEGINS(6, 4, rack.number, 4, branch)
    rows = (begins + record.columns for record in new)
    data = b"".join((_COPY_BEGINS, *rows, _COPY_ENDS))
    async with (
        connection.cursor() as cursor,
        cursor.copy(
            "COPY record (rack, branch, sequence, hash, kind, body) FROM STDIN (FORMAT BINARY)"
        ) as copy,
    ):
        await copy.write(data)


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
