"""The table of `benchd bench crowd`."""

from __future__ import annotations

from collections.abc import Mapping

from benchd.domain.ids import JsonValue
from benchd.lab.benchmarks.bench_report import Line, ratio
from benchd.lab.benchmarks.crowd.measure import Measured

Others = Mapping[int, Mapping[str, JsonValue]]


def lines_of(
    measured: Mapping[int, Measured],
    dealt: Others,
    others: Others,
    parts: Mapping[str, Mapping[str, float]] | None,
) -> list[Line]:
    """By count what was measured, then what people write, then whose the processor's time is."""
    lines: list[Line] = []
    one = measured.get(1)
    for count, rack in measured.items():
        lines += _of_count(rack, one)
        if count in dealt:
            told = ", ".join(f"{name} {value}" for name, value in dealt[count].items())
            lines.append(Line(what="", figure="blows", beside=told))
        for way, about in others.get(count, {}).items():
            if isinstance(about, Mapping):
                lines.append(_of_way(way, about))
    if parts is not None:
        ranked = sorted(parts["s_per_job"].items(), key=lambda part: -part[1])
        told = ", ".join(f"{name} {1000 * seconds:.1f}" for name, seconds in ranked)
        lines.append(Line(what="processor, ms per job", figure="", beside=told))
    return lines


def _of_count(rack: Measured, one: Measured | None) -> list[Line]:
    told = rack.figures
    beside = "" if one is None else f"{ratio(rack.wall_s, one.wall_s)} one handset's time"
    limit = "; THE CROWD ITSELF WAS THE LIMIT" if told["crowd_was_limit"] else ""
    lines = [
        Line(what=f"{rack.count} handsets", figure=f"{rack.wall_s:.1f} s", beside=beside + limit),
        Line(
            what="",
            figure=f"processor {told['daemon_cpu_s_per_job']} s, {told['shells_per_job']} shells,"
            f" {told['wakeups_per_job']} wake-ups per job, {told['rss_mb']} MB",
            beside=f"workers {told['workers_cpu_s_per_job']} s, crowd"
            f" {told['crowd_share_of_core']} of its core until all fill",
        ),
        Line(
            what="",
            figure="ms at p50, p99, p99.9",
            beside="; ".join(
                f"{what} " + ", ".join(f"{told[f'{key}_{p}_ms']}" for p in ("p50", "p99", "p999"))
                for what, key in (
                    ("port to shown", "port_to_shown"),
                    ("ready to first byte", "ready_to_first_byte"),
                    ("with people", "with_people"),
                    ("lag", "lag"),
                )
            )
            + f"; lag at most {told['lag_max_ms']}",
        ),
        Line(
            what="",
            figure=f"{told['records_per_s']} records/s",
            beside=f"{told['records']} in {told['commits']} commits,"
            f" p99 on disk ≤ {told['commit_p99_at_most_ms']} ms",
        ),
    ]
    if "scrape_median_ms" in told:
        shares = ", ".join(
            f"{count} viewers {told[f'viewers_{count}_share_of_core']}" for count in (0, 1, 20)
        )
        lines.append(
            Line(
                what="",
                figure=f"scrape {told['scrape_median_ms']} ms",
                beside=f"of a core while all fill: {shares}",
            )
        )
    return lines


def _of_way(way: str, told: Mapping[str, JsonValue]) -> Line:
    return Line(
        what=f"  {way}",
        figure=f"{told['wall_s']} s, processor {told['cpu_s_per_device']} s per device",
        beside=f"{told['rss_mb']} MB, begin to first byte p99"
        f" {told['begin_to_first_byte_p99_ms']} ms; proves nothing",
    )
