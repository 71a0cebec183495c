"""The host's own samples: exact or none, past the cache, in the way that the handset's dd has."""

from __future__ import annotations

from pathlib import Path

import pytest
from handset_fakes import Step, Unplug, line, said
from handset_fill_rig import EVICT_DONE, Rig

from benchd.android.shell.packets import Exit, Output
from benchd.errors import AnswerNotRecognised, BenchdError, HandsetGone, StorageFault

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

DD = "exec dd if=/data/local/tmp/benchd/fill-000001.dat bs=4096 skip=3 count=2"
EMPTY = "exec dd if=/data/local/tmp/benchd/fill-000001.dat bs=4096 skip=0 count=0"
BLOCKS = bytes(range(256)) * 32
READ: list[Step] = [Output(BLOCKS, is_error=False), Exit(0)]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


async def test_a_sample_is_cut_out_of_whole_blocks(rig: Rig) -> None:
    rig.shell.on(f"{DD} iflag=direct", *READ)
    sample = await rig.sampler.sample("fill-000001.dat", 3 * 4096 + 100, 5000)
    assert (sample.data, sample.past_cache) == (BLOCKS[100:5100], "o_direct")
    assert rig.shell.commands == [f"{DD} iflag=direct 2> /dev/null"]


async def test_where_dd_has_no_direct_the_cache_is_emptied_by_another_tool(rig: Rig) -> None:
    rig.shell.on(f"{DD} iflag=direct", *said("", 1))
    rig.shell.on(f"{EMPTY} iflag=nocache", *said(""))
    rig.shell.on(f"{DD} 2>", *READ)
    for _ in range(2):
        sample = await rig.sampler.sample("fill-000001.dat", 3 * 4096, 8192)
        assert (sample.data, sample.past_cache) == (BLOCKS, "evicted")
    asked = [command.removesuffix(" 2> /dev/null") for command in rig.shell.commands]
    assert asked == [f"{DD} iflag=direct", *(2 * [f"{EMPTY} iflag=nocache", DD])]


async def test_where_nothing_else_helps_the_program_empties_it_and_that_is_named(
    rig: Rig,
) -> None:
    rig.shell.on(f"{DD} iflag=direct", *said("", 1))
    rig.shell.on(f"{EMPTY} iflag=nocache", *said("", 1))
    rig.says("evict", line("done", **EVICT_DONE), Exit(0))
    rig.shell.on(f"{DD} 2>", *READ)
    sample = await rig.sampler.sample("fill-000001.dat", 3 * 4096, 8192)
    assert sample.past_cache == "evicted_by_program"


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([line("done", files_evicted=0), Exit(0)], AnswerNotRecognised),
        ([line("done", **EVICT_DONE), Exit(1)], AnswerNotRecognised),
        ([line("error", code="io", message="m"), Exit(4)], StorageFault),
    ],
)
async def test_a_cache_that_stays_gives_no_sample(
    rig: Rig, steps: list[Step], fault: type[BenchdError]
) -> None:
    rig.shell.on(f"{DD} iflag=direct", *said("", 1))
    rig.shell.on(f"{EMPTY} iflag=nocache", *said("", 1))
    rig.says("evict", *steps)
    rig.shell.on(f"{DD} 2>", *READ)
    with pytest.raises(fault):
        await rig.sampler.sample("fill-000001.dat", 3 * 4096, 8192)


async def test_a_way_that_worked_once_is_not_left_for_a_weaker_one(rig: Rig) -> None:
    rig.shell.on(f"{DD} iflag=direct", *READ)
    rig.shell.on(f"{DD} iflag=direct", *said("", 1))
    await rig.sampler.sample("fill-000001.dat", 3 * 4096, 8192)
    with pytest.raises(StorageFault):
        await rig.sampler.sample("fill-000001.dat", 3 * 4096, 8192)
    assert len(rig.shell.commands) == 2


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
