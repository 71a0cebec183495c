"""Item 2: signing in by badge and PIN, at any reader's speed; and why somebody isn't let in."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from chromium import Visit, needs_chromium
from paper_shop import Shop
from playwright.async_api import Locator, Route, expect
from scanner import by_hand, install_clock, scan
from walls import Wall

from tests.patience import PATIENCE_S
from tests.people.people_rig import BADGE, BY, OTHER_BADGE, PIN, Door, door_in
from tests.web.web_fakes import running_view

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

SLOW_S = 0.08
PRODUCT = "4901234567894"
OURS = "BD:P:AB2CD3EF4GH5IJ6K"

Staffed = Callable[..., AbstractAsyncContextManager[tuple[Visit, Door]]]


@pytest.fixture
def staffed_wall(wall: Wall, tmp_path: Path) -> Staffed:
    """A page of a rack with real people: a badge is right or wrong there, and so is a PIN."""

    @asynccontextmanager
    async def opened(path: str = "") -> AsyncGenerator[tuple[Visit, Door]]:
        folder = tmp_path / "people"
        folder.mkdir()
        async with door_in(folder) as door, wall.records() as records:
            parts = {
                "callers": door.callers(),
                "sessions": door.sessions,
                "people": door.people,
                "records": records,
            }
            async with wall(path, parts=parts) as seen:
                await expect(field(seen, "pin")).to_be_visible()
                yield seen, door

    return opened


def field(seen: Visit, name: str) -> Locator:
    return seen.page.locator(f'#operator input[name="{name}"]')


def who(seen: Visit) -> Locator:
    return seen.page.locator("#operator .who")


def told(seen: Visit) -> Locator:
    return seen.page.locator("#operator .told")


async def test_a_pin_is_added_after_another_page_and_back(staffed_wall: Staffed) -> None:
    async with staffed_wall() as (seen, _):
        await scan(seen, BADGE)
        await expect(who(seen)).to_have_text("森 葵")
        await expect(seen.page.locator("#operator .star")).to_have_text("* PINがまだです")
        await seen.go("board")
        await seen.go("")
        await expect(who(seen)).to_have_text("森 葵")
        await field(seen, "pin").focus()
        await by_hand(seen, PIN)
        await expect(seen.page.locator('#operator [data-here="strong"]')).to_be_visible()
        await expect(seen.page.locator("#operator .star")).to_have_count(0)


async def test_why_somebody_is_not_let_in_is_told_and_nothing_moves(staffed_wall: Staffed) -> None:
    async with staffed_wall() as (seen, _):
        head = seen.page.locator("#head")
        before = await head.bounding_box()
        await scan(seen, "B-0000-0000")
        await expect(told(seen)).to_contain_text("バッジとしても")
        await expect(told(seen)).to_have_attribute("data-state", "refused")
        await scan(seen, PRODUCT)
        await expect(told(seen)).to_contain_text("商品のバーコード")
        await field(seen, "person").fill("mori")
        await expect(told(seen)).to_be_empty()
        await field(seen, "pin").fill("551903")
        await seen.page.keyboard.press("Enter")
        await expect(told(seen)).to_contain_text("そのバッジ・ID・PINの人はいません")
        assert await head.bounding_box() == before
        await scan(seen, BADGE)
        await expect(who(seen)).to_have_text("森 葵")
        await expect(told(seen)).to_be_empty()
        await field(seen, "pin").fill("551903")
        await seen.page.keyboard.press("Enter")
        await expect(told(seen)).to_have_text("PINが違います。もう一度入れてください。")
        await field(seen, "pin").fill("12")
        await seen.page.keyboard.press("Enter")
        await expect(told(seen)).to_contain_text("6〜12桁")
        # Whoever guesses is told how long to wait.
        for _ in range(3):
            await field(seen, "pin").fill("551903")
            await seen.page.keyboard.press("Enter")
            await expect(told(seen)).to_have_attribute("data-state", "refused")
        await expect(told(seen)).to_contain_text("秒は受け付けません")
        seen.complaints[:] = [one for one in seen.complaints if "status of 429" not in one]


async def test_while_a_pin_is_compared_the_page_says_so_and_tries_once(
    staffed_wall: Staffed,
) -> None:
    async with staffed_wall() as (seen, _):
        await scan(seen, BADGE)
        await expect(who(seen)).to_have_text("森 葵")
        tries: list[Route] = []

        async def keep(route: Route) -> None:
            if route.request.method == "POST":
                tries.append(route)
            else:
                await route.continue_()

        await seen.page.route("**/api/v1/session", keep)
        pin = field(seen, "pin")
        for _ in range(2):
            await pin.fill(PIN)
            await pin.press("Enter")
        await expect(told(seen)).to_have_attribute("data-state", "busy")
        assert len(tries) == 1
        await tries[0].continue_()
        await expect(seen.page.locator('#operator [data-here="strong"]')).to_be_visible()


@pytest.mark.parametrize("key_s", [0.005, SLOW_S, 0.2])
@pytest.mark.parametrize("name", ["person", "pin"])
async def test_a_badge_in_a_field_signs_in_and_leaves_nothing_there(
    staffed_wall: Staffed, name: str, key_s: float
) -> None:
    async with staffed_wall() as (seen, door):
        await field(seen, name).focus()
        await scan(seen, BADGE, key_s=key_s)
        await expect(who(seen)).to_have_text("森 葵")
        # In the PIN field of somebody else it takes over, and is no try.
        await field(seen, "pin").fill("90")
        await field(seen, "pin").focus()
        await scan(seen, OTHER_BADGE, key_s=key_s)
        await expect(who(seen)).to_have_text("加藤 舞")
        await expect(field(seen, "pin")).to_have_value("")
        refused = [one for one in door.records if one.kind.value == "person_refused"]
        assert refused == []


async def test_a_numeric_badge_in_the_pin_field_is_told_from_a_pin_by_its_evenness(
    staffed_wall: Staffed,
) -> None:
    async with staffed_wall() as (seen, door):
        await door.people.set_badge(BY, "kato", "73018455")
        await scan(seen, BADGE)
        await expect(who(seen)).to_have_text("森 葵")
        await field(seen, "pin").focus()
        await scan(seen, "73018455", key_s=SLOW_S)
        await expect(who(seen)).to_have_text("加藤 舞")


@pytest.mark.parametrize("end", ["Enter", "Tab"])
async def test_a_badge_that_benchd_has_made_is_heard_in_every_field(
    staffed_wall: Staffed, end: str
) -> None:
    async with staffed_wall("lots") as (seen, door):
        await door.people.set_badge(BY, "kato", OURS)
        await scan(seen, BADGE)
        await expect(who(seen)).to_have_text("森 葵")
        lot = seen.page.locator("#open-lot")
        await lot.fill("L-")
        await lot.press("End")
        await scan(seen, OURS.lower(), key_s=SLOW_S, end=end)
        await expect(who(seen)).to_have_text("加藤 舞")
        await expect(lot).to_have_value("L-")
        # What the field is for stays in it.
        await lot.focus()
        await scan(seen, "T-000123", end=None)
        await expect(lot).to_have_value("L-T-000123")


async def test_who_has_a_badge_and_gave_id_and_pin_is_told_that_the_badge_is_missing(
    staffed_wall: Staffed,
) -> None:
    async with staffed_wall() as (seen, _):
        await field(seen, "person").fill("mori")
        await field(seen, "pin").fill(PIN)
        await seen.page.keyboard.press("Enter")
        await expect(who(seen)).to_have_text("森 葵")
        await expect(seen.page.locator("#operator .star")).to_have_text("* バッジがまだです")
        await expect(field(seen, "pin")).to_have_count(0)


async def test_what_was_asked_of_the_session_before_a_badge_ends_none_after_it(
    staffed_wall: Staffed,
) -> None:
    async with staffed_wall() as (seen, _):
        await scan(seen, BADGE)
        await expect(who(seen)).to_have_text("森 葵")
        asked: list[Route] = []

        async def keep(route: Route) -> None:
            asked.append(route)
            if route.request.method != "PUT":
                await route.continue_()

        await seen.page.route("**/api/v1/session", keep)
        await install_clock(seen)
        await seen.page.clock.fast_forward(61_000)
        await seen.page.keyboard.press("Shift")
        await until_asked(asked, "PUT")
        await scan(seen, OTHER_BADGE)
        await seen.page.wait_for_timeout(500)
        await next(one for one in asked if one.request.method == "PUT").continue_()
        await until_asked(asked, "POST")
        await expect(who(seen)).to_have_text("加藤 舞")
        await seen.page.wait_for_timeout(500)
        await expect(who(seen)).to_have_text("加藤 舞")


async def until_asked(asked: list[Route], method: str) -> None:
    with anyio.fail_after(PATIENCE_S):
        while all(one.request.method != method for one in asked):  # noqa: ASYNC110 - told by the browser
            await anyio.sleep(0.02)


async def test_a_badge_is_added_to_a_pin_and_asked_for_by_its_name(staffed_wall: Staffed) -> None:
    async with staffed_wall() as (seen, _):
        await field(seen, "person").fill("mori")
        await field(seen, "pin").focus()
        await by_hand(seen, PIN)
        await expect(seen.page.locator("#operator .star")).to_have_text("* バッジがまだです")
        await scan(seen, BADGE)
        await expect(seen.page.locator('#operator [data-here="strong"]')).to_be_visible()
        await expect(seen.page.locator("#operator .star")).to_have_count(0)


@pytest.mark.parametrize("key_s", [0.005, 0.025, SLOW_S])
async def test_item_2_of_the_stumbles_a_pin_typed_as_by_a_machine_is_a_pin(
    staffed_wall: Staffed, key_s: float
) -> None:
    """A password manager's, or of whoever is quick and even at the number pad."""
    async with staffed_wall() as (seen, door):
        await scan(seen, BADGE)
        await expect(who(seen)).to_have_text("森 葵")
        await field(seen, "pin").focus()
        await scan(seen, PIN, key_s=key_s)
        await expect(seen.page.locator('#operator [data-here="strong"]')).to_be_visible()
        assert refused(door) == []


