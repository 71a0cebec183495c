"""How the fill program gets onto a handset."""

from __future__ import annotations

from pathlib import Path

import pytest
from handset_fakes import Step, line, said
from handset_fill_rig import (
    CHECK_DONE,
    DROP_DONE,
    PROGRAM,
    Rig,
)

from benchd.android.shell.packets import Exit, Output
from benchd.errors import StorageFault, TransientFault

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


WRITE = "rm -rf /data/local/tmp/benchd-fill.new && cat >"


async def test_a_program_that_is_there_is_not_sent_again(rig: Rig) -> None:
    rig.says("drop", line("done", **DROP_DONE), Exit(0))
    await rig.driver.drop()
    await rig.driver.drop()
    assert [command.split()[0] for command in rig.shell.commands] == [
        "getprop",
        "wc",
        "exec",
        "exec",
    ]


@pytest.mark.parametrize(
    "found",
    [
        said("", 1),
        said(Rig.measured(b"other")),
        said(f"{len(PROGRAM)}\n{'0' * 64}  -\n"),
        said(f"{len(PROGRAM)}\n"),
    ],
)
async def test_a_program_that_is_not_there_is_sent(tmp_path: Path, found: list[Step]) -> None:
    rig = Rig(tmp_path)
    rig.shell.scripts["wc -c"] = [found, said(Rig.measured(PROGRAM))]
    rig.shell.on(WRITE, Exit(0))
    rig.says("drop", line("done", **DROP_DONE), Exit(0))
    await rig.driver.drop()
    sent = next(
        stream
        for command, stream in zip(rig.shell.commands, rig.shell.streams, strict=True)
        if command.startswith(WRITE)
    )
    assert bytes(sent.stdin) == PROGRAM
    assert sent.stdin_closed


async def test_a_program_that_arrived_damaged_is_a_transient_fault(rig: Rig) -> None:
    rig.shell.scripts["wc -c"] = [said("", 1), said(f"{len(PROGRAM)}\n{'0' * 64}  -\n")]
    rig.shell.on(WRITE, Exit(0))
    with pytest.raises(TransientFault, match="damaged"):
        await rig.driver.drop()


async def test_before_android_8_the_size_has_to_do(rig: Rig) -> None:
    rig.shell.scripts["wc -c"] = [said("", 1), said(f"{len(PROGRAM)}\n")]
    rig.shell.on(WRITE, Exit(0))
    rig.says("drop", line("done", **DROP_DONE), Exit(0))
    assert (await rig.driver.drop()).files_removed == 2


async def test_full_storage_is_made_room_in_once(rig: Rig) -> None:
    full: list[Step] = [
        Output(b"cat: write error: No space left on device\n", is_error=True),
        Exit(1),
    ]
    rig.shell.scripts["wc -c"] = [said("", 1), said(Rig.measured(PROGRAM))]
    rig.shell.scripts[WRITE] = [full, [Exit(0)]]
    rig.shell.on("rm -f /data/local/tmp/benchd/tail-*", Exit(0))
    rig.says("drop", line("done", **DROP_DONE), Exit(0))
    await rig.driver.drop()
    assert any(command.startswith("rm -f") for command in rig.shell.commands)


async def test_what_may_still_prove_itself_is_deleted_last(rig: Rig) -> None:
    full: list[Step] = [
        Output(b"cat: write error: No space left on device\n", is_error=True),
        Exit(1),
    ]
    rig.shell.scripts["wc -c"] = [said("", 1), said(Rig.measured(PROGRAM))]
    rig.shell.scripts[WRITE] = [full, full, [Exit(0)]]
    rig.shell.on("rm -f /data/local/tmp/benchd/", Exit(0))
    rig.says("drop", line("done", **DROP_DONE), Exit(0))
    await rig.driver.drop()
    deleted = [command for command in rig.shell.commands if command.startswith("rm -f")]
    assert deleted == [
        "rm -f /data/local/tmp/benchd/tail-*",
        "rm -f /data/local/tmp/benchd/fill-*",
    ]


async def test_a_check_never_deletes_what_it_is_to_read(rig: Rig) -> None:
    full: list[Step] = [
        Output(b"cat: write error: No space left on device\n", is_error=True),
        Exit(1),
    ]
    rig.shell.scripts["wc -c"] = [said("", 1)]
    rig.shell.scripts[WRITE] = [full]
    with pytest.raises(StorageFault):
        await rig.check(line("done", **CHECK_DONE), Exit(0))
    assert not any(command.startswith("rm -f") for command in rig.shell.commands)
