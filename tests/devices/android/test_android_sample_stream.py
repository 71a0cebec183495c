"""One shell for many samples: nothing that a handset does with it passes for another's answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import cast

import anyio
import pytest
from handset_fakes import FakeShell, Pause, ReadingStream, Reply, Step, Unplug, kept_patterns
from handset_fill_rig import shown

from benchd.devices.android.fill.sample_blocks import SampleBlocks, sample_blocks
from benchd.devices.android.fill.sample_stream import sample_stream
from benchd.devices.android.fill.shown_reads import ShownSamples
from benchd.devices.android.shell.packets import Exit, Output
from benchd.domain.errors import (
    AnswerNotRecognised,
    BenchdError,
    HandsetGone,
    HandsetStalled,
    StageFailed,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

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


def plain(data: bytes) -> Output:
    return Output(data, is_error=False)


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


async def test_an_end_of_an_answer_inside_of_the_blocks_is_none() -> None:
    blocks = (b"0123456789abcdef 0\n" * 300)[:4096]
    assert await look(FakeShell(replies=[shown(blocks, pages=1)]), 1) == [blocks]


async def test_an_answer_that_was_given_before_is_none() -> None:
    kept: list[bytes] = []

    def once(mark: str) -> Sequence[Step]:
        kept.append(bytes_of(HONEST[0], mark))
        return [plain(kept[0])]

    with pytest.raises(AnswerNotRecognised, match="isn't the sample"):
        await look(FakeShell(replies=[once]), 2)


async def test_an_answer_ahead_of_its_request_is_none() -> None:
    def ahead(mark: str) -> Sequence[Step]:
        return [*HONEST[0](mark), *HONEST[1]("0" * 16)]

    with pytest.raises(AnswerNotRecognised, match="isn't the sample"):
        await look(FakeShell(replies=[ahead, lambda _: []]), 2)


async def test_answers_that_change_places_are_none() -> None:
    marks: list[str] = []

    def late(mark: str) -> Sequence[Step]:
        marks.append(mark)
        # The first is kept back; what would be the second comes in its place.
        return HONEST[1]("f" * 16) if len(marks) == 1 else HONEST[0](marks[0])

    with pytest.raises(AnswerNotRecognised, match="isn't the sample"):
        await look(FakeShell(replies=[late]), 2)


async def test_answers_one_into_another_are_none() -> None:
    def mixed(mark: str) -> Sequence[Step]:
        one, other = bytes_of(HONEST[0], mark), bytes_of(HONEST[1], "f" * 16)
        return [plain(one[:600]), plain(other), plain(one[600:])]

    with pytest.raises(AnswerNotRecognised):
        await look(FakeShell(replies=[mixed]), 1)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda said: b"x" + said,
        lambda said: said[1:],
        lambda said: said + b"x",
        lambda said: said.replace(b"\n", b"\r\n"),
        lambda said: said + said,
        lambda said: said * 3,
    ],
    ids=["a byte more before", "a byte less", "a byte more after", "CR", "twice", "thrice"],
)
async def test_bytes_beside_an_answer_spoil_the_look(spoil: Callable[[bytes], bytes]) -> None:
    def spoilt(mark: str) -> Sequence[Step]:
        return [plain(spoil(bytes_of(HONEST[0], mark)))]

    with pytest.raises(StageFailed):
        await look(FakeShell(replies=[spoilt, HONEST[1]]), 2)


@pytest.mark.parametrize("is_error", [False, True], ids=["stdout", "stderr"])
async def test_a_flood_is_cut_off(is_error: bool) -> None:
    def flood(mark: str) -> Sequence[Step]:
        return [plain(f"{mark}\n".encode()), *[Output(bytes(1024), is_error=is_error)] * 9_000]

    shell = FakeShell(replies=[flood])
    with pytest.raises(AnswerNotRecognised, match="more than"):
        await look(shell, 1)
    assert len(shell.streams[0].steps) > 8_000


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

    replies = [after_a_while(reply) for reply in HONEST]
    begun = anyio.current_time()
    assert await look(FakeShell(replies=replies)) == BLOCKS
    assert anyio.current_time() - begun == pytest.approx(200)


@pytest.mark.parametrize(
    ("step", "fault"), [(Exit(0), AnswerNotRecognised), (Unplug(), HandsetGone)]
)
async def test_a_shell_that_ends_before_it_was_let_go_has_no_answers(
    step: Step, fault: type[BenchdError]
) -> None:
    shell = FakeShell(replies=[HONEST[0], lambda mark: [half(mark), step]])
    with pytest.raises(fault):
        await look(shell, 2)
    assert not shell.streams[0].stdin_closed


@pytest.mark.parametrize(
    ("at_the_end", "fault"),
    [
        ([], HandsetStalled),
        ([Exit(1)], AnswerNotRecognised),
        ([plain(b"x"), Exit(0)], AnswerNotRecognised),
        ([Output(bytes(2000), is_error=True), Exit(0)], AnswerNotRecognised),
        ([Unplug()], HandsetGone),
    ],
    ids=["no exit", "another exit", "one more byte", "a flood of complaints", "unplugged"],
)
async def test_samples_count_only_with_the_exit_of_their_shell(
    at_the_end: list[Step], fault: type[BenchdError]
) -> None:
    with pytest.raises(fault):
        await look(FakeShell(replies=HONEST, at_the_end=at_the_end))
