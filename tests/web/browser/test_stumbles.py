"""What a newcomer stumbled over in half an hour: lots and labels, the head, times, paper."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from chromium import Visit, needs_chromium
from paper_shop import Shop
from playwright.async_api import Route, expect
from scanner import scan
from telling import errand, ready, tell_queue
from walls import Wall

from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.intake import Unerasable
from benchd.domain.job import Disposition
from benchd.domain.record import EntryKind
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.proof.evidence.intake_evidence import BoundBy
from tests.intake.lots import imei
from tests.people.people_rig import BADGE, PIN, door_in
from tests.web.web_fakes import (
    A1,
    JOB,
    FakeRack,
    asking_view,
    bound_record,
    port,
    running_view,
    waiting_view,
)

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

MOST_MM, LEAST_PT = 26.0, 8.0
"""What a handset may take of a page of paper, and its smallest type."""


async def test_item_4_a_lots_rows_say_in_words_what_has_become_of_each(shop: Shop) -> None:
    shop.ended("job-1", "hold", "coverage_too_low", 1)
    shop.ended("job-2", "sellable", None, 2)
    shop.rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, JobId("job-3"))
    for number in (1, 2, 3):
        bound = to_json(bound_record("L-1", f"T-{number}", BoundBy.TAG))
        shop.rack.ledger.keep(EntryKind.ASSET_BOUND, bound, JobId(f"job-{number}"))
    async with shop.seen_at("/lots") as seen:
        await shop.take_in("L-1", tag="T-1")
        for number in range(2, 6):
            await shop.enter("lots/L-1/assets", tag=f"T-{number}", imei=imei(number))
        await shop.enter("assets/T-5/unerasable", reason=Unerasable.NO_POWER)
        await seen.go("/lots?lot=L-1")
        states = seen.page.locator("table").last.locator("tbody td:last-child")
        await expect(states).to_have_text(
            [
                re.compile("保留.*上書きできた範囲が足りません"),
                re.compile("販売可"),
                re.compile("処理中.*スロット A1"),
                re.compile("未処理"),
                re.compile("電源が入らない.*破砕"),
            ]
        )
        assert "job-" not in " ".join(await states.all_inner_texts())
        for number in (1, 2, 3):
            await expect(states.nth(number - 1).locator("a")).to_have_attribute(
                "href", f"/handsets?job=job-{number}"
            )
        await states.first.locator("a").click()
        await expect(seen.page.locator("h2")).to_contain_text("SO-51B")


COUNTS = """() => [...document.querySelectorAll('#summary .count')].map(e => {
  const box = e.getBoundingClientRect(); return [e.className, box.x, box.y]; })"""


@pytest.mark.parametrize("width", [1920, 1600, 1366, 1280, 1024])
@pytest.mark.parametrize("language", ["ja", "en"])
async def test_item_5_the_heads_counts_stay_where_they_are_whoever_signs_in(
    wall: Wall, tmp_path: Path, width: int, language: str
) -> None:
    folder = tmp_path / "people"
    folder.mkdir()
    wall.rack.board.show(running_view())
    wall.rack.board.show(waiting_view(SlotName("A2"), 2))
    async with door_in(folder) as door:
        parts = {"callers": door.callers(), "sessions": door.sessions, "people": door.people}
        async with wall(f"?lang={language}", parts=parts, width=width, height=900) as seen:
            head = seen.page.locator("#operator .sign-in")
            await seen.shows("A1", "SO-51B")
            await seen.fonts()
            counts = seen.page.locator("#summary b")
            counted = ["1", "1", "0", "0", ""]
            await expect(counts).to_have_text(counted)
            before = await seen.page.evaluate(COUNTS)
            await scan(seen, BADGE)
            await expect(head).to_have_attribute("data-here", "badge")
            assert await seen.page.evaluate(COUNTS) == before
            await head.locator('input[name="pin"]').fill(PIN)
            await seen.page.keyboard.press("Enter")
            await expect(head).to_have_attribute("data-here", "strong")
            assert await seen.page.evaluate(COUNTS) == before
            await seen.page.keyboard.press("F9")
            await expect(head).to_have_attribute("data-here", "nobody")
            # Who locks leaves nothing on the page: it is counted once it is told anew.
            await seen.shows("A1", "SO-51B")
            await seen.shows("A2", "A2")
            await expect(counts).to_have_text(counted)
            assert await seen.page.evaluate(COUNTS) == before
            await head.locator('input[name="person"]').fill("mori")
            await head.locator('input[name="pin"]').fill(PIN)
            await seen.page.keyboard.press("Enter")
            await expect(head.locator(".star")).to_be_visible()
            assert await seen.page.evaluate(COUNTS) == before


async def test_item_6_of_the_stumbles_the_walls_dialog_says_whose_times_it_shows(
    rack: FakeRack, wall: Wall
) -> None:
    rack.ledger.keep_job()
    rack.board.show(running_view())
    async with wall() as seen:
        await seen.shows("A1", "SO-51B")
        await seen.open("A1")
        await expect(seen.panel(".story time").first).to_have_text(re.compile(r"^\d\d?:\d\d:\d\d$"))
        await expect(seen.panel(".telling .zone")).to_have_text("時刻の基準: UTC+09:00 Asia/Tokyo")


async def test_item_9_what_disposal_refuses_is_told_there_and_leads_nowhere(shop: Shop) -> None:
    """Nobody's badge, and no handset of the list: on any other page it would lead to its file."""
    shop.ended("job-1", "destroy", "felica_residue", 1)
    shop.ended("job-2", "sellable", None, 2)
    async with shop.seen_at("/disposal") as seen:
        page = seen.page
        said, chosen = page.locator(".settling .said").first, page.locator(".chosen")
        await scan(seen, imei(1))
        await expect(chosen).to_contain_text(": 1")

        async def nobody(route: Route) -> None:
            if route.request.method == "POST":
                told = {"code": "not_signed_in", "message": ""}
                await route.fulfill(status=401, json={"error": told})
            else:
                await route.fallback()

        await page.route("**/api/v1/session", nobody)
        # A handset that is on record, but not on this list.
        for code in ("HQ610002", "UNKNOWN-1"):
            await scan(seen, imei(1))
            await expect(said).to_contain_text(imei(1))
            await scan(seen, code)
            await expect(said).to_have_text("読み取った番号は、対応待ちの端末にはありません。")
            await expect(chosen).to_contain_text(": 1")
            assert page.url == seen.at("disposal")
        await seen.go("/report")
        await expect(page.locator("#operator .who")).to_be_visible()
        await scan(seen, "HQ610002")
        await page.wait_for_url("**/handsets*")


