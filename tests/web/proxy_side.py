"""A rack behind a proxy, the people that the proxy may name, and what it may not say."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx2

from benchd.domain.ids import OperatorName
from benchd.domain.people import PersonId
from benchd.signing.tls import Tls
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Callers, Way
from benchd.web.proxy import NameOf, Shown, TrustedProxy
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack, running_view
from tests.web.web_running import Running, running

HEADER = "X-Remote-User"
PEOPLE = {PersonId("sato"): OperatorName("佐藤"), PersonId("suzuki-2"): OperatorName("鈴木")}
LIES = [
    [("x-remote-user", "sato")],
    [("X-REMOTE-USER", "sato")],
    [("x-ReMoTe-UsEr", "sato")],
    [(HEADER, "")],
    [(HEADER, "sato"), (HEADER, "sato")],
]
"""What a request may not hold that doesn't come from the proxy."""
NOBODY = [
    [(HEADER, "sato"), (HEADER, "sato")],
    [(HEADER, "sato"), ("x-remote-user", "suzuki-2")],
    [(HEADER, "sato"), (HEADER, "")],
    [(HEADER, "sato, suzuki-2")],
    [(HEADER, "sato,suzuki-2")],
    [(HEADER, ",sato")],
    [(HEADER, "Sato")],
    [(HEADER, "SATO")],
    [(HEADER, "sa to")],
    [(HEADER, "sato\x00")],
    [(HEADER, "sato\u00ad".encode().decode("latin-1"))],
    [(HEADER, "佐藤".encode().decode("latin-1"))],
    [(HEADER, "s" * 65)],
    [(HEADER, "mallory")],
    [(HEADER, "../sato")],
]
"""What the proxy itself may not send: it would be unclear, or nobody is called so."""


def name_of(person: PersonId) -> OperatorName | None:
    return PEOPLE.get(person)


def proxied(
    sends: Shown, *ways: Way, anonymous: AccessLevel = AccessLevel.WALL, names: NameOf = name_of
) -> Callers:
    proxy = TrustedProxy(header=HEADER, sends=sends, name_of=names)
    return Callers(ways, proxy=proxy, anonymous=anonymous)


@asynccontextmanager
async def rack_behind(
    rack: FakeRack, catalogue: Catalogue, folder: Path, callers: Callers, tls: Tls | None = None
) -> AsyncGenerator[Running]:
    rack.board.show(running_view())
    rack.ledger.keep_job()
    app = app_of(rack, catalogue, callers=callers, allowed_hosts=["rack7.example"])
    async with running(app, folder / "benchd.sock", tls=tls) as here:
        yield here


Behind = Callable[..., AbstractAsyncContextManager[Running]]


def anybody(person: PersonId) -> OperatorName | None:
    """Whoever is named, is somebody."""
    return OperatorName(person)


async def sees(client: httpx2.AsyncClient, headers: object = None) -> str:
    """How much of the rack a request is shown, or why it isn't served."""
    answer = await client.get("/api/v1", headers=headers)  # type: ignore[arg-type]
    told: Mapping[str, Mapping[str, str]] = answer.json()
    return str(told["error"]["code"] if "error" in told else told["shown"])
