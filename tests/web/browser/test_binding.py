"""Item 1 of the stumbles: which asset a handset is, said on the page by scanner and keyboard."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from chromium import Visit, needs_chromium
from playwright.async_api import Locator, expect
from scanner import scan
from walls import Wall

from benchd.domain.ids import JobId, SlotName
from benchd.domain.intake import LotKind
from benchd.domain.job import Gate
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import QuestionView, SlotView
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.people.login_throttle import FREE_TRIES_OF_SOURCE
from benchd.proof.evidence.intake_evidence import AssetLine, LotRecord, Who
from tests.core.world import CountingEntropy
from tests.people.people_rig import BADGE, OTHER_BADGE, Door, door_in
from tests.people.somebody import somebody
from tests.web.web_fakes import (
    A1,
    BEGAN,
    FakeClock,
    FakeRack,
    asking_view,
    identity,
    port,
    running_view,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

A2 = SlotName("A2")
IMEIS = {A1: "356938030000013", A2: "356938030000021"}
BY = Who.of(somebody("mori"))


@dataclass
class Bench:
    """A wall of two handsets at work, with real people and one lot of labels."""

    seen: Visit
    rack: FakeRack
    desk: IntakeDesk
    door: Door

    @property
    def dialog(self) -> Locator:
        return self.seen.page.locator("#bind")

    @property
    def yes(self) -> Locator:
        return self.dialog.locator(".yes")

    @property
    def refused(self) -> Locator:
        return self.dialog.locator(".refused")

    @property
    def said(self) -> Locator:
        return self.seen.page.locator("#given .said")

    @property
    def bound(self) -> list[Entry]:
        return self.rack.ledger.of(EntryKind.ASSET_BOUND)

    async def sure(self) -> None:
        """Slot and label are known, and the daemon has nothing against it."""
        await expect(self.yes).to_be_visible()

    async def came(self) -> None:
        """What the page has sent is here: so is the answer to what it asks now by the same way."""
        answer = await self.seen.page.evaluate(ASKS, at_work(A2, 2).job)
        assert answer["told"]["tag"] == "T-000123"


ASKS = """job => import('/static/api.js').then(({ act }) =>
  act('/api/v1/slots/A2/asset', { tag: 'T-000123', job, dry_run: true }))"""

Benches = Callable[..., AbstractAsyncContextManager[Bench]]

ASSETS = (
    AssetLine(tag="T-000123", imei=None, serial=None, model=None, colour=None, grade=None),
    AssetLine(tag="T-000456", imei=None, serial=None, model="SC-51A", colour=None, grade=None),
    AssetLine(tag="T7", imei=IMEIS[A2], serial=None, model=None, colour=None, grade=None),
)


def at_work(slot: SlotName, number: int) -> SlotView:
    told = replace(identity(), serial=f"HQ612{number}", imei=IMEIS[slot])
    job = JobId(f"20261124-00000000a{number}")
    return replace(running_view(), slot=slot, port_path=port(number), job=job, identity=told)


@pytest.fixture
def bench(wall: Wall, tmp_path: Path) -> Benches:
    @asynccontextmanager
    async def opened(path: str = "") -> AsyncGenerator[Bench]:
        folder = tmp_path / "people"
        folder.mkdir()
        rack = wall.rack
        store = IntakeStore(rack.ledger, FakeClock())
        desk = IntakeDesk(store, CountingEntropy(), rack.board.views)
        lot = LotRecord(
            lot="L-1",
            consignor="X",
            kind=LotKind.AUCTION,
            paper="",
            taken_in_at=BEGAN,
            identity_check="",
            attests=(),
            excepted=(),
            by=BY,
        )
        await desk.add_lot(lot)
        for line in ASSETS:
            await desk.add_asset("L-1", line, by=BY)
        for number, slot in enumerate((A1, A2), 1):
            view = at_work(slot, number)
            rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, view.job or JobId(""))
            rack.board.show(view)
        async with door_in(folder) as door, wall.records() as records:
            parts = {
                "callers": door.callers(),
                "sessions": door.sessions,
                "people": door.people,
                "records": records,
                "intake": desk,
            }
            async with wall(path, parts=parts) as seen:
                await seen.live()
                await scan(seen, BADGE)
                await expect(seen.page.locator("#operator .who")).to_have_text("森 葵")
                yield Bench(seen, rack, desk, door)
                # A code that is no badge and no label.
                seen.complaints[:] = [one for one in seen.complaints if "status of 404" not in one]

    return opened


@pytest.mark.parametrize(
    "order",
    [("BD:S:A1", "T-000123"), ("T-000123", "BD:S:A1"), ("T-000123", "a1")],
    ids=("slot", "label", "plain"),
)
@pytest.mark.parametrize("by", ["key", "card", "button"])
async def test_item_1_a_label_is_bound_by_scanning_it_and_its_slot_in_either_order(
    bench: Benches, order: tuple[str, str], by: str
) -> None:
    async with bench() as one:
        await scan(one.seen, order[0])
        if order[0].startswith("BD"):
            await expect(one.seen.panel(".slot")).to_have_text("A1")
        else:
            await expect(one.dialog).to_contain_text("L-1")
        await scan(one.seen, order[1])
        await one.sure()
        # What it is and where stands there, and nothing is on record yet.
        for told in ("T-000123", "L-1", "A1", "SO-51B", IMEIS[A1]):
            await expect(one.dialog).to_contain_text(told)
        assert one.bound == []
        if by == "key":
            await one.seen.page.keyboard.press("y")
        elif by == "button":
            await one.yes.click()
        else:
            await one.seen.page.wait_for_timeout(1_000)
            await scan(one.seen, "BD:A:YES")
        await expect(one.dialog).to_be_hidden()
        await expect(one.said).to_contain_text("A1: 管理番号 T-000123")
        [kept] = one.bound
        assert (kept.slot, kept.job, kept.data["tag"]) == (A1, "20261124-00000000a1", "T-000123")
        assert "mori" in str(kept.data["by"])
        if not order[0].startswith("BD"):
            await one.seen.open("A1")
        await expect(one.seen.panel(".identity")).to_contain_text("T-000123（L-1）")


async def test_item_1_a_control_in_the_panel_and_its_key_ask_for_the_label(bench: Benches) -> None:
    async with bench() as one:
        await one.seen.open("A1")
        await one.seen.page.keyboard.press("l")
        field = one.dialog.locator("#bind-code")
        await expect(field).to_be_focused()
        await one.seen.page.keyboard.press("Escape")
        await expect(one.dialog).to_be_hidden()
        await one.seen.panel(".bind").click()
        await expect(field).to_be_focused()
        # Typed, where the label can't be read; as an IME leaves it.
        await field.fill("ｔ9")
        await one.seen.page.keyboard.press("Enter")
        await expect(one.refused).to_contain_text("どのロットの管理番号でもありません")
        await field.fill("Ｔ-000123")
        await one.seen.page.keyboard.press("Enter")
        await one.sure()
        # A no that closed it would be the first half of one to the question beneath.
        await one.seen.page.keyboard.press("n")
        await expect(one.dialog).to_be_visible()
        await one.seen.page.keyboard.press("Escape")
        await expect(one.dialog).to_be_hidden()
        assert one.bound == []


async def test_item_1_refusals_are_told_before_anybody_says_yes(bench: Benches) -> None:
    async with bench() as one:
        await scan(one.seen, "BD:S:A1")
        await scan(one.seen, "T-000456")
        await expect(one.refused).to_contain_text("機種が書類と違います")
        await expect(one.yes).to_have_count(0)
        await scan(one.seen, "BD:A:YES")
        await expect(one.refused).to_contain_text("まだ結び付けられません")
        await one.seen.page.keyboard.press("y")
        await one.seen.page.wait_for_timeout(300)
        # Another handset's label.
        await scan(one.seen, "T7")
        await expect(one.refused).to_contain_text("IMEIが書類と違います")
        # In no lot; what stood there before is gone with it.
        await scan(one.seen, "T-999999")
        await expect(one.refused).to_contain_text("どのロットの管理番号でもありません")
        await expect(one.dialog).not_to_contain_text("SC-51A")
        assert one.bound == []
        # Bound already: to the other slot's handset.
        view = one.rack.board.views()[A2]
        await one.desk.bind(view, "T-000123", by=BY)
        await scan(one.seen, "T-000123")
        await expect(one.refused).to_contain_text("スロット A2 の端末のものです")
        await expect(one.yes).to_have_count(0)
        # Its slot goes by another tag.
        await scan(one.seen, "T7")
        await scan(one.seen, "BD:S:A2")
        await expect(one.refused).to_contain_text("作業は管理番号 T-000123 です")
        assert len(one.bound) == 1


async def test_item_1_who_has_compared_both_may_insist_on_another_model(bench: Benches) -> None:
    async with bench() as one:
        await scan(one.seen, "BD:S:A1")
        await scan(one.seen, "T-000456")
        await one.dialog.get_by_text("機種が違っても").click()
        await expect(one.dialog).to_be_hidden()
        [kept] = one.bound
        assert kept.data["differs"] == "SC-51A / SO-51B"


async def test_item_1_another_handset_in_the_slot_meanwhile_is_not_bound(bench: Benches) -> None:
    async with bench() as one:
        await scan(one.seen, "BD:S:A1")
        await scan(one.seen, "T-000123")
        await one.sure()
        other = replace(at_work(A1, 9), identity=replace(identity(), serial="OTHER9", imei=None))
        one.rack.board.show(other)
        await expect(one.dialog).to_contain_text("OTHER9")
        await one.sure()
        assert one.bound == []


async def test_item_1_a_known_label_says_what_it_is_wherever_it_is_scanned(bench: Benches) -> None:
    async with bench() as one:
        view = one.rack.board.views()[A2]
        await one.desk.bind(view, "T-000123", by=BY)
        await expect(one.seen.page.locator("body")).to_have_attribute("data-connection", "live")
        await one.seen.page.reload()
        await one.seen.live()
        await scan(one.seen, "T-000123")
        await expect(one.seen.panel(".slot")).to_have_text("A2")
        await expect(one.seen.panel(".identity")).to_contain_text("T-000123（L-1）")
        for path in ("board", "lots", "report"):
            for tag in ("T-000456", "T7"):
                await one.seen.go(path)
                await expect(one.seen.page.locator("#operator .who")).to_be_visible()
                await scan(one.seen, tag)
                # The number doesn't stay in the address.
                await one.seen.page.wait_for_url("**/handsets*")
                await expect(one.seen.page.locator("main")).to_contain_text(tag)
                await expect(one.seen.page.locator("main")).to_contain_text("L-1")
                await expect(one.seen.page.locator("main")).to_contain_text("未処理")


async def test_item_1_labels_are_no_tries_however_many_are_scanned(bench: Benches) -> None:
    async with bench() as one:
        for number in range(FREE_TRIES_OF_SOURCE + 5):
            tag = ("T-000123", "T-000456")[number % 2]
            await scan(one.seen, tag)
            await expect(one.dialog).to_contain_text(tag)
        # A badge takes over here as anywhere, and the label that is open stays.
        await scan(one.seen, OTHER_BADGE)
        await expect(one.seen.page.locator("#operator .who")).to_have_text("加藤 舞")
        await expect(one.dialog).to_be_visible()
        refused = [kept for kept in one.door.records if kept.kind.value == "person_refused"]
        assert refused == []
        await one.seen.page.keyboard.press("F9")
        await expect(one.dialog).to_be_hidden()


async def test_item_1_a_label_is_no_number_of_a_screen(bench: Benches) -> None:
    """While a question for a number is open, a label answers nothing."""
    async with bench() as one:
        asking = replace(asking_view(A1, 1, Gate.IMEI), identity=at_work(A1, 1).identity)
        one.rack.board.show(asking)
        await expect(one.seen.tile("A1")).to_have_attribute("data-kind", "awaiting_operator")
        await one.seen.open("A1")
        await one.seen.page.wait_for_timeout(1_000)
        await scan(one.seen, "T-000123")
        await one.sure()
        await expect(one.seen.panel("input[name=note]")).to_have_value("")
        # The question for the tag itself takes it as its answer.
        await one.seen.page.keyboard.press("Escape")
        one.rack.board.show(replace(asking, question=QuestionView(gate=Gate.ASSET, facts={})))
        await expect(one.seen.panel('[data-gate="asset"]')).to_be_visible()
        # Longer than a reader takes to read one code twice.
        await one.seen.page.wait_for_timeout(2_100)
        await scan(one.seen, "T-000123")
        await expect(one.seen.panel("input[name=note]")).to_have_value("T-000123")
        await expect(one.dialog).to_be_hidden()


async def test_item_1_the_find_dialog_and_the_pages_find_a_label(bench: Benches) -> None:
    """Item 4's other half: a tag is found everywhere an IMEI or a job is."""
    async with bench() as one:
        view = one.rack.board.views()[A2]
        await one.desk.bind(view, "T7", by=BY)
        await one.seen.page.reload()
        await one.seen.live()
        for asked in ("T7", "20261124-00000000a2", IMEIS[A2]):
            await one.seen.page.keyboard.press("/")
            await one.seen.page.locator("#wall-search").fill(asked)
            found = one.seen.page.locator("#find-on-wall li")
            await expect(found).to_have_count(1)
            await expect(found).to_contain_text("T7")
            await one.seen.page.keyboard.press("Escape")
        for asked in ("0456", "T-000456", "T7", IMEIS[A2][:8]):
            await one.seen.go(f"handsets?q={asked}")
            main = one.seen.page.locator("main table").first
            await expect(main).to_contain_text("T-000456" if "456" in asked else "T7")
            await expect(main).to_contain_text("L-1")
        await one.seen.go("handsets?q=T77")
        await expect(one.seen.page.locator(".nothing")).to_be_visible()


