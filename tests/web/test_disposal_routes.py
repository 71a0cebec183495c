"""Who may say over TCP what becomes of a handset, by role and by what they have shown."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest

from benchd.daemon.system import SystemEntropy
from benchd.domain.authority import AUTHORITY, Action
from benchd.domain.ids import JobId
from benchd.domain.people import Role
from benchd.domain.record import EntryKind
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.ledger.records.records_access import Records
from benchd.texts.catalogue import Catalogue
from benchd.web.session_routes import SESSION
from tests.people.people_rig import BADGE, BY, PIN, door_in
from tests.web.served import app_of
from tests.web.test_records_routes import PAPERS
from tests.web.test_session_routes import CSRF, SHOWN, Shop
from tests.web.web_fakes import FakeClock, FakeRack, Feed

pytestmark = pytest.mark.asyncio

CRUSHED: dict[str, str] = {"state": "destroyed", **PAPERS}
RELEASED: dict[str, str] = {"state": "to_return", "note": "lock not removed"}


@asynccontextmanager
async def shop(folder: Path, rack: FakeRack, catalogue: Catalogue) -> AsyncGenerator[Shop]:
    """Two handsets that wait: `doomed` to be destroyed, `held` on hold."""
    rack.ledger.keep_job(job=JobId("doomed"), disposition="destroy", reason="felica_residue")
    rack.ledger.keep_job(job=JobId("held"))
    async with door_in(folder) as door:
        app = app_of(
            rack,
            catalogue,
            callers=door.callers(),
            people=door.people,
            sessions=door.sessions,
            records=Records(folder / "records.sqlite", Feed(rack)),
        )
        yield Shop(rack, door, app)


async def settle(at: httpx2.AsyncClient, job: str, told: dict[str, str]) -> tuple[int, str]:
    answer = await at.post(f"/api/v1/disposal/{job}", json=told)
    return answer.status_code, answer.json().get("error", {}).get("code", "")


def wanted(action: Action, role: Role, shown: str) -> tuple[int, str]:
    if role not in AUTHORITY[action].roles:
        return 403, "not_allowed"
    return (200, "") if shown == "badge and pin" else (403, "more_to_show")


@pytest.mark.parametrize("shown", SHOWN)
@pytest.mark.parametrize("role", Role)
async def test_settling_by_role_and_by_what_was_shown(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, role: Role, shown: str
) -> None:
    async with shop(tmp_path, rack, catalogue) as here, here.browser() as at:
        await here.door.people.set_roles(BY, "mori", [role])
        await here.sign_in(at, **SHOWN[shown])
        settling = wanted(Action.SETTLE, role, shown)
        assert await settle(at, "doomed", CRUSHED) == settling
        # To release takes what settling takes, and more.
        releasing = wanted(Action.RELEASE, role, shown) if settling[0] == 200 else settling
        assert await settle(at, "held", RELEASED) == releasing


async def test_nobody_and_a_cookie_alone_settle_nothing(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue) as here, here.browser() as at:
        assert await settle(at, "doomed", CRUSHED) == (401, "not_signed_in")
        assert (await at.post(SESSION, json={"badge": BADGE, "pin": PIN})).status_code == 201
        assert await settle(at, "doomed", CRUSHED) == (401, "not_signed_in")
        at.headers[CSRF] = "another's"
        assert await settle(at, "doomed", CRUSHED) == (401, "not_signed_in")
    settled = [s for s in rack.ledger.stored if s.entry.kind is EntryKind.HANDSET_SETTLED]
    assert settled == []


async def test_who_settles_is_on_record(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue) as here, here.browser() as at:
        await here.door.people.set_roles(BY, "mori", [Role.OPERATOR])
        await here.sign_in(at, badge=BADGE, pin=PIN)
        assert await settle(at, "doomed", {**CRUSHED, "operator": "kato"}) == (401, "not_signed_in")
        assert await settle(at, "doomed", CRUSHED) == (200, "")
    kept = rack.ledger.stored[-1].entry
    assert (kept.kind, kept.data["person"]) == (EntryKind.HANDSET_SETTLED, "mori")
    assert kept.data["shown_by"] == "badge_and_pin"


async def test_what_could_not_be_plugged_in_is_listed_found_and_settled(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    intake = IntakeDesk(IntakeStore(rack.ledger, FakeClock()), SystemEntropy())
    async with door_in(tmp_path) as door:
        records = Records(tmp_path / "records.sqlite", Feed(rack))
        app = app_of(
            rack,
            catalogue,
            callers=door.callers(),
            people=door.people,
            sessions=door.sessions,
            records=records,
            intake=intake,
        )
        here = Shop(rack, door, app)
        await door.people.set_roles(BY, "mori", [Role.OPERATOR])
        async with here.browser() as at, anyio.create_task_group() as group:
            await here.sign_in(at, badge=BADGE, pin=PIN)
            lot = {"lot": "L-1", "consignor": "個人", "kind": "purchase", "paper": "No.12"}
            assert (await at.post("/api/v1/lots", json=lot)).is_success
            asset = {"tag": "T-001", "model": "SO-51B"}
            assert (await at.post("/api/v1/lots/L-1/assets", json=asset)).is_success
            dead = await at.post("/api/v1/assets/T-001/unerasable", json={"reason": "no_power"})
            case = dead.json()["case"]
            group.start_soon(records.run)
            with anyio.fail_after(30):
                await records.until(lambda: records.upto.sequence == len(rack.ledger.stored))
            [item] = (await at.get("/api/v1/disposal")).json()["items"]
            assert (item["job"]["job"], item["job"]["state"]) == (case, "to_destroy")
            assert (item["job"]["tag"], item["job"]["unerasable"]) == ("T-001", "no_power")
            assert item["job"]["reason_text"]["ja"] == "電源が入らない"
            assert item["moves"] == ["run_again", "destroyed"]
            [found] = (await at.get("/api/v1/handsets?find=T-001")).json()["handsets"]
            assert found["newest"]["job"] == case
            assert (await at.get(f"/api/v1/handsets/{case}")).is_success
            assert (await at.get(f"/api/v1/jobs/{case}")).status_code == 404
            assert (await at.get("/api/v1/jobs")).json()["jobs"] == []
            assert await settle(at, case, CRUSHED) == (200, "")
            group.cancel_scope.cancel()
