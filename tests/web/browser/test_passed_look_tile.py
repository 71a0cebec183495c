"""A certified handset that was plugged in once more for a look goes back to where it is sold.

Before, tile, queue, shift, lot and disposal list all said 保留, while its pallet could go out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from chromium import Visit, needs_chromium
from paper_shop import Shop
from playwright.async_api import expect

from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState
from benchd.intake.intake_store import IntakeStore
from benchd.papers.lots.job_selection import Chooser
from benchd.papers.lots.shipping import ShippingDesk
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.intake_evidence import AssetLine, AssetsRecord
from tests.intake.lots import BY
from tests.ledger.records.records_rack import START, Told
from tests.papers.lots.lot_rack import held_back
from tests.web.web_fakes import FakeClock, port, running_view

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

GREEN = "rgb(31, 184, 101)"
R1, R2 = SlotName("R1"), SlotName("R2")
LOOKED = replace(
    running_view(),
    slot=R1,
    state=SlotState.FINISHED,
    job=JobId("look-1"),
    recipe="recheck",
    identity=None,
    outcome=Outcome.PASSED,
    disposition=Disposition.HOLD,
    reason=Reason.RECHECKED,
)
SHIFT = "/board?day=2026-11-03"


@asynccontextmanager
async def looked(shop: Shop, path: str = "/", **how: object) -> AsyncGenerator[Visit]:
    """T1 is certified and looked at in R1; in R2 lies one whose label nobody has scanned."""
    told = Told(shop.stored)
    told.lot("L-1")
    assets = (AssetLine(tag="T1"),)
    listed = AssetsRecord(
        lot="L-1", batch="batch", part=1, parts=1, again=False, assets=assets, by=BY
    )
    told.tell(EntryKind.ASSETS_ADDED, None, to_json(listed))
    told.open("sold")
    told.inspect("sold")
    told.bind("sold", "T1")
    told.sell("sold")
    for job in ("look-1", "look-2"):
        told.open(job, recipe="recheck")
        if job == "look-1":
            told.bind(job, "T1")
        told.end(job, "passed", "hold", "rechecked")
    shop.rack.board.show(LOOKED)
    shop.rack.board.show(replace(LOOKED, slot=R2, port_path=port(2), job=JobId("look-2")))
    store = await IntakeStore(shop.rack.ledger, FakeClock()).recalled()
    now = START + timedelta(days=1)
    shop.parts = {
        "shipping": ShippingDesk(
            Chooser(shop.records, lambda: store.book, lambda: len(shop.stored)),
            ledger=shop.rack.ledger,
            issuer=shop.rack.issuer,
            book=lambda: store.book,
            time=lambda: TimeBasis(at=now, newest=now, after=1, boot="boot-1", confirmed=None),
            now=lambda: now,
            holder=shop.rack.held.holder,
            good_for_days={"recheck": 30.0},
        )
    }
    async with shop.seen_at(path, **how) as seen:  # type: ignore[arg-type]
        yield seen


async def test_its_tile_and_the_queue_send_it_back_to_sale(shop: Shop) -> None:
    async with looked(shop) as seen:
        await seen.shows("R1", "販売可", "再確認で異常は見つかりませんでした")
        assert await seen.ground("R1") == GREEN
        await expect(seen.tile("R1")).not_to_contain_text("保留")
        await seen.shows("R2", "保留", "再確認で異常は見つかりませんでした")
        assert await seen.ground("R2") != GREEN
        rows = seen.page.locator("#errands .what")
        await expect(rows).to_have_text(["販売へ戻す", "保留へ"])
        await expect(seen.page.locator('#bins [data-bin="sellable"] b')).to_have_text("1")
        await expect(seen.page.locator('#bins [data-bin="hold"] b')).to_have_text("1")
        await seen.open("R1")
        await expect(seen.panel()).to_contain_text("販売の置き場へ戻します")
        await expect(seen.panel()).not_to_contain_text("保留")


async def test_a_hold_on_its_certificate_takes_it_off_tile_and_queue(shop: Shop) -> None:
    """Its slot says nothing new then: a page that had it green kept it green."""
    async with looked(shop) as seen:
        await seen.shows("R1", "販売可", "再確認で異常は見つかりませんでした")
        shop.rack.held.take(held_back("sold"))
        Told(shop.stored).open("other")
        shop.records.follower.wake()
        shop.rack.board.show(running_view())
        await expect(seen.page.locator("#errands .what")).to_have_text(["保留へ 2台"])
        await seen.shows("R1", "保留", "再確認で異常は見つかりませんでした")
        assert await seen.ground("R1") != GREEN


async def test_the_disposal_page_lists_what_waits_and_not_what_is_sold_still(shop: Shop) -> None:
    async with looked(shop, "/disposal") as seen:
        await expect(seen.page.locator("#open tr[data-job]")).to_have_count(1)
        await expect(seen.page.locator("#open tr[data-job]")).to_have_attribute(
            "data-job", "look-2"
        )


async def test_the_shift_counts_it_by_its_certificate(shop: Shop) -> None:
    async with looked(shop, SHIFT) as seen:
        await expect(seen.page.locator("#count-went-sold")).to_have_text("1")
        await expect(seen.page.locator("#count-went-held")).to_have_text("1")


async def test_its_lot_and_its_own_page_say_that_it_may_be_sold(shop: Shop) -> None:
    async with looked(shop, "/lots?lot=L-1") as seen:
        await expect(seen.page.locator("main")).to_contain_text("販売可（再確認済み）")
        await expect(seen.page.locator("main")).not_to_contain_text("保留")
        await seen.go("/handsets?job=look-1")
        await expect(seen.page.locator("main")).to_contain_text("販売可（再確認済み）")
        await expect(seen.page.locator("main")).not_to_contain_text("保留")
        of_earlier = seen.page.locator("main > .facts a.certificate")
        await expect(of_earlier).to_have_attribute(
            "href", "/api/v1/jobs/sold/certificate.html?language=ja"
        )
        label = seen.page.locator("#label")
        await expect(label).to_have_attribute("href", "/handsets?label=sold")


async def test_whoever_plans_by_the_handover_sheet_is_told_the_same(shop: Shop) -> None:
    async with looked(shop, f"{SHIFT}&sheet=handover") as seen:
        await expect(seen.page.locator("tr", has_text="R1")).to_contain_text("販売可")
        await expect(seen.page.locator("tr", has_text="R2").first).to_contain_text("保留")
