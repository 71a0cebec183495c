"""The programs' way onto a handset through a real shell, which runs what benchd tells it to."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from handset_fakes import FakeShell, plain

from benchd.devices.android.fill.binaries import Binaries
from benchd.devices.android.fill.processors import Processors
from benchd.devices.android.fill.program_install import HandsetPrograms, NoRoomForProgram
from benchd.devices.android.fill.program_on_handset import PROGRAMS, TAKE_BACK
from benchd.devices.android.filler import Program
from benchd.devices.android.shell.commands import (
    COMMAND_DEADLINE_S,
    MAXIMUM_OUTPUT_BYTES,
    Completed,
)
from benchd.devices.android.shell.packets import StdinPackets
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import StageFailed, StorageFault, TransientFault
from benchd.domain.job import Reason

pytestmark = pytest.mark.asyncio

RUNS = "#!/bin/sh\nexit 0\n"
BOTH = frozenset(Program)
TOOLS = ("cat", "chmod", "mv", "rm", "rmdir", "sha256sum", "wc")


class RealShell(FakeShell):
    """Runs each command with /bin/sh, with a folder in the place of a handset's."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.home, self.tools = folder / "tmp", folder / "bin"
        self.home.mkdir()
        self.tools.mkdir()
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None
            (self.tools / tool).symlink_to(found)

    def install_tool(self, name: str, script: str) -> None:
        (self.tools / name).unlink()
        (self.tools / name).write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n")
        (self.tools / name).chmod(0o700)

    async def run(
        self,
        command: str,
        *,
        stdin: bytes | StdinPackets = b"",
        deadline_s: float = COMMAND_DEADLINE_S,
        maximum_output_bytes: int = MAXIMUM_OUTPUT_BYTES,
    ) -> Completed:
        del maximum_output_bytes
        self.commands.append(command)
        ended = subprocess.run(
            ["/bin/sh", "-c", command.replace(PROGRAMS, str(self.home))],
            input=plain(stdin),
            env={"PATH": str(self.tools)},
            capture_output=True,
            check=False,
            timeout=deadline_s,
        )
        return Completed(exit_code=ended.returncode, stdout=ended.stdout, stderr=ended.stderr)


class Handset:
    def __init__(self, folder: Path) -> None:
        self.shell = RealShell(folder)
        self.host = folder / "host"
        self.host.mkdir()
        for program in Program:
            self.build(program, RUNS)

    def build(self, program: Program, text: str) -> None:
        (self.host / program).write_text(f"{text}# {program}\n")

    def held(self, program: Program) -> Path:
        return self.shell.home / program

    async def run(self, *, may_make_room: bool = False) -> frozenset[Program]:
        listed = "[ro.product.cpu.abilist]: [arm64-v8a]\n"
        heard = {"properties": Answer(command="getprop", status=0, text=listed)}
        processors = Processors(self.shell, heard)
        binaries = Binaries(lambda _abi, program: self.host / program)
        self.shell.commands.clear()
        programs = HandsetPrograms(self.shell, binaries, processors)
        return await programs.that_run(may_make_room=may_make_room)


@pytest.fixture
def handset(tmp_path: Path) -> Handset:
    return Handset(tmp_path)


async def test_what_was_written_is_there_byte_for_byte_and_runs(handset: Handset) -> None:
    assert await handset.run() == BOTH
    assert len(handset.shell.commands) == 4
    for program in Program:
        assert handset.held(program).read_bytes() == (handset.host / program).read_bytes()
    assert await handset.run() == BOTH
    assert len(handset.shell.commands) == 2
    # Another of the same size is written over.
    content = handset.held(Program.CACHE).read_text()
    handset.held(Program.CACHE).write_text(content.replace("exit 0", "exit 1"))
    assert await handset.run() == BOTH
    assert len(handset.shell.commands) == 3
    assert handset.held(Program.CACHE).read_text() == content


async def test_without_sha256sum_what_lies_there_is_written_anew_each_time(
    handset: Handset,
) -> None:
    (handset.shell.tools / "sha256sum").unlink()
    for _ in range(2):
        assert await handset.run() == BOTH
        assert len(handset.shell.commands) == 4


