"""Labels over the API: looked at by whoever reads, printed by whoever works here."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import anyio
import httpx2
import pytest

from benchd.domain.errors import LabelRefused, NotFound
from benchd.domain.ids import JobId, SlotName
from benchd.domain.label import PrinterTrouble, PrinterView
from benchd.domain.plain_text import Language
from benchd.ledger.records.records_access import Records
from benchd.texts.catalogue import Catalogue
from tests.papers.labels.zpl_reader import read_zpl, scanned
from tests.web.served import app_of
from tests.web.web_fakes import A1, JOB, FakeRack, Feed, waiting_view
from tests.web.web_running import SEES_ALL, browser

pytestmark = pytest.mark.asyncio

LABEL = f"/api/v1/jobs/{JOB}/label"
PRINTER = PrinterView(name="p1", waiting=1, trouble=None, newest=JOB)


class OnePrinter:
    """A fake desk with one printer, which notes what it is asked for."""

    def __init__(self) -> None:
        self.printers = (replace(PRINTER, trouble=PrinterTrouble.ATTENTION),)
        self.printed: list[tuple[str, str | None]] = []

    async def print_again(self, job: JobId, printer: str | None = None) -> PrinterView:
        if job == "20261124-00000000ff":
            raise NotFound("there is no job 20261124-00000000ff")
        if printer == "full":
            raise LabelRefused("too many labels wait for the printer full: see to it first")
        self.printed.append((job, printer))
        return PRINTER

    async def cards(self, slots: Sequence[SlotName], at: datetime) -> bytes:
        raise NotImplementedError

    async def picture(
        self, job: JobId, kind: str, printer: str | None = None, language: Language | None = None
    ) -> bytes:
        raise NotImplementedError


@asynccontextmanager
async def looked_at(folder: Path) -> AsyncGenerator[httpx2.AsyncClient]:
    """A rack without printers, with one job on record."""
    rack, catalogue = FakeRack(), Catalogue.load()
    rack.ledger.keep_job()
    records = Records(folder / "records.sqlite", Feed(rack))
    app = app_of(
        rack,
        catalogue,
        callers=SEES_ALL,
        records=records,
    )
    async with anyio.create_task_group() as group:
        group.start_soon(records.run)
        await records.reached(len(rack.ledger.stored))
        async with browser(app) as client:
            yield client
        group.cancel_scope.cancel()


@pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbar-tools isn't here")
async def test_without_a_printer_a_label_is_a_picture_alone(tmp_path: Path) -> None:
    async with looked_at(tmp_path) as client:
        png = await client.get(f"{LABEL}.png")
        svg = await client.get(f"{LABEL}.svg")
        zpl = await client.get(f"{LABEL}.zpl")
        english = await client.get(f"{LABEL}.png?lang=en")
        for name in ("label.png", "label.svg", "label.zpl"):
            answer = await client.get(f"/api/v1/jobs/20261124-00000000ff/{name}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
        assert (await client.get(f"{LABEL}.png?printer=p9")).status_code == 404
        assert (await client.get(f"{LABEL}.png?lang=fr")).status_code == 422
        assert (await client.get("/api/v1")).json()["prints"] is False
        assert (await client.get("/api/v1/printers")).json() == {"printers": []}
        refused = await client.post(LABEL)
    for answer, kind in (
        (png, "image/png"),
        (svg, "image/svg+xml"),
        (zpl, "text/plain; charset=us-ascii"),
    ):
        assert answer.headers["content-type"] == kind
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert scanned(png.content, tmp_path, "label.png") == [f"QR-Code:BD:J:{JOB}"]
    told = read_zpl(zpl.content)
    assert scanned(told.as_pbm(), tmp_path, "label.pbm") == [f"QR-Code:BD:J:{JOB}"]
    assert svg.content.startswith(b"<svg")
    assert english.content != png.content
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "label_refused")
    assert refused.json()["error"]["cause"]["ja"].startswith("スロット A1 のラベルを印刷する")


async def test_a_label_that_waits_for_its_printer(rack: FakeRack, catalogue: Catalogue) -> None:
    desk = OnePrinter()
    app = app_of(rack, catalogue, callers=SEES_ALL, labels=desk)
    async with browser(app) as client:
        assert (await client.get("/api/v1")).json()["prints"] is True
        told = (await client.get("/api/v1/printers")).json()["printers"]
        assert told == [{"name": "p1", "waiting": 1, "trouble": "attention", "newest": JOB}]
        for query, where in (("", None), ("?printer=p2", "p2")):
            answer = await client.post(f"{LABEL}{query}")
            assert (answer.status_code, answer.json()["waiting"]) == (202, 1)
            assert desk.printed[-1] == (JOB, where)
        full = await client.post(f"{LABEL}?printer=full")
        assert (full.status_code, full.json()["error"]["code"]) == (409, "label_refused")
        gone = await client.post("/api/v1/jobs/20261124-00000000ff/label")
        assert gone.status_code == 404
    assert len(desk.printed) == 2


async def test_the_racks_sheet_as_pdf_is_that_of_its_slots(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    rack.board.show(waiting_view(A1, 1))
    app = app_of(rack, catalogue, callers=SEES_ALL)
    async with browser(app) as client:
        first = await client.get("/cards.pdf")
        again = await client.get("/cards.pdf")
        rack.board.show(waiting_view(SlotName("B2"), 2))
        other = await client.get("/cards.pdf")
        assert 'href="/cards.pdf"' in (await client.get("/cards")).text
    assert first.headers["content-type"] == "application/pdf"
    assert first.content.startswith(b"%PDF-")
    assert first.content == again.content != other.content
