"""The dashboard in Debian's Chromium, over the real application and a rack in memory."""

from __future__ import annotations

import time
from dataclasses import replace

import anyio
import pytest
from chromium import needs_chromium
from playwright.async_api import expect
from walls import CERTIFIED, SELLABLE, Wall

from benchd.domain.chip import ChipOwners
from benchd.domain.hook import Direction, NextAction
from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode, ProblemView, SlotView
from benchd.domain.slot_states import SlotState
from tests.people.somebody import somebody
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

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

GREEN = "rgb(31, 184, 101)"
FAILED = replace(SELLABLE, outcome=Outcome.FAILED)


async def test_what_changes_on_the_rack_changes_its_tile_and_is_announced(
    rack: FakeRack, wall: Wall
) -> None:
    empty = SlotView(slot=A1, port_path=port(1))
    rack.board.show(empty)
    async with wall() as seen:
        await seen.shows("A1", "空き")
        began = time.monotonic()
        rack.board.show(replace(empty, state=SlotState.SETTLING, occupancy=1))
        await seen.shows("A1", "接続確認中", within_ms=1000)
        assert time.monotonic() - began < 1.0
        rack.ledger.keep_job()
        rack.board.show(running_view(0.629))
        await seen.shows("A1", "処理中", "上書き", "62%", "残り 3:12", "SO-51B", "HQ6123")
        # A port that no slot has shows the lines to add for it.
        rack.board.show_unknown_port(PortPath(port(9)), attached=True)
        unknown = seen.page.locator("#unknown")
        await expect(unknown.locator("code")).to_have_text(
            ["[slots.NAME]", f'port = "{port(9)}"'], timeout=1000
        )
        rack.board.show_unknown_port(PortPath(port(9)), attached=False)
        await expect(unknown).to_be_hidden()
        rack.board.show(waiting_view(A1, 1))
        await expect(seen.page.locator("#announcer")).to_have_text(
            "A1 要対応 USBデバッグが無効です"
        )
        await expect(seen.page).to_have_title("(1) benchd 消去ラック")
        # The other language is kept.
        await seen.page.locator("#language").click()
        await seen.shows("A1", "USB debugging is off")
        await seen.page.reload()
        await seen.shows("A1", "USB debugging is off")
        rack.board.show(running_view())
        await seen.shows("A1", "Running", "Overwrite")
        await seen.go("?lang=ja")
        await seen.shows("A1", "処理中")


async def test_answer_on_the_page_lets_the_job_go_on(rack: FakeRack, wall: Wall) -> None:
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
    rack.board.show(asking_view(A1, 1, Gate.FELICA_CHECK))
    async with wall.served() as here, anyio.create_task_group() as group:
        group.start_soon(rack.ask, Gate.FELICA_CHECK)
        async with wall.open(here) as seen:
            await seen.shows("A1", "回答待ち", "FeliCaの確認")
            await expect(seen.page.locator(".needs_person")).to_have_attribute("data-count", "1")
            # With the keyboard alone.
            await seen.tile("A1").locator(".open").focus()
            await seen.page.keyboard.press("Enter")
            await expect(seen.panel(".yes")).to_have_text("はい未利用サインインが必要")
            await expect(seen.panel(".no")).to_have_text("いいえ利用中サインインが必要")
            await seen.panel(".no").click()
            await expect(seen.page.locator(".refused")).to_contain_text("サインインしていません")
            assert rack.ledger.stored[-1].entry.kind is EntryKind.QUESTION_ASKED
            await seen.page.keyboard.type("佐藤")
            await seen.page.keyboard.press("Enter")
            await expect(seen.panel(".who")).to_have_text("佐藤")
            await seen.answer()
            await expect(seen.panel()).to_be_hidden()
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


