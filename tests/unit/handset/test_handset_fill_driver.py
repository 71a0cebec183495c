"""The fill driver against every lie and fault of a fill program."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import anyio
import pytest
from handset_fakes import FakeShell, Pause, Step, Unplug, line, said

from benchd.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    HandsetStalled,
    StageFailed,
    StorageFault,
    TransientFault,
    UnsupportedHandset,
)
from benchd.handset.fill_driver import FillDriver
from benchd.handset.fill_program import PROGRAM_PATH, FillProgram
from benchd.handset.packets import Exit, Output
from benchd.model import (
    BadRun,
    CheckReport,
    FilledFile,
    FillOrder,
    FillReport,
    TransferProgress,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

MIB = 1 << 20
KEY = bytes(range(16))
ORDER = FillOrder(key=KEY, file_bytes=4 * MIB, stall_s=30)
CAPACITY = 10 * MIB
FILES = (
    FilledFile(name="fill-000000.dat", stream_offset=0, size_bytes=4 * MIB),
    FilledFile(name="fill-000001.dat", stream_offset=4 * MIB, size_bytes=3 * MIB),
)
PROGRAM = b"\x7fELF not really"

STARTED = {
    "version": "1",
    "cipher": "aes-128-ctr",
    "pid": 7,
    "capacity_bytes": CAPACITY,
    "free_bytes": 7 * MIB,
    "mode": "o_direct",
}
DONE_FILES = [
    {"name": file.name, "stream_offset": file.stream_offset, "bytes": file.size_bytes}
    for file in FILES
]
FILL_DONE = {
    "bytes": 7 * MIB,
    "elapsed_s": 3.5,
    "files": DONE_FILES,
    "capacity_bytes": CAPACITY,
    "free_bytes_before": 7 * MIB,
    "free_bytes_after": 0,
}
CHECK_DONE = {
    "bytes_proven": 7 * MIB,
    "bytes_bad": 0,
    "bad": [],
    "past_cache": "o_direct",
    "elapsed_s": 2,
}
DROP_DONE = {"files_removed": 2, "free_bytes": 7 * MIB}


def progress(done: int, elapsed: float = 1.0) -> Output:
    return line("progress", bytes=done, elapsed_s=elapsed)


class Bench:
    """A driver, the fake shell that it talks to and what it told of progress."""

    def __init__(self, folder: Path) -> None:
        self.shell = FakeShell()
        self.program = folder / "program"
        self.program.write_bytes(PROGRAM)
        self.shell.on("getprop ro.product.cpu.abi", *said("arm64-v8a\n"))
        self.shell.on("wc -c", *said(self.measured(PROGRAM)))
        self.driver = FillDriver(self.shell, FillProgram(self.shell, lambda abi: self.program))
        self.seen: list[TransferProgress] = []

    @staticmethod
    def measured(content: bytes) -> str:
        return f"{len(content)}\n{hashlib.sha256(content).hexdigest()}  -\n"

    def says(self, command: str, *steps: Step) -> None:
        self.shell.on(f"exec {PROGRAM_PATH} {command}", *steps)

    async def fill(self, *steps: Step, order: FillOrder = ORDER) -> FillReport:
        self.says("fill", *steps)
        return await self.driver.fill(order, self.seen.append)

    async def check(self, *steps: Step, order: FillOrder = ORDER) -> CheckReport:
        self.says("check", *steps)
        return await self.driver.check(order, FILES, self.seen.append)

    def request(self) -> Mapping[str, object]:
        return json.loads(self.shell.streams[-1].stdin)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_a_whole_fill(bench: Bench) -> None:
    report = await bench.fill(
        line("started", **STARTED),
        progress(0, 1),
        progress(5 * MIB, 2),
        progress(7 * MIB, 3),
        line("done", **FILL_DONE),
        Exit(0),
    )
    assert report.bytes_written == 7 * MIB
    assert report.files == FILES
    assert report.mode == "o_direct"
    assert [entry.bytes_done for entry in bench.seen] == [0, 5 * MIB, 7 * MIB]
    assert bench.request() == {
        "directory": "/data/local/tmp/benchd",
        "key": KEY.hex(),
        "file_bytes": 4 * MIB,
        "progress_s": 1.0,
        "max_bytes": 0,
    }


async def test_the_key_is_on_no_command_line(bench: Bench) -> None:
    await bench.fill(line("started", **STARTED), line("done", **FILL_DONE), Exit(0))
    assert not any(KEY.hex() in command for command in bench.shell.commands)
    assert bench.shell.commands[-1] == "exec /data/local/tmp/benchd-fill fill"


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([line("done", **FILL_DONE), Exit(0)], id="never started"),
        pytest.param([line("started", **STARTED), Exit(0)], id="no report"),
        pytest.param([Exit(0)], id="nothing said"),
        pytest.param([line("started", **STARTED), progress(7 * MIB), Exit(0)], id="only progress"),
        pytest.param(
            [line("started", **STARTED), line("done", **FILL_DONE), Exit(1)], id="wrong code"
        ),
        pytest.param(
            [line("started", **STARTED), line("done", **FILL_DONE), Exit(4)], id="done and code 4"
        ),
        pytest.param(
            [line("started", **STARTED), line("done", **FILL_DONE), progress(1), Exit(0)],
            id="goes on after done",
        ),
        pytest.param(
            [line("started", **STARTED), *(2 * [line("done", **FILL_DONE)]), Exit(0)],
            id="done twice",
        ),
        pytest.param(
            [*(2 * [line("started", **STARTED)]), line("done", **FILL_DONE), Exit(0)],
            id="started twice",
        ),
        pytest.param([progress(0), line("started", **STARTED)], id="progress before start"),
        pytest.param([line("started", **STARTED), progress(CAPACITY + 1)], id="above capacity"),
        pytest.param([line("started", **STARTED), progress(-1)], id="negative progress"),
        pytest.param(
            [line("started", **STARTED), progress(2 * MIB), progress(MIB)], id="counts backwards"
        ),
        pytest.param(
            [line("started", **STARTED), line("progress", bytes=1.5, elapsed_s=1)], id="half a byte"
        ),
        pytest.param(
            [line("started", **STARTED), line("progress", bytes=True, elapsed_s=1)], id="true bytes"
        ),
        pytest.param([line("started", **STARTED), line("cake")], id="unknown event"),
        pytest.param([Output(b"hello\n", is_error=False)], id="no JSON"),
        pytest.param([Output(b"[1]\n", is_error=False)], id="no object"),
        pytest.param([Output(b'{"event":5}\n', is_error=False)], id="event of no text"),
        pytest.param([Output(b"\n", is_error=False)], id="empty line"),
        pytest.param([Output(b"\xff\xfe{}\n", is_error=False)], id="no UTF-8"),
        pytest.param([Output(b"[" * 100_000 + b"\n", is_error=False)], id="deep nesting"),
        pytest.param(
            [Output(b'{"event":"progress","bytes":' + b"9" * 5000 + b"}\n", is_error=False)],
            id="endless number",
        ),
        pytest.param(
            [Output(b'{"event":"done","event":"started"}\n', is_error=False)], id="a key twice"
        ),
        pytest.param(
            [
                line("started", **STARTED),
                Output(b'{"event":"progress","bytes":1,"elapsed_s":NaN}\n', is_error=False),
            ],
            id="not a number",
        ),
        pytest.param(
            [
                line("started", **STARTED),
                Output(line("done", **FILL_DONE).data[:-1], is_error=False),
                Exit(0),
            ],
            id="last line cut off",
        ),
        pytest.param(20 * [Output(b"x" * 100_000, is_error=False)], id="a line without end"),
        pytest.param(
            [line("started", **STARTED), Output(progress(1).data * 200, is_error=False)],
            id="a flood of lines",
        ),
        pytest.param(20 * [Output(b"x" * 100_000, is_error=True)], id="a flood of errors"),
    ],
)
async def test_what_is_no_whole_fill_is_refused(bench: Bench, steps: list[Step]) -> None:
    with pytest.raises(AnswerNotRecognised):
        await bench.fill(*steps)


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
        {"files": [DONE_FILES[0]]},
        {"files": [DONE_FILES[1], DONE_FILES[0]]},
        {"files": [DONE_FILES[0], DONE_FILES[0]]},
        {"files": [DONE_FILES[0], {**DONE_FILES[1], "name": "fill-000002.dat"}]},
        {"files": [DONE_FILES[0], {**DONE_FILES[1], "name": "../fill-000001.dat"}]},
        {"files": [DONE_FILES[0], {**DONE_FILES[1], "name": "fill-000001.dat\n"}]},
        {"files": [DONE_FILES[0], {**DONE_FILES[1], "stream_offset": 0}]},
        {"files": [{**DONE_FILES[0], "bytes": 0}, {**DONE_FILES[1], "bytes": 7 * MIB}]},
        {"files": [{**DONE_FILES[0], "bytes": 3 * MIB}, {**DONE_FILES[1], "bytes": 4 * MIB + 1}]},
        {"files": [DONE_FILES[0], "x"]},
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
    bench: Bench, change: Mapping[str, object]
) -> None:
    done = line("done", **{**FILL_DONE, **change})
    with pytest.raises(AnswerNotRecognised):
        await bench.fill(line("started", **STARTED), done, Exit(0))


@pytest.mark.parametrize(
    "change",
    [
        {"cipher": "rot13"},
        {"cipher": "aes-128-ctr "},
        {"mode": "imagined"},
        {"capacity_bytes": 0, "free_bytes": 0},
        {"capacity_bytes": 1 << 63},
        {"free_bytes": CAPACITY + 1},
        {"version": 1},
    ],
)
async def test_a_start_that_cannot_be_is_refused(
    bench: Bench, change: Mapping[str, object]
) -> None:
    started = line("started", **{**STARTED, **change})
    with pytest.raises(AnswerNotRecognised):
        await bench.fill(started, line("done", **FILL_DONE), Exit(0))


async def test_a_full_medium_gives_a_report_without_files(bench: Bench) -> None:
    report = await bench.fill(
        line("started", **{**STARTED, "free_bytes": 0}),
        line("done", **{**FILL_DONE, "bytes": 0, "files": [], "free_bytes_before": 0}),
        Exit(0),
    )
    assert report.bytes_written == 0


@pytest.mark.parametrize(
    ("code", "exit_code", "fault"),
    [
        ("io", 4, StorageFault),
        ("cache_not_evicted", 4, UnsupportedHandset),
        ("usage", 2, AnswerNotRecognised),
        ("host_gone", 5, HandsetGone),
        ("io", 0, AnswerNotRecognised),
        ("busy", 0, AnswerNotRecognised),
        ("io", 3, AnswerNotRecognised),
        ("cake", 4, AnswerNotRecognised),
    ],
)
async def test_the_programs_own_faults(
    bench: Bench, code: str, exit_code: int, fault: type[BenchdError]
) -> None:
    with pytest.raises(fault):
        await bench.fill(
            line("started", **STARTED), line("error", code=code, message="m"), Exit(exit_code)
        )


@pytest.mark.parametrize(
    ("exit_code", "fault"),
    [
        (126, UnsupportedHandset),
        (127, UnsupportedHandset),
        (137, TransientFault),
        (143, TransientFault),
        (5, HandsetGone),
        (4, AnswerNotRecognised),
        (0, AnswerNotRecognised),
        (255, AnswerNotRecognised),
    ],
)
async def test_an_end_without_a_word(
    bench: Bench, exit_code: int, fault: type[BenchdError]
) -> None:
    with pytest.raises(fault):
        await bench.fill(Exit(exit_code))


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [line("started", **STARTED)],
        [line("started", **STARTED), progress(7 * MIB)],
        [line("started", **STARTED), line("done", **FILL_DONE)],
    ],
)
async def test_a_cable_pulled_at_any_moment_is_a_handset_gone(
    bench: Bench, steps: list[Step]
) -> None:
    with pytest.raises(HandsetGone):
        await bench.fill(*steps, Unplug())


async def test_a_busy_directory_is_waited_for(bench: Bench) -> None:
    busy = [line("error", code="busy", message="another one"), Exit(3)]
    bench.says("fill", *busy)
    bench.says("fill", *busy)
    began = anyio.current_time()
    await bench.fill(line("started", **STARTED), line("done", **FILL_DONE), Exit(0))
    assert 1 <= anyio.current_time() - began < 5


async def test_a_directory_that_stays_busy_is_a_transient_fault(bench: Bench) -> None:
    began = anyio.current_time()
    with pytest.raises(TransientFault, match="another one"):
        await bench.fill(line("error", code="busy", message="another one"), Exit(3))
    assert 25 < anyio.current_time() - began < 35


async def test_silence_is_a_stall(bench: Bench) -> None:
    began = anyio.current_time()
    with pytest.raises(HandsetStalled, match="no line"):
        await bench.fill(line("started", **STARTED), Pause(1000))
    assert anyio.current_time() - began == pytest.approx(30, abs=1)


async def test_lines_without_growth_are_a_stall(bench: Bench) -> None:
    beats: list[Step] = [step for _ in range(100) for step in (Pause(1), progress(MIB))]
    began = anyio.current_time()
    with pytest.raises(HandsetStalled, match="no growth"):
        await bench.fill(line("started", **STARTED), *beats)
    assert anyio.current_time() - began == pytest.approx(31, abs=1)


async def test_a_check_without_growth_is_a_stall(bench: Bench) -> None:
    beats: list[Step] = [step for _ in range(100) for step in (Pause(1), progress(0))]
    with pytest.raises(HandsetStalled, match="no growth"):
        await bench.check(*beats)


async def test_slow_growth_is_none(bench: Bench) -> None:
    steps: list[Step] = [
        step for number in range(1, 20) for step in (Pause(25), progress(number, 25 * number))
    ]
    report = await bench.fill(
        line("started", **STARTED), *steps, line("done", **FILL_DONE), Exit(0)
    )
    assert report is not None


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


WRITE = "rm -rf /data/local/tmp/benchd-fill.new && cat >"


async def test_a_program_that_is_there_is_not_sent_again(bench: Bench) -> None:
    bench.says("drop", line("done", **DROP_DONE), Exit(0))
    await bench.driver.drop()
    await bench.driver.drop()
    assert [command.split()[0] for command in bench.shell.commands] == [
        "getprop",
        "wc",
        "exec",
        "exec",
    ]


@pytest.mark.parametrize(
    "found",
    [
        said("", 1),
        said(Bench.measured(b"other")),
        said(f"{len(PROGRAM)}\n{'0' * 64}  -\n"),
        said(f"{len(PROGRAM)}\n"),
    ],
)
async def test_a_program_that_is_not_there_is_sent(tmp_path: Path, found: list[Step]) -> None:
    bench = Bench(tmp_path)
    bench.shell.scripts["wc -c"] = [found, said(Bench.measured(PROGRAM))]
    bench.shell.on(WRITE, Exit(0))
    bench.says("drop", line("done", **DROP_DONE), Exit(0))
    await bench.driver.drop()
    sent = next(
        stream
        for command, stream in zip(bench.shell.commands, bench.shell.streams, strict=True)
        if command.startswith(WRITE)
    )
    assert bytes(sent.stdin) == PROGRAM
    assert sent.stdin_closed


async def test_a_program_that_arrived_damaged_is_a_transient_fault(bench: Bench) -> None:
    bench.shell.scripts["wc -c"] = [said("", 1), said(f"{len(PROGRAM)}\n{'0' * 64}  -\n")]
    bench.shell.on(WRITE, Exit(0))
    with pytest.raises(TransientFault, match="damaged"):
        await bench.driver.drop()


async def test_before_android_8_the_size_has_to_do(bench: Bench) -> None:
    bench.shell.scripts["wc -c"] = [said("", 1), said(f"{len(PROGRAM)}\n")]
    bench.shell.on(WRITE, Exit(0))
    bench.says("drop", line("done", **DROP_DONE), Exit(0))
    assert (await bench.driver.drop()).files_removed == 2


async def test_full_storage_is_made_room_in_once(bench: Bench) -> None:
    full: list[Step] = [
        Output(b"cat: write error: No space left on device\n", is_error=True),
        Exit(1),
    ]
    bench.shell.scripts["wc -c"] = [said("", 1), said(Bench.measured(PROGRAM))]
    bench.shell.scripts[WRITE] = [full, [Exit(0)]]
    bench.shell.on("rm -f /data/local/tmp/benchd/fill-*.dat", Exit(0))
    bench.says("drop", line("done", **DROP_DONE), Exit(0))
    await bench.driver.drop()
    assert any(command.startswith("rm -f") for command in bench.shell.commands)


async def test_a_check_never_deletes_what_it_is_to_read(bench: Bench) -> None:
    full: list[Step] = [
        Output(b"cat: write error: No space left on device\n", is_error=True),
        Exit(1),
    ]
    bench.shell.scripts["wc -c"] = [said("", 1)]
    bench.shell.scripts[WRITE] = [full]
    with pytest.raises(StorageFault):
        await bench.check(line("done", **CHECK_DONE), Exit(0))
    assert not any(command.startswith("rm -f") for command in bench.shell.commands)
