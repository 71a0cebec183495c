"""The read model at a dealer's size: how fast it is made, found in, counted and opened.

Jobs are synthesized straight into what feeds the read model, since a ledger of a million jobs
would have some twenty million records. How fast a real ledger is read into it is measured on a
small one.
"""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import anyio
import typer

from benchd.certificate import create_key
from benchd.daemon.read_model_rebuild import read_whole
from benchd.domain.record import StoredEntry
from benchd.domain.report import Asked
from benchd.lab.benchmarks.synthetic_jobs import (
    LOT_OF,
    Certified,
    Named,
    TakenIn,
    job_records,
    noise_records,
)
from benchd.ledger import open_ledger
from benchd.ledger.reader import LedgerReader
from benchd.ledger.records.read_model import ReadModel
from benchd.ledger.records.records_queries import Looker

PIECE: Final = 5000
LOOKS: Final = 200
BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
RECORDS_PER_JOB: Final = 20
"""Of a job that is run to its end, as the virtual rack writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All in seconds, bytes and counts."""

    jobs: int
    made_s: float
    file_bytes: int
    opened_s: float
    find_median_s: dict[str, float]
    find_worst_s: dict[str, float]
    find_processor_s: dict[str, float]
    """The median of what the processor spent: unlike the others, nobody else's work is in it."""
    find_processor_worst_s: dict[str, float]
    handset_worst_s: float
    report_s: dict[str, float]
    report_processor_s: dict[str, float]
    ledger_jobs: int
    ledger_records: int
    ledger_rebuild_s: float


def bench_records(*, jobs: int, ledger_jobs: int, directory: Path | None, as_json: bool) -> None:
    """Print the figures of this machine."""
    with TemporaryDirectory(prefix="benchd-records-", dir=directory) as folder:
        figures = measure(Path(folder), jobs=jobs, ledger_jobs=ledger_jobs)
    if as_json:
        typer.echo(json.dumps(asdict(figures), indent=2))
        return
    rate = figures.ledger_records / figures.ledger_rebuild_s
    hours = figures.jobs * RECORDS_PER_JOB / rate / 3600
    typer.echo(
        f"{figures.jobs} jobs: made in {figures.made_s:.0f} s, {figures.file_bytes >> 20} MiB"
    )
    typer.echo(f"opened in {figures.opened_s * 1000:.1f} ms")
    for kind, median in figures.find_median_s.items():
        worst, spent = figures.find_worst_s[kind], figures.find_processor_s[kind]
        most = figures.find_processor_worst_s[kind]
        typer.echo(
            f"find {kind}: {median * 1000:.1f} ms, at worst {worst * 1000:.1f} ms; of the"
            f" processor {spent * 1000:.1f} ms, at worst {most * 1000:.1f} ms"
        )
    typer.echo(f"handset file: at worst {figures.handset_worst_s * 1000:.1f} ms")
    for kind, took in figures.report_s.items():
        spent = figures.report_processor_s[kind]
        typer.echo(f"report of {kind}: {took:.2f} s, {spent:.2f} s of the processor")
    typer.echo(
        f"rebuilt from a ledger of {figures.ledger_jobs} jobs: {rate:.0f} records/s; a million jobs"
        f" of {RECORDS_PER_JOB} records extrapolated: {hours:.1f} h"
    )


def measure(folder: Path, *, jobs: int, ledger_jobs: int) -> Figures:
    """Make the files in this folder, and measure."""
    path = folder / "records.sqlite"
    made_s = timed(lambda: make(path, jobs))
    began = time.perf_counter()
    model = ReadModel(path)
    model.look(Looker.counts, quick=True)
    opened_s = time.perf_counter() - began
    with closing(model):
        finds = {kind: finding(model, of_job, jobs) for kind, of_job in KINDS.items()}
        handset = [timed(partial_file(model, number)) for number in drawn(jobs)]
        reports = {kind: spent(partial(report, model, asked)) for kind, asked in REPORTS.items()}
    records, rebuild_s = anyio.run(rebuild, folder, ledger_jobs)
    return Figures(
        jobs=jobs,
        made_s=made_s,
        file_bytes=path.stat().st_size,
        opened_s=opened_s,
        find_median_s={kind: statistics.median(wall) for kind, (wall, _) in finds.items()},
        find_worst_s={kind: max(wall) for kind, (wall, _) in finds.items()},
        find_processor_s={kind: statistics.median(spent) for kind, (_, spent) in finds.items()},
        find_processor_worst_s={kind: max(spent) for kind, (_, spent) in finds.items()},
        handset_worst_s=max(handset),
        report_s={kind: wall_s for kind, (wall_s, _) in reports.items()},
        report_processor_s={kind: spent_s for kind, (_, spent_s) in reports.items()},
        ledger_jobs=ledger_jobs,
        ledger_records=records,
        ledger_rebuild_s=rebuild_s,
    )


