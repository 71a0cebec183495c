"""Which job a command means, and what is written of it: certificates, labels, badges."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchd.domain.errors import DecisionRefused, NotFound, UsageRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId
from benchd.domain.intake import BoundBy
from benchd.domain.record import EntryKind
from benchd.domain.version_info import commit, version
from benchd.proof.evidence.intake_evidence import BoundRecord
from tests.cli.shop import Shop
from tests.intake.lots import lot_record
from tests.ledger.records.records_rack import INSPECT
from tests.papers.labels.zpl_reader import read_zpl
from tests.people.people_rig import BADGE, Door
from tests.recorded import stage_ended
from tests.web.web_fakes import A1, JOB, running_view, waiting_view

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


@asynccontextmanager
async def daemon(shop: Shop) -> AsyncGenerator[Door]:
    """A daemon without printers, with one job on record."""
    shop.rack.ledger.keep_job()
    shop.rack.board.show(waiting_view(A1, 1))
    async with shop.daemon() as door:
        yield door


async def test_what_is_printed_is_written_to_a_new_file(shop: Shop, tmp_path: Path) -> None:
    async with daemon(shop):
        for name in ("a.png", "a.SVG", "a.zpl"):
            await shop.done("label", JOB, "--to", str(tmp_path / name))
        again = await shop.benchd("label", JOB, "--to", str(tmp_path / "a.png"))
        assert again.exit_code != 0
        gone = await shop.benchd("label", "20261124-00000000ff", "--to", str(tmp_path / "b.png"))
        assert isinstance(gone.exception, NotFound)
        assert not (tmp_path / "b.png").exists()
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / "a.SVG").read_bytes().startswith(b"<svg")
        assert read_zpl((tmp_path / "a.zpl").read_bytes()).width == 495
        await shop.done("cards", "--to", str(tmp_path / "cards.pdf"))
        assert (tmp_path / "cards.pdf").read_bytes().startswith(b"%PDF-")


async def test_one_of_file_and_printer(shop: Shop) -> None:
    async with daemon(shop):
        for words in ((), ("--to", "a.pdf"), ("--to", "a.png", "--print")):
            assert (await shop.benchd("label", JOB, *words)).exit_code == 2, words
        pin, badge = shop.secrets()
        told = await shop.benchd("label", JOB, "--print", "--operator", "mori", *pin, *badge)
        assert isinstance(told.exception, DecisionRefused)
        assert "no printer is configured for slot A1" in str(told.exception)


async def test_new_badges_are_the_files_and_nobody_elses(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "BD:P:" + "AB" * 8
    monkeypatch.setattr("benchd.cli.label_commands.b32encode", lambda _: b"AB" * 8)
    file = tmp_path / "badges.pdf"
    async with daemon(shop) as door:
        made = await shop.done("people", "badges", "mori", "--to", str(file))
        of_badge = door.people.of_badge(code)
        assert of_badge is not None
        assert of_badge.id == "mori"
        assert door.people.of_badge(BADGE) is None
        assert "AB" * 8 not in made.output
        assert (await shop.benchd("people", "badges", "mori", "--to", str(file))).exit_code == 2
        assert file.read_bytes().startswith(b"%PDF-")
        assert file.stat().st_mode & 0o077 == 0
