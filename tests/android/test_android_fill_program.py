"""How the fill program gets onto a handset."""

from __future__ import annotations

from pathlib import Path

import pytest
from handset_fakes import Step, line, said
from handset_fill_bench import (
    CHECK_DONE,
    DROP_DONE,
    PROGRAM,
    Bench,
)

from benchd.android.shell.packets import Exit, Output
from benchd.errors import StorageFault, TransientFault

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


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
    bench.shell.on("rm -f /data/local/tmp/benchd/tail-*", Exit(0))
    bench.says("drop", line("done", **DROP_DONE), Exit(0))
    await bench.driver.drop()
    assert any(command.startswith("rm -f") for command in bench.shell.commands)


async def test_what_may_still_prove_itself_is_deleted_last(bench: Bench) -> None:
    full: list[Step] = [
        Output(b"cat: write error: No space left on device\n", is_error=True),
        Exit(1),
    ]
    bench.shell.scripts["wc -c"] = [said("", 1), said(Bench.measured(PROGRAM))]
    bench.shell.scripts[WRITE] = [full, full, [Exit(0)]]
    bench.shell.on("rm -f /data/local/tmp/benchd/", Exit(0))
    bench.says("drop", line("done", **DROP_DONE), Exit(0))
    await bench.driver.drop()
    deleted = [command for command in bench.shell.commands if command.startswith("rm -f")]
    assert deleted == [
        "rm -f /data/local/tmp/benchd/tail-*",
        "rm -f /data/local/tmp/benchd/fill-*",
    ]


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
