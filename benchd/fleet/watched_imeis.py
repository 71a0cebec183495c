"""The centre's own list: what an administrator wants held on whatever rack it is plugged in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from psycopg import AsyncConnection

from benchd.domain.errors import UsageRefused
from benchd.domain.handset_question import Elsewhere, ElsewhereFinding, HandsetQuestion
from benchd.domain.imei import is_imei
from benchd.fleet.fleet_database import FleetDatabase

LONGEST_NOTE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A line of the list."""

    imei: str = field(repr=False)
    note: str
    added_at: datetime


class WatchedImeis:
    """The list in the database."""

    def __init__(self, database: FleetDatabase) -> None:
        self._database = database

    async def add(self, imei: str, note: str) -> None:
        """Have it held; raises UsageRefused for what isn't an IMEI."""
        if not is_imei(imei):
            raise UsageRefused("an IMEI has 15 digits, the last of which checks the others")
        if len(note) > LONGEST_NOTE or (note and not note.isprintable()):
            raise UsageRefused(f"a note has up to {LONGEST_NOTE} characters in one line")
        async with self._database.transaction() as connection:
            await connection.execute(
                """
                INSERT INTO watched_imei (imei, note) VALUES (%s, %s)
                ON CONFLICT (imei) DO UPDATE SET note = excluded.note
                """,
                (imei, note),
            )

    async def remove(self, imei: str) -> bool:
        """Have it held no more; whether it was there."""
        async with self._database.transaction() as connection:
            gone = await connection.execute("DELETE FROM watched_imei WHERE imei = %s", (imei,))
        return gone.rowcount > 0

    async def listed(self) -> list[Watched]:
        """All of it, the newest first."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                "SELECT imei, note, added_at FROM watched_imei ORDER BY added_at DESC, imei"
            )
            rows = await found.fetchall()
        return [Watched(imei=row[0], note=row[1], added_at=row[2]) for row in rows]


async def watched(connection: AsyncConnection, question: HandsetQuestion) -> list[ElsewhereFinding]:
    """A finding where any of a handset's numbers is on the list."""
    found = await connection.execute(
        "SELECT FROM watched_imei WHERE imei = ANY(%s) LIMIT 1", (list(question.imeis),)
    )
    return [ElsewhereFinding(kind=Elsewhere.WATCH_LISTED)] if found.rowcount > 0 else []
