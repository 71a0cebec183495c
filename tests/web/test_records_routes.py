"""Handset file, report and disposal over the API and the commands' own client."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from fastapi import FastAPI
from rich.console import Console

from benchd.commands.client import BenchdClient, JsonObject
from benchd.commands.tables.records import (
    disposal_view,
    found_view,
    handset_file_view,
    report_view,
)
from benchd.commands.tables.show import View
from benchd.errors import DecisionRefused, NotFound, UsageRefused
from benchd.observe.announcing import AnnouncingLedger
from benchd.records.access import Records
from benchd.slots.disposal_desk import DisposalDesk
from benchd.texts.catalogue import Catalogue
from benchd.web.app import create_app
from benchd.words.ids import JobId
from benchd.words.record import EntryKind, StoredEntry
from tests.web.fake_door import EVERYBODY, WORKER, FakeDoor
from tests.web.web_fakes import FakeClock, FakeRack
from tests.web.web_running import SEES_ALL, Running, browser, running

pytestmark = pytest.mark.asyncio

SERIAL = "HQ\x1b[31m612300"
PAPERS = {"recycler": "例示リサイクル", "number": "R-7", "batch": "B-1"}


@dataclass
class Feed:
    """The fake ledger, read by number."""

    rack: FakeRack

    async def entries_after(self, sequence: int, most: int) -> Sequence[StoredEntry]:
        return self.rack.ledger.stored[sequence : sequence + most]

    async def entry_at(self, sequence: int) -> StoredEntry | None:
        return self.rack.ledger.stored[sequence - 1]


@asynccontextmanager
async def served(
    rack: FakeRack, catalogue: Catalogue, path: Path
) -> AsyncGenerator[tuple[FastAPI, Records]]:
    """The application over a read model that follows the fake ledger."""
    records = Records(path / "records.sqlite", Feed(rack))
    ledger = AnnouncingLedger(rack.ledger, records, lambda: None)
    desk = DisposalDesk(ledger, FakeClock())
    async with anyio.create_task_group() as group:
        group.start_soon(records.run)
        with anyio.fail_after(30):
            await records.until(lambda: records.upto.sequence == len(rack.ledger.stored))
            yield (
                create_app(
                    rack,
                    catalogue,
                    callers=SEES_ALL,
                    people=EVERYBODY,
                    sessions=FakeDoor(),
                    records=records,
                    disposal=desk,
                ),
                records,
            )
        group.cancel_scope.cancel()


async def ask(here: Running, what: Callable[[BenchdClient], JsonObject]) -> JsonObject:
    def run() -> JsonObject:
        with BenchdClient(here.path) as client:
            return what(client)

    return await anyio.to_thread.run_sync(run)


def shown(view: View, told: JsonObject, catalogue: Catalogue) -> str:
    out = io.StringIO()
    Console(file=out, width=200, color_system=None).print(view(told, catalogue, "ja"))
    return out.getvalue()


async def test_a_handset_is_found_and_its_file_told(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    rack.ledger.keep_job(job=JobId("job-1"))
    rack.ledger.keep(
        EntryKind.JOB_OPENED, {"recipe": "overwrite", "usb_serial": SERIAL}, JobId("job-2")
    )
    async with served(rack, catalogue, tmp_path) as (app, _):
        async with browser(app) as client:
            found = (await client.get("/api/v1/handsets", params={"find": "31M6123"})).json()
            assert found["handsets"][0]["newest"]["usb_serial"] == "HQ[31m612300"
            assert found["upto"]["sequence"] == len(rack.ledger.stored)
            file = (await client.get("/api/v1/handsets/job-1")).json()
            assert [job["reason"] for job in file["jobs"]] == ["coverage_too_low"]
            short = await client.get("/api/v1/handsets", params={"find": "abc"})
            assert (short.status_code, short.json()["error"]["code"]) == (422, "invalid_request")
            missing = await client.get("/api/v1/handsets/job-9")
            assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
        assert "job-2" in shown(found_view, found, catalogue)
        assert "保留" in shown(handset_file_view, file, catalogue)


async def test_nothing_is_made_anew_over_tcp(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    async with served(rack, catalogue, tmp_path) as (app, _), browser(app) as client:
        refused = await client.post("/api/v1/records/rebuild")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "socket_only")


async def test_a_handset_is_settled_over_tcp_by_who_is_signed_in(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    rack.ledger.keep_job(job=JobId("job-1"), disposition="destroy", reason="felica_residue")
    async with served(rack, catalogue, tmp_path) as (app, _), browser(app) as client:
        [item] = (await client.get("/api/v1/disposal")).json()["items"]
        assert item["moves"] == ["run_again", "destroyed"]
        told = {"state": "destroyed", **PAPERS}
        assert (await client.post("/api/v1/disposal/job-1", json=told)).status_code == 200
    kept = rack.ledger.stored[-1].entry
    assert (kept.kind, kept.data["person"]) == (EntryKind.HANDSET_SETTLED, WORKER)


@pytest.mark.parametrize(("reason", "on_sale"), [("coverage_too_low", False), ("rechecked", True)])
async def test_only_what_was_rechecked_may_go_back_on_sale(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, reason: str, on_sale: bool
) -> None:
    rack.ledger.keep_job(job=JobId("job-1"), reason=reason)
    async with served(rack, catalogue, tmp_path) as (app, _), browser(app) as client:
        [item] = (await client.get("/api/v1/disposal")).json()["items"]
    assert ("on_sale" in item["moves"]) is on_sale


async def test_jobs_are_told_by_their_numbers(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    for number in range(3):
        rack.ledger.keep_job(job=JobId(f"job-{number}"))
    async with served(rack, catalogue, tmp_path) as (app, _), browser(app) as client:
        wanted = {"job": ["job-2", "job-0", "job-9"]}
        told = (await client.get("/api/v1/records/jobs", params=wanted)).json()
        assert [job["job"] for job in told["jobs"]] == ["job-0", "job-2"]
        assert told["upto"]["sequence"] == len(rack.ledger.stored)
        for number in (0, 101):
            wanted = {"job": ["job-0"] * number}
            refused = await client.get("/api/v1/records/jobs", params=wanted)
            assert refused.status_code == 422


async def test_the_unsold_are_listed_settled_and_gone_from_the_list(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    rack.ledger.keep_job(job=JobId("job-1"), disposition="destroy", reason="felica_residue")
    rack.ledger.keep_job(job=JobId("job-2"))
    told: dict[str, object] = {"state": "destroyed", **PAPERS}
    async with (
        served(rack, catalogue, tmp_path) as (app, records),
        running(app, tmp_path / "benchd.sock") as here,
    ):
        listed = await ask(here, lambda client: client.disposal())
        assert [item["job"]["job"] for item in listed["items"]] == ["job-1", "job-2"]  # type: ignore[union-attr,index,call-overload]
        assert "破砕待ち" in shown(disposal_view, listed, catalogue)
        with pytest.raises(DecisionRefused, match="it is held"):
            await ask(here, lambda client: client.settle("job-2", told))  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            await ask(here, lambda client: client.settle("job-9", told))  # type: ignore[arg-type]
        with pytest.raises(UsageRefused, match=r"body\.state"):
            await ask(here, lambda client: client.settle("job-1", {**told, "state": "gone"}))  # type: ignore[arg-type,dict-item]
        settled = await ask(here, lambda client: client.settle("job-1", told))  # type: ignore[arg-type]
        assert settled["state"] == "destroyed"
        await records.reached(len(rack.ledger.stored))
        listed = await ask(here, lambda client: client.disposal())
        assert [item["job"]["job"] for item in listed["items"]] == ["job-2"]  # type: ignore[union-attr,index,call-overload]
        batch = await ask(here, lambda client: client.disposal(batch="B-1"))
        assert [item["settled"]["number"] for item in batch["items"]] == ["R-7"]  # type: ignore[union-attr,index,call-overload]
    kept = rack.ledger.stored[-1].entry
    assert kept.kind is EntryKind.HANDSET_SETTLED
    assert (kept.data["person"], kept.data["shown_by"]) == (WORKER, "unix")


async def test_the_report_is_told_as_json_table_and_csv(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    rack.ledger.keep_job(job=JobId("job-1"), disposition="destroy", reason="felica_residue")
    async with (
        served(rack, catalogue, tmp_path) as (app, _),
        running(app, tmp_path / "benchd.sock") as here,
    ):
        told = await ask(here, lambda client: client.report("2026-11-23", "2026-11-26"))
        empty = await ask(here, lambda client: client.report("2026-11-01", "2026-11-02"))
        with BenchdClient(here.path) as client:
            asked = partial(client.report_csv, "2026-11-23", "2026-11-26")
            data = await anyio.to_thread.run_sync(asked)
        with pytest.raises(UsageRefused, match="lies before"):
            await ask(here, lambda client: client.report("2026-11-02", "2026-11-01"))
        with pytest.raises(UsageRefused, match=r"query\.from"):
            await ask(here, lambda client: client.report("yesterday", "2026-11-01"))
    figures = {figure["figure"]: figure["values"] for figure in told["figures"]}  # type: ignore[union-attr,index,call-overload]
    assert [(v["value"], v["jobs"]) for v in figures["not_erasable"]] == [
        ("felica_residue", ["job-1"])
    ]
    assert all(not figure["values"] for figure in empty["figures"])  # type: ignore[union-attr,index,call-overload]
    assert "FeliCaにデータが残っています" in shown(report_view, told, catalogue)
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert {"felica_residue"} == {row["value"] for row in rows if row["figure"] == "not_erasable"}
    assert {row["handsets"] for row in rows} == {"1"}


async def test_without_a_read_model_there_is_no_such_route(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    async with browser(create_app(rack, catalogue, callers=SEES_ALL)) as client:
        for path in ("/api/v1/handsets?find=1234", "/api/v1/report", "/api/v1/disposal"):
            assert (await client.get(path)).status_code == 404
