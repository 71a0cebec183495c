"""A crowd's figures with the fleet's follower on and without, by turns.

The centre is the shipped one on a PostgreSQL of its own; it stays on the crowd's core, as another
machine's would leave the daemon's alone, and what both take of it is told beside.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

import psycopg

from benchd.domain.ids import JsonValue
from benchd.fleet.joined_racks import JoinedRacks
from benchd.lab.benchmarks.bench_report import Line, say
from benchd.lab.benchmarks.crowd.compared import compared, median_of_ratios
from benchd.lab.benchmarks.crowd.crowd_rack import CrowdRack, cores
from benchd.lab.benchmarks.crowd.measure import CrowdNotDone, Measured, measure_crowd
from benchd.lab.benchmarks.crowd.places import CrowdPlan
from benchd.lab.benchmarks.fleet.bench_centre import BenchCentre, bench_centre, bench_cluster
from benchd.lab.benchmarks.process_figures import family_cpu_s, figures_of
from benchd.lab.demo.demo_folder import DemoFolder
from benchd.lab.demo.private_postgres import Cluster
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import public_key_of

COMPARED: Final = (
    "wall_s",
    "daemon_cpu_s_per_job",
    "lag_mean_ms",
    "lag_p50_ms",
    "lag_p99_ms",
    "ready_to_first_byte_p99_ms",
)
OFF: Final = "off"
ON: Final = "on"


class _Centre:
    """What a running one costs beside the crowd."""

    def __init__(self, centre: BenchCentre, engine: int, core: int | None) -> None:
        self._centre = centre
        self._engine = engine
        self._core = core
        self.cpu_s = self.engine_cpu_s = 0.0
        self.records = 0

    async def join(self, folder: DemoFolder) -> None:
        """Let the rack in, and point its configuration to this centre."""
        public = public_key_of(folder.public_key.read_bytes())
        await JoinedRacks(self._centre.database).join("crowd", KeyRing.of(public))
        key = folder.path / "centre.pub"
        key.write_bytes(self._centre.key.public_key_pem)
        told = f"url = {json.dumps(self._centre.url)}\ncentre_key = {json.dumps(str(key))}\n"
        with folder.config.open("a", encoding="utf-8") as config:
            config.write(f"\n[fleet]\n{told}")

    @asynccontextmanager
    async def beside(self, rack: CrowdRack) -> AsyncGenerator[None, None]:
        """As long as the crowd is at work its processor time counts."""
        del rack
        if self._core is not None:
            for process in (self._centre.process, self._engine):
                keep_on(process, self._core)
        before_s = figures_of(self._centre.process).cpu_s, family_cpu_s(self._engine)
        yield
        self.cpu_s = figures_of(self._centre.process).cpu_s - before_s[0]
        self.engine_cpu_s = family_cpu_s(self._engine) - before_s[1]

    def count(self) -> None:
        """What has come in; raises CrowdNotDone where nothing has."""
        with psycopg.connect(self._centre.conninfo) as connection:
            [self.records] = connection.execute("SELECT count(*) FROM record").fetchone() or (0,)
        if not self.records:
            raise CrowdNotDone("the centre has no records: these figures are worthless")


def keep_on(process: int, core: int) -> None:
    """Keep all threads of a process and of its children on one core."""
    for task in Path(f"/proc/{process}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})
        for child in (task / "children").read_text(encoding="ascii").split():
            keep_on(int(child), core)


async def measure_with_fleet(
    plan: CrowdPlan, directory: Path, *, rounds: int
) -> dict[str, JsonValue]:
    """Without and with, by turns in so many rounds, each time with a centre that knows nothing."""
    found: dict[str, list[Measured]] = {OFF: [], ON: []}
    centres: list[_Centre] = []
    with bench_cluster(None) as cluster:
        for turn in range(rounds):
            say(f"{len(plan.handsets)} handsets: round {turn + 1}, without a centre")
            found[OFF].append(await measure_crowd(plan, directory / f"{turn}-off", viewers=False))
            say(f"{len(plan.handsets)} handsets: round {turn + 1}, with a centre")
            async with bench_centre(cluster, [], f"crowd_{turn}", with_pages=True) as running:
                centre = _Centre(running, _engine_of(cluster), cores()[1])
                place = directory / f"{turn}-on"
                one = await measure_crowd(
                    plan, place, viewers=False, prepare=centre.join, beside=centre.beside
                )
                centre.count()
            found[ON].append(one)
            centres.append(centre)
    compare = partial(compared, found=found, base=OFF, ratios={ON: "ratio"}, ratio=median_of_ratios)
    return {
        "rounds": rounds,
        **{name: compare(name) for name in COMPARED},
        "records": [each.figures["records"] for each in found[ON]],
        "records_at_centre": [each.records for each in centres],
        "centre_cpu_s": [round(each.cpu_s, 2) for each in centres],
        "postgresql_cpu_s": [round(each.engine_cpu_s, 2) for each in centres],
    }


def lines_with_fleet(count: int, told: Mapping[str, JsonValue]) -> list[Line]:
    """The table's lines of one count of handsets."""
    lines: list[Line] = []
    for name in COMPARED:
        figures = told[name]
        if isinstance(figures, Mapping):
            lines.append(
                Line(
                    what=f"{count} with the fleet's follower: {name}",
                    figure=f"{figures[ON]}, {figures[OFF]} without: {figures['ratio']}",
                    beside="",
                )
            )
    lines.append(
        Line(
            what="",
            figure=f"records {told['records']}, at the centre {told['records_at_centre']}",
            beside=f"processor s of the centre {told['centre_cpu_s']},"
            f" of PostgreSQL {told['postgresql_cpu_s']}",
        )
    )
    return lines


def _engine_of(cluster: Cluster) -> int:
    return int((cluster.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
