"""Which job a command means, and what a certificate's file may be."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner, Result

from benchd.cli.main import app as command
from benchd.domain.errors import NotFound, UsageRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId
from benchd.domain.intake import BoundBy
from benchd.domain.record import EntryKind
from benchd.domain.revision import commit, version
from benchd.proof.evidence.intake_evidence import BoundRecord
from benchd.texts.catalogue import Catalogue
from tests.intake.lots import lot_record
from tests.ledger.records.records_rack import INSPECT
from tests.recorded import stage_ended
from tests.web.test_records_routes import served
from tests.web.web_fakes import JOB, FakeRack, running_view
from tests.web.web_running import running

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
async def shop(folder: Path, rack: FakeRack, catalogue: Catalogue) -> AsyncGenerator[Path]:
    """A daemon that has had two handsets, the newer one's slot being A1."""
    rack.ledger.keep(
        EntryKind.JOB_OPENED, {"recipe": "overwrite", "usb_serial": "R5CT2200001"}, OTHER
    )
    rack.ledger.keep(
        EntryKind.JOB_OPENED, {"recipe": "overwrite", "usb_serial": "HQ612300001"}, JOB
    )
    inspected = stage_ended("inspect", to_json(replace(INSPECT, imei=IMEI)))
    rack.ledger.keep(EntryKind.STAGE_ENDED, inspected, JOB)
    rack.ledger.keep(EntryKind.LOT_ADDED, to_json(lot_record("L-1")))
    rack.ledger.keep(EntryKind.ASSET_BOUND, to_json(BOUND), JOB)
    rack.ledger.keep_job(
        outcome="passed", disposition="sellable", reason=None, certificate=ENVELOPE
    )
    rack.board.show(running_view())
    path = folder / "benchd.sock"
    async with served(rack, catalogue, folder) as (app, _), running(app, path):
        yield path


async def benchd(socket: Path, *words: str) -> Result:
    def run() -> Result:
        return CliRunner().invoke(command, list(words), env={"BENCHD_SOCKET": str(socket)})

    return await anyio.to_thread.run_sync(run)


@pytest.mark.parametrize(
    "told", [JOB, "A1", "HQ612300001", "Q61230", JOB[-10:], IMEI, IMEI[-6:], TAG, TAG[-4:]]
)
async def test_a_job_is_named_by_anything_that_names_its_handset(
    told: str, rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue) as socket:
        found = await benchd(socket, "job", told, "--json")
        assert found.exit_code == 0, found.exception
        assert json.loads(found.stdout)["job"] == JOB
        file = tmp_path / "certificate.json"
        kept = await benchd(socket, "certificate", "export", told, str(file))
        assert kept.exit_code == 0, kept.exception
        assert file.read_text() == ENVELOPE


@pytest.mark.parametrize(
    ("told", "refusal", "says"),
    [
        ("A9", UsageRefused, "4"),
        ("B1-nothing", NotFound, "no slot, job or handset has"),
        ("00001", UsageRefused, OTHER),
    ],
)
async def test_nobody_is_taken_for_another(
    told: str,
    refusal: type[Exception],
    says: str,
    rack: FakeRack,
    catalogue: Catalogue,
    tmp_path: Path,
) -> None:
    async with shop(tmp_path, rack, catalogue) as socket:
        found = await benchd(socket, "job", told)
        assert isinstance(found.exception, refusal), found.output
        assert says in str(found.exception)


async def test_a_slot_without_a_job_says_so(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue) as socket:
        rack.board.show(replace(running_view(), job=None))
        found = await benchd(socket, "job", "A1")
        assert isinstance(found.exception, NotFound)
        assert "slot A1 has no job now" in str(found.exception)


async def test_a_certificate_is_never_written_over_anything(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with shop(tmp_path, rack, catalogue) as socket:
        file = tmp_path / "certificate.json"
        assert (await benchd(socket, "certificate", "export", "A1", str(file))).exit_code == 0
        assert file.read_text() == ENVELOPE
        for path, says in ((file, "there already"), (tmp_path / "no" / "x", "No such file")):
            refused = await benchd(socket, "certificate", "export", "A1", str(path))
            assert refused.exit_code == 2
            assert says.replace(" ", "") in "".join(refused.output.split()).replace("│", "")
        assert file.read_text() == ENVELOPE


async def test_it_tells_its_version() -> None:
    told = await benchd(Path("nowhere"), "--version")
    assert told.stdout == f"benchd {version()} ({commit()})\n"
