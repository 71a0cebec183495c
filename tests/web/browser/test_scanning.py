"""A code that is scanned anywhere: it opens its handset, takes over, and never presses a button."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from chromium import Visit, Visits, needs_chromium
from playwright.async_api import expect
from scanner import SEPARATOR, scan

from benchd.domain.ids import SlotName
from benchd.domain.job import Gate
from benchd.domain.slot import SlotView
from benchd.domain.wall_plan import WallPlan
from benchd.ledger.records.records_access import Records
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel
from benchd.web.service import PlanInEffect
from tests.web.fake_sessions import believing
from tests.web.served import app_of
from tests.web.web_fakes import A1, FakeRack, Feed, asking_view, identity
from tests.web.web_running import running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

A2 = SlotName("A2")
IMEIS = {A1: "356938030000013", A2: "356938030000021"}


def waiting(slot: SlotName, number: int, gate: Gate = Gate.CONFIRM) -> SlotView:
    view = asking_view(slot, number, gate)
    return replace(view, identity=replace(identity(), serial=f"HQ612{number}", imei=IMEIS[slot]))


Wall = Callable[..., AbstractAsyncContextManager[Visit]]


@asynccontextmanager
async def following(records: Records) -> AsyncGenerator[None]:
    async with anyio.create_task_group() as group:
        group.start_soon(records.run)
        yield
        group.cancel_scope.cancel()


@pytest.fixture
def wall(rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits) -> Wall:
    """Opens the wall of a rack on which these slots ask something."""

    @asynccontextmanager
    async def opened(*views: SlotView, prefix: str = "") -> AsyncGenerator[Visit]:
        rack.ledger.keep_job()
        for view in views:
            rack.board.show(view)
        plan = WallPlan(scan_prefix=prefix)
        records = Records(tmp_path / "records.sqlite", Feed(rack))
        app = app_of(
            rack,
            catalogue,
            callers=believing(AccessLevel.READ),
            records=records,
            wall=PlanInEffect(plan),
        )
        async with (
            following(records),
            running(app, tmp_path / "scans.sock") as here,
            visit(f"http://127.0.0.1:{here.port}/") as seen,
        ):
            for view in views:
                await expect(seen.tile(view.slot)).to_have_attribute(
                    "data-kind", "awaiting_operator"
                )
            yield seen
            # What is scanned is on no record.
            seen.complaints[:] = [told for told in seen.complaints if "status of 404" not in told]

    return opened


async def test_the_label_of_a_handset_opens_its_confirmation_and_stands_in_it(wall: Wall) -> None:
    async with wall(waiting(A1, 1), waiting(A2, 2)) as seen:
        note = seen.page.locator('#panel input[name="note"]')
        await scan(seen, IMEIS[A2])
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A2])
        await expect(note).to_have_value(IMEIS[A2])
        # The next one of the sitting, while a button of the last one has the focus.
        await scan(seen, "HQ6121")
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A1])
        await expect(note).to_have_value("HQ6121")


async def test_a_scan_presses_no_button_whatever_has_the_focus(wall: Wall, rack: FakeRack) -> None:
    async with wall(waiting(A1, 1)) as seen:
        await seen.page.locator('#operator input[name="person"]').fill("佐藤")
        await seen.page.locator('#operator input[name="pin"]').fill("902716")
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.locator("#operator .who")).to_have_text("佐藤")
        await scan(seen, IMEIS[A1])
        yes, kept = seen.page.locator("#panel .yes"), len(rack.ledger.stored)
        for code in ("T1", "T-1", "T 1", "A1", IMEIS[A1]):
            await yes.focus()
            await scan(seen, code)
            await expect(yes).to_be_visible()
        assert len(rack.ledger.stored) == kept


async def test_what_stands_on_a_label_is_no_number_of_its_own_screen(wall: Wall) -> None:
    async with wall(waiting(A1, 1, Gate.IMEI)) as seen:
        await scan(seen, IMEIS[A1])
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A1])
        await expect(seen.page.locator('#panel input[name="note"]')).to_have_value("")


async def test_two_with_one_serial_are_not_guessed(wall: Wall) -> None:
    async with wall(asking_view(A1, 1), asking_view(A2, 2)) as seen:
        await scan(seen, "HQ6123")
        await expect(seen.page.locator("#announcer")).to_have_text("A1, A2")
        await expect(seen.page.locator("#panel")).to_be_hidden()


async def test_a_scan_is_heard_in_a_field_and_leaves_nothing_in_it(wall: Wall) -> None:
    async with wall(waiting(A1, 1)) as seen:
        person = seen.page.locator('#operator input[name="person"]')
        await person.fill("half")
        await scan(seen, IMEIS[A1])
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A1])
        await expect(person).to_have_value("half")
        # A badge takes over, also where a PIN was being typed.
        pin = seen.page.locator('#panel input[name="pin"]')
        await pin.fill("12")
        await scan(seen, "SUZUKI-1002")
        await expect(seen.page.locator("#panel .who")).to_have_text("SUZUKI-1002")


async def test_what_people_type_into_a_field_is_no_scan(wall: Wall) -> None:
    async with wall(waiting(A1, 1)) as seen:
        await seen.page.locator('#operator input[name="person"]').focus()
        # A nimble typist: a dozen keys a second, and Enter signs in.
        await scan(seen, "SATO", key_s=0.08)
        await expect(seen.page.locator("#operator .who")).to_have_text("SATO")


@pytest.mark.parametrize("end", ["Enter", "Tab"])
async def test_a_reader_works_while_an_ime_is_on(wall: Wall, end: str) -> None:
    async with wall(waiting(A1, 1)) as seen:
        await scan(seen, "SUZUKI-1002", ime=True, end=end)
        await expect(seen.page.locator("#operator .who")).to_have_text("SUZUKI-1002")
        await scan(seen, "IMEI1:" + IMEIS[A1], ime=True, end=end)
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A1])


async def test_a_box_with_gs1_opens_its_handset(wall: Wall) -> None:
    async with wall(waiting(A1, 1), waiting(A2, 2)) as seen:
        await scan(seen, f"]C1010950600013435221XYZ{SEPARATOR}8002{IMEIS[A2]}")
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A2])


async def test_the_configured_prefix_makes_a_code_that_needs_no_key_at_its_end(wall: Wall) -> None:
    async with wall(waiting(A1, 1), waiting(A2, 2), prefix="~") as seen:
        await scan(seen, f"~{IMEIS[A2]}", end=None)
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A2])
        # What ends its codes all the same, and what another reader sends without the prefix.
        await scan(seen, f"~{IMEIS[A1]}")
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A1])
        await scan(seen, "BD:S:A2")
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A2])


async def test_a_slash_finds_a_slot_and_a_handset_by_a_part_of_what_is_known(wall: Wall) -> None:
    async with wall(waiting(A1, 1), waiting(A2, 2)) as seen:
        await seen.page.keyboard.press("/")
        field = seen.page.locator("#wall-search")
        await expect(field).to_be_focused()
        # As an IME leaves it.
        await field.fill("ｈｑ６１２２")
        await expect(seen.page.locator("#find-on-wall li")).to_have_count(1)
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A2])
        await expect(seen.page.locator("#find-on-wall")).to_be_hidden()


async def test_what_the_rack_doesnt_have_is_looked_for_in_the_files(wall: Wall) -> None:
    async with wall(waiting(A1, 1)) as seen:
        await seen.page.keyboard.press("/")
        await seen.page.locator("#wall-search").fill("no such handset")
        async with seen.page.expect_navigation(url="**/handsets?q=no+such+handset"):
            await seen.page.keyboard.press("Enter")


async def test_a_question_mark_tells_the_keys_and_answers_nothing_meanwhile(wall: Wall) -> None:
    async with wall(waiting(A1, 1)) as seen:
        await seen.page.keyboard.press("?")
        told = seen.page.locator("#help")
        await expect(told).to_contain_text("Esc")
        await seen.page.keyboard.press("n")
        await expect(seen.page.locator("#panel")).to_be_hidden()
        await seen.page.keyboard.press("Escape")
        await expect(told).to_be_hidden()


@pytest.mark.parametrize(
    ("code", "leads_to"),
    [
        (IMEIS[A1], f"**/handsets?q={IMEIS[A1]}"),
        ("BD:S:A1", "**/"),
        ("BD:A:NEXT", "**/"),
        ("BD:J:job-7", "**/handsets?q=job-7"),
    ],
)
async def test_a_code_leads_from_another_page_to_its_place(
    wall: Wall, code: str, leads_to: str
) -> None:
    async with wall(waiting(A1, 1)) as seen:
        await seen.page.goto(f"{seen.page.url}board")
        await expect(seen.page.locator("#operator input").first).to_be_visible()
        async with seen.page.expect_navigation(url=leads_to):
            await scan(seen, code)
