"""What a worker does with a chip: a scan, or the capture of a baseline."""

from __future__ import annotations

import hashlib
import hmac
import time
from pathlib import Path
from typing import Final

from benchd.devices.felica.protocol.chip_requests import ChipTransport
from benchd.devices.felica.verdict.baselines import load_baselines
from benchd.devices.felica.verdict.capture import capture_baseline
from benchd.devices.felica.verdict.nodes import shipped_catalogue
from benchd.devices.felica.verdict.scan import ChipHashes, scan_chip, survey_chip
from benchd.devices.felica.worker.wire import CaptureOrder, WorkerOrder
from benchd.domain.chip import ChipScan
from benchd.signing.fleet_chips import fleet_chip_of
from benchd.signing.paper_keys import signer_of

CHIP_HASH_DIGITS: Final = 32


class ChipTasks:
    """Knows the catalogue, the baselines and the salt of one rack."""

    def __init__(self, order: WorkerOrder) -> None:
        """Raises DataFileInvalid for baselines that can't be used, OSError for missing ones."""
        self._salt = order.salt
        self._fleet_secret = order.fleet_secret
        self._catalogue = shipped_catalogue()
        self._baselines = load_baselines(
            self._catalogue,
            [Path(file) for file in order.baselines],
            signer=None if order.signer is None else signer_of(order.signer),
        )

    def scan(
        self, transport: ChipTransport, *, reader: str, passes: int, power_cycle: bool
    ) -> ChipScan:
        """See `benchd.domain.ports.ChipAccess.scan`; `reader` is the reader's model."""
        return scan_chip(
            transport,
            catalogue=self._catalogue,
            baselines=self._baselines,
            identify=self._identify,
            passes=passes,
            power_cycle=power_cycle,
            reader=reader,
            clock=time.monotonic,
        )

    def capture(self, transport: ChipTransport, order: CaptureOrder) -> str:
        """The TOML text of an observed baseline; raises UsageRefused and DataFileInvalid."""
        survey = survey_chip(
            transport,
            catalogue=self._catalogue,
            passes=order.passes,
            power_cycle=True,
            clock=time.monotonic,
        )
        return capture_baseline(
            survey,
            name=order.name,
            model=order.model,
            screen=order.screen,
            seen_on=order.seen_on,
            catalogue=self._catalogue,
        )

    def _identify(self, idm: bytes) -> ChipHashes:
        own = hmac.new(self._salt, idm, hashlib.sha256).hexdigest()[:CHIP_HASH_DIGITS]
        shared = self._fleet_secret
        return ChipHashes(own, None if shared is None else fleet_chip_of(shared, idm))
