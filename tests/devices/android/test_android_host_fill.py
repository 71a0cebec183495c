"""The overwrite that the host streams: whole, resumed by proof, and every way in which it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import anyio
import pytest
import pytest_asyncio
from handset_fakes import Pause, Step, Unplug
from streamed_handset import BLOCK, StreamedHandset

from benchd.devices.android.adb import AdbAddress, AdbServerLost
from benchd.devices.android.fill import cable_streams, stream_layout
from benchd.devices.android.fill.bus_turns import BusTurns
from benchd.devices.android.fill.host_fill import HostFill
from benchd.devices.android.fill.keystream import HostKeystream
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
from benchd.domain.fill import (
    ENDED_BY_QUOTA,
    MOST_FILES,
    CheckOrder,
    CheckReport,
    FileRange,
    FillOrder,
    FillReport,
    HostSample,
)
from benchd.domain.job import Reason

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

KEY = bytes(range(16))
ORDER = FillOrder(key=KEY, file_bytes=20 * BLOCK, stall_s=30, headroom_bytes=6 * BLOCK)
WHOLE_BYTES = 56 * BLOCK


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cable_streams, "PIECE_BYTES", 2 * BLOCK)
    monkeypatch.setattr(stream_layout, "LOG_BYTES", 3 * BLOCK)


class Rig:
    def __init__(self, handset: StreamedHandset | None = None) -> None:
        self.handset = handset = handset or StreamedHandset()
        turn = BusTurns().of(AdbAddress("usb:1-1"))
        self.fill_ = HostFill(handset, HostKeystream(), turn)
        self.seen: list[int] = []

    async def fill(self, order: FillOrder = ORDER, rest: Resting | None = None) -> FillReport:
        return await self.fill_.fill(order, lambda told: self.seen.append(told.bytes_done), rest)

    async def check(
        self,
        report: FillReport,
        ranges: tuple[FileRange, ...] | None = None,
        rest: Resting | None = None,
    ) -> CheckReport:
        order = CheckOrder(fill=ORDER, cipher=report.cipher, files=report.files, ranges=ranges)
        return await self.fill_.check(order, lambda _: None, rest)

    async def sample(self, name: str, offset: int, size_bytes: int) -> HostSample:
        async with self.fill_.samples() as samples:
            return await samples.take(name, offset, size_bytes)


@pytest_asyncio.fixture
async def filled() -> tuple[Rig, FillReport]:
    """A handset that has been filled, and what was told of that."""
    rig = Rig()
    return rig, await rig.fill()


async def test_it_fills_to_the_last_block_with_the_last_part_in_tail_files() -> None:
    rig = Rig()
    report = await rig.fill()
    assert [(file.name, file.size_bytes // BLOCK) for file in report.files] == [
        ("fill-000000.dat", 20),
        ("fill-000001.dat", 20),
        ("fill-000002.dat", 10),
        ("tail-000003.dat", 6),
    ]
    assert report.bytes_written == WHOLE_BYTES == report.free_bytes_before
    told = (report.mode, report.cipher, report.program_version)
    assert told == ("streamed", "aes-128-ctr", "none")
    assert (report.free_bytes_after, report.small_files, report.resumed_bytes) == (0, 0, 0)
    assert rig.seen == sorted(rig.seen)
    for file in report.files:
        wanted = HostKeystream()("aes-128-ctr", KEY, file.stream_offset, file.size_bytes)
        assert bytes(rig.handset.files[file.name]) == wanted
    checked = await rig.check(report)
    assert (checked.bytes_proven, checked.bytes_bad) == (WHOLE_BYTES, 0)
    assert checked.past_cache == "o_direct"
    # It never hears the key: so its `dd` can't compute what it should have kept.
    heard = "".join(rig.handset.commands).encode() + b"".join(rig.handset.files.values())
    assert len(heard) > report.bytes_written
    assert KEY.hex().encode() not in heard
    assert KEY not in heard


class Bottomless(StreamedHandset):
    """Its room never becomes less."""

    def room(self) -> int:
        return WHOLE_BYTES


@pytest.mark.parametrize(
    ("handset", "says"),
    [
        (StreamedHandset(short_by=1), "holds"),
        (StreamedHandset(used=64 * BLOCK), "not a single block"),
        (Bottomless(), "more than it has room for"),
        # The host writes until nothing goes in any more, whatever `df` says.
        *(
            (StreamedHandset(used=0, df_hides=hidden * BLOCK), "more than it has room for")
            for hidden in (1, 8, 40)
        ),
    ],
)
async def test_a_storage_that_contradicts_itself_is_faulty(
    handset: StreamedHandset, says: str
) -> None:
    with pytest.raises(StorageFault, match=says):
        await Rig(handset).fill()


async def test_a_storage_that_never_fills_gets_a_thousand_files_at_most() -> None:
    rig = Rig(StreamedHandset(capacity=2 * MOST_FILES * BLOCK))
    with pytest.raises(StorageFault, match="never full"):
        await rig.fill(replace(ORDER, file_bytes=BLOCK))
    assert len(rig.handset.files) == MOST_FILES


async def test_f2fs_gets_a_file_in_each_of_its_logs_of_data() -> None:
    report = await Rig(StreamedHandset(file_system="f2fs")).fill()
    assert [(file.name, file.size_bytes // BLOCK) for file in report.files] == [
        ("fill-000000.db", 3),
        ("fill-000001.jpg", 3),
        ("fill-000002.dat", 20),
        ("fill-000003.dat", 20),
        ("fill-000004.dat", 4),
        ("tail-000005.db", 3),
        ("tail-000006.jpg", 3),
    ]


@pytest.mark.parametrize("told", ["Quota exceeded", "Disk quota exceeded"])
@pytest.mark.parametrize("at", [0, 30], ids=["at once", "in mid-fill"])
async def test_row_4_a_quota_is_no_full_storage(told: str, at: int) -> None:
    """As Android's libc says it, and GNU's."""
    quota = Output(f"cat: write error: {told}\n".encode(), is_error=True)
    rig = Rig(StreamedHandset(takes_until=at * BLOCK, then=(quota, Exit(1))))
    with pytest.raises(StageFailed) as refused:
        await rig.fill()
    assert (refused.value.reason, refused.value.detail) == (Reason.STORAGE_QUOTA, ENDED_BY_QUOTA)


async def test_row_4_what_is_free_is_asked_once_the_storage_is_full() -> None:
    """Of a storage that takes no more, though there is room: it isn't hidden."""
    full = Output(b"cat: write error: No space left on device\n", is_error=True)
    large = StreamedHandset(capacity=4096 * BLOCK, takes_until=2000 * BLOCK, then=(full, Exit(1)))
    report = await Rig(large).fill(replace(ORDER, file_bytes=2048 * BLOCK))
    assert report.free_bytes_after == (4096 - 8 - 2000) * BLOCK


