"""Tokens on a real ledger, and the web that they open, by clocks that are moved by hand."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from fastapi import FastAPI

from benchd.daemon.rack_tokens import latest_time
from benchd.domain.ports import Entropy
from benchd.domain.record import EntryKind
from benchd.domain.token import Scope
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.ledger import open_ledger
from benchd.ledger.records.records_access import Records
from benchd.people.tokens.token_authentication import TokenAuthenticator, shares
from benchd.people.tokens.token_register import Tokens
from benchd.slots.question_desk import Desk
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel
from tests.people.people_rig import BY, Counting, Door, HandClock, HandSeconds, RackKey, door_in
from tests.web.served import app_of
from tests.web.test_rack_routes import fake_source
from tests.web.web_fakes import FakeClock, FakeRack, Feed


@asynccontextmanager
async def tokens_in(
    folder: Path, clock: HandClock, entropy: Entropy | None = None
) -> AsyncGenerator[Tokens]:
    """A start on what lies in this folder."""
    async with open_ledger(folder / "ledger.sqlite", head_key=RackKey()) as ledger:
        tokens = Tokens(ledger.append, clock, entropy or Counting())
        tokens.load(await ledger.of_kind(EntryKind.TOKEN_CHANGED), await latest_time(ledger))
        yield tokens


@dataclass(slots=True)
class House:
    """A rack with people at its door, and with tokens."""

    app: FastAPI
    rack: FakeRack
    people: Door
    tokens: Tokens
    clock: HandClock
    seconds: HandSeconds
    records: Records
    intake: IntakeDesk

    async def token(self, name: str, scopes: Collection[Scope] = tuple(Scope)) -> str:
        """The secret of a new token."""
        _, secret = await self.tokens.create(BY, name, scopes, days=30)
        return secret

    def client(
        self, secret: str | None = None, address: str = "http://127.0.0.1:8420", **transport: object
    ) -> httpx2.AsyncClient:
        """Another system; without a secret it shows nothing."""
        headers = {} if secret is None else bearing(secret)
        inside = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False, **transport)  # type: ignore[arg-type]
        return httpx2.AsyncClient(transport=inside, base_url=address, headers=headers)


def bearing(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


@asynccontextmanager
async def house_in(
    folder: Path,
    rack: FakeRack,
    catalogue: Catalogue,
    *,
    anonymous: AccessLevel = AccessLevel.WALL,
    per_minute: int = 6000,
    records: Records | None = None,
) -> AsyncGenerator[House]:
    """Every room of the API; tokens have a ledger of their own."""
    apart = folder / "tokens"
    apart.mkdir()
    clock, seconds = HandClock(), HandSeconds()
    async with door_in(folder) as people, tokens_in(apart, clock) as tokens:
        rack.desk = Desk(rack.ledger, FakeClock(), people.people)
        records = records or Records(folder / "records.sqlite", Feed(rack))
        intake = IntakeDesk(IntakeStore(rack.ledger, FakeClock()), Counting(), rack.board.views)
        app = app_of(
            rack,
            catalogue,
            callers=people.callers(anonymous),
            allowed_hosts=["rack7.example"],
            scrape=fake_source,
            people=people.people,
            sessions=people.sessions,
            records=records,
            intake=intake,
            tokens=TokenAuthenticator(tokens, shares(per_minute, seconds), seconds),
        )
        yield House(
            app=app,
            rack=rack,
            people=people,
            tokens=tokens,
            clock=clock,
            seconds=seconds,
            records=records,
            intake=intake,
        )


OpenHouse = Callable[..., AbstractAsyncContextManager[House]]
"""`house_in` in a test's own folder."""


def code_of(answer: httpx2.Response) -> tuple[int, str]:
    """The status and the code of what was refused."""
    return answer.status_code, str(answer.json()["error"]["code"])
