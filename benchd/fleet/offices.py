"""Who may look handsets up at the centre, and the record of who has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from benchd.domain.errors import NotFound, NotSignedIn, UsageRefused
from benchd.domain.ids import JsonValue
from benchd.domain.ports import Entropy
from benchd.domain.token import LONGEST_DAYS, SECRET_BYTES, TOKEN_NAME, mark_of, secret_of
from benchd.fleet.fleet_database import FleetDatabase, kept_text

NOT_ACCEPTED: Final = "no token of this centre: look whether it is whole, or was revoked since"


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Whose token it is."""

    name: str
    expires_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Who has looked for what, and how many jobs were shown."""

    at: datetime
    office: str
    asked: str
    shown: int


class Offices:
    """The tokens for the read side: rows of the centre's database, which knows no secret."""

    def __init__(self, database: FleetDatabase) -> None:
        self._database = database

    async def add(self, name: str, days: int, entropy: Entropy) -> str:
        """Let somebody in, and give the secret, which is shown once. Raises UsageRefused."""
        if not TOKEN_NAME.fullmatch(name):
            raise UsageRefused(
                "a name has 1 to 32 lower-case letters a-z, digits and hyphens between them"
            )
        if not 1 <= days <= LONGEST_DAYS:
            raise UsageRefused(f"a token counts for 1 to {LONGEST_DAYS} days")
        secret = secret_of(entropy.token(SECRET_BYTES))
        async with self._database.transaction() as connection:
            made = await connection.execute(
                """
                INSERT INTO office (name, secret_sha256, expires_at) VALUES (%s, %s, now() + %s)
                ON CONFLICT DO NOTHING RETURNING name
                """,
                (name, mark_of(secret), timedelta(days=days)),
            )
            if await made.fetchone() is None:
                raise UsageRefused(f"there is or was a token {name}: names are never reused")
        return secret

    async def revoke(self, name: str) -> None:
        """Let it in no more. Raises NotFound."""
        async with self._database.transaction() as connection:
            made = await connection.execute(
                "UPDATE office SET revoked_at = coalesce(revoked_at, now()) WHERE name = %s"
                " RETURNING name",
                (name,),
            )
            if await made.fetchone() is None:
                raise NotFound(f"there is no token {name[:40]!r}")

    async def listed(self) -> Sequence[Office]:
        """Each that there has ever been, by name."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                "SELECT name, expires_at, revoked_at FROM office ORDER BY name"
            )
            return [
                Office(name=row[0], expires_at=row[1], revoked_at=row[2])
                for row in await found.fetchall()
            ]

    async def readings(self, most: int) -> Sequence[Reading]:
        """The newest of them."""
        async with self._database.transaction() as connection:
            found = await connection.execute(
                "SELECT at, office, asked, jsonb_array_length(shown) FROM office_reading"
                " ORDER BY id DESC LIMIT %s",
                (most,),
            )
            return [
                Reading(at=row[0], office=row[1], asked=row[2], shown=row[3])
                for row in await found.fetchall()
            ]


async def holder(connection: AsyncConnection, secret: str) -> str:
    """Whose secret this is; raises NotSignedIn for one that counts no more, or never did."""
    found = await connection.execute(
        "SELECT name FROM office WHERE secret_sha256 = %s AND revoked_at IS NULL"
        " AND expires_at > now()",
        (mark_of(secret),),
    )
    row = await found.fetchone()
    if row is None:
        raise NotSignedIn(NOT_ACCEPTED)
    return str(row[0])


async def note_reading(
    connection: AsyncConnection, office: str, asked: str, shown: Sequence[JsonValue]
) -> None:
    """Put on record who is about to be shown what: the answer goes out after the commit."""
    await connection.execute(
        "INSERT INTO office_reading (office, asked, shown) VALUES (%s, %s, %s)",
        (office, kept_text(asked), Jsonb(list(shown))),
    )
