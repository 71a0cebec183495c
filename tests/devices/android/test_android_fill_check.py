"""Read-back, drop and the host's own samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from handset_fakes import line
from handset_fill_rig import (
    CHECK,
    CHECK_DONE,
    DONE_FILES,
    DROP_DONE,
    MIB,
    ORDER,
    STARTED,
    Rig,
    progress,
)

from benchd.devices.android.fill.driver import SMALL_FILE_BYTES
from benchd.devices.android.shell.packets import Exit
from benchd.domain.errors import AnswerNotRecognised, StageFailed
from benchd.domain.fill import BadRun, FileRange

WHOLE_BYTES = 7 * MIB + CHECK.small_files * SMALL_FILE_BYTES

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_whole_check(rig: Rig) -> None:
    report = await rig.check(progress(5 * MIB), line("done", **CHECK_DONE), Exit(0))
    assert (report.bytes_proven, report.bytes_bad) == (7 * MIB, 0)
    assert rig.request()["files"] == DONE_FILES


async def test_small_files_go_forward_too(rig: Rig) -> None:
    told = (progress(7 * MIB), progress(WHOLE_BYTES))
    assert await rig.check(*told, line("done", **CHECK_DONE), Exit(0)) is not None


async def test_a_check_that_found_bad_bytes(rig: Rig) -> None:
    bad = [{"name": "fill-000001.dat", "offset": 4096, "bytes": 8192}]
    done = {**CHECK_DONE, "bytes_proven": 7 * MIB - 8192, "bytes_bad": 8192, "bad": bad}
    report = await rig.check(line("done", **done), Exit(1))
    assert report.bytes_bad == 8192
    assert report.bad_runs == (BadRun(name="fill-000001.dat", offset=4096, size_bytes=8192),)


async def test_a_file_that_grew_counts_more_bad_bytes_than_were_ordered(rig: Rig) -> None:
    bad = [{"name": "fill-000001.dat", "offset": 3 * MIB, "bytes": 100}]
    done = {**CHECK_DONE, "bytes_bad": 100, "bad": bad}
    assert await rig.check(line("done", **done), Exit(1)) is not None


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
        ({"bytes_ordered": 7 * MIB - 4096}, 0),
        ({"bytes_ordered": None}, 0),
        ({"bytes_shown": 7 * MIB - 1}, 0),
        ({"bytes_shown": 7 * MIB + 1}, 0),
        ({"bytes_shown": 0}, 0),
        ({"bytes_shown": None}, 0),
        ({"small_same": 1}, 0),
        ({"small_same": 3}, 0),
        ({"small_same": 3}, 1),
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
    rig: Rig, change: Mapping[str, object], exit_code: int
) -> None:
    with pytest.raises(AnswerNotRecognised):
        await rig.check(line("done", **{**CHECK_DONE, **change}), Exit(exit_code))


async def test_a_check_reports_no_start(rig: Rig) -> None:
    with pytest.raises(AnswerNotRecognised):
        await rig.check(line("started", **STARTED), line("done", **CHECK_DONE), Exit(0))


async def test_more_progress_than_was_ordered_is_refused(rig: Rig) -> None:
    with pytest.raises(AnswerNotRecognised):
        await rig.check(progress(WHOLE_BYTES + 1), line("done", **CHECK_DONE), Exit(0))


async def test_a_check_of_nothing_proves_nothing(rig: Rig) -> None:
    with pytest.raises(StageFailed) as refusal:
        await rig.driver.check(dataclasses.replace(CHECK, files=()), rig.seen.append)
    assert refusal.value.reason == "proof_incomplete"


async def test_drop(rig: Rig) -> None:
    rig.says("drop", line("done", **DROP_DONE), Exit(0))
    report = await rig.driver.drop()
    assert (report.files_removed, report.free_bytes) == (2, 7 * MIB)
    assert rig.request() == {"directory": "/data/local/tmp/benchd", "only_tail": False}


@pytest.mark.parametrize("exit_code", [1, 4])
async def test_a_drop_with_another_code_is_refused(rig: Rig, exit_code: int) -> None:
    rig.says("drop", line("done", **DROP_DONE), Exit(exit_code))
    with pytest.raises(AnswerNotRecognised):
        await rig.driver.drop()


async def test_a_key_of_another_size_never_leaves_the_house(rig: Rig) -> None:
    with pytest.raises(ValueError, match="key"):
        await rig.fill(order=dataclasses.replace(ORDER, key=b"short"))


async def test_a_check_of_ranges(rig: Rig) -> None:
    ranges = (
        FileRange(file=0, offset=4096, size_bytes=8192),
        FileRange(file=1, offset=0, size_bytes=4096),
    )
    done = {**CHECK_DONE, "bytes_ordered": 12288, "bytes_proven": 12288, "bytes_shown": 12288}
    order = dataclasses.replace(CHECK, ranges=ranges)
    report = await rig.check(line("done", **done), Exit(0), order=order)
    assert report.bytes_proven == 12288
    assert rig.request()["ranges"] == [[0, 4096, 8192], [1, 0, 4096]]


async def test_a_check_of_everything_is_no_answer_to_ranges(rig: Rig) -> None:
    ranges = (FileRange(file=0, offset=4096, size_bytes=8192),)
    with pytest.raises(AnswerNotRecognised):
        await rig.check(
            line("done", **CHECK_DONE), Exit(0), order=dataclasses.replace(CHECK, ranges=ranges)
        )


async def test_small_files_that_differ_are_told(rig: Rig) -> None:
    report = await rig.check(line("done", **{**CHECK_DONE, "small_same": 1}), Exit(1))
    assert report.small_same == 1


async def test_the_tail_is_dropped_alone(rig: Rig) -> None:
    done = {**DROP_DONE, "trim": "not_asked"}
    rig.says("drop", line("done", **done), Exit(0))
    assert (await rig.driver.drop(only_tail=True)).trim == "not_asked"
    assert rig.request()["only_tail"] is True


@pytest.mark.parametrize("change", [{"trim": "perhaps"}, {"trim": None}, {"trimmed_bytes": -1}])
async def test_a_drop_that_makes_no_sense_is_refused(
    rig: Rig, change: Mapping[str, object]
) -> None:
    rig.says("drop", line("done", **{**DROP_DONE, **change}), Exit(0))
    with pytest.raises(AnswerNotRecognised):
        await rig.driver.drop()
