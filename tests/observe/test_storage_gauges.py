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

from benchd.domain.ids import JobId
from benchd.observe.certificate_files import LIST_EVERY_S, MOST_STATS
from benchd.observe.metrics import RackMetrics
from benchd.observe.storage_gauges import Folder

pytestmark = pytest.mark.asyncio

MISSING = "benchd_certificate_files_missing"


class Clock:
    """Stands until somebody sets it."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += seconds


def watched(folder: Path) -> tuple[RackMetrics, Clock]:
    """The metrics of a rack that keeps its certificates there."""
    metrics, clock = new_metrics(), Clock()
    metrics.storage.folders = {Folder.CERTIFICATES: folder}
    metrics.storage.certificates.now = clock
    return metrics, clock


def counted(monkeypatch: pytest.MonkeyPatch, name: str, folder: Path) -> list[object]:
    """What a function of `os` is asked for in this folder from now on."""
    asked: list[object] = []
    real = cast("Callable[..., object]", getattr(os, name))

    def counting(path: str | Path, *told: object, **named: bool) -> object:
        if Path(path).is_relative_to(folder):
            asked.append(path)
        return real(path, *told, **named)

    monkeypatch.setattr(os, name, counting)
    return asked


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
    assert math.isnan(await value(metrics, MISSING))
    assert math.isnan(await value(metrics, "benchd_ledger_bytes"))
    assert await value(metrics, "benchd_ledger_records") == 17
    monkeypatch.undo()
    assert await value(metrics, MISSING) == 1


async def test_a_certificate_is_missing_until_its_file_is_there_and_once_it_has_vanished(
    tmp_path: Path,
) -> None:
    # An earlier daemon wrote one of them; and this is no certificate.
    names = [f"20261124-{letter * 10}" for letter in "abc"]
    earlier, first, second = (tmp_path / f"{name}.json" for name in names)
    others = [
        tmp_path / name
        for name in (".20261124-dddddddddd.json.1f", "notes.json", "20261124-dddddddddd.json.bak")
    ]
    for file in (earlier, *others):
        file.touch()
    metrics, clock = watched(tmp_path)
    for name in names[1:]:
        metrics.storage.certified(JobId(name))
    first.write_text("{}")
    assert await value(metrics, MISSING) == 1
    second.write_text("{}")
    assert await value(metrics, MISSING) == 0
    for file in (earlier, first, *others):
        file.unlink()
    clock.pass_by(LIST_EVERY_S)
    assert await value(metrics, MISSING) == 2
    first.write_text("{}")
    assert await value(metrics, MISSING) == 1


async def test_a_folder_that_is_gone_lacks_all_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir()
    for name in "abc":
        (folder / f"20261124-{name * 10}.json").touch()
    metrics, clock = watched(folder)
    assert await value(metrics, MISSING) == 0
    folder.rename(tmp_path / "elsewhere")
    clock.pass_by(LIST_EVERY_S)
    assert await value(metrics, MISSING) == 3


async def test_scrapes_list_the_folder_at_a_rate_and_look_at_few_single_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics, clock = watched(tmp_path)
    for number in range(MOST_STATS * 3):
        metrics.storage.certified(JobId(f"20261124-{number:010x}"))
    listed = counted(monkeypatch, "scandir", tmp_path)
    stated = counted(monkeypatch, "stat", tmp_path)
    for _ in range(5):
        assert await value(metrics, MISSING) == MOST_STATS * 3
    assert (len(listed), len(stated)) == (1, MOST_STATS * 5)
    clock.pass_by(LIST_EVERY_S)
    await value(metrics, MISSING)
    assert len(listed) == 2


async def test_only_the_newest_files_are_remembered(tmp_path: Path) -> None:
    metrics, clock = watched(tmp_path)
    metrics.storage.certificates.most = 3
    for number in range(5):
        (tmp_path / f"20261124-{number:010x}.json").touch()
    assert await value(metrics, MISSING) == 0
    for file in tmp_path.glob("*.json"):
        file.unlink()
    clock.pass_by(LIST_EVERY_S)
    assert await value(metrics, MISSING) == 3
    metrics.storage.certified(JobId("20261125-aaaaaaaaaa"))
    assert await value(metrics, MISSING) == 3
