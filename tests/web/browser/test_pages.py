"""Disposal, report and handsets in Debian's Chromium, and what all pages beside the wall share."""

from __future__ import annotations

import re
from pathlib import Path

import anyio
import pytest
from chromium import Visit, needs_chromium
from paper_shop import Shop, add_lot
from playwright.async_api import Route, expect
from scanner import scan

from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId
from benchd.domain.percentages import tenths
from benchd.domain.record import EntryKind
from benchd.proof.evidence.intake_evidence import BoundBy
from benchd.web.access_level import AccessLevel
from tests.intake.lots import imei
from tests.papers.outside import read_by
from tests.web.fake_sessions import believing
from tests.web.web_fakes import bound_record

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

PATHS = ("/board", "/board?sheet=handover", "/lots", "/disposal", "/report", "/handsets")
STEERING = "[red]\x1b[2J</script>\u202e{serial}"


async def test_crushed_handsets_are_settled_by_scan_each_with_its_own_record(shop: Shop) -> None:
    shop.ended("job-1", "destroy", "felica_residue", 1)
    shop.ended("job-2", "hold", "coverage_too_low", 2)
    shop.ended("job-3", "destroy", "storage_fault", 3)
    async with shop.seen_at("/disposal") as seen:
        page = seen.page
        await expect(page.locator("#open tbody tr")).to_have_count(3)
        # What can't become of all that are chosen isn't offered.
        one, two = (page.locator(f'tr[data-job="job-{number}"]') for number in (1, 2))
        await two.locator(".pick").check()
        await expect(page.locator("#to-rerun_due")).to_be_visible()
        await expect(page.locator("#to-on_sale, #to-destroyed")).to_have_count(0)
        await one.locator(".pick").check()
        await expect(page.locator(".settling .form")).to_contain_text("共通の処置がありません")
        await expect(page.locator("#to-rerun_due")).to_have_count(0)
        await one.locator(".pick").uncheck()
        await page.locator("#to-rerun_due").check()
        await page.locator("#note").fill("充電した")
        await page.locator(".settling .do").click()
        await expect(two).to_contain_text("再処理待ち")
        await page.reload()
        await expect(page.locator("#open tbody tr")).to_have_count(3)
        for scanned in (imei(1), "HQ610003", "nothing", "SO-51B"):
            await page.locator("#scan").fill(scanned)
            await page.keyboard.press("Enter")
        said = page.locator(".settling .said").first
        await expect(said).to_have_text("読み取った番号は、対応待ちの端末にはありません。")
        await expect(page.locator(".chosen")).to_contain_text(": 2")
        await page.locator("#to-destroyed").check()
        await page.locator(".settling .do").click()
        assert len(shop.kept(EntryKind.HANDSET_SETTLED)) == 1
        await page.locator("#recycler").fill("例示リサイクル")
        # The other language keeps what is chosen and typed.
        for _ in range(2):
            await page.locator("#language").click()
            await expect(page.locator("#recycler")).to_have_value("例示リサイクル")
            await expect(page.locator("#recycler")).to_be_visible()
        await page.locator("#number").fill("R-7")
        await page.locator("#batch").fill("B-1")
        await page.locator(".settling .do").click()
        await page.locator("#sure .yes").click()
        await expect(page.locator(".outcomes li")).to_have_count(2)
        await expect(page.locator("#open tbody tr")).to_have_count(1)
        await page.locator("#show-batch").fill("B-1")
        await page.keyboard.press("Enter")
        await expect(page.locator("tbody tr")).to_have_count(2)
        await expect(page.locator("tbody tr").first).to_contain_text("例示リサイクル R-7")
    _, *settled = shop.kept(EntryKind.HANDSET_SETTLED)
    assert [one.entry.job for one in settled] == ["job-1", "job-3"]
    assert [one.entry.data["number"] for one in settled] == ["R-7", "R-7"]


