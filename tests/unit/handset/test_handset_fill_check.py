"""Read-back, drop and the host's own samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest
from handset_fakes import Step, Unplug, line
from handset_fill_bench import (
    CHECK_DONE,
    DONE_FILES,
    DROP_DONE,
    MIB,
    ORDER,
    STARTED,
    Bench,
    progress,
)

from benchd.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    StageFailed,
    StorageFault,
)
from benchd.handset.packets import Exit, Output
from benchd.model import BadRun

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_a_whole_check(bench: Bench) -> None:
    report = await bench.check(progress(5 * MIB), line("done", **CHECK_DONE), Exit(0))
    assert (report.bytes_proven, report.bytes_bad) == (7 * MIB, 0)
    assert bench.request()["files"] == DONE_FILES


async def test_a_check_that_found_bad_bytes(bench: Bench) -> None:
    bad = [{"name": "fill-000001.dat", "offset": 4096, "bytes": 8192}]
    done = {**CHECK_DONE, "bytes_proven": 7 * MIB - 8192, "bytes_bad": 8192, "bad": bad}
    report = await bench.check(line("done", **done), Exit(1))
    assert report.bytes_bad == 8192
    assert report.bad_runs == (BadRun(name="fill-000001.dat", offset=4096, size_bytes=8192),)


async def test_a_file_that_grew_counts_more_bad_bytes_than_were_ordered(bench: Bench) -> None:
    bad = [{"name": "fill-000001.dat", "offset": 3 * MIB, "bytes": 100}]
    done = {**CHECK_DONE, "bytes_bad": 100, "bad": bad}
    assert await bench.check(line("done", **done), Exit(1)) is not None


@pytest.mark.parametrize(
    ("change", "exit_code"),
    [
        ({}, 1),
        ({"bytes_proven": 7 * MIB - 1}, 0),
        ({"bytes_proven": 7 * MIB + 1}, 0),
        ({"bytes_proven": 0}, 0),
        ({"bytes_proven": 0, "bytes_bad": 7 * MIB}, 0),
        ({"bytes_bad": 4096}, 1),
        ({"bytes_bad": -1}, 0),
        ({"past_cache": "cached"}, 0),
        ({"past_cache": ""}, 0),
        ({"bad": None}, 0),
        ({"bad": [{"name": "fill-000000.dat", "offset": 0, "bytes": 1}]}, 0),
        (
            {
                "bytes_proven": 7 * MIB - 1,
                "bytes_bad": 1,
                "bad": [{"name": "fill-000000.dat", "offset": 0, "bytes": 1}],
            },
            0,
        ),
        (
            {
                "bytes_proven": 7 * MIB - 1,
                "bytes_bad": 1,
                "bad": [{"name": "fill-000009.dat", "offset": 0, "bytes": 1}],
            },
            1,
        ),
        (
            {
                "bytes_bad": 65,
                "bad": 65 * [{"name": "fill-000000.dat", "offset": 0, "bytes": 1}],
            },
            1,
        ),
    ],
)
async def test_a_check_that_contradicts_itself_is_refused(
    bench: Bench, change: Mapping[str, object], exit_code: int
) -> None:
    with pytest.raises(AnswerNotRecognised):
        await bench.check(line("done", **{**CHECK_DONE, **change}), Exit(exit_code))


async def test_a_check_reports_no_start(bench: Bench) -> None:
    with pytest.raises(AnswerNotRecognised):
        await bench.check(line("started", **STARTED), line("done", **CHECK_DONE), Exit(0))


async def test_more_progress_than_was_ordered_is_refused(bench: Bench) -> None:
    with pytest.raises(AnswerNotRecognised):
        await bench.check(progress(7 * MIB + 1), line("done", **CHECK_DONE), Exit(0))


async def test_a_check_of_nothing_proves_nothing(bench: Bench) -> None:
    with pytest.raises(StageFailed) as refusal:
        await bench.driver.check(ORDER, (), bench.seen.append)
    assert refusal.value.reason == "proof_incomplete"


async def test_drop(bench: Bench) -> None:
    bench.says("drop", line("done", **DROP_DONE), Exit(0))
    report = await bench.driver.drop()
    assert (report.files_removed, report.free_bytes) == (2, 7 * MIB)
    assert bench.request() == {"directory": "/data/local/tmp/benchd"}


@pytest.mark.parametrize("exit_code", [1, 4])
async def test_a_drop_with_another_code_is_refused(bench: Bench, exit_code: int) -> None:
    bench.says("drop", line("done", **DROP_DONE), Exit(exit_code))
    with pytest.raises(AnswerNotRecognised):
        await bench.driver.drop()


async def test_a_key_of_another_size_never_leaves_the_house(bench: Bench) -> None:
    with pytest.raises(ValueError, match="key"):
        await bench.fill(order=dataclasses.replace(ORDER, key=b"short"))


async def test_a_sample_is_cut_out_of_whole_blocks(bench: Bench) -> None:
    blocks = bytes(range(256)) * 32
    bench.shell.on("exec dd", Output(blocks, is_error=False), Exit(0))
    assert await bench.driver.sample("fill-000001.dat", 3 * 4096 + 100, 5000) == blocks[100:5100]
    assert bench.shell.commands == [
        "exec dd if=/data/local/tmp/benchd/fill-000001.dat bs=4096 skip=3 count=2 2> /dev/null"
    ]


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([Output(bytes(4095), is_error=False), Exit(0)], StorageFault),
        ([Output(bytes(4096), is_error=False), Exit(1)], StorageFault),
        ([Exit(0)], StorageFault),
        ([Output(bytes(4097), is_error=False), Exit(0)], AnswerNotRecognised),
        ([Output(bytes(4096), is_error=False), Unplug()], HandsetGone),
    ],
)
async def test_a_sample_is_exact_or_none(
    bench: Bench, steps: list[Step], fault: type[BenchdError]
) -> None:
    bench.shell.on("exec dd", *steps)
    with pytest.raises(fault):
        await bench.driver.sample("fill-000000.dat", 0, 4096)


@pytest.mark.parametrize("name", ["x", "../../etc/passwd", "fill-000000.dat;rm", "fill-1.dat", ""])
async def test_a_sample_of_anything_else_is_never_asked_for(bench: Bench, name: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        await bench.driver.sample(name, 0, 4096)
    assert bench.shell.commands == []
