"""The way out: each trace at least once, in order, and as the daemon has it."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio
import pytest

from benchd.certificate import DsseIssuer, load_rack_key
from benchd.config import load_settings
from benchd.daemon.rack_traces import RackTraces
from benchd.domain.errors import NotFound
from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind, Place
from benchd.ledger import SqliteLedger, open_ledger
from benchd.observe.announcing_ledger import announcing, keep_following
from benchd.observe.metrics import RackMetrics
from benchd.outbound.http_post import Failure
from benchd.outbound.traces.export_position import PlaceFile
from benchd.outbound.traces.trace_delivery import Taken
from benchd.outbound.traces.trace_export import (
    LONGEST_ASKED_PAUSE_S,
    LONGEST_PAUSE_S,
    MOST_STUMBLES,
)
from tests.outbound.hooks.hook_daemon import configuration
from tests.outbound.hooks.http_receiver import receiving
from tests.outbound.traces.export_rig import rig
from tests.outbound.traces.job_told import JOB, START, JobTold
from tests.outbound.traces.otlp_reader import named, request_of, spans_of

pytestmark = pytest.mark.asyncio
AWAY = Failure(why="ConnectError")


async def test_each_ended_job_is_told_once_and_in_order_over_restarts(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        wanted = [await rack.end_job(number) for number in range(3)]
        await rack.until_quiet()
        await rack.until_quiet()
        assert rack.collector.traces == wanted
        assert (rack.sink.taken, rack.sink.failures, rack.sink.given_up) == (3, 0, 0)
        wanted.append(await rack.end_job(3))
        rack.start()
        wanted.append(await rack.end_job(4))
        await rack.until_quiet()
        assert rack.collector.traces == wanted


async def test_what_was_sent_before_a_crash_is_sent_again_as_the_same_trace(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        before = PlaceFile(rack.path).read()
        assert before is not None
        wanted = await rack.end_job(1)
        await rack.until_quiet()
        PlaceFile(rack.path).keep(before)  # as if the power had gone before it was kept
        rack.start()
        await rack.until_quiet()
        assert rack.collector.traces == [wanted, wanted]
        assert rack.collector.bodies[0] == rack.collector.bodies[1]


@pytest.mark.parametrize(
    "place", [Place(sequence=99, hash="of another ledger"), Place(sequence=1, hash="00" * 32)]
)
async def test_a_place_of_another_ledger_is_not_believed_and_no_job_before_it_is_told(
    tmp_path: Path, place: Place
) -> None:
    async with rig(tmp_path) as rack:
        await rack.end_job(1)
        PlaceFile(rack.path).keep(place)
        rack.start()
        await rack.until_quiet()
        assert rack.collector.traces == []
        wanted = await rack.end_job(2)
        await rack.until_quiet()
        assert rack.collector.traces == [wanted]


async def test_a_collector_that_is_away_gets_it_later_ever_more_slowly(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        wanted = [await rack.end_job(1), await rack.end_job(2)]
        rack.collector.answers = [AWAY] * 12
        pauses: list[float] = []
        await rack.export.step()
        assert rack.sink.since == (START.timestamp() + 120)
        while len(rack.collector.traces) < 12:
            pauses.append(await rack.export.step())
            rack.at += pauses[-1]
            await rack.export.step()
        assert pauses[:4] == [2, 4, 8, 16]
        assert max(pauses) == LONGEST_PAUSE_S
        await rack.until_quiet()
        assert rack.collector.traces == [*[wanted[0]] * 13, wanted[1]]
        assert (rack.sink.taken, rack.sink.failures, rack.sink.given_up) == (2, 12, 0)
        assert rack.sink.since == 0


@pytest.mark.parametrize(("asked_s", "pause_s"), [(40.0, 40.0), (1e9, LONGEST_ASKED_PAUSE_S)])
async def test_a_collector_may_ask_for_a_pause_and_not_for_any(
    tmp_path: Path, asked_s: float, pause_s: float
) -> None:
    async with rig(tmp_path) as rack:
        await rack.end_job(1)
        rack.collector.answers = [Failure(why="http_429", status=429, retry_after_s=asked_s)]
        await rack.export.step()
        assert await rack.export.step() == pause_s


def no(status: int, times: int = 1) -> list[Taken | Failure]:
    return [Failure(why="no", status=status)] * times


@pytest.mark.parametrize(
    ("answers", "tries", "taken", "given_up"),
    [
        *((no(status), 1, 1, 1) for status in (413, 422)),
        *((no(status, MOST_STUMBLES), MOST_STUMBLES, 1, 1) for status in (400, 500)),
        *((no(status, MOST_STUMBLES + 5), MOST_STUMBLES + 6, 2, 0) for status in (401, 503)),
        ([Taken(rejected=2)], 1, 2, 1),
    ],
    ids=[
        *("413: refused for itself", "422: the same"),
        *("400: stumbled over, not for ever", "500: the same"),
        *("401: somebody can put it right", "503: the same"),
        "spans thrown away",
    ],
)
async def test_a_trace_that_is_not_taken_holds_no_other_up_for_ever(
    tmp_path: Path, answers: list[Taken | Failure], tries: int, taken: int, given_up: int
) -> None:
    async with rig(tmp_path) as rack:
        first, second = [await rack.end_job(1), await rack.end_job(2)]
        rack.collector.answers = list(answers)
        await rack.until_quiet()
        assert rack.collector.traces == [*[first] * tries, second]
        assert (rack.sink.taken, rack.sink.given_up) == (taken, given_up)


async def test_records_that_cannot_be_read_are_given_up_and_the_next_job_is_told(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as rack:
        await rack.ledger.append(Entry(kind=EntryKind.JOB_ENDED, at=START, job=None))
        no_story = Entry(kind=EntryKind.JOB_ENDED, at=START, job=JobId("20261124-00000000ff"))
        await rack.ledger.append(no_story)
        wanted = await rack.end_job(1)
        await rack.until_quiet()
        assert rack.collector.traces == [wanted]
        assert rack.sink.given_up == 1


async def test_a_place_that_cannot_be_kept_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: PlaceFile, __: Place) -> None:
        raise OSError(28, "No space left on device")

    async with rig(tmp_path) as rack:
        monkeypatch.setattr(PlaceFile, "keep", full)
        wanted = [await rack.end_job(1), await rack.end_job(2)]
        await rack.until_quiet()
        assert rack.collector.traces == wanted


async def test_a_busy_ledger_without_ended_jobs_is_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KEPT_EVERY", "PIECE_RECORDS"):
        monkeypatch.setattr(f"benchd.outbound.traces.trace_export.{name}", 5)
    async with rig(tmp_path) as rack:
        for _ in range(5 + 3):
            await rack.ledger.append(Entry(kind=EntryKind.DAEMON_STARTED, at=START))
        assert await rack.export.step() == 0
        kept = PlaceFile(rack.path).read()
        assert kept is not None
        assert kept.sequence == 5
        wanted = await rack.end_job(1)
        await rack.until_quiet()
        assert rack.collector.traces == [wanted]


@pytest.mark.parametrize(
    "written", [b"", b"{", b"[" * 10_000, b"{}", b'{"sequence": -1, "hash": ""}', b"\xff"]
)
async def test_a_place_that_was_not_written_so_is_none(tmp_path: Path, written: bytes) -> None:
    ledger = tmp_path / "ledger.sqlite"
    ledger.with_name("ledger.sqlite.traces").write_bytes(written)
    assert PlaceFile(ledger).read() is None


def ended_job() -> JobTold:
    told = JobTold.begun("inspect", 1)
    told.done("inspect", 2)
    told.ended(3)
    return told


@asynccontextmanager
async def traced(
    folder: Path, traces: str
) -> AsyncGenerator[tuple[RackTraces, SqliteLedger, RackMetrics]]:
    """As the daemon has them by this configuration, which nothing follows yet."""
    settings = load_settings(configuration(folder, f"[traces]\n{traces}"))
    metrics = RackMetrics(slots=[], recipes=[], stages=[], version="0")
    key = load_rack_key(folder / "key.pem", {})
    issuer = DsseIssuer(key=key, directory=folder, site="東京", benchd_version="0")
    async with open_ledger(folder / "ledger.sqlite", head_key=key) as stored:
        # Which rack tells goes by its ledger's first record.
        await stored.append(Entry(kind=EntryKind.DAEMON_STARTED, at=START))
        yield RackTraces(settings, stored, issuer, metrics.traces), stored, metrics


async def shown(metrics: RackMetrics) -> bytes:
    body, _ = await metrics.expose("text/plain")
    return body


async def test_from_the_configuration_to_the_collector(tmp_path: Path) -> None:
    headers = tmp_path / "traces.headers"
    headers.write_text("x-scope-orgid: rack7\n")
    headers.chmod(0o600)
    told = ended_job()
    async with receiving() as receiver:
        traces = f'url = "{receiver.url}"\nheaders = "traces.headers"\n'
        async with (
            traced(tmp_path, traces) as (rack, stored, metrics),
            anyio.create_task_group() as group,
        ):
            ledger = announcing(stored, [rack.follower], metrics.fault)
            group.start_soon(partial(keep_following, rack.run, metrics.fault))
            with anyio.fail_after(30):
                # It begins with what ends after its start.
                while not (tmp_path / "ledger.sqlite.traces").exists():
                    await anyio.lowlevel.checkpoint()
                for record in told.records:
                    await ledger.append(record.entry)
                await receiver.arrived.wait()
                while b"benchd_traces_exported_total 1.0" not in await shown(metrics):
                    await anyio.lowlevel.checkpoint()
            [(sent, body)] = receiver.got
            assert json.loads(await rack.of_job(told.job)) == json.loads(body)
            assert sent["x-scope-orgid"] == "rack7"
            assert spans_of(body)[0].trace_id.hex() == told.trace().trace_id
            resource = named(request_of(body).resource_spans[0].resource)
            assert resource["service.name"] == "benchd"
            assert b"benchd_trace_failures_total 0.0" in await shown(metrics)
            assert b"R5CT10ABCDE" not in body
            group.cancel_scope.cancel()


async def test_a_rack_without_a_collector_opens_nothing_and_shows_a_trace_all_the_same(
    tmp_path: Path,
) -> None:
    told = ended_job()
    async with traced(tmp_path, "") as (rack, stored, _):
        with pytest.raises(NotFound):
            await rack.of_job(JOB)
        for record in told.records[:-1]:
            await stored.append(record.entry)
        with pytest.raises(NotFound, match="ended"):
            await rack.of_job(JOB)
        await stored.append(told.records[-1].entry)
        assert len(spans_of(await rack.of_job(JOB))) == 3
        async with anyio.create_task_group() as group:
            group.start_soon(rack.run)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
    assert not (tmp_path / "ledger.sqlite.traces").exists()