async def test_a_scan_chooses_on_disposal_wherever_the_focus_is(shop: Shop) -> None:
    shop.ended("job-1", "destroy", "felica_residue", 1)
    shop.ended("job-2", "hold", "coverage_too_low", 2)
    shop.ended("job-3", "destroy", "storage_fault", 3)
    bound = to_json(bound_record("L-1", "T-1", BoundBy.IMEI))
    shop.rack.ledger.keep(EntryKind.ASSET_BOUND, bound, JobId("job-1"))
    async with shop.seen_at("/disposal") as seen:
        page = seen.page
        said, chosen = page.locator(".settling .said").first, page.locator(".chosen")
        # On nothing, on a box, on a button, in the field for who types: by tag, IMEI and label.
        await page.locator("h2").click()
        await scan(seen, "T-1")
        await expect(chosen).to_contain_text(": 1")
        await page.locator('tr[data-job="job-2"] .pick').focus()
        await scan(seen, imei(2))
        await expect(chosen).to_contain_text(": 2")
        await page.locator("#scan").focus()
        await scan(seen, "BD:J:job-3")
        await expect(chosen).to_contain_text(": 3")
        await expect(page.locator("#scan")).to_have_value("")
        for number in (1, 2, 3):
            await expect(page.locator(f'tr[data-job="job-{number}"] .pick')).to_be_checked()
        # What isn't in the list is told, and leads nowhere: what is chosen stays.
        for wrong in (imei(9), "T-9", "BD:S:A1"):
            await scan(seen, "T-1")
            await expect(said).to_contain_text("T-1")
            await scan(seen, wrong)
            await expect(said).to_have_text("読み取った番号は、対応待ちの端末にはありません。")
        assert page.url == seen.at("disposal")
        await expect(chosen).to_contain_text(": 3")
        # In a tab of other handsets too.
        await seen.go("/disposal?state=tray")
        await expect(page.locator(".nothing")).to_contain_text("この状態の端末はありません")
        await scan(seen, imei(3))
        await expect(chosen).to_contain_text(": 1")
        # A badge goes on being one.
        await page.locator("#scan").focus()
        await scan(seen, "SUZUKI-1002")
        await expect(page.locator("#operator .who")).to_have_text("SUZUKI-1002")
        await expect(page.locator("#scan")).to_have_value("")
    assert shop.kept(EntryKind.HANDSET_SETTLED) == []


async def test_an_empty_page_tells_the_first_step(shop: Shop) -> None:
    async with shop.seen_at("/disposal") as seen:
        for path, step in (
            ("/disposal", "途中で抜いた端末が"),
            ("/report", "期間を変えて"),
            ("/board", "日と時間を変えて"),
            ("/board", "スロットに挿すと"),
            ("/lots", "「ロットを追加」から"),
            ("/handsets", "4文字以上"),
        ):
            await seen.go(path)
            said = seen.page.locator(".nothing").filter(has_text=step)
            await expect(said).to_be_visible()
        await seen.go("/disposal")
        await expect(seen.page.locator(".nothing a")).to_have_attribute("href", "/")


async def test_a_list_on_paper_begins_under_its_heading_and_no_word_of_it_is_broken(
    shop: Shop, tmp_path: Path
) -> None:
    """As a long list: it isn't kept together, and each of its lines is."""
    for number in range(1, 13):
        shop.ended(f"20261124-00000000{number:02}", "hold", "locked", number)
    async with shop.seen_at("/disposal") as seen:
        file = tmp_path / "list.pdf"
        await seen.page.pdf(path=file, prefer_css_page_size=True)
        printed = read_by("pdftotext", "-layout", file, "-").split("\f")[:-1]
        assert len(printed) <= 4
        assert imei(1) in printed[0]
        for number in range(1, 13):
            [of_it] = [page for page in printed if imei(number) in page]
            assert f"00000000{number:02}" in of_it
        # Each state and reason stands beside its handset in lines of words, not of letters.
        assert printed[0].count("画面ロックかアカウント") > 1
        assert printed[0].count("保留 ") > 1


