"""What has to be done next, as the page lists it, and which tiles call somebody."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chromium import Visit, Visits, needs_chromium
from playwright.async_api import expect
from telling import at, errand, listening, tell, tell_queue

from benchd.domain.ids import SlotName
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from tests.web.web_fakes import A1, FakeRack, port, running_view, waiting_view
from tests.web.web_running import Running, Server

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

AMBER = "rgb(255, 194, 26)"


def address(here: Running, query: str = "") -> str:
    return f"http://127.0.0.1:{here.port}/{query}"


async def ground(seen: Visit, slot: str) -> str:
    return await seen.tile(slot).evaluate("tile => getComputedStyle(tile).backgroundColor")


async def ready(seen: Visit) -> None:
    await listening(seen.page)
    await expect(seen.page.locator("body")).to_have_attribute("data-connection", "live")


async def test_the_queue_stands_in_the_daemons_order_and_leads_to_its_slots(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.board.show(running_view())
    rack.board.show(waiting_view(SlotName("A2"), 2))
    async with server() as here, visit(address(here)) as seen:
        await ready(seen)
        await tell_queue(
            seen.page,
            errand("replug", "A1", "ケーブルが抜けています", deadline=at(150)),
            errand("put_right", "A2", "USBデバッグが無効です"),
            errand("carry", "A3", "販売の棚へ", bin="sellable"),
        )
        lines = seen.page.locator("#errands li")
        await expect(lines.locator(".where")).to_have_text(["A1", "A2", "A3"])
        await expect(lines.first.locator(".time")).to_have_text("2:30")
        await expect(lines.nth(1).locator(".time")).to_have_text("10分")
        await expect(seen.page.locator("#bins li")).to_have_text(
            ["販売可3", "返却1", "保留2", "破砕0"]
        )
        await expect(seen.page.locator(".needs_person b")).to_have_text("3")
        await lines.nth(1).locator("button").focus()
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.locator("#panel h2")).to_contain_text("A2")
        await seen.page.locator("#panel .close").click()
        await tell_queue(seen.page)
        await expect(seen.page.locator("#nothing")).to_have_text("今やることはありません")


async def test_a_countdown_goes_by_the_racks_clock(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.board.show(running_view())
    async with server() as here, visit(address(here)) as seen:
        await seen.page.clock.install()
        await ready(seen)
        await tell_queue(seen.page, errand("replug", "A1", "抜けています", deadline=at(61)))
        time = seen.page.locator("#errands .time")
        await expect(time).to_have_text("1:01")
        await seen.page.clock.run_for(3_000)
        await expect(time).to_have_text("0:58")


async def test_what_mends_itself_calls_nobody(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.board.show(waiting_view(A1, 1))
    async with server() as here, visit(address(here)) as seen:
        await ready(seen)
        assert await ground(seen, "A1") == AMBER
        slot = (await (await seen.page.request.get(address(here, "api/v1/slots"))).json())["slots"][
            0
        ]
        charging = slot["problem"] | {"ja": "充電中（18%→30%）"}
        await tell(seen.page, "slot", slot | {"mends_itself": True, "problem": charging})
        await seen.shows("A1", "自動で再開", "充電中（18%→30%）")
        assert await ground(seen, "A1") != AMBER
        await expect(seen.tile("A1")).not_to_have_class("person")
        await expect(seen.page.locator(".needs_person")).to_have_attribute("data-count", "1")
        await tell_queue(seen.page)
        await expect(seen.page.locator(".needs_person")).to_have_attribute("data-count", "0")
        await expect(seen.page.locator(".busy")).to_have_attribute("data-count", "1")


async def test_an_absence_is_a_restart_or_a_cable_that_is_out(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.board.show(replace(running_view(), state=SlotState.REPLUGGING))
    async with server() as here, visit(address(here)) as seen:
        await ready(seen)
        slot = (await (await seen.page.request.get(address(here, "api/v1/slots"))).json())["slots"][
            0
        ]
        await tell(seen.page, "slot", slot | {"absence": {"planned": True, "deadline": None}})
        await seen.shows("A1", "再起動中、抜かないで")
        await expect(seen.tile("A1")).not_to_have_class("tile person")
        await tell_queue(seen.page)
        await tell(seen.page, "slot", slot | {"absence": {"planned": False, "deadline": at(125)}})
        await seen.shows("A1", "挿し直してください", "2:05")
        await expect(seen.tile("A1")).to_have_class("tile person")
        assert await ground(seen, "A1") == "rgb(211, 38, 26)"


async def test_a_slot_whose_handset_was_taken_out_half_erased_isnt_empty(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.board.show(SlotView(slot=A1, port_path=port(1)))
    async with server() as here, visit(address(here)) as seen:
        await ready(seen)
        await seen.shows("A1", "空き")
        told = errand("tray", "A1", "消去の途中で取り出された端末があります", here=True)
        await tell_queue(seen.page, told)
        await seen.shows("A1", "消去途中で取り出し", "消去の途中で取り出された端末があります")
        await expect(seen.tile("A1")).not_to_contain_text("空き")
        assert await ground(seen, "A1") == AMBER
        # Another handset has been in it since: the errand stays, the tile is the new one's.
        await tell_queue(seen.page, told | {"here": False})
        await seen.shows("A1", "空き")
        await expect(seen.page.locator("#errands li")).to_have_count(1)
        # What is on that page other tests say: this rack has nothing to serve it from.
        await seen.page.route("**/disposal", lambda route: route.fulfill(body=""))
        await seen.page.locator("#errands button").click()
        await expect(seen.page).to_have_url(address(here, "disposal"))


async def test_a_hostile_errand_stays_text(rack: FakeRack, server: Server, visit: Visits) -> None:
    rack.board.show(running_view())
    async with server() as here, visit(address(here)) as seen:
        await ready(seen)
        hostile = "<img src=x onerror=alert(1)>"
        await tell_queue(seen.page, errand("question", "A1", hostile))
        await expect(seen.page.locator("#errands .what")).to_have_text(hostile)
        assert await seen.page.locator("#queue img").count() == 0
