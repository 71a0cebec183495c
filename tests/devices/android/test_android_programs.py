"""How the programs get onto a handset, and which run there: in as few shells as it takes."""

from __future__ import annotations

from pathlib import Path

import pytest
from handset_fakes import FakeShell, Pause, Step, Unplug, said
from handset_fill_rig import PROGRAM, measured

from benchd.devices.android.fill.binaries import Binaries
from benchd.devices.android.fill.processors import Processors
from benchd.devices.android.fill.program_install import (
    START_DEADLINE_S,
    HandsetPrograms,
    NoRoomForProgram,
)
from benchd.devices.android.fill.program_on_handset import CACHE_PATH, PROGRAM_PATH
from benchd.devices.android.filler import Program
from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    HandsetStalled,
    StorageFault,
    TransientFault,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BOTH = frozenset(Program)
CACHE = b"\x7fELF another one"
CONTENT = {Program.FILL: PROGRAM, Program.CACHE: CACHE}
MISSING = said("", 1)
FULL: list[Step] = [
    Output(b"cat: write error: No space left on device\n", is_error=True),
    Exit(1),
]
OTHER_DIGEST = f"{len(PROGRAM)}\n{'0' * 64}  -\n"
ONLY_SIZE = f"{len(PROGRAM)}\n"


def path(program: Program) -> str:
    return {Program.FILL: PROGRAM_PATH, Program.CACHE: CACHE_PATH}[program]


class Handset:
    """One on which both programs lie and run, until told otherwise."""

    def __init__(self, folder: Path, *, abis: str = "arm64-v8a") -> None:
        self.shell = FakeShell()
        self.shell.on("getprop ro.product.cpu.abi", *said(f"{abis}\n"))
        for program, content in CONTENT.items():
            (folder / program).write_bytes(content)
        self.wanted: list[tuple[str, Program]] = []

        def path_for(abi: str, program: Program) -> Path:
            self.wanted.append((abi, program))
            return folder / program

        processors = Processors(self.shell, {})
        self.programs = HandsetPrograms(self.shell, Binaries(path_for), processors)

    def measures(self, program: Program, *found: list[Step]) -> None:
        """What is there, each time that it's measured; in the end it's whole."""
        self.shell.scripts[f"wc -c < {path(program)}"] = [*found, said(measured(CONTENT[program]))]

    def writes(self, program: Program, *ends: list[Step]) -> None:
        self.shell.scripts[f"rm -rf {path(program)}.new"] = [*ends, [Exit(0)]]

    def starts(self, program: Program, *ends: list[Step]) -> None:
        self.shell.scripts[f"exec {path(program)} version"] = [*ends, said("version 3\n")]

    async def run(self, *, may_make_room: bool = False) -> frozenset[Program]:
        return await self.programs.that_run(may_make_room=may_make_room)

    def asked(self) -> list[str]:
        """What was asked, by its first words; the question for ABIs aside."""
        return [" ".join(asked.split()[:2]) for asked in self.shell.asked[1:]]

    def sent(self) -> list[bytes]:
        return [bytes(stream.stdin) for stream in self.shell.streams if stream.stdin]


@pytest.fixture
def handset(tmp_path: Path) -> Handset:
    handset = Handset(tmp_path)
    for program in Program:
        handset.measures(program)
        handset.writes(program)
        handset.starts(program)
    return handset


async def test_programs_that_are_there_take_two_shells_and_no_byte(handset: Handset) -> None:
    assert await handset.run() == BOTH
    assert len(handset.shell.commands) == 1 + 2
    assert handset.asked() == 2 * ["wc -c"] + [f"exec {path(program)}" for program in Program]
    assert handset.sent() == []


async def test_programs_that_are_not_there_take_four_shells(handset: Handset) -> None:
    for program in Program:
        handset.measures(program, MISSING)
    assert await handset.run() == BOTH
    assert len(handset.shell.commands) == 1 + 4
    assert handset.sent() == [PROGRAM, CACHE]
    # Each is measured again before either is started.
    assert handset.asked()[2:] == 2 * ["rm -rf", "wc -c"] + [
        f"exec {PROGRAM_PATH}",
        f"exec {CACHE_PATH}",
    ]


