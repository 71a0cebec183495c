"""`benchd label`, `cards` and `people badges`: a file, or a printer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from benchd.domain.errors import DecisionRefused, NotFound
from tests.cli.shop import Shop
from tests.papers.labels.zpl_reader import read_zpl
from tests.people.people_rig import BADGE, Door
from tests.web.web_fakes import A1, JOB, waiting_view

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def daemon(shop: Shop) -> AsyncGenerator[Door]:
    """A daemon without printers, with one job on record."""
    shop.rack.ledger.keep_job()
    shop.rack.board.show(waiting_view(A1, 1))
    async with shop.daemon() as door:
        yield door


async def test_what_is_printed_is_written_to_a_new_file(shop: Shop, tmp_path: Path) -> None:
    async with daemon(shop):
        for name in ("a.png", "a.SVG", "a.zpl"):
            await shop.done("label", JOB, "--to", str(tmp_path / name))
        again = await shop.benchd("label", JOB, "--to", str(tmp_path / "a.png"))
        assert again.exit_code != 0
        gone = await shop.benchd("label", "20261124-00000000ff", "--to", str(tmp_path / "b.png"))
        assert isinstance(gone.exception, NotFound)
        assert not (tmp_path / "b.png").exists()
        assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / "a.SVG").read_bytes().startswith(b"<svg")
        assert read_zpl((tmp_path / "a.zpl").read_bytes()).width == 495
        await shop.done("cards", "--to", str(tmp_path / "cards.pdf"))
        assert (tmp_path / "cards.pdf").read_bytes().startswith(b"%PDF-")


async def test_one_of_file_and_printer(shop: Shop) -> None:
    async with daemon(shop):
        for words in ((), ("--to", "a.pdf"), ("--to", "a.png", "--print")):
            assert (await shop.benchd("label", JOB, *words)).exit_code == 2, words
        pin, badge = shop.secrets()
        told = await shop.benchd("label", JOB, "--print", "--operator", "mori", *pin, *badge)
        assert isinstance(told.exception, DecisionRefused)
        assert "no printer is configured for slot A1" in str(told.exception)


async def test_new_badges_are_the_files_and_nobody_elses(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "ab" * size)
    file = tmp_path / "badges.pdf"
    async with daemon(shop) as door:
        made = await shop.done("people", "badges", "mori", "--to", str(file))
        of_badge = door.people.of_badge("AB" * 10)
        assert of_badge is not None
        assert of_badge.id == "mori"
        assert door.people.of_badge(BADGE) is None
        assert "AB" * 10 not in made.output
        assert (await shop.benchd("people", "badges", "mori", "--to", str(file))).exit_code == 2
        assert file.read_bytes().startswith(b"%PDF-")
        assert file.stat().st_mode & 0o077 == 0