async def test_first_operator_cannot_confirm(rack: FakeRack, wall: Wall) -> None:
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
    async with wall.served() as here, anyio.create_task_group() as group:
        group.start_soon(rack.ask, Gate.OBSERVE)
        await anyio.wait_all_tasks_blocked()
        await rack.desk.decide(JOB, Gate.OBSERVE, approved=True, by=somebody("佐藤"))
        group.start_soon(rack.ask, Gate.CONFIRM)
        rack.board.show(asking_view(A1, 1, Gate.CONFIRM))
        async with wall.open(here) as seen:
            await seen.sign_in()
            await seen.open("A1")
            await seen.answer()
            refused = seen.panel(".refused")
            await expect(refused).to_contain_text("回答は受け付けられませんでした")
            await expect(refused).to_contain_text("確認者の役割を持つ別の人が")
            await expect(refused).to_be_visible()
            # Another badge takes over at once, wherever the focus is.
            await seen.page.keyboard.type("SUZUKI-1002")
            await seen.page.keyboard.press("Enter")
            await expect(seen.panel(".who")).to_have_text("SUZUKI-1002")
            await seen.answer()
            await expect(seen.panel()).to_be_hidden()
    assert rack.ledger.stored[-1].entry.data["operator"] == "SUZUKI-1002"


async def test_progress_disturbs_nobody_who_types_and_a_question_that_is_over_takes_no_answer(
    rack: FakeRack, wall: Wall
) -> None:
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
    view = asking_view(A1, 1, Gate.OBSERVE)
    rack.board.show(view)
    async with wall() as seen:
        await seen.open("A1")
        await seen.panel('input[name="note"]').fill("箱")
        rack.board.show(replace(view, progress=0.5))
        await expect(seen.panel(".about")).to_contain_text("A1")
        await seen.page.keyboard.type("なし")
        await expect(seen.panel('input[name="note"]')).to_have_value("箱なし")
        await expect(seen.panel(".yes")).to_be_visible()
        rack.board.show(SlotView(slot=A1, port_path=port(1)))
        await expect(seen.panel(".over")).to_have_text("この質問は終わりました。")
        await expect(seen.panel(".yes")).to_have_count(0)


async def test_green_needs_the_certificate_and_nobody_who_holds_it_back(
    rack: FakeRack, wall: Wall
) -> None:
    rack.ledger.keep_job(outcome="passed", disposition="sellable", reason=None)
    rack.board.show(SELLABLE)
    asked = Direction(
        hook="stock", sequence=3, job=JOB, action=NextAction.ROUTE, bin="S1<b>", refused=None
    )
    async with wall() as seen:
        await seen.shows("A1", "証明書を確認中")
        assert await seen.ground("A1") != GREEN
        await expect(seen.tile("A1")).not_to_contain_text("販売可")
        rack.ledger.stored.clear()
        rack.ledger.keep_job(**CERTIFIED)
        # What a slot puts on record is on the board after it: until then it isn't asked for again.
        rack.board.show(replace(SELLABLE, since=BEGAN))
        await seen.page.reload()
        await seen.shows("A1", "販売可", "消去の証明書があります")
        assert await seen.ground("A1") == GREEN
        await seen.open("A1")
        await expect(seen.panel("a.certificate")).to_have_attribute(
            "href", f"/api/v1/jobs/{JOB}/certificate.html?language=ja"
        )
        await expect(seen.panel(".story")).to_contain_text("上書き")
        await seen.panel(".close").click()
        rack.direct(asked)
        await seen.shows("A1", "販売可 → S1<b>")
        assert await seen.ground("A1") == GREEN
        await expect(seen.page.locator("#errands .what")).to_contain_text("→ S1<b>")
        rack.direct(replace(asked, action=NextAction.HOLD, bin=None))
        await seen.shows("A1", "保留", "外部システムが保留（stock）")
        assert await seen.ground("A1") != GREEN
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


