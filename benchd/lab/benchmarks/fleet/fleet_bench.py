"""`benchd bench fleet`: the centre's figures of this machine."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import anyio
import typer

from benchd.lab.benchmarks.fleet.bench_centre import bench_cluster
from benchd.lab.benchmarks.fleet.ingest import Ingest, measure_ingest
from benchd.lab.benchmarks.fleet.load import Load, measure_load
from benchd.lab.benchmarks.fleet.lookups import Lookups, Took, measure_lookups
from benchd.lab.benchmarks.fleet.reports import Reports, measure_reports


class Part(StrEnum):
    """What can be measured by itself."""

    INGEST = "ingest"
    LOAD = "load"
    LOOKUPS = "lookups"
    REPORTS = "reports"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is measured, and how much of it."""

    parts: Collection[Part]
    records: int
    """Of each of `senders` racks, as fast as the centre takes them."""
    senders: int
    rounds: int
    racks: int
    rate: float
    duration_s: float
    jobs: int
    looks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Those of the parts that were wanted."""

    ingest: Ingest | None = None
    load: Load | None = None
    lookups: Lookups | None = None
    reports: Reports | None = None


def bench_fleet(wanted: Wanted, *, directory: Path | None, as_json: bool) -> None:
    """Print the figures of this machine."""
    figures = anyio.run(measure, wanted, directory)
    if as_json:
        typer.echo(json.dumps(asdict(figures), indent=2))
        return
    for line in shown(figures):
        typer.echo(line)


async def measure(wanted: Wanted, directory: Path | None) -> Figures:
    """Each part on a database of its own."""
    ingest = load = lookups = reports = None
    with bench_cluster(directory) as cluster:
        if Part.INGEST in wanted.parts:
            ingest = await measure_ingest(
                cluster, racks=wanted.senders, records=wanted.records, rounds=wanted.rounds
            )
        if Part.LOAD in wanted.parts:
            load = await measure_load(
                cluster, racks=wanted.racks, rate=wanted.rate, duration_s=wanted.duration_s
            )
        if Part.LOOKUPS in wanted.parts:
            lookups = await measure_lookups(cluster, jobs=wanted.jobs, looks=wanted.looks)
        if Part.REPORTS in wanted.parts:
            reports = await measure_reports(cluster, jobs=wanted.jobs, looks=wanted.looks)
    return Figures(ingest=ingest, load=load, lookups=lookups, reports=reports)


def shown(figures: Figures) -> Iterator[str]:
    """The figures in lines."""
    if (ingest := figures.ingest) is not None:
        yield (
            f"ingest: {ingest.records} records of {ingest.racks} racks, {ingest.body_bytes:.0f}"
            f" bytes each, {ingest.packed_bytes:.0f} packed: {ingest.centre_per_s:.0f}/s;"
            f" copied by PostgreSQL alone {ingest.copy_per_s:.0f}/s: ratio {ingest.ratio:.2f}"
        )
        yield (
            f"the centre's processor {ingest.centre_processor_us:.0f} µs a record; filed for"
            f" looking up {ingest.filed_per_s:.0f} records/s; on disk"
            f" {ingest.record_disk_bytes:.0f} bytes a record, {ingest.whole_disk_bytes:.0f} with"
            " all that is for looking up"
        )
    if (load := figures.load) is not None:
        yield (
            f"load: {load.racks} racks with {load.rate:g} records/s for {load.duration_s:g} s:"
            f" {load.records} records in {load.batches} batches, {load.failures} failures;"
            f" lag p50 {load.lag_p50_s:.2f} s, p99 {load.lag_p99_s:.2f} s,"
            f" at worst {load.lag_worst_s:.2f} s"
        )
        yield (
            f"the centre: {load.centre_processor:.0%} of a core, {load.centre_rss_bytes >> 20} MiB;"
            f" {load.unfiled} records not filed yet at the end"
        )
    if (lookups := figures.lookups) is not None:
        yield (
            f"look-ups: {lookups.jobs} synthetic jobs, filled in {lookups.filled_s:.0f} s,"
            f" {lookups.database_bytes >> 20} MiB"
        )
        for kind, took in lookups.kinds.items():
            yield _took(kind, took)
    if (reports := figures.reports) is not None:
        yield (
            f"reports: {reports.jobs} synthetic jobs of a year, filled in {reports.filled_s:.0f} s,"
            f" {reports.table_bytes >> 20} MiB; {reports.counted_per_s:.0f} records/s are counted"
        )
        for kind, took in reports.kinds.items():
            yield _took(kind, took)


def _took(kind: str, took: Took) -> str:
    return f"{kind}: p50 {took.p50_ms:.1f} ms, p99 {took.p99_ms:.1f} ms of {took.count}"
