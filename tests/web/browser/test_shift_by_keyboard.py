"""A shift at two screens, by scanner and keyboard alone, on the virtual rack."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from chromium import Visit, Visits, needs_chromium
from playwright.async_api import TimeoutError as NotInTime
from playwright.async_api import expect
from scanner import by_hand, scan

from benchd.domain.ids import JsonValue
from benchd.domain.job import Gate
from benchd.lab.demo import lot
from benchd.lab.demo.crew import SECOND, WORKER, Member
from benchd.lab.demo.demo_folder import STAGE_DEADLINE_S
from benchd.lab.demo.demo_rack import DemoRack, demo_rack, loopback_listener
from benchd.lab.demo.demo_run import as_expected, result_of, until_all_ended
from tests.free_port import free_port

pytestmark = [
    pytest.mark.rack,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(1500),
    needs_chromium,
]

WITHIN_S = 1200
MOUSE = """
const POINTED = ['pointerdown', 'pointerup', 'pointermove', 'mousedown', 'mousemove', 'wheel'];
for (const kind of [...POINTED, 'click'])
  addEventListener(kind, event => {
    if (kind !== 'click' || event.detail > 0 || event.pointerType) tellMouse(kind);
  }, true);
"""


@dataclass
class Person:
    """Somebody at a screen of their own, with a reader, a sheet of cards and a keyboard."""

    who: Member
    seen: Visit
    rack: DemoRack
    answered: list[tuple[str, str]] = field(default_factory=list)

    async def sign_in(self) -> None:
        page = self.seen.page
        await scan(self.seen, self.who.badge)
        await expect(page.locator('#operator input[name="pin"]')).to_be_focused()
        await by_hand(self.seen, self.who.pin)
        await expect(page.locator('#operator [data-here="strong"]')).to_be_visible()

    async def answer(self, slot: str, code: str) -> None:
        """Scan the handset's code, read the question, answer it, and send that at once."""
        page = self.seen.page
        # What has come by itself is read first: only then its code counts.
        await expect(page.locator("#panel .yes:disabled")).to_have_count(0, timeout=10_000)
        await scan(self.seen, code)
        asked = page.locator("#panel [data-gate]")
        try:
            await expect(page.locator("#panel h2")).to_contain_text(slot, timeout=10_000)
            gate = await asked.get_attribute("data-gate", timeout=3000)
            if gate == Gate.OBSERVE:
                await self.read_its_screen(slot)
            by_card = slot[-1] in "13579"
            if by_card:
                await scan(self.seen, "BD:A:YES")
            else:
                await self.press_yes()
            await expect(page.locator("#given li")).to_have_count(1, timeout=10_000)
        except (AssertionError, NotInTime):
            # It was answered by the port meanwhile; the rack tells what is asked now. What is
            # scanned next isn't meant for the note that may have the focus.
            await page.keyboard.press("Escape")
            return
        if by_card:
            await scan(self.seen, "BD:A:NEXT")
        else:
            await page.keyboard.press("Enter")
        # With the last one the whole shift may be over.
        self.answered.append((slot, str(gate)))
        await expect(page.locator("#given li")).to_have_count(0, timeout=20_000)

    async def read_its_screen(self, slot: str) -> None:
        note = self.seen.page.locator('#panel input[name="note"]')
        await self.seen.page.keyboard.press("i")
        await expect(note).to_be_focused(timeout=10_000)
        number = (await self.rack.hands.screen(slot)).imei
        await scan(self.seen, number)
        await expect(note).to_have_value(number, timeout=10_000)

    async def press_yes(self) -> None:
        """Out of the note, if that is where this hand is; then the key."""
        page = self.seen.page
        await expect(page.locator("#panel .yes")).to_be_enabled(timeout=10_000)
        if await page.locator('#panel input[name="note"]:focus').count():
            await page.keyboard.press("Tab")
        await page.keyboard.press("y")

    async def work(self, *, confirms: bool) -> None:
        """What this person's questions are, one after the other, until the rack is done."""
        while True:
            asked = self.next_asked(confirms=confirms)
            if asked is None:
                await self.rack.watch.next_look()
            else:
                await self.answer(*asked)

    def next_asked(self, *, confirms: bool) -> tuple[str, str] | None:
        """The slot that asks, and the code at hand there: its label's, or the handset's tag."""
        for placed in self.rack.placed:
            slot = self.rack.watch.slots.get(placed.slot, {})
            question = slot.get("question")
            if isinstance(question, dict) and (question["gate"] == Gate.CONFIRM) == confirms:
                label = f"BD:S:{placed.slot}"
                return placed.slot, label if placed.number % 3 else lot.tag_of(placed)
        return None