async def test_what_a_system_gives_back_in_the_end_is_filled_too() -> None:
    handset = StreamedHandset(capacity=4096 * BLOCK, used=3000 * BLOCK, gives_back=2900 * BLOCK)
    report = await Rig(handset).fill(replace(ORDER, file_bytes=2048 * BLOCK))
    assert (report.bytes_written, report.free_bytes_after) == (3996 * BLOCK, 0)


async def test_only_the_tail_goes_first_and_then_everything(
    filled: tuple[Rig, FillReport],
) -> None:
    rig, _ = filled
    rig.handset.files["small-000000.dat"] = bytearray()
    assert (await rig.fill_.drop(only_tail=True)).files_removed == 1
    assert len(rig.handset.files) == 4
    dropped = await rig.fill_.drop()
    assert (dropped.files_removed, dropped.trim) == (3, "not_asked")
    assert dropped.free_bytes == WHOLE_BYTES
    assert rig.handset.files == {}


async def test_a_resumed_fill_keeps_what_proves_itself_and_nothing_else() -> None:
    rig = Rig(StreamedHandset(takes_until=30 * BLOCK))
    with pytest.raises(HandsetGone):
        await rig.fill()
    rig.handset.takes_until = None
    resumed = replace(ORDER, resume=True)
    report = await rig.fill(resumed)
    assert report.resumed_bytes == 30 * BLOCK
    assert report.bytes_written == report.free_bytes_before == WHOLE_BYTES
    assert (await rig.check(report)).bytes_proven == WHOLE_BYTES
    rig.handset.files["fill-000001.dat"][5] ^= 1
    assert (await rig.fill(resumed)).resumed_bytes < 50 * BLOCK
    assert (await rig.fill(ORDER)).resumed_bytes == 0
    # What came from memory is not kept.
    rig.handset.cached_bytes = BLOCK
    with pytest.raises(UnsupportedHandset, match="from memory"):
        await rig.fill(resumed)


async def test_a_handset_that_was_away_proves_itself_before_anything_is_written(
    filled: tuple[Rig, FillReport],
) -> None:
    rig, written = filled
    again = replace(ORDER, resume=True, prior_bytes=written.bytes_written)
    assert 0 < (await rig.fill(again)).prior_bytes_proven <= written.bytes_written


