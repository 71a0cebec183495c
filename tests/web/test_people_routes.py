"""People over the API: only whoever owns the rack's files, and no secret comes back out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchd.texts.catalogue import Catalogue
from benchd.web import acting_person
from tests.people.people_rig import people_in
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack
from tests.web.web_running import running

pytestmark = pytest.mark.asyncio

SATO = {"person": "sato", "name": "佐藤 健", "reading": "さとう けん", "roles": ["administrator"]}
PIN, BADGE = "902716", "B-7781-4402"


async def test_people_over_the_socket(rack: FakeRack, catalogue: Catalogue, tmp_path: Path) -> None:
    async with (
        people_in(tmp_path) as people,
        running(app_of(rack, catalogue, people=people), tmp_path / "benchd.sock") as here,
        here.over_unix() as client,
    ):
        added = await client.post("/api/v1/people", json=SATO)
        assert added.status_code == 201
        assert added.json() == {
            **SATO,
            "has_badge": False,
            "has_pin": False,
            "lost_secret": False,
            "disabled_from": None,
        }
        pin = await client.put("/api/v1/people/sato/pin", json={"pin": PIN})
        badge = await client.put("/api/v1/people/sato/badge", json={"code": BADGE})
        assert pin.json()["has_pin"]
        assert badge.json()["has_badge"]
        weak = await client.put("/api/v1/people/sato/pin", json={"pin": "111111"})
        assert (weak.status_code, weak.json()["error"]["code"]) == (409, "person_refused")
        like = await client.post("/api/v1/people", json={**SATO, "person": "sat0"})
        assert (like.status_code, like.json()["error"]["code"]) == (409, "person_refused")
        hidden = await client.post("/api/v1/people", json={**SATO, "name": "佐藤\u3164"})
        assert (hidden.status_code, hidden.json()["error"]["code"]) == (409, "name_refused")
        last = await client.put("/api/v1/people/sato/disabled", json={"disabled": True})
        assert last.status_code == 409
        nobody = await client.put("/api/v1/people/mori/roles", json={"roles": ["operator"]})
        assert nobody.status_code == 404
        everybody = await client.get("/api/v1/people")
        assert [one["person"] for one in everybody.json()["people"]] == ["sato"]
        for answer in (added, pin, badge, weak, everybody):
            assert PIN not in answer.text
            assert BADGE not in answer.text
        assert await people.is_pin(people.person("sato"), PIN)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/people"),
        ("POST", "/api/v1/people"),
        ("PUT", "/api/v1/people/sato/roles"),
        ("PUT", "/api/v1/people/sato/badge"),
        ("PUT", "/api/v1/people/sato/pin"),
        ("PUT", "/api/v1/people/sato/disabled"),
    ],
)
async def test_nobody_else(
    rack: FakeRack,
    catalogue: Catalogue,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
) -> None:
    bodies = {"people": SATO, "roles": {"roles": ["operator"]}, "badge": {"code": BADGE}}
    bodies |= {"pin": {"pin": PIN}, "disabled": {"disabled": True}}
    body = bodies[path.rpartition("/")[2]] if method != "GET" else None
    async with people_in(tmp_path) as people:
        app = app_of(rack, catalogue, people=people)
        async with running(app, tmp_path / "benchd.sock") as here:
            async with here.over_tcp() as client:
                refused = await client.request(method, path, json=body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (403, "socket_only")
            own = os.geteuid()
            monkeypatch.setattr(acting_person, "ROOT", own + 1)
            monkeypatch.setattr(acting_person.os, "geteuid", lambda: own + 2)
            async with here.over_unix() as client:
                refused = await client.request(method, path, json=body)
            assert (refused.status_code, refused.json()["error"]["code"]) == (401, "not_signed_in")
        assert people.everybody == ()
