"""The rack's records on their way to the fleet's centre, where the configuration names one."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import datetime

import anyio
import structlog
from anyio import to_thread

from benchd.config import Settings
from benchd.config.fleet_section import FleetSection
from benchd.domain.errors import UsageRefused
from benchd.domain.ports import Entropy, OtherRacks
from benchd.domain.record import Entry, Receipt
from benchd.ledger.follower import Follower, open_feed
from benchd.ledger.ledger_access import SqliteLedger
from benchd.observe.fleet_metrics import FleetMetrics
from benchd.outbound.fleet.centre_client import CentreTarget, HttpCentre
from benchd.outbound.fleet.centre_questions import CentreQuestions, LazyPoster
from benchd.outbound.fleet.checkpoint_keeper import CheckpointKeeper, KeeperParts
from benchd.outbound.fleet.record_sender import RecordSender, SenderParts
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import public_key_of
from benchd.signing.tls import verified_tls

_log = structlog.get_logger()


class RackFleet:
    """Sends all records. They are read from the ledger on a way of its own."""

    def __init__(
        self, settings: Settings, stored: SqliteLedger, key: SigningKey, metrics: FleetMetrics
    ) -> None:
        """Reads what the configuration names; where that can't be done nothing is sent."""
        self.follower = Follower()
        """Has to hear of the ledger's records."""
        self._path = settings.ledger.path
        self._target = _target_of(settings)
        self._stored = stored
        self._key = key
        self._metrics = metrics
        self.chip_secret = fleet_chip_secret(settings)
        """What chips are hashed with for the centre, as it was at the start."""
        if self._target and settings.felica.is_used and self.chip_secret is None:
            told = settings.fleet.chip_secret or "chip_secret isn't set"
            _log.warning("fleet_chips_not_compared", detail=str(told))
        self._asking = (
            None
            if self._target is None
            else LazyPoster(self._target, key.ring.rack, max(1, len(settings.topology.places)))
        )

    def other_racks(self, entropy: Entropy) -> OtherRacks | None:
        """Who answers for the other racks; None without a centre."""
        if self._target is None or self._asking is None:
            return None
        return CentreQuestions(self._asking.post, self._target.key, self._key, entropy)

    async def aclose(self) -> None:
        """Let go of what questions are asked by."""
        if self._asking is not None:
            await self._asking.aclose()

    async def run(
        self, record: Callable[[Entry], Awaitable[Receipt]], now: Callable[[], datetime]
    ) -> None:
        """Send until cancelled; without a centre nothing is opened. What was is closed.

        `record` keeps an entry; it's the ledger as everybody else uses it.
        """
        if self._target is None:
            await anyio.sleep_forever()
        else:
            await self._send_to(self._target, record, now)

    async def _send_to(
        self,
        target: CentreTarget,
        record: Callable[[Entry], Awaitable[Receipt]],
        now: Callable[[], datetime],
    ) -> None:
        async with AsyncExitStack() as stack:
            feed = await stack.enter_async_context(open_feed(self._path))
            centre = await to_thread.run_sync(
                HttpCentre, target, self._key.ring.rack, limiter=feed.thread
            )
            stack.push_async_callback(centre.aclose)
            keeper = KeeperParts(
                feed=feed,
                file=self._path.with_name(f"{self._path.name}.checkpoint"),
                record=record,
                now=now,
                monotonic=time.monotonic,
                centre=target.key,
                rack=self._key.ring.rack,
            )
            parts = SenderParts(
                feed=feed,
                head=lambda: self._stored.head,
                key=self._key,
                checkpoints=CheckpointKeeper(keeper),
                monotonic=time.monotonic,
                chance=random.random,
                sink=self._metrics,
            )
            await RecordSender(centre, parts).run(self.follower)


def fleet_chip_secret(settings: Settings) -> bytes | None:
    """What chips are hashed with so that the centre can compare them; None where nobody knows."""
    try:
        return settings.fleet.shared_secret()
    except (UsageRefused, OSError):
        return None


def centre_target_of(fleet: FleetSection) -> CentreTarget | None:
    """The centre as it is configured, its files read. Raises UsageRefused, OSError."""
    if fleet.url is None or fleet.centre_key is None:
        return None
    verified_tls(fleet.authority, fleet.client)
    return CentreTarget(
        url=fleet.url,
        key=public_key_of(fleet.centre_key.read_bytes()),
        client=fleet.client,
        authority=fleet.authority,
        timeout_s=fleet.timeout_s,
    )


def _target_of(settings: Settings) -> CentreTarget | None:
    """Where to send to, or nowhere: no erasure waits for what somebody has to put right first."""
    try:
        return centre_target_of(settings.fleet)
    except (UsageRefused, OSError) as error:
        _log.error("fleet_off", detail=str(error))
        return None