@pytest.mark.parametrize(
    "text",
    [
        *(f"#!/bin/sh\nkill -{signal} $$\n" for signal in ("ILL", "SEGV", "ABRT")),
        *(f"#!/bin/sh\nexit {code}\n" for code in (126, 127)),
        "#!/no/such/interpreter\n",
    ],
)
@pytest.mark.parametrize("program", Program)
async def test_each_is_told_apart_by_how_it_ends(
    handset: Handset, program: Program, text: str
) -> None:
    handset.build(program, text)
    assert await handset.run() == BOTH - {program}


@pytest.mark.parametrize(
    ("harm", "digests"), [("head -c -1", True), ("head -c -1", False), ("tr 0 1", True)]
)
async def test_what_is_lost_or_changed_on_the_way_is_noticed(
    handset: Handset, harm: str, *, digests: bool
) -> None:
    handset.shell.install_tool("cat", harm)
    if not digests:
        (handset.shell.tools / "sha256sum").unlink()
    with pytest.raises(TransientFault, match="damaged"):
        await handset.run()
    assert not any("version" in command for command in handset.shell.commands)


async def test_where_only_the_size_can_be_had_nobody_sees_a_changed_bit(handset: Handset) -> None:
    handset.shell.install_tool("cat", "tr 0 1")
    (handset.shell.tools / "sha256sum").unlink()
    assert await handset.run() == BOTH


async def test_a_write_without_room_is_told_though_an_old_program_lies_there(
    handset: Handset,
) -> None:
    await handset.run()
    handset.build(Program.FILL, RUNS + RUNS)
    complaint = "cat: write error: No space left on device"
    handset.shell.install_tool("cat", f"head -c 5\necho '{complaint}' >&2\nexit 1")
    with pytest.raises(NoRoomForProgram):
        await handset.run()


async def test_row_4_a_quota_that_leaves_no_room_for_a_program_is_no_faulty_storage(
    handset: Handset,
) -> None:
    handset.shell.install_tool("cat", "head -c 5\necho 'cat: Quota exceeded' >&2\nexit 1")
    with pytest.raises(NoRoomForProgram):
        await handset.run()
    with pytest.raises(StageFailed) as refused:
        await handset.run(may_make_room=True)
    assert refused.value.reason is Reason.STORAGE_QUOTA


async def test_a_write_that_is_refused_is_told_with_its_status(handset: Handset) -> None:
    handset.shell.home.rmdir()
    with pytest.raises(StorageFault, match=r"can't be written \(code [1-9]"):
        await handset.run()


async def taken_back(handset: Handset) -> int:
    return (await handset.shell.run(TAKE_BACK)).exit_code


async def test_row_13_nothing_that_was_put_on_it_stays(handset: Handset) -> None:
    await handset.run()
    home = handset.shell.home
    (home / f"{Program.FILL}.new").write_text("cut off")
    (home / "benchd").mkdir()
    for name in ("lock", "guard", "probe"):
        (home / "benchd" / name).touch()
    (home / "of-its-owner.apk").write_text("theirs")
    assert await taken_back(handset) == 0
    assert [path.name for path in home.iterdir()] == ["of-its-owner.apk"]
    # Once more, on a handset that has none of it.
    assert await taken_back(handset) == 0


@pytest.mark.parametrize("name", ["fill-000000.dat", "tail-000001.dat", "small-1", ".hidden", "my"])
async def test_row_13_a_folder_that_holds_something_else_stays_as_it_is(
    handset: Handset, name: str
) -> None:
    await handset.run()
    folder = handset.shell.home / "benchd"
    folder.mkdir()
    (folder / "lock").touch()
    (folder / name).write_text("another job's, or nobody knows whose")
    assert await taken_back(handset) == 0
    assert {path.name for path in folder.iterdir()} == {"lock", name}
    assert [path.name for path in handset.shell.home.iterdir()] == ["benchd"]


async def test_row_13_a_link_is_not_followed_and_what_can_t_be_removed_is_told(
    handset: Handset, tmp_path: Path
) -> None:
    (elsewhere := tmp_path / "elsewhere").mkdir()
    (elsewhere / "lock").touch()
    (handset.shell.home / "benchd").symlink_to(elsewhere)
    assert await taken_back(handset) == 0
    assert (elsewhere / "lock").exists()
    handset.shell.install_tool("rm", "exit 1")
    assert await taken_back(handset) != 0
