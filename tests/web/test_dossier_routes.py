"""Dossiers over the API: what is kept may be listed, and one is recorded on the machine only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio.to_thread
import pytest

from benchd.cli.client import BenchdClient
from benchd.domain.dossier import Dossier, KeptDossier
from benchd.domain.errors import DecisionRefused, NotFound, SlotBusy
from benchd.domain.ids import SlotName
from benchd.texts.catalogue import Catalogue
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack
from tests.web.web_running import SEES_ALL, browser, running

pytestmark = pytest.mark.asyncio

KEPT = KeptDossier(
    name="20261126-ab",
    taken_at="2026-11-26T09:00:00+00:00",
    model="SO-\x1b[31m53C",
    android="13",
    why="dumpsys trust: no heading",
    path="/var/lib/benchd/dossiers/20261126-ab",
)
MADE = Dossier(
    files={"users.txt": "Users:\n"}, replaced={"serial": 2}, unanswered={}, reads_otherwise=()
)


class FakeSessions:
    """Has one dossier, one slot that can be recorded and one that works."""

    async def kept(self) -> Sequence[KeptDossier]:
        return (KEPT,)

    async def record(self, slot: SlotName) -> Dossier:
        if slot == "A2":
            raise SlotBusy("job 1 works with it")
        if slot != "A1":
            raise NotFound(f"there is no slot {slot}")
        return MADE


async def test_what_is_kept_is_listed_fit_to_be_shown(rack: FakeRack, catalogue: Catalogue) -> None:
    async with browser(
        app_of(rack, catalogue, callers=SEES_ALL, dossiers=FakeSessions())
    ) as client:
        (kept,) = (await client.get("/api/v1/dossiers")).json()["dossiers"]
    assert kept["model"] == "SO-[31m53C"
    assert (kept["name"], kept["path"]) == (KEPT.name, KEPT.path)


async def test_a_handset_is_recorded_over_the_socket(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    app = app_of(rack, catalogue, callers=SEES_ALL, dossiers=FakeSessions())
    async with running(app, tmp_path / "benchd.sock") as here:

        def record(slot: str) -> object:
            with BenchdClient(here.path) as client:
                return client.record(slot)

        made = await anyio.to_thread.run_sync(record, "A1")
        assert made == {
            "files": {"users.txt": "Users:\n"},
            "replaced": {"serial": 2},
            "unanswered": {},
            "reads_otherwise": [],
        }
        with pytest.raises(DecisionRefused, match="works with it"):
            await anyio.to_thread.run_sync(record, "A2")
        with pytest.raises(NotFound):
            await anyio.to_thread.run_sync(record, "Z9")
        async with here.over_tcp() as client:
            answer = await client.post("/api/v1/slots/A1/dossier")
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "socket_only")
