"""Traces as the daemon has them: from the configuration to spans at a collector, and on request."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import anyio
import pytest

from benchd.certificate import DsseIssuer, create_key
from benchd.config import load_settings
from benchd.daemon.rack_traces import RackTraces
from benchd.domain.errors import NotFound
from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger
from benchd.observe.announcing_ledger import announcing, keep_following
from benchd.observe.metrics import RackMetrics
from tests.config.config_folder import SITE, folder, written
from tests.outbound.hooks.http_receiver import HttpReceiver, receiving
from tests.outbound.traces.job_told import JOB, START, JobTold
from tests.outbound.traces.otlp_reader import named, request_of, spans_of

__all__ = ["folder"]
pytestmark = pytest.mark.asyncio
TABLES = '[ledger]\npath = "ledger.sqlite"\n[traces]\n{traces}'


def ended_job() -> JobTold:
    told = JobTold()
    told.opened()
    told.started("inspect", 1)
    told.done("inspect", 2)
    told.ended(3)
    return told


async def until_sent(receiver: HttpReceiver, told: JobTold, folder: Path, traces: str) -> bytes:
    """What `/metrics` says once the receiver has got the trace of a job that ends meanwhile."""
    key = create_key(folder / "key.pem")
    metrics = RackMetrics(slots=[], recipes=[], version="0")
    settings = load_settings(written(SITE + TABLES.format(traces=traces)))
    async with open_ledger(folder / "ledger.sqlite", head_key=key) as stored:
        # Which rack tells goes by its ledger's first record.
        await stored.append(Entry(kind=EntryKind.DAEMON_STARTED, at=START))
        issuer = DsseIssuer(key=key, directory=folder, site="東京", benchd_version="0")
        rack = RackTraces(settings, stored, issuer, metrics.traces)
        ledger = announcing(stored, [rack.follower], metrics.fault)
        async with anyio.create_task_group() as group:
            group.start_soon(partial(keep_following, rack.run, metrics.fault))
            with anyio.fail_after(30):
                # It begins with what ends after its start.
                while not (folder / "ledger.sqlite.traces").exists():
                    await anyio.lowlevel.checkpoint()
                for record in told.records:
                    await ledger.append(record.entry)
                await receiver.arrived.wait()
                while b"benchd_traces_exported_total 1.0" not in await shown(metrics):
                    await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
        asked = await rack.of_job(told.job)
        assert json.loads(asked) == json.loads(receiver.got[0][1])
    return await shown(metrics)


async def shown(metrics: RackMetrics) -> bytes:
    body, _ = await metrics.expose("text/plain")
    return body


async def test_from_the_configuration_to_the_collector(folder: Path) -> None:
    headers = folder / "traces.headers"
    headers.write_text("x-scope-orgid: rack7\n")
    headers.chmod(0o600)
    told = ended_job()
    async with receiving() as receiver:
        traces = f'url = "{receiver.url}"\nheaders = "traces.headers"\n'
        metrics = await until_sent(receiver, told, folder, traces)
    [(sent, body)] = receiver.got
    assert sent["x-scope-orgid"] == "rack7"
    assert spans_of(body)[0].trace_id.hex() == told.trace().trace_id
    resource = named(request_of(body).resource_spans[0].resource)
    assert resource["service.name"] == "benchd"
    assert b"benchd_trace_failures_total 0.0" in metrics
    assert b"R5CT10ABCDE" not in body


async def test_a_rack_without_a_collector_opens_nothing_and_shows_a_trace_all_the_same(
    folder: Path,
) -> None:
    key = create_key(folder / "key.pem")
    settings = load_settings(written(SITE + TABLES.format(traces="")))
    async with open_ledger(folder / "ledger.sqlite", head_key=key) as stored:
        issuer = DsseIssuer(key=key, directory=folder, site="東京", benchd_version="0")
        metrics = RackMetrics(slots=[], recipes=[], version="0")
        rack = RackTraces(settings, stored, issuer, metrics.traces)
        with pytest.raises(NotFound):
            await rack.of_job(JOB)
        told = ended_job()
        for record in told.records[:-1]:
            await stored.append(record.entry)
        with pytest.raises(NotFound, match="ended"):
            await rack.of_job(JobId(JOB))
        await stored.append(told.records[-1].entry)
        assert len(spans_of(await rack.of_job(JOB))) == 3
        async with anyio.create_task_group() as group:
            group.start_soon(rack.run)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()
    assert not (folder / "ledger.sqlite.traces").exists()
