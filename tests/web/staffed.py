"""A rack with real people: who signs in, who answers, and who is refused."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from benchd.domain.job import Gate
from benchd.ledger.records.records_access import Records
from benchd.slots.question_desk import Desk
from benchd.texts.catalogue import Catalogue
from benchd.web.callers import Callers
from benchd.web.session_routes import SESSION
from tests.people.people_rig import BADGE, PIN, Door, door_in
from tests.web.served import app_of
from tests.web.web_fakes import JOB, FakeClock, FakeRack, Feed

DECISIONS = f"/api/v1/jobs/{JOB}/decisions"
CSRF = "x-benchd-csrf"
SHOWN: dict[str, dict[str, str]] = {
    "badge": {"badge": BADGE},
    "pin": {"person": "mori", "pin": PIN},
    "badge and pin": {"badge": BADGE, "pin": PIN},
}
NOTES = {
    Gate.NETWORK: "○",
    Gate.IMEI: "356938035643809",
    Gate.SERIAL: "HQ6123",
    Gate.ASSET: "T1",
    Gate.DESTROYED_BEFORE: "its board was replaced",
    Gate.SAME_HANDSET: "other, compared",
    Gate.SAME_HANDSET_HELD: "other, compared",
}


class Shop:
    """A rack with real people, seen over TCP as every browser sees it."""

    def __init__(self, rack: FakeRack, door: Door, app: FastAPI, records: Records) -> None:
        self.rack = rack
        self.door = door
        self.app = app
        self.records = records

    def browser(self, url: str = "http://127.0.0.1:8420") -> httpx2.AsyncClient:
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url=url)

    async def sign_in(self, at: httpx2.AsyncClient, **shown: str) -> httpx2.Response:
        answer = await at.post(SESSION, json=shown)
        if answer.is_success:
            at.headers[CSRF] = answer.json()["csrf"]
        return answer

    async def answer(self, at: httpx2.AsyncClient, gate: Gate, **more: object) -> tuple[int, str]:
        """The status and code of an answer that is given while its question is open."""
        body = {"gate": gate, "approved": True, "note": NOTES.get(gate, ""), **more}
        async with self.rack.asking(gate):
            return await asked(at, "POST", DECISIONS, body)


async def asked(at: httpx2.AsyncClient, method: str, path: str, body: object) -> tuple[int, str]:
    """The status of what is asked for, and the code of why it isn't done."""
    answer = await at.request(method, path, json=body)
    try:
        return answer.status_code, str(answer.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return answer.status_code, ""


@asynccontextmanager
async def staffed(
    rack: FakeRack,
    catalogue: Catalogue,
    folder: Path,
    callers: Callable[[Door], Callers] = Door.callers,
    **parts: Any,  # noqa: ANN401 - as `app_of` takes them
) -> AsyncGenerator[Shop]:
    async with door_in(folder) as door:
        rack.desk = Desk(rack.ledger, FakeClock(), door.people)
        records = Records(folder / "records.sqlite", Feed(rack))
        app = app_of(
            rack,
            catalogue,
            callers=callers(door),
            people=door.people,
            sessions=door.sessions,
            records=records,
            **parts,
        )
        yield Shop(rack, door, app, records)


OpenShop = Callable[..., AbstractAsyncContextManager[Shop]]
