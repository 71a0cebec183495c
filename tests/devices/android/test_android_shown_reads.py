"""The host's own samples by one shell: exact or none, and only of what came from the medium."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import cast

import anyio
import pytest
from handset_fakes import FakeShell, Pause, ReadingStream, Reply, Step, Unplug, kept_patterns, said
from handset_fill_rig import Rig, framed, shown

from benchd.devices.android.fill.sample_blocks import SampleBlocks, sample_blocks
from benchd.devices.android.fill.sample_stream import READ_BLOCKS, READ_EACH, sample_stream
from benchd.devices.android.fill.shown_reads import (
    CONTENT,
    INNER_CONTENT,
    PROBE,
    REMOVE,
    ShownSamples,
)
from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    HandsetStalled,
    StageFailed,
    StorageFault,
    UnsupportedHandset,
)
from benchd.domain.fill import HostSample

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

TWO_BLOCKS = bytes(range(256)) * 32
HELD = "page_bytes=4096 pages=2 resident="


def plain(data: bytes) -> Output:
    return Output(data, is_error=False)


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
    reply = shown(TWO_BLOCKS, pages=2)
    sample = await taken(rig, reply, offset=3 * 4096 + 100, size_bytes=5000)
    assert (sample.data, sample.past_cache) == (TWO_BLOCKS[100:5100], "eviction_seen")
    _, name, *numbers = rig.shell.streams[-1].stdin.decode().split()
    assert (name, numbers) == ("fill-000001.dat", ["12288", "8192", "3", "2"])
    assert "flag=" not in READ_BLOCKS, "the options of dd are those of every Android"


@pytest.mark.parametrize(
    "reply",
    [shown(b"", pages=2, before=2, after=2), shown(TWO_BLOCKS, pages=2, after=1)],
    ids=["answered from memory", "never seen in the cache"],
)
async def test_a_cache_that_isnt_seen_to_be_empty_and_then_full_gives_no_sample(
    rig: Rig, reply: Reply
) -> None:
    with pytest.raises(UnsupportedHandset, match="cache"):
        await taken(rig, reply)
    assert rig.shell.streams[-1].stdin.count(b"\n") == 3


async def test_a_page_that_was_let_go_of_at_once_is_read_again(rig: Rig) -> None:
    again = shown(TWO_BLOCKS, pages=2)
    sample = await taken(rig, shown(TWO_BLOCKS, pages=2, after=1), again)
    assert sample.data == TWO_BLOCKS


def cache_told(*lines: str) -> Reply:
    """A read before which and after which this is said of the cache."""
    first, *rest = [f"cache {line}\n".encode() for line in lines] or [b""]
    return framed(first + TWO_BLOCKS + b"".join(rest))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [f"empty {HELD}0"],
        [f"count {HELD}2"],
        [f"empty {HELD}0", "count page_bytes=4096 pages=3 resident=3"],
        ["empty page_bytes=4096 pages=1 resident=0", "count page_bytes=4096 pages=1 resident=1"],
        ["empty page_bytes=4096 pages=3 resident=0", "count page_bytes=4096 pages=3 resident=3"],
        ["empty page_bytes=512 pages=2 resident=0", "count page_bytes=512 pages=2 resident=2"],
        [f"empty {HELD}0", f"count {HELD}9"],
        [f"empty {HELD}0"] * 2,
        [f"count {HELD}2", f"empty {HELD}0"],
    ],
)
async def test_what_the_cache_program_would_never_say_gives_no_sample(
    rig: Rig, lines: list[str]
) -> None:
    with pytest.raises(AnswerNotRecognised):
        await taken(rig, cache_told(*lines))


async def test_pages_of_16_kib_hold_several_blocks(rig: Rig) -> None:
    held = "page_bytes=16384 pages=2 resident="
    assert (await taken(rig, cache_told(f"empty {held}0", f"count {held}2"))).data == TWO_BLOCKS


INEXACT: dict[str, tuple[Reply, type[BenchdError]]] = {
    "too little": (shown(bytes(8191), pages=2), StorageFault),
    "nothing": (shown(b"", pages=2), StorageFault),
    "too much": (shown(bytes(8193), pages=2), AnswerNotRecognised),
    "no file": (framed(2 * b"cache failed no such file\n", code=4), StorageFault),
    "no file any more": (framed(TWO_BLOCKS + b"cache failed it went away\n"), StorageFault),
    "read error": (shown(TWO_BLOCKS, pages=2, code=1), StorageFault),
    "far too much": (shown(bytes(8192 + 2000), pages=2), AnswerNotRecognised),
    "unplugged": (lambda mark: [plain(f"{mark}\n".encode()), Unplug()], HandsetGone),
}


@pytest.mark.parametrize("case", INEXACT)
async def test_a_sample_is_exact_or_none(rig: Rig, case: str) -> None:
    reply, fault = INEXACT[case]
    with pytest.raises(fault):
        await taken(rig, reply)


@pytest.mark.parametrize(
    "line",
    [b"cache count page_bytes=4096 pages=2 resident=2\ncache failed\n", b"0123456789abcdef 0\n"],
    ids=["the cache program's words", "an end of an answer"],
)
async def test_what_stands_inside_of_the_blocks_is_read_as_bytes(rig: Rig, line: bytes) -> None:
    blocks = (line * 450)[:8192]
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


BLOCKS = [bytes([number]) * 4096 for number in range(4)]
HONEST = [shown(block, pages=1) for block in BLOCKS]


def part(number: int) -> SampleBlocks:
    return sample_blocks("fill-000000.dat", number * 4096, 4096)


async def look(shell: FakeShell, count: int = 4) -> list[bytes]:
    """So many samples by one shell, each compared with nothing."""
    async with sample_stream(shell) as stream:
        samples = ShownSamples(stream)
        return [await samples.read(part(number)) for number in range(count)]


def bytes_of(reply: Reply, mark: str) -> bytes:
    return b"".join(step.data for step in reply(mark) if isinstance(step, Output))


def half(mark: str) -> Output:
    return plain(bytes_of(HONEST[1], mark)[:2000])


async def test_one_shell_reads_all_and_hears_of_a_place_only_after_the_one_before() -> None:
    shell = FakeShell(replies=HONEST)
    assert await look(shell) == BLOCKS
    (stream,) = cast("list[ReadingStream]", shell.streams)
    assert stream.asked_before_reply == [1, 2, 3, 4]
    marks = [bytes(line).split(b" ")[0] for line in stream.stdin.splitlines()]
    assert len(set(marks)) == 4
    assert all(len(mark) == 16 for mark in marks)
    assert stream.stdin_closed


async def test_a_new_mark_is_no_new_pattern_for_re_to_keep() -> None:
    re.purge()
    await look(FakeShell(replies=HONEST), 1)
    before = kept_patterns()
    await look(FakeShell(replies=HONEST))
    assert kept_patterns() == before


async def test_an_answer_may_come_in_any_pieces() -> None:
    def in_pieces(reply: Reply, size: int) -> Reply:
        def replied(mark: str) -> Sequence[Step]:
            said = bytes_of(reply, mark)
            return [plain(said[at : at + size]) for at in range(0, len(said), size)]

        return replied

    replies = [
        in_pieces(reply, size) for reply, size in zip(HONEST, (1, 17, 97, 4096), strict=True)
    ]
    assert await look(FakeShell(replies=replies)) == BLOCKS


def given_before() -> Reply:
    kept: list[bytes] = []

    def once(mark: str) -> Sequence[Step]:
        kept.append(bytes_of(HONEST[0], mark))
        return [plain(kept[0])]

    return once


def changing_places() -> Reply:
    """The first is kept back; what would be the second comes in its place."""
    marks: list[str] = []

    def late(mark: str) -> Sequence[Step]:
        marks.append(mark)
        return HONEST[1]("f" * 16) if len(marks) == 1 else HONEST[0](marks[0])

    return late


def one_into_another(mark: str) -> Sequence[Step]:
    one, other = bytes_of(HONEST[0], mark), bytes_of(HONEST[1], "f" * 16)
    return [plain(one[:600]), plain(other), plain(one[600:])]


def spoilt(spoil: Callable[[bytes], bytes]) -> list[Reply]:
    return [lambda mark: [plain(spoil(bytes_of(HONEST[0], mark)))], HONEST[1]]


def flood(*, is_error: bool) -> list[Reply]:
    endless: list[Step] = [Output(bytes(1024), is_error=is_error)] * 9_000
    return [lambda mark: [plain(f"{mark}\n".encode()), *endless]]


def broken_off(step: Step) -> list[Reply]:
    return [HONEST[0], lambda mark: [half(mark), step]]


NO_ANSWERS: dict[str, tuple[list[Reply], type[BenchdError], str]] = {
    "given before": ([given_before()], AnswerNotRecognised, "isn't the sample"),
    "ahead of its request": (
        [lambda mark: [*HONEST[0](mark), *HONEST[1]("0" * 16)], lambda _: []],
        AnswerNotRecognised,
        "isn't the sample",
    ),
    "changing places": ([changing_places()], AnswerNotRecognised, "isn't the sample"),
    "one into another": ([one_into_another], AnswerNotRecognised, ""),
    "a byte more before": (spoilt(lambda said: b"x" + said), StageFailed, ""),
    "a byte less": (spoilt(lambda said: said[1:]), StageFailed, ""),
    "a byte more after": (spoilt(lambda said: said + b"x"), StageFailed, ""),
    "CR": (spoilt(lambda said: said.replace(b"\n", b"\r\n")), StageFailed, ""),
    "twice": (spoilt(lambda said: said + said), StageFailed, ""),
    "thrice": (spoilt(lambda said: said * 3), StageFailed, ""),
    "flood": (flood(is_error=False), AnswerNotRecognised, "more than"),
    "flood of errors": (flood(is_error=True), AnswerNotRecognised, "more than"),
    "ended before it was let go": (broken_off(Exit(0)), AnswerNotRecognised, ""),
    "unplugged": (broken_off(Unplug()), HandsetGone, ""),
}


@pytest.mark.parametrize("case", NO_ANSWERS)
async def test_what_is_not_the_very_answer_to_its_request_is_none(case: str) -> None:
    replies, fault, says = NO_ANSWERS[case]
    shell = FakeShell(replies=replies)
    alone = case == "one into another" or "flood" in case
    with pytest.raises(fault) as refused:
        await look(shell, 1 if alone else 2)
    assert says in str(refused.value)
    assert not shell.streams[0].stdin_closed
    if "flood" in case:
        assert len(shell.streams[0].steps) > 8_000, "it is cut off"


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [Pause(61), plain(b"x")],
        [step for _ in range(20) for step in (Pause(5), Output(b"x", is_error=True))],
    ],
    ids=["nothing more", "late", "a byte now and then"],
)
async def test_a_sample_that_doesnt_come_within_its_minute_is_a_stall(steps: list[Step]) -> None:
    def slow(mark: str) -> Sequence[Step]:
        return [half(mark), *steps]

    begun = anyio.current_time()
    with pytest.raises(HandsetStalled):
        await look(FakeShell(replies=[HONEST[0], slow]), 2)
    assert anyio.current_time() - begun == pytest.approx(60)


async def test_each_sample_has_a_minute_of_its_own() -> None:
    def after_a_while(reply: Reply) -> Reply:
        return lambda mark: [Pause(50), *reply(mark)]

    begun = anyio.current_time()
    assert await look(FakeShell(replies=[after_a_while(reply) for reply in HONEST])) == BLOCKS
    assert anyio.current_time() - begun == pytest.approx(200)


@pytest.mark.parametrize(
    ("at_the_end", "fault"),
    [
        ([], HandsetStalled),
        ([Exit(1)], AnswerNotRecognised),
        ([plain(b"x"), Exit(0)], AnswerNotRecognised),
        ([Output(bytes(2000), is_error=True), Exit(0)], AnswerNotRecognised),
        ([Unplug()], HandsetGone),
    ],
)
async def test_samples_count_only_with_the_exit_of_their_shell(
    at_the_end: list[Step], fault: type[BenchdError]
) -> None:
    with pytest.raises(fault):
        await look(FakeShell(replies=HONEST, at_the_end=at_the_end))


@pytest.fixture
def probed() -> Rig:
    """A handset on which the blocks of benchd's own are shown."""
    rig = Rig()
    rig.shell.on(REMOVE, Exit(0))
    rig.shell.replies.append(shown(INNER_CONTENT, pages=3))
    return rig


