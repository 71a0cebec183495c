"""A shop with lots, jobs that have ended and people, for the pages beside the wall."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
from chromium import Visit, Visits
from parts_kept import PartsKept
from playwright.async_api import Page, expect

from benchd.domain.evidence_json import to_json
from benchd.domain.ids import Evidence, JobId
from benchd.domain.record import EntryKind, StoredEntry
from benchd.intake.grade_desk import GradeDesk
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.ledger.records.records_access import Records
from benchd.observe.announcing_ledger import AnnouncingLedger
from benchd.slots.disposal_desk import DisposalDesk
from benchd.texts.catalogue import Catalogue
from benchd.web.callers import Callers
from tests import recorded
from tests.core.world import CountingEntropy
from tests.intake.lots import imei
from tests.ledger.records.records_rack import INSPECT
from tests.web.served import app_of
from tests.web.web_fakes import FakeClock, FakeRack, Feed
from tests.web.web_running import SEES_ALL, Running, running


@dataclass
class Shop:
    """A rack in memory with everything behind its pages; the read model follows its ledger."""

    folder: Path
    catalogue: Catalogue
    visit: Visits
    callers: Callers = SEES_ALL
    rack: FakeRack = field(default_factory=FakeRack)
    parts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of the application, beside those that a shop has anyway."""
    records: Records = field(init=False)
    here: Running = field(init=False)

    def __post_init__(self) -> None:
        self.records = Records(self.folder / "records.sqlite", Feed(self.rack))

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[Running]:
        records = self.records
        ledger = AnnouncingLedger(self.rack.ledger, records.follower, lambda: None)
        store = await IntakeStore(ledger, FakeClock()).recalled()
        app = app_of(
            self.rack,
            self.catalogue,
            callers=self.callers,
            records=records,
            disposal=DisposalDesk(ledger, FakeClock()),
            intake=IntakeDesk(store, CountingEntropy()),
            grades=GradeDesk(ledger, FakeClock(), lambda: store.book),
            **self.parts,
        )
        app.add_middleware(PartsKept)
        async with anyio.create_task_group() as group:
            group.start_soon(records.run)
            await records.until(lambda: records.upto.sequence == len(self.stored))
            async with running(app, self.folder / "benchd.sock") as self.here:
                yield self.here
            group.cancel_scope.cancel()

    @asynccontextmanager
    async def seen_at(
        self,
        path: str,
        *,
        signed_in: bool = True,
        **how: Any,  # noqa: ANN401 - as `visited` takes it
    ) -> AsyncGenerator[Visit]:
        """One of its pages, at which somebody has signed in."""
        async with self.open() as here, self.page(here, path, **how) as seen:
            if signed_in:
                await seen.sign_in()
            yield seen

    def page(
        self,
        here: Running,
        path: str,
        **how: Any,  # noqa: ANN401 - as above
    ) -> AbstractAsyncContextManager[Visit]:
        return self.visit(f"http://127.0.0.1:{here.port}{path}", **how)

    async def enter(self, path: str, **told: object) -> None:
        """What somebody enters at another screen."""
        async with self.here.over_tcp() as clerk:
            assert (await clerk.post(f"/api/v1/{path}", json=told)).is_success

    async def take_in(self, lot: str, consignor: str = "X", **asset: object) -> None:
        """A lot, and the first handset of it."""
        await self.enter("lots", lot=lot, consignor=consignor, kind="auction")
        if asset:
            await self.enter(f"lots/{lot}/assets", **asset)

    async def caught_up(self) -> None:
        """Until the pages can show all that is on record."""
        await self.records.reached(len(self.stored))

    @property
    def stored(self) -> list[StoredEntry]:
        return self.rack.ledger.stored

    def kept(self, kind: EntryKind) -> list[StoredEntry]:
        return [one for one in self.stored if one.entry.kind is kind]

    def ended(
        self,
        job: str,
        disposition: str,
        reason: str | None,
        number: int = 0,
        *,
        model: str = "SO-51B",
        tag: str | None = None,
    ) -> None:
        """A job that has ended; each `number` is another handset."""
        keep, name = self.rack.ledger.keep, JobId(job)
        inspected = replace(INSPECT, model=model, serial=f"HQ61{number:04}", imei=imei(number))
        sold = disposition == "sellable"
        keep(EntryKind.JOB_OPENED, {"recipe": "overwrite", "tag": tag, "lot": None}, name)
        keep(EntryKind.STAGE_STARTED, {"stage": "inspect"}, name)
        keep(EntryKind.STAGE_ENDED, recorded.stage_ended("inspect", to_json(inspected)), name)
        keep(EntryKind.STAGE_STARTED, {"stage": "overwrite"}, name)
        keep(EntryKind.STAGE_ENDED, recorded.stage_ended("overwrite", recorded.overwrite()), name)
        end: Evidence = {
            "outcome": "passed" if sold else "failed",
            "disposition": disposition,
            "reason": reason,
            "detail": "",
            "certificate": '{"payload": ""}' if sold else None,
        }
        keep(EntryKind.JOB_ENDED, end, name)


async def add_lot(page: Page, lot: str, consignor: str = "個人") -> None:
    await page.locator("#add-lot > summary").click()
    await page.locator("#lot").fill(lot)
    await page.locator("#kind-purchase").check()
    await page.locator("#consignor").fill(consignor)
    await page.locator("#add-lot .do").click()
    await expect(page.locator("h2")).to_contain_text(lot)
