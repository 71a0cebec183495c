"""A running daemon hands out the papers of a lot, and a stranger checks them."""

from __future__ import annotations

from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from benchd.certificate import load_key
from benchd.config import load_settings
from benchd.daemon.directories import make_directories
from benchd.domain.lot_papers import Standing
from benchd.ledger import open_ledger
from benchd.papers.lots.lot_papers_check import check_papers
from benchd.texts.catalogue import Catalogue
from tests.daemon.rotated_rack import sell
from tests.ledger.records.records_rack import Told
from tests.rack.daemon_here import configured, running_daemon
from tests.rack.test_http_listener import Here

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(120)]

JOB = "20261124-00000000a1"


async def test_a_running_daemon_hands_out_its_lots_papers(tmp_path: Path) -> None:
    config = configured(tmp_path)
    key = load_key(tmp_path / "key.pem")
    settings = load_settings(config)
    make_directories(settings)
    await sell(settings, JOB)
    told = Told()
    told.lot("L-1")
    told.bind(JOB, "T-1")
    told.dead("T-2")
    async with open_ledger(settings.ledger.path, head_key=key, ring=key.ring) as ledger:
        for record in told.stored:
            await ledger.append(record.entry)
    here = Here(folder=tmp_path, port=0, logs=[])
    async with running_daemon(config):
        with anyio.fail_after(60):
            while not (tmp_path / "benchd.sock").exists():  # noqa: ASYNC110 - nobody tells of it
                await anyio.sleep(0.02)
        async with here.over_unix() as client:
            answer = await client.get("/api/v1/papers.zip", params={"lot": "L-1"}, timeout=60)
            assert answer.status_code == 200, answer.text
            day = await client.get("/api/v1/papers.zip", params={"day": "2020-01-01"})
            assert day.status_code == 404
            (tmp_path / "papers.zip").write_bytes(answer.content)
    checked = await anyio.to_thread.run_sync(
        check_papers, tmp_path / "papers.zip", key.ring, Catalogue.load()
    )
    assert [line.standing for line in checked.papers.handsets] == [
        Standing.CERTIFIED,
        Standing.NOT_CERTIFIED,
    ]
    assert checked.papers.site == "Example"
    assert checked.certificates == 1