async def test_item_2_of_the_stumbles_a_password_manager_types_id_and_pin(
    staffed_wall: Staffed,
) -> None:
    async with staffed_wall() as (seen, door):
        await field(seen, "person").focus()
        await scan(seen, "sato", end="Tab")
        await expect(field(seen, "person")).to_have_value("sato")
        await expect(field(seen, "pin")).to_be_focused()
        await scan(seen, "730184")
        await expect(who(seen)).to_have_text("佐藤 健")
        await expect(seen.page.locator('#operator [data-here="strong"]')).to_be_visible()
        assert refused(door) == []


@pytest.mark.parametrize("key_s", [0.005, SLOW_S])
@pytest.mark.parametrize("before", ["", "90"])
async def test_item_2_of_the_stumbles_what_is_scanned_into_the_pin_is_never_a_try(
    staffed_wall: Staffed, before: str, key_s: float
) -> None:
    async with staffed_wall() as (seen, door):
        await door.people.set_badge(BY, "kato", "73018455")
        for code in ("73018455", "356938035643809", PRODUCT, "BD:S:A1", OURS, "HQ612345"):
            await scan(seen, BADGE)
            await expect(who(seen)).to_have_text("森 葵")
            pin = field(seen, "pin")
            await pin.fill(before)
            await pin.press("End")
            await scan(seen, code, key_s=key_s)
            if code == "73018455":
                await expect(who(seen)).to_have_text("加藤 舞")
            else:
                # It may have led to its handset's file.
                await expect(pin).not_to_have_value(re.compile(re.escape(code)))
                await seen.page.wait_for_timeout(400)
            await seen.go("")
            await seen.live()
        assert "wrong_pin" not in refused(door)
        seen.complaints[:] = [one for one in seen.complaints if "status of 404" not in one]


