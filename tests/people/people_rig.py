"""People on a real ledger and a real file, with PINs that cost next to nothing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.domain.people import By, PersonId, Role
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.ledger import open_ledger
from benchd.people.authentication import Authentication
from benchd.people.login_throttle import Tries
from benchd.people.person_register import People
from benchd.people.person_secrets import Argon2Cost, Secrets
from benchd.people.refused_tries import Refusals
from benchd.people.secrets_store import SecretStore
from benchd.people.sessions import Sessions
from benchd.signing.private_key import SigningKey
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Callers, session_way, unix_way

CHEAP = Argon2Cost(iterations=1, memory_kib=8, lanes=1)
KEY = bytes(range(32))
BY = By(actor=None, source="files, uid 0")
NOW = datetime(2026, 11, 26, 1, 0, tzinfo=UTC)

Append = Callable[[Entry], Awaitable[Receipt]]


@dataclass(slots=True)
class HandClock:
    """Moves when it is told to."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class RackKey(SigningKey):
    """An Ed25519 key in memory."""

    private: Ed25519PrivateKey = field(
        default_factory=lambda: Ed25519PrivateKey.from_private_bytes(KEY)
    )


def secrets_file(folder: Path) -> Path:
    return folder / "ledger.sqlite.people"


@asynccontextmanager
async def people_in(
    folder: Path,
    *,
    key: bytes = KEY,
    clock: HandClock | None = None,
    around: Callable[[Append], Append] = lambda append: append,
) -> AsyncGenerator[People]:
    """A start on what lies in this folder; `around` may break the ledger."""
    async with open_ledger(folder / "ledger.sqlite", head_key=RackKey()) as ledger:
        store = SecretStore(secrets_file(folder))
        try:
            secrets = Secrets(key, CHEAP)
            people = People(around(ledger.append), store, secrets, clock or HandClock())
            await people.load(await ledger.of_kind(EntryKind.PERSON_CHANGED))
            yield people
        finally:
            store.close()


BADGE, PIN = "B-7781-4402", "902716"
OTHER_BADGE, OTHER_PIN = "B-0031-9920", "551903"


async def staff(people: People) -> None:
    """An administrator with a PIN alone, an operator who has both, a confirmer with both."""
    await people.add(BY, "sato", name="佐藤 健", roles=[Role.ADMINISTRATOR, Role.SUPERVISOR])
    await people.set_pin(BY, "sato", "730184")
    await people.add(BY, "mori", name="森 葵", roles=[Role.OPERATOR])
    await people.set_badge(BY, "mori", BADGE)
    await people.set_pin(BY, "mori", PIN)
    await people.add(BY, "kato", name="加藤 舞", roles=[Role.OPERATOR, Role.CONFIRMER])
    await people.set_badge(BY, "kato", OTHER_BADGE)
    await people.set_pin(BY, "kato", OTHER_PIN)


@dataclass(slots=True)
class Door:
    """Everything between somebody and a session, over people on a real ledger."""

    people: People
    clock: HandClock
    seconds: HandSeconds
    records: list[Entry]
    showing: Authentication
    sessions: Sessions
    of_uid: dict[int, PersonId] = field(default_factory=dict[int, PersonId])
    """Who the machine's users are."""

    def callers(self, anonymous: AccessLevel = AccessLevel.READ) -> Callers:
        """Who may show themselves how at this rack's web."""
        unix = unix_way(self.of_uid.get, self.people.acting_name, None)
        return Callers((session_way(self.sessions), unix), anonymous=anonymous)


@dataclass(slots=True)
class HandSeconds:
    """Seconds that pass when they are told to."""

    s: float = 1000.0

    def __call__(self) -> float:
        return self.s


class Counting:
    """Entropy that never repeats, and is known."""

    def __init__(self) -> None:
        self.drawn = 0

    def token(self, size_bytes: int) -> bytes:
        self.drawn += 1
        return self.drawn.to_bytes(size_bytes)


@asynccontextmanager
async def door_in(folder: Path) -> AsyncGenerator[Door]:
    """A staffed rack's door."""
    clock, seconds = HandClock(), HandSeconds()
    records: list[Entry] = []

    def noted(append: Append) -> Append:
        async def note(entry: Entry) -> Receipt:
            records.append(entry)
            return await append(entry)

        return note

    async with people_in(folder, clock=clock) as people:
        await staff(people)
        append = noted(people._append)
        showing = Authentication(people, Tries(seconds), Refusals(append, clock, seconds), seconds)
        sessions = Sessions(
            people,
            showing,
            entropy=Counting(),
            now=seconds,
            idle_s=600,
        )
        yield Door(
            people=people,
            clock=clock,
            seconds=seconds,
            records=records,
            showing=showing,
            sessions=sessions,
        )
