"""What has to be done next, as the page lists it, which tiles call somebody, and how they keep."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from chromium import needs_chromium
from playwright.async_api import expect
from screens import NO_STORY
from telling import at, errand, ready, slots_of, tell, tell_queue
from walls import Wall

from benchd.domain.ids import SlotName
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from tests.web.web_fakes import A1, FakeRack, asking_view, port, running_view, waiting_view

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

AMBER = "rgb(255, 194, 26)"
FOCUS = "() => document.activeElement.closest('[data-slot]')?.dataset.slot"


async def test_the_queue_stands_in_the_daemons_order_and_goes_by_its_clock(
    rack: FakeRack, wall: Wall
) -> None:
    rack.board.show(running_view())
    rack.board.show(waiting_view(SlotName("A2"), 2))
    async with wall() as seen:
        await seen.page.clock.install()
        await ready(seen)
        time = seen.page.locator("#errands .time")
        await tell_queue(seen.page, errand("replug", "A1", "抜けています", deadline=at(61)))
        await expect(time).to_have_text("1:01")
        await seen.page.clock.run_for(3_000)
        await expect(time).to_have_text("0:58")
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
        await seen.page.clock.run_for(3_000)
        await expect(lines.first.locator(".time")).to_have_text("2:27")
        await expect(seen.page.locator("#bins li")).to_have_text(
            ["販売可3", "返却1", "保留2", "破砕0"]
        )
        # What only has to be carried away isn't urgent.
        await expect(seen.page.locator(".needs_person b")).to_have_text("2")
        await lines.nth(1).locator("button").focus()
        await seen.page.keyboard.press("Enter")
        await expect(seen.panel("h2")).to_contain_text("A2")
        await seen.panel(".close").click()
        hostile = "<img src=x onerror=alert(1)>"
        await tell_queue(seen.page, errand("question", "A1", hostile))
        await expect(seen.page.locator("#errands .what")).to_have_text(hostile)
        assert await seen.page.locator("#queue img").count() == 0
        await tell_queue(seen.page)
        await expect(seen.page.locator("#nothing")).to_have_text("今やることはありません")


async def test_item_4_a_row_says_what_to_do_and_one_row_is_for_all_that_go_to_one_place(
    rack: FakeRack, wall: Wall
) -> None:
    names = [f"A{number}" for number in range(1, 5)]
    for number, name in enumerate(names, 1):
        rack.board.show(waiting_view(SlotName(name), number))
    async with wall() as seen:
        await ready(seen)
        short = {"ja": "照会する: ネットワーク利用制限", "en": "Look up: network restriction"}
        question = "いま照会したネットワーク利用制限は、販売基準を満たしますか"
        sold, back = ({"bin": "sellable"}, {"bin": "return"})
        await tell_queue(
            seen.page,
            errand("question", "A4", question, in_short=short, deadline=at(2_730)),
            *(errand("carry", name, "販売へ", **sold) for name in names[:2]),
            errand("carry", "A3", "返却へ", **back),
        )
        lines = seen.page.locator("#errands li")
        await expect(lines.locator(".what")).to_have_text([short["ja"], "販売へ 2台", "返却へ"])
        await expect(lines.nth(1).locator("small")).to_have_text("A1 A2")
        await expect(lines.first.locator(".time")).to_have_text("残り 45分")
        # Where they go has a colour each.
        edges = await lines.locator("button").evaluate_all(
            "all => all.map(one => getComputedStyle(one).borderLeftColor)"
        )
        assert len(set(edges)) == 3
        await lines.nth(1).locator("button").click()
        await expect(seen.tile("A1")).to_have_class(re.compile("called-out"))
        await expect(seen.tile("A2")).to_have_class(re.compile("called-out"))
        await expect(seen.panel()).to_be_hidden()


async def test_item_4_a_tile_that_waits_for_a_person_tells_until_when_and_no_zero(
    rack: FakeRack, wall: Wall
) -> None:
    rack.board.show(asking_view(A1, 1))
    async with wall() as seen:
        await ready(seen)
        (one,) = await slots_of(seen)
        await tell_queue(seen.page)
        await tell(seen.page, "slot", one | {"handset_left_s": 0})
        await expect(seen.tile("A1").locator(".numbers")).to_be_hidden()
        question = one["question"] | {"until": at(2_730)}
        await tell(seen.page, "slot", one | {"handset_left_s": 0, "question": question})
        await seen.shows("A1", "回答期限まで", "45分")
        await seen.page.route("**/api/v1/jobs/*", lambda route: route.fulfill(json=NO_STORY))
        await seen.open("A1")
        await expect(seen.panel(".until")).to_contain_text("45分")


async def test_a_tile_tells_what_mends_itself_from_what_calls_somebody(
    rack: FakeRack, wall: Wall
) -> None:
    rack.board.show(waiting_view(A1, 1))
    rack.board.show(
        replace(running_view(), slot=SlotName("A2"), port_path=port(2), state=SlotState.REPLUGGING)
    )
    async with wall() as seen:
        await ready(seen)
        assert await seen.ground("A1") == AMBER
        one, two = await slots_of(seen)
        charging = one["problem"] | {"ja": "充電中（18%→30%）"}
        await tell(seen.page, "slot", one | {"mends_itself": True, "problem": charging})
        await seen.shows("A1", "自動で再開", "充電中（18%→30%）")
        assert await seen.ground("A1") != AMBER
        await expect(seen.tile("A1")).not_to_have_class("tile person")
        # A restart that benchd waits for, and a cable that is out.
        await tell(seen.page, "slot", two | {"absence": {"planned": True, "deadline": None}})
        await seen.shows("A2", "再起動中、抜かないで")
        await expect(seen.tile("A2")).not_to_have_class("tile person")
        await expect(seen.page.locator(".needs_person")).to_have_attribute("data-count", "1")
        await tell_queue(seen.page)
        await expect(seen.page.locator(".needs_person")).to_have_attribute("data-count", "0")
        await expect(seen.page.locator(".busy")).to_have_attribute("data-count", "2")
        await tell(seen.page, "slot", two | {"absence": {"planned": False, "deadline": at(125)}})
        await seen.shows("A2", "挿し直してください", "2:05")
        await expect(seen.tile("A2")).to_have_class("tile person")
        assert await seen.ground("A2") == "rgb(169, 26, 16)"


async def test_a_slot_whose_handset_was_taken_out_half_erased_isnt_empty(
    rack: FakeRack, wall: Wall
) -> None:
    rack.board.show(SlotView(slot=A1, port_path=port(1)))
    async with wall() as seen:
        await ready(seen)
        await seen.shows("A1", "空き")
        told = errand("tray", "A1", "消去の途中で取り出された端末があります", here=True)
        await tell_queue(seen.page, told)
        await seen.shows("A1", "消去途中で取り出し", "端末を探して挿し直す")
        await expect(seen.tile("A1")).not_to_contain_text("空き")
        assert await seen.ground("A1") == AMBER
        # Another handset has been in it since: the errand stays, the tile is the new one's.
        await tell_queue(seen.page, told | {"here": False})
        await seen.shows("A1", "空き")
        await expect(seen.page.locator("#errands li")).to_have_count(1)
        # What is on that page other tests say: this rack has nothing to serve it from.
        await seen.page.route("**/disposal", lambda route: route.fulfill(body=""))
        await seen.page.locator("#errands button").click()
        await expect(seen.page).to_have_url(seen.at("disposal"))


async def test_a_press_survives_updates_and_others_that_come_before_it(
    rack: FakeRack, wall: Wall
) -> None:
    rack.board.show(running_view(0.1))
    for number, name in enumerate(("A2", "A3"), 2):
        rack.board.show(waiting_view(SlotName(name), number))
    async with wall() as seen:
        await ready(seen)
        await seen.tile("A1").locator(".open").hover()
        await seen.page.mouse.down()
        rack.board.show(replace(running_view(0.7), eta_s=61))
        await seen.shows("A1", "70%")
        rack.board.show(waiting_view(A1, 1))
        await seen.shows("A1", "要対応")
        await seen.page.mouse.up()
        await expect(seen.panel("h2")).to_contain_text("A1")
        await seen.panel(".close").click()
        one, two, three = (errand("put_right", f"A{n}", f"問題{n}") for n in (1, 2, 3))
        await tell_queue(seen.page, one, two)
        line = seen.page.locator('#errands li[data-slot="A2"] button')
        box = await line.bounding_box()
        assert box is not None
        await seen.page.mouse.move(box["x"] + 20, box["y"] + box["height"] - 6)
        await seen.page.mouse.down()
        # What is pressed stays the same element, though its place has changed.
        await tell_queue(seen.page, two | {"ja": "問題2、まだ"}, three, one)
        await expect(seen.page.locator("#errands .where")).to_have_text(["A2", "A3", "A1"])
        await line.hover()
        await seen.page.mouse.up()
        await expect(seen.panel("h2")).to_contain_text("A2")


async def test_the_focus_stays_through_fifty_updates(rack: FakeRack, wall: Wall) -> None:
    rack.ledger.keep_job()
    for number in range(1, 5):
        rack.board.show(
            replace(running_view(), slot=SlotName(f"A{number}"), port_path=port(number))
        )
    async with wall() as seen:
        await ready(seen)
        errands = [errand("question", f"A{n}", f"質問{n}") for n in range(1, 5)]
        await tell_queue(seen.page, *errands)
        slots = await slots_of(seen)
        await seen.page.locator('#errands li[data-slot="A3"] button').focus()
        for turn in range(50):
            await tell_queue(seen.page, *errands[turn % 4 :], *errands[: turn % 4])
            await tell(seen.page, "slot", slots[turn % 4] | {"progress": turn / 50})
        assert await seen.page.evaluate(FOCUS) == "A3"
        await seen.tile("A2").locator(".open").focus()
        for turn in range(50):
            state = "running" if turn % 2 else "settling"
            await tell(seen.page, "slot", slots[1] | {"progress": turn / 50, "state": state})
            await tell(seen.page, "alive", {"slots": ["A1", "A2", "A3", "A4"]})
        assert await seen.page.evaluate(FOCUS) == "A2"
        # In an open panel too, with a press that isn't over.
        await seen.open("A1")
        close = seen.panel(".close")
        await close.focus()
        box = await close.bounding_box()
        assert box is not None
        await seen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        await seen.page.mouse.down()
        for turn in range(50):
            rack.board.show(replace(running_view(turn / 50), eta_s=turn))
        await expect(seen.panel(".about")).to_contain_text("98%")
        await expect(close).to_be_focused()
        await seen.page.mouse.up()
        await expect(seen.panel()).to_be_hidden()
