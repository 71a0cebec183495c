"""The dashboard for whoever hasn't signed in: it says what is hidden, and how to see it."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from chromium import Visit, Visits, needs_chromium
from gallery import Gallery
from playwright.async_api import expect

from benchd.domain.job import Disposition, Gate, Outcome
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel
from tests.web.fake_sessions import believing
from tests.web.served import app_of
from tests.web.web_fakes import A1, BEGAN, FakeRack, asking_view, running_view
from tests.web.web_running import Running, running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

SELLABLE = replace(
    running_view(),
    state=SlotState.FINISHED,
    outcome=Outcome.PASSED,
    disposition=Disposition.SELLABLE,
)
HIDING = "シリアル番号・IMEI・記録は表示せず"
NOTHING = "サインインしていないため、表示できません"


def shown(
    rack: FakeRack, catalogue: Catalogue, folder: Path, anonymous: AccessLevel, port: int = 0
) -> AbstractAsyncContextManager[Running]:
    app = app_of(rack, catalogue, callers=believing(anonymous))
    return running(app, folder / f"{anonymous.name}.sock", port)


def address(here: Running, query: str = "") -> str:
    return f"http://127.0.0.1:{here.port}/{query}"


async def asked_for(seen: Visit) -> set[str]:
    return {url.partition("/api/v1")[2] for url in seen.foreign if "/api/v1" in url}


async def test_the_wall_lives_and_tells_neither_serial_nor_job(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
    rack.board.show(running_view(0.25))
    async with (
        shown(rack, catalogue, tmp_path, AccessLevel.WALL) as here,
        visit(address(here)) as seen,
    ):
        await seen.shows("A1", "処理中", "上書き", "25%", "残り 3:12", "SO-51B")
        await expect(seen.page.locator("#hidden")).to_contain_text(HIDING)
        await expect(seen.page.locator("#hidden")).to_contain_text("サインイン")
        await expect(seen.page.locator("#operator form")).to_be_visible()
        await expect(seen.page.locator("#connection")).to_be_hidden()
        rack.board.show(running_view(0.5))
        await seen.shows("A1", "50%")
        await seen.tile("A1").locator(".open").click()
        await expect(seen.page.locator("#panel")).to_contain_text("SO-51B")
        await expect(seen.page.locator("#panel .story, #panel .missing")).to_have_count(0)
        assert "HQ6123" not in await seen.page.content()
        assert "undefined" not in await seen.page.content()
        assert await asked_for(seen) == {"", "/texts", "/events", "/session"}


async def test_a_question_on_the_wall_sends_people_to_sign_in(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep_job()
    rack.board.show(asking_view(A1, 1, Gate.CONFIRM))
    async with (
        shown(rack, catalogue, tmp_path, AccessLevel.WALL) as here,
        visit(address(here)) as seen,
    ):
        await seen.shows(
            "A1", "回答待ち", "別担当者による確認", "サインインすると、質問を読んで回答できます"
        )
        await expect(seen.tile("A1").locator(".open")).to_have_text("詳細")
        await seen.tile("A1").locator(".open").click()
        await expect(seen.page.locator("#panel")).to_contain_text("サインインすると")
        await expect(seen.page.locator("#panel .yes")).to_have_count(0)
        # Where people stand they sign in, and the question is there without a new page.
        await seen.page.evaluate("() => (window.same = true)")
        await seen.page.locator('#panel input[name="person"]').fill("佐藤")
        await seen.page.locator('#panel input[name="pin"]').fill("902716")
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.locator("#panel .yes")).to_be_visible()
        await expect(seen.page.locator("#panel .who")).to_have_text("佐藤")
        await expect(seen.page.locator("#hidden")).to_be_hidden()
        assert await seen.page.evaluate("() => window.same")


async def test_a_locked_screen_keeps_nothing_of_what_was_seen(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep_job()
    rack.board.show(running_view())
    async with (
        shown(rack, catalogue, tmp_path, AccessLevel.WALL) as here,
        visit(address(here), may_be_away=True) as seen,
    ):
        await seen.shows("A1", "SO-51B")
        await seen.page.locator('#operator input[name="person"]').fill("佐藤")
        await seen.page.locator('#operator input[name="pin"]').fill("902716")
        await seen.page.keyboard.press("Enter")
        await seen.shows("A1", "HQ6123")
        await seen.tile("A1").locator(".open").click()
        await expect(seen.page.locator("#panel .identity")).to_contain_text("HQ6123")
        await seen.page.keyboard.press("F9")
        await expect(seen.page.locator("#hidden")).to_be_visible()
        await seen.shows("A1", "SO-51B")
        assert "HQ6123" not in await seen.page.content()


async def test_a_locked_screen_keeps_nothing_of_what_was_searched(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep_job()
    rack.board.show(running_view())
    async with (
        shown(rack, catalogue, tmp_path, AccessLevel.WALL) as here,
        visit(address(here)) as seen,
    ):
        await seen.page.locator('#operator input[name="person"]').fill("佐藤")
        await seen.page.locator('#operator input[name="pin"]').fill("902716")
        await seen.page.keyboard.press("Enter")
        await seen.shows("A1", "HQ6123")
        await seen.page.locator("#operator .lock").focus()
        await seen.page.keyboard.press("/")
        await seen.page.locator("#wall-search").fill("HQ61")
        await expect(seen.page.locator("#find-on-wall li")).to_have_count(1)
        await seen.page.keyboard.press("F9")
        await expect(seen.page.locator("#hidden")).to_be_visible()
        await expect(seen.page.locator("#find-on-wall")).to_be_hidden()
        await expect(seen.page.locator("#find-on-wall")).to_be_empty()
        assert "HQ6123" not in await seen.page.content()


async def test_a_screen_that_is_locked_while_the_daemon_is_away_keeps_nothing_either(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep_job()
    rack.board.show(running_view())
    async with (
        shown(rack, catalogue, tmp_path, AccessLevel.WALL) as here,
        visit(address(here), may_be_away=True) as seen,
    ):
        await seen.page.locator('#operator input[name="person"]').fill("佐藤")
        await seen.page.locator('#operator input[name="pin"]').fill("902716")
        await seen.page.keyboard.press("Enter")
        await seen.shows("A1", "HQ6123")
        await seen.tile("A1").locator(".open").click()
        await expect(seen.page.locator("#panel .identity")).to_contain_text("HQ6123")
        await seen.page.route("**/api/**", lambda route: route.abort())
        await seen.page.keyboard.press("F9")
        await expect(seen.page.locator("#connection")).to_be_visible()
        assert "HQ6123" not in await seen.page.content()


async def test_green_on_the_wall_needs_the_certificate_too(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep_job(outcome="passed", disposition="sellable", reason=None)
    rack.board.show(SELLABLE)
    async with (
        shown(rack, catalogue, tmp_path, AccessLevel.WALL) as here,
        visit(address(here)) as seen,
    ):
        await seen.shows("A1", "証明書を確認中")
        await expect(seen.tile("A1")).not_to_contain_text("販売可")
        rack.ledger.stored.clear()
        rack.ledger.keep_job(
            outcome="passed", disposition="sellable", reason=None, certificate='{"payload": ""}'
        )
        rack.board.show(replace(SELLABLE, since=BEGAN))
        await seen.page.reload()
        await seen.shows("A1", "販売可", "消去の証明書があります")
        # The next handset of the slot has no part in the proof of this one.
        rack.board.show(replace(SELLABLE, occupancy=8, job=None))
        await seen.shows("A1", "証明書を確認中")
        await expect(seen.tile("A1")).not_to_contain_text("販売可")


async def test_nothing_is_shown_but_how_to_see_it(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.board.show(running_view())
    async with (
        shown(rack, catalogue, tmp_path, AccessLevel.NONE) as here,
        visit(address(here), refused=True) as seen,
    ):
        await expect(seen.page.locator("#hidden")).to_contain_text(NOTHING)
        await expect(seen.page.locator("#connection")).to_be_hidden()
        assert await seen.page.locator(".tile").count() == 0
        assert await asked_for(seen) == {"", "/texts", "/session"}
        await seen.page.locator("#language").click()
        await expect(seen.page.locator("#hidden")).to_contain_text("Nothing is shown")
        await expect(seen.page.locator("#hidden")).to_contain_text("sign in")


async def test_a_page_that_came_before_the_daemon_says_in_the_end_what_is_hidden(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    async with (
        shown(rack, catalogue, tmp_path, AccessLevel.NONE) as here,
        visit(address(here), refused=True, may_be_away=True) as seen,
    ):
        await seen.page.route("**/api/v1", lambda route: route.abort())
        await seen.page.reload()
        await expect(seen.page.locator("#connection")).to_be_visible()
        await seen.page.unroute("**/api/v1")
        await expect(seen.page.locator("#hidden")).to_contain_text(NOTHING)
        await expect(seen.page.locator("#connection")).to_be_hidden()


async def test_whoever_may_read_is_told_of_nothing_hidden(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.board.show(running_view())
    async with (
        shown(rack, catalogue, tmp_path, AccessLevel.READ) as here,
        visit(address(here)) as seen,
    ):
        await seen.shows("A1", "HQ6123")
        await expect(seen.page.locator("#hidden")).to_be_hidden()
        await expect(seen.page.locator("#operator")).to_be_visible()


async def test_a_page_that_is_shown_nothing_finds_out_when_that_has_changed(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.board.show(running_view())
    async with (
        shown(rack, catalogue, tmp_path, AccessLevel.NONE) as here,
        visit(address(here), refused=True, may_be_away=True) as seen,
    ):
        await expect(seen.page.locator("#hidden")).to_contain_text(NOTHING)
        here.stop.set()
        await here.ended.wait()
        async with shown(rack, catalogue, tmp_path, AccessLevel.WALL, here.port):
            await seen.shows("A1", "処理中")
            await expect(seen.page.locator("#hidden")).to_contain_text(HIDING)


@pytest.mark.parametrize("then", [AccessLevel.WALL, AccessLevel.NONE])
async def test_a_page_that_may_show_less_forgets_what_it_showed(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, then: AccessLevel, visit: Visits
) -> None:
    rack.board.show(running_view())
    open_page = partial(visit, may_be_away=True, refused=True)
    async with (
        shown(rack, catalogue, tmp_path, AccessLevel.READ) as here,
        open_page(address(here)) as seen,
    ):
        await seen.shows("A1", "HQ6123")
        here.stop.set()
        await here.ended.wait()
        async with shown(rack, catalogue, tmp_path, then, here.port):
            expected = HIDING if then is AccessLevel.WALL else NOTHING
            await expect(seen.page.locator("#hidden")).to_contain_text(expected)
            await expect(seen.page.locator("body")).not_to_contain_text("HQ6123")


@pytest.mark.parametrize(
    ("slots", "width", "height"), [(8, 1920, 1080), (32, 1920, 1080), (16, 390, 844)]
)
async def test_the_notice_leaves_room_for_the_rack(
    rack: FakeRack,
    catalogue: Catalogue,
    tmp_path: Path,
    slots: int,
    width: int,
    height: int,
    visit: Visits,
) -> None:
    Gallery(rack).fill(slots)
    async with (
        shown(rack, catalogue, tmp_path, AccessLevel.WALL) as here,
        visit(address(here), width=width, height=height) as seen,
    ):
        await seen.shows("A2", "販売可")
        page = await seen.page.evaluate(
            "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        )
        assert page[0] <= width
        if width > height:
            assert page[1] <= height