async def test_item_9_the_heads_count_is_the_queues_but_for_what_is_carried(
    rack: FakeRack, wall: Wall
) -> None:
    rack.board.show(waiting_view(A1, 1))
    rack.board.show_unknown_port(PortPath(port(9)), attached=True)
    async with wall() as seen:
        await ready(seen)
        attention = seen.page.locator(".needs_person b")
        kinds = ("question", "confirm", "put_right", "broken", "tray", "port", "rack", "replug")
        for most in (3, 8):
            told = [errand(kind, "A1", kind, here=True) for kind in kinds[:most]]
            carried = [errand("carry", "A1", "carry", bin=one) for one in ("sellable", "hold")]
            await tell_queue(seen.page, *told, *carried)
            await expect(attention).to_have_text(str(most))
            await expect(seen.page).to_have_title(f"({most}) benchd 消去ラック")
        await tell_queue(seen.page, errand("carry", "A1", "carry", bin="hold"))
        await expect(attention).to_have_text("0")
        await expect(seen.page).to_have_title("benchd 消去ラック")


UNTOLD = """
  window.EventSource = class extends EventSource {
    addEventListener(kind, ...all) { if (kind !== "queue") super.addEventListener(kind, ...all); }
  };
"""


async def test_item_9_until_the_queue_is_told_slots_and_ports_are_counted(
    rack: FakeRack, wall: Wall
) -> None:
    rack.board.show(waiting_view(A1, 1))
    rack.board.show(SlotView(slot=SlotName("A2"), port_path=port(2)))
    rack.board.show_unknown_port(PortPath(port(9)), attached=True)
    async with wall() as seen:
        await seen.page.add_init_script(UNTOLD)
        await seen.page.reload()
        await seen.live()
        await expect(seen.page.locator(".needs_person b")).to_have_text("2")


