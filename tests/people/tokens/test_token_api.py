"""What a stock system does all day: lots and assets in, certificates out."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from typing import Any

import anyio
import pytest
import pytest_asyncio

from benchd.domain.evidence_json import to_json
from benchd.domain.ids import Evidence, JobId
from benchd.domain.intake import BoundBy
from benchd.domain.record import EntryKind
from benchd.domain.token import Scope
from benchd.proof.evidence.intake_evidence import AssetLine
from benchd.web.access_level import AccessLevel
from tests import recorded
from tests.intake.lots import BY as ITO
from tests.intake.lots import imei, lot_record
from tests.ledger.records.records_rack import IMEI, INSPECT, Told
from tests.papers.lots.lot_rack import held_back
from tests.people.tokens.token_rig import House, code_of
from tests.web.web_fakes import FakeRack, running_view

pytestmark = pytest.mark.asyncio

ENVELOPE = '{"payload": "job-1"}'
NUMBER = hashlib.sha256(ENVELOPE.encode()).hexdigest()
CERTIFICATES = "/api/v1/certificates"
LOT = {"lot": "L-1", "consignor": "private", "kind": "purchase", "paper": "No.12"}
CSV = f"管理番号,IMEI,機種\nT1,{imei(1)},SO-51B\nT2,,SC-51A\n"


@pytest_asyncio.fixture(autouse=True)
async def followed(house: House) -> AsyncGenerator[None]:
    """The house's read model follows the rack's ledger."""
    following = asyncio.create_task(house.records.run())
    yield
    following.cancel()


async def caught_up(house: House) -> None:
    house.records.follower.stored(house.rack.ledger.stored[-1].entry)
    with anyio.fail_after(30):
        await house.records.reached(len(house.rack.ledger.stored))


def sold(rack: FakeRack, job: str = "job-1", envelope: str | None = ENVELOPE) -> None:
    """A job with this certificate; without, one that ended on hold."""
    name, inspected = JobId(job), recorded.stage_ended("inspect", to_json(INSPECT))
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, name)
    rack.ledger.keep(EntryKind.STAGE_ENDED, inspected, name)
    ended: Evidence = {
        "outcome": "passed" if envelope else "failed",
        "disposition": "sellable" if envelope else "hold",
        "reason": None if envelope else "coverage_too_low",
        "detail": "",
        "certificate": envelope,
    }
    rack.ledger.keep(EntryKind.JOB_ENDED, ended, name)


async def ask(house: House, **params: str) -> dict[str, Any]:
    await caught_up(house)
    async with house.client(await only(house)) as client:
        answer = await client.get(CERTIFICATES, params=params)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def only(house: House) -> str:
    """A token for certificates alone."""
    return await house.token(f"reader-{len(house.tokens.all)}", [Scope.CERTIFICATES_READ])


async def test_lots_and_assets_come_in_under_the_tokens_name(house: House, rack: FakeRack) -> None:
    secret = await house.token("stock", [Scope.INTAKE_WRITE, Scope.INTAKE_READ])
    async with house.client(secret) as client:
        assert (await client.post("/api/v1/lots", json=LOT)).status_code == 200
        one = {"tag": "T9", "imei": imei(9), "model": "SO-51B"}
        assert (await client.post("/api/v1/lots/L-1/assets", json=one)).status_code == 200
        sent = await client.post("/api/v1/lots/L-1/assets.csv", content=CSV.encode())
        assert sent.json() == {"taken": True, "rows": 2, "mistakes": [], "late": 0}
        lot = (await client.get("/api/v1/lots/L-1")).json()
        assert (lot["assets"], lot["operator"]) == (3, "token:stock")
        assert (await client.get("/api/v1/assets/T1")).json()["imei"] == imei(1)
        bad = await client.post("/api/v1/lots/L-1/assets.csv", content=CSV.encode())
        assert (bad.json()["taken"], len(bad.json()["mistakes"])) == (False, 3)
    by = [stored.entry.data["by"] for stored in rack.ledger.stored]
    assert len(by) == 3
    assert {(one["person"], one["via"]["token"]) for one in by} == {(None, "stock")}  # type: ignore[call-overload,index]


async def test_a_token_attests_nothing_and_speaks_for_nobody(house: House, rack: FakeRack) -> None:
    async with house.client(await house.token("stock")) as client:
        consent = await client.post("/api/v1/lots", json={**LOT, "attests": ["consent"]})
        assert consent.status_code == 409
        assert "attests nothing" in consent.json()["error"]["message"]
        named = await client.post("/api/v1/lots", json={**LOT, "operator": "mori"})
        assert code_of(named) == (401, "not_signed_in")
        assert named.json()["error"]["cause"]["ja"]
        assert consent.json()["error"]["cause"]["ja"]
        file = await client.post("/api/v1/lots/L-1/assets.csv?operator=mori", content=b"tag\nT1")
        assert code_of(file) == (401, "not_signed_in")
    assert rack.ledger.stored == []


async def test_a_handset_whose_job_runs_cant_be_sent_in_again(house: House, rack: FakeRack) -> None:
    async with house.client(await house.token("stock")) as client:
        await client.post("/api/v1/lots", json=LOT)
        await client.post("/api/v1/lots/L-1/assets", json={"tag": "T1", "imei": IMEI})
        rack.board.show(running_view())
        again = {"tag": "T2", "imei": IMEI, "again": True}
        answer = await client.post("/api/v1/lots/L-1/assets", json=again)
        assert code_of(answer) == (409, "handset_at_work")
        assert answer.json()["error"]["cause"]["ja"]
        csv = f"tag,IMEI\nT2,{IMEI}\n".encode()
        sent = await client.post("/api/v1/lots/L-1/assets.csv?again=true", content=csv)
        [mistake] = sent.json()["mistakes"]
        assert (mistake["line"], mistake["code"]) == (2, "imei_at_work")
    assert len(rack.ledger.stored) == 2


async def test_a_certificate_is_found_and_is_the_ledgers_own(house: House, rack: FakeRack) -> None:
    sold(rack)
    numbers = ({"number": NUMBER}, {"number": "job-1"}, {"number": NUMBER.upper()})
    told = await ask(house, imei=IMEI)
    for wanted in numbers:
        assert await ask(house, **wanted) == told, wanted
    [found] = told["certificates"]
    assert (found["job"], found["number"], found["disposition"]) == (
        *("job-1", NUMBER),
        "sellable",
    )
    assert (found["newest"], found["later_jobs"], found["again_as"]) == (True, [], None)
    assert told["doubted"] == []
    assert told["upto"]["sequence"] == len(rack.ledger.stored)
    async with house.client(await only(house)) as client:
        file = await client.get(found["certificate_json"])
        paper = await client.get(found["certificate_pdf"])
    assert hashlib.sha256(file.content).hexdigest() == found["number"]
    assert paper.headers["content-type"] == "application/pdf"


ONLY_LIKE_IT: list[dict[str, str]] = [
    *({"imei": imei(7)}, {"tag": "T1"}, {"tag": "%"}),
    *({"number": NUMBER[:-1]}, {"number": "job-"}),
]
CANT_BE_ASKED: list[dict[str, str]] = [
    *({}, {"imei": IMEI, "tag": "T1"}, {"tag": ""}, {"number": "x" * 129}),
    *({"imei": f"{IMEI[:-1]}8"}, {"imei": "1234"}),
]


async def test_what_is_only_like_it_isnt_found(house: House, rack: FakeRack) -> None:
    sold(rack)
    for params in ONLY_LIKE_IT:
        assert (await ask(house, **params))["certificates"] == [], params


async def test_what_cant_be_asked_is_said(house: House) -> None:
    async with house.client(await only(house)) as client:
        for params in CANT_BE_ASKED:
            answer = await client.get(CERTIFICATES, params=params)
            assert code_of(answer) == (422, "invalid_request"), params


async def test_a_later_job_of_the_same_handset_is_told_beside_the_certificate(
    house: House, rack: FakeRack
) -> None:
    """A certificate says what was once; a handset that came in again may be full of data."""
    sold(rack)
    sold(rack, "job-2", None)
    [first] = (await ask(house, imei=IMEI))["certificates"]
    assert (first["newest"], first["later_jobs"]) == (False, ["job-2"])
    sold(rack, "job-3", '{"payload": "job-3"}')
    third, first = (await ask(house, imei=IMEI))["certificates"]
    assert (third["job"], third["newest"], third["later_jobs"]) == ("job-3", True, [])
    assert first["later_jobs"] == ["job-2", "job-3"]


async def test_a_handset_that_came_in_again_is_told_before_its_next_job(
    house: House, rack: FakeRack
) -> None:
    sold(rack)
    async with house.client(await house.token("stock")) as client:
        await client.post("/api/v1/lots", json=LOT)
    await house.intake.add_asset("L-1", AssetLine(tag="T1", imei=IMEI), by=ITO)
    bound = recorded.bound("T1", bound_by=BoundBy.IMEI, imeis=(IMEI,))
    await house.intake._store.bind(bound, job=JobId("job-1"), slot=None)  # type: ignore[arg-type]
    [found] = (await ask(house, tag="T1"))["certificates"]
    assert (found["newest"], found["lot"], found["again_as"]) == (True, "L-1", None)
    again = AssetLine(tag="T2", imei=IMEI)
    await house.intake.add_asset("L-1", again, by=ITO, again=True)
    [found] = (await ask(house, tag="T1"))["certificates"]
    assert (found["newest"], found["again_as"]) == (False, "T2")


async def test_what_the_rack_doesnt_vouch_for_is_no_certificate(
    house: House, rack: FakeRack
) -> None:
    sold(rack)
    rack.issuer.doubts = {JobId("job-1")}
    told = await ask(house, imei=IMEI)
    assert (told["certificates"], told["doubted"]) == ([], ["job-1"])
    rack.issuer.doubts = set()
    # The read model is only asked where to look: here it tells of another file.
    for stored in rack.ledger.stored:
        if stored.entry.kind is EntryKind.JOB_ENDED:
            stored.entry.data["certificate"] = '{"payload": "another"}'  # type: ignore[index]
    told = await ask(house, imei=IMEI)
    assert (told["certificates"], told["doubted"]) == ([], ["job-1"])


async def test_a_job_without_a_certificate_is_never_among_them(
    house: House, rack: FakeRack
) -> None:
    sold(rack, "job-1", None)
    told = await ask(house, imei=IMEI)
    assert (told["certificates"], told["doubted"]) == ([], [])
    async with house.client(await only(house)) as client:
        answer = await client.get("/api/v1/jobs/job-1/certificate.json")
    assert code_of(answer) == (404, "not_found")


async def test_people_who_may_read_find_certificates_too_and_others_dont(
    house: House, rack: FakeRack
) -> None:
    sold(rack)
    await caught_up(house)
    async with house.client() as client:
        answer = await client.get(CERTIFICATES, params={"imei": IMEI})
        assert code_of(answer) == (403, "sign_in_needed")
    assert AccessLevel.WALL < AccessLevel.READ


def in_lot(rack: FakeRack, tag: str) -> None:
    """A lot, and the sold handset's label."""
    rack.ledger.keep(EntryKind.LOT_ADDED, to_json(lot_record("L-1")))
    Told(rack.ledger.stored).bind("job-1", tag)


