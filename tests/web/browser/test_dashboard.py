"""The dashboard in Debian's Chromium, over the real application and a rack in memory."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from answers import answer
from chromium import Visit, Visits, needs_chromium
from fastapi import FastAPI
from gallery import Gallery
from playwright.async_api import expect

from benchd.domain.chip import ChipOwners
from benchd.domain.hook import Direction, NextAction
from benchd.domain.ids import PortPath, SlotName
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode, ProblemView, SlotView
from benchd.domain.slot_states import SlotState
from benchd.texts.catalogue import Catalogue
from tests.people.somebody import somebody
from tests.web.served import app_of
from tests.web.web_fakes import (
    A1,
    BEGAN,
    HOSTILE,
    JOB,
    FakeRack,
    asking_view,
    identity,
    port,
    running_view,
    waiting_view,
)
from tests.web.web_running import SEES_ALL, Running, Server, running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

GREEN = "rgb(31, 184, 101)"
SELLABLE = replace(
    running_view(),
    state=SlotState.FINISHED,
    outcome=Outcome.PASSED,
    disposition=Disposition.SELLABLE,
)


def address(here: Running, query: str = "") -> str:
    return f"http://127.0.0.1:{here.port}/{query}"


async def colour(seen: Visit, slot: str) -> str:
    return await seen.tile(slot).evaluate("tile => getComputedStyle(tile).backgroundColor")


async def test_plug_changes_its_tile_within_a_second(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    empty = SlotView(slot=A1, port_path=port(1))
    rack.board.show(empty)
    async with server() as here, visit(address(here)) as seen:
        await seen.shows("A1", "空き")
        began = time.monotonic()
        rack.board.show(replace(empty, state=SlotState.SETTLING, occupancy=1))
        await seen.shows("A1", "接続確認中", within_ms=1000)
        assert time.monotonic() - began < 1.0
        rack.ledger.keep_job()
        rack.board.show(running_view(0.629))
        await seen.shows("A1", "処理中", "上書き", "62%", "残り 3:12", "SO-51B", "HQ6123")


async def test_answer_on_the_page_lets_the_job_go_on(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
    rack.board.show(asking_view(A1, 1, Gate.FELICA_CHECK))
    async with server() as here, anyio.create_task_group() as group:
        group.start_soon(rack.ask, Gate.FELICA_CHECK)
        async with visit(address(here)) as seen:
            await seen.shows("A1", "回答待ち", "FeliCaの確認")
            await expect(seen.page.locator(".needs_person")).to_have_attribute("data-count", "1")
            # With the keyboard alone.
            await seen.tile("A1").locator(".open").focus()
            await seen.page.keyboard.press("Enter")
            await expect(seen.page.locator("#panel .yes")).to_have_text("はい未利用")
            await expect(seen.page.locator("#panel .no")).to_have_text("いいえ利用中")
            await seen.page.locator("#panel .no").click()
            await expect(seen.page.locator(".refused")).to_contain_text("サインインしていません")
            assert rack.ledger.stored[-1].entry.kind is EntryKind.QUESTION_ASKED
            await seen.page.keyboard.type("佐藤")
            await seen.page.keyboard.press("Enter")
            await expect(seen.page.locator("#panel .who")).to_have_text("佐藤")
            await answer(seen)
            await expect(seen.page.locator("#panel")).to_be_hidden()
            kept = rack.ledger.stored[-1].entry
            assert kept.kind is EntryKind.DECISION
            assert (kept.data["operator"], kept.data["approved"]) == ("佐藤", True)
            # This screen knows who sits at it, also after a reload, until it is locked by one key.
            await seen.page.reload()
            await expect(seen.page.locator("#operator .who")).to_have_text("佐藤")
            await seen.page.keyboard.press("F9")
            await expect(seen.page.locator("#operator .who")).to_have_count(0)
            await seen.page.reload()
            await expect(seen.page.locator('#operator input[name="pin"]')).to_be_visible()
            await expect(seen.page.locator("#operator .who")).to_have_count(0)


async def test_first_operator_cannot_confirm(rack: FakeRack, server: Server, visit: Visits) -> None:
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
    async with server() as here, anyio.create_task_group() as group:
        group.start_soon(rack.ask, Gate.OBSERVE)
        await anyio.wait_all_tasks_blocked()
        await rack.desk.decide(JOB, Gate.OBSERVE, approved=True, by=somebody("佐藤"))
        group.start_soon(rack.ask, Gate.CONFIRM)
        rack.board.show(asking_view(A1, 1, Gate.CONFIRM))
        async with visit(address(here)) as seen:
            await seen.page.locator('#operator input[name="person"]').fill("佐藤")
            await seen.page.locator('#operator input[name="pin"]').fill("902716")
            await seen.page.keyboard.press("Enter")
            await expect(seen.page.locator("#operator .who")).to_have_text("佐藤")
            await seen.tile("A1").locator(".open").click()
            await answer(seen)
            refused = seen.page.locator("#panel .refused")
            await expect(refused).to_contain_text("回答は受け付けられませんでした")
            await expect(refused).to_contain_text("確認者の役割を持つ別の人が")
            await expect(refused).to_be_visible()
            # Another badge takes over at once, wherever the focus is.
            await seen.page.keyboard.type("SUZUKI-1002")
            await seen.page.keyboard.press("Enter")
            await expect(seen.page.locator("#panel .who")).to_have_text("SUZUKI-1002")
            await answer(seen)
            await expect(seen.page.locator("#panel")).to_be_hidden()
    assert rack.ledger.stored[-1].entry.data["operator"] == "SUZUKI-1002"


async def test_question_that_is_over_takes_no_answer(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
    rack.board.show(asking_view(A1, 1, Gate.OBSERVE))
    async with server() as here, visit(address(here)) as seen:
        await seen.tile("A1").locator(".open").click()
        await expect(seen.page.locator("#panel .yes")).to_be_visible()
        rack.board.show(SlotView(slot=A1, port_path=port(1)))
        await expect(seen.page.locator("#panel .over")).to_have_text("この質問は終わりました。")
        await expect(seen.page.locator("#panel .yes")).to_have_count(0)


async def test_progress_does_not_disturb_who_types(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
    view = asking_view(A1, 1, Gate.OBSERVE)
    rack.board.show(view)
    async with server() as here, visit(address(here)) as seen:
        await seen.tile("A1").locator(".open").click()
        await seen.page.locator('#panel input[name="note"]').fill("箱")
        rack.board.show(replace(view, progress=0.5))
        await expect(seen.page.locator("#panel .about")).to_contain_text("A1")
        await seen.page.keyboard.type("なし")
        await expect(seen.page.locator('#panel input[name="note"]')).to_have_value("箱なし")


async def test_what_another_system_holds_back_isnt_green(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.ledger.keep_job(
        outcome="passed", disposition="sellable", reason=None, certificate='{"payload": ""}'
    )
    rack.board.show(SELLABLE)
    asked = Direction(
        hook="stock",
        sequence=3,
        job=JOB,
        action=NextAction.ROUTE,
        bin="S1<b>",
        refused=None,
    )
    async with server() as here, visit(address(here)) as seen:
        await seen.shows("A1", "販売可", "消去の証明書があります")
        rack.direct(asked)
        await seen.shows("A1", "販売可 → S1<b>")
        assert await colour(seen, "A1") == GREEN
        await expect(seen.page.locator("#errands .what")).to_contain_text("→ S1<b>")
        rack.direct(replace(asked, action=NextAction.HOLD, bin=None))
        await seen.shows("A1", "保留", "外部システムが保留（stock）")
        assert await colour(seen, "A1") != GREEN
        await expect(seen.tile("A1")).not_to_contain_text("販売可")
        await expect(seen.page.locator("#errands .what")).to_have_text(
            "外部システムが保留にしています"
        )
        # Not only in words: its mark and its edge were those of what is for sale.
        line = seen.page.locator("#errands li")
        await expect(line).to_have_attribute("data-bin", "hold")
        edge = line.locator("button")
        assert await edge.evaluate("one => getComputedStyle(one).borderLeftColor") != GREEN
        held = await seen.page.locator('#bins li[data-bin="hold"] svg').inner_html()
        assert await line.locator("svg").inner_html() == held


async def test_green_needs_the_certificate(rack: FakeRack, server: Server, visit: Visits) -> None:
    rack.ledger.keep_job(outcome="passed", disposition="sellable", reason=None)
    rack.board.show(SELLABLE)
    async with server() as here, visit(address(here)) as seen:
        await seen.shows("A1", "証明書を確認中")
        assert await colour(seen, "A1") != GREEN
        await expect(seen.tile("A1")).not_to_contain_text("販売可")
        rack.ledger.stored.clear()
        rack.ledger.keep_job(
            outcome="passed", disposition="sellable", reason=None, certificate='{"payload": ""}'
        )
        # What a slot puts on record is on the board after it: until then it isn't asked for again.
        rack.board.show(replace(SELLABLE, since=BEGAN))
        await seen.page.reload()
        await seen.shows("A1", "販売可", "消去の証明書があります")
        assert await colour(seen, "A1") == GREEN
        await seen.tile("A1").locator(".open").click()
        link = seen.page.locator("#panel a.certificate")
        await expect(link).to_have_attribute(
            "href", f"/api/v1/jobs/{JOB}/certificate.html?language=ja"
        )
        await expect(seen.page.locator("#panel .story")).to_contain_text("上書き")


@pytest.mark.parametrize(
    ("reason", "goes", "word"),
    [
        (Reason.STORAGE_FAULT, Disposition.DESTROY, "破砕"),
        (Reason.LOCKED, Disposition.RETURN, "返却"),
        (Reason.LOCKED, Disposition.HOLD, "保留"),
    ],
)
async def test_failed_handset_is_sent_somewhere_in_words(
    rack: FakeRack, server: Server, reason: Reason, goes: Disposition, word: str, visit: Visits
) -> None:
    rack.ledger.keep_job(reason=reason)
    rack.board.show(replace(SELLABLE, outcome=Outcome.FAILED, disposition=goes, reason=reason))
    async with server() as here, visit(address(here)) as seen:
        await expect(seen.tile("A1").locator(".state")).to_have_text(word)
        assert await colour(seen, "A1") != GREEN
        await expect(seen.tile("A1")).not_to_contain_text("販売可")


async def test_what_is_left_in_a_chip_is_named(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.board.show(
        replace(
            running_view(),
            state=SlotState.FINISHED,
            outcome=Outcome.FAILED,
            disposition=Disposition.DESTROY,
            reason=Reason.FELICA_RESIDUE,
            owners=ChipOwners(ja="Suica、楽天Edy", en="Suica, Edy"),
        )
    )
    async with server() as here, visit(address(here)) as seen:
        await seen.shows("A1", "FeliCaにデータが残っています（Suica、楽天Edy）")


async def test_a_missing_reader_says_what_to_do(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    view = replace(running_view(), state=SlotState.WAITING, stage=StageName.FELICA_RECHECK)
    rack.board.show(
        replace(view, problem=ProblemView(code=ProblemCode.READER_GONE, facts={"reader": "棚A1"}))
    )
    async with server() as here, visit(address(here)) as seen:
        await seen.shows("A1", "要対応", "FeliCaリーダー 棚A1 が見つかりません", "挿し直す")


async def test_page_survives_a_restart(
    rack: FakeRack, catalogue: Catalogue, app: FastAPI, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep_job(
        outcome="passed", disposition="sellable", reason=None, certificate='{"payload": ""}'
    )
    rack.board.show(SELLABLE)
    rack.board.show(waiting_view(SlotName("A2"), 2))
    async with running(app, tmp_path / "one.sock") as here:
        number = here.port
        base = address(here)
        async with anyio.create_task_group(), visit(base, may_be_away=True) as seen:
            await seen.shows("A1", "販売可")
            here.stop.set()
            await here.ended.wait()
            banner = seen.page.locator("#connection")
            await expect(banner).to_contain_text("benchd に接続できません")
            assert await colour(seen, "A1") != GREEN
            await expect(seen.tile("A1")).not_to_contain_text("販売可")
            fresh = FakeRack()
            fresh.board.show(SlotView(slot=A1, port_path=port(1)))
            async with running(
                app_of(fresh, catalogue, callers=SEES_ALL),
                tmp_path / "two.sock",
                port=number,
            ):
                await expect(banner).to_be_hidden()
                await seen.shows("A1", "空き")
                await expect(seen.tile("A2")).to_have_count(0)  # configured no more


async def test_a_silent_daemon_counts_as_away(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.board.show(running_view())
    async with server() as here, visit(address(here)) as seen:
        await seen.page.clock.install()
        await seen.page.reload()
        await seen.shows("A1", "処理中")
        await seen.page.clock.fast_forward(11_000)
        await expect(seen.page.locator("#connection")).to_be_visible()
        await seen.page.clock.fast_forward(2_000)
        await expect(seen.page.locator("#connection")).to_be_hidden()


async def test_unknown_port_shows_the_lines_to_add(
    rack: FakeRack, server: Server, visit: Visits
) -> None:
    rack.board.show(running_view())
    async with server() as here, visit(address(here)) as seen:
        await seen.shows("A1", "処理中")
        rack.board.show_unknown_port(PortPath(port(9)), attached=True)
        unknown = seen.page.locator("#unknown")
        await expect(unknown.locator("code")).to_have_text(
            ["[slots.NAME]", f'port = "{port(9)}"'], timeout=1000
        )
        rack.board.show_unknown_port(PortPath(port(9)), attached=False)
        await expect(unknown).to_be_hidden()


async def test_english_by_switch_is_kept(rack: FakeRack, server: Server, visit: Visits) -> None:
    rack.board.show(running_view())
    async with server() as here, visit(address(here)) as seen:
        await seen.shows("A1", "処理中")
        await seen.page.locator("#language").click()
        await seen.shows("A1", "Running", "Overwrite")
        await seen.page.reload()
        await seen.shows("A1", "Running")
        await seen.page.goto(address(here, "?lang=ja"))
        await seen.shows("A1", "処理中")


@pytest.mark.parametrize("hostile", [HOSTILE, "<img src=x onerror=alert(1)>", "\"'><b>x</b>"])
async def test_hostile_handset_stays_text(
    rack: FakeRack, server: Server, hostile: str, visit: Visits
) -> None:
    rack.ledger.keep_job(model=hostile, detail=hostile)
    rack.board.show(replace(running_view(), identity=identity(model=hostile, serial=hostile)))
    async with server() as here, visit(address(here)) as seen:
        await seen.shows("A1", hostile[:5])
        await seen.tile("A1").locator(".open").click()
        await expect(seen.page.locator("#panel .story")).to_contain_text("端末確認")
        assert await seen.page.locator("li img, li b b, dialog img").count() == 0


async def test_person_needed_is_announced(rack: FakeRack, server: Server, visit: Visits) -> None:
    rack.board.show(running_view())
    async with server() as here, visit(address(here)) as seen:
        await seen.shows("A1", "処理中")
        rack.board.show(waiting_view(A1, 1))
        await expect(seen.page.locator("#announcer")).to_have_text(
            "A1 要対応 USBデバッグが無効です"
        )
        await expect(seen.page).to_have_title("(1) benchd 消去ラック")


@pytest.mark.parametrize(
    ("slots", "width", "height"), [(8, 1920, 1080), (32, 1920, 1080), (16, 390, 844)]
)
async def test_nothing_hangs_over_the_edge(
    rack: FakeRack, server: Server, slots: int, width: int, height: int, visit: Visits
) -> None:
    Gallery(rack).fill(slots)
    async with server() as here, visit(address(here), width=width, height=height) as seen:
        await seen.shows("A2", "販売可")
        page = await seen.page.evaluate(
            "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        assert page[0] <= width
        if width > height:
            assert page[1] <= height  # the whole rack on the wall, nothing to scroll
        wide = await seen.page.evaluate(
            "() => [...document.querySelectorAll('.state, h2')]"
            ".filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"
        )
        assert wide == []
