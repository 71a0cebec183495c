"""The host's own samples: exact or none, only of blocks that were seen to come from the medium."""

from __future__ import annotations

import pytest
from handset_fakes import Reply, Unplug
from handset_fill_rig import Rig, framed, shown

from benchd.devices.android.fill.sample_stream import READ_BLOCKS
from benchd.devices.android.shell.packets import Output
from benchd.domain.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    StorageFault,
    UnsupportedHandset,
)
from benchd.domain.fill import HostSample

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

BLOCKS = bytes(range(256)) * 32


@pytest.fixture
def rig() -> Rig:
    return Rig()


async def taken(
    rig: Rig, *replies: Reply, offset: int = 3 * 4096, size_bytes: int = 8192
) -> HostSample:
    """One sample out of the fourth block and the fifth."""
    rig.shell.replies += replies
    async with rig.reads.samples() as samples:
        return await samples.take("fill-000001.dat", offset, size_bytes)


async def test_a_sample_is_cut_out_of_whole_blocks_that_were_seen_to_come_in(rig: Rig) -> None:
    reply = shown(BLOCKS, pages=2)
    sample = await taken(rig, reply, offset=3 * 4096 + 100, size_bytes=5000)
    assert (sample.data, sample.past_cache) == (BLOCKS[100:5100], "eviction_seen")
    _, name, *numbers = rig.shell.streams[-1].stdin.decode().split()
    assert (name, numbers) == ("fill-000001.dat", ["12288", "8192", "3", "2"])


async def test_the_options_of_dd_are_those_of_every_android() -> None:
    assert "flag=" not in READ_BLOCKS


@pytest.mark.parametrize(
    "reply",
    [shown(b"", pages=2, before=2, after=2), shown(BLOCKS, pages=2, after=1)],
    ids=["answered from memory", "never seen in the cache"],
)
async def test_a_cache_that_isnt_seen_to_be_empty_and_then_full_gives_no_sample(
    rig: Rig, reply: Reply
) -> None:
    with pytest.raises(UnsupportedHandset, match="cache"):
        await taken(rig, reply)
    assert rig.shell.streams[-1].stdin.count(b"\n") == 3


async def test_a_page_that_was_let_go_of_at_once_is_read_again(rig: Rig) -> None:
    sample = await taken(rig, shown(BLOCKS, pages=2, after=1), shown(BLOCKS, pages=2))
    assert sample.data == BLOCKS


def told(*lines: str) -> Reply:
    """A read before which and after which this is said of the cache."""
    first, *rest = [f"cache {line}\n".encode() for line in lines] or [b""]
    return framed(first + BLOCKS + b"".join(rest))


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
        ["count page_bytes=4096 pages=2 resident=2", "empty page_bytes=4096 pages=2 resident=0"],
    ],
)
async def test_what_the_cache_program_would_never_say_gives_no_sample(
    rig: Rig, lines: list[str]
) -> None:
    with pytest.raises(AnswerNotRecognised):
        await taken(rig, told(*lines))


async def test_pages_of_16_kib_hold_several_blocks(rig: Rig) -> None:
    held = "page_bytes=16384 pages=2 resident="
    sample = await taken(rig, told(f"empty {held}0", f"count {held}2"))
    assert sample.data == BLOCKS


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (shown(bytes(8191), pages=2), StorageFault),
        (shown(b"", pages=2), StorageFault),
        (shown(bytes(8193), pages=2), AnswerNotRecognised),
        (framed(2 * b"cache failed no such file\n", code=4), StorageFault),
        (framed(BLOCKS + b"cache failed it went away\n"), StorageFault),
        (shown(BLOCKS, pages=2, code=1), StorageFault),
        (shown(bytes(8192 + 2000), pages=2), AnswerNotRecognised),
        (lambda mark: [Output(f"{mark}\n".encode(), is_error=False), Unplug()], HandsetGone),
    ],
    ids=[
        "too little",
        "nothing",
        "too much",
        "no file",
        "no file any more",
        "read error",
        "far too much",
        "unplugged",
    ],
)
async def test_a_sample_is_exact_or_none(rig: Rig, reply: Reply, fault: type[BenchdError]) -> None:
    with pytest.raises(fault):
        await taken(rig, reply)


async def test_what_the_cache_program_says_inside_of_the_blocks_is_read_as_bytes(rig: Rig) -> None:
    line = b"cache count page_bytes=4096 pages=2 resident=2\ncache failed\n"
    blocks = (line * 200)[:8192]
    assert (await taken(rig, shown(blocks, pages=2))).data == blocks


@pytest.mark.parametrize(
    "name",
    ["x", "../../etc/passwd", "fill-000000.dat;rm", "fill-1.dat", "small-000000.dat", "lock", ""],
)
async def test_a_sample_of_anything_else_is_never_asked_for(rig: Rig, name: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        async with rig.reads.samples() as samples:
            await samples.take(name, 0, 4096)
    assert rig.shell.streams[-1].stdin == b""