def be_patient(rack: DemoRack) -> None:
    """As patient with people as the shipped recipes: the demo's own is for robots."""
    (recipe,) = rack.folder.config.parent.glob("**/overwrite.toml")
    text = recipe.read_text(encoding="utf-8")
    patient = text.replace(f"deadline_s = {STAGE_DEADLINE_S}\n", "deadline_s = 3600\n")
    assert patient != text
    recipe.write_text(patient, encoding="utf-8")


@asynccontextmanager
async def at_a_screen(
    visit: Visits, address: str, who: Member, rack: DemoRack, mice: list[str]
) -> AsyncGenerator[Person]:
    async with visit(address, refused=True) as seen:

        def tell(kind: str) -> None:
            mice.append(kind)

        await seen.page.expose_function("tellMouse", tell)
        await seen.page.add_init_script(MOUSE)
        await seen.page.reload()
        await expect(seen.page.locator("body")).to_have_attribute("data-connection", "live")
        person = Person(who, seen, rack)
        await person.sign_in()
        yield person
        # Where the port has answered first, a person's answer finds no question any more.
        seen.complaints[:] = [told for told in seen.complaints if "status of 404" not in told]


@pytest.mark.parametrize(
    ("handsets", "language"),
    [
        pytest.param(4, "ja", marks=pytest.mark.slow),
        pytest.param(24, "ja", marks=pytest.mark.nightly),
        pytest.param(24, "en", marks=pytest.mark.nightly),
    ],
)
async def test_a_shift_without_a_mouse(
    tmp_path: Path,
    visit: Visits,
    language: str,
    handsets: int,
) -> None:
    port = free_port()
    mice: list[str] = []
    results: list[dict[str, JsonValue]] = []
    address = f"http://127.0.0.1:{port}/?lang={language}"
    with loopback_listener(port) as listener:
        async with demo_rack(
            tmp_path, lot.lot_scenarios(handsets), port=port, plugged=False
        ) as rack:
            be_patient(rack)
            await lot._capture_baseline(rack)
            await rack.start_daemon(listener)
            await lot._take_in(rack)
            async with (
                at_a_screen(visit, address, WORKER, rack, mice) as worker,
                at_a_screen(visit, address, SECOND, rack, mice) as second,
            ):
                for placed in rack.placed:
                    await rack.hands.plug(placed.slot, placed.number)
                async with anyio.create_task_group() as group:
                    group.start_soon(rack.operators().assist)
                    group.start_soon(rack.must_live)
                    group.start_soon(lambda: worker.work(confirms=False))
                    group.start_soon(lambda: second.work(confirms=True))
                    with anyio.fail_after(WITHIN_S):
                        await until_all_ended(rack)
                    results = [await result_of(rack, placed) for placed in rack.placed]
                    group.cancel_scope.cancel()
    told = list(zip(results, rack.placed, strict=True))
    assert [r for r, placed in told if not as_expected(r, placed.scenario)] == []
    assert mice == []
    assert {slot for slot, gate in second.answered if gate == Gate.CONFIRM} == {
        placed.slot for placed in rack.placed
    }
    assert len(worker.answered) >= len(rack.placed)