@pytest.mark.parametrize("tag", ["T-000456", "T8"])
async def test_item_8_anothers_label_at_a_bound_slot_is_refused_and_binds_nothing(
    bench: Benches, tag: str
) -> None:
    async with bench() as one:
        await one.desk.add_asset("L-1", replace(ASSETS[0], tag="T8"), by=BY)
        await one.desk.bind(one.rack.board.views()[A1], "T-000123", by=BY)
        await one.seen.page.reload()
        await one.seen.live()
        await scan(one.seen, "T-000123")
        await expect(one.seen.panel(".identity")).to_contain_text("T-000123（L-1）")
        await scan(one.seen, tag)
        for told in ("A1", "T-000123", tag, "何もしていません"):
            await expect(one.said).to_contain_text(told)
        await expect(one.dialog).to_be_hidden()
        await expect(one.seen.panel(".slot")).to_have_text("A1")
        # With that slot closed it is asked for which it is.
        await one.seen.panel(".close").click()
        await scan(one.seen, "BD:S:A2")
        await one.seen.panel(".close").click()
        await scan(one.seen, tag)
        await expect(one.dialog).to_contain_text(tag)
        assert len(one.bound) == 1


async def test_item_7_no_label_is_an_error_on_the_browsers_console(bench: Benches) -> None:
    async with bench() as one:
        told: list[str] = []
        one.seen.page.on("console", lambda message: told.append(message.text))
        asked: list[str] = []
        one.seen.page.on("request", lambda request: asked.append(request.url))
        await scan(one.seen, "T-000123")
        await expect(one.dialog).to_contain_text("L-1")
        await one.seen.page.keyboard.press("Escape")
        await scan(one.seen, "NOBODYS-LABEL-1")
        await expect(one.seen.page.locator("#operator .told")).to_contain_text("登録されていません")
        # One that benchd has made for somebody, who isn't known here any more.
        await scan(one.seen, "BD:P:ABCDEFGH23456789")
        await expect(one.seen.page.locator("#operator .told")).to_contain_text("登録されていません")
        await scan(one.seen, OTHER_BADGE)
        await expect(one.seen.page.locator("#operator .who")).to_have_text("加藤 舞")
        assert [text for text in told if "Failed to load" in text] == []
        # What may be a badge stands in no address, which others keep.
        assert [url for url in asked if "ABCDEFGH" in url or OTHER_BADGE in url] == []


