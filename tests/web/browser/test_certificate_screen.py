"""A certificate on a screen, as whoever was sent its address sees it."""

from __future__ import annotations

from functools import partial
from itertools import product
from pathlib import Path

import pytest
from chromium import needs_chromium
from playwright.async_api import expect
from walls import Wall

from benchd.certificate import create_key, verify_certificate
from benchd.certificate.statement import statement_of
from benchd.domain.evidence_json import to_json
from benchd.papers.press import Press
from tests.certificate.certificate_rack import ISSUED_AT, proven_erasure
from tests.papers.papers_made import CATALOGUE, signed
from tests.web.served import FakeLotPress
from tests.web.web_fakes import JOB, FakeRack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(120), needs_chromium]

CUT = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
LEGIBLE_PX = 240
OTHER = {"ja": "en", "en": "ja"}


async def test_it_is_read_whole_in_both_languages_on_any_screen(
    rack: FakeRack, wall: Wall, tmp_path: Path
) -> None:
    key = create_key(tmp_path / "rack.key")
    told = statement_of(
        proven_erasure(),
        at=ISSUED_AT,
        site="大宮",
        benchd_version="0.1.0",
        benchd_commit="4f" * 20,
    )
    rack.ledger.keep_job(
        outcome="passed",
        disposition="sellable",
        reason=None,
        certificate=signed(to_json(told), key).envelope.decode(),
    )
    vouched = partial(verify_certificate, trusted=key.public_key_pem)
    press = Press(key, vouched, CATALOGUE, site="大宮", where="https://verify.example/benchd")
    path = f"api/v1/jobs/{JOB}/certificate.html?language="
    async with wall(f"{path}ja", parts={"papers": FakeLotPress(press)}, dark=False) as seen:
        page = seen.page
        for language, width in product(OTHER, (1280, 360)):
            await page.set_viewport_size({"width": width, "height": 1080})
            await seen.go(path + language)
            await expect(page.locator("html")).to_have_attribute("lang", language)
            await expect(page.locator("h1")).to_be_visible()
            assert await page.evaluate(CUT) <= 0
            # Issue 34, 11: what it comes to stands first, then what it is worth less by.
            verdict = await page.locator(".verdict").bounding_box()
            limits = await page.locator("section.warns").first.bounding_box()
            assert verdict is not None
            assert limits is not None
            assert verdict["y"] + verdict["height"] < limits["y"]
            assert verdict["y"] < 300
            assert width < 1280 or limits["y"] < 1080
            # A digest that stands in a column of its own letters is read by nobody.
            for words in await page.locator("dd").all():
                box = await words.bounding_box()
                assert box is None or box["width"] >= LEGIBLE_PX, await words.text_content()
            await page.locator(f'a[href$="language={OTHER[language]}"]').click()
            await expect(page.locator("html")).to_have_attribute("lang", OTHER[language])
