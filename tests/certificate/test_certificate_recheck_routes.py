"""The paper of a drawn handset bears the drawn job's number: by that, too, it can be had."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchd.certificate import SigningKey, verify_certificate
from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.record import EntryKind
from benchd.texts.catalogue import Catalogue
from tests.certificate.test_certificate_recheck import issuer_of
from tests.core.rechecks import RecheckRack
from tests.core.world import Phone
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack
from tests.web.web_running import SEES_ALL, browser

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

CATALOGUE = Catalogue.load()


class House:
    """A rack whose drawn handset was rechecked, or not yet, with its own key; and its web."""

    def __init__(self, key: SigningKey, folder: Path, phone: Phone | None = None) -> None:
        self.key = key
        self.phone = phone or Phone()
        self.rack = RecheckRack(issuer=issuer_of(key, folder))
        self.rack.world.notes |= {Gate.RECHECK: self.phone.imei or self.phone.serial}
        served = FakeRack(ledger=self.rack.ledger, issuer=issuer_of(key, folder))  # type: ignore[arg-type]
        self.app = app_of(served, CATALOGUE, callers=SEES_ALL)

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