@pytest.mark.parametrize("program", Program)
@pytest.mark.parametrize("found", ["missing", "other", "larger", "same size", "not digested"])
async def test_only_what_is_not_there_is_sent(
    handset: Handset, program: Program, found: str
) -> None:
    content = CONTENT[program]
    size = f"{len(content)}\n"
    handset.measures(
        program,
        {
            "missing": MISSING,
            "other": said(measured(b"other")),
            "larger": said(measured(content + b"x")),
            "same size": said(f"{size}{'0' * 64}  -\n"),
            # Before Android 8 nobody can tell what it is that lay there before.
            "not digested": said(size),
        }[found],
    )
    assert await handset.run() == BOTH
    assert handset.sent() == [content]
    assert all(stream.stdin_closed for stream in handset.shell.streams[1:] if bytes(stream.stdin))


@pytest.mark.parametrize("program", Program)
@pytest.mark.parametrize(
    "arrived", [MISSING, said(measured(b"cut")), said(OTHER_DIGEST), said("3\n")]
)
async def test_a_program_that_arrived_damaged_is_never_started(
    handset: Handset, program: Program, arrived: list[Step]
) -> None:
    handset.measures(program, MISSING, arrived)
    with pytest.raises(TransientFault, match=f"{program} arrived damaged"):
        await handset.run()
    assert not any(asked.startswith("exec") for asked in handset.asked())


async def test_before_android_8_the_size_has_to_do_right_after_the_write(handset: Handset) -> None:
    handset.measures(Program.FILL, MISSING, said(ONLY_SIZE))
    assert await handset.run() == BOTH


@pytest.mark.parametrize(
    "told", ["", "x\n", "-1\n", f"{len(PROGRAM)}\nno digest\n", f"{len(PROGRAM)}\n{'g' * 64}  -\n"]
)
@pytest.mark.parametrize("before", [[], [MISSING]], ids=["at once", "after the write"])
async def test_what_is_no_measure_is_refused(
    handset: Handset, told: str, before: list[list[Step]]
) -> None:
    handset.measures(Program.FILL, *before, said(told))
    with pytest.raises(AnswerNotRecognised):
        await handset.run()
    assert not any(asked.startswith("exec") for asked in handset.asked())


@pytest.mark.parametrize("program", Program)
async def test_full_storage_is_made_room_in_once(handset: Handset, program: Program) -> None:
    handset.measures(program, MISSING, MISSING)
    handset.writes(program, FULL)
    handset.shell.on("rm -f /data/local/tmp/benchd/tail-*", Exit(0))
    assert await handset.run(may_make_room=True) == BOTH
    assert handset.asked().count("rm -f") == 1
    assert handset.sent() == [CONTENT[program]] * 2


async def test_what_may_still_prove_itself_is_deleted_last(handset: Handset) -> None:
    handset.measures(Program.FILL, *3 * [MISSING])
    handset.writes(Program.FILL, FULL, FULL)
    handset.shell.on("rm -f /data/local/tmp/benchd/", Exit(0))
    assert await handset.run(may_make_room=True) == BOTH
    assert [asked for asked in handset.shell.asked if asked.startswith("rm -f")] == [
        "rm -f /data/local/tmp/benchd/tail-*",
        "rm -f /data/local/tmp/benchd/fill-*",
    ]


@pytest.mark.parametrize("program", Program)
@pytest.mark.parametrize("may_make_room", [False, True])
async def test_storage_that_stays_full_is_told(
    handset: Handset, program: Program, *, may_make_room: bool
) -> None:
    handset.measures(program, *4 * [MISSING])
    handset.writes(program, *3 * [FULL])
    handset.shell.on("rm -f /data/local/tmp/benchd/", Exit(0))
    with pytest.raises(NoRoomForProgram, match=f"no room for {program}"):
        await handset.run(may_make_room=may_make_room)
    assert handset.asked().count("rm -f") == 2 * may_make_room


async def test_an_old_program_that_is_whole_excuses_no_write_that_failed(handset: Handset) -> None:
    handset.measures(Program.FILL, MISSING)
    handset.writes(
        Program.FILL, [Output(b"cat: can't open: Permission denied", is_error=True), Exit(2)]
    )
    with pytest.raises(StorageFault, match=r"can't be written \(code 2\)"):
        await handset.run()


