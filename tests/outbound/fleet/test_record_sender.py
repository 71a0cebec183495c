"""The way out to the centre: every record, bounded, resumed anywhere, and no answer believed."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from benchd.ledger.fleet_batch import BATCH_BYTES, MOST_PLACES
from benchd.ledger.fleet_checkpoint import decode_checkpoint
from benchd.ledger.follower import Follower
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.outbound.fleet.ports import Had
from benchd.outbound.fleet.record_sender import GATHER_S, PAUSES, RecordSender
from benchd.outbound.http_post import Failure
from tests.outbound.fleet.sender_rig import CENTRE_KEY, START, rig

pytestmark = pytest.mark.asyncio
AWAY = Failure(why="ConnectError")


async def test_every_record_is_sent_once_and_after_a_restart_it_goes_on_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchd.outbound.fleet.record_sender.MOST_RECORDS", 20)
    async with rig(tmp_path) as rack:
        await rack.until_quiet()
        assert (rack.centre.batches, rack.centre.asked, rack.sink.since) == ([], [[]], 0)
        await rack.write(25)
        await rack.until_quiet()
        rack.sender = rack.start()
        await rack.write(2)
        await rack.until_quiet()
        sent = [record.sequence for batch in rack.centre.batches for record in batch.records]
        assert sent == list(range(1, 28))
        assert [len(batch.records) for batch in rack.centre.batches] == [20, 5, 2]
        assert (rack.sink.records, rack.sink.failures, rack.sink.since) == (len(sent), 0, 0)
        kept = decode_checkpoint(rack.checkpoint_file.read_bytes(), CENTRE_KEY.public)
        assert kept.of.tip == rack.ledger.head


async def test_a_batch_is_bounded_in_bytes(tmp_path: Path) -> None:
    large = "x" * (BATCH_BYTES // 3)
    async with rig(tmp_path) as rack:
        await rack.write(7, large)
        await rack.until_quiet()
        sizes = [sum(len(record.body) for record in batch.records) for batch in rack.centre.batches]
        assert len(sizes) == 3
        assert all(size < BATCH_BYTES + 2 * len(large) for size in sizes)


async def test_what_the_rack_has_not_signed_for_yet_is_not_sent(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        await rack.write(2)
        rack.head[0] = rack.ledger.head
        await rack.write(1)
        await rack.until_quiet()
        assert rack.centre.newest == rack.head[0]
        rack.head[0] = None
        await rack.until_quiet()
        assert rack.centre.newest == rack.ledger.head


async def test_records_of_one_moment_go_together(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        await rack.write()
        await rack.until_quiet()
        await rack.write()
        await rack.sender.step()
        await rack.write(2)
        assert await rack.sender.step() <= GATHER_S
        await rack.until_quiet()
        assert [len(batch.records) for batch in rack.centre.batches] == [1, 1, 2]


async def test_no_record_wakes_a_step_that_is_put_off(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        follower, times = Follower(), 0
        step = rack.sender.step

        async def counted() -> float:
            nonlocal times
            times += 1
            return await step()

        await rack.write()
        while not rack.centre.batches:
            await step()
        # The pause is an hour long, however slow the machine is.
        rack.at[0] -= 3600
        rack.sender.step = counted
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rack.sender.run, follower)
            for _ in range(5):
                follower.wake()
                await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        assert times == 0


async def test_a_centre_that_is_away_is_tried_ever_more_slowly_and_then_asked_anew(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as rack:
        await rack.write(3)
        rack.centre.answers = [AWAY] * 10
        pauses: list[float] = []
        while rack.centre.answers:
            rest_s = await rack.sender.step()
            pauses += [rest_s] if rest_s else []
            rack.at[0] += rest_s
        pauses.append(await rack.sender.step())
        assert pauses[:4] == [1, 2, 4, 8]
        assert pauses[-1] == PAUSES.longest_s
        assert (rack.sink.failures, rack.sink.records) == (10, 0)
        await rack.until_quiet()
        assert rack.sink.records == 3
        # A batch that was lost on the way: where to go on is asked, and the pauses begin anew.
        await rack.write()
        rack.centre.answers = [AWAY]
        asked = len(rack.centre.asked)
        await rack.until_quiet()
        assert len(rack.centre.asked) == asked + 1
        assert rack.sink.records == 4


@pytest.mark.parametrize("count", [1, 5])
async def test_what_the_centre_has_and_never_acknowledged_is_sent_until_it_does(
    tmp_path: Path, count: int
) -> None:
    # On the primary's disk alone, for a wait for the standby that was cancelled: it can be lost.
    async with rig(tmp_path) as rack:
        await rack.write(count)
        await rack.sender.step()
        rack.centre.newest = rack.ledger.head
        rack.centre.answers = [AWAY]
        await rack.sender.step()
        assert (len(rack.centre.batches), rack.sink.since) == (1, START.timestamp())
        rack.centre.batches.clear()
        rack.centre.answers = [rack.centre.had(rack.ledger.head), AWAY]
        await rack.until_quiet()
        assert rack.centre.answers == []
        sent = [[record.sequence for record in batch.records] for batch in rack.centre.batches]
        assert sent == [[count]] * 2
        assert rack.sink.since == 0
        kept = decode_checkpoint(rack.checkpoint_file.read_bytes(), CENTRE_KEY.public)
        assert kept.of.tip == rack.ledger.head
        # Now it has: nothing is sent again, after a start neither.
        rack.sender = rack.start()
        await rack.until_quiet()
        assert len(rack.centre.batches) == 2


async def test_who_asks_for_a_pause_gets_it(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        rack.centre.answers = [Failure(why="http_503", status=503, retry_after_s=77)]
        await rack.sender.step()
        assert await rack.sender.step() == 77


async def test_the_oldest_record_that_waits_is_told(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        await rack.write(2)
        await rack.sender.step()
        rack.centre.answers = [AWAY]
        await rack.sender.step()
        assert rack.sink.since == START.timestamp()
        await rack.until_quiet()
        assert rack.sink.since == 0


async def test_the_question_names_few_records_however_long_the_ledger_is(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        await rack.write(300)
        await rack.sender.step()
        [asked] = rack.centre.asked
        numbers = [place.sequence for place in asked]
        assert numbers == [300, *(300 - (1 << step) for step in range(9))]
        assert asked[0] == rack.ledger.head
        assert len(asked) < MOST_PLACES


async def test_an_answer_that_nobody_asked_for_is_not_gone_by(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        await rack.write(3)
        rack.centre.answers = [
            Had(newest=Head(sequence=2, hash=bytes(31) + b"x"), forks=0, restores=0)
        ]
        await rack.until_quiet()
        assert (rack.sink.failures, rack.sink.records) == (1, 3)
        assert rack.centre.batches[0].header.after == EMPTY_HEAD


async def test_a_checkpoint_of_another_rack_or_of_less_acknowledges_nothing(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as rack:
        await rack.write(3)
        head = rack.ledger.head
        rack.centre.answers = [
            rack.centre.acknowledging(head, rack="0" * 64),
            rack.centre.acknowledging(Head(sequence=2, hash=bytes(32))),
        ]
        for _ in range(2):
            while rack.sender._sent is None:
                rack.at[0] += await rack.sender.step()
            await rack.sender.step()
        assert (rack.sink.failures, rack.sink.records) == (2, 0)
        assert not rack.checkpoint_file.exists()
        await rack.until_quiet()
        assert rack.sink.records == 3


async def test_a_centre_that_knows_more_than_the_ledger_is_told_of(tmp_path: Path) -> None:
    """An older ledger lies here: what it has is sent all the same, so that both sides show it."""
    async with rig(tmp_path) as rack:
        await rack.write(3)
        rack.centre.answers = []
        await rack.sender.step()
        rack.centre.answers = [rack.centre.acknowledging(Head(sequence=9, hash=bytes(31) + b"x"))]
        await rack.until_quiet()
        assert rack.sink.said == (0, 0, True)
        await rack.write()
        await rack.until_quiet()
        assert rack.centre.newest == rack.ledger.head


async def test_a_centre_that_was_emptied_gets_everything_again(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        await rack.write(4)
        await rack.until_quiet()
        rack.centre.newest = EMPTY_HEAD
        rack.centre.answers = [Failure(why="http_409", status=409)]
        await rack.write()
        await rack.until_quiet()
        assert [record.sequence for record in rack.centre.batches[-1].records] == [1, 2, 3, 4, 5]


async def test_no_append_waits_for_a_centre_that_hangs(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        hangs = anyio.Event()

        async def for_ever(_: object) -> Failure:
            hangs.set()
            await anyio.sleep_forever()
            return AWAY

        rack.centre.newest_of = for_ever  # type: ignore[method-assign]
        async with anyio.create_task_group() as group:
            group.start_soon(_step, rack.sender)
            await hangs.wait()
            with anyio.fail_after(10):
                await rack.write(50)
            group.cancel_scope.cancel()
        assert rack.ledger.head.sequence == 50


async def _step(sender: RecordSender) -> None:
    await sender.step()
