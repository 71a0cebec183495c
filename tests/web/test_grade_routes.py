"""Grades over the API and by the commands: by whom, of what, and where they are shown."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from typer.testing import CliRunner

from benchd.cli.client import SOCKET_VARIABLE
from benchd.cli.main import app as commands
from benchd.domain.grade import ELEVEN
from benchd.domain.ids import JobId
from benchd.domain.people import Role
from benchd.domain.record import EntryKind
from benchd.intake.grade_desk import GradeDesk
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.texts.catalogue import Catalogue
from tests.core.world import CountingEntropy
from tests.people.people_rig import BADGE, BY, PIN
from tests.people.somebody import somebody
from tests.web.fake_sessions import WORKER
from tests.web.served import app_of
from tests.web.staffed import OpenShop, asked
from tests.web.web_fakes import JOB, FakeClock, FakeRack
from tests.web.web_running import SEES_ALL, browser, running

pytestmark = pytest.mark.asyncio

TEXTS = Catalogue.load()
CLERK = str(somebody(WORKER).person)
LOT = {"lot": "L-1", "consignor": "private", "kind": "purchase", "operator": CLERK}
T1, OF_JOB = "/api/v1/assets/T1/grade", f"/api/v1/jobs/{JOB}/grade"


class Room:
    """The application of a rack with a lot and a sold handset."""

    def __init__(self) -> None:
        self.rack = FakeRack()
        self.desk = IntakeDesk(IntakeStore(self.rack.ledger, FakeClock()), CountingEntropy())
        self.grades = GradeDesk(self.rack.ledger, FakeClock(), lambda: self.desk.book)
        self.app = app_of(self.rack, TEXTS, callers=SEES_ALL, intake=self.desk, grades=self.grades)
        self.client = partial(browser, self.app)


@pytest.fixture
def room() -> Room:
    room = Room()

    async def take_in() -> None:
        async with room.client() as http:
            assert (await http.post("/api/v1/lots", json=LOT)).status_code == 200
            added = await http.post("/api/v1/lots/L-1/assets", json={"tag": "T1", "grade": "B"})
            assert added.status_code == 200

    anyio.run(take_in)
    room.rack.ledger.keep_sold()
    return room


async def test_the_newest_of_an_asset_stands_beside_what_its_papers_say(room: Room) -> None:
    async with room.client() as http:
        listed = (await http.get("/api/v1/grades")).json()["grades"]
        assert [grade["code"] for grade in listed] == ["S", "A", "B", "C", "J"]
        first = (await http.post(T1, json={"grade": "a", "operator": CLERK})).json()
        assert (first["code"], first["ja"], first["en"]) == ("A", "美品", "fine")
        assert (first["operator"], first["person"], first["shown_by"]) == (
            WORKER,
            CLERK,
            "badge_and_pin",
        )
        second = (await http.post(T1, json={"grade": "C", "note": "ひび"})).json()
        asset = (await http.get("/api/v1/assets/T1")).json()
        assert (asset["grade"], asset["graded"]) == ("B", second)
        [of_lot] = (await http.get("/api/v1/assets?lot=L-1")).json()["assets"]
        assert of_lot == asset
    assert len(room.rack.ledger.of(EntryKind.HANDSET_GRADED)) == 2


async def test_a_job_tells_all_that_its_handset_was_given_and_its_battery(room: Room) -> None:
    before = list(await room.rack.ledger.entries(JobId(JOB)))
    async with room.client() as http:
        plain = (await http.get(f"/api/v1/jobs/{JOB}")).json()
        assert plain["graded"] == []
        nothing = dict.fromkeys(("health_percent", "health_method", "cycles", "cycles_method"))
        assert plain["battery"] == nothing
        for code in ("A", "B"):
            assert (await http.post(OF_JOB, json={"grade": code})).status_code == 200
        told = (await http.get(f"/api/v1/jobs/{JOB}")).json()
    assert [given["code"] for given in told["graded"]] == ["A", "B"]
    assert {**told, "graded": []} == plain, "nothing else of a job changes"
    assert list(await room.rack.ledger.entries(JobId(JOB))) == before


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        (T1, {"grade": "D"}, 409, "there is no grade D: allowed are S, A, B, C, J"),
        ("/api/v1/assets/T9/grade", {"grade": "A"}, 404, "there is no asset T9"),
        ("/api/v1/jobs/nothing/grade", {"grade": "A"}, 404, "there is no job nothing"),
        (T1, {"grade": ""}, 422, "grade"),
        (T1, {"grade": "A", "price": 1}, 422, "price"),
        (T1, {"grade": "A", "operator": "somebody-else"}, 401, "signed in here"),
        (T1, {"grade": "A", "note": "a\u202eb"}, 409, "note has at most"),
    ],
)
async def test_what_cant_be_is_refused_and_leaves_nothing(
    room: Room, path: str, body: dict[str, object], status: int, message: str
) -> None:
    async with room.client() as http:
        answer = await http.post(path, json=body)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]
    assert room.rack.ledger.of(EntryKind.HANDSET_GRADED) == []


async def test_it_is_told_in_japanese_which_grades_there_are(room: Room) -> None:
    async with room.client() as http:
        error = (await http.post(T1, json={"grade": "D"})).json()["error"]
    assert error["cause"]["ja"] == "ランク D は一覧にありません。使えるのは S, A, B, C, J です"


MAY = {Role.OPERATOR, Role.CONFIRMER, Role.SUPERVISOR}


@pytest.mark.parametrize("role", Role)
async def test_by_role_with_a_badge_alone_and_by_nobody(
    rack: FakeRack, shop: OpenShop, role: Role
) -> None:
    rack.ledger.keep_sold()
    async with shop() as here, here.browser() as at:
        assert await asked(at, "POST", OF_JOB, {"grade": "A"}) == (401, "not_signed_in")
        await here.door.people.set_roles(BY, "mori", [role])
        await here.sign_in(at, badge=BADGE)
        wanted = (200, "") if role in MAY else (403, "not_allowed")
        assert await asked(at, "POST", OF_JOB, {"grade": "A"}) == wanted
        await here.sign_in(at, badge=BADGE, pin=PIN)
        assert await asked(at, "POST", OF_JOB, {"grade": "B"}) == wanted
    kept = rack.ledger.of(EntryKind.HANDSET_GRADED)
    shown = [entry.data["by"]["shown_by"] for entry in kept]  # type: ignore[index, call-overload]
    assert shown == (["badge", "badge_and_pin"] if role in MAY else [])


def run(*arguments: str, socket: Path) -> tuple[int, str]:
    done = CliRunner().invoke(
        commands, ["grade", *arguments], env={SOCKET_VARIABLE: str(socket), "LANG": "ja_JP.UTF-8"}
    )
    return done.exit_code, done.output + str(done.exception or "")


async def test_by_the_commands(room: Room, tmp_path: Path) -> None:
    room.grades.scale = ELEVEN
    socket = tmp_path / "benchd.sock"

    async def command(*arguments: str) -> tuple[int, str]:
        return await anyio.to_thread.run_sync(partial(run, *arguments, socket=socket))

    async with running(room.app, socket):
        code, listed = await command("list")
        assert code == 0
        assert "A+\t美品（上）\tfine, upper" in listed
        assert await command("set", "a+", "--tag", "T1") == (0, "T1: ランク A+ を記録しました。\n")
        assert (await command("set", "B", "--job", JOB))[0] == 0
        for wrong in (["B"], ["B", "--tag", "T1", "--job", JOB], ["Z", "--tag", "T1"]):
            assert (await command("set", *wrong))[0] != 0
    codes = [entry.data["code"] for entry in room.rack.ledger.of(EntryKind.HANDSET_GRADED)]
    assert codes == ["A+", "B"]
