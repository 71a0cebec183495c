from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import httpx2
import pytest

from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.record import EntryKind
from tests import recorded
from tests.web.fake_sessions import WORKER, screen_of
from tests.web.web_fakes import HOSTILE, JOB, FakeRack
from tests.web.web_running import Browser, got

pytestmark = pytest.mark.asyncio

JOB_PATH = f"/api/v1/jobs/{JOB}"
CERTIFICATE = f"{JOB_PATH}/certificate.json"
DECISIONS = f"{JOB_PATH}/decisions"
ANSWER = {"gate": "consent", "approved": True, "note": "書類 No.12"}


async def answer_to(
    rack: FakeRack, client: httpx2.AsyncClient, by: str = WORKER, **changes: object
) -> httpx2.Response:
    """The response to an answer that is given while its question is open."""
    body = {**ANSWER, **changes}
    async with rack.asking(Gate(str(body["gate"]))):
        return await client.post(DECISIONS, json=body, headers=screen_of(by))


async def test_jobs_are_listed_newest_first(rack: FakeRack, visit: Browser) -> None:
    for number in range(3):
        rack.ledger.keep_job(job=JobId(f"job-{number}"))
    answer = await got(visit, "/api/v1/jobs?limit=2")
    assert [job["job"] for job in answer["jobs"]] == ["job-2", "job-1"]
    newest = answer["jobs"][0]
    assert newest["handset"]["model"] == "SO-51B"
    assert newest["reason"] == "coverage_too_low"
    assert newest["reason_text"]["ja"] == "上書きできた範囲が足りません"
    assert newest["certificate"] is False


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x"])
async def test_limit_has_bounds(visit: Browser, limit: str) -> None:
    async with visit() as client:
        answer = await client.get("/api/v1/jobs", params={"limit": limit})
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_request"
    assert "query.limit" in answer.json()["error"]["message"]


async def test_job_tells_its_stages_and_answers(rack: FakeRack, visit: Browser) -> None:
    rack.ledger.keep_job()
    job = await got(visit, JOB_PATH)
    assert [(stage["stage"], stage["outcome"], stage["because"]) for stage in job["stages"]] == [
        ("inspect", "passed", None),
        ("initialise", "skipped", "arrived_reset"),
        ("overwrite", "interrupted", "adb_server_lost"),
        ("overwrite", "passed", None),
        ("read_back", "failed", "coverage_too_low"),
    ]
    assert job["decisions"][0]["operator"] == "佐藤"
    assert job["decisions"][0]["via"] == {"transport": "unix", "uid": "1000"}
    assert job["handset"]["battery_percent"] == 71
    assert job["bytes_written"] == 90
    assert job["detail"] == "90 of 100 bytes proven, 95% are needed"
    assert "envelope" not in job


@pytest.mark.parametrize(
    ("detail", "japanese"),
    [
        ("no line from the fill program for 5 s", "5 秒間、何も届きません"),
        ("getprop: no ABI", None),
        ("", None),
    ],
)
async def test_why_exactly_a_job_ended_is_told_in_japanese_where_it_is_known(
    rack: FakeRack, visit: Browser, detail: str, japanese: str | None
) -> None:
    rack.ledger.keep_job(reason="handset_stalled", detail=detail)
    job = await got(visit, JOB_PATH)
    assert job["detail"] == detail
    if japanese is None:
        assert job["detail_text"] is None
    else:
        assert japanese in job["detail_text"]["ja"]
        assert job["detail_text"]["en"] == detail


async def test_a_running_job_has_no_end_and_tells_whose_services_a_look_at_the_chip_found(
    rack: FakeRack, visit: Browser
) -> None:
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
    found = recorded.chip(owners_ja=("Suica", "楽天Edy"), owners_en=("Suica", "Edy"))
    for evidence in (found, recorded.chip(), {}):
        rack.ledger.keep(EntryKind.STAGE_STARTED, {"stage": "felica_check"})
        rack.ledger.keep(EntryKind.STAGE_ENDED, recorded.stage_ended("felica_check", evidence))
    job = await got(visit, JOB_PATH)
    assert [stage["owners"] for stage in job["stages"]] == [
        {"ja": "Suica、楽天Edy", "en": "Suica, Edy"},
        None,
        None,
    ]
    assert (job["ended_at"], job["outcome"], job["disposition"]) == (None, None, None)
    assert job["certificate"] is False