async def test_failed_handsets_and_what_is_wrong_are_told_in_words(
    rack: FakeRack, wall: Wall
) -> None:
    sent = {
        "A1": (Reason.STORAGE_FAULT, Disposition.DESTROY, "破砕"),
        "A2": (Reason.LOCKED, Disposition.RETURN, "返却"),
        "A3": (Reason.LOCKED, Disposition.HOLD, "保留"),
    }
    for number, (slot, (reason, goes, _)) in enumerate(sent.items(), 1):
        job = JobId(f"20261124-{number:010}")
        rack.ledger.keep_job(job=job, reason=reason)
        at = {"slot": SlotName(slot), "port_path": port(number), "job": job}
        rack.board.show(replace(FAILED, disposition=goes, reason=reason, **at))
    residue = replace(
        FAILED,
        slot=SlotName("A4"),
        port_path=port(4),
        disposition=Disposition.DESTROY,
        reason=Reason.FELICA_RESIDUE,
        owners=ChipOwners(ja="Suica、楽天Edy", en="Suica, Edy"),
    )
    rack.board.show(residue)
    gone = replace(
        running_view(),
        slot=SlotName("A5"),
        port_path=port(5),
        state=SlotState.WAITING,
        stage=StageName.FELICA_RECHECK,
        problem=ProblemView(code=ProblemCode.READER_GONE, facts={"reader": "棚A1"}),
    )
    rack.board.show(gone)
    async with wall() as seen:
        for slot, (_, _, word) in sent.items():
            await expect(seen.tile(slot).locator(".state")).to_have_text(word)
            assert await seen.ground(slot) != GREEN
            await expect(seen.tile(slot)).not_to_contain_text("販売可")
        await seen.shows("A4", "FeliCaにデータが残っています（Suica、楽天Edy）")
        await seen.shows("A5", "要対応", "FeliCaリーダー 棚A1 が使えません", "挿し直す")


async def test_page_survives_a_restart(rack: FakeRack, wall: Wall) -> None:
    rack.ledger.keep_job(**CERTIFIED)
    rack.board.show(SELLABLE)
    rack.board.show(waiting_view(SlotName("A2"), 2))
    async with wall.served() as here, wall.open(here, may_be_away=True) as seen:
        await seen.shows("A1", "販売可")
        here.stop.set()
        await here.ended.wait()
        banner = seen.page.locator("#connection")
        await expect(banner).to_contain_text("benchdに接続できません")
        assert await seen.ground("A1") != GREEN
        await expect(seen.tile("A1")).not_to_contain_text("販売可")
        wall.rack = FakeRack()
        wall.rack.board.show(SlotView(slot=A1, port_path=port(1)))
        async with wall.served(port=here.port):
            await expect(banner).to_be_hidden()
            await seen.shows("A1", "空き")
            await expect(seen.tile("A2")).to_have_count(0)  # configured no more
            # A silent one counts as away too, without an error of the browser's.
            seen.complaints.clear()
            await seen.page.clock.install()
            await seen.page.reload()
            await seen.shows("A1", "空き")
            await seen.page.clock.fast_forward(11_000)
            await expect(banner).to_be_visible()
            await seen.page.clock.fast_forward(2_000)
            await expect(banner).to_be_hidden()
            assert seen.complaints == []


async def test_hostile_handset_stays_text(rack: FakeRack, wall: Wall) -> None:
    hostile = (HOSTILE, "<img src=x onerror=alert(1)>", "\"'><b>x</b>")
    for number, text in enumerate(hostile, 1):
        job = JobId(f"20261124-{number:010}")
        rack.ledger.keep_job(job=job, model=text, detail=text)
        told = identity(model=text, serial=text)
        at = {"slot": SlotName(f"A{number}"), "port_path": port(number), "job": job}
        rack.board.show(replace(running_view(), identity=told, **at))
    async with wall() as seen:
        for number, text in enumerate(hostile, 1):
            await seen.shows(f"A{number}", text[:5])
            await seen.open(f"A{number}")
            await expect(seen.panel(".story")).to_contain_text("端末確認")
            assert await seen.page.locator("li img, li b b, dialog img").count() == 0
            await seen.panel(".close").click()