async def density(seen: Visit) -> list[float]:
    """Millimetres of paper that each handset takes, on A4 with the page's own margins."""
    await seen.page.set_viewport_size({"width": 718, "height": 1000})
    await seen.page.emulate_media(media="print")
    heights = await seen.page.evaluate(
        "() => [...document.querySelectorAll('#open tbody tr')]"
        ".map(row => row.getBoundingClientRect().height)"
    )
    return [height / 96 * 25.4 for height in heights]


async def test_item_7_of_the_stumbles_a_page_of_paper_holds_many_handsets_of_disposal(
    shop: Shop,
) -> None:
    for number, (goes, why) in enumerate(
        (("hold", "watch_listed"), ("hold", "storage_quota"), ("hold", "felica_silent"))
    ):
        shop.ended(f"20261124-00000000a{number}", goes, why, number, model="SM-A546D LONG NAME")
    async with shop.seen_at("/disposal") as seen:
        await expect(seen.page.locator("#open tbody tr")).to_have_count(3)
        heights = await density(seen)
        assert max(heights) < MOST_MM, heights
        # No smaller than what is read at arm's length.
        smallest = await seen.page.evaluate(
            "() => Math.min(...[...document.querySelectorAll('#open :is(td, small, th)')]"
            ".map(cell => parseFloat(getComputedStyle(cell).fontSize))) * 72 / 96"
        )
        assert smallest >= LEAST_PT
        wide = "() => document.documentElement.scrollWidth"
        assert await seen.page.evaluate(wide) <= 718


async def test_item_2_the_reports_days_are_the_racks_like_the_shifts(shop: Shop) -> None:
    here = datetime.now().astimezone()
    async with shop.seen_at("/report") as seen:
        # This screen believes in another day.
        await seen.page.clock.set_fixed_time("2031-05-06T03:00:00Z")
        await seen.page.reload()
        await expect(seen.page.locator("#from")).to_have_value(f"{here:%Y-%m}-01")
        await expect(seen.page.locator("#to")).to_have_value(f"{here:%Y-%m-%d}")
        ahead = f"UTC{here:%z}"
        await expect(seen.page.locator("h2")).to_contain_text(f"{ahead[:-2]}:{ahead[-2:]}")


async def test_item_5_a_slot_says_which_recipe_it_runs_also_while_it_is_empty(
    rack: FakeRack, wall: Wall
) -> None:
    rack.board.show(running_view())
    for number in range(2, 5):
        recipe = "drawn_recheck" if number == 4 else "overwrite"
        name = SlotName(f"A{number}")
        rack.board.show(SlotView(slot=name, port_path=port(number), recipe=recipe))
    async with wall(width=1280, height=900) as seen:
        await seen.shows("A1", "上書き消去（検査時）")
        recipe = seen.tile("A4").locator(".recipe")
        await expect(recipe).to_have_text("抜取再検査")
        await seen.open("A4")
        await expect(seen.panel(".identity")).to_contain_text("抜取再検査")
        await seen.panel(".close").click()
        # A small tile says what few slots run; what most run goes without saying.
        for height, density in ((370, "medium"), (290, "dense")):
            await seen.page.set_viewport_size({"width": 1280, "height": height})
            await expect(seen.page.locator("body")).to_have_attribute("data-density", density)
            await expect(seen.tile("A2").locator(".recipe")).to_be_hidden()
            await expect(recipe).to_be_in_viewport(ratio=1)


