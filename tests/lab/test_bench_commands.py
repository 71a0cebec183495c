"""The benchmarks run and say what they promise; how fast anything is, no test judges."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.program import BENCHD


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BENCHD, "bench", *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.rack
@pytest.mark.nightly
@pytest.mark.timeout(180)
def test_scale_measures_racks_of_several_sizes(short_path: Path) -> None:
    fast = ("--write-bytes-per-s", "40000000", "--read-bytes-per-s", "80000000")
    done = bench(
        "scale", "--counts", "1,3", "--no-scripts", "--json", "--directory", str(short_path), *fast
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    for count in ("1", "3"):
        figures = told[count]
        assert figures["jobs"] == int(count)
        assert figures["wall_s"] > 0
        assert figures["daemon_cpu_s"] > 0
        assert figures["ready_to_first_byte_p99_ms"] > 0
        assert figures["rss_mb"] > 10
    assert list(short_path.iterdir()) == []


@pytest.mark.rack
@pytest.mark.timeout(180)
def test_felica_measures_one_reader_and_many() -> None:
    done = bench("felica", "--rounds", "1", "--inserts", "2", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    wanted = ("one_s", "fifteen_s", "insert_to_verdict_p99_ms", "old_chip_p99_ms")
    assert all(told[name] > 0 for name in (*wanted, "exchanges_per_s"))
    assert told["pcscds"] == 2


def test_identity_counts_visits_and_names_its_mix() -> None:
    done = bench("identity", "--visits", "40", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["counts"]["visits"] == 40
    assert told["mix"]["untold"] == 0.45
    shown = bench("identity", "--visits", "40", "--cases")
    assert "40 visits of seed 1, per 10000:" in shown.stdout


def test_a_count_that_is_none_is_refused() -> None:
    assert bench("scale", "--counts", "1,many").returncode == 2
    assert bench("scale", "--counts", "0").returncode == 2


def test_a_crowd_of_no_size_or_of_an_unknown_pace_is_refused(tmp_path: Path) -> None:
    assert bench("crowd", "--counts", "0").returncode == 2
    pace = tmp_path / "pace.toml"
    pace.write_text("fill = 1\n")
    done = bench("crowd", "--pace", str(pace))
    assert done.returncode != 0
    assert "fill isn't among" in done.stderr


@pytest.mark.timeout(120)
def test_a_crowd_ended_in_its_midst_leaves_neither_process_nor_folder(short_path: Path) -> None:
    command = [*BENCHD, "bench", "crowd", "--counts", "2", "--directory", str(short_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        while not list(short_path.rglob("benchd.sock")):
            assert running.poll() is None
        running.terminate()
        assert running.wait() == 128 + signal.SIGTERM
    assert list(short_path.iterdir()) == []
    assert not any(_names(short_path, process) for process in Path("/proc").iterdir())


def _names(folder: Path, process: Path) -> bool:
    """Whether this is a process whose command line names the folder."""
    try:
        return str(folder).encode() in (process / "cmdline").read_bytes()
    except OSError:
        return False


@pytest.mark.skipif(os.geteuid() == 0, reason="root may make loop devices")
def test_overwrite_says_that_it_needs_root() -> None:
    done = bench("overwrite")
    assert done.returncode == 3
    assert "root" in done.stderr


@pytest.mark.as_root
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("nwipe") is None,
    reason="only root may make loop devices, and it is measured beside nwipe",
)
@pytest.mark.timeout(120)
def test_overwrite_ended_in_its_midst_leaves_no_loop_device(short_path: Path) -> None:
    command = [*BENCHD, "bench", "overwrite", "--size-mib", "64", "--directory", str(short_path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert "round 1" in running.stderr.readline()
        while not _mounted_below(short_path):
            assert running.poll() is None
        running.terminate()
        assert running.wait() == 128 + signal.SIGTERM
    assert list(short_path.iterdir()) == []
    assert not _mounted_below(short_path)
    assert str(short_path) not in subprocess.check_output(["losetup", "--list"], text=True)


def _mounted_below(folder: Path) -> bool:
    return f" {folder}/" in Path("/proc/self/mounts").read_text()
