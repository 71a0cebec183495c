"""A code that is scanned anywhere: it opens its handset, takes over, and never presses a button."""

from __future__ import annotations

import time
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from chromium import Visit, Visits, needs_chromium
from playwright.async_api import expect

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


async def scan(seen: Visit, code: str) -> None:
    """As a reader types: 5 ms a key however busy this machine is, and Enter."""
    began = time.time()
    devtools = await seen.page.context.new_cdp_session(seen.page)
    for number, key in enumerate((*code, "Enter")):
        told = {"key": key, "text": "\r" if key == "Enter" else key}
        if key == "Enter":
            told["code"] = key
        for kind, after_s in (("keyDown", 0.0), ("keyUp", 0.002)):
            event = {**told, "type": kind, "timestamp": began + 0.005 * number + after_s}
            if key == "Enter":
                event["windowsVirtualKeyCode"] = 13
            await devtools.send("Input.dispatchKeyEvent", event)
    await devtools.detach()


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
