"""What somebody sees who hasn't signed in: the wall without serials and jobs, or nothing at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from chromium import AWAY, Visit, needs_chromium
from gallery import Gallery
from playwright.async_api import expect
from walls import CERTIFIED, SELLABLE, Wall

from benchd.domain.job import Gate
from benchd.domain.record import EntryKind
from benchd.web.access_level import AccessLevel
from tests.web.web_fakes import A1, BEGAN, FakeRack, asking_view, running_view

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

HIDING = "シリアル番号・IMEI・記録は表示せず"
NOTHING = "サインインしていないため、表示できません"


def asked_for(seen: Visit) -> set[str]:
    return {url.partition("/api/v1")[2] for url in seen.foreign if "/api/v1" in url}


async def test_the_wall_lives_and_tells_neither_serial_nor_job(rack: FakeRack, wall: Wall) -> None:
    rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
    rack.board.show(running_view(0.25))
    async with wall(shown=AccessLevel.WALL) as seen:
        await seen.shows("A1", "処理中", "上書き", "25%", "残り 3:12", "SO-51B")
        await expect(seen.page.locator("#hidden")).to_contain_text(HIDING)
        await expect(seen.page.locator("#hidden")).to_contain_text("サインイン")
        await expect(seen.page.locator("#operator form")).to_be_visible()
        await expect(seen.page.locator("#connection")).to_be_hidden()
        rack.board.show(running_view(0.5))
        await seen.shows("A1", "50%")
        await seen.open("A1")
        await expect(seen.panel()).to_contain_text("SO-51B")
        await expect(seen.page.locator("#panel .story, #panel .missing")).to_have_count(0)
        assert "HQ6123" not in await seen.page.content()
        assert "undefined" not in await seen.page.content()
        assert asked_for(seen) == {"", "/texts", "/events", "/session"}


async def test_a_question_on_the_wall_sends_people_to_sign_in(rack: FakeRack, wall: Wall) -> None:
    rack.ledger.keep_job()
    rack.board.show(asking_view(A1, 1, Gate.CONFIRM))
    async with wall(shown=AccessLevel.WALL) as seen:
        await seen.shows(
            "A1", "回答待ち", "別担当者による確認", "サインインすると、質問を読んで回答できます"
        )
        await expect(seen.tile("A1").locator(".open")).to_have_text("詳細")
        await seen.open("A1")
        await expect(seen.panel()).to_contain_text("サインインすると")
        await expect(seen.panel(".yes")).to_have_count(0)
        # Where people stand they sign in, and the question is there without a new page.
        await seen.page.evaluate("() => (window.same = true)")
        await seen.panel('input[name="person"]').fill("佐藤")
        await seen.panel('input[name="pin"]').fill("902716")
        await seen.page.keyboard.press("Enter")
        await expect(seen.panel(".yes")).to_be_visible()
        await expect(seen.panel(".who")).to_have_text("佐藤")
        await expect(seen.page.locator("#hidden")).to_be_hidden()
        assert await seen.page.evaluate("() => window.same")


async def test_a_locked_screen_keeps_nothing_of_what_was_seen_or_searched(
    rack: FakeRack, wall: Wall
) -> None:
    rack.ledger.keep_job()
    rack.board.show(running_view())
    async with wall(shown=AccessLevel.WALL, may_be_away=True) as seen:
        await seen.sign_in()
        await seen.shows("A1", "HQ6123")
        await seen.page.locator("#operator .lock").focus()
        await seen.page.keyboard.press("/")
        await seen.page.locator("#wall-search").fill("HQ61")
        found = seen.page.locator("#find-on-wall")
        await expect(found.locator("li")).to_have_count(1)
        await seen.page.keyboard.press("F9")
        await expect(seen.page.locator("#hidden")).to_be_visible()
        await expect(found).to_be_hidden()
        await expect(found).to_be_empty()
        assert "HQ6123" not in await seen.page.content()
        # Nor of the open panel, and then also where the daemon is away.
        for away in (False, True):
            await seen.sign_in()
            await seen.open("A1")
            await expect(seen.panel(".identity")).to_contain_text("HQ6123")
            if away:
                assert seen.complaints == []
                await seen.page.route("**/api/**", lambda route: route.abort())
            await seen.page.keyboard.press("F9")
            notice = "#connection" if away else "#hidden"
            await expect(seen.page.locator(notice)).to_be_visible()
            if not away:
                await seen.shows("A1", "SO-51B")
            assert "HQ6123" not in await seen.page.content()


async def test_green_on_the_wall_needs_the_certificate_too(rack: FakeRack, wall: Wall) -> None:
    rack.ledger.keep_job(outcome="passed", disposition="sellable", reason=None)
    rack.board.show(SELLABLE)
    async with wall(shown=AccessLevel.WALL) as seen:
        await seen.shows("A1", "証明書を確認中")
        await expect(seen.tile("A1")).not_to_contain_text("販売可")
        rack.ledger.stored.clear()
        rack.ledger.keep_job(**CERTIFIED)
        rack.board.show(replace(SELLABLE, since=BEGAN))
        await seen.page.reload()
        await seen.shows("A1", "販売可", "消去の証明書があります")
        # The next handset of the slot has no part in the proof of this one.
        rack.board.show(replace(SELLABLE, occupancy=8, job=None))
        await seen.shows("A1", "証明書を確認中")
        await expect(seen.tile("A1")).not_to_contain_text("販売可")


async def test_nothing_is_shown_but_how_to_see_it_until_that_has_changed(
    rack: FakeRack, wall: Wall
) -> None:
    rack.board.show(running_view())
    async with (
        wall.served(AccessLevel.NONE) as here,
        wall.open(here, refused=True, may_be_away=True) as seen,
    ):
        hidden = seen.page.locator("#hidden")
        away = seen.page.locator("#connection")
        await expect(hidden).to_contain_text(NOTHING)
        await expect(away).to_be_hidden()
        assert await seen.page.locator(".tile").count() == 0
        assert asked_for(seen) == {"", "/texts", "/session"}
        await seen.page.locator("#language").click()
        await expect(hidden).to_contain_text("Nothing is shown")
        await expect(hidden).to_contain_text("sign in")
        await seen.page.locator("#language").click()
        assert [told for told in seen.complaints if AWAY in told] == []
        # A page that came before the daemon says in the end what is hidden.
        await seen.page.route("**/api/v1", lambda route: route.abort())
        await seen.page.reload()
        await expect(away).to_be_visible()
        await seen.page.unroute("**/api/v1")
        await expect(hidden).to_contain_text(NOTHING)
        await expect(away).to_be_hidden()
        here.stop.set()
        await here.ended.wait()
        async with wall.served(AccessLevel.WALL, port=here.port):
            await seen.shows("A1", "処理中")
            await expect(hidden).to_contain_text(HIDING)


@pytest.mark.parametrize("then", [AccessLevel.WALL, AccessLevel.NONE])
async def test_a_page_that_may_show_less_forgets_what_it_showed(
    rack: FakeRack, wall: Wall, then: AccessLevel
) -> None:
    rack.board.show(running_view())
    async with (
        wall.served(AccessLevel.READ) as here,
        wall.open(here, may_be_away=True, refused=True) as seen,
    ):
        await seen.shows("A1", "HQ6123")
        await expect(seen.page.locator("#hidden")).to_be_hidden()
        await expect(seen.page.locator("#operator")).to_be_visible()
        assert seen.complaints == []
        here.stop.set()
        await here.ended.wait()
        async with wall.served(then, port=here.port):
            expected = HIDING if then is AccessLevel.WALL else NOTHING
            await expect(seen.page.locator("#hidden")).to_contain_text(expected)
            await expect(seen.page.locator("body")).not_to_contain_text("HQ6123")


@pytest.mark.parametrize(
    ("slots", "width", "height"), [(8, 1920, 1080), (32, 1920, 1080), (16, 390, 844)]
)
async def test_the_notice_leaves_room_for_the_rack(
    rack: FakeRack, wall: Wall, slots: int, width: int, height: int
) -> None:
    Gallery(rack).fill(slots)
    async with wall(shown=AccessLevel.WALL, width=width, height=height) as seen:
        await seen.shows("A2", "販売可")
        size = "() => [document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
        wide, high = await seen.page.evaluate(size)
        assert wide <= width
        if width > height:
            assert high <= height
