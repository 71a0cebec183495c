"""A badge among what is to be kept: refused at every route, repeated to nobody, never on record."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import APIRoute

from benchd.domain.errors import BadgeInText
from benchd.domain.intake import Mistake
from benchd.domain.people import PersonId, Role
from benchd.domain.record import EntryKind
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import served_of
from benchd.web.cross_site_guard import SAFE_METHODS
from benchd.web.session_routes import SESSION
from tests.core.world import CountingEntropy
from tests.intake.lots import LOT, lot_with
from tests.people.people_rig import BADGE, BY, OTHER_BADGE, PIN
from tests.web.served import app_of
from tests.web.staffed import CSRF, OpenShop, Shop, asked, staffed
from tests.web.test_rows import path_of
from tests.web.web_fakes import FakeClock, FakeRack
from tests.web.web_running import running

pytestmark = pytest.mark.asyncio

REFUSED = (422, "badge_in_text")
FILES = {
    f"/api/v1/lots/{LOT}/assets.csv": "tag,model\nT-9,{}\n",
    "/api/v1/network.csv": "IMEI,判定,照会日時\n,{},\n",
}
"""What is sent as a file, with a place for the badge: told by its row and column."""
CODES = "/api/v1/codes"
KEEP_NOTHING = {SESSION, CODES}
"""What shows who somebody is, and what only looks up."""
HERE = "-here-"
"""Where the badge goes."""
MADE = "BD:P:AAAAAAAAAAAAAAAAAAAAAAAAAA"
"""A badge of another rack, perhaps."""


@dataclass(frozen=True)
class Place:
    """Where a text may be sent to be kept."""

    method: str
    path: str
    name: str
    body: object = None

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.name}"


def changing() -> Iterator[tuple[str, APIRoute]]:
    """Every route that changes something."""
    for route in app_of(FakeRack(), Catalogue.load()).routes:
        if isinstance(route, APIRoute) and route.path not in KEEP_NOTHING:
            for method in (route.methods or set()) - SAFE_METHODS:
                yield method, route


def is_text(schema: dict[str, Any]) -> bool:
    """Whether somebody may write what they like there, and nothing that is read as a time."""
    kinds = [schema, *schema.get("anyOf", ())]
    return any(
        kind.get("type") == "string" and not {"enum", "format", "const"} & kind.keys()
        for kind in kinds
    )


def places() -> Iterator[Place]:
    """Each field for a text of each of those routes, by the document of the API."""
    document = app_of(FakeRack(), Catalogue.load()).openapi()
    for method, route in changing():
        served = served_of(route.endpoint)
        assert served is not None
        if served.takes_secret:
            continue
        told = document["paths"][route.path][method.lower()]
        path = path_of(route.path).replace("/L1/", f"/{LOT}/")
        for one in told.get("parameters", ()):
            if is_text(one["schema"]) and one["in"] == "query":
                yield Place(method, f"{path}?{one['name']}={HERE}", one["name"])
            elif one["in"] == "path":
                there = path_of(route.path.replace(f"{{{one['name']}}}", HERE))
                yield Place(method, there, one["name"])
        content = told.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
        for field, schema in document["components"]["schemas"][name]["properties"].items():
            items = [one.get("items", {}) for one in (schema, *schema.get("anyOf", ()))]
            if is_text(schema):
                yield Place(method, path, field, {field: HERE})
            elif any(is_text(each) for each in items):
                yield Place(method, path, field, {field: ["T-1", HERE]})


PLACES = list(places())


@asynccontextmanager
async def worked(
    rack: FakeRack, catalogue: Catalogue, folder: Path
) -> AsyncGenerator[tuple[Shop, httpx2.AsyncClient]]:
    """Somebody who may do everything, over the socket, where every route is served."""
    desk = IntakeDesk(IntakeStore(rack.ledger, FakeClock()), CountingEntropy())
    await lot_with(desk, "T-1")
    async with (
        staffed(rack, catalogue, folder, intake=desk) as here,
        running(here.app, folder / "benchd.sock") as served,
        served.over_unix() as at,
    ):
        await here.door.people.set_roles(BY, "sato", list(Role))
        here.door.of_uid[os.getuid()] = PersonId("sato")
        yield here, at


async def test_the_walk_comes_past_every_route_with_a_text() -> None:
    """One that takes a file has its row above; one that takes neither has no text to keep."""
    names = {str(place) for place in PLACES}
    for text in (
        "assets model",
        "assets tag",
        "decisions note",
        "shipments name",
        "lots consignor",
    ):
        assert any(f"{name}".endswith(text) for name in names), text
    raw = {
        path_of(route.path).replace("/L1/", f"/{LOT}/")
        for _, route in changing()
        if route.path.endswith(".csv")
    }
    assert raw == set(FILES)
    unread = {
        route.path
        for _, route in changing()
        if route.body_field is None and not route.path.endswith(".csv")
    }
    # None of those reads its body itself.
    assert unread == {
        "/api/v1/drain",
        "/api/v1/jobs/{job}/label",
        "/api/v1/records/rebuild",
        "/api/v1/slots/{slot}/dossier",
        "/api/v1/tokens/{token}",
    }


async def test_no_route_keeps_a_badge_wherever_it_stands(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    assert len(PLACES) > 60
    async with worked(rack, catalogue, tmp_path) as (_, at):
        records = len(rack.ledger.stored)
        for place in PLACES:
            for badge in (BADGE, MADE):
                body = json.loads(json.dumps(place.body).replace(HERE, badge))
                path = place.path.replace(HERE, badge)
                answer = await at.request(place.method, path, json=body)
                told = answer.status_code, answer.json()["error"]["code"]
                assert told == REFUSED, place
                assert badge not in answer.text, place
                assert answer.json()["error"]["cause"]["ja"].startswith("担当者のバッジ")
        assert len(rack.ledger.stored) == records


@pytest.mark.parametrize("path", FILES)
async def test_a_file_tells_the_place_of_a_badge_and_not_the_badge(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, path: str
) -> None:
    async with worked(rack, catalogue, tmp_path) as (_, at):
        records = len(rack.ledger.stored)
        for dry in ("true", "false"):
            data = FILES[path].format(BADGE)
            answer = await at.post(f"{path}?dry_run={dry}&source=carrier", content=data.encode())
            assert BADGE not in answer.text
            told = answer.json()
            assert told["taken"] is False
            [place] = [each for each in told["mistakes"] if each["code"] == Mistake.BADGE]
            assert (place["line"], place["column"]) == (2, data.splitlines()[0].split(",")[1])
            heading = await at.post(
                f"{path}?dry_run={dry}&source=carrier",
                content=data.replace("\n", f",{OTHER_BADGE}\n", 1).encode(),
            )
            assert OTHER_BADGE not in heading.text
            assert [m["line"] for m in heading.json()["mistakes"] if m["code"] == "badge"] == [1, 2]
        assert len(rack.ledger.stored) == records


async def test_a_badge_is_found_in_the_middle_of_a_note_and_however_a_reader_types_it(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    path = f"/api/v1/lots/{LOT}/assets"
    wide = "".join(chr(ord(letter) + 0xFEE0) for letter in BADGE)
    async with worked(rack, catalogue, tmp_path) as (_, at):
        for text in (
            f"画面割れ{BADGE}",
            f"black {BADGE} scratched",
            f"T-7,{BADGE}",
            f"]C1{BADGE}",
            f"  {wide}\t",
        ):
            told = await asked(at, "POST", path, {"tag": "T-2", "model": text})
            assert told == REFUSED, text
        # What is like one, and a part of one, is none.
        for number, text in enumerate((BADGE[:-1], "SO-51B", "352099001761481", BADGE.lower())):
            added = {"tag": f"T-{number + 3}", "model": text}
            assert await asked(at, "POST", path, added) == (200, ""), text


async def test_what_is_on_record_by_that_name_already_can_be_named_again(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    """A label that was read before somebody put its code onto their badge; nobody stays stuck."""
    async with worked(rack, catalogue, tmp_path) as (here, at):
        await here.door.people.set_badge(BY, "kato", "T-000123")
        await here.door.people.set_badge(BY, "kato", None)
        tag = {"tag": "T-000123"}
        assert await asked(at, "POST", f"/api/v1/lots/{LOT}/assets", tag) == (200, "")
        await here.door.people.set_badge(BY, "kato", "T-000123")
        grade = {"grade": "S", "operator": "sato"}
        assert await asked(at, "POST", "/api/v1/assets/T-000123/grade", grade) == (200, "")


async def test_whoever_may_not_write_learns_nothing_of_whose_code_is_a_badge(
    shop: OpenShop,
) -> None:
    path = f"/api/v1/lots/{LOT}/assets"
    async with shop() as here, here.browser() as at:
        for code in (BADGE, "NOBODYS-1"):
            assert await asked(at, "POST", path, {"tag": code}) == (401, "not_signed_in")
        await here.door.people.set_roles(BY, "mori", [Role.AUDITOR])
        await here.sign_in(at, badge=BADGE, pin=PIN)
        for code in (OTHER_BADGE, "NOBODYS-1"):
            assert await asked(at, "POST", path, {"tag": code}) == (403, "not_allowed")


async def test_a_person_is_not_named_by_a_badge_with_or_without_a_daemon(shop: OpenShop) -> None:
    async with shop() as here:
        for told in (("b-7781", BADGE, ""), ("suzuki", "鈴木 一", BADGE)):
            new, name, reading = told
            with pytest.raises(BadgeInText):
                await here.door.people.add(
                    BY, new, name=name, reading=reading, roles=[Role.OPERATOR]
                )


async def test_item_6_a_code_is_asked_for_without_an_address_and_is_no_try(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    desk = IntakeDesk(IntakeStore(rack.ledger, FakeClock()), CountingEntropy())
    await lot_with(desk, "T-1")
    async with (
        staffed(rack, catalogue, tmp_path, intake=desk) as here,
        here.browser() as at,
    ):
        tries = len(here.door.records)

        async def told(code: str) -> dict[str, Any]:
            answer = await at.post(CODES, json={"code": code})
            assert answer.status_code == 200
            return answer.json()

        # Who isn't signed in, or writes nothing, isn't told whose badge it is.
        for code in (BADGE, OTHER_BADGE, "NOBODYS-1"):
            assert (await told(code))["badge"] is None
        await here.sign_in(at, badge=BADGE)
        assert [(await told(code))["badge"] for code in (OTHER_BADGE, "NOBODYS-1")] == [True, False]
        found = await told("T-1")
        assert found["asset"]["tag"] == "T-1"
        assert (found["lot"], found["badge"]) == (False, False)
        assert (await told(LOT))["lot"] is True
        # Without the token that no other site's page has, nobody is here.
        csrf = at.headers.pop(CSRF)
        assert (await told(OTHER_BADGE))["badge"] is None
        at.headers[CSRF] = csrf
        await here.door.people.set_roles(BY, "mori", [Role.AUDITOR])
        assert (await told(OTHER_BADGE))["badge"] is None
        assert not [
            one for one in here.door.records[tries:] if one.kind is EntryKind.PERSON_REFUSED
        ]