async def test_a_cache_program_without_room_hinders_only_what_needs_it(handset: Handset) -> None:
    handset.measures(Program.CACHE, *3 * [MISSING])
    handset.writes(Program.CACHE, FULL, FULL)
    handset.starts(Program.FILL, [Exit(126)])
    # No fill program runs: the host streams, for which nobody has to look into the cache.
    assert await handset.run() == frozenset()
    with pytest.raises(NoRoomForProgram):
        await handset.run()


@pytest.mark.parametrize("cache", [0, 1, 126, 127, 132, 139])
@pytest.mark.parametrize("fill", [0, 1, 126, 127, 132, 134, 135, 139, 159])
async def test_each_has_its_own_way_to_end(handset: Handset, fill: int, cache: int) -> None:
    handset.starts(Program.FILL, [Exit(fill)])
    handset.starts(Program.CACHE, [Exit(cache)])
    codes = {Program.FILL: fill, Program.CACHE: cache}
    assert await handset.run() == {program for program, code in codes.items() if code <= 1}


@pytest.mark.parametrize("dies", Program)
async def test_only_what_doesnt_run_in_64_bits_is_tried_in_32(
    tmp_path: Path, dies: Program
) -> None:
    handset = Handset(tmp_path, abis="arm64-v8a\narmeabi-v7a")
    for program in Program:
        handset.measures(program)
        handset.starts(program)
    handset.starts(dies, [Exit(132)])
    assert await handset.run() == BOTH
    assert handset.wanted == [
        *(("arm64-v8a", program) for program in Program),
        ("armeabi-v7a", dies),
    ]


async def test_a_narrower_cache_program_without_room_is_told_as_well(tmp_path: Path) -> None:
    handset = Handset(tmp_path, abis="arm64-v8a\narmeabi-v7a")
    handset.measures(Program.FILL)
    handset.starts(Program.FILL)
    handset.shell.scripts[f"wc -c < {CACHE_PATH}"] = [said(measured(CACHE)), MISSING]
    handset.starts(Program.CACHE, [Exit(132)])
    handset.writes(Program.CACHE, FULL)
    with pytest.raises(NoRoomForProgram):
        await handset.run()


async def test_where_nothing_is_built_for_it_no_program_runs(tmp_path: Path) -> None:
    handset = Handset(tmp_path, abis="mips64")
    assert await handset.run() == frozenset()
    assert len(handset.shell.commands) == 1


async def test_two_slow_starts_are_no_stall(handset: Handset) -> None:
    for program in Program:
        handset.starts(program, [Pause(START_DEADLINE_S - 1), Exit(0)])
    assert await handset.run() == BOTH


@pytest.mark.parametrize("program", Program)
async def test_a_start_that_hangs_is_a_stall(handset: Handset, program: Program) -> None:
    handset.starts(program, [Pause(10 * START_DEADLINE_S), Exit(0)])
    with pytest.raises(HandsetStalled):
        await handset.run()


@pytest.mark.parametrize(
    ("end", "fault"), [([Unplug()], HandsetGone), ([Pause(1e4), Exit(0)], HandsetStalled)]
)
@pytest.mark.parametrize("at", ["measure", "write", "second measure", "start"])
async def test_whoever_goes_or_hangs_decides_nothing(
    handset: Handset, at: str, end: list[Step], fault: type[BenchdError]
) -> None:
    handset.measures(Program.CACHE, *([end] if at == "measure" else [MISSING]))
    if at == "write":
        handset.writes(Program.CACHE, end)
    if at == "second measure":
        handset.measures(Program.CACHE, MISSING, end)
    if at == "start":
        handset.starts(Program.CACHE, end)
    with pytest.raises(fault):
        await handset.run()
    assert await handset.run() == BOTH


async def test_what_a_program_says_is_no_status(handset: Handset) -> None:
    forged = b"\n0123456789abcdef 0 0\n\n0123456789abcdef 1 0\n"
    handset.starts(Program.FILL, [Output(forged, is_error=False), Exit(132)])
    assert await handset.run() == {Program.CACHE}
