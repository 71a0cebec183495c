"""What a Japanese operator reads from end to end: every command, over the socket of a real app."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import Gate
from benchd.domain.people import Role
from benchd.texts.failures import failure_text
from tests.cli.shop import Shop
from tests.web.web_fakes import A1, JOB, asking_view, waiting_view

pytestmark = pytest.mark.asyncio

JAPANESE = re.compile(r"[ぁ-んァ-ン一-龥]")
ENGLISH = re.compile(r"[A-Za-z]{2,} +[A-Za-z]{2,} +[a-z]{2,}")
"""Three words in a row: a sentence, not a name, an option or a command in brackets."""

COMMAND = re.compile(r"「[ -~]+」|benchd decide .*")
RETURNED = JobId("20261124-00112233ff")
LOT = ("lots", "add", "L-1", "purchase", "--consignor", "個人", "--attest", "consent")


@asynccontextmanager
async def at_work(shop: Shop) -> AsyncGenerator[None]:
    """Mori is the user; slot A1 asks, A2 is stuck."""
    shop.rack.ledger.keep_job(job=RETURNED, disposition="return", reason="locked")
    shop.rack.board.show(asking_view(A1, 1, Gate.FELICA_CHECK))
    shop.rack.board.show(waiting_view(SlotName("A2"), 2))
    mori = (Role.OPERATOR, Role.AUDITOR)
    async with shop.daemon(*mori, asks=Gate.FELICA_CHECK, as_mori=True):
        yield


def english_in(text: str) -> list[str]:
    return ENGLISH.findall(COMMAND.sub("", text))


async def test_nothing_that_is_read_is_english(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "assets.csv").write_text("管理番号,機種\nT1,SO-51B\nT2,SC-51A\n")
    assets = ("assets", "import", str(tmp_path / "assets.csv"), "--lot", "L-1")
    async with at_work(shop):
        for words in (
            ("status",),
            ("queue",),
            ("jobs",),
            ("job", RETURNED),
            ("decide", JOB, "felica_check", "--approve"),
            LOT,
            ("lots", "list"),
            ("lots", "show", "L-1"),
            ("lots", "attest", "L-1", "jpki"),
            (*assets, "--dry-run"),
            assets,
            ("assets", "list"),
            ("assets", "show", "T1"),
            ("assets", "add", "T3", "--lot", "L-1"),
            ("assets", "dead", "T2", "--reason", "no_power"),
            ("records", "find", RETURNED),
            ("records", "show", RETURNED),
            ("disposal", "list"),
            ("disposal", "settle", RETURNED, "--to", "returned", "--note", "窓口"),
            ("report", "--from", "2026-11-01", "--to", "2026-11-30"),
        ):
            told = await shop.benchd(*words, language="ja_JP.UTF-8")
            assert (told.exit_code, told.exception) == (0, None), (words, told.output)
            assert JAPANESE.search(told.stdout) or words[1:] == ("list",), words
            # What a job's stage has said is technical detail, of which there is one line.
            lines = [line for line in told.stdout.splitlines() if not line.startswith("詳細")]
            assert english_in("\n".join(lines)) == [], (words, told.stdout)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("job", "Z9999"), "に当たるスロット、作業、端末はありません"),
        (("decide", JOB, "confirm", "--approve"), "いま出ていません"),
        (("decide", JOB, "felica_check", "--approve", "--operator", "sato"), "確認できません"),
        (("lots", "show", "L-9"), "指定したものはありません"),
        (("certificate", "show", RETURNED), "指定したものはありません"),
        (("report", "--from", "x", "--to", "y"), "この指定では処理できません"),
    ],
)
async def test_what_goes_wrong_is_said_in_japanese_first(
    shop: Shop, words: tuple[str, ...], says: str
) -> None:
    async with at_work(shop):
        told = await shop.benchd(*words, typed="551904\n", language="ja_JP.UTF-8")
    assert told.exit_code != 0
    assert told.exception is not None
    said = failure_text(told.exception, shop.catalogue, "ja")  # type: ignore[arg-type]
    assert says in said.splitlines()[0]


async def test_status_gives_the_queue_to_machines(shop: Shop) -> None:
    async with at_work(shop):
        status = json.loads((await shop.benchd("status", "--json")).stdout)
        queue = json.loads((await shop.benchd("queue", "--json")).stdout)
    assert [errand["kind"] for errand in status["queue"]["errands"]] == ["question", "put_right"]
    assert status["queue"] == {**queue, "now": status["queue"]["now"]}
    assert {slot["slot"] for slot in status["slots"]} == {"A1", "A2"}