async def test_item_6_a_bound_label_stands_on_the_tile_and_on_the_handover_sheet(
    shop: Shop,
) -> None:
    shop.rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, JOB)
    bound = to_json(bound_record("L-1", "T-000123", BoundBy.TAG))
    shop.rack.ledger.keep(EntryKind.ASSET_BOUND, bound, JOB)
    shop.rack.board.show(running_view())
    async with shop.seen_at("/") as seen:
        await seen.shows("A1", "T-000123")
        await seen.go("/board?sheet=handover")
        await expect(seen.page.locator(".sheet table").first).to_contain_text("T-000123")


async def test_item_11_escape_closes_the_menu(wall: Wall, rack: FakeRack) -> None:
    rack.board.show(running_view())
    async with wall() as seen:
        for page in ("", "lots"):
            await seen.go(page)
            menu = seen.page.locator("#menu details")
            await menu.locator("summary").click()
            await menu.locator("input").first.focus()
            await seen.page.keyboard.press("Escape")
            await expect(menu).not_to_have_attribute("open", "")
            await expect(menu.locator("summary")).to_be_focused()


async def test_item_11_what_is_left_goes_by_while_machines_work(rack: FakeRack, wall: Wall) -> None:
    rack.board.show(replace(running_view(), handset_left_s=600.0))
    asks = asking_view(SlotName("A2"), 2)
    rack.board.show(replace(asks, handset_left_s=3000.0))
    async with wall(width=1280, height=900) as seen:
        left, tile = seen.page.locator(".rack-left b"), seen.tile("A1").locator(".left")
        # What waits for a person takes no time of a machine's.
        await expect(left).to_have_text(re.compile("^(10:00|9:5.)$"))
        before = await left.inner_text()
        await expect(left).not_to_have_text(before)
        await expect(left).to_have_text(re.compile("^9:5.$"))
        await expect(tile).to_have_text(re.compile("^9:5.$"))


@pytest.mark.parametrize(
    ("language", "word"), [("ja", "コマンド"), ("en", "command line")], ids=("ja", "en")
)
async def test_item_11_a_question_says_nothing_of_commands(language: str, word: str) -> None:
    texts = tomllib.loads(Path(f"benchd/texts/{language}.toml").read_text(encoding="utf-8"))
    assert [gate for gate, told in texts["gate"].items() if word in str(told)] == []
    # Nor does what becomes of a handset: a command is the admin's, and stands in their manual.
    command = re.compile(r"[`「\"]benchd [a-z]")
    told = {name: one["what_to_do"] for name, one in texts["reason"].items()}
    assert [name for name, to_do in told.items() if command.search(to_do)] == []


async def test_what_is_to_be_crushed_is_one_count_or_says_what_it_counts(shop: Shop) -> None:
    """Two done in slots, and one that could never be plugged in: 2 and 3, each by its name."""
    for number in (1, 2):
        shop.ended(f"20261124-00000000a{number}", "destroy", "felica_residue", number)
    view = replace(running_view(), state=SlotState.FINISHED, disposition=Disposition.DESTROY)
    shop.rack.board.show(view)
    async with shop.seen_at("/") as seen:
        page = seen.page
        await shop.take_in("L-1", tag="T-1")
        await shop.enter("assets/T-1/unerasable", reason=Unerasable.NO_POWER)
        await shop.caught_up()
        await expect(page.locator('#bins [data-bin="destroy"] b')).to_have_text("1")
        await expect(page.locator("#bins-title")).to_have_text("終わってスロットにある端末")
        await seen.go("/board?day=2026-11-24&from=00:00&to=00:00")
        went = page.get_by_role("table", name="スロットで終わった端末の行き先")
        waits = page.get_by_role("table", name="対応待ちの端末（スロットに挿していないものも含む）")
        await expect(went.locator("tr", has_text="破砕").locator(".number")).to_have_text("2")
        await expect(waits.locator("tr", has_text="破砕").locator(".number")).to_have_text("3")
        await waits.get_by_role("link", name="破砕").click()
        await expect(page.locator("#open tbody tr")).to_have_count(3)
        await seen.go("/board?sheet=handover&day=2026-11-24&from=00:00&to=00:00")
        done = page.get_by_role("table", name="この時間帯にスロットで終わった端末")
        await expect(done.locator("tr", has_text="破砕").locator("td").last).to_have_text("2")
