"""The host's own samples: exact or none, only of blocks that were seen to come from the medium."""

from __future__ import annotations

from pathlib import Path

import pytest
from handset_fakes import Step, Unplug
from handset_fill_rig import Rig, shown

from benchd.android.fill.program import CACHE_PATH
from benchd.android.shell.packets import Exit, Output
from benchd.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    StorageFault,
    UnsupportedHandset,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

FILE = "/data/local/tmp/benchd/fill-000001.dat"
READ = f"{CACHE_PATH} empty {FILE} 12288 8192"
BLOCKS = bytes(range(256)) * 32


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


async def test_a_sample_is_cut_out_of_whole_blocks_that_were_seen_to_come_in(rig: Rig) -> None:
    rig.shell.on(READ, *shown(BLOCKS, pages=2))
    sample = await rig.reads.sample("fill-000001.dat", 3 * 4096 + 100, 5000)
    assert (sample.data, sample.past_cache) == (BLOCKS[100:5100], "eviction_seen")
    assert rig.shell.commands[-1] == (
        f"{CACHE_PATH} empty {FILE} 12288 8192 >&2"
        f" && dd if={FILE} bs=4096 skip=3 count=2 2> /dev/null; code=$?;"
        f" {CACHE_PATH} count {FILE} 12288 8192 >&2; exit $code"
    )


async def test_the_options_of_dd_are_those_of_every_android(rig: Rig) -> None:
    rig.shell.on(READ, *shown(BLOCKS, pages=2))
    await rig.reads.sample("fill-000001.dat", 3 * 4096, 8192)
    assert "flag=" not in rig.shell.commands[-1]


@pytest.mark.parametrize(
    "steps",
    [shown(b"", pages=2, before=2, after=2), shown(BLOCKS, pages=2, after=1)],
    ids=["answered from memory", "never seen in the cache"],
)
async def test_a_cache_that_isnt_seen_to_be_empty_and_then_full_gives_no_sample(
    rig: Rig, steps: list[Step]
) -> None:
    rig.shell.on(READ, *steps)
    with pytest.raises(UnsupportedHandset, match="cache"):
        await rig.reads.sample("fill-000001.dat", 3 * 4096, 8192)
    assert len([command for command in rig.shell.commands if command.startswith(READ)]) == 3


async def test_a_page_that_was_let_go_of_at_once_is_read_again(rig: Rig) -> None:
    rig.shell.on(READ, *shown(BLOCKS, pages=2, after=1))
    rig.shell.on(READ, *shown(BLOCKS, pages=2))
    assert (await rig.reads.sample("fill-000001.dat", 3 * 4096, 8192)).data == BLOCKS


def told(*lines: str) -> list[Step]:
    """A read that says this of the cache."""
    text = "".join(f"cache {line}\n" for line in lines).encode()
    return [Output(BLOCKS, is_error=False), Output(text, is_error=True), Exit(0)]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["empty page_bytes=4096 pages=2 resident=0"],
        ["count page_bytes=4096 pages=2 resident=2"],
        ["empty page_bytes=4096 pages=2 resident=0", "count page_bytes=4096 pages=3 resident=3"],
        ["empty page_bytes=4096 pages=1 resident=0", "count page_bytes=4096 pages=1 resident=1"],
        ["empty page_bytes=4096 pages=3 resident=0", "count page_bytes=4096 pages=3 resident=3"],
        ["empty page_bytes=512 pages=2 resident=0", "count page_bytes=512 pages=2 resident=2"],
        ["empty page_bytes=4096 pages=2 resident=0", "count page_bytes=4096 pages=2 resident=9"],
        ["empty page_bytes=4096 pages=2 resident=0"] * 2,
    ],
)
async def test_what_the_cache_program_would_never_say_gives_no_sample(
    rig: Rig, lines: list[str]
) -> None:
    rig.shell.on(READ, *told(*lines))
    with pytest.raises(AnswerNotRecognised):
        await rig.reads.sample("fill-000001.dat", 3 * 4096, 8192)


async def test_pages_of_16_kib_hold_several_blocks(rig: Rig) -> None:
    held = "page_bytes=16384 pages=2 resident="
    rig.shell.on(READ, *told(f"empty {held}0", f"count {held}2"))
    assert (await rig.reads.sample("fill-000001.dat", 3 * 4096, 8192)).data == BLOCKS


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        (shown(bytes(8191), pages=2), StorageFault),
        (shown(b"", pages=2), StorageFault),
        ([Output(b"cache failed no such file\n", is_error=True), Exit(4)], StorageFault),
        ([*shown(BLOCKS, pages=2)[:-1], Exit(1)], StorageFault),
        ([Output(bytes(8192 + 2000), is_error=False), Exit(0)], AnswerNotRecognised),
        ([Output(bytes(8192), is_error=False), Unplug()], HandsetGone),
    ],
)
async def test_a_sample_is_exact_or_none(
    rig: Rig, steps: list[Step], fault: type[BenchdError]
) -> None:
    rig.shell.on(READ, *steps)
    with pytest.raises(fault):
        await rig.reads.sample("fill-000001.dat", 3 * 4096, 8192)


@pytest.mark.parametrize(
    "name",
    ["x", "../../etc/passwd", "fill-000000.dat;rm", "fill-1.dat", "small-000000.dat", "lock", ""],
)
async def test_a_sample_of_anything_else_is_never_asked_for(rig: Rig, name: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        await rig.reads.sample(name, 0, 4096)
    assert rig.shell.commands == []
