"""`benchd bench overwrite`: fill and read-back beside other ways to write the same medium."""

from __future__ import annotations

import mmap
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchd.domain.ids import JsonValue
from benchd.lab.benchmarks.bench_report import Line, ratio, say, tell
from benchd.lab.benchmarks.fill_runs import RunFailed, check, fill
from benchd.lab.benchmarks.loop_medium import LoopMedium, loop_media, require_root_and

SPARE_SHARE = 0.2
"""How much larger a medium is than what is written to it: the file system's own part."""
NWIPE_FIXED_BYTES = 64 << 20
AT_ONCE = 4
CHUNK_BYTES = 4 << 20


def bench_overwrite(*, size_mib: int, rounds: int, directory: Path | None, as_json: bool) -> None:
    """Measure, and print medians; raises DependencyMissing where it can't be measured."""
    require_root_and("adb", "nwipe", "unshare", "ip", "dd")
    size = size_mib << 20
    abi = platform.machine()
    work = Path(tempfile.mkdtemp(prefix="benchd-bench-", dir=directory or Path("/var/tmp")))  # noqa: S108
    try:
        source = work / "random.bin"
        with source.open("xb") as file:
            for _ in range(size // CHUNK_BYTES):
                file.write(os.urandom(CHUNK_BYTES))
        whole = size + int(size * SPARE_SHARE)
        with loop_media(work, AT_ONCE, whole) as media:
            samples = _interleaved(media, size, rounds, source, abi)
        with loop_media(work, 1, NWIPE_FIXED_BYTES) as small:
            samples["nwipe_fixed_s"] = [_nwipe(small, work) for _ in range(rounds)]
    finally:
        shutil.rmtree(work)
    medians: dict[str, float] = {name: statistics.median(s) for name, s in samples.items()}
    figures: dict[str, JsonValue] = {
        **medians,
        "bytes": size,
        "bytes_four": whole * AT_ONCE,
        "rounds": rounds,
        "samples": {name: list(values) for name, values in samples.items()},
    }
    tell(
        f"overwrite: {size_mib} MiB on ext4 over a loop device, median of {rounds}",
        figures,
        _lines(medians, size),
        as_json=as_json,
    )


def _interleaved(
    media: Sequence[LoopMedium], size: int, rounds: int, source: Path, abi: str
) -> dict[str, list[float]]:
    """Every way once a round, so that what else the machine does hits them alike."""
    samples: dict[str, list[float]] = {}

    def note(name: str, seconds: float) -> None:
        samples.setdefault(name, []).append(seconds)

    one = media[0]
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        with one.mounted() as folder:
            note("raw_write_s", write_ready_made(folder / "raw", size))
            note("raw_read_s", read_and_forget(folder / "raw"))
        with one.mounted() as folder:
            running, asked = fill(folder, abi, max_bytes=size)
            with running:
                filled, seconds = running.wait()
            if filled["bytes"] != size:
                raise RunFailed(f"the fill wrote {filled['bytes']} bytes, not {size}")
            note("fill_s", seconds)
            with check(asked, filled, abi) as running:
                note("readback_s", running.wait()[1])
        with one.mounted() as folder:
            note("urandom_s", _timed(lambda at=folder: _urandom(at / "urandom", size)))
        with one.mounted() as folder:
            note("adb_push_s", _push(source, folder / "pushed"))
        note("four_s", _four(media, abi))
        note("nwipe1_s", _nwipe(media[:1], source.parent))
        note("nwipe4_s", _nwipe(media, source.parent))
    return samples


def _timed(work: Callable[[], None]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def _urandom(file: Path, size: int) -> None:
    command = ["dd", "if=/dev/urandom", f"of={file}", f"bs={CHUNK_BYTES}", "iflag=fullblock"]
    command += [f"count={size // CHUNK_BYTES}", "oflag=direct", "conv=fsync", "status=none"]
    subprocess.run(command, check=True)


def _push(source: Path, target: Path) -> float:
    inside = ["unshare", "--net", "--pid", "--fork", "--kill-child"]
    command = [*inside, sys.executable, "-m", "benchd.lab.benchmarks.push_inside"]
    done = subprocess.run(
        [*command, str(source), str(target)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RunFailed(f"adb push failed: {done.stderr.strip()[-500:]}")
    return float(done.stdout)


def _four(media: Sequence[LoopMedium], abi: str) -> float:
    """Four media at once, each filled to its end and then read back whole."""
    with ExitStack() as media_up, ExitStack() as programs:
        folders = [media_up.enter_context(medium.mounted()) for medium in media]
        begun = time.monotonic()
        fills = [fill(folder, abi) for folder in folders]
        for running, _ in fills:
            programs.enter_context(running)
        checks = [
            programs.enter_context(check(asked, running.wait()[0], abi)) for running, asked in fills
        ]
        for running in checks:
            running.wait()
        return time.monotonic() - begun


def _nwipe(media: Sequence[LoopMedium], work: Path) -> float:
    """One pass of pseudo-random data over the devices at once, read back in the end."""
    command = ["nwipe", "--autonuke", "--nogui", "--nowait", "--noblank", "--method=prng"]
    command += ["--rounds=1", "--verify=last", "--PDFreportpath=noPDF"]
    command += [f"--logfile={work / 'nwipe.log'}", *(medium.device for medium in media)]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begun
    if done.returncode != 0:
        raise RunFailed(f"nwipe ended with {done.returncode}: {done.stdout[-500:]}{done.stderr}")
    return seconds


def _lines(seconds: dict[str, float], size: int) -> list[Line]:
    def line(what: str, name: str, beside: str = "") -> Line:
        rate = size / seconds[name] / 1e6
        return Line(what=what, figure=f"{seconds[name]:.2f} s, {rate:.0f} MB/s", beside=beside)

    s = seconds
    return [
        line("ready-made buffer, O_DIRECT", "raw_write_s"),
        line(
            "fill",
            "fill_s",
            f"{ratio(s['raw_write_s'], s['fill_s'])} the ready-made buffer's rate,"
            f" {ratio(s['urandom_s'], s['fill_s'])} urandom's",
        ),
        line("dd if=/dev/urandom", "urandom_s"),
        line("adb push", "adb_push_s", f"fill: {ratio(s['adb_push_s'], s['fill_s'])} its rate"),
        line("read, O_DIRECT", "raw_read_s"),
        line(
            "read-back",
            "readback_s",
            f"{ratio(s['raw_read_s'], s['readback_s'])} the plain read's rate",
        ),
        Line(what="nwipe, one medium", figure=f"{s['nwipe1_s']:.2f} s"),
        Line(
            what="nwipe, four media",
            figure=f"{s['nwipe4_s']:.2f} s, fixed {s['nwipe_fixed_s']:.2f} s",
        ),
        Line(
            what="fill and read-back, four media",
            figure=f"{s['four_s']:.2f} s",
            beside=f"{ratio(s['four_s'], s['nwipe4_s'] - s['nwipe_fixed_s'])}"
            " nwipe's time without its fixed cost",
        ),
    ]


def write_ready_made(file: Path, size_bytes: int) -> float:
    """Seconds to write so many bytes of one random buffer with O_DIRECT, synced."""
    with mmap.mmap(-1, CHUNK_BYTES) as buffer:
        buffer.write(os.urandom(CHUNK_BYTES))
        begun = time.monotonic()
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_DIRECT)
        try:
            for offset in range(0, size_bytes, CHUNK_BYTES):
                os.pwritev(descriptor, [buffer], offset)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return time.monotonic() - begun


def read_and_forget(file: Path) -> float:
    """Seconds to read the whole file with O_DIRECT."""
    with mmap.mmap(-1, CHUNK_BYTES) as buffer:
        begun = time.monotonic()
        descriptor = os.open(file, os.O_RDONLY | os.O_DIRECT)
        try:
            offset = 0
            while count := os.preadv(descriptor, [buffer], offset):
                offset += count
        finally:
            os.close(descriptor)
        return time.monotonic() - begun
