"""Hundreds of short jobs through one daemon leave it as large as it was, by night thousands.

Ledger, metrics, board, API, log masking and the service's own life are the real ones; the
handsets behind the port are fakes, since real ones would need a night for this.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import monotonic

import anyio
import httpx2
import pytest
import structlog

from benchd.certificate import create_key
from benchd.daemon.reload import Reloader
from benchd.daemon.service_lifecycle import serve_rack
from benchd.daemon.signals import hear_signals
from benchd.domain.job import Reason, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.slot_states import SlotState
from benchd.domain.topology import Timing
from benchd.ledger import export_lines, open_ledger, verify_ledger
from benchd.observe.announcing_ledger import AnnouncingLedger
from benchd.observe.job_log import JobLog
from benchd.observe.logs import configure_logs
from benchd.observe.metrics import RackMetrics
from benchd.observe.notify_socket import Notifier
from benchd.observe.private_words import PrivateWords
from benchd.observe.record_metrics import RecordMetrics
from benchd.pipelines.stages import STAGE_CLASSES
from benchd.texts.catalogue import Catalogue
from benchd.web.server import serve
from benchd.web.sockets import unix_listener
from tests.core.world import Phone, World, make_recipe
from tests.patience import PATIENCE_S
from tests.web.served import app_of

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(300)]

SLOTS = 16

SHORT = make_recipe(**{name: None for name in STAGE_CLASSES if name is not StageName.INSPECT})


def size_of_this_process() -> dict[str, int]:
    gc.collect()
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {
        "rss_kib": int(status["VmRSS"].split()[0]),
        "threads": int(status["Threads"]),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
    }


async def work(world: World, slot: str, jobs: int, before: str) -> None:
    """An operator who never stops: plug, wait for the end, unplug."""
    port = world.ports[slot]
    for number in range(jobs):
        serial = f"{before}{slot}-{number:06}"
        # Handsets of their own: what is looked up of each doesn't grow with all that came before.
        port.plug(Phone(serial=serial, imei=f"{int.from_bytes(serial.encode()) % 10**15:015}"))
        view = await world.until_state(SlotState.FINISHED, slot)
        assert view.reason is Reason.OVERWRITE_DUE  # nothing was overwritten: not for sale
        port.unplug()
        await world.until_state(SlotState.EMPTY, slot)


async def run_jobs(world: World, jobs: int, before: str) -> None:
    async with anyio.create_task_group() as people:
        for slot in world.ports:
            people.start_soon(work, world, slot, jobs // SLOTS, before)


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateWords]:
    """Log lines as benchd writes them, in a file: what pytest captures stays in memory."""
    with (tmp_path / "log").open("w") as log:
        monkeypatch.setattr(sys, "stderr", log)
        words = configure_logs()
        # Loggers of modules live longer than this test.
        structlog.configure(cache_logger_on_first_use=False)
        monkeypatch.undo()
        yield words
    structlog.reset_defaults()


@pytest.mark.parametrize(
    ("warm_up", "jobs", "most_growth_kib"),
    # After 160 jobs alone the allocator still grows by 1.3 MiB, after 400 it has all it needs.
    [(400, 208, 1024), pytest.param(400, 2000, 2048, marks=pytest.mark.nightly)],
)
async def test_many_jobs_leave_no_trace_in_memory(
    tmp_path: Path,
    words: PrivateWords,
    capsys: pytest.CaptureFixture[str],
    warm_up: int,
    jobs: int,
    most_growth_kib: int,
) -> None:
    key = create_key(tmp_path / "key.pem")
    metrics = RackMetrics(slots=(), recipes=("overwrite",), stages=STAGE_CLASSES, version="1")
    before: Mapping[str, int] = {}
    after: Mapping[str, int] = {}
    took_s = 0.0
    ledger_file = tmp_path / "ledger.sqlite"
    async with open_ledger(ledger_file, head_key=key) as stored:
        counted = AnnouncingLedger(stored, RecordMetrics(metrics, monotonic), metrics.fault)
        masked = AnnouncingLedger(counted, words, metrics.fault)
        ledger = AnnouncingLedger(masked, JobLog(monotonic), metrics.fault)
        world = World(SLOTS, recipe=SHORT, ledger=ledger)  # type: ignore[arg-type]
        object.__setattr__(world.parts, "timing", Timing(debounce_s=0.001))
        metrics.reconfigured(
            slots=[port.slot for port in world.ports.values()], recipes=(), models=ModelCatalogue()
        )
        metrics.read_from(views=world.board.views)
        app = app_of(world, Catalogue.load(), scrape=metrics.expose)
        with unix_listener(tmp_path / "benchd.sock") as listener:
            async with anyio.create_task_group() as group:
                stop = anyio.Event()
                await group.start(partial(serve, app, sockets=[listener], stop=stop))
                group.start_soon(live, world, metrics)
                with anyio.fail_after(30):
                    while not world.listeners:
                        await anyio.lowlevel.checkpoint()
                socket = tmp_path / "benchd.sock"
                await run_jobs(world, warm_up, "W")
                # A Prometheus scrapes all along; the first ones make what later ones keep.
                for _ in range(6):
                    await scrape(socket)
                before = {**size_of_this_process(), "scrape_bytes": await scrape(socket)}
                began = monotonic()
                await run_jobs(world, jobs, "J")
                took_s = monotonic() - began
                after = {**size_of_this_process(), "scrape_bytes": await scrape(socket)}
                os.kill(os.getpid(), signal.SIGTERM)
                stop.set()
    with capsys.disabled():
        print(f"\n{jobs} jobs in {took_s:.0f} s\n  before {before}\n  after  {after}")  # noqa: T201
    report = verify_ledger(ledger_file, key.public_key_pem)
    assert report.records > 5 * jobs
    ended = sum(b'"kind":"job_ended"' in line for line in export_lines(ledger_file))
    assert ended == jobs + warm_up
    flat(before, after)
    assert after["rss_kib"] - before["rss_kib"] < most_growth_kib
    log = (tmp_path / "log").read_text()
    assert log.count('"event": "job_ended"') == jobs + warm_up
    assert "A1-000001" not in log


async def live(world: World, metrics: RackMetrics) -> None:
    with ExitStack() as until_end:
        await serve_rack(
            world.supervisor,
            board=world.board,
            admission=world.parts.admission,
            reloader=Reloader(None, read=dict, apply=anyio.sleep, notifier=Notifier(None)),  # type: ignore[arg-type]
            notifier=Notifier(None),
            failed=metrics.fault,
            hear=hear_signals,
            until_end=until_end,
        )


async def scrape(socket: Path) -> int:
    transport = httpx2.AsyncHTTPTransport(uds=str(socket))
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://benchd", timeout=PATIENCE_S
    ) as client:
        answer = await client.get("/metrics")
    assert "benchd_metrics_faults_total 0.0" in answer.text
    return len(answer.content)


def flat(before: Mapping[str, int], after: Mapping[str, int]) -> None:
    assert after["threads"] <= before["threads"]
    assert after["descriptors"] <= before["descriptors"]
    # Numbers get longer, series don't get more.
    assert after["scrape_bytes"] <= before["scrape_bytes"] * 1.02
