"""Which way a handset is overwritten: found out before anything is lost, once per transport."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from handset_fakes import FakeShell, Reply, Step, line, said
from handset_fill_rig import ORDER, PROGRAM, framed, measured, shown
from planted_person import WHOLE
from streamed_handset import counting

from benchd.devices.android.adb import AdbAddress
from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.devices.android.fill.binaries import Binaries
from benchd.devices.android.fill.bus_turns import BusTurns
from benchd.devices.android.fill.host_fill import HostFill
from benchd.devices.android.fill.program_on_handset import CACHE_PATH, PROGRAM_PATH
from benchd.devices.android.fill.program_or_host import NativeFill, WaysToOverwrite
from benchd.devices.android.fill.shown_reads import PROBE
from benchd.devices.android.filler import Program
from benchd.devices.android.handset_access import AdbHandset
from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import HandsetGone, StageFailed, StorageFault, UnsupportedHandset
from benchd.domain.job import Reason

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

VERSION = f"exec {PROGRAM_PATH} version"
CACHE_VERSION = f"exec {CACHE_PATH} version"
DIRECT = "mkdir -p /data/local/tmp/benchd && cat > /data/local/tmp/benchd/probe"
REMOVE = "rm -f /data/local/tmp/benchd/probe"
READ = "dd if=/dev/null"
LIST = "ls /data/local/tmp/benchd"
BLOCK = bytes(range(256)) * 16
CONTENT: list[Step] = counting(BLOCK, len(BLOCK))
PROBED = b"".join(number * 4095 + b"\n" for number in (b"1", b"2", b"3"))
FULL: list[Step] = [Output(b"cat: write: No space left on device", is_error=True), Exit(1)]


class Ways:
    """A handset whose reads are shown, and what is asked and sent to find its way."""

    def __init__(self, folder: Path, *, abi: str = "arm64-v8a") -> None:
        self.shell = FakeShell()
        program = folder / "program"
        program.write_bytes(PROGRAM)
        self.asked: list[tuple[str, Program]] = []

        def path(name: str, which: Program) -> Path:
            self.asked.append((name, which))
            return program

        self.shell.on("getprop ro.product.cpu.abi", *said(f"{abi}\n"))
        self.shell.on(REMOVE, Exit(0))
        self.shell.on(LIST, Exit(1))
        self.shell.replies = [shown(PROBED, pages=3)]
        self.turn = BusTurns().of(AdbAddress("usb:1-1"))
        self.binaries = Binaries(path)
        self.ways = WaysToOverwrite(self.shell, self.binaries, self.turn, {})

    def handset(self) -> AdbHandset:
        return AdbHandset(self.shell, self.binaries, self.turn)

    def installed(self, version: int, *, cache: int = 0) -> None:
        self.shell.on("wc -c", *said(measured(PROGRAM)))
        self.shell.on(VERSION, Exit(version))
        self.shell.on(CACHE_VERSION, Exit(cache))

    def direct(self, *steps: Step) -> None:
        self.shell.on(DIRECT, Exit(0))
        self.shell.on(READ, *steps)


@pytest.fixture
def rig(tmp_path: Path) -> Ways:
    return Ways(tmp_path)


@pytest.fixture
def without_program(tmp_path: Path) -> Ways:
    return Ways(tmp_path, abi="mips64")


async def test_the_program_is_taken_where_it_runs_and_a_read_is_shown(rig: Ways) -> None:
    rig.installed(0)
    await rig.ways.look()
    assert isinstance(await rig.ways.chosen(may_make_room=True), NativeFill)
    assert rig.shell.asked.count(VERSION) == 1
    assert rig.shell.commands[-1] == PROBE
    assert rig.asked == [("arm64-v8a", Program.FILL), ("arm64-v8a", Program.CACHE)]


NOT_SHOWN: dict[str, Reply] = {
    "stays cached": shown(b"", pages=3, before=1),
    "nothing seen": shown(PROBED, pages=3, after=0),
    "something else": shown(PROBED[:-1] + b"x", pages=3),
    "too little": shown(PROBED[:-1], pages=3),
    "no dd": shown(b"", pages=3, code=127),
    "may not look": framed(2 * b"cache failed permission denied\n", code=4),
}


@pytest.mark.parametrize("case", NOT_SHOWN)
async def test_where_no_read_can_be_shown_there_is_no_way(rig: Ways, case: str) -> None:
    rig.installed(0)
    rig.shell.replies[:] = [NOT_SHOWN[case]]
    for _ in range(2):
        with pytest.raises(UnsupportedHandset, match="erased in another way"):
            await rig.ways.look()
    assert rig.shell.commands[-1] == REMOVE


@pytest.mark.parametrize("code", [126, 132])
async def test_where_the_cache_cant_be_looked_into_there_is_no_way(rig: Ways, code: int) -> None:
    rig.installed(0, cache=code)
    with pytest.raises(UnsupportedHandset, match="cache"):
        await rig.ways.look()


async def test_what_doesnt_run_in_64_bits_is_tried_in_32(tmp_path: Path) -> None:
    rig = Ways(tmp_path, abi="arm64-v8a\narmeabi-v7a,armeabi")
    rig.installed(126)
    rig.shell.on(VERSION, Exit(0))
    await rig.ways.look()
    fills = [name for name, which in rig.asked if which is Program.FILL]
    assert fills == ["arm64-v8a", "armeabi-v7a"]


@pytest.mark.parametrize("code", [126, 127])
async def test_where_it_may_not_run_the_host_streams(rig: Ways, code: int) -> None:
    rig.installed(code)
    rig.direct(*CONTENT)
    await rig.ways.look()
    assert isinstance(await rig.ways.chosen(may_make_room=True), HostFill)
    assert rig.shell.asked.count(VERSION) == 1
    assert sum(command.startswith(READ) for command in rig.shell.commands) == 1
    assert rig.shell.commands[-2].startswith("rm -f")


async def test_where_there_is_no_program_the_host_streams(without_program: Ways) -> None:
    without_program.direct(*CONTENT)
    await without_program.ways.look()
    assert isinstance(await without_program.ways.chosen(may_make_room=False), HostFill)


NOT_DIRECT: dict[str, list[Step]] = {
    "no flag": [Exit(1)],
    "no dd": [Exit(127)],
    "nothing": [Exit(0)],
    "something else": counting(bytes(4096), 4096),
    "not counted": [Output(BLOCK, is_error=False), Exit(0)],
    "out of memory": counting(BLOCK, 0),
}


@pytest.mark.parametrize("case", NOT_DIRECT)
async def test_without_reads_past_the_cache_there_is_no_way(rig: Ways, case: str) -> None:
    rig.installed(126)
    rig.direct(*NOT_DIRECT[case])
    for _ in range(2):
        with pytest.raises(UnsupportedHandset):
            await rig.ways.look()


async def test_where_nothing_can_be_written_there_is_no_way(without_program: Ways) -> None:
    without_program.shell.on(DIRECT, Output(b"Permission denied", is_error=True), Exit(1))
    with pytest.raises(UnsupportedHandset, match="nothing can be written"):
        await without_program.ways.look()


async def test_a_storage_too_full_to_ask_is_asked_again_later(
    rig: Ways, without_program: Ways
) -> None:
    rig.shell.on("wc -c", Exit(1))
    rig.shell.on(f"rm -rf {PROGRAM_PATH}.new", *FULL)
    await rig.ways.look()
    with pytest.raises(StorageFault, match="no room"):
        await rig.ways.chosen(may_make_room=False)
    without_program.shell.on(DIRECT, *FULL)
    await without_program.ways.look()


async def test_an_unplug_meanwhile_decides_nothing(rig: Ways) -> None:
    rig.shell.on(VERSION)
    rig.installed(0)
    with pytest.raises(HandsetGone):
        await rig.ways.look()
    await rig.ways.look()
    assert isinstance(await rig.ways.chosen(may_make_room=True), NativeFill)


LISTED = f"{WHOLE['properties']}[ro.product.cpu.abilist]: [x86_64]\n"


async def test_a_handset_that_was_inspected_has_told_its_processor(rig: Ways) -> None:
    for name, command in QUESTIONS.items():
        # A question for some properties alone would be answered with all: no list of ABIs.
        rig.shell.scripts[command] = [said({**WHOLE, "properties": LISTED}[name])]
    rig.installed(0)
    await rig.handset().inspect()
    assert {name for name, _ in rig.asked} == {"x86_64"}
    assert [asked for asked in rig.shell.asked if asked.startswith("getprop")] == ["getprop"]


DROPPED = line("done", files_removed=2, free_bytes=7, trim="not_allowed", trimmed_bytes=0)


async def test_what_a_broken_fill_has_left_is_deleted_at_the_next_plug(rig: Ways) -> None:
    rig.installed(0)
    rig.shell.probe_ends = said("fill-000000.dat\nlock\ntail-000007.db\n")
    rig.shell.scripts[LIST] = [said("lock\n")]
    rig.shell.on(f"exec {PROGRAM_PATH} drop", DROPPED, Exit(0))
    assert await rig.ways.look()
    assert not await rig.ways.look()
    assert sum(command.endswith(" drop") for command in rig.shell.commands) == 1
    assert rig.shell.commands.count(LIST) == 1


async def test_row_13_room_for_a_program_is_not_made_of_another_job_s_files(rig: Ways) -> None:
    """It was on the handset that left: a full one without it is another."""
    rig.shell.on("wc -c", Exit(1))
    rig.shell.on("rm -rf", *FULL)
    order = replace(ORDER, resume=True, prior_bytes=1 << 20)
    with pytest.raises(StageFailed) as refused:
        await rig.handset().fill(order, lambda _: None)
    assert refused.value.reason is Reason.HANDSET_CHANGED
    assert not [said for said in rig.shell.asked if "rm -f /data/local/tmp/benchd/" in said]
