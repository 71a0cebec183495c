"""What a scrape finds on the rack's disks."""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from metrics_rig import new_metrics, value

from benchd.observe.storage_gauges import MOST_UNSEEN, Folder
from benchd.words.ids import JobId

pytestmark = pytest.mark.asyncio


async def test_sizes_are_those_of_the_files_and_of_the_disk(tmp_path: Path) -> None:
    metrics = new_metrics()
    metrics.storage.ledger = tmp_path / "ledger.sqlite"
    metrics.storage.ledger.write_bytes(b"x" * 5000)
    Path(f"{metrics.storage.ledger}-wal").write_bytes(b"x" * 300)
    metrics.storage.records = lambda: 17
    metrics.storage.folders = {Folder.LEDGER: tmp_path, Folder.CERTIFICATES: tmp_path / "none"}
    assert await value(metrics, "benchd_ledger_bytes") == 5300
    assert await value(metrics, "benchd_ledger_records") == 17
    disk = os.statvfs(tmp_path)
    free = await value(metrics, "benchd_disk_free_bytes", folder="ledger")
    assert 0 < free <= disk.f_blocks * disk.f_frsize
    gone = await value(metrics, "benchd_disk_free_bytes", folder="certificates")
    assert math.isnan(gone)
    names = await value(metrics, "benchd_disk_free_files", folder="ledger")
    assert math.isnan(names) if disk.f_files == 0 else 0 < names <= disk.f_files
    assert math.isnan(await value(metrics, "benchd_disk_free_files", folder="certificates"))


async def test_a_file_system_tells_how_many_names_it_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = new_metrics()
    metrics.storage.folders = {Folder.LEDGER: tmp_path}
    told = list(os.statvfs(tmp_path))
    names, names_left = 5, 7
    for there_are, left, shown in ((4096, 900, 900.0), (0, 0, math.nan)):
        told[names], told[names_left] = there_are, left
        disk = os.statvfs_result(told)
        monkeypatch.setattr(os, "statvfs", lambda _, disk=disk: disk)
        found = await value(metrics, "benchd_disk_free_files", folder="ledger")
        assert found == pytest.approx(shown, nan_ok=True)


async def test_a_certificate_is_missing_until_its_file_is_there(tmp_path: Path) -> None:
    metrics = new_metrics()
    metrics.storage.folders = {Folder.CERTIFICATES: tmp_path}
    metrics.storage.certified(JobId("20261124-aaaaaaaaaa"))
    metrics.storage.certified(JobId("20261124-bbbbbbbbbb"))
    (tmp_path / "20261124-aaaaaaaaaa.json").write_text("{}")
    assert await value(metrics, "benchd_certificate_files_missing") == 1
    (tmp_path / "20261124-bbbbbbbbbb.json").write_text("{}")
    assert await value(metrics, "benchd_certificate_files_missing") == 0


async def test_a_folder_that_does_not_answer_ends_no_scrape(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = new_metrics()
    metrics.storage.ledger = tmp_path / "ledger.sqlite"
    metrics.storage.records = lambda: 17
    metrics.storage.folders = {Folder.CERTIFICATES: tmp_path}
    metrics.storage.certified(JobId("20261124-aaaaaaaaaa"))
    stat = os.stat

    def stale(path: str | Path, *told: object, **named: bool) -> os.stat_result:
        """As on a mount whose server was set up anew."""
        if Path(path).is_relative_to(tmp_path):
            raise OSError(errno.ESTALE, "Stale file handle")
        return cast("Callable[..., os.stat_result]", stat)(path, *told, **named)

    monkeypatch.setattr(os, "stat", stale)
    assert math.isnan(await value(metrics, "benchd_certificate_files_missing"))
    assert math.isnan(await value(metrics, "benchd_ledger_bytes"))
    assert await value(metrics, "benchd_ledger_records") == 17
    monkeypatch.undo()
    assert await value(metrics, "benchd_certificate_files_missing") == 1


async def test_a_rack_that_nobody_scrapes_remembers_only_so_many(tmp_path: Path) -> None:
    metrics = new_metrics()
    metrics.storage.folders = {Folder.CERTIFICATES: tmp_path}
    for number in range(MOST_UNSEEN + 5):
        metrics.storage.certified(JobId(f"20261124-{number:010x}"))
    assert await value(metrics, "benchd_certificate_files_missing") == MOST_UNSEEN