async def test_times_carry_their_zone_and_on_the_board_it_is_the_racks(shop: Shop) -> None:
    shop.ended("job-1", "destroy", "felica_residue", 1)
    async with shop.seen_at("/disposal") as seen:
        zone = seen.page.locator("#page > .zone")
        await expect(zone).to_contain_text("UTC+09:00 Asia/Tokyo")
        shown: list[dict[str, str]] = []

        async def elsewhere(route: Route) -> None:
            """A rack whose clock isn't this screen's."""
            told = await (await route.fetch(max_retries=3)).json()
            told |= {
                "now": "2026-11-24T14:00:00-03:30",
                "begin": "2026-11-24T00:00:00-03:30",
                "end": "2026-11-25T00:00:00-03:30",
            }
            for one in told["bins"]:
                if one["oldest"]:
                    one["oldest"]["since"] = "2026-11-24T15:00:00+00:00"
                    shown.append(one)
            await route.fulfill(json=told)

        await seen.page.route("**/api/v1/shift?*", elsewhere)
        await seen.go("/board?day=2026-11-24")
        await expect(seen.page.locator("h2")).to_contain_text("UTC-03:30")
        await expect(zone).to_contain_text("UTC-03:30")
        of_bin = seen.page.locator("tr", has=seen.page.locator("#bin-to_destroy"))
        await expect(of_bin).to_contain_text("2026-11-24 11:30")
    assert shown


async def test_percentages_on_screens_are_cut_as_on_paper(shop: Shop) -> None:
    shares = (0.9496, 0.95, 1.0, 0.9999, 0.57, 0.29, 2 / 3, 0.0)
    script = "all => import('/static/words.js').then(({ tenths }) => all.map(tenths))"
    async with shop.seen_at("/disposal") as seen:
        said = await seen.page.evaluate(script, list(shares))
    assert said == [f"{tenths(share)}%" for share in shares]


async def test_who_takes_over_in_the_middle_settles_nothing_of_the_rest(shop: Shop) -> None:
    for number in (1, 2, 3):
        shop.ended(f"job-{number}", "destroy", "felica_residue", number)
    asked, may_go_on = anyio.Event(), anyio.Event()

    async def held(route: Route) -> None:
        asked.set()
        await may_go_on.wait()
        await route.continue_()

    async with shop.seen_at("/disposal") as seen:
        page = seen.page
        for number in (1, 2, 3):
            await page.locator(f'tr[data-job="job-{number}"] .pick').check()
        await page.locator("#to-destroyed").check()
        await page.locator("#recycler").fill("例示リサイクル")
        await page.locator("#number").fill("R-7")
        await page.route("**/api/v1/disposal/job-2", held)
        await page.locator(".settling .do").click()
        await page.locator("#sure .yes").click()
        await asked.wait()
        await page.locator("h2").click()
        await page.keyboard.type("SUZUKI-1002")
        await page.keyboard.press("Enter")
        await expect(page.locator("#operator .who")).to_have_text("SUZUKI-1002")
        may_go_on.set()
        await expect(page.locator('tr[data-job="job-1"]')).to_have_count(0)
        await expect(page.locator('tr[data-job="job-3"] .pick')).to_be_checked()
        await expect(page.locator("#operator .who")).to_have_text("SUZUKI-1002")
    settled = {
        one.entry.job: one.entry.data["name"] for one in shop.kept(EntryKind.HANDSET_SETTLED)
    }
    assert "job-3" not in settled
    assert "SUZUKI-1002" not in settled.values()