async def test_item_3_of_the_stumbles_an_id_and_enter_keep_the_id_and_ask_for_its_pin(
    staffed_wall: Staffed,
) -> None:
    async with staffed_wall() as (seen, _):
        for name, key_s in (("sato", None), ("sato", 0.005)):
            person, pin = field(seen, "person"), field(seen, "pin")
            await person.fill("")
            await person.focus()
            if key_s is None:
                await by_hand(seen, name)
            else:
                await scan(seen, name, key_s=key_s)
            await expect(person).to_have_value(name)
            await expect(pin).to_be_focused()
            await expect(told(seen)).to_contain_text("PIN")
        # A badge doesn't stay to be read, whether it is anybody's or not.
        await person.fill("")
        await person.focus()
        await by_hand(seen, OURS)
        await expect(told(seen)).to_have_attribute("data-state", "refused")
        await expect(person).to_have_value("")
        await person.fill("sato")
        await person.press("Enter")
        await expect(pin).to_be_focused()
        await by_hand(seen, "730184")
        await expect(who(seen)).to_have_text("佐藤 健")


def refused(door: Door) -> list[str]:
    """Why somebody wasn't let in, each time."""
    return [str(one.data["why"]) for one in door.records if one.kind.value == "person_refused"]


OVER_THE_WALL = {
    "find": ("/", "#find-on-wall"),
    "help": ("?", "#help"),
    "panel": ("BD:S:A1", "#panel"),
    "label": ("l", "#bind"),
}