async def test_a_later_job_by_its_label_alone(house: House, rack: FakeRack) -> None:
    sold(rack)
    in_lot(rack, "T1")
    told = Told(rack.ledger.stored)
    told.open("job-2", recipe="recheck")
    told.bind("job-2", "T1")
    told.end("job-2", "failed", "destroy", "felica_residue")
    for wanted in ({"tag": "T1"}, {"imei": IMEI}, {"number": "job-1"}):
        [found] = (await ask(house, **wanted))["certificates"]
        assert (found["job"], found["newest"], found["later_jobs"]) == (
            *("job-1", False),
            ["job-2"],
        )


async def test_an_asset_entered_by_hand_since(house: House, rack: FakeRack) -> None:
    sold(rack)
    in_lot(rack, "T1")
    Told(rack.ledger.stored).dead("T1")
    [found] = (await ask(house, tag="T1"))["certificates"]
    assert (found["newest"], found["later_jobs"]) == (False, ["case-T1"])


async def test_it_came_in_again_and_never_had_a_label(house: House, rack: FakeRack) -> None:
    sold(rack)
    async with house.client(await house.token("stock", [Scope.INTAKE_WRITE])) as client:
        assert (await client.post("/api/v1/lots", json=LOT)).status_code == 200
        asset = {"tag": "T9", "imei": IMEI, "model": "SO-51B"}
        taken = await client.post("/api/v1/lots/L-1/assets", json=asset)
        assert taken.status_code == 200
    [found] = (await ask(house, imei=IMEI))["certificates"]
    assert (found["newest"], found["again_as"]) == (False, "T9")