def says(text: str) -> list[Step]:
    return [plain(text.encode())]


async def required(rig: Rig) -> tuple[str, ...]:
    return await rig.reads.require(cache_program_runs=True)


async def test_blocks_of_our_own_are_read_as_samples_are_and_what_lies_beside_them_is_told(
    probed: Rig,
) -> None:
    probed.shell.probe_ends = said("fill-000000.dat\nlock\nprobe\ntail-000007.db\nfill-1.dat\n")
    assert await required(probed) == ("fill-000000.dat", "tail-000007.db")
    assert probed.shell.commands == [PROBE]
    _, name, *numbers = probed.shell.streams[-1].stdin.decode().split()
    assert (name, numbers) == ("probe", ["4096", "12288", "1", "3"])
    assert READ_EACH in PROBE
    blocks = [CONTENT[at : at + 4096] for at in range(0, len(CONTENT), 4096)]
    assert len(set(blocks)) == 5, "no two are the same"


async def test_blocks_that_a_fault_kept_in_the_cache_are_read_again(probed: Rig) -> None:
    probed.shell.replies.insert(0, shown(INNER_CONTENT, pages=3, after=2))
    assert await required(probed) == ()
    assert probed.shell.streams[-1].stdin.count(b"\n") == 2


@pytest.mark.parametrize("code", [0, 1])
async def test_a_storage_too_full_for_them_is_passed(probed: Rig, code: int) -> None:
    probed.shell.probe_begins = says(f"cat: write: No space left on device\nwritten {code}\n")
    probed.shell.probe_ends = said("fill-000000.dat\n")
    assert await required(probed) == ("fill-000000.dat",)
    assert probed.shell.streams[-1].stdin == b""


