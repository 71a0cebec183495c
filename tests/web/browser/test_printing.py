"""A label once more, by key and by card: at its printer where there is one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import anyio
import pytest
from chromium import Visit, Visits, needs_chromium
from paper_shop import signed_in
from playwright.async_api import expect
from scanner import scan

from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Disposition, Outcome
from benchd.domain.label import PrinterView
from benchd.domain.plain_text import Language
from benchd.domain.slot_states import SlotState
from benchd.ledger.records.records_access import Records
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel
from tests.papers.labels.quiet_desk import quiet_desk
from tests.web.fake_sessions import believing
from tests.web.served import app_of
from tests.web.web_fakes import A1, JOB, FakeRack, Feed, running_view
from tests.web.web_running import running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

LAST = JobId("20261124-00000000ee")


class Printing:
    """A fake desk whose printer takes everything; its pictures are real ones."""

    def __init__(self, rack: FakeRack, records: Records, catalogue: Catalogue) -> None:
        self._desk = quiet_desk(rack, records, catalogue)
        self.printers = (PrinterView(name="till", waiting=0, trouble=None, newest=LAST),)
        self.printed: list[tuple[str, str | None]] = []

    async def print_again(self, job: JobId, printer: str | None = None) -> PrinterView:
        self.printed.append((job, printer))
        return self.printers[0]

    async def cards(self, slots: Sequence[SlotName], at: datetime) -> bytes:
        raise NotImplementedError

    async def picture(
        self, job: JobId, kind: str, printer: str | None = None, language: Language | None = None
    ) -> bytes:
        return await self._desk.picture(job, kind)  # type: ignore[arg-type]


@asynccontextmanager
async def screen(
    rack: FakeRack, catalogue: Catalogue, folder: Path, visit: Visits, path: str = "/"
) -> AsyncGenerator[tuple[Visit, Printing]]:
    """A rack with a printer and one handset that is to be held, seen by somebody signed in."""
    rack.ledger.keep_job()
    ended = {"state": SlotState.FINISHED, "stage": None, "progress": None, "eta_s": None}
    held = {"outcome": Outcome.FAILED, "disposition": Disposition.HOLD}
    rack.board.show(replace(running_view(), **ended, **held))  # type: ignore[arg-type]
    records = Records(folder / "records.sqlite", Feed(rack))
    desk = Printing(rack, records, catalogue)
    app = app_of(
        rack,
        catalogue,
        callers=believing(AccessLevel.READ),
        records=records,
        labels=desk,
    )
    async with anyio.create_task_group() as group:
        group.start_soon(records.run)
        await records.reached(len(rack.ledger.stored))
        async with (
            running(app, folder / "prints.sock") as here,
            visit(f"http://127.0.0.1:{here.port}{path}") as seen,
        ):
            await signed_in(seen)
            yield seen, desk
        group.cancel_scope.cancel()


async def test_p_and_the_card_print_the_label_of_what_is_open(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    async with screen(rack, catalogue, tmp_path, visit) as (seen, desk):
        said = seen.page.get_by_text("ラベルを印刷に回しました。").first
        await scan(seen, f"BD:S:{A1}")
        await expect(seen.page.locator("#panel")).to_be_visible()
        await scan(seen, "BD:A:PRINT")
        await expect(said).to_be_attached()
        assert desk.printed == [(JOB, None)]
        async with seen.page.expect_response("**/label"):
            await seen.page.keyboard.press("p")
        assert desk.printed == [(JOB, None)] * 2


async def test_with_nothing_open_p_prints_what_came_out_last(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    async with screen(rack, catalogue, tmp_path, visit) as (seen, desk):
        await expect(seen.page.locator("#rack [data-slot]")).to_have_count(1)
        async with seen.page.expect_response("**/label"):
            await seen.page.keyboard.press("p")
        assert desk.printed == [(LAST, None)]


async def test_the_page_of_a_label_shows_it_as_it_comes_out(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    path = f"/handsets?label={JOB}"
    async with screen(rack, catalogue, tmp_path, visit, path) as (seen, desk):
        picture = seen.page.locator(".at-printer img")
        await expect(picture).to_be_visible()
        wide = await picture.evaluate("img => img.decode().then(() => img.naturalWidth)")
        assert wide == 495
        async with seen.page.expect_response("**/label?printer=till"):
            await seen.page.locator("#print-till").click()
        await expect(seen.page.locator("#announcer")).to_have_text("ラベルを印刷に回しました。")
        assert desk.printed == [(JOB, "till")]
