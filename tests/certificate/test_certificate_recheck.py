"""A drawn handset's certificate names both jobs and who rechecked it, and stands in the recheck."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchd.certificate import SigningKey, verify_certificate
from benchd.certificate.statement_check import gaps_of
from benchd.domain.errors import CertificateGap
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition, Gate, Reason
from benchd.domain.record import EntryKind
from benchd.pipelines.recovery import keep_certificates
from benchd.proof.erasure import verify_erasure
from benchd.proof.job_history import ending_of, fold_job
from benchd.texts.catalogue import Catalogue
from tests.certificate.certificate_rack import issuer_of
from tests.core.rechecks import RecheckRack
from tests.core.test_recheck import Drawing
from tests.core.world import Phone
from tests.proof.test_recheck_proof import held
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack
from tests.web.web_running import SEES_ALL, browser

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

Json = Any


async def test_it_names_both_jobs_and_who_rechecked_it(key: SigningKey, tmp_path: Path) -> None:
    found = await held(chips=True)
    erasure = found.verify()
    envelope = issuer_of(key, tmp_path).issue(erasure, found.recheck[-1].entry.at)
    predicate: Json = verify_certificate(envelope, key.public_key_pem)["predicate"]
    passed = predicate["recheck"]["passed"]
    assert predicate["job"] == found.drawn[0].entry.job
    assert passed["job"] == found.recheck[0].entry.job
    assert (passed["person"], passed["operator"]) == ("tanaka", "Tanaka")
    assert passed["person"] not in {each["person"] for each in predicate["decisions"]}
    assert (passed["chip"], passed["chip_read"]) == ("unused", True)
    assert predicate["ledger"]["first_sequence"] == found.drawn[0].sequence
    assert predicate["ledger"]["last_sequence"] == found.recheck[-1].sequence


async def test_the_rack_vouches_for_it_at_the_end_of_the_recheck_alone(
    key: SigningKey, tmp_path: Path
) -> None:
    found = await held()
    issuer = issuer_of(key, tmp_path)
    envelope = issuer.issue(found.verify(), found.recheck[-1].entry.at)
    drawn, recheck = found.drawn[0].entry.job, found.recheck[0].entry.job
    assert drawn is not None
    assert recheck is not None
    assert issuer.vouches(recheck, envelope, found.recheck)
    assert not issuer.vouches(drawn, envelope, found.drawn)
    assert not issuer.vouches(recheck, envelope, found.drawn)
    assert not issuer.vouches(recheck, envelope, found.recheck[1:])
    end = replace(
        found.drawn[-1].entry,
        data={
            "outcome": "passed",
            "disposition": "sellable",
            "reason": None,
            "certificate": envelope.decode(),
        },
    )
    # Put into the drawn job's own end it is believed by nobody.
    spoilt = [*found.drawn[:-1], replace(found.drawn[-1], entry=end)]
    told = ending_of(spoilt, issuer)
    assert told is not None
    assert (told.disposition, told.reason) == (Disposition.HOLD, Reason.RECORD_BROKEN)
    own = replace(found.recheck[-1].entry, kind=EntryKind.JOB_ENDED, data=end.data)
    good = ending_of([*found.recheck, replace(found.recheck[-1], entry=own)], issuer)
    assert good is not None
    assert good.disposition is Disposition.SELLABLE


async def test_what_was_drawn_and_not_rechecked_cannot_be_issued() -> None:
    found = await held()
    records = [r for r in found.drawn if r.entry.kind is not EntryKind.JOB_ENDED]
    job = records[0].entry.job
    assert job is not None
    with pytest.raises(CertificateGap):
        verify_erasure(job, records)


def put(path: str, value: object) -> Callable[[Json], None]:
    def change(statement: Json) -> None:
        place = statement["predicate"]
        *parents, last = path.split(".")
        for parent in parents:
            place = place[int(parent)] if parent.isdigit() else place[parent]
        place[last] = value

    return change


def as_who_ran_it(statement: Json) -> None:
    ran = statement["predicate"]["decisions"][0]
    passed = statement["predicate"]["recheck"]["passed"]
    passed["person"], passed["operator"] = ran["person"], "Somebody Else"


def by_its_name(statement: Json) -> None:
    ran = statement["predicate"]["decisions"][0]
    statement["predicate"]["recheck"]["passed"]["operator"] = ran["operator"]


LIES: dict[str, tuple[Callable[[Json], None], str]] = {
    "not drawn": (put("recheck.drawn", False), "doesn't follow from its number"),
    "no recheck": (put("recheck.passed", None), "lacks where one was"),
    "no number": (put("recheck.token", None), "nobody has drawn"),
    "by who ran it": (as_who_ran_it, "has touched the handset"),
    "by the name of who ran it": (by_its_name, "has touched the handset"),
    "by a badge": (put("recheck.passed.shown_by", "badge"), "a badge alone"),
    "before the job": (put("recheck.passed.at", "2020-01-01T00:00:00+00:00"), "before its own"),
    "after the issue": (put("recheck.passed.at", "2030-01-01T00:00:00+00:00"), "issued before"),
    "a chip in use": (put("recheck.passed.chip", "in_use"), "wasn't unused"),
    "no answer": (put("recheck.passed.gates", ["recheck_chip"]), "nobody has answered"),
}


@pytest.mark.parametrize("name", LIES)
async def test_a_statement_that_says_otherwise_is_none(
    name: str, key: SigningKey, tmp_path: Path
) -> None:
    lie, said = LIES[name]
    found = await held()
    envelope = issuer_of(key, tmp_path).issue(found.verify(), found.recheck[-1].entry.at)
    statement: Json = json.loads(json.dumps(verify_certificate(envelope, key.public_key_pem)))
    assert gaps_of(statement) == ()
    lie(statement)
    assert said in "; ".join(gaps_of(statement))


@pytest.mark.parametrize(
    ("share", "drawn", "token", "owed", "said"),
    [
        (0.5, False, None, [], "nobody has"),
        (0.5, True, "0" * 16, [], "lacks where one was"),
        (0.5, False, "0" * 16, [], "doesn't follow"),
        (0.0, False, "f" * 16, ["J"], "doesn't follow"),
        (0.5, False, "f" * 16, [], None),
        (0.0, False, None, [], None),
    ],
)
async def test_a_draw_is_judged_on_each_certificate(
    statement: Json, share: float, drawn: bool, token: str | None, owed: list[str], said: str | None
) -> None:
    section = {"share": share, "drawn": drawn, "token": token, "owed": owed, "passed": None}
    gaps = gaps_of({**statement, "predicate": {**statement["predicate"], "recheck": section}})
    if said is None:
        assert gaps == ()
    else:
        assert said in "; ".join(gaps)


async def test_a_rack_issues_it_and_believes_it_after_a_restart(
    key: SigningKey, tmp_path: Path
) -> None:
    issuer = issuer_of(key, tmp_path)
    rack = RecheckRack(0.5, issuer=issuer, entropy=Drawing(bytes(8)))
    async with rack.world.running():
        await rack.erased(Phone())
        await rack.rechecked(Phone())
    drawn, recheck = rack.jobs()
    told = {job: fold_job(rack.records(job), issuer) for job in (drawn, recheck)}
    assert told[drawn].reason is Reason.RECHECK_DUE
    assert told[drawn].envelope is None
    envelope = told[recheck].envelope
    assert envelope is not None
    section: Json = verify_certificate(envelope, key.public_key_pem)["predicate"]
    assert section["recheck"]["share"] == 0.5
    assert section["recheck"]["token"] == "0" * 16
    assert section["recheck"]["passed"]["job"] == recheck
    assert (tmp_path / f"{recheck}.json").read_bytes() == envelope
    # A copy that was lost is written again from the ledger.
    (tmp_path / f"{recheck}.json").unlink()
    assert await keep_certificates(rack.ledger, issuer, 10) == [recheck]
    assert (tmp_path / f"{recheck}.json").read_bytes() == envelope


class House:
    """A rack whose drawn handset was rechecked, or not yet, with its own key; and its web."""

    def __init__(self, key: SigningKey, folder: Path, phone: Phone | None = None) -> None:
        self.key = key
        self.phone = phone or Phone()
        self.rack = RecheckRack(issuer=issuer_of(key, folder))
        self.rack.world.notes |= {Gate.RECHECK: self.phone.imei or self.phone.serial}
        served = FakeRack(ledger=self.rack.ledger, issuer=issuer_of(key, folder))  # type: ignore[arg-type]
        self.app = app_of(served, Catalogue.load(), callers=SEES_ALL)

    async def ran(self, *, rechecked: bool = True) -> list[JobId]:
        async with self.rack.world.running():
            await self.rack.erased(self.phone)
            if rechecked:
                await self.rack.rechecked(self.phone)
        return self.rack.jobs()

    async def certificate(self, job: JobId) -> tuple[int, bytes, str | None]:
        async with browser(self.app) as http:
            answer = await http.get(f"/api/v1/jobs/{job}/certificate.json")
        return answer.status_code, answer.content, answer.headers.get("content-location")


@pytest.mark.parametrize(
    "phone", [Phone(), Phone(imei=None, telephony=False)], ids=["by IMEI", "by serial"]
)
async def test_the_drawn_job_and_its_recheck_give_the_same_certificate(
    phone: Phone, key: SigningKey, tmp_path: Path
) -> None:
    house = House(key, tmp_path, phone)
    drawn, recheck = await house.ran()
    by_drawn, by_recheck = await house.certificate(drawn), await house.certificate(recheck)
    assert by_drawn == by_recheck
    status, envelope, where = by_drawn
    assert (status, where) == (200, f"/api/v1/jobs/{recheck}/certificate.json")
    told: object = verify_certificate(envelope, key.public_key_pem)["predicate"]
    assert isinstance(told, dict)
    assert told["job"] == drawn


async def test_before_its_recheck_there_is_none(key: SigningKey, tmp_path: Path) -> None:
    house = House(key, tmp_path)
    [drawn] = await house.ran(rechecked=False)
    status, said, _ = await house.certificate(drawn)
    assert status == 404
    assert b"before somebody else has rechecked" in said


async def test_where_the_rack_vouches_for_no_recheck_there_is_none(
    key: SigningKey, tmp_path: Path
) -> None:
    house = House(key, tmp_path)
    drawn, recheck = await house.ran()
    for stored in house.rack.records(recheck):
        if stored.entry.kind is EntryKind.JOB_ENDED:
            stored.entry.data["certificate"] = json.dumps({"payload": "another"})  # type: ignore[index]
    for job in (drawn, recheck):
        assert (await house.certificate(job))[0] == 404
