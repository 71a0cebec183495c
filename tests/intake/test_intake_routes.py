"""Lots and assets over the API and by the commands, against the real application."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from typer.testing import CliRunner

from benchd.cli.client import SOCKET_VARIABLE
from benchd.cli.main import app as commands
from benchd.domain.errors import BenchdError, DecisionRefused
from benchd.domain.ids import JobId, SlotName
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState
from benchd.domain.token import System, TokenName
from benchd.intake.csv_format import LARGEST_FILE_BYTES
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.proof.evidence.intake_evidence import Who
from benchd.texts.catalogue import Catalogue
from benchd.web.app import LARGEST_BODY_BYTES
from tests.core.world import CountingEntropy
from tests.intake.lots import imei
from tests.people.somebody import somebody
from tests.web.fake_sessions import WORKER
from tests.web.served import app_of
from tests.web.web_fakes import JOB, FakeClock, FakeRack, identity, running_view
from tests.web.web_running import SEES_ALL, browser, running

pytestmark = pytest.mark.asyncio

TEXTS = Catalogue.load()
CLERK = str(somebody(WORKER).person)
CSV = f"管理番号,IMEI,機種\nT1,{imei(1)},SO-51B\nT2,,SC-51A\n"


class Room:
    """The application of a rack, with lots."""

    def __init__(self) -> None:
        self.rack = FakeRack()
        store = IntakeStore(self.rack.ledger, FakeClock())
        self.desk = IntakeDesk(store, CountingEntropy(), self.rack.board.views)
        self.app = app_of(self.rack, TEXTS, callers=SEES_ALL, intake=self.desk)
        self.client = partial(browser, self.app)


@pytest.fixture
def room() -> Room:
    return Room()


LOT: Mapping[str, object] = {
    "lot": "L-1",
    "consignor": "private",
    "kind": "purchase",
    "operator": CLERK,
    "paper": "No.12",
    "identity_check": "driving licence",
    "attests": ["consent", "identity"],
}


async def taken_in(http: Any, csv: str = CSV) -> None:  # noqa: ANN401 - an httpx2 client
    assert (await http.post("/api/v1/lots", json=LOT)).status_code == 200
    answer = await http.post("/api/v1/lots/L-1/assets.csv", content=csv.encode())
    assert answer.json() == {"taken": True, "rows": csv.count("\n") - 1, "mistakes": [], "late": 0}


async def test_a_lot_with_its_assets_over_the_api(room: Room) -> None:
    async with room.client() as http:
        await taken_in(http)
        lot = (await http.get("/api/v1/lots/L-1")).json()
        assert (lot["assets"], lot["attestations"][0]["kinds"]) == (2, ["consent", "identity"])
        assert (await http.get("/api/v1/lots")).json()["lots"][0]["lot"] == "L-1"
        asset = (await http.get("/api/v1/assets/T1")).json()
        assert (asset["imei"], asset["jobs"], asset["disposition"]) == (imei(1), [], None)
        both = (await http.get("/api/v1/assets", params={"lot": "L-1", "limit": 1})).json()
        assert ([a["tag"] for a in both["assets"]], both["more"]) == (["T1"], True)
        rest = {"lot": "L-1", "limit": 1, "skip": 1}
        second = (await http.get("/api/v1/assets", params=rest)).json()
        assert ([a["tag"] for a in second["assets"]], second["more"]) == (["T2"], False)
        told = {"kinds": ["jpki"], "excepted": ["T2"], "operator": CLERK}
        sequence = (await http.post("/api/v1/lots/L-1/attestations", json=told)).json()["sequence"]
        gone = {"attestation": sequence, "operator": CLERK}
        lot = (await http.post("/api/v1/lots/L-1/withdrawals", json=gone)).json()
        assert [each["withdrawn"] for each in lot["attestations"]] == [False, True]
        assert lot["attestations"][1]["withdrawals"] == [
            {"kinds": [], "tags": [], "note": "", "operator": WORKER}
        ]
        dead = {"reason": "no_power", "operator": CLERK}
        asset = (await http.post("/api/v1/assets/T2/unerasable", json=dead)).json()
        assert (asset["unerasable"], asset["disposition"]) == ("no_power", "destroy")
        lot = (await http.get("/api/v1/lots/L-1")).json()
        assert (lot["in_jobs"], lot["unerasable"]) == (0, 1)
    by = [str(stored.entry.data["by"]) for stored in room.rack.ledger.stored]
    assert len(set(by)) == 1
    for told in (WORKER, CLERK, "badge_and_pin"):
        assert told in by[0]


async def test_a_lot_tells_of_what_came_later_within_bounds(room: Room) -> None:
    system = Who.of_system(System(name=TokenName("stock"), source="192.0.2.7"))
    more = "tag\n" + "".join(f"N{number}\n" for number in range(30))
    room.desk.revalidate_by(lambda _: None)  # its token counts
    async with room.client() as http:
        await taken_in(http)
        await http.post("/api/v1/lots/L-1/attestations", json={"kinds": ["jpki"], "tags": ["T1"]})
        await room.desk.import_assets("L-1", more.encode(), by=system, dry_run=False)
        whole, named = (await http.get("/api/v1/lots/L-1")).json()["attestations"]
    assert (whole["excepted"], whole["late"]) == ([], 30)
    assert whole["late_tags"] == [f"N{number}" for number in range(20)]
    assert (named["late"], named["late_tags"]) == (0, [])


REFUSED: dict[str, tuple[int, str, Mapping[str, object] | bytes]] = {
    "no such lot": (404, "/api/v1/lots/L-9/attestations", {"kinds": ["jpki"], "operator": CLERK}),
    "an unknown kind": (422, "/api/v1/lots/L-1/attestations", {"kinds": ["x"], "operator": CLERK}),
    "nobody": (401, "/api/v1/lots", {**LOT, "lot": "L-2", "operator": ""}),
    "somebody else": (401, "/api/v1/lots", {**LOT, "lot": "L-2", "operator": "ito"}),
    "a field too many": (422, "/api/v1/lots", {**LOT, "lot": "L-2", "seller": "Yamada"}),
    "a time without a zone": (
        422,
        "/api/v1/lots",
        {**LOT, "lot": "L-2", "taken_in_at": "2026-11-20T10:00:00"},
    ),
    "the same lot": (409, "/api/v1/lots", LOT),
    "another's file": (401, "/api/v1/lots/L-1/assets.csv?operator=ito", b"tag\nT9\n"),
    "a file that is too large": (
        413,
        "/api/v1/lots/L-1/assets.csv",
        b"x" * (LARGEST_FILE_BYTES + 1),
    ),
    "another body that is large": (413, "/api/v1/lots", b"x" * (LARGEST_BODY_BYTES + 1)),
    "a slot that isn't there": (404, "/api/v1/slots/Z9/asset", {"tag": "T1", "operator": CLERK}),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_says_why_and_changes_nothing(room: Room, case: str) -> None:
    status, path, body = REFUSED[case]
    async with room.client() as http:
        await taken_in(http)
        records = len(room.rack.ledger.stored)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await http.post(
            path, content=content, headers={"content-type": "application/json"}
        )
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["message"]
    assert len(room.rack.ledger.stored) == records


async def test_a_scanned_tag_binds_the_handset_in_its_slot(room: Room) -> None:
    scanned = {"tag": "T1", "operator": CLERK}
    async with room.client() as http:
        await taken_in(http)
        mine = replace(identity(), imei=imei(1))
        room.rack.board.show(replace(running_view(), identity=mine))
        told = (await http.post("/api/v1/slots/A1/asset", json=scanned)).json()
        assert told == {"tag": "T1", "lot": "L-1", "bound_by": "tag", "model_differs": ""}
        again = await http.post("/api/v1/slots/A1/asset", json=scanned)
        other = await http.post("/api/v1/slots/A1/asset", json={**scanned, "tag": "T2"})
        assert (again.status_code, other.status_code) == (200, 409)
        assert (await http.get("/api/v1/assets/T1")).json()["jobs"] == [JOB]
        assert (await http.get("/api/v1/slots/A1")).json()["asset"] == {
            "lot": "L-1",
            "tag": "T1",
            "bound_by": "tag",
            "differs": "",
        }
    [bound] = [s.entry for s in room.rack.ledger.stored if s.entry.kind is EntryKind.ASSET_BOUND]
    assert (bound.job, bound.slot) == (JOB, "A1")


async def test_item_1_of_the_stumbles_it_is_told_before_whether_a_tag_could_be_bound(
    room: Room,
) -> None:
    rack, path = room.rack, "/api/v1/slots/A1/asset"
    asked = {"tag": "T3", "operator": CLERK}
    async with room.client() as http:
        await taken_in(http, CSV + "T3,,\n")
        rack.board.show(running_view())
        told = await http.post(path, json={**asked, "dry_run": True, "job": JOB})
        assert (told.status_code, told.json()["tag"]) == (200, "T3")
        other = {**asked, "tag": "T2", "dry_run": True}
        refused = (await http.post(path, json=other)).json()["error"]
        assert refused["code"] == "model_differs"
        assert "機種が書類と違います" in refused["cause"]["ja"]
        for changes, why in (
            ({"tag": "T1"}, "IMEIが書類と違います"),
            ({"job": "job-0"}, "端末が替わりました"),
        ):
            answer = await http.post(path, json={**asked, **changes})
            assert answer.status_code == 409
            assert why in answer.json()["error"]["cause"]["ja"]
        assert not rack.ledger.of(EntryKind.ASSET_BOUND)
        assert (await http.post(path, json={**asked, "job": JOB})).is_success
        # Two running jobs can't both be of one label.
        view = replace(running_view(), slot=SlotName("A2"), job=JobId("job-2"))
        rack.board.show(view)
        answer = await http.post("/api/v1/slots/A2/asset", json={**asked, "dry_run": True})
        assert "スロット A1 の端末のものです" in answer.json()["error"]["cause"]["ja"]
        rack.board.show(replace(running_view(), state=SlotState.FINISHED))
        assert (await http.post("/api/v1/slots/A2/asset", json=asked)).is_success
    assert len(rack.ledger.of(EntryKind.ASSET_BOUND)) == 2


async def test_item_4_of_the_stumbles_an_asset_is_found_by_a_part_of_its_numbers(
    room: Room,
) -> None:
    async with room.client() as http:
        await taken_in(http, f"管理番号,IMEI,シリアル番号\nT1,{imei(1)},\nT-000777,,R58M777\n")

        async def found(text: str, **how: int) -> list[str]:
            answer = await http.get("/api/v1/assets", params={"find": text, **how})
            return [asset["tag"] for asset in answer.json()["assets"]]

        assert await found("T1") == await found(imei(1)[3:]) == ["T1"]
        assert await found("ｒ58ｍ") == await found(" 000777 ") == ["T-000777"]
        # As short as that only a whole tag is one.
        assert await found("T") == await found("777") == await found("") == []
        assert await found("3569999") == []
        assert await found("0000", limit=1) == ["T1"]


@pytest.mark.parametrize(
    ("tag", "despite", "status", "why"),
    [
        ("T1", False, 409, "its IMEI is another"),
        ("T2", False, 409, "its model isn't that of the papers"),
        ("T2", True, 200, ""),
        ("T9", False, 404, "there is no asset"),
    ],
)
async def test_a_tag_on_the_wrong_slot_is_told(
    room: Room, tag: str, despite: bool, status: int, why: str
) -> None:
    async with room.client() as http:
        await taken_in(http)
        room.rack.board.show(replace(running_view(), identity=identity(model="SO-51B")))
        told = {"tag": tag, "operator": CLERK, "despite_model": despite}
        answer = await http.post("/api/v1/slots/A1/asset", json=told)
    assert answer.status_code == status
    assert why in answer.text


async def test_no_tag_is_bound_where_no_job_runs(room: Room) -> None:
    async with room.client() as http:
        await taken_in(http)
        for state in (SlotState.FINISHED, SlotState.EMPTY, SlotState.QUARANTINED):
            room.rack.board.show(replace(running_view(), state=state))
            told = {"tag": "T1", "operator": CLERK}
            assert (await http.post("/api/v1/slots/A1/asset", json=told)).status_code == 409


Command = Callable[..., Any]


@asynccontextmanager
async def shell(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncGenerator[Command, None]:
    """`benchd …` against the running application, in a thread beside its loop."""
    async with running(room.app, tmp_path / "benchd.sock") as here:
        monkeypatch.setenv(SOCKET_VARIABLE, str(here.path))
        monkeypatch.setenv("LANG", "ja_JP.UTF-8")
        monkeypatch.delenv("LC_ALL", raising=False)

        async def run(*words: str, fails: int | type[BenchdError] = 0) -> str:
            result = await anyio.to_thread.run_sync(CliRunner().invoke, commands, list(words))
            if isinstance(fails, int):
                assert result.exit_code == fails, (result.output, result.exception)
            else:
                assert isinstance(result.exception, fails), result.output
            return result.output

        yield run


async def test_a_lot_by_the_commands(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad, list_ = tmp_path / "a.csv", tmp_path / "bad.csv", tmp_path / "n.csv"
    good.write_bytes(CSV.encode("cp932"))
    bad.write_text(f"管理番号,IMEI\nT8,1\nT9,{imei(1)}\n=1,\n")
    list_.write_text(f"IMEI,判定,照会日時\n{imei(1)},○,2026-11-23 10:00\n")
    me = ("--operator", CLERK)
    async with shell(room, tmp_path, monkeypatch) as benchd:
        await benchd("lots", "add", "L-1", "purchase", "--consignor", "個人", *me)
        dry = ("assets", "import", str(good), "--lot", "L-1", *me, "--dry-run")
        assert "2 台を受け入れられます" in await benchd(*dry)
        assert not room.desk.book.assets
        assert "2 台を受け入れました" in await benchd(*dry[:-1])
        told = await benchd("assets", "import", str(bad), "--lot", "L-1", *me, fails=1)
        assert "bad.csv:2: IMEI: 「1」はIMEIではありません" in told
        assert "bad.csv:4: 管理番号: 「=1」は数式" in told
        assert len(room.desk.book.assets) == 2
        await benchd("assets", "network", str(list_), "--source", "docomo", *me)
        await benchd("lots", "attest", "L-1", "consent", "jpki", "--except", "T2", *me)
        assert "残高消去の同意, 電子証明書の失効\t\tT2\t2\t0\tいいえ" in await benchd(
            "lots", "show", "L-1"
        )
        number = room.desk.book.lots["L-1"].attestations[0].sequence  # type: ignore[index]
        await benchd("lots", "withdraw", "L-1", str(number), *me)
        assert json.loads(await benchd("lots", "show", "L-1", "--json"))["attestations"][0][
            "withdrawn"
        ]
        assert "電源が入らない、破砕" in await benchd(
            "assets", "dead", "T2", "--reason", "no_power", *me
        )
        assert "T2\tL-1\tSC-51A\t電源が入らない" in await benchd("assets", "list", "--lot", "L-1")
        assert f"IMEI\t{imei(1)}" in await benchd("assets", "show", "T1")
        assert "L-1\t買取\t個人\t2" in await benchd("lots", "list")
        await benchd("assets", "add", "T4", "--lot", "L-1", *me)
        why = ("--note", "typed for T3", *me)
        assert "T4: 行を取り消しました" in await benchd("assets", "strike", "T4", *why)
        await benchd("assets", "strike", "T2", *why, fails=BenchdError)
        [gone] = json.loads(await benchd("lots", "show", "L-1", "--json"))["struck"]
        assert (gone["tag"], gone["note"]) == ("T4", "typed for T3")
        await benchd("assets", "add", "T3", "--lot", "L-1", *me)
        room.rack.board.show(replace(running_view(), identity=None))
        assert "A1: T3（ロット L-1）" in await benchd("assets", "bind", "T3", "--slot", "A1", *me)
        await benchd("assets", "bind", "T3", "--slot", "Z9", *me, fails=BenchdError)


async def test_row_6_the_time_is_confirmed_by_the_command(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    me, now = ("--operator", CLERK), room.desk._store.clock.now().isoformat()
    async with shell(room, tmp_path, monkeypatch) as benchd:
        assert "まだ誰も確認していません" in await benchd("time", "show")
        await benchd("time", "confirm", "yesterday", *me, fails=2)
        await benchd("time", "confirm", "2025-01-01 09:00", *me, fails=DecisionRefused)
        assert not room.rack.ledger.stored
        assert "記録 1 で確認済みです" in await benchd("time", "confirm", now, *me)
        told = json.loads(await benchd("time", "show", "--json"))
    assert (told["counts"], told["doubt"], told["confirmed"]) == (True, None, 1)
    [record] = room.rack.ledger.stored
    assert record.entry.kind is EntryKind.TIME_CONFIRMED
    assert record.entry.data["by"]["person"] == CLERK  # type: ignore[index, call-overload]
    assert record.entry.data["seen_at"] == now
