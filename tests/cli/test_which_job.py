"""Which job a command means, and what a certificate's file may be."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchd.domain.errors import NotFound, UsageRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId
from benchd.domain.intake import BoundBy
from benchd.domain.record import EntryKind
from benchd.domain.revision import commit, version
from benchd.proof.evidence.intake_evidence import BoundRecord
from tests.cli.shop import Shop
from tests.intake.lots import lot_record
from tests.ledger.records.records_rack import INSPECT
from tests.recorded import stage_ended
from tests.web.web_fakes import JOB, running_view

pytestmark = pytest.mark.asyncio

OTHER = JobId("20261123-aabbccddee")

IMEI, TAG = "356938035643809", "ZZ-0042"

BOUND = BoundRecord(
    lot="L-1",
    lot_sequence=1,
    tag=TAG,
    bound_by=BoundBy.TAG,
    imeis=(IMEI,),
    serial=None,
    model=None,
    differs="",
    by=None,
)

ENVELOPE = '{"payload": "e30="}'


@asynccontextmanager
async def two_handsets(shop: Shop) -> AsyncGenerator[None]:
    """A daemon that has had two, the newer one's slot being A1."""
    ledger = shop.rack.ledger
    for job, serial in ((OTHER, "R5CT2200001"), (JOB, "HQ612300001")):
        ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite", "usb_serial": serial}, job)
    inspected = stage_ended("inspect", to_json(replace(INSPECT, imei=IMEI)))
    ledger.keep(EntryKind.STAGE_ENDED, inspected, JOB)
    ledger.keep(EntryKind.LOT_ADDED, to_json(lot_record("L-1")))
    ledger.keep(EntryKind.ASSET_BOUND, to_json(BOUND), JOB)
    ledger.keep_job(outcome="passed", disposition="sellable", reason=None, certificate=ENVELOPE)
    shop.rack.board.show(running_view())
    async with shop.daemon():
        yield


@pytest.mark.parametrize(
    "told", [JOB, "A1", "HQ612300001", "Q61230", JOB[-10:], IMEI, IMEI[-6:], TAG, TAG[-4:]]
)
async def test_a_job_is_named_by_anything_that_names_its_handset(
    shop: Shop, told: str, tmp_path: Path
) -> None:
    async with two_handsets(shop):
        found = await shop.done("job", told, "--json")
        assert json.loads(found.stdout)["job"] == JOB
        file = tmp_path / "certificate.json"
        await shop.done("certificate", "export", told, str(file))
        assert file.read_text() == ENVELOPE


@pytest.mark.parametrize(
    ("told", "refusal", "says"),
    [
        ("A9", UsageRefused, "4"),
        ("B1-nothing", NotFound, "no slot, job or handset has"),
        ("00001", UsageRefused, OTHER),
        ("A1", NotFound, "slot A1 has no job now"),
    ],
)
async def test_nobody_is_taken_for_another(
    shop: Shop, told: str, refusal: type[Exception], says: str
) -> None:
    async with two_handsets(shop):
        if told == "A1":
            shop.rack.board.show(replace(running_view(), job=None))
        found = await shop.benchd("job", told)
        assert isinstance(found.exception, refusal), found.output
        assert says in str(found.exception)


async def test_a_certificate_is_never_written_over_anything(shop: Shop, tmp_path: Path) -> None:
    async with two_handsets(shop):
        file = tmp_path / "certificate.json"
        await shop.done("certificate", "export", "A1", str(file))
        for path, says in ((file, "there already"), (tmp_path / "no" / "x", "No such file")):
            refused = await shop.benchd("certificate", "export", "A1", str(path))
            assert refused.exit_code == 2
            assert says.replace(" ", "") in "".join(refused.output.split()).replace("│", "")
        assert file.read_text() == ENVELOPE


async def test_it_tells_its_version(shop: Shop) -> None:
    assert (await shop.done("--version")).stdout == f"benchd {version()} ({commit()})\n"
