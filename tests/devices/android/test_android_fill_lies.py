"""A fill program that lies, floods or rambles is never believed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from handset_fakes import Step, line
from handset_fill_rig import (
    CAPACITY,
    DONE_FILES,
    FILES,
    FILL_DONE,
    KEY,
    MIB,
    STARTED,
    Rig,
    progress,
)

from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.fill import MOST_FILES

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

LONG = "x" * 100_000
"""Each line of it is as long as a whole report may be; nobody has to read ten of them."""


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def test_a_whole_fill(rig: Rig) -> None:
    report = await rig.fill(
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


async def test_the_key_is_on_no_command_line(rig: Rig) -> None:
    await rig.fill(line("started", **STARTED), line("done", **FILL_DONE), Exit(0))
    assert not any(KEY.hex() in command for command in rig.shell.commands)
    assert rig.shell.commands[-1] == "exec /data/local/tmp/benchd-fill fill"


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
        pytest.param(
            [line("started", **STARTED), *(10 * [line("progress", bytes=1, elapsed_s=1, x=LONG)])],
            id="lines as long as a report",
        ),
        pytest.param(20 * [Output(b"x" * 100_000, is_error=True)], id="a flood of errors"),
    ],
)
async def test_what_is_no_whole_fill_is_refused(rig: Rig, steps: list[Step]) -> None:
    with pytest.raises(AnswerNotRecognised):
        await rig.fill(*steps)


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
        {"files": [DONE_FILES[0], {**DONE_FILES[1], "name": "fill-000001.exe"}]},
        {"files": [DONE_FILES[0], {**DONE_FILES[0], "name": "tail-000000.db"}]},
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
    done = line("done", **{**FILL_DONE, **change})
    with pytest.raises(AnswerNotRecognised):
        await rig.fill(line("started", **STARTED), done, Exit(0))


async def test_more_files_than_one_record_holds_are_refused(rig: Rig) -> None:
    files = [
        {"name": f"fill-{n:06d}.dat", "stream_offset": n * 4 * MIB, "bytes": 1}
        for n in range(MOST_FILES + 1)
    ]
    done = line("done", **{**FILL_DONE, "files": files, "bytes": len(files)})
    with pytest.raises(AnswerNotRecognised, match="1001 files"):
        await rig.fill(line("started", **STARTED), done, Exit(0))


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
    started = line("started", **{**STARTED, **change})
    with pytest.raises(AnswerNotRecognised):
        await rig.fill(started, line("done", **FILL_DONE), Exit(0))


async def test_a_full_medium_gives_a_report_without_files(rig: Rig) -> None:
    report = await rig.fill(
        line("started", **{**STARTED, "free_bytes": 0}),
        line("done", **{**FILL_DONE, "bytes": 0, "files": [], "free_bytes_before": 0}),
        Exit(0),
    )
    assert report.bytes_written == 0
