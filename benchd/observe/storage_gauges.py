"""Storage: how large the ledger is, how much room is left, which certificates lack their file."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from benchd.domain.ids import JobId
from benchd.observe.certificate_files import CertificateFiles


class Folder(StrEnum):
    """A folder that a rack fills."""

    LEDGER = "ledger"
    CERTIFICATES = "certificates"


class StorageGauges(Collector):
    """Looked at by every scrape, in its own thread: a disk may take its time."""

    def __init__(self) -> None:
        self.ledger: Path | None = None
        self.records: Callable[[], int] = int
        self.folders: dict[Folder, Path] = {}
        self.certificates = CertificateFiles()

    def certified(self, job: JobId) -> None:
        """A job ended with a certificate, whose file is due."""
        self.certificates.certified(job)

    def collect(self) -> Iterable[Metric]:
        """Sizes in bytes; NaN where the disk doesn't answer."""
        yield GaugeMetricFamily(
            "benchd_ledger_bytes", "The size of the ledger's files", value=self._ledger_bytes()
        )
        yield GaugeMetricFamily(
            "benchd_ledger_records",
            "How many records the ledger has",
            value=float(self.records()),
        )
        yield GaugeMetricFamily(
            "benchd_certificate_files_missing",
            "Certificates without their file: of this daemon's jobs, and those that it has seen",
            value=self._missing(),
        )
        free = GaugeMetricFamily(
            "benchd_disk_free_bytes",
            "Room that is left for benchd on the disk of a folder",
            labels=("folder",),
        )
        names = GaugeMetricFamily(
            "benchd_disk_free_files",
            "How many new files that disk has names for; NaN where it makes them as it needs them",
            labels=("folder",),
        )
        for folder in Folder:
            free_bytes, free_files = _free_in(self.folders.get(folder))
            free.add_metric((folder,), free_bytes)
            names.add_metric((folder,), free_files)
        yield from (free, names)

    def _ledger_bytes(self) -> float:
        if self.ledger is None:
            return math.nan
        size = 0
        # What has just been written stands in the files beside it.
        for name in (self.ledger, Path(f"{self.ledger}-wal")):
            try:
                with suppress(FileNotFoundError):
                    size += name.stat().st_size
            except OSError:
                return math.nan
        return float(size)

    def _missing(self) -> float:
        try:
            return float(self.certificates.missing(self.folders.get(Folder.CERTIFICATES)))
        except OSError:
            return math.nan


def _free_in(folder: Path | None) -> tuple[float, float]:
    """Bytes and names that are left."""
    if folder is None:
        return math.nan, math.nan
    try:
        told = os.statvfs(folder)
    except OSError:
        return math.nan, math.nan
    files = float(told.f_favail) if told.f_files else math.nan
    return float(told.f_bavail * told.f_frsize), files
