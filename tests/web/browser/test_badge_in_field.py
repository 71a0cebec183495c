"""A badge that is read into a field for something else doesn't stay; labels stand one a line."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from chromium import Visit, Visits, needs_chromium
from paper_shop import Shop, add_lot
from playwright.async_api import expect
from scanner import by_hand, scan

from benchd.domain.record import EntryKind
from benchd.texts.catalogue import Catalogue
from tests.people.people_rig import BADGE, OTHER_BADGE, Door, door_in

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

STRANGE = "BLDG-004711"
"""Another system's badge."""
FIELDS = (("/handsets", "q"), ("/lots", "open-lot"), ("/disposal", "show-batch"))
"""Those that lead to what is read into them."""


class Staffed:
    """A shop with real people, at whose pages somebody signs in; what is asked for is noted."""

    def __init__(self, folder: Path, catalogue: Catalogue, visit: Visits, door: Door) -> None:
        parts = {"people": door.people, "sessions": door.sessions}
        self.shop = Shop(folder, catalogue, visit, callers=door.callers(), parts=parts)
        self.addresses: list[str] = []

    async def sign_in(self, seen: Visit, badge: str = OTHER_BADGE) -> None:
        seen.page.on("request", lambda request: self.addresses.append(unquote(request.url)))
        # The page hears what is scanned from here on.
        await expect(seen.page.locator("#operator .sign-in")).to_be_visible()
        await scan(seen, badge)
        await expect(seen.page.locator("#operator .star")).to_be_visible()

    def stands_in_none(self, code: str) -> bool:
        return not any(code in address for address in self.addresses)


async def test_item_1_a_badge_read_into_the_model_of_one_handset_is_gone_at_once_and_takes_over(
    tmp_path: Path, catalogue: Catalogue, visit: Visits
) -> None:
    (tmp_path / "people").mkdir()
    async with door_in(tmp_path / "people") as door:
        here = Staffed(tmp_path, catalogue, visit, door)
        async with here.shop.seen_at("/lots", signed_in=False) as seen:
            page = seen.page
            await here.sign_in(seen)
            await page.locator('#operator input[name="pin"]').focus()
            await by_hand(seen, "551903")
            await expect(page.locator('#operator [data-here="strong"]')).to_be_visible()
            await add_lot(page, "L-1")
            await page.locator("#one > summary").click()
            for field in ("tag", "model"):
                who = page.locator("#operator .who")
                mine, badge = ("森 葵", BADGE) if field == "tag" else ("加藤 舞", OTHER_BADGE)
                await page.locator(f"#one-{field}").fill("X-")
                await scan(seen, badge)
                await expect(who).to_have_text(mine)
                await expect(page.locator(f"#one-{field}")).to_have_value("X-")
            # A label stays, and is no try at signing in.
            await page.locator("#one-tag").fill("")
            await scan(seen, "T-000001")
            await expect(page.locator("#one-tag")).to_have_value("T-000001")
            await expect(page.locator("#operator .who")).to_have_text("加藤 舞")
            # What somebody types by hand the daemon refuses, and it doesn't stay either.
            await page.locator('#operator input[name="pin"]').focus()
            await by_hand(seen, "551903")
            await expect(page.locator('#operator [data-here="strong"]')).to_be_visible()
            await page.locator("#one-model").fill(BADGE)
            await page.locator("#one .do").click()
            await expect(page.locator("#one .said")).to_contain_text("担当者のバッジ")
            await expect(page.locator("#one-model")).to_have_value("")
            await expect(page.locator("#one-tag")).to_have_value("T-000001")
            assert BADGE not in await page.locator("#page").inner_text()
            assert here.shop.kept(EntryKind.ASSETS_ADDED) == []
            await page.locator("#one .do").click()
            await expect(page.get_by_role("cell", name="T-000001", exact=True)).to_be_visible()
            seen.complaints[:] = [one for one in seen.complaints if "status of 422" not in one]
        refused = [one for one in door.records if one.kind is EntryKind.PERSON_REFUSED]
        assert refused == []


async def test_item_2_each_label_of_a_pallet_stands_on_a_line_of_its_own(shop: Shop) -> None:
    async with shop.seen_at("/lots") as seen:
        page = seen.page
        await add_lot(page, "L-1")
        await page.locator("#shipping > summary").click()
        tags = page.locator("#check-tags")
        await tags.focus()
        for label, end in (("T-001", "Enter"), ("T-003", "Tab"), ("T-004", "Enter")):
            await scan(seen, label, end=end)
        await expect(tags).to_have_value("T-001\nT-003\nT-004\n")
        await expect(tags).to_be_focused()
        async with page.expect_request("**/api/v1/shipping") as asked:
            await page.locator("#shipping .do").first.click()
        told = (await asked.value).post_data_json
        assert told is not None
        assert told["tags"] == ["T-001", "T-003", "T-004"]
        await page.locator("#attest > summary").click()
        await page.locator("#which-some").check()
        await page.locator("#tags").focus()
        for label in ("T-001", "T-003"):
            await scan(seen, label)
        await expect(page.locator("#tags")).to_have_value("T-001\nT-003\n")


async def test_item_6_what_nobody_knows_stands_in_no_address_wherever_it_is_read(
    tmp_path: Path, catalogue: Catalogue, visit: Visits
) -> None:
    (tmp_path / "people").mkdir()
    async with door_in(tmp_path / "people") as door:
        here = Staffed(tmp_path, catalogue, visit, door)
        async with here.shop.seen_at("/", signed_in=False) as seen:
            page = seen.page
            told = page.locator("#operator .told")
            await seen.live()
            await here.sign_in(seen)
            # On an idle wall, on a page, and in a field that leads to one.
            await scan(seen, STRANGE)
            await expect(told).to_contain_text("登録されていません")
            for path, field in (
                ("/handsets", "q"),
                ("/lots", "open-lot"),
                ("/disposal", "show-batch"),
            ):
                await seen.go(path)
                if path != "/disposal":
                    await scan(seen, STRANGE)
                    await expect(told).to_contain_text("登録されていません")
                await page.locator(f"#{field}").focus()
                await scan(seen, STRANGE)
                await expect(page.locator(".asking .told")).to_have_text(
                    "このコードは登録されていません。"
                )
                await expect(page.locator(f"#{field}")).to_have_value("")
                await expect(page).to_have_url(re.compile(f"{path}$"))
            assert here.stands_in_none(STRANGE)
            # A person may look for what they like.
            await seen.go("/handsets")
            await page.locator("#q").focus()
            await by_hand(seen, "SO-51B")
            await expect(page.locator(".nothing")).to_have_text("この番号の端末はありません。")


@pytest.mark.parametrize("field", ["open-lot", "lot"])
async def test_item_6_whoever_is_not_here_yet_is_let_in_by_a_badge_in_a_field(
    tmp_path: Path, catalogue: Catalogue, visit: Visits, field: str
) -> None:
    (tmp_path / "people").mkdir()
    async with door_in(tmp_path / "people") as door:
        here = Staffed(tmp_path, catalogue, visit, door)
        async with here.shop.seen_at("/lots", signed_in=False) as seen:
            page = seen.page
            page.on("request", lambda request: here.addresses.append(unquote(request.url)))
            await page.locator("#add-lot > summary").click()
            await page.locator(f"#{field}").focus()
            await scan(seen, BADGE)
            await expect(page.locator("#operator .who")).to_have_text("森 葵")
            await expect(page.locator(f"#{field}")).to_have_value("")
            assert here.stands_in_none(BADGE)