UNWRITTEN: dict[str, tuple[list[Step], type[BenchdError]]] = {
    "refused": (says("mkdir: Permission denied\nwritten 1\n"), UnsupportedHandset),
    "no code": (says("written x\n"), HandsetStalled),
    "more": (says("written 0\nmore"), HandsetStalled),
    "flood": (says("x" * 5000), AnswerNotRecognised),
    "no shell": ([Exit(127)], AnswerNotRecognised),
    "silent": ([Exit(0)], AnswerNotRecognised),
    "hangs": ([Pause(1e6)], HandsetStalled),
    "unplugged": ([Unplug()], HandsetGone),
}


@pytest.mark.parametrize("case", UNWRITTEN)
async def test_without_having_been_written_none_is_read(probed: Rig, case: str) -> None:
    probed.shell.probe_begins, fault = UNWRITTEN[case]
    with pytest.raises(fault):
        await required(probed)
    assert probed.shell.streams[-2].stdin == b""
    assert probed.shell.commands[-1] == REMOVE


BAD_ENDS: dict[str, tuple[list[Step], type[BenchdError]]] = {
    "badly": ([Exit(1)], AnswerNotRecognised),
    "killed": (said("lock\n", 137), AnswerNotRecognised),
    "flood": (said("x" * (5 << 20)), AnswerNotRecognised),
    "complaints": ([Output(b"x" * 2000, is_error=True), Exit(0)], AnswerNotRecognised),
    "hangs": ([Pause(1e6)], HandsetStalled),
    "unplugged": ([Unplug()], HandsetGone),
}


@pytest.mark.parametrize("case", BAD_ENDS)
async def test_a_shell_that_doesnt_end_well_has_shown_nothing(probed: Rig, case: str) -> None:
    probed.shell.probe_ends, fault = BAD_ENDS[case]
    with pytest.raises(fault):
        await required(probed)
    assert probed.shell.commands[-1] == REMOVE


async def test_what_isnt_theirs_to_show_hides_no_fault_that_was_met_before(probed: Rig) -> None:
    probed.shell.replies[:] = [framed(2 * b"cache failed permission denied\n", code=4)]
    probed.shell.scripts[REMOVE] = [[Unplug()]]
    with pytest.raises(UnsupportedHandset, match="permission denied"):
        await required(probed)