async def test_each_figure_leads_to_its_handsets_and_from_there_to_the_story(shop: Shop) -> None:
    shop.ended("job-1", "destroy", "felica_residue", 1)
    shop.ended("job-2", "destroy", "felica_residue", 2)
    shop.ended("job-3", "hold", "coverage_too_low", 3)
    path = "/report?from=2026-11-23&to=2026-11-26"
    async with shop.seen_at(path) as seen:
        page = seen.page
        async with page.expect_download() as saved:
            await page.get_by_role("link", name="CSVを保存").click()
        saved_as = await (await saved.value).path()
        assert saved_as.read_bytes().startswith(b'\xef\xbb\xbf"figure","value"')
        value = page.locator('tr[data-figure="not_erasable"][data-value="felica_residue"]')
        await expect(value).to_contain_text("FeliCaにデータが残っています")
        await expect(value.locator("a")).to_have_text("2")
        await value.locator("a").click()
        await expect(page.locator("tbody tr")).to_have_count(2)
        await expect(page.locator("tbody tr").first).to_contain_text(imei(1))
        await page.get_by_role("link", name="job-2").click()
        await expect(page.locator(".job .story")).to_contain_text("端末確認")
        await expect(page.locator(".job summary")).to_contain_text("破砕")
        # Each consignor and lot leads to its own figures.
        await shop.take_in("L-1", "例示商事", tag="T-1", imei=imei(1))
        await shop.enter("assets/T-1/unerasable", reason="no_power")
        await shop.caught_up()
        await seen.go("/report?from=2026-11-01&to=2026-12-31")
        of_lot = page.locator("tr", has=page.get_by_role("link", name="L-1", exact=True))
        await expect(of_lot.locator(".number")).to_have_text(["1", "0", "0", "1", "0"])
        await page.get_by_role("link", name="例示商事").click()
        await expect(page.locator("h2")).to_contain_text("入荷元: 例示商事")
        await page.locator('tr[data-value="no_power"] a').click()
        await expect(page.locator(".perhaps")).to_contain_text("T-1")


@pytest.mark.parametrize("anonymous", [AccessLevel.NONE, AccessLevel.WALL])
async def test_without_a_session_a_page_says_how_to_sign_in_and_then_forgets(
    shop: Shop, anonymous: AccessLevel
) -> None:
    shop.callers = believing(anonymous)
    async with shop.seen_at("/lots", signed_in=False, refused=True) as seen:
        heading, hidden = seen.page.locator("h2"), seen.page.locator("#hidden")
        for path in PATHS:
            await seen.go(path)
            await expect(hidden).to_contain_text("サインイン")
            await expect(heading).to_have_count(0)
            await seen.sign_in()
            await expect(heading).to_be_visible()
            await expect(hidden).to_be_hidden()
            await seen.page.keyboard.press("F9")
            await expect(hidden).to_be_visible()
            await expect(heading).to_have_count(0)


async def test_a_page_that_was_locked_asks_who_is_there_only_once_it_is_loaded_anew(
    shop: Shop,
) -> None:
    async with shop.seen_at("/lots") as seen:
        asked, told = anyio.Event(), anyio.Event()

        async def hold(route: Route) -> None:
            asked.set()
            await told.wait()
            await route.continue_()

        await seen.page.route(re.compile("/api/v1/?$"), hold)
        await seen.page.keyboard.press("F9")
        await asked.wait()
        await expect(seen.page.locator("#operator .who")).to_have_count(0)
        # What is typed now would be gone with the page.
        await expect(seen.page.locator("#operator input")).to_have_count(0)
        told.set()
        await seen.sign_in()


async def test_a_page_that_is_locked_while_the_daemon_is_away_keeps_nothing_either(
    shop: Shop,
) -> None:
    shop.callers = believing(AccessLevel.WALL)
    shop.ended("job-1", "destroy", "felica_residue", 1)
    async with shop.seen_at("/disposal", may_be_away=True) as seen:
        await expect(seen.page.locator("#open")).to_contain_text(imei(1))
        shop.here.stop.set()
        await shop.here.ended.wait()
        await seen.page.keyboard.press("F9")
        await expect(seen.page.locator("#connection")).to_be_visible()
        assert imei(1) not in await seen.page.content()