async def test_item_3_a_label_that_nobody_knows_stays_in_no_field_of_a_question(
    bench: Benches,
) -> None:
    async with bench() as one:
        asking = replace(asking_view(A1, 1, Gate.IMEI), identity=at_work(A1, 1).identity)
        one.rack.board.show(asking)
        await one.seen.open("A1")
        note, refused = one.seen.panel("input[name=note]"), one.seen.panel(".refused")
        await one.seen.page.wait_for_timeout(1_000)
        for focused in (False, True):
            if focused:
                await note.focus()
            await scan(one.seen, f"NOBODYS-{focused:d}")
            await expect(refused).to_contain_text("IMEIは検査数字を含む15桁")
            await expect(note).to_have_value("")
            # What is put right, or is something else, leaves nothing of it.
            await scan(one.seen, "356938035643809" if focused else IMEIS[A1])
            await expect(note).to_have_value(IMEIS[A1] if not focused else "356938035643809")
            await expect(refused).to_be_empty()
            await note.fill("")
        await scan(one.seen, "356938035643808")
        await expect(refused).not_to_be_empty()
        await scan(one.seen, "BD:A:CIRCLE")
        await expect(one.said).not_to_be_empty()
        await expect(refused).to_be_empty()
        # At another gate too: what was said of one code isn't said beside the next one.
        one.rack.board.show(replace(asking, question=QuestionView(gate=Gate.ASSET, facts={})))
        await expect(one.seen.panel('[data-gate="asset"]')).to_be_visible()
        await one.seen.page.wait_for_timeout(1_000)
        await scan(one.seen, "NOBODYS-4")
        await expect(refused).to_contain_text("どのロットの管理番号でもありません")
        await expect(note).to_have_value("")
        await scan(one.seen, "T-000123")
        await expect(note).to_have_value("T-000123")
        await expect(refused).to_be_empty()