@pytest.mark.parametrize("key", [KEY, bytes(16)], ids=["a handset without fill", "another key"])
async def test_another_handset_is_not_written_to(key: bytes) -> None:
    rig = Rig()
    if key != KEY:
        await rig.fill(replace(ORDER, key=key))
    before = dict(rig.handset.files)
    with pytest.raises(StageFailed) as refused:
        await rig.fill(replace(ORDER, resume=True, prior_bytes=1 << 20))
    assert refused.value.reason is Reason.HANDSET_CHANGED
    assert rig.handset.files == before


async def test_another_key_resumes_nothing(filled: tuple[Rig, FillReport]) -> None:
    rig, _ = filled
    report = await rig.fill(replace(ORDER, key=bytes(16), headroom_bytes=0, resume=True))
    assert report.resumed_bytes == 0
    assert (await rig.check(report)).bytes_proven == 0


FLOOD: Sequence[Step] = 20 * [Output(b"x" * 100_000, is_error=True)]
IO = b"Input/output error"
BREAKS: dict[str, tuple[Sequence[Step], type[BenchdError]]] = {
    "unplug": ([Unplug()], HandsetGone),
    "server lost": ([AdbServerLost("gone")], AdbServerLost),
    "stall": ([Pause(1000), Exit(0)], HandsetStalled),
    "io": ([Output(b"cat: write error: " + IO, is_error=True), Exit(1)], StorageFault),
    "killed": ([Exit(137)], StorageFault),
    "short": ([Exit(0)], StorageFault),
    "chatter": ([Output(b"what?", is_error=False)], AnswerNotRecognised),
    "flood": (FLOOD, AnswerNotRecognised),
}


@pytest.mark.parametrize("case", BREAKS)
async def test_a_stream_that_breaks_is_never_a_fill(case: str) -> None:
    then, fault = BREAKS[case]
    rig = Rig(StreamedHandset(takes_until=30 * BLOCK, then=tuple(then)))
    begun = anyio.current_time()
    with pytest.raises(fault):
        await rig.fill()
    assert anyio.current_time() - begun <= 31


async def test_one_changed_byte_is_found_in_its_block_and_so_is_a_file_that_has_grown(
    filled: tuple[Rig, FillReport],
) -> None:
    rig, report = filled
    rig.handset.files["fill-000001.dat"][5 * BLOCK + 7] ^= 1
    checked = await rig.check(report)
    assert (checked.bytes_bad, checked.bytes_proven) == (BLOCK, 55 * BLOCK)
    (run,) = checked.bad_runs
    assert (run.name, run.offset, run.size_bytes) == ("fill-000001.dat", 5 * BLOCK, BLOCK)
    rig.handset.files["fill-000000.dat"] += bytes(BLOCK)
    assert (await rig.check(report)).bytes_bad == 2 * BLOCK


async def test_a_file_that_lost_its_end_is_bad(filled: tuple[Rig, FillReport]) -> None:
    rig, report = filled
    del rig.handset.files["fill-000002.dat"][-100:]
    checked = await rig.check(report)
    assert checked.bytes_bad >= 100
    assert checked.bytes_proven + checked.bytes_bad == WHOLE_BYTES


async def test_a_sample_reads_only_what_is_ordered(filled: tuple[Rig, FillReport]) -> None:
    rig, report = filled
    rig.handset.files["fill-000001.dat"][9 * BLOCK] ^= 1
    ranges = (
        FileRange(file=0, offset=0, size_bytes=2 * BLOCK),
        FileRange(file=1, offset=8 * BLOCK, size_bytes=2 * BLOCK),
        FileRange(file=3, offset=5 * BLOCK, size_bytes=BLOCK),
    )
    checked = await rig.check(report, ranges)
    assert (checked.bytes_proven, checked.bytes_bad) == (4 * BLOCK, BLOCK)
    assert [(run.name, run.offset) for run in checked.bad_runs] == [("fill-000001.dat", 9 * BLOCK)]