async def test_hostile_records_do_no_harm(rack: FakeRack, visit: Browser) -> None:
    rack.ledger.keep_job(model=HOSTILE, detail=HOSTILE)
    async with visit() as client:
        job = await client.get(JOB_PATH)
        jobs = await client.get("/api/v1/jobs")
    assert job.status_code == jobs.status_code == 200
    assert "\ud800" not in job.json()["handset"]["model"]


async def test_certificate_is_what_the_ledger_holds(rack: FakeRack, visit: Browser) -> None:
    rack.ledger.keep_sold(envelope := '{"payload": "eyJ9",  "signatures": [] }')
    async with visit() as client:
        answer = await client.get(CERTIFICATE)
    assert answer.text == envelope
    assert answer.headers["content-type"] == "application/json"


async def test_what_is_not_there_is_not_found(rack: FakeRack, visit: Browser) -> None:
    rack.ledger.keep_job()
    nothing = "/api/v1/jobs/nothing%00here"
    async with visit() as client:
        for path in (nothing, f"{nothing}/certificate.json", CERTIFICATE):
            answer = await client.get(path)
            assert answer.status_code == 404
            assert answer.json()["error"]["code"] == "not_found"
    assert answer.json()["error"]["message"] == f"job {JOB} has no certificate"


async def test_ledger_that_cannot_serve(rack: FakeRack, visit: Browser) -> None:
    async with visit() as client, rack.asking(Gate.CONSENT):
        rack.ledger.broken = True
        for answer in (
            await client.get("/api/v1/jobs"),
            await client.get(JOB_PATH),
            await client.post(DECISIONS, json=ANSWER),
        ):
            assert answer.status_code == 503
            assert answer.json()["error"] == {
                "code": "ledger_fault",
                "message": "the disk of the ledger hangs",
                "cause": None,
            }


async def test_answer_is_recorded_with_its_way_in(rack: FakeRack, visit: Browser) -> None:
    async with visit() as client:
        early = await client.post(DECISIONS, json=ANSWER)
        assert early.status_code == 404
        assert "no open question consent" in early.json()["error"]["message"]
        answer = await answer_to(rack, client)
    assert answer.status_code == 200
    assert answer.json()["via"] == {"transport": "tcp"}
    kept = rack.ledger.stored[-1].entry
    assert kept.kind is EntryKind.DECISION
    assert kept.data["operator"] == "佐藤"
    assert kept.data["person"] == "佐藤"
    assert kept.data["shown_by"] == "badge_and_pin"
    assert kept.data["source"] == "127.0.0.1"
    assert kept.data["approved"] is True
    assert kept.data["via"] == {"transport": "tcp"}


async def test_same_person_may_not_confirm_nor_answer_as_another(
    rack: FakeRack, visit: Browser
) -> None:
    async with visit() as client:
        mistaken = await answer_to(rack, client, operator="鈴木")
        meant = await answer_to(rack, client, operator="佐藤")
        same = await answer_to(rack, client, gate="confirm", by="  佐藤 ")
        other = await answer_to(rack, client, gate="confirm", by="鈴木")
    assert (mistaken.status_code, mistaken.json()["error"]["code"]) == (401, "not_signed_in")
    assert meant.status_code == 200
    assert (same.status_code, same.json()["error"]["code"]) == (409, "second_person_needed")
    assert other.status_code == 200