def make(path: Path, jobs: int) -> None:
    """So many jobs, in the order of a ledger, with only those records that tell something."""
    with closing(ReadModel(path)) as model:
        records = numbered(jobs)
        while piece := list(islice(records, PIECE)):
            model.take(piece)


def numbered(jobs: int) -> Iterator[StoredEntry]:
    """The records with numbers as if nothing had been left out in between."""
    at = BEGAN
    for number in range(jobs):
        at += timedelta(seconds=20)
        of_job = (*TakenIn.records(number, at), *job_records(number, at))
        for step, entry in enumerate(of_job):
            sequence = number * RECORDS_PER_JOB + step + 1
            yield StoredEntry(sequence=sequence, entry=entry, hash_hex=f"{sequence:064x}")


def imei_part(number: int) -> str:
    """Four digits from the middle of an IMEI."""
    return str(_told(number)["imei"])[8:12]


def _told(number: int) -> dict[str, str]:
    return {
        "imei": Named.imei(number),
        "serial": Named.serial(number),
        "tag": TakenIn.tag(number),
        "job": Named.job(number),
        "certificate": Certified.certificate(number),
    }


KINDS: Final[dict[str, Callable[[int], str]]] = {
    "a whole IMEI": lambda number: _told(number)["imei"],
    "an IMEI's last six": lambda number: _told(number)["imei"][-6:],
    "four digits of an IMEI": imei_part,
    "a serial": lambda number: _told(number)["serial"],
    "a serial's last four": lambda number: _told(number)["serial"][-4:],
    "a tag": lambda number: _told(number)["tag"],
    "a tag's last four": lambda number: _told(number)["tag"][-4:],
    "a whole job": lambda number: _told(number)["job"],
    "a job's last ten": lambda number: _told(number)["job"][-10:],
    "a whole certificate": lambda number: _told(number)["certificate"],
    "a certificate's first ten": lambda number: _told(number)["certificate"][:10],
    "what is in every job": lambda _number: "2026",
    "what is in none": lambda number: f"{number:05d}Q{number:05d}",
}


def drawn(jobs: int) -> list[int]:
    """Some jobs, the same in every run."""
    chance = random.Random(1)  # noqa: S311 - which jobs are looked for is no secret
    return [chance.randrange(jobs) for _ in range(LOOKS)]


def finding(
    model: ReadModel, of_job: Callable[[int], str], jobs: int
) -> tuple[list[float], list[float]]:
    """How long each find takes, and how much of the processor's time."""

    def one(text: str) -> Callable[[], object]:
        return lambda: model.look(lambda looker: looker.find(text), quick=True)

    found = [spent(one(of_job(number))) for number in drawn(jobs)]
    return [wall_s for wall_s, _ in found], [spent_s for _, spent_s in found]


def partial_file(model: ReadModel, number: int) -> Callable[[], object]:
    """The look into one handset's file."""
    return lambda: model.look(lambda looker: looker.handset(Named.job(number)), quick=True)


def report(model: ReadModel, asked: tuple[Asked, bool]) -> object:
    """A report, with the jobs of each handset or without."""
    which, named = asked
    return model.look(lambda looker: looker.report(which, named=named), quick=False)


_MONTH: Final = Asked(begin=BEGAN, end=BEGAN + timedelta(days=31))
_ALL: Final = Asked(begin=BEGAN, end=BEGAN + timedelta(days=3660))
REPORTS: Final = {
    "a month": (_MONTH, True),
    "a month without the jobs": (_MONTH, False),
    "all": (_ALL, True),
    "all without the jobs": (_ALL, False),
    "a lot": (replace(_ALL, lot=TakenIn.lot(LOT_OF)), True),
}


async def rebuild(folder: Path, jobs: int) -> tuple[int, float]:
    """How many records a real ledger of whole jobs has, and how long it takes to read it."""
    path, written = folder / "ledger.sqlite", 0
    key = create_key(folder / "key.pem")
    async with open_ledger(path, head_key=key) as ledger:
        for number in range(jobs):
            at = BEGAN + timedelta(seconds=20 * number)
            told = list(job_records(number, at))
            for entry in (*told[:-1], *noise_records(number, at, RECORDS_PER_JOB - len(told))):
                await ledger.append(entry)
            await ledger.append(replace(told[-1], at=at + timedelta(minutes=40)))
            written += RECORDS_PER_JOB
    with (
        closing(LedgerReader(path)) as reader,
        closing(ReadModel(folder / "again.sqlite")) as model,
    ):
        return written, timed(lambda: read_whole(reader, model))


def timed(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def spent(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds of one call, and those that the processor has spent on it."""
    began = time.process_time()
    wall_s = timed(call)
    return wall_s, time.process_time() - began