@pytest.mark.parametrize(
    ("steps", "fault"),
    [
        ([Exit(1)], UnsupportedHandset),
        ([Output(b"dd: bad flag", is_error=True), Exit(1)], UnsupportedHandset),
        ([Output(b"dd: Input/output error", is_error=True), Exit(1)], StorageFault),
        ([Output(bytes(BLOCK), is_error=False), Exit(1)], StorageFault),
        ([Output(bytes(BLOCK), is_error=False), Unplug()], HandsetGone),
        ([AdbServerLost("gone")], AdbServerLost),
        ([Pause(1000), Exit(0)], HandsetStalled),
        ([Output(bytes(200 * BLOCK), is_error=False), Exit(0)], StorageFault),
        (FLOOD, AnswerNotRecognised),
    ],
)
async def test_a_read_back_that_breaks_proves_nothing(
    filled: tuple[Rig, FillReport], steps: list[Step], fault: type[BenchdError]
) -> None:
    rig, report = filled
    rig.handset.dd = tuple(steps)
    with pytest.raises(fault):
        await rig.check(report)


async def test_nothing_but_o_direct_is_ever_asked_for(filled: tuple[Rig, FillReport]) -> None:
    rig, report = filled
    await rig.check(report)
    sample = await rig.sample("fill-000000.dat", BLOCK, BLOCK)
    assert sample.past_cache == "o_direct"
    assert bytes(sample.data) == bytes(rig.handset.files["fill-000000.dat"][BLOCK : 2 * BLOCK])
    reads = [command for command in rig.handset.commands if "; dd if" in command]
    assert reads
    assert all("iflag=direct" in command for command in reads)
    rig.handset.dd = (Exit(1),)
    with pytest.raises(StorageFault):
        await rig.sample("fill-000000.dat", BLOCK, BLOCK)


@pytest.mark.parametrize(
    ("cached_bytes", "dd", "says"),
    [
        (BLOCK, None, "from memory"),
        # A kernel that counts nothing shows nothing.
        (0, (Output(bytes(BLOCK), is_error=False), Exit(0)), "nothing shows"),
    ],
)
async def test_a_dd_that_is_answered_from_memory_proves_nothing(
    filled: tuple[Rig, FillReport], cached_bytes: int, dd: tuple[Step, ...] | None, says: str
) -> None:
    rig, report = filled
    rig.handset.cached_bytes, rig.handset.dd = cached_bytes, dd
    with pytest.raises(UnsupportedHandset, match=says):
        await rig.check(report)
    with pytest.raises(UnsupportedHandset, match=says):
        await rig.sample("fill-000000.dat", BLOCK, BLOCK)


async def test_what_a_program_has_filled_is_not_checked_without_it(
    filled: tuple[Rig, FillReport],
) -> None:
    rig, report = filled
    order = CheckOrder(fill=ORDER, cipher=report.cipher, files=report.files, small_files=3)
    with pytest.raises(UnsupportedHandset):
        await rig.fill_.check(order, lambda _: None)
    with pytest.raises(StageFailed, match="no fill file"):
        await rig.fill_.check(CheckOrder(fill=ORDER, cipher="x", files=()), lambda _: None)


class Resting:
    """Has to rest until it is told otherwise."""

    def __init__(self) -> None:
        self.due = True
        self._changed = anyio.Event()

    async def changed(self) -> None:
        await self._changed.wait()

    def end(self) -> None:
        self.due = False
        self._changed.set()


async def test_a_handset_that_rests_is_sent_nothing_and_has_not_stalled() -> None:
    rig, rest = Rig(), Resting()
    reports: list[FillReport] = []
    async with anyio.create_task_group() as group:

        async def fill() -> None:
            reports.append(await rig.fill(ORDER, rest))

        group.start_soon(fill)
        await anyio.sleep(ORDER.stall_s * 3)
        assert rig.handset.written == 0
        rest.end()
    assert reports[0].bytes_written == WHOLE_BYTES


async def end_later(rest: Resting, after_s: float) -> None:
    await anyio.sleep(after_s)
    rest.end()


async def test_a_read_back_rests_too(filled: tuple[Rig, FillReport]) -> None:
    rig, report = filled
    rest = Resting()
    begun = anyio.current_time()
    async with anyio.create_task_group() as group:
        group.start_soon(end_later, rest, ORDER.stall_s * 3)
        assert (await rig.check(report, rest=rest)).bytes_proven == WHOLE_BYTES
    assert anyio.current_time() - begun == pytest.approx(ORDER.stall_s * 3, abs=1)


async def test_after_a_rest_silence_is_a_stall_again() -> None:
    rig, rest = Rig(StreamedHandset(takes_until=0, then=(Pause(1000),))), Resting()
    begun = anyio.current_time()
    async with anyio.create_task_group() as group:
        group.start_soon(end_later, rest, ORDER.stall_s * 2)
        with pytest.raises(HandsetStalled):
            await rig.fill(ORDER, rest)
    assert anyio.current_time() - begun == pytest.approx(ORDER.stall_s * 3, abs=1)
