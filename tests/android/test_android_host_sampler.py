"""The host's own samples: exact or none, only of blocks that no cache holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from handset_fakes import Step, Unplug, line, said
from handset_fill_rig import EVICT_DONE, Rig

from benchd.android.fill.program import PROGRAM_PATH
from benchd.android.shell.packets import Exit, Output
from benchd.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    StorageFault,
    UnsupportedHandset,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

DD = "exec dd if=/data/local/tmp/benchd/fill-000001.dat bs=4096 skip=3 count=2"
BLOCKS = bytes(range(256)) * 32
READ: list[Step] = [Output(BLOCKS, is_error=False), Exit(0)]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


EVICT = f"exec {PROGRAM_PATH} evict"


def evicts(rig: Rig, times: int = 1) -> None:
    for _ in range(times):
        rig.says("evict", line("done", **EVICT_DONE), Exit(0))


async def test_a_sample_is_cut_out_of_whole_blocks_that_no_cache_holds(rig: Rig) -> None:
    evicts(rig)
    rig.shell.on(f"{DD} iflag=direct", *READ)
    sample = await rig.sampler.sample("fill-000001.dat", 3 * 4096 + 100, 5000)
    assert (sample.data, sample.past_cache) == (BLOCKS[100:5100], "evicted_by_program")
    assert rig.shell.commands[-2:] == [EVICT, f"{DD} iflag=direct 2> /dev/null"]


async def test_the_cache_is_shown_to_be_empty_before_each_sample(rig: Rig) -> None:
    evicts(rig, 2)
    rig.shell.on(f"{DD} iflag=direct", *said("", 1))
    rig.shell.on(f"{DD} 2>", *READ)
    rig.shell.on(f"{DD} 2>", *READ)
    for _ in range(2):
        sample = await rig.sampler.sample("fill-000001.dat", 3 * 4096, 8192)
        assert (sample.data, sample.past_cache) == (BLOCKS, "evicted_by_program")
    asked = [command.removesuffix(" 2> /dev/null") for command in rig.shell.commands]
    assert asked[-5:] == [EVICT, f"{DD} iflag=direct", DD, EVICT, DD]


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([line("done", files_evicted=0, pages_left=0), Exit(0)], AnswerNotRecognised),
        ([line("done", files_evicted=1), Exit(0)], AnswerNotRecognised),
        ([line("done", files_evicted=1, pages_left=1), Exit(0)], AnswerNotRecognised),
        ([line("error", code="cache_not_evicted", message="m"), Exit(4)], UnsupportedHandset),
        ([line("done", **EVICT_DONE), Exit(1)], AnswerNotRecognised),
        ([line("error", code="io", message="m"), Exit(4)], StorageFault),
    ],
)
async def test_a_cache_that_stays_gives_no_sample(
    rig: Rig, steps: list[Step], fault: type[BenchdError]
) -> None:
    rig.says("evict", *steps)
    rig.shell.on(f"{DD} iflag=direct", *READ)
    with pytest.raises(fault):
        await rig.sampler.sample("fill-000001.dat", 3 * 4096, 8192)


async def test_a_way_that_worked_once_is_not_left_for_a_weaker_one(rig: Rig) -> None:
    evicts(rig, 2)
    rig.shell.on(f"{DD} iflag=direct", *READ)
    rig.shell.on(f"{DD} iflag=direct", *said("", 1))
    await rig.sampler.sample("fill-000001.dat", 3 * 4096, 8192)
    with pytest.raises(StorageFault):
        await rig.sampler.sample("fill-000001.dat", 3 * 4096, 8192)
    assert sum(command.startswith(DD) for command in rig.shell.commands) == 2


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([Output(bytes(8191), is_error=False), Exit(0)], StorageFault),
        ([Exit(0)], StorageFault),
        ([Output(bytes(8193), is_error=False), Exit(0)], AnswerNotRecognised),
        ([Output(bytes(8192), is_error=False), Unplug()], HandsetGone),
    ],
)
async def test_a_sample_is_exact_or_none(
    rig: Rig, steps: list[Step], fault: type[BenchdError]
) -> None:
    evicts(rig)
    rig.shell.on(f"{DD} iflag=direct", *steps)
    with pytest.raises(fault):
        await rig.sampler.sample("fill-000001.dat", 3 * 4096, 8192)


@pytest.mark.parametrize(
    "name",
    ["x", "../../etc/passwd", "fill-000000.dat;rm", "fill-1.dat", "small-000000.dat", "lock", ""],
)
async def test_a_sample_of_anything_else_is_never_asked_for(rig: Rig, name: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        await rig.sampler.sample(name, 0, 4096)
    assert rig.shell.commands == []
