"""A code that is scanned anywhere: it opens its handset, takes over, and never presses a button."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime

import anyio
import pytest
from chromium import Visit, needs_chromium
from playwright.async_api import Route, expect
from scanner import SEPARATOR, scan
from walls import Wall

from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Disposition, Gate, Outcome
from benchd.domain.label import PrinterView
from benchd.domain.plain_text import Language
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.domain.wall_plan import WallPlan
from benchd.papers.labels.label_desk import LabelDesk
from benchd.web.service import PlanInEffect
from tests.papers.labels.quiet_desk import quiet_desk
from tests.web.web_fakes import A1, JOB, FakeRack, asking_view, identity, running_view

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

A2 = SlotName("A2")
ELEVEN_SECONDS_ON = """() => {
    const now = performance.now.bind(performance);
    performance.now = () => now() + 11_000;
}"""
FIRST_QUESTION = re.compile("/api/v1/?$")
IMEIS = {A1: "356938030000013", A2: "356938030000021"}


def waiting(slot: SlotName, number: int, gate: Gate = Gate.CONFIRM) -> SlotView:
    view = asking_view(slot, number, gate)
    return replace(view, identity=replace(identity(), serial=f"HQ612{number}", imei=IMEIS[slot]))


Asking = Callable[..., AbstractAsyncContextManager[Visit]]


@pytest.fixture
def asking(rack: FakeRack, wall: Wall) -> Asking:
    """Opens the wall of a rack on which these slots ask something."""

    @asynccontextmanager
    async def opened(*views: SlotView, prefix: str = "") -> AsyncGenerator[Visit]:
        rack.ledger.keep_job()
        for view in views:
            rack.board.show(view)
        plan = PlanInEffect(WallPlan(scan_prefix=prefix))
        async with (
            wall.records() as records,
            wall(parts={"records": records, "wall": plan}) as seen,
        ):
            for view in views:
                tile = seen.tile(view.slot)
                await expect(tile).to_have_attribute("data-kind", "awaiting_operator")
            yield seen
            # What is scanned is on no record.
            seen.complaints[:] = [told for told in seen.complaints if "status of 404" not in told]

    return opened


async def test_a_scan_opens_its_handset_and_presses_no_button_whatever_has_the_focus(
    asking: Asking, rack: FakeRack
) -> None:
    async with asking(waiting(A1, 1), waiting(A2, 2)) as seen:
        note, about = seen.panel('input[name="note"]'), seen.panel(".identity")
        await scan(seen, IMEIS[A2])
        await expect(about).to_contain_text(IMEIS[A2])
        # On the screen for the confirmation the label's number stands in its field.
        await expect(note).to_have_value(IMEIS[A2])
        # The next one of the sitting, while a button of the last one has the focus.
        await scan(seen, "HQ6121")
        await expect(about).to_contain_text(IMEIS[A1])
        await expect(note).to_have_value("HQ6121")
        # A box with GS1.
        await scan(seen, f"]C1010950600013435221XYZ{SEPARATOR}8002{IMEIS[A2]}")
        await expect(about).to_contain_text(IMEIS[A2])
        await seen.panel(".close").click()
        await seen.sign_in()
        await scan(seen, IMEIS[A1])
        yes, kept = seen.panel(".yes"), len(rack.ledger.stored)
        for code in ("T1", "T-1", "T 1", "A1", IMEIS[A1]):
            await yes.focus()
            await scan(seen, code)
            await expect(yes).to_be_visible()
        assert len(rack.ledger.stored) == kept


async def test_what_stands_on_a_label_is_no_number_of_its_own_screen(asking: Asking) -> None:
    async with asking(waiting(A1, 1, Gate.IMEI)) as seen:
        await scan(seen, IMEIS[A1])
        # Nor does the page show the number that it says isn't to be copied from it.
        await expect(seen.panel(".identity")).to_contain_text(f"…{IMEIS[A1][-4:]}")
        await expect(seen.panel()).not_to_contain_text(IMEIS[A1])
        await expect(seen.panel('input[name="note"]')).to_have_value("")


async def test_two_with_one_serial_are_not_guessed(asking: Asking) -> None:
    async with asking(asking_view(A1, 1), asking_view(A2, 2)) as seen:
        await scan(seen, "HQ6123")
        await expect(seen.page.locator("#announcer")).to_have_text("A1, A2")
        await expect(seen.panel()).to_be_hidden()


@pytest.mark.parametrize("end", ["Enter", "Tab"])
async def test_a_scan_is_heard_in_a_field_and_while_an_ime_is_on(asking: Asking, end: str) -> None:
    async with asking(waiting(A1, 1)) as seen:
        who = seen.page.locator("#operator .who")
        person = seen.page.locator('#operator input[name="person"]')
        await person.fill("half")
        await scan(seen, IMEIS[A1])
        await expect(seen.panel(".identity")).to_contain_text(IMEIS[A1])
        # It leaves nothing in the field.
        await expect(person).to_have_value("half")
        # A badge takes over, also where a PIN was being typed.
        await seen.panel('input[name="pin"]').fill("12")
        await scan(seen, "SUZUKI-1002")
        await expect(seen.panel(".who")).to_have_text("SUZUKI-1002")
        await seen.panel(".close").click()
        await scan(seen, "TANAKA-1003", ime=True, end=end)
        await expect(who).to_have_text("TANAKA-1003")
        await scan(seen, "IMEI1:" + IMEIS[A1], ime=True, end=end)
        await expect(seen.panel(".identity")).to_contain_text(IMEIS[A1])


async def test_what_people_type_into_a_field_is_no_scan(asking: Asking) -> None:
    async with asking(waiting(A1, 1)) as seen:
        await seen.page.locator('#operator input[name="person"]').focus()
        # A nimble typist: a dozen keys a second, and Enter signs in.
        await scan(seen, "SATO", key_s=0.08)
        await expect(seen.page.locator("#operator .who")).to_have_text("SATO")


async def test_the_configured_prefix_makes_a_code_that_needs_no_key_at_its_end(
    asking: Asking,
) -> None:
    async with asking(waiting(A1, 1), waiting(A2, 2), prefix="~") as seen:
        about = seen.panel(".identity")
        await scan(seen, f"~{IMEIS[A2]}", end=None)
        await expect(about).to_contain_text(IMEIS[A2])
        # What ends its codes all the same, and what another reader sends without the prefix.
        await scan(seen, f"~{IMEIS[A1]}")
        await expect(about).to_contain_text(IMEIS[A1])
        await scan(seen, "BD:S:A2")
        await expect(about).to_contain_text(IMEIS[A2])


@asynccontextmanager
async def still_loading(seen: Visit, path: str) -> AsyncGenerator[None]:
    """The page is opened, and what it begins with is held back until the end of this."""
    asked, go_on = anyio.Event(), anyio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await go_on.wait()
        await route.continue_()

    await seen.page.route(FIRST_QUESTION, hold)
    await seen.go(path)
    await asked.wait()
    yield
    go_on.set()


@pytest.mark.parametrize("path", ["", "board"])
async def test_what_is_scanned_while_a_page_loads_is_heard_in_its_order_once_it_is_there(
    asking: Asking, path: str
) -> None:
    async with asking(waiting(A1, 1), prefix="~") as seen:
        who = seen.page.locator("#operator .who")
        async with still_loading(seen, path):
            for badge in ("TANAKA-1003", "SUZUKI-1002", "TANAKA-1003"):
                await scan(seen, f"~{badge}" if path == "" else badge)
        await expect(who).to_have_text("SUZUKI-1002")
        await scan(seen, "SATO-1001")
        await expect(who).to_have_text("SATO-1001")


async def test_what_was_scanned_long_before_its_page_is_there_does_nothing(asking: Asking) -> None:
    async with asking(waiting(A1, 1)) as seen:
        shown: list[str | None] = []
        seen.page.on("request", lambda request: shown.append(request.post_data))
        async with still_loading(seen, "board"):
            await scan(seen, "TANAKA-1003")
            await seen.page.evaluate(ELEVEN_SECONDS_ON)
        await expect(seen.page.locator("#operator .sign-in")).to_be_visible()
        await scan(seen, "SUZUKI-1002")
        await expect(seen.page.locator("#operator .who")).to_have_text("SUZUKI-1002")
        assert not any("TANAKA" in (one or "") for one in shown)


async def test_keys_tell_of_themselves_and_find_a_handset_by_a_part_of_what_is_known(
    asking: Asking,
) -> None:
    async with asking(waiting(A1, 1), waiting(A2, 2)) as seen:
        await seen.page.keyboard.press("?")
        told = seen.page.locator("#help")
        await expect(told).to_contain_text("Esc")
        # It answers nothing meanwhile.
        await seen.page.keyboard.press("n")
        await expect(seen.panel()).to_be_hidden()
        await seen.page.keyboard.press("Escape")
        await expect(told).to_be_hidden()
        await seen.page.keyboard.press("/")
        field, found = seen.page.locator("#wall-search"), seen.page.locator("#find-on-wall")
        await expect(field).to_be_focused()
        # As an IME leaves it.
        await field.fill("ｈｑ６１２２")
        await expect(found.locator("li")).to_have_count(1)
        await seen.page.keyboard.press("Enter")
        await expect(seen.panel(".identity")).to_contain_text(IMEIS[A2])
        await expect(found).to_be_hidden()
        # What the rack doesn't have is looked for in the files.
        await seen.panel(".close").click()
        await seen.page.keyboard.press("/")
        await field.fill("no such handset")
        async with seen.page.expect_navigation(url="**/handsets?q=no+such+handset"):
            await seen.page.keyboard.press("Enter")


async def test_a_code_leads_from_another_page_to_its_place(asking: Asking) -> None:
    async with asking(waiting(A1, 1)) as seen:
        for code, leads_to in {
            IMEIS[A1]: f"**/handsets?q={IMEIS[A1]}",
            "BD:S:A1": "**/",
            "BD:A:NEXT": "**/",
            "BD:J:job-7": "**/handsets?q=job-7",
        }.items():
            await seen.go("board")
            await expect(seen.page.locator("#operator input").first).to_be_visible()
            async with seen.page.expect_navigation(url=leads_to):
                await scan(seen, code)


async def test_an_answer_card_on_another_page_says_where_it_is_for(asking: Asking) -> None:
    async with asking(waiting(A1, 1)) as seen:
        told = seen.page.locator("#operator .told")
        for card in ("BD:A:YES", "BD:A:CANCEL"):
            await seen.go("board")
            await expect(seen.page.locator("#operator input").first).to_be_visible()
            await scan(seen, card)
            await expect(told).to_have_text("このコードはラックの画面で使います。")
            await expect(told).to_be_visible()


LAST = JobId("20261124-00000000ee")


class Printing:
    """A fake desk whose printer takes everything; its pictures are real ones."""

    def __init__(self, desk: LabelDesk) -> None:
        self._desk = desk
        self.printers = (PrinterView(name="till", waiting=0, trouble=None, newest=LAST),)
        self.printed: list[tuple[str, str | None]] = []

    async def print_again(self, job: JobId, printer: str | None = None) -> PrinterView:
        self.printed.append((job, printer))
        return self.printers[0]

    async def cards(self, slots: Sequence[SlotName], at: datetime) -> bytes:
        raise NotImplementedError

    async def picture(
        self, job: JobId, kind: str, printer: str | None = None, language: Language | None = None
    ) -> bytes:
        return await self._desk.picture(job, kind)  # type: ignore[arg-type]


async def test_a_label_is_printed_once_more_by_key_and_by_card_at_its_printer(
    rack: FakeRack, wall: Wall
) -> None:
    rack.ledger.keep_job()
    ended = {"state": SlotState.FINISHED, "stage": None, "progress": None, "eta_s": None}
    held = {"outcome": Outcome.FAILED, "disposition": Disposition.HOLD}
    rack.board.show(replace(running_view(), **ended, **held))  # type: ignore[arg-type]
    async with wall.records() as records:
        desk = Printing(quiet_desk(rack, records, wall.catalogue))
        async with wall(parts={"records": records, "labels": desk}) as seen:
            await seen.sign_in()
            await expect(seen.page.locator("#rack [data-slot]")).to_have_count(1)
            said = seen.page.get_by_text("ラベルを印刷に回しました。").first
            await scan(seen, f"BD:S:{A1}")
            await expect(seen.panel()).to_be_visible()
            await scan(seen, "BD:A:PRINT")
            await expect(said).to_be_attached()
            assert desk.printed == [(JOB, None)]
            async with seen.page.expect_response("**/label"):
                await seen.page.keyboard.press("p")
            assert desk.printed == [(JOB, None)] * 2
            # With nothing open P prints what came out last.
            await seen.panel(".close").click()
            async with seen.page.expect_response("**/label"):
                await seen.page.keyboard.press("p")
            assert desk.printed[2:] == [(LAST, None)]
            # Its page shows it as it comes out.
            await seen.go(f"handsets?label={JOB}")
            picture = seen.page.locator(".at-printer img")
            await expect(picture).to_be_visible()
            wide = await picture.evaluate("img => img.decode().then(() => img.naturalWidth)")
            assert wide == 495
            async with seen.page.expect_response("**/label?printer=till"):
                await seen.page.locator("#print-till").click()
            await expect(seen.page.locator("#announcer")).to_have_text("ラベルを印刷に回しました。")
            assert desk.printed[3:] == [(JOB, "till")]
