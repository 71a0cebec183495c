"""Which programs a handset gets, how they get onto it, and which run there: in few shells."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from handset_fakes import FakeShell, Pause, Step, Unplug, plain, said
from handset_fill_rig import PROGRAM, measured

from benchd.devices.android.fill.binaries import Binaries, Binary
from benchd.devices.android.fill.processors import Processors, read_abis
from benchd.devices.android.fill.program_install import (
    START_DEADLINE_S,
    HandsetPrograms,
    NoRoomForProgram,
)
from benchd.devices.android.fill.program_on_handset import CACHE_PATH, PROGRAM_PATH
from benchd.devices.android.filler import Program
from benchd.devices.android.shell.commands import SEND_PIECE_BYTES
from benchd.devices.android.shell.packets import Exit, Output, packed
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    HandsetStalled,
    StorageFault,
    TransientFault,
    UnsupportedHandset,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BOTH = frozenset(Program)
CACHE = b"\x7fELF another one"
CONTENT = {Program.FILL: PROGRAM, Program.CACHE: CACHE}
MISSING = said("", 1)
NO_SPACE = b"cat: write error: No space left on device\n"
FULL: list[Step] = [Output(NO_SPACE, is_error=True), Exit(1)]
OTHER_DIGEST = f"{len(PROGRAM)}\n{'0' * 64}  -\n"
ONLY_SIZE = f"{len(PROGRAM)}\n"


PATHS = {Program.FILL: PROGRAM_PATH, Program.CACHE: CACHE_PATH}


class Handset:
    """One on which both programs lie and run, until told otherwise."""

    def __init__(self, folder: Path, *, abis: str = "arm64-v8a") -> None:
        self.shell = FakeShell()
        self.shell.on("getprop ro.product.cpu.abi", *said(f"{abis}\n"))
        for program, content in CONTENT.items():
            (folder / program).write_bytes(content)
            self.measures(program)
            self.writes(program)
            self.starts(program)
        self.wanted: list[tuple[str, Program]] = []

        def path_for(abi: str, program: Program) -> Path:
            self.wanted.append((abi, program))
            return folder / program

        processors = Processors(self.shell, {})
        self.programs = HandsetPrograms(self.shell, Binaries(path_for), processors)

    def measures(self, program: Program, *found: list[Step]) -> None:
        """What is there, each time that it's measured; in the end it's whole."""
        self.shell.scripts[f"wc -c < {PATHS[program]}"] = [*found, said(measured(CONTENT[program]))]

    def writes(self, program: Program, *ends: list[Step]) -> None:
        self.shell.scripts[f"rm -rf {PATHS[program]}.new"] = [*ends, [Exit(0)]]

    def starts(self, program: Program, *ends: list[Step]) -> None:
        self.shell.scripts[f"exec {PATHS[program]} version"] = [*ends, said("version 3\n")]

    async def run(self, *, may_make_room: bool = False) -> frozenset[Program]:
        return await self.programs.that_run(may_make_room=may_make_room)

    def asked(self) -> list[str]:
        """What was asked, by its first words; the question for ABIs aside."""
        return [" ".join(asked.split()[:2]) for asked in self.shell.asked[1:]]

    def sent(self) -> list[bytes]:
        return [bytes(stream.stdin) for stream in self.shell.streams if stream.stdin]


@pytest.fixture
def handset(tmp_path: Path) -> Handset:
    return Handset(tmp_path)


async def test_programs_that_are_there_take_two_shells_and_no_byte(handset: Handset) -> None:
    assert await handset.run() == BOTH
    assert len(handset.shell.commands) == 1 + 2
    assert handset.asked() == 2 * ["wc -c"] + [f"exec {PATHS[program]}" for program in Program]
    assert handset.sent() == []


async def test_programs_that_are_not_there_take_four_shells(handset: Handset) -> None:
    for program in Program:
        handset.measures(program, MISSING)
    assert await handset.run() == BOTH
    assert len(handset.shell.commands) == 1 + 4
    assert handset.sent() == [PROGRAM, CACHE]
    # Each is measured again before either is started.
    started = [f"exec {PROGRAM_PATH}", f"exec {CACHE_PATH}"]
    assert handset.asked()[2:] == 2 * ["rm -rf", "wc -c"] + started


FOUND: dict[str, Callable[[bytes], list[Step]]] = {
    "missing": lambda content: MISSING,
    "other": lambda content: said(measured(b"other")),
    "larger": lambda content: said(measured(content + b"x")),
    "same size": lambda content: said(f"{len(content)}\n{'0' * 64}  -\n"),
    # Before Android 8 nobody can tell what it is that lay there before.
    "not digested": lambda content: said(f"{len(content)}\n"),
}


@pytest.mark.parametrize("program", Program)
@pytest.mark.parametrize("found", FOUND)
async def test_only_what_is_not_there_is_sent(
    handset: Handset, program: Program, found: str
) -> None:
    content = CONTENT[program]
    handset.measures(program, FOUND[found](content))
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
    "told", ["", "x\n", "-1\n", f"{ONLY_SIZE}no digest\n", f"{ONLY_SIZE}{'g' * 64}  -\n"]
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
@pytest.mark.parametrize(
    ("times", "deleted"), [(1, ["tail-*"]), (2, ["tail-*", "fill-*"])], ids=["once", "twice"]
)
async def test_room_is_made_of_what_may_still_prove_itself_last(
    handset: Handset, program: Program, times: int, deleted: list[str]
) -> None:
    handset.measures(program, *(times + 1) * [MISSING])
    handset.writes(program, *times * [FULL])
    handset.shell.on("rm -f /data/local/tmp/benchd/", Exit(0))
    assert await handset.run(may_make_room=True) == BOTH
    removed = [asked for asked in handset.shell.asked if asked.startswith("rm -f")]
    assert removed == [f"rm -f /data/local/tmp/benchd/{name}" for name in deleted]
    assert handset.sent() == [CONTENT[program]] * (times + 1)


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
    denied = Output(b"cat: can't open: Permission denied", is_error=True)
    handset.writes(Program.FILL, [denied, Exit(2)])
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
    handset.starts(dies, [Exit(132)])
    assert await handset.run() == BOTH
    wide = [("arm64-v8a", program) for program in Program]
    assert handset.wanted == [*wide, ("armeabi-v7a", dies)]


async def test_a_narrower_cache_program_without_room_is_told_as_well(tmp_path: Path) -> None:
    handset = Handset(tmp_path, abis="arm64-v8a\narmeabi-v7a")
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


WIDE, NARROW = "arm64-v8a", "armeabi-v7a"


@pytest.mark.parametrize(
    ("text", "abis"),
    [
        # Both widths: source.android.com, "64-bit ABIs"; the lists as a Pixel 3 prints them.
        (f"{WIDE}\n{NARROW},armeabi\n{WIDE},{NARROW},armeabi\n{WIDE}\n", (WIDE, NARROW)),
        # 64 bits only: peridot's list of 32 is empty.
        (f"{WIDE}\n\n{WIDE}\n{WIDE}\n", (WIDE,)),
        # 32 bits only, also on a processor that could do more: constructed.
        (f"\n{NARROW},armeabi\n{NARROW},armeabi\n{NARROW}\n", (NARROW,)),
        # A system whose preferred ABI is the narrower one: constructed.
        ("x86_64\nx86\nx86_64,x86\nx86\n", ("x86_64", "x86")),
        # Neither list by width: constructed.
        (f"\n\n\n{NARROW}\n", (NARROW,)),
        (f"{WIDE}\r\n\r\n{WIDE}\r\n{WIDE}\r\n", (WIDE,)),
        (f"riscv64,{WIDE}\n\n\n\n", (WIDE,)),
    ],
)
async def test_abis_of_64_bits_come_first(text: str, abis: tuple[str, ...]) -> None:
    assert read_abis(text) == abis


@pytest.mark.parametrize("text", ["", "\n\n\n\n", "arm64 v8a\n", "a;b\n", "x" * 33, ",,\n"])
async def test_what_is_no_list_of_abis_is_refused(text: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        read_abis(text)


async def test_what_no_program_is_built_for_is_unsupported() -> None:
    with pytest.raises(UnsupportedHandset, match="riscv64"):
        read_abis("riscv64\n\nriscv64\nriscv64\n")


LISTED = """[ro.product.board]: [kona]
[ro.product.cpu.abi]: [arm64-v8a]
[ro.product.cpu.abilist]: [arm64-v8a,armeabi-v7a,armeabi]
[ro.product.cpu.abilist32]: [armeabi-v7a,armeabi]
[ro.product.cpu.abilist64]: [arm64-v8a]
"""


def heard(text: str, status: int = 0) -> dict[str, Answer]:
    return {"properties": Answer(command="getprop", status=status, text=text)}


@pytest.mark.parametrize(
    ("text", "abis"),
    [
        (LISTED, (WIDE, NARROW)),
        (LISTED.replace("\n", "\r\n"), (WIDE, NARROW)),
        ("".join(reversed(LISTED.splitlines(keepends=True))), (WIDE, NARROW)),
        (LISTED.replace("[ro.product.cpu.abi]: [arm64-v8a]\n", ""), (WIDE, NARROW)),
        (LISTED.replace("[armeabi-v7a,armeabi]", "[]").replace(f",{NARROW},armeabi", ""), (WIDE,)),
    ],
)
async def test_what_lists_all_properties_is_not_asked_for_some(
    text: str, abis: tuple[str, ...]
) -> None:
    shell, told = FakeShell(), dict[str, Answer]()
    processors = Processors(shell, told)
    told |= heard(text)  # later than that it was made
    assert await processors.abis() == abis
    assert shell.commands == []


@pytest.mark.parametrize(
    "told",
    [
        {},
        heard("[ro.product.board]: [kona]\n"),
        heard(LISTED, status=1),
        heard("[ro.product.cpu.abi]: [armeabi-v7a]\n"),
        heard("[ro.product.cpu.abilist]: []\n[ro.product.cpu.abilist64]: []\n"),
        heard("[ro.product.cpu.abilist]: [arm"),
    ],
    ids=["nothing", "others", "a failure", "no list", "empty lists", "half a list"],
)
async def test_what_is_not_listed_is_asked_for(told: dict[str, Answer]) -> None:
    shell = FakeShell()
    shell.on("getprop ro.product.cpu.abilist64; getprop", *said(f"{WIDE}\n\n\n\n"))
    processors = Processors(shell, told)
    assert await processors.abis() == await processors.abis() == (WIDE,)
    assert len(shell.commands) == 1, "once"


async def test_a_listed_abi_that_is_none_is_refused() -> None:
    with pytest.raises(AnswerNotRecognised):
        await Processors(FakeShell(), heard(LISTED.replace("arm64-v8a", "arm64 v8a"))).abis()


async def test_handsets_that_ask_at_once_share_one_reading_in_pieces_that_add_up(
    tmp_path: Path,
) -> None:
    content = random.Random(1).randbytes(2 * SEND_PIECE_BYTES + 3)
    file = tmp_path / "benchd-fill"
    file.write_bytes(content)
    binaries = Binaries(lambda _abi, _program: file)
    given: list[Binary] = []

    async def ask() -> None:
        given.append(await binaries.of("arm64", Program.FILL))

    async with anyio.create_task_group() as handsets:
        for _ in range(5):
            handsets.start_soon(ask)
    assert len(given) == 5
    assert all(one is given[0] for one in given)
    assert given[0].size_bytes == len(content)
    assert given[0].sha256 == hashlib.sha256(content).hexdigest()
    assert plain(given[0].packets) == content
    places = range(0, len(content), SEND_PIECE_BYTES)
    assert given[0].packets == packed(content[at : at + SEND_PIECE_BYTES] for at in places)
    assert len(given[0].packets.pieces) == 3
