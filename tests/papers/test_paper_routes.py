"""What a browser is given of a certificate, and what it isn't."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from html import escape
from html.parser import HTMLParser

import anyio
import httpx2
import pytest

from benchd.certificate import SigningKey, verify_certificate
from benchd.domain.hook import Direction, NextAction
from benchd.domain.ids import Evidence
from benchd.domain.plain_text import Language
from benchd.outbound.time_stamps import WebTimeStamper
from benchd.papers.certificate_html import html_of
from benchd.papers.certificate_page import CertificatePage
from benchd.papers.press import Press
from tests.papers.papers_made import CATALOGUE, read, signed
from tests.papers.test_certificate_page import HOSTILE, values
from tests.web.served import FakeLotPress, app_of
from tests.web.web_fakes import JOB, FakeRack
from tests.web.web_running import SEES_ALL, browser

pytestmark = pytest.mark.asyncio
AT = f"/api/v1/jobs/{JOB}/certificate"


@asynccontextmanager
async def visited(
    key: SigningKey,
    certificate: str,
    time_stamper: Callable[[], WebTimeStamper] | None = None,
    told: Sequence[Direction] = (),
) -> AsyncGenerator[httpx2.AsyncClient]:
    rack = FakeRack()
    for each in told:
        rack.direct(each)
    rack.ledger.keep_job(
        outcome="passed", disposition="sellable", reason=None, certificate=certificate
    )
    press = Press(
        key,
        partial(verify_certificate, trusted=key.public_key_pem),
        CATALOGUE,
        site="大宮",
        where="https://verify.example/benchd",
        time_stamper=time_stamper,
    )
    app = app_of(rack, CATALOGUE, callers=SEES_ALL, papers=FakeLotPress(press))
    async with browser(app) as client:
        yield client


async def test_the_pdf_reads_back_and_names_where_it_is_verified(
    key: SigningKey, statement: Evidence
) -> None:
    envelope = signed(statement, key).envelope
    async with visited(key, envelope.decode()) as client:
        answer = await client.get(f"{AT}.pdf")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    found = await anyio.to_thread.run_sync(read, answer.content, key)
    assert found.signed.envelope == envelope
    assert found.signed.where == "https://verify.example/benchd"
    assert found.page_compared


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_the_screen_says_what_the_paper_says(
    language: str, key: SigningKey, statement: Evidence
) -> None:
    told = signed(statement, key)
    async with visited(key, told.envelope.decode()) as client:
        answer = await client.get(f"{AT}.html", params={"language": language})
    assert answer.status_code == 200
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    seen = Seen()
    seen.feed(answer.text)
    document = CertificatePage(CATALOGUE).document(told, language)  # type: ignore[arg-type]
    for value in values(document):
        # Only where it is verified differs: the paper here is another rack's.
        assert value in seen.text or "benchd certificate verify" in value
    assert {"certificate.pdf", "certificate.json"} < set(seen.links)
    assert "style" not in seen.tags


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_above_a_page_stands_that_its_handset_is_held_back(
    language: Language, key: SigningKey, statement: Evidence
) -> None:
    """Issue 34, 11: whoever reads the verdict alone doesn't take it to be for sale."""
    held = Direction(
        hook="stock", sequence=1, job=JOB, action=NextAction.HOLD, bin=None, refused=None
    )
    bin_alone = replace(held, action=NextAction.ROUTE, bin="B-1")
    keys = ("wall.held_back", "wall.held_back_to_do")
    warning = "".join(f"<p>{escape(CATALOGUE.text(each).to(language))}</p>" for each in keys)
    envelope = signed(statement, key).envelope.decode()
    for directions, warned in (((held,), True), ((bin_alone,), False), ((), False)):
        async with visited(key, envelope, told=directions) as client:
            answer = await client.get(f"{AT}.html", params={"language": language})
        assert (warning in answer.text) is warned
        if warned:
            assert answer.text.index(warning) < answer.text.index('class="verdict"')


@pytest.mark.parametrize("kind", ["pdf", "html"])
async def test_what_the_rack_has_not_signed_is_never_printed_nor_what_is_not_there(
    kind: str, key: SigningKey
) -> None:
    async with visited(key, json.dumps({"payload": "eyJ9", "signatures": []})) as client:
        answer = await client.get(f"{AT}.{kind}")
        missing = await client.get(f"/api/v1/jobs/nothing/certificate.{kind}")
        other = await client.get(f"{AT}.html", params={"language": "fr"})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert (missing.status_code, other.status_code) == (404, 422)


async def test_a_service_for_time_stamps_that_is_away_is_told(
    key: SigningKey, statement: Evidence
) -> None:
    envelope = signed(statement, key).envelope.decode()
    async with visited(key, envelope, lambda: WebTimeStamper("http://127.0.0.1:9/")) as client:
        answer = await client.get(f"{AT}.pdf")
    assert answer.status_code == 503
    assert "no time stamp" in answer.json()["error"]["message"]


async def test_hostile_words_are_text_on_the_screen(key: SigningKey, statement: Evidence) -> None:
    told = json.loads(json.dumps(statement))
    told["predicate"]["handset"].update(manufacturer=HOSTILE, model=HOSTILE, serial=HOSTILE)
    told["subject"][0]["name"] = f"{HOSTILE} {HOSTILE}"
    seen = Seen()
    seen.feed(html_of(CertificatePage(CATALOGUE).document(signed(told, key), "en")))
    assert "script" not in seen.tags
    assert '"]]<script>#panic()' in seen.text


class Seen(HTMLParser):
    """What a browser makes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags |= {tag, *(name for name, _ in attrs)}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        self.text += data
