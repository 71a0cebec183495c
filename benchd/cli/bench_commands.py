"""`benchd bench …`: what each benchmark may be asked."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from benchd.cli.lab import require_lab
from benchd.cli.options import JsonOption

bench_app = typer.Typer(help="Figures of this machine, beside other ways.", no_args_is_help=True)


@bench_app.callback()
def _end_in_order() -> None:
    """Take down loop devices, mounts and racks on SIGTERM too, as on Ctrl-C."""
    require_lab()

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)


@bench_app.command("overwrite")
def bench_overwrite(
    size_mib: Annotated[int, typer.Option(min=64, help="Bytes to write, in MiB.")] = 2048,
    rounds: Annotated[int, typer.Option(min=1, max=99, help="Medians are of so many.")] = 5,
    directory: Annotated[
        Path | None, typer.Option(help="Where the media are made, ten times their size.")
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Measure fill and read-back beside other ways to write; as root, on loop devices."""
    from benchd.lab.benchmarks.overwrite import bench_overwrite as measure

    measure(size_mib=size_mib, rounds=rounds, directory=directory, as_json=json_output)


@bench_app.command("scale")
def bench_scale(
    counts: Annotated[str, typer.Option(help="How many handsets at once: N,N,…")] = "1,10,28,64",
    naive: Annotated[
        bool, typer.Option("--scripts/--no-scripts", help="Scripts with adbutils beside.")
    ] = True,
    write_bytes_per_s: Annotated[
        int, typer.Option(min=1, help="How fast each virtual flash writes.")
    ] = 400_000,
    read_bytes_per_s: Annotated[
        int, typer.Option(min=1, help="How fast each virtual flash reads.")
    ] = 1_200_000,
    directory: Annotated[Path | None, typer.Option(help="Where the racks are made.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Measure a rack of virtual handsets beside a single one; takes half an hour."""
    from benchd.lab.benchmarks.scale import Pace
    from benchd.lab.benchmarks.scale import bench_scale as measure

    wanted = _counts(counts, 128)
    pace = Pace(write_bytes_per_s=write_bytes_per_s, read_bytes_per_s=read_bytes_per_s)
    measure(counts=wanted, pace=pace, naive=naive, directory=directory, as_json=json_output)


@bench_app.command("felica")
def bench_felica(
    rounds: Annotated[int, typer.Option(min=1, max=99, help="Medians are of so many.")] = 5,
    inserts: Annotated[int, typer.Option(min=2, help="How often a chip is laid on.")] = 60,
    json_output: JsonOption = False,
) -> None:
    """Measure scans of virtual chips on 1, 15 and 32 readers, and from insert to verdict."""
    from benchd.lab.benchmarks.felica_bench import bench_felica as measure

    measure(rounds=rounds, inserts=inserts, as_json=json_output)


@bench_app.command("records")
def bench_records(
    jobs: Annotated[int, typer.Option(min=1000, help="How many jobs are looked in.")] = 1_000_000,
    ledger_jobs: Annotated[
        int, typer.Option(min=10, help="From a ledger of how many jobs it's rebuilt.")
    ] = 20_000,
    directory: Annotated[
        Path | None, typer.Option(help="Where the files are made, 2 GB for a million jobs.")
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Measure finding, report, start and rebuild of the read model; takes half an hour."""
    from benchd.lab.benchmarks.records import bench_records as measure

    measure(jobs=jobs, ledger_jobs=ledger_jobs, directory=directory, as_json=json_output)


@bench_app.command("identity")
def bench_identity(
    visits: Annotated[int, typer.Option(min=1, help="How often a handset is plugged in.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Which handsets come, and who errs when.")] = 1,
    cases: Annotated[
        bool, typer.Option("--cases/--no-cases", help="Histories of what went wrong.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Count what the rule of identity misses, asks and holds among a dealer's visits."""
    from benchd.lab.benchmarks.identity.identity_bench import bench_identity as measure

    measure(visits=visits, seed=seed, cases=cases, as_json=json_output)


@bench_app.command("crowd")
def bench_crowd(
    counts: Annotated[str, typer.Option(help="How many handsets at once: N,N,…")] = "1,64,256",
    pace: Annotated[
        Path | None, typer.Option(help="A TOML file with the handsets' times and their jitter.")
    ] = None,
    strangers: Annotated[
        int, typer.Option(min=0, help="Once more among so many anonymous clients, and without.")
    ] = 0,
    fleet: Annotated[
        bool, typer.Option("--fleet", help="Once more with a fleet's centre, and without.")
    ] = False,
    rounds: Annotated[int, typer.Option(min=1, help="How often that is measured, by turns.")] = 3,
    dossier: Annotated[
        Path | None, typer.Option(help="Let all of them answer as the handset of this dossier.")
    ] = None,
    ways: Annotated[
        bool, typer.Option("--ways/--no-ways", help="Threads and adb processes beside.")
    ] = True,
    blows: Annotated[
        bool, typer.Option("--blows/--no-blows", help="Reload, adb's death, storm, restart.")
    ] = True,
    profile: Annotated[
        bool, typer.Option("--profile/--no-profile", help="Once more with a profile.")
    ] = True,
    directory: Annotated[Path | None, typer.Option(help="Where the racks are made.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Measure what the daemon itself costs, with handsets that cost next to nothing."""
    from benchd.lab.benchmarks.crowd.crowd_bench import MOST
    from benchd.lab.benchmarks.crowd.crowd_bench import bench_crowd as measure
    from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace, read_pace

    measure(
        counts=_counts(counts, MOST),
        pace=CrowdPace() if pace is None else read_pace(pace),
        ways=ways,
        blows=blows,
        profile=profile,
        strangers=strangers,
        fleet=fleet,
        rounds=rounds,
        dossier=dossier,
        directory=directory,
        as_json=json_output,
    )


@bench_app.command("flood")
def bench_flood(
    count: Annotated[
        int, typer.Option(min=2, max=700, help="How many handsets, the flooding one among them.")
    ] = 16,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is measured, by turns.")] = 3,
    kinds: Annotated[
        str, typer.Option(help="What it floods with: lines, endless, packets, answers, flaps.")
    ] = "lines,endless,packets,answers,flaps",
    pace: Annotated[
        Path | None, typer.Option(help="A TOML file with the handsets' times and their jitter.")
    ] = None,
    directory: Annotated[Path | None, typer.Option(help="Where the racks are made.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Measure what the neighbours of one handset that floods notice of it."""
    from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace, read_pace
    from benchd.lab.benchmarks.crowd.flood_bench import bench_flood as measure
    from benchd.lab.benchmarks.crowd.floods import Flood

    try:
        wanted = [Flood(kind) for kind in kinds.split(",")]
    except ValueError as error:
        known = ", ".join(Flood)
        raise typer.BadParameter(f"--kinds takes {known}, with commas between them") from error
    measure(
        count=count,
        pace=CrowdPace(fill_s=15, check_s=5) if pace is None else read_pace(pace),
        rounds=rounds,
        kinds=wanted,
        directory=directory,
        as_json=json_output,
    )


@bench_app.command("walls")
def bench_walls(
    count: Annotated[int, typer.Option(min=1, max=700, help="How many handsets.")] = 28,
    records: Annotated[
        int, typer.Option(min=1000, help="How many records the ledger has before; made once.")
    ] = 1_000_000,
    strangers: Annotated[
        int, typer.Option(min=1, help="So many ask, as many hold streams, as many guess.")
    ] = 192,
    neighbours: Annotated[
        int, typer.Option(min=0, help="So many other processes want a processor each.")
    ] = 10,
    patience: Annotated[
        float, typer.Option(min=1, help="How many times longer than promised an answer may take.")
    ] = 1,
    pace: Annotated[
        Path | None, typer.Option(help="A TOML file with the handsets' times and their jitter.")
    ] = None,
    directory: Annotated[Path | None, typer.Option(help="Where the rack is made.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Show that a rack at work lives through strangers; exits 1 where something didn't hold."""
    from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace, read_pace
    from benchd.lab.benchmarks.walls_bench import bench_walls as measure

    measure(
        count=count,
        records=records,
        strangers=strangers,
        neighbours=neighbours,
        patience=patience,
        pace=CrowdPace() if pace is None else read_pace(pace),
        directory=directory,
        as_json=json_output,
    )


@bench_app.command("fleet")
def bench_fleet(
    parts: Annotated[
        str, typer.Option(help="What is measured: ingest, load, lookups, reports, with commas.")
    ] = "ingest,load,lookups,reports",
    senders: Annotated[int, typer.Option(min=1, help="Ingest: so many racks at once,")] = 4,
    records: Annotated[int, typer.Option(min=20, help="with so many records each,")] = 20_000,
    rounds: Annotated[int, typer.Option(min=1, help="so often, with a plain COPY by turns.")] = 3,
    racks: Annotated[int, typer.Option(min=1, help="Load: so many racks,")] = 50,
    rate: Annotated[float, typer.Option(min=0.1, help="with so many records a second each,")] = 20,
    duration: Annotated[float, typer.Option(min=0.1, help="for so many seconds.")] = 600,
    jobs: Annotated[
        int,
        typer.Option(min=20, help="Look-ups, reports: among so many jobs; 30 GB for ten million,"),
    ] = 100_000,
    looks: Annotated[
        int, typer.Option(min=1, help="so many of each kind, and ten times as many gate questions.")
    ] = 100,
    directory: Annotated[
        Path | None, typer.Option(help="Where the database is made; a short path.")
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Measure the fleet's centre: ingest beside a plain COPY, lag under load, look-ups, reports."""
    from benchd.lab.benchmarks.fleet.fleet_bench import Part, Wanted
    from benchd.lab.benchmarks.fleet.fleet_bench import bench_fleet as measure

    try:
        named = [Part(part) for part in parts.split(",")]
    except ValueError as error:
        known = ", ".join(Part)
        raise typer.BadParameter(f"--parts takes {known}, with commas between them") from error
    wanted = Wanted(
        parts=named,
        records=records,
        senders=senders,
        rounds=rounds,
        racks=racks,
        rate=rate,
        duration_s=duration,
        jobs=jobs,
        looks=looks,
    )
    measure(wanted, directory=directory, as_json=json_output)


def _counts(text: str, most: int) -> list[int]:
    try:
        wanted = [int(count) for count in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter("--counts takes numbers with commas between them") from error
    if not all(1 <= count <= most for count in wanted):
        raise typer.BadParameter(f"--counts takes numbers from 1 to {most}")
    return wanted