async def test_two_people_at_once_one_wins(rack: FakeRack, visit: Browser) -> None:
    codes: dict[str, int] = {}

    async def answer_as(client: httpx2.AsyncClient, operator: str) -> None:
        response = await client.post(DECISIONS, json=ANSWER, headers=screen_of(operator))
        codes[operator] = response.status_code

    async with visit() as client, anyio.create_task_group() as group:
        group.start_soon(rack.ask, Gate.CONSENT)
        await anyio.wait_all_tasks_blocked()
        rack.ledger.appending = anyio.Event()
        rack.ledger.may_append = anyio.Event()
        group.start_soon(answer_as, client, "佐藤")
        await rack.ledger.appending.wait()
        await answer_as(client, "鈴木")
        rack.ledger.may_append.set()
    assert codes == {"佐藤": 200, "鈴木": 409}
    [kept] = rack.ledger.of(EntryKind.DECISION)
    assert kept.data["operator"] == "佐藤"


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"approved": "true"}, "body.approved"),
        ({"approved": 1}, "body.approved"),
        ({"approved": None}, "body.approved"),
        ({"gate": "overwrite"}, "body.gate"),
        ({"operator": ""}, "body.operator"),
        ({"operator": "\ud800"}, "body.operator"),
        ({"operator": "x" * 300}, "body.operator"),
        ({"note": "x" * 501}, "body.note"),
        ({"note": "\x1b[2J"}, "body.note"),
        ({"force": True}, "body.force"),
        ({"\ud800[red]": True}, "body"),
    ],
)
async def test_bad_bodies_are_refused(
    rack: FakeRack, visit: Browser, change: dict[str, object], place: str
) -> None:
    # Some of these httpx2 itself wouldn't write.
    content = json.dumps({**ANSWER, **change}).encode()
    headers = {"content-type": "application/json"}
    async with visit() as client, rack.asking(Gate.CONSENT):
        answer = await client.post(DECISIONS, content=content, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "invalid_request"
    assert place in answer.json()["error"]["message"]
    assert rack.ledger.of(EntryKind.DECISION) == []


LONG_NUMBER = b'{"approved": 1' + b"0" * 9000 + b"}"


async def large() -> AsyncIterator[bytes]:
    for _ in range(40):
        yield b" " * 1024


@pytest.mark.parametrize(
    ("content", "kind", "codes", "code"),
    [
        *(
            (content, "application/json", (400, 422), "invalid_request")
            for content in (b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 10_000, LONG_NUMBER)
        ),
        (b'{"gate": "consent", "approved": true}', "text/plain", (422,), "invalid_request"),
        (b" " * 40_000, "application/json", (413,), "body_too_large"),
        (large, "application/json", (413,), "body_too_large"),
    ],
)
async def test_bodies_that_are_no_answer(
    visit: Browser,
    content: bytes | Callable[[], AsyncIterator[bytes]],
    kind: str,
    codes: tuple[int, ...],
    code: str,
) -> None:
    body = content if isinstance(content, bytes) else content()
    async with visit() as client:
        answer = await client.post(DECISIONS, content=body, headers={"content-type": kind})
    assert answer.status_code in codes
    assert answer.json()["error"]["code"] == code


async def test_unexpected_failure_tells_nothing_inner(rack: FakeRack, visit: Browser) -> None:
    rack.ledger.keep(EntryKind.DECISION, {"secret": "path"})
    async with visit() as client:
        answer = await client.get(JOB_PATH)
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "journalctl" in answer.json()["error"]["message"]


async def test_what_says_sellable_without_the_racks_signature_is_a_broken_record(
    rack: FakeRack, visit: Browser
) -> None:
    rack.ledger.keep_sold()
    rack.issuer.doubts.add(JOB)
    async with visit() as client:
        [listed] = (await client.get("/api/v1/jobs")).json()["jobs"]
        job = (await client.get(JOB_PATH)).json()
        certificate = await client.get(CERTIFICATE)
    for told in (listed, job):
        assert (told["outcome"], told["disposition"]) == ("failed", "hold")
        assert (told["reason"], told["certificate"]) == ("record_broken", False)
        assert told["reason_text"]["ja"] == "この端末の記録が書き換えられています"
    assert certificate.status_code == 404
    assert "changed record" in certificate.json()["error"]["message"]


@pytest.mark.parametrize(
    "end",
    [
        {"outcome": "passed", "disposition": "sellable", "reason": None, "certificate": None},
        {"outcome": "failed", "disposition": "sellable", "reason": None, "certificate": "{}"},
        {"outcome": "passed", "disposition": "sellable", "reason": "locked", "certificate": "{}"},
        {"outcome": "passed", "disposition": "hold", "reason": "locked", "certificate": "{}"},
    ],
)
async def test_words_that_never_stand_together_are_a_broken_record(
    rack: FakeRack, visit: Browser, end: dict[str, Any]
) -> None:
    rack.ledger.keep_job(**end)
    job = await got(visit, JOB_PATH)
    assert (job["disposition"], job["reason"]) == ("hold", "record_broken")