@asynccontextmanager
async def held_back(seen: Visit) -> AsyncGenerator[list[Route]]:
    """Whose a badge is, the daemon says once this ends."""
    asked: list[Route] = []
    over = False

    async def keep(route: Route) -> None:
        if route.request.method == "POST" and not over:
            asked.append(route)
        else:
            await route.continue_()

    await seen.page.route("**/api/v1/session", keep)
    yield asked
    over = True
    for route in asked:
        await route.continue_()


async def type_pin(seen: Visit, pin: str) -> None:
    for key in pin:
        await seen.page.keyboard.press(key)


@pytest.mark.parametrize("over", OVER_THE_WALL)
async def test_after_a_badge_the_pin_has_the_focus_in_every_dialog(
    staffed_wall: Staffed, wall: Wall, over: str
) -> None:
    wall.rack.board.show(running_view())
    async with staffed_wall() as (seen, _):
        await seen.live()
        opens, dialog = OVER_THE_WALL[over]
        if over == "label":
            await seen.open("A1")
        await (scan(seen, opens) if len(opens) > 1 else seen.page.keyboard.press(opens))
        await expect(seen.page.locator(dialog)).to_be_visible()
        await scan(seen, BADGE)
        place = seen.page.locator(f"{dialog} .sign-in")
        await expect(place.locator("input[name=pin]")).to_be_focused()
        # Whatever the daemon says of that slot meanwhile.
        wall.rack.board.show(replace(running_view(), recipe="delete"))
        await seen.page.wait_for_timeout(300)
        await by_hand(seen, PIN)
        await expect(seen.page.locator('#operator [data-here="strong"]')).to_have_count(1)
        await expect(seen.page.locator(dialog)).to_be_visible()
        assert PIN not in await seen.page.locator(dialog).inner_text()
        # Of a job that is on no record there is no story.
        seen.complaints[:] = [one for one in seen.complaints if "status of 404" not in one]


@pytest.mark.parametrize("whole", [True, False])
async def test_what_is_typed_while_a_badge_is_compared_is_its_pin(
    shop: Shop, tmp_path: Path, *, whole: bool
) -> None:
    """A newcomer's hour: on the page of disposal the PIN stood in clear in the field for scans."""
    async with door_in(tmp_path) as door:
        shop.callers = door.callers()
        shop.parts = {"sessions": door.sessions, "people": door.people}
        shop.ended("20261124-00000000a1", "hold", "locked")
        async with shop.seen_at("/disposal", signed_in=False, refused=True) as seen:
            clear = seen.page.locator("#scan")
            await clear.fill("HQ")
            async with held_back(seen) as asked:
                await scan(seen, BADGE)
                await until_asked(asked, "POST")
                await type_pin(seen, PIN if whole else PIN[:2])
                if whole:
                    await seen.page.keyboard.press("Enter")
                await expect(clear).to_have_value("HQ")
            await expect(who(seen)).to_have_text("森 葵")
            if not whole:
                await expect(field(seen, "pin")).to_be_focused()
                await expect(field(seen, "pin")).to_have_value(PIN[:2])
                await type_pin(seen, PIN[2:])
                await seen.page.keyboard.press("Enter")
            await expect(seen.page.locator('#operator [data-here="strong"]')).to_be_visible()
            await expect(clear).to_have_value("HQ")
            assert refused(door) == []


async def test_what_is_typed_while_a_code_is_compared_that_is_no_badge_stays_where_it_was_meant(
    shop: Shop, tmp_path: Path
) -> None:
    async with door_in(tmp_path) as door:
        shop.callers = door.callers()
        shop.parts = {"sessions": door.sessions, "people": door.people}
        shop.ended("20261124-00000000a1", "hold", "locked")
        async with shop.seen_at("/disposal", signed_in=False, refused=True) as seen:
            clear = seen.page.locator("#scan")
            for code, stays in (("NOBODYS-1", "HQ12"), (OURS, "HQ")):
                await clear.fill("HQ")
                async with held_back(seen) as asked:
                    await scan(seen, code)
                    await until_asked(asked, "POST")
                    await type_pin(seen, "12")
                    await expect(clear).to_have_value("HQ")
                await expect(clear).to_be_focused()
                await expect(clear).to_have_value(stays)


async def test_a_pin_typed_at_once_after_an_id_is_no_part_of_the_id(staffed_wall: Staffed) -> None:
    async with staffed_wall() as (seen, _):
        async with held_back(seen) as asked:
            await field(seen, "person").focus()
            await by_hand(seen, "sato")
            await until_asked(asked, "POST")
            await type_pin(seen, "730184")
            await seen.page.keyboard.press("Enter")
            await expect(field(seen, "person")).to_have_value("")
        await expect(who(seen)).to_have_text("佐藤 健")