async def test_nobody_records_anything_without_signing_in(shop: Shop) -> None:
    async with shop.seen_at("/lots", signed_in=False) as seen:
        page = seen.page
        await page.locator("#add-lot > summary").click()
        await page.locator("#lot").fill("L-1")
        await page.locator("#kind-auction").check()
        await page.locator("#consignor").fill("X")
        await page.locator("#add-lot .do").click()
        await expect(page.locator("#add-lot .said")).to_contain_text("サインインしていません")
        # What was filled in stays, also in the other language.
        await page.locator("#language").click()
        await expect(page.locator("h2")).to_have_text("Lots")
        await expect(page.locator("#lot")).to_have_value("L-1")
        await expect(page.locator("#kind-auction")).to_be_checked()
    assert shop.stored == []


async def test_what_is_hostile_stays_text(shop: Shop) -> None:
    hostile = (STEERING, "<img src=x onerror=alert(1)>", "\"'><b>x</b>")
    for number, text in enumerate(hostile, 1):
        shop.ended(f"job-{number}", "destroy", "felica_residue", number, model=text)
    async with shop.seen_at("/disposal") as seen:
        for number, text in enumerate(hostile, 1):
            line = seen.page.locator(f'#open tbody tr[data-job="job-{number}"]')
            await expect(line).to_contain_text(text[:5])
            await line.locator(".pick").check()
        await no_markup(seen)
        for number, text in enumerate(hostile, 1):
            for path in (f"/handsets?job=job-{number}", f"/handsets?q=HQ61000{number}"):
                await seen.go(path)
                await expect(seen.page.locator("#page")).to_contain_text(text[:5])
                await no_markup(seen)
        for text in hostile[1:]:  # nobody types the first one into a field
            await seen.go("/lots")
            await add_lot(seen.page, text.replace(" ", "_").replace("/", ""), consignor=text)
            await no_markup(seen)
            await expect(seen.page.locator(".facts")).to_contain_text(text)


async def no_markup(seen: Visit) -> None:
    assert await seen.page.locator("#page img, #page script, #page b b, h2 b").count() == 0


async def test_a_page_can_be_used_without_seeing_it(shop: Shop) -> None:
    """Every control has a name, every id is there once, and nothing hangs over the edge."""
    shop.ended("job-1", "destroy", "felica_residue", 1)
    async with shop.seen_at("/lots", height=768) as seen:
        await shop.take_in("L-1")
        for path in (*PATHS, "/board?day=2026-11-24", "/lots?lot=L-1"):
            for language in ("ja", "en"):
                await seen.page.set_viewport_size({"width": 1366, "height": 768})
                await seen.go(f"{path}{'&' if '?' in path else '?'}lang={language}")
                await expect(seen.page.locator("h2")).to_be_visible()
                assert await seen.page.evaluate(UNNAMED) == []
                assert await seen.page.evaluate(TWICE) == []
                assert await seen.page.evaluate("() => document.documentElement.lang") == language
                for width in (1366, 390):
                    await seen.page.set_viewport_size({"width": width, "height": 768})
                    assert await seen.page.evaluate(WIDTH) <= width
                here_now = seen.page.locator('#nav a[aria-current="page"]')
                await expect(here_now).to_have_attribute("href", path.partition("?")[0])


UNNAMED = """() => [...document.querySelectorAll("input, button, a, summary, nav, section")]
    .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim()
        || [...(e.labels ?? [])].some((label) => label.textContent.trim())))
    .map((e) => e.outerHTML)"""
WIDTH = "() => document.documentElement.scrollWidth"
TWICE = """() => [...document.querySelectorAll("[id]")].map((e) => e.id)
    .filter((id, place, all) => all.indexOf(id) !== place)"""
