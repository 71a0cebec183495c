"""Beside each certificate stands all that came later of its handset, by whichever number."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId
from benchd.domain.record import EntryKind
from benchd.domain.token import Scope
from benchd.proof.evidence.intake_evidence import AssetLine
from benchd.texts.catalogue import Catalogue
from tests.intake.lots import BY, lot_record
from tests.ledger.records.records_rack import IMEI, Told
from tests.papers.lots.lot_rack import held_back
from tests.people.tokens.test_token_api import (
    CERTIFICATES,
    ENVELOPE,
    LOT,
    ask,
    caught_up,
    followed,
    sold,
)
from tests.web.web_fakes import FakeRack

pytestmark = pytest.mark.asyncio


def in_lot(rack: FakeRack, tag: str) -> None:
    """A lot, and the sold handset's label."""
    rack.ledger.keep(EntryKind.LOT_ADDED, to_json(lot_record("L-1")))
    Told(rack.ledger.stored).bind("job-1", tag)


async def test_a_later_job_by_its_label_alone(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    sold(rack)
    in_lot(rack, "T1")
    told = Told(rack.ledger.stored)
    told.open("job-2", recipe="recheck")
    told.bind("job-2", "T1")
    told.end("job-2", "failed", "destroy", "felica_residue")
    async with followed(tmp_path, rack, catalogue) as house:
        for wanted in ({"tag": "T1"}, {"imei": IMEI}, {"number": "job-1"}):
            [found] = (await ask(house, **wanted))["certificates"]
            assert (found["job"], found["newest"], found["later_jobs"]) == (
                *("job-1", False),
                ["job-2"],
            )


async def test_an_asset_entered_by_hand_since(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    sold(rack)
    in_lot(rack, "T1")
    Told(rack.ledger.stored).dead("T1")
    async with followed(tmp_path, rack, catalogue) as house:
        [found] = (await ask(house, tag="T1"))["certificates"]
        assert (found["newest"], found["later_jobs"]) == (False, ["case-T1"])


async def test_it_came_in_again_and_never_had_a_label(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    sold(rack)
    async with followed(tmp_path, rack, catalogue) as house:
        async with house.client(await house.token("stock", [Scope.INTAKE_WRITE])) as client:
            assert (await client.post("/api/v1/lots", json=LOT)).status_code == 200
            asset = {"tag": "T9", "imei": IMEI, "model": "SO-51B"}
            taken = await client.post("/api/v1/lots/L-1/assets", json=asset)
            assert taken.status_code == 200
        [found] = (await ask(house, imei=IMEI))["certificates"]
        assert (found["newest"], found["again_as"]) == (False, "T9")


async def test_an_asset_whose_job_came_after_it_is_no_second_coming(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with followed(tmp_path, rack_with_a_record(rack), catalogue) as house:
        async with house.client(await house.token("stock")) as client:
            await client.post("/api/v1/lots", json=LOT)
        await house.intake.add_asset("L-1", AssetLine(tag="T9", imei=IMEI), by=BY)
        sold(rack)
        await caught_up(house)
        [found] = (await ask(house, imei=IMEI))["certificates"]
        assert (found["newest"], found["again_as"]) == (True, None)


def rack_with_a_record(rack: FakeRack) -> FakeRack:
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, JobId("job-0"))
    return rack


async def test_a_ledger_that_can_not_tell_what_came_since_is_no_answer(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    sold(rack)
    async with (
        followed(tmp_path, rack, catalogue) as house,
        house.client(await house.token("reader", [Scope.CERTIFICATES_READ])) as client,
    ):
        rack.ledger.broken = True
        answer = await client.get(CERTIFICATES, params={"imei": IMEI})
    assert answer.status_code == 503


async def test_what_another_system_holds_back_is_told(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    sold(rack)
    async with followed(tmp_path, rack, catalogue) as house:
        [found] = (await ask(house, imei=IMEI))["certificates"]
        assert (found["held_by"], found["newest"]) == (None, True)
        rack.held.take(held_back("job-1"))
        [found] = (await ask(house, imei=IMEI))["certificates"]
        assert (found["held_by"], found["newest"]) == ("stock", True)


async def test_a_drawn_handset_is_found_by_label_and_number_of_the_job_that_was_drawn(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
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
    async with followed(tmp_path, rack, catalogue) as house:
        for wanted in ({"tag": "T1"}, {"number": "job-1"}, {"number": "job-2"}, {"imei": IMEI}):
            [found] = (await ask(house, **wanted))["certificates"]
            assert (found["job"], found["tag"], found["lot"], found["newest"]) == (
                *("job-2", "T1", "L-1"),
                True,
            )
