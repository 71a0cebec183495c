"""What the fill program says on a handset: one that lies, floods, rambles or fails is no fill."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import anyio
import pytest
from handset_fakes import Pause, Step, Unplug, line
from handset_fill_rig import (
    CAPACITY,
    CHECK,
    CHECK_DONE,
    DONE_FILES,
    DROP_DONE,
    FILES,
    FILL_DONE,
    KEY,
    MIB,
    ORDER,
    STARTED,
    Rig,
    progress,
)

from benchd.devices.android.fill.driver import SMALL_FILE_BYTES
from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    HandsetStalled,
    StageFailed,
    StorageFault,
    TransientFault,
    UnsupportedHandset,
)
from benchd.domain.fill import ENDED_BY_QUOTA, MOST_FILES, BadRun, FileRange
from benchd.domain.job import Reason

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BEGUN, DONE, WELL = line("started", **STARTED), line("done", **FILL_DONE), Exit(0)
BUSY = line("error", code="busy", message="another one")
CHECK_BYTES = 7 * MIB + CHECK.small_files * SMALL_FILE_BYTES
LONG = "x" * 100_000
"""Each line of it is as long as a whole report may be; nobody has to read ten of them."""


@pytest.fixture
def rig() -> Rig:
    return Rig()


def raw(data: bytes, *, is_error: bool = False) -> Output:
    return Output(data, is_error=is_error)


async def test_a_whole_fill_whose_key_is_on_no_command_line(rig: Rig) -> None:
    steps = (progress(0, 1), progress(5 * MIB, 2), progress(7 * MIB, 3))
    report = await rig.fill(BEGUN, *steps, DONE, WELL)
    assert (report.bytes_written, report.files, report.mode) == (7 * MIB, FILES, "o_direct")
    assert [entry.bytes_done for entry in rig.seen] == [0, 5 * MIB, 7 * MIB]
    assert rig.request() == {
        "directory": "/data/local/tmp/benchd",
        "key": KEY.hex(),
        "cipher": "auto",
        "file_bytes": 4 * MIB,
        "progress_s": 1.0,
        "max_bytes": 0,
        "headroom_bytes": 0,
        "resume": False,
        "prior_bytes": 0,
        "host_silence_s": 30.0,
        "guard_tail_s": 300.0,
        "guard_keep_s": 1800.0,
    }
    assert rig.shell.commands == ["exec /data/local/tmp/benchd-fill fill"]
    # Handsets that make the same files share what is kept of them.
    other = await rig.fill(BEGUN, DONE, WELL)
    assert all(mine is yours for mine, yours in zip(report.files, other.files, strict=True))


async def test_a_key_of_another_size_never_leaves_the_house(rig: Rig) -> None:
    with pytest.raises(ValueError, match="key"):
        await rig.fill(order=dataclasses.replace(ORDER, key=b"short"))


async def test_a_full_medium_gives_a_report_without_files(rig: Rig) -> None:
    done = {**FILL_DONE, "bytes": 0, "files": [], "free_bytes_before": 0}
    started = line("started", **{**STARTED, "free_bytes": 0})
    assert (await rig.fill(started, line("done", **done), WELL)).bytes_written == 0


NO_FILLS: dict[str, Sequence[Step]] = {
    "never started": [DONE, WELL],
    "no report": [BEGUN, WELL],
    "nothing said": [WELL],
    "only progress": [BEGUN, progress(7 * MIB), WELL],
    "wrong code": [BEGUN, DONE, Exit(1)],
    "done and code 4": [BEGUN, DONE, Exit(4)],
    "goes on after done": [BEGUN, DONE, progress(1), WELL],
    "done twice": [BEGUN, DONE, DONE, WELL],
    "started twice": [BEGUN, BEGUN, DONE, WELL],
    "progress before start": [progress(0), BEGUN],
    "above capacity": [BEGUN, progress(CAPACITY + 1)],
    "negative progress": [BEGUN, progress(-1)],
    "counts backwards": [BEGUN, progress(2 * MIB), progress(MIB)],
    "half a byte": [BEGUN, line("progress", bytes=1.5, elapsed_s=1)],
    "true bytes": [BEGUN, line("progress", bytes=True, elapsed_s=1)],
    "unknown event": [BEGUN, line("cake")],
    "no JSON": [raw(b"hello\n")],
    "no object": [raw(b"[1]\n")],
    "event of no text": [raw(b'{"event":5}\n')],
    "empty line": [raw(b"\n")],
    "no UTF-8": [raw(b"\xff\xfe{}\n")],
    "deep nesting": [raw(b"[" * 100_000 + b"\n")],
    "endless number": [raw(b'{"event":"progress","bytes":' + b"9" * 5000 + b"}\n")],
    "a key twice": [raw(b'{"event":"done","event":"started"}\n')],
    "not a number": [BEGUN, raw(b'{"event":"progress","bytes":1,"elapsed_s":NaN}\n')],
    "last line cut off": [BEGUN, raw(DONE.data[:-1]), WELL],
    "a line without end": 20 * [raw(b"x" * 100_000)],
    "a flood of lines": [BEGUN, raw(progress(1).data * 200)],
    "lines as long as a report": [BEGUN, *10 * [line("progress", bytes=1, elapsed_s=1, x=LONG)]],
    "a flood of errors": 20 * [raw(b"x" * 100_000, is_error=True)],
}


@pytest.mark.parametrize("case", NO_FILLS)
async def test_what_is_no_whole_fill_is_refused(rig: Rig, case: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        await rig.fill(*NO_FILLS[case])


FIRST, SECOND = DONE_FILES


@pytest.mark.parametrize(
    "change",
    [
        {"bytes": 7 * MIB + 1},
        {"bytes": CAPACITY + 1},
        {"bytes": -1},
        {"bytes": "7"},
        {"bytes": None},
        {"files": []},
        {"files": None},
        {"files": "fill-000000.dat"},
        {"files": [FIRST]},
        {"files": [SECOND, FIRST]},
        {"files": [FIRST, FIRST]},
        {"files": [FIRST, {**SECOND, "name": "fill-000002.dat"}]},
        {"files": [FIRST, {**SECOND, "name": "../fill-000001.dat"}]},
        {"files": [FIRST, {**SECOND, "name": "fill-000001.dat\n"}]},
        {"files": [FIRST, {**SECOND, "stream_offset": 0}]},
        {"files": [{**FIRST, "bytes": 0}, {**SECOND, "bytes": 7 * MIB}]},
        {"files": [{**FIRST, "bytes": 3 * MIB}, {**SECOND, "bytes": 4 * MIB + 1}]},
        {"files": [FIRST, "x"]},
        {"files": [FIRST, {**SECOND, "name": "fill-000001.exe"}]},
        {"files": [FIRST, {**FIRST, "name": "tail-000000.db"}]},
        {"resumed_bytes": 7 * MIB + 1},
        {"resumed_bytes": None},
        {"prior_bytes_proven": 1},
        {"small_files": -1},
        {"small_bytes": "few"},
        {"directories": None},
        {"logs": "all"},
        {"logs": None},
        {"full_s": -1},
        {"used_bytes_before": CAPACITY + 1},
        {"reserved_bytes": None},
        {"capacity_bytes": CAPACITY + 1},
        {"capacity_bytes": 6 * MIB},
        {"free_bytes_before": 6 * MIB},
        {"free_bytes_after": CAPACITY + 1},
        {"free_bytes_after": -1},
        {"elapsed_s": -1},
        {"elapsed_s": "fast"},
        {"elapsed_s": 1e12},
    ],
)
async def test_a_report_that_does_not_add_up_is_refused(
    rig: Rig, change: Mapping[str, object]
) -> None:
    with pytest.raises(AnswerNotRecognised):
        await rig.fill(BEGUN, line("done", **{**FILL_DONE, **change}), WELL)


async def test_more_files_than_one_record_holds_are_refused(rig: Rig) -> None:
    files = [
        {"name": f"fill-{n:06d}.dat", "stream_offset": n * 4 * MIB, "bytes": 1}
        for n in range(MOST_FILES + 1)
    ]
    done = line("done", **{**FILL_DONE, "files": files, "bytes": len(files)})
    with pytest.raises(AnswerNotRecognised, match="1001 files"):
        await rig.fill(BEGUN, done, WELL)


@pytest.mark.parametrize(
    "change",
    [
        {"cipher": "rot13"},
        {"cipher": "aes-128-ctr "},
        {"mode": "imagined"},
        {"capacity_bytes": 0, "free_bytes": 0},
        {"capacity_bytes": 1 << 63},
        {"free_bytes": CAPACITY + 1},
        {"version": 3},
        {"version": "2"},
        {"version": "4"},
    ],
)
async def test_a_start_that_cannot_be_is_refused(rig: Rig, change: Mapping[str, object]) -> None:
    with pytest.raises(AnswerNotRecognised):
        await rig.fill(line("started", **{**STARTED, **change}), DONE, WELL)


@pytest.mark.parametrize(
    ("code", "exit_code", "fault"),
    [
        ("io", 4, StorageFault),
        ("cache_not_evicted", 4, UnsupportedHandset),
        ("usage", 2, AnswerNotRecognised),
        ("host_gone", 5, HandsetGone),
        ("quota", 1, AnswerNotRecognised),
        ("io", 0, AnswerNotRecognised),
        ("busy", 0, AnswerNotRecognised),
        ("io", 3, AnswerNotRecognised),
        ("cake", 4, AnswerNotRecognised),
    ],
)
async def test_the_programs_own_faults(
    rig: Rig, code: str, exit_code: int, fault: type[BenchdError]
) -> None:
    with pytest.raises(fault):
        await rig.fill(BEGUN, line("error", code=code, message="m"), Exit(exit_code))


async def test_row_4_a_quota_is_told_apart_from_a_faulty_storage(rig: Rig) -> None:
    said = line("error", code="quota", message="write fill-000001.dat: disk quota exceeded")
    with pytest.raises(StageFailed) as refused:
        await rig.fill(BEGUN, said, Exit(4))
    assert (refused.value.reason, refused.value.detail) == (Reason.STORAGE_QUOTA, ENDED_BY_QUOTA)


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        *(([Exit(code)], UnsupportedHandset) for code in (126, 127)),
        *(([Exit(code)], TransientFault) for code in (137, 143)),
        *(([Exit(code)], AnswerNotRecognised) for code in (0, 4, 255)),
        ([Exit(5)], HandsetGone),
        # A cable that is pulled at any moment is a handset gone.
        ([Unplug()], HandsetGone),
        ([BEGUN, Unplug()], HandsetGone),
        ([BEGUN, progress(7 * MIB), Unplug()], HandsetGone),
        ([BEGUN, DONE, Unplug()], HandsetGone),
    ],
)
async def test_an_end_without_a_word(rig: Rig, steps: list[Step], fault: type[BenchdError]) -> None:
    with pytest.raises(fault):
        await rig.fill(*steps)


async def test_a_busy_directory_is_waited_for(rig: Rig) -> None:
    rig.says("fill", BUSY, Exit(3))
    rig.says("fill", BUSY, Exit(3))
    began = anyio.current_time()
    await rig.fill(BEGUN, DONE, WELL)
    assert 1 <= anyio.current_time() - began < 5


BEATS: list[Step] = [step for _ in range(100) for step in (Pause(1), progress(MIB))]


@pytest.mark.parametrize(
    ("steps", "fault", "says", "after_s"),
    [
        ([BUSY, Exit(3)], TransientFault, "another one", pytest.approx(30, abs=4.999)),
        ([BEGUN, Pause(1000)], HandsetStalled, "no line", pytest.approx(30, abs=1)),
        ([BEGUN, *BEATS], HandsetStalled, "no growth", pytest.approx(31, abs=1)),
    ],
    ids=["stays busy", "silence", "lines without growth"],
)
async def test_what_goes_on_without_growing_is_given_up(
    rig: Rig, steps: list[Step], fault: type[BenchdError], says: str, after_s: object
) -> None:
    began = anyio.current_time()
    with pytest.raises(fault, match=says):
        await rig.fill(*steps)
    assert anyio.current_time() - began == after_s


async def test_a_check_without_growth_is_a_stall(rig: Rig) -> None:
    beats: list[Step] = [step for _ in range(100) for step in (Pause(1), progress(0))]
    with pytest.raises(HandsetStalled, match="no growth"):
        await rig.check(*beats)


async def test_slow_growth_is_no_stall(rig: Rig) -> None:
    steps: list[Step] = [
        step for number in range(1, 20) for step in (Pause(25), progress(number, 25 * number))
    ]
    assert await rig.fill(BEGUN, *steps, DONE, WELL)


def checked(**changes: object) -> Output:
    return line("done", **{**CHECK_DONE, **changes})


async def test_a_whole_check(rig: Rig) -> None:
    # Small files go forward too.
    told = (progress(5 * MIB), progress(7 * MIB), progress(CHECK_BYTES))
    report = await rig.check(*told, checked(), WELL)
    assert (report.bytes_proven, report.bytes_bad) == (7 * MIB, 0)
    assert rig.request()["files"] == DONE_FILES


async def test_a_check_that_found_bad_bytes(rig: Rig) -> None:
    bad = [{"name": "fill-000001.dat", "offset": 4096, "bytes": 8192}]
    done = checked(bytes_proven=7 * MIB - 8192, bytes_bad=8192, bad=bad)
    report = await rig.check(done, Exit(1))
    assert report.bytes_bad == 8192
    assert report.bad_runs == (BadRun(name="fill-000001.dat", offset=4096, size_bytes=8192),)


async def test_a_file_that_grew_and_small_files_that_differ_are_told(rig: Rig) -> None:
    """A file that grew counts more bad bytes than were ordered."""
    bad = [{"name": "fill-000001.dat", "offset": 3 * MIB, "bytes": 100}]
    report = await rig.check(checked(bytes_bad=100, bad=bad, small_same=1), Exit(1))
    assert (report.bytes_bad, report.small_same) == (100, 1)


async def test_a_file_that_grew_counts_more_bad_bytes_than_were_ordered(rig: Rig) -> None:
    bad = [{"name": "fill-000001.dat", "offset": 3 * MIB, "bytes": 100}]
    assert await rig.check(checked(bytes_bad=100, bad=bad), Exit(1)) is not None


async def test_small_files_alone_that_differ_are_told(rig: Rig) -> None:
    assert (await rig.check(checked(small_same=1), Exit(1))).small_same == 1


def one_bad(name: str = "fill-000000.dat") -> dict[str, object]:
    bad = [{"name": name, "offset": 0, "bytes": 1}]
    return {"bytes_proven": 7 * MIB - 1, "bytes_bad": 1, "bad": bad}


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
        ({"bad": one_bad()["bad"]}, 0),
        (one_bad(), 0),
        (one_bad("fill-000009.dat"), 1),
        ({"bytes_bad": 65, "bad": 65 * [{"name": "fill-000000.dat", "offset": 0, "bytes": 1}]}, 1),
    ],
)
async def test_a_check_that_contradicts_itself_is_refused(
    rig: Rig, change: Mapping[str, object], exit_code: int
) -> None:
    with pytest.raises(AnswerNotRecognised):
        await rig.check(checked(**change), Exit(exit_code))


@pytest.mark.parametrize("step", [BEGUN, progress(CHECK_BYTES + 1)], ids=["start", "too much"])
async def test_a_check_reports_no_start_and_no_more_than_was_ordered(
    rig: Rig, step: Output
) -> None:
    with pytest.raises(AnswerNotRecognised):
        await rig.check(step, checked(), WELL)


async def test_a_check_of_nothing_proves_nothing(rig: Rig) -> None:
    with pytest.raises(StageFailed) as refusal:
        await rig.driver.check(dataclasses.replace(CHECK, files=()), rig.seen.append)
    assert refusal.value.reason == "proof_incomplete"


async def test_a_check_of_ranges_is_not_answered_by_one_of_everything(rig: Rig) -> None:
    ranges = (
        FileRange(file=0, offset=4096, size_bytes=8192),
        FileRange(file=1, offset=0, size_bytes=4096),
    )
    order = dataclasses.replace(CHECK, ranges=ranges)
    done = checked(bytes_ordered=12288, bytes_proven=12288, bytes_shown=12288)
    assert (await rig.check(done, WELL, order=order)).bytes_proven == 12288
    assert rig.request()["ranges"] == [[0, 4096, 8192], [1, 0, 4096]]
    rig.shell.scripts.clear()
    with pytest.raises(AnswerNotRecognised):
        await rig.check(checked(), WELL, order=order)


async def test_all_is_dropped_or_the_tail_alone(rig: Rig) -> None:
    rig.says("drop", line("done", **DROP_DONE), WELL)
    report = await rig.driver.drop()
    assert (report.files_removed, report.free_bytes) == (2, 7 * MIB)
    assert rig.request() == {"directory": "/data/local/tmp/benchd", "only_tail": False}
    rig.shell.scripts.clear()
    rig.says("drop", line("done", **{**DROP_DONE, "trim": "not_asked"}), WELL)
    assert (await rig.driver.drop(only_tail=True)).trim == "not_asked"
    assert rig.request()["only_tail"] is True


@pytest.mark.parametrize(
    ("change", "exit_code"),
    [
        ({}, 1),
        ({}, 4),
        ({"trim": "perhaps"}, 0),
        ({"trim": None}, 0),
        ({"trimmed_bytes": -1}, 0),
    ],
)
async def test_a_drop_that_makes_no_sense_is_refused(
    rig: Rig, change: Mapping[str, object], exit_code: int
) -> None:
    rig.says("drop", line("done", **{**DROP_DONE, **change}), Exit(exit_code))
    with pytest.raises(AnswerNotRecognised):
        await rig.driver.drop()
