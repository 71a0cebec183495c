"""A code that is scanned anywhere: it opens its handset, takes over, and never presses a button."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from chromium import Visits, needs_chromium
from playwright.async_api import expect
from scanner import SEPARATOR, scan

from benchd.texts.catalogue import Catalogue
from benchd.web.app import create_app
from benchd.web.sight import Sight
from benchd.words.ids import SlotName
from benchd.words.job import Gate
from benchd.words.slot import SlotView
from tests.web.fake_door import FakeDoor, believing
from tests.web.web_fakes import A1, FakeRack, asking_view, identity
from tests.web.web_running import Running, running

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

A2 = SlotName("A2")
IMEIS = {A1: "356938030000013", A2: "356938030000021"}


def waiting(slot: SlotName, number: int, gate: Gate = Gate.CONFIRM) -> SlotView:
    view = asking_view(slot, number, gate)
    return replace(view, identity=replace(identity(), serial=f"HQ612{number}", imei=IMEIS[slot]))


def served(
    rack: FakeRack, catalogue: Catalogue, folder: Path
) -> AbstractAsyncContextManager[Running]:
    app = create_app(rack, catalogue, callers=believing(Sight.READ), sessions=FakeDoor())
    return running(app, folder / "scans.sock")


async def test_the_label_of_a_handset_opens_its_confirmation_and_stands_in_it(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep_job()
    rack.board.show(waiting(A1, 1))
    rack.board.show(waiting(A2, 2))
    async with (
        served(rack, catalogue, tmp_path) as here,
        visit(f"http://127.0.0.1:{here.port}/") as seen,
    ):
        await seen.shows("A2", "別担当者による確認")
        note = seen.page.locator('#panel input[name="note"]')
        await scan(seen, IMEIS[A2])
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A2])
        await expect(note).to_have_value(IMEIS[A2])
        # The next one of the sitting, while a button of the last one has the focus.
        await scan(seen, "HQ6121")
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A1])
        await expect(note).to_have_value("HQ6121")


async def test_a_scan_presses_no_button_whatever_has_the_focus(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep_job()
    rack.board.show(waiting(A1, 1))
    async with (
        served(rack, catalogue, tmp_path) as here,
        visit(f"http://127.0.0.1:{here.port}/") as seen,
    ):
        await seen.shows("A1", "別担当者による確認")
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


async def test_what_stands_on_a_label_is_no_number_of_its_own_screen(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep_job()
    rack.board.show(waiting(A1, 1, Gate.IMEI))
    async with (
        served(rack, catalogue, tmp_path) as here,
        visit(f"http://127.0.0.1:{here.port}/") as seen,
    ):
        await seen.shows("A1", "回答待ち")
        await scan(seen, IMEIS[A1])
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A1])
        await expect(seen.page.locator('#panel input[name="note"]')).to_have_value("")


async def test_two_with_one_serial_are_not_guessed(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.board.show(asking_view(A1, 1))
    rack.board.show(asking_view(A2, 2))
    async with (
        served(rack, catalogue, tmp_path) as here,
        visit(f"http://127.0.0.1:{here.port}/") as seen,
    ):
        await seen.shows("A2", "別担当者による確認")
        await scan(seen, "HQ6123")
        await expect(seen.page.locator("#announcer")).to_have_text("A1, A2")
        await expect(seen.page.locator("#panel")).to_be_hidden()


async def test_a_scan_is_heard_in_a_field_and_leaves_nothing_in_it(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep_job()
    rack.board.show(waiting(A1, 1))
    async with (
        served(rack, catalogue, tmp_path) as here,
        visit(f"http://127.0.0.1:{here.port}/") as seen,
    ):
        await seen.shows("A1", "別担当者による確認")
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


async def test_what_people_type_into_a_field_is_no_scan(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep_job()
    rack.board.show(waiting(A1, 1))
    async with (
        served(rack, catalogue, tmp_path) as here,
        visit(f"http://127.0.0.1:{here.port}/") as seen,
    ):
        await seen.shows("A1", "別担当者による確認")
        await seen.page.locator('#operator input[name="person"]').focus()
        # A nimble typist: a dozen keys a second, and Enter signs in.
        await scan(seen, "SATO", key_s=0.08)
        await expect(seen.page.locator("#operator .who")).to_have_text("SATO")


@pytest.mark.parametrize("end", ["Enter", "Tab"])
async def test_a_reader_works_while_an_ime_is_on(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits, end: str
) -> None:
    rack.ledger.keep_job()
    rack.board.show(waiting(A1, 1))
    async with (
        served(rack, catalogue, tmp_path) as here,
        visit(f"http://127.0.0.1:{here.port}/") as seen,
    ):
        await seen.shows("A1", "別担当者による確認")
        await scan(seen, "SUZUKI-1002", ime=True, end=end)
        await expect(seen.page.locator("#operator .who")).to_have_text("SUZUKI-1002")
        await scan(seen, "IMEI1:" + IMEIS[A1], ime=True, end=end)
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A1])


async def test_a_box_with_gs1_opens_its_handset(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, visit: Visits
) -> None:
    rack.ledger.keep_job()
    rack.board.show(waiting(A1, 1))
    rack.board.show(waiting(A2, 2))
    async with (
        served(rack, catalogue, tmp_path) as here,
        visit(f"http://127.0.0.1:{here.port}/") as seen,
    ):
        await seen.shows("A2", "別担当者による確認")
        await scan(seen, f"]C1010950600013435221XYZ{SEPARATOR}8002{IMEIS[A2]}")
        await expect(seen.page.locator("#panel .identity")).to_contain_text(IMEIS[A2])