@pytest.mark.parametrize("by", ["key", "card", "button"])
@pytest.mark.parametrize("label", [True, False])
async def test_anothers_imei_asks_before_the_label_goes_to_its_slot(
    bench: Benches, by: str, *, label: bool
) -> None:
    """A newcomer's hour: the dialog was silently about another handset."""
    async with bench() as one:
        await one.seen.open("A1")
        await one.seen.page.keyboard.press("l")
        await expect(one.dialog).to_be_visible()
        if label:
            await scan(one.seen, "T-000123")
            await one.sure()
        for yes in (False, True):
            # The second time so late that no reader has read it twice.
            await scan(one.seen, IMEIS[A2], after_s=2.1 if yes else 0)
            await expect(one.dialog.locator(".to-do")).to_contain_text("A2 の端末です")
            await expect(one.dialog.locator("dd").filter(has_text="A2")).to_have_count(0)
            if by == "card":
                await one.seen.page.wait_for_timeout(1_000)
                await scan(one.seen, "BD:A:YES" if yes else "BD:A:NO")
            elif by == "button":
                await one.dialog.locator(".yes" if yes else ".no").first.click()
            else:
                await one.seen.page.keyboard.press("y" if yes else "n")
            await expect(one.dialog.locator(".to-do")).not_to_contain_text("A2 の端末です")
            slot = "A2" if yes else "A1"
            await expect(one.dialog.locator("dd", has_text=slot).first).to_be_visible()
            if label:
                await one.sure()
        await expect(one.dialog.locator(".moved-on")).to_contain_text("A1 → A2")
        await one.came()
        assert one.bound == []


async def test_who_takes_over_while_a_label_is_bound_is_said_and_asked_anew(
    bench: Benches,
) -> None:
    async with bench() as one:
        await one.seen.open("A1")
        await one.seen.page.keyboard.press("l")
        field = one.dialog.locator("#bind-code")
        await field.fill("T-00")
        await scan(one.seen, OTHER_BADGE)
        place = one.dialog.locator(".sign-in")
        await expect(place.locator(".told")).to_contain_text("森 葵 → 加藤 舞")
        await expect(field).to_have_value("T-00")
        await scan(one.seen, "T-000123")
        await one.sure()
        await expect(place.locator(".who")).to_have_text("加藤 舞")
