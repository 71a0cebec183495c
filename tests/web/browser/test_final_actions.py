"""What can't be undone is done by two presses, the second beside what becomes of which handset."""

from __future__ import annotations

import pytest
from chromium import Visit, needs_chromium
from paper_shop import Shop
from playwright.async_api import Locator, Route, expect
from scanner import scan

from benchd.domain.disposal import DISPOSAL_MOVES, DisposalState
from benchd.domain.record import EntryKind
from tests.intake.lots import imei

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

HAS_WAY_BACK = {
    to
    for to in DisposalState
    if to is DisposalState.RERUN_DUE or DisposalState.RERUN_DUE in DISPOSAL_MOVES[to]
}
SETTLED = {one for moves in DISPOSAL_MOVES.values() for one in moves}


TWICE = """async () => {
  const { sure } = await import("/static/confirm_dialog.js");
  const ask = () => sure({ title: "to be done", told: [["what", "this"]], yes: "do it" });
  window.twice = ask().then(async first => [first, await ask()]);
}"""


def asked(seen: Visit, within: str = "") -> Locator:
    return seen.page.locator(f"#sure {within}")


async def to_be_crushed(shop: Shop, seen: Visit) -> Locator:
    """The form of one that is to be crushed, filled in; gives its button."""
    await shop.take_in("L-1", tag="T-1")
    await seen.go("/lots?lot=L-1")
    await seen.page.locator("#dead > summary").click()
    await seen.page.locator("#dead-tag").fill("T-1")
    await seen.page.locator("#dead-reason-no_power").check()
    return seen.page.locator("#dead .do")


async def test_item_1_nothing_is_crushed_by_one_press(shop: Shop) -> None:
    async with shop.seen_at("/lots") as seen:
        button = await to_be_crushed(shop, seen)
        await button.click()
        for told in ("T-1", "電源が入らない", "取り消せません"):
            await expect(asked(seen)).to_contain_text(told)
        # Enter once too often does nothing, and whoever thinks better of it is back at the button.
        await expect(asked(seen, ".no")).to_be_focused()
        await seen.page.keyboard.press("Enter")
        await expect(asked(seen)).to_be_hidden()
        await expect(button).to_be_focused()
        await button.click()
        await seen.page.keyboard.press("Escape")
        await expect(asked(seen)).to_be_hidden()
        await expect(seen.page.locator("#dead-tag")).to_have_value("T-1")
        assert shop.kept(EntryKind.ASSET_UNERASABLE) == []
        await button.click()
        await asked(seen, ".yes").click()
        await expect(seen.page.locator("#page > .good")).to_contain_text("記録しました")
    assert len(shop.kept(EntryKind.ASSET_UNERASABLE)) == 1


async def test_item_1_it_is_answered_by_key_and_by_no_scan(shop: Shop) -> None:
    async with shop.seen_at("/lots") as seen:
        button = await to_be_crushed(shop, seen)
        await button.click()
        # A code leads nowhere and answers nothing, whatever letters are in it.
        for code in ("Y1", "BD:A:YES", imei(1), "BD:J:job-1"):
            await scan(seen, code)
            await expect(asked(seen)).to_be_visible()
        await seen.page.keyboard.press("n")
        await expect(asked(seen)).to_be_hidden()
        # Whoever takes over has asked for nothing.
        await button.click()
        await scan(seen, "SUZUKI-1002")
        await expect(seen.page.locator("#operator .who")).to_have_text("SUZUKI-1002")
        await expect(asked(seen)).to_be_hidden()
        assert shop.kept(EntryKind.ASSET_UNERASABLE) == []
        await button.click()
        await seen.page.keyboard.press("y")
        await expect(seen.page.locator("#page > .good")).to_contain_text("記録しました")
    [told] = shop.kept(EntryKind.ASSET_UNERASABLE)
    assert "SUZUKI-1002" in str(told.entry.data["by"])


@pytest.mark.parametrize("to", sorted(SETTLED))
async def test_item_1_disposal_asks_before_what_has_no_way_back(
    shop: Shop, to: DisposalState
) -> None:
    shop.ended("job-1", "hold", "storage_quota", 1)
    async with shop.seen_at("/disposal") as seen:

        async def may_be_all(route: Route) -> None:
            told = await (await route.fetch(max_retries=3)).json()
            for item in told["items"]:
                item["moves"] = sorted(SETTLED)
            await route.fulfill(json=told)

        await seen.page.route("**/api/v1/disposal", may_be_all)
        await seen.page.reload()
        await expect(seen.page.locator("#open tbody tr")).to_have_count(1)
        await scan(seen, imei(1))
        await seen.page.locator(f"#to-{to}").check()
        for field in ("recycler", "number", "later_job", "certificate", "note"):
            if await (line := seen.page.locator(f"#{field}")).is_visible():
                await line.fill("X-1")
        async with seen.page.expect_request("**/api/v1/disposal/job-1") as sent:
            await seen.page.locator(".settling .do").click()
            if to not in HAS_WAY_BACK:
                await expect(asked(seen)).to_contain_text(imei(1))
                await asked(seen, ".yes").click()
        assert ((await sent.value).post_data_json or {})["state"] == to


async def test_item_1_a_shipment_is_asked_for_twice(shop: Shop) -> None:
    async with shop.seen_at("/lots") as seen:
        await shop.take_in("L-1", tag="T-1")

        async def may_go(route: Route) -> None:
            told = {"at": "2026-11-24T03:00:00Z", "ready": True, "kept_back": 0}
            await route.fulfill(json={**told, "handsets": [{"tag": "T-1", "standing": "ready"}]})

        await seen.page.route("**/api/v1/shipping", may_go)
        await seen.go("/lots?lot=L-1")
        await seen.page.locator("#shipping > summary").click()
        await seen.page.get_by_role("button", name="出荷できるか確かめる").click()
        await seen.page.locator("#ship-name").fill("P-1")
        async with seen.page.expect_request("**/api/v1/shipments"):
            await seen.page.get_by_role("button", name="出荷を記録").click()
            await expect(asked(seen)).to_contain_text("P-1")
            await asked(seen, ".yes").click()


async def test_item_1_what_is_asked_next_isnt_answered_by_the_end_of_what_was_asked_before(
    shop: Shop,
) -> None:
    """A dialog tells that it was closed only after the next one may have been opened."""
    async with shop.seen_at("/lots") as seen:
        await seen.page.evaluate(TWICE)
        for _ in range(2):
            await asked(seen, ".yes").click()
        assert await seen.page.evaluate("twice") == [True, True]
