"""What else is asked of a rack: metrics, traces, labels, drains and dossiers."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import httpx2
import pytest

from benchd.cli.client import BenchdClient
from benchd.cli.drain_commands import is_quiet
from benchd.domain.dossier import Dossier, KeptDossier
from benchd.domain.errors import DecisionRefused, LabelRefused, NotFound, SlotBusy
from benchd.domain.ids import JobId, SlotName
from benchd.domain.label import PrinterTrouble, PrinterView
from benchd.domain.plain_text import Language
from benchd.ledger.records.records_access import Records
from benchd.slots.admission import Admission
from benchd.texts.catalogue import Catalogue
from tests.papers.labels.zpl_reader import read_zpl, scanned
from tests.web.served import app_of
from tests.web.web_fakes import A1, JOB, FakeRack, Feed, waiting_view
from tests.web.web_running import SEES_ALL, Server, browser, running

pytestmark = pytest.mark.asyncio


OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


async def fake_source(accept: str) -> tuple[bytes, str]:
    return f"# asked for {accept}\n".encode(), "text/plain; version=0.0.4; charset=utf-8"


async def test_metrics_at_the_very_path_without_a_redirect(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    async with browser(app_of(rack, catalogue, scrape=fake_source)) as client:
        answer = await client.get("/metrics", headers={"accept": OPEN_METRICS})
    assert answer.status_code == 200
    assert answer.text == f"# asked for {OPEN_METRICS}\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    # Without a source there is no route.
    async with browser(app_of(rack, catalogue)) as client:
        assert (await client.get("/metrics")).status_code == 404


async def test_row_1_metrics_are_made_once_for_all_who_wait_and_never_before_they_asked(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    made: list[str] = []
    may = anyio.Event()

    async def slow(accept: str) -> tuple[bytes, str]:
        made.append(accept)
        number = len(made)
        await may.wait()
        return f"made {number}".encode(), "text/plain"

    told: list[str] = []
    async with browser(app_of(rack, catalogue, scrape=slow)) as client:

        async def scrape(accept: str = "") -> None:
            told.append((await client.get("/metrics", headers={"accept": accept})).text)

        async with anyio.create_task_group() as group:
            group.start_soon(scrape)
            await anyio.wait_all_tasks_blocked()
            for _ in range(20):
                group.start_soon(scrape)
            await anyio.wait_all_tasks_blocked()
            may.set()
        await scrape("a, application/openmetrics-text; version=1.0.0")
    assert told == ["made 1", *["made 2"] * 20, "made 3"]
    assert len(made) == 3


async def a_trace(job: JobId) -> bytes:
    if job != JOB:
        message = f"there is no job {job} that has ended"
        raise NotFound(message)
    return b'{"resourceSpans":[]}'


async def test_who_may_read_gets_it_and_who_sees_the_wall_alone_none(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    async with browser(app_of(rack, catalogue, callers=SEES_ALL, trace=a_trace)) as client:
        told = await client.get(f"/api/v1/jobs/{JOB}/trace.json")
        assert (told.status_code, told.json()) == (200, {"resourceSpans": []})
        other = await client.get("/api/v1/jobs/20261124-ffffffffff/trace.json")
        assert other.status_code == 404
    async with browser(app_of(rack, catalogue, trace=a_trace)) as client:
        assert (await client.get(f"/api/v1/jobs/{JOB}/trace.json")).status_code in (401, 403)


DRAIN, PAUSE = "/api/v1/drain", "/api/v1/drain/pause"


@pytest.fixture
def door() -> Admission:
    return Admission()


@pytest.fixture
def server(rack: FakeRack, catalogue: Catalogue, tmp_path: Path, door: Admission) -> Server:
    app = app_of(rack, catalogue, callers=SEES_ALL, admission=door)
    return partial(running, app, tmp_path / "benchd.sock")


async def test_a_drain_closes_the_door_and_tells_what_is_left(
    server: Server, door: Admission
) -> None:
    async with server() as here, here.over_unix() as client, here.over_tcp() as network:
        # Nobody ends the daemon from the network.
        answer = await network.post(DRAIN)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "socket_only")
        assert (await network.get(DRAIN)).json()["draining"] is False
        with door.job():
            before = (await client.get(DRAIN)).json()
            assert before == {"draining": False, "paused": False, "running_jobs": 1}
            assert not door.closed
            asked = await client.post(DRAIN)
            left = {"draining": True, "paused": False, "running_jobs": 1}
            assert (asked.status_code, asked.json()) == (202, left)
            assert door.closed

        def ask_again() -> tuple[object, object]:
            with BenchdClient(here.path) as client:
                return client.drain(), client.draining()

        left = {"draining": True, "paused": False, "running_jobs": 0}
        assert await anyio.to_thread.run_sync(ask_again) == (left, left)
        await door.drained()


async def test_a_pause_keeps_the_daemon_up_and_is_taken_back(
    server: Server, door: Admission
) -> None:
    async with server() as here, here.over_unix() as client, here.over_tcp() as network:
        with door.job():
            asked = (await client.put(PAUSE, json={"for_s": 600})).json()
            assert asked == {"draining": False, "paused": True, "running_jobs": 1}
        assert (await client.put(PAUSE, json={"for_s": 0})).json()["paused"] is False
        assert (await client.put(PAUSE, json={"for_s": 3601})).status_code == 422
        assert (await network.put(PAUSE, json={"for_s": 600})).status_code == 403
        assert not door.paused


async def test_a_pause_for_an_upgrade_waits_for_jobs_and_gives_up_in_time(
    server: Server, door: Admission
) -> None:
    def ask(path: Path) -> bool:
        with BenchdClient(path) as client:
            return is_quiet(client, within_s=0.0)

    async with server() as here:
        with door.job():
            assert not await anyio.to_thread.run_sync(ask, here.path)
            assert not door.paused
        assert await anyio.to_thread.run_sync(ask, here.path)
        assert door.paused
        assert not door.closed


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


class FakeDossiers:
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
        app_of(rack, catalogue, callers=SEES_ALL, dossiers=FakeDossiers())
    ) as client:
        (kept,) = (await client.get("/api/v1/dossiers")).json()["dossiers"]
    assert kept["model"] == "SO-[31m53C"
    assert (kept["name"], kept["path"]) == (KEPT.name, KEPT.path)


async def test_a_handset_is_recorded_over_the_socket(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path
) -> None:
    app = app_of(rack, catalogue, callers=SEES_ALL, dossiers=FakeDossiers())
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


LABEL = f"/api/v1/jobs/{JOB}/label"


PRINTER = PrinterView(name="p1", waiting=1, trouble=None, newest=JOB)


class OnePrinter:
    """A fake desk with one printer, which notes what it is asked for."""

    def __init__(self) -> None:
        self.printers = (replace(PRINTER, trouble=PrinterTrouble.ATTENTION),)
        self.printed: list[tuple[str, str | None]] = []

    async def print_again(self, job: JobId, printer: str | None = None) -> PrinterView:
        if job == "20261124-00000000ff":
            raise NotFound("there is no job 20261124-00000000ff")
        if printer == "full":
            raise LabelRefused("too many labels wait for the printer full: see to it first")
        self.printed.append((job, printer))
        return PRINTER

    async def cards(self, slots: Sequence[SlotName], at: datetime) -> bytes:
        raise NotImplementedError

    async def picture(
        self, job: JobId, kind: str, printer: str | None = None, language: Language | None = None
    ) -> bytes:
        raise NotImplementedError


@asynccontextmanager
async def looked_at(folder: Path) -> AsyncGenerator[httpx2.AsyncClient]:
    """A rack without printers, with one job on record."""
    rack, catalogue = FakeRack(), Catalogue.load()
    rack.ledger.keep_job()
    records = Records(folder / "records.sqlite", Feed(rack))
    app = app_of(
        rack,
        catalogue,
        callers=SEES_ALL,
        records=records,
    )
    async with anyio.create_task_group() as group:
        group.start_soon(records.run)
        await records.reached(len(rack.ledger.stored))
        async with browser(app) as client:
            yield client
        group.cancel_scope.cancel()


async def test_without_a_printer_a_label_is_a_picture_alone(tmp_path: Path) -> None:
    async with looked_at(tmp_path) as client:
        png = await client.get(f"{LABEL}.png")
        svg = await client.get(f"{LABEL}.svg")
        zpl = await client.get(f"{LABEL}.zpl")
        english = await client.get(f"{LABEL}.png?lang=en")
        for name in ("label.png", "label.svg", "label.zpl"):
            answer = await client.get(f"/api/v1/jobs/20261124-00000000ff/{name}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
        assert (await client.get(f"{LABEL}.png?printer=p9")).status_code == 404
        assert (await client.get(f"{LABEL}.png?lang=fr")).status_code == 422
        assert (await client.get("/api/v1")).json()["prints"] is False
        assert (await client.get("/api/v1/printers")).json() == {"printers": []}
        refused = await client.post(LABEL)
    for answer, kind in (
        (png, "image/png"),
        (svg, "image/svg+xml"),
        (zpl, "text/plain; charset=us-ascii"),
    ):
        assert answer.headers["content-type"] == kind
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert svg.content.startswith(b"<svg")
    assert english.content != png.content
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "label_refused")
    assert refused.json()["error"]["cause"]["ja"].startswith("スロット A1 のラベルを印刷する")


@pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbar-tools isn't here")
async def test_a_label_can_be_scanned(tmp_path: Path) -> None:
    async with looked_at(tmp_path) as client:
        png = await client.get(f"{LABEL}.png")
        zpl = await client.get(f"{LABEL}.zpl")
    assert scanned(png.content, tmp_path, "label.png") == [f"QR-Code:BD:J:{JOB}"]
    told = read_zpl(zpl.content)
    assert scanned(told.as_pbm(), tmp_path, "label.pbm") == [f"QR-Code:BD:J:{JOB}"]


async def test_a_label_that_waits_for_its_printer(rack: FakeRack, catalogue: Catalogue) -> None:
    desk = OnePrinter()
    app = app_of(rack, catalogue, callers=SEES_ALL, labels=desk)
    async with browser(app) as client:
        assert (await client.get("/api/v1")).json()["prints"] is True
        told = (await client.get("/api/v1/printers")).json()["printers"]
        assert told == [{"name": "p1", "waiting": 1, "trouble": "attention", "newest": JOB}]
        for query, where in (("", None), ("?printer=p2", "p2")):
            answer = await client.post(f"{LABEL}{query}")
            assert (answer.status_code, answer.json()["waiting"]) == (202, 1)
            assert desk.printed[-1] == (JOB, where)
        full = await client.post(f"{LABEL}?printer=full")
        assert (full.status_code, full.json()["error"]["code"]) == (409, "label_refused")
        gone = await client.post("/api/v1/jobs/20261124-00000000ff/label")
        assert gone.status_code == 404
    assert len(desk.printed) == 2


async def test_the_racks_sheet_as_pdf_is_that_of_its_slots(
    rack: FakeRack, catalogue: Catalogue
) -> None:
    rack.board.show(waiting_view(A1, 1))
    app = app_of(rack, catalogue, callers=SEES_ALL)
    async with browser(app) as client:
        first = await client.get("/cards.pdf")
        again = await client.get("/cards.pdf")
        rack.board.show(waiting_view(SlotName("B2"), 2))
        other = await client.get("/cards.pdf")
        assert 'href="/cards.pdf"' in (await client.get("/cards")).text
    assert first.headers["content-type"] == "application/pdf"
    assert first.content.startswith(b"%PDF-")
    assert first.content == again.content != other.content