async def test_an_asset_whose_job_came_after_it_is_no_second_coming(
    house: House, rack: FakeRack
) -> None:
    await house.intake.add_lot(lot_record("L-1"))
    await house.intake.add_asset("L-1", AssetLine(tag="T9", imei=IMEI), by=ITO)
    sold(rack)
    [found] = (await ask(house, imei=IMEI))["certificates"]
    assert (found["newest"], found["again_as"]) == (True, None)


async def test_a_ledger_that_can_not_tell_what_came_since_is_no_answer(
    house: House, rack: FakeRack
) -> None:
    sold(rack)
    await caught_up(house)
    async with house.client(await only(house)) as client:
        rack.ledger.broken = True
        answer = await client.get(CERTIFICATES, params={"imei": IMEI})
    assert answer.status_code == 503


async def test_what_another_system_holds_back_is_told(house: House, rack: FakeRack) -> None:
    sold(rack)
    [found] = (await ask(house, imei=IMEI))["certificates"]
    assert (found["held_by"], found["newest"]) == (None, True)
    rack.held.take(held_back("job-1"))
    [found] = (await ask(house, imei=IMEI))["certificates"]
    assert (found["held_by"], found["newest"]) == ("stock", True)


async def test_a_drawn_handset_is_found_by_label_and_number_of_the_job_that_was_drawn(
    house: House, rack: FakeRack
) -> None:
    """Its certificate stands in the recheck, and names the drawn job."""
    told = Told(rack.ledger.stored)
    told.lot("L-1")
    told.open("job-1")
    told.inspect("job-1")
    told.bind("job-1", "T1")
    told.end("job-1", "passed", "hold", "recheck_due")
    told.open("job-2", recipe="drawn_recheck")
    told.find_drawn("job-2", "job-1", IMEI)
    told.sell("job-2", ENVELOPE)
    for wanted in ({"tag": "T1"}, {"number": "job-1"}, {"number": "job-2"}, {"imei": IMEI}):
        [found] = (await ask(house, **wanted))["certificates"]
        assert (found["job"], found["tag"], found["lot"], found["newest"]) == (
            *("job-2", "T1", "L-1"),
            True,
        )
