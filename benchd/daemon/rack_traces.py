"""The rack's traces: shown for a job that has ended, and sent where the configuration says."""

from __future__ import annotations

import random
import ssl
import time
from contextlib import AsyncExitStack
from functools import partial

import anyio
import structlog
from anyio import CapacityLimiter, to_thread

from benchd.config import Settings
from benchd.config.traces_section import TracesSection, read_headers
from benchd.domain.errors import NotFound, UsageRefused
from benchd.domain.ids import JobId
from benchd.domain.record import EntryKind
from benchd.domain.version_info import version
from benchd.ledger.follower import Follower, open_feed
from benchd.ledger.ledger_queries import LedgerReads
from benchd.observe.trace_metrics import TraceMetrics
from benchd.outbound.traces.export_position import PlaceFile
from benchd.outbound.traces.otlp import Source
from benchd.outbound.traces.trace_delivery import OtlpSender, TraceTarget
from benchd.outbound.traces.trace_export import ExportParts, TraceExport, encoded
from benchd.proof.ports import CertificateIssuer

_log = structlog.get_logger()


class RackTraces:
    """Traces of this rack's jobs. What is sent is read from the ledger on a way of its own."""

    def __init__(
        self,
        settings: Settings,
        visited: LedgerReads,
        issuer: CertificateIssuer,
        metrics: TraceMetrics,
    ) -> None:
        """Reads what a collector asks for; where that can't be done nothing is sent to it."""
        self.follower = Follower({EntryKind.JOB_ENDED})
        """Has to hear of the ledger's records."""
        self._ledger = settings.ledger.path
        self._target = _target_of(settings)
        self._visited = visited
        self._issuer = issuer
        self._metrics = metrics
        self._making = CapacityLimiter(1)

    async def of_job(self, job: JobId) -> bytes:
        """What a collector is told of an ended job; raises NotFound while there is nothing."""
        records = await self._visited.entries(job)
        first = await self._visited.entry_at(1)
        source = Source(ledger=first.hash_hex if first else "0" * 64, version=version())
        make = partial(encoded, records, self._issuer, source)
        body = await to_thread.run_sync(make, limiter=self._making)
        if body is None:
            message = f"there is no job {job} that has ended: its trace is made of its whole story"
            raise NotFound(message)
        return body

    async def run(self) -> None:
        """Send until cancelled; without a collector nothing is opened. What was is closed."""
        if self._target is None:
            await anyio.sleep_forever()
        else:
            await self._send_to(self._target)

    async def _send_to(self, target: TraceTarget) -> None:
        async with AsyncExitStack() as stack:
            feed = await stack.enter_async_context(open_feed(self._ledger))
            sender = await to_thread.run_sync(OtlpSender, target, limiter=feed.thread)
            stack.push_async_callback(sender.aclose)
            first = await feed.entries_after(0, 1)
            parts = ExportParts(
                feed=feed,
                keeper=PlaceFile(self._ledger),
                issuer=self._issuer,
                source=Source(ledger=first[0].hash_hex if first else "0" * 64, version=version()),
                monotonic=time.monotonic,
                chance=random.random,
                sink=self._metrics,
            )
            await TraceExport(sender, parts).run(self.follower)


def trace_target_of(traces: TracesSection) -> TraceTarget | None:
    """The collector as it is configured, its headers read. Raises UsageRefused."""
    if traces.url is None:
        return None
    return TraceTarget(
        url=traces.url,
        headers={} if traces.headers is None else read_headers(traces.headers),
        timeout_s=traces.timeout_s,
        authority=traces.authority,
    )


def _target_of(settings: Settings) -> TraceTarget | None:
    """Where to send to, or nowhere: no erasure waits for what somebody has to put right first."""
    try:
        target = trace_target_of(settings.traces)
        if target is not None:
            ssl.create_default_context(cafile=target.authority)
    except (UsageRefused, OSError) as error:
        _log.error("traces_off", detail=str(error))
        return None
    return target
