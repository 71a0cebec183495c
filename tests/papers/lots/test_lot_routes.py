"""Lot papers over HTTP and by command: who may have them, what of, and that they come whole."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import pytest
from typer.testing import CliRunner, Result

from benchd.certificate import SigningKey
from benchd.cli.main import app as commands
from benchd.domain.authority import AUTHORITY, Action
from benchd.domain.lot_papers import PapersOf
from benchd.domain.people import Role
from benchd.papers.lots.lot_papers_check import check_papers
from benchd.web import paper_routes
from benchd.web.session_routes import SESSION
from tests.papers.lots.conftest import fill
from tests.papers.lots.lot_rack import LotRack, job_id
from tests.papers.papers_made import CATALOGUE
from tests.people.people_rig import BADGE, BY, PIN, Door, door_in
from tests.web.served import app_of
from tests.web.web_running import SEES_ALL, Running, browser, running

PAPERS = "/api/v1/papers.zip"


@asynccontextmanager
async def visited(rack: LotRack, folder: Path) -> AsyncGenerator[httpx2.AsyncClient]:
    async with (
        rack.press(folder) as press,
        browser(app_of(rack.rack, CATALOGUE, callers=SEES_ALL, papers=press)) as client,
    ):
        yield client


@asynccontextmanager
async def guarded(rack: LotRack, folder: Path) -> AsyncGenerator[tuple[Door, Running]]:
    """With real people at the door."""
    async with rack.press(folder) as press, door_in(folder) as door:
        app = app_of(
            rack.rack,
            CATALOGUE,
            callers=door.callers(),
            people=door.people,
            sessions=door.sessions,
            papers=press,
        )
        async with running(app, folder / "benchd.sock") as here:
            yield door, here


@pytest.mark.asyncio
async def test_a_lots_papers_come_whole_and_its_name_gets_into_no_header(
    rack: LotRack, key: SigningKey, tmp_path: Path
) -> None:
    fill(rack)
    rack.lot('L"; x=\\..', "U-1")
    async with visited(rack, tmp_path) as client:
        answer = await client.get(PAPERS, params={"lot": "L-1"})
        other = await client.get(PAPERS, params={"lot": 'L"; x=\\..'})
    for each, name in ((answer, "papers-lot-L-1.zip"), (other, "papers-lot-L___x____.zip")):
        assert each.status_code == 200
        assert each.headers["content-type"] == "application/zip"
        assert each.headers["content-disposition"] == f'attachment; filename="{name}"'
    file = tmp_path / "papers.zip"
    file.write_bytes(answer.content)
    checked = await anyio.to_thread.run_sync(check_papers, file, key.ring, CATALOGUE)
    assert checked.certificates == 2


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 422),
        ({"lot": "L-1", "day": "2026-11-03"}, 422),
        ({"lot": "L-1", "consignor": "例示商事"}, 422),
        ({"day": "2026-02-30"}, 422),
        ({"day": "9999-12-31"}, 422),
        ({"day": "0001-01-01"}, 422),
        ({"day": "2026-10-01"}, 404),
        ({"lot": "L-9"}, 404),
        ({"lot": "x" * 200}, 422),
        ({"consignor": "\r\nset-cookie: x"}, 404),
    ],
)
async def test_what_is_asked_for_is_one_thing_that_is_there(
    rack: LotRack, tmp_path: Path, asked: dict[str, str], status: int
) -> None:
    rack.lot("L-1", "T-1")
    async with visited(rack, tmp_path) as client:
        answer = await client.get(PAPERS, params=asked)
    assert answer.status_code == status
    assert "error" in answer.json()


@pytest.fixture
def japan(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The rack's time zone."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("japan")
def test_a_day_is_the_racks_own() -> None:
    asked = paper_routes.asked_papers(None, date(2026, 11, 3), None)
    assert (asked.of, asked.name) == (PapersOf.DAY, "2026-11-03")
    assert asked.begin == datetime(2026, 11, 2, 15, tzinfo=UTC)
    assert asked.end == datetime(2026, 11, 3, 15, tzinfo=UTC)


@pytest.mark.asyncio
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("shown", ["badge", "badge and pin"])
async def test_each_role_by_what_was_shown(
    rack: LotRack, tmp_path: Path, role: Role, shown: str
) -> None:
    """A session's cookie is enough, as a link sends it; whose role it isn't gets nothing."""
    rack.lot("L-1", "T-1")
    async with (
        guarded(rack, tmp_path) as (door, here),
        here.over_unix() as at,
    ):
        await door.people.set_roles(BY, "mori", [role])
        given = {"badge": BADGE} | ({"pin": PIN} if shown != "badge" else {})
        await at.post(SESSION, json=given)
        answer = await at.get(PAPERS, params={"lot": "L-1"})
    rule = AUTHORITY[Action.TAKE_OUT]
    assert rule.by_badge
    assert answer.status_code == (200 if role in rule.roles else 403)


@pytest.mark.asyncio
async def test_who_has_not_signed_in_gets_nothing(rack: LotRack, tmp_path: Path) -> None:
    rack.lot("L-1", "T-1")
    async with (
        guarded(rack, tmp_path) as (_, here),
        here.over_tcp() as tcp,
    ):
        tcp.headers.clear()
        answer = await tcp.get(PAPERS, params={"lot": "L-1"})
    assert answer.status_code in (401, 403)
    assert b"PK" not in answer.content


@pytest.mark.asyncio
async def test_a_daemon_that_stops_waits_for_no_papers(rack: LotRack, tmp_path: Path) -> None:
    rack.sold_lot(*(f"T-{number}" for number in range(1, 60)))
    got = b""
    async with (
        guarded(rack, tmp_path) as (_, here),
        here.over_unix() as at,
    ):
        async with at.stream("GET", PAPERS, params={"lot": "L-1"}) as answer:
            pieces = answer.aiter_bytes()
            got += await anext(pieces)
            here.stop.set()
            with pytest.raises(httpx2.HTTPError):
                got += b"".join([piece async for piece in pieces])
        with anyio.fail_after(30):
            await here.ended.wait()
    assert got.startswith(b"PK")
    assert not zipfile.is_zipfile(io.BytesIO(got))


@pytest.mark.asyncio
async def test_who_leaves_in_the_middle_makes_room_for_others(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.sold_lot(*(f"T-{number}" for number in range(1, 60)))
    rack.lot("L-2", "U-1")
    small = {"lot": "L-2"}
    async with (
        guarded(rack, tmp_path) as (_, here),
        here.over_unix() as at,
        here.over_unix() as other,
    ):
        async with (
            at.stream("GET", PAPERS, params={"lot": "L-1"}) as one,
            at.stream("GET", PAPERS, params={"lot": "L-1"}) as two,
        ):
            # An iterator that is let go closes its connection.
            reading = [answer.aiter_bytes() for answer in (one, two)]
            for pieces in reading:
                await anext(pieces)
            refused = await other.get(PAPERS, params=small)
            assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        with anyio.fail_after(60):
            # Each of these asks anew; a PDF that is being made is made to its end.
            while (await other.get(PAPERS, params=small)).status_code == 429:
                pass


def benchd(*words: str | Path, socket: Path | None = None, language: str = "en_GB") -> Result:
    env = {"LC_ALL": language, "BENCHD_SOCKET": str(socket or "/nowhere")}
    return CliRunner().invoke(commands, list(map(str, words)), env=env)


@pytest.mark.asyncio
async def test_a_command_writes_them_and_another_checks_them(
    rack: LotRack, key: SigningKey, tmp_path: Path
) -> None:
    fill(rack)
    public = tmp_path / "rack.pub"
    public.write_bytes(key.public_key_pem)
    async with guarded(rack, tmp_path) as (_, here):
        for to in (tmp_path / "lot.zip", tmp_path / "lot"):
            words = ("papers", "export", to, "--lot", "L-1")
            said = await anyio.to_thread.run_sync(lambda w=words: benchd(*w, socket=here.path))
            assert said.exit_code == 0, said.output
            again = await anyio.to_thread.run_sync(lambda w=words: benchd(*w, socket=here.path))
            assert again.exit_code == 2
        none = tmp_path / "none.zip"
        missing = await anyio.to_thread.run_sync(
            lambda: benchd("papers", "export", none, "--lot", "L-9", socket=here.path)
        )
        assert isinstance(missing.exception, Exception)
    assert [path.name for path in tmp_path.glob("*.part")] == []
    assert not none.exists()

    def check(of: str, *more: str) -> Result:
        return benchd("papers", "verify", tmp_path / of, "--key", public, *more)

    for of in ("lot.zip", "lot"):
        said = await anyio.to_thread.run_sync(check, of)
        assert said.exit_code == 0, said.output
        assert "With a certificate (sellable): 2" in said.stdout
        assert f"The list is as key {key.key_id} has signed it" in said.stdout
        told = json.loads((await anyio.to_thread.run_sync(check, of, "--json")).stdout)
        assert told["papers"]["counts"]["certified"] == 2
        assert told["zip_compared"] is (of == "lot.zip")
    (tmp_path / "lot" / "certificates" / f"{job_id(1)}-T-1.pdf").unlink()
    said = await anyio.to_thread.run_sync(check, "lot")
    assert said.exit_code == 1
    assert "NOT VALID" in said.stderr
    assert "sellable" not in said.output


def test_exactly_one_of_three_is_asked_for(tmp_path: Path) -> None:
    for words in ((), ("--lot", "L-1", "--day", "2026-11-03")):
        said = benchd("papers", "export", tmp_path / "x.zip", *words)
        assert said.exit_code == 2
    assert list(tmp_path.iterdir()) == []
