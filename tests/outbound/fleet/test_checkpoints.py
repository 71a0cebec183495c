"""The centre's signed word in the rack's own ledger: seldom, never in a circle, and held to it."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog.testing import capture_logs

from benchd.domain.errors import LedgerFault
from benchd.domain.record import Entry, EntryKind, Place, Receipt
from benchd.ledger.fleet_batch import head_of
from benchd.ledger.fleet_checkpoint import decode_checkpoint
from benchd.ledger.head import EMPTY_HEAD, Head
from benchd.outbound.fleet.record_sender import GATHER_S
from benchd.outbound.http_post import Failure
from benchd.signing import canonical
from benchd.signing.private_key import SigningKey
from tests.outbound.fleet.sender_rig import CENTRE_KEY, START, Rig, rig

pytestmark = pytest.mark.asyncio
HOUR = 3600.0
GAP = Failure(why="http_409", status=409)
OTHER_CENTRE = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(31) + b"x"))

Logs = list[MutableMapping[str, Any]]


@pytest.fixture
def logs() -> Iterator[Logs]:
    with capture_logs() as told:
        yield told


def alarms(logs: Logs) -> list[MutableMapping[str, Any]]:
    return [each for each in logs if each["event"] == "fleet_centre_lacked"]


async def test_the_centres_word_goes_into_the_racks_own_ledger(tmp_path: Path) -> None:
    async with rig(tmp_path, record=None) as rack:
        await rack.write(3)
        acknowledged = rack.ledger.head
        await rack.until_quiet()
        [kept] = await rack.on_record()
        assert (kept.entry.job, kept.entry.slot) == (None, None)
        assert kept.entry.at == START + timedelta(seconds=GATHER_S)
        assert set(kept.entry.data) == {"checkpoint", "centre"}
        assert kept.entry.data["centre"] == CENTRE_KEY.public.public_bytes_raw().hex()
        signed = canonical.encode(kept.entry.data["checkpoint"])
        assert decode_checkpoint(signed, CENTRE_KEY.public).of.tip == acknowledged
        # Its own record is sent and acknowledged like any other.
        assert (
            rack.centre.newest
            == rack.ledger.head
            == Head(sequence=kept.sequence, hash=bytes.fromhex(kept.hash_hex))
        )


async def test_its_own_record_and_an_anchors_receipt_are_no_reason_for_another(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path, record=None) as rack:
        await rack.write(2)
        for hour in range(30):
            if hour % 10 == 5:
                await rack.ledger.append(
                    Entry(kind=EntryKind.LEDGER_ANCHORED, at=START, data={"anchor": "x"})
                )
            await rack.until_quiet()
            rack.pass_time(HOUR)
        assert len(await rack.on_record()) == 1
        assert rack.centre.newest == rack.ledger.head
        await rack.write()
        await rack.until_quiet()
        assert len(await rack.on_record()) == 2


async def test_a_rack_at_work_has_one_an_hour_at_most(tmp_path: Path) -> None:
    async with rig(tmp_path, record=None) as rack:
        for _ in range(3 * 60 + 30):
            await rack.write()
            await rack.until_quiet()
            rack.pass_time(60)
        times = [kept.entry.at for kept in await rack.on_record()]
        assert len(times) == 4
        assert all(b - a >= timedelta(hours=1) for a, b in pairwise(times))


async def test_what_was_acknowledged_within_the_hour_is_on_record_after_it(tmp_path: Path) -> None:
    async with rig(tmp_path, record=None) as rack:
        await rack.write()
        await rack.until_quiet()
        rack.pass_time(600)
        await rack.write()
        last = rack.ledger.head
        await rack.until_quiet()
        assert len(await rack.on_record()) == 1
        rack.pass_time(HOUR)
        await rack.until_quiet()
        [_, later] = await rack.on_record()
        assert canonical.encode(later.entry.data["checkpoint"]).find(last.hash.hex().encode()) > 0


@pytest.mark.parametrize(
    ("passed_s", "count"),
    [(HOUR - 60, 1), (HOUR, 2), (-HOUR, 2)],
    ids=["within the hour", "an hour later", "the clock was set back"],
)
async def test_after_a_start_the_last_on_record_counts(
    tmp_path: Path, passed_s: float, count: int
) -> None:
    async with rig(tmp_path, record=None) as rack:
        await rack.write()
        await rack.until_quiet()
    clock = START + timedelta(seconds=passed_s)
    async with rig(tmp_path, record=None, clock=clock) as rack:
        await rack.write()
        await rack.until_quiet()
        assert len(await rack.on_record()) == count
        if count == 1:
            rack.pass_time(120)
            await rack.until_quiet()
            assert len(await rack.on_record()) == 2


async def test_a_ledger_that_refuses_costs_nothing_but_the_checkpoint(
    tmp_path: Path, logs: Logs
) -> None:
    async def refuses(entry: Entry) -> Receipt:
        del entry
        raise LedgerFault("the disk is full")

    async with rig(tmp_path, record=refuses) as rack:
        await rack.write(3)
        await rack.until_quiet()
        await rack.write(2)
        await rack.until_quiet()
        assert (rack.sink.records, rack.sink.failures) == (5, 0)
        assert rack.centre.newest == rack.ledger.head
        assert [each["detail"] for each in logs] == ["the disk is full"]


async def test_no_append_waits_for_a_checkpoint_that_hangs(tmp_path: Path) -> None:
    hangs = anyio.Event()

    async def for_ever(entry: Entry) -> Receipt:
        del entry
        hangs.set()
        await anyio.sleep_forever()
        raise AssertionError

    async with rig(tmp_path, record=for_ever) as rack:
        await rack.write(3)
        async with anyio.create_task_group() as group:
            group.start_soon(_until_quiet, rack)
            await hangs.wait()
            with anyio.fail_after(10):
                await rack.write(50)
            group.cancel_scope.cancel()
        assert rack.ledger.head.sequence == 53


async def _until_quiet(rack: Rig) -> None:
    await rack.until_quiet()


# A centre that was put back.


async def test_a_centre_put_back_to_an_older_state_is_told_once_and_refilled(
    tmp_path: Path, logs: Logs
) -> None:
    async with rig(tmp_path, record=None) as rack:
        await rack.write(5)
        older = rack.ledger.head
        await rack.write(4)
        lost = rack.ledger.head
        await rack.until_quiet()
        rack.centre.newest, rack.centre.answers = older, [GAP]
        rack.pass_time(HOUR)
        await rack.write()
        await rack.until_quiet()
        [alarm] = alarms(logs)
        assert alarm["log_level"] == "error"
        assert alarm["newest"] <= older.sequence < lost.sequence <= alarm["sequence"]
        [found] = await rack.on_record(EntryKind.CENTRE_LACKED)
        newest = head_of(found.entry.data["newest"])
        assert await rack.ledger.has(Place(sequence=newest.sequence, hash=newest.hash.hex()))
        assert newest.sequence == alarm["newest"]
        told = decode_checkpoint(
            canonical.encode(found.entry.data["checkpoint"]), CENTRE_KEY.public
        )
        assert told.of.tip.sequence >= lost.sequence
        assert rack.centre.newest == rack.ledger.head
        await rack.write()
        await rack.until_quiet()
        assert len(await rack.on_record(EntryKind.CENTRE_LACKED)) == len(alarms(logs)) == 1


@pytest.mark.parametrize("beside", [True, False])
async def test_what_a_former_daemon_has_kept_shows_it_at_the_start(
    tmp_path: Path, logs: Logs, *, beside: bool
) -> None:
    """Also where the file beside the ledger was taken away: it stands in the ledger."""
    async with rig(tmp_path, record=None) as rack:
        await rack.write(5)
        await rack.until_quiet()
    if not beside:
        rack.checkpoint_file.unlink()
    for starts in (1, 2):
        async with rig(tmp_path, record=None) as rack:
            rack.centre.newest = EMPTY_HEAD
            await rack.sender.step()
            assert len(alarms(logs)) == starts
            # It is on record once, as long as the centre has signed for nothing new.
            assert len(await rack.on_record(EntryKind.CENTRE_LACKED)) == 1


async def test_what_was_acknowledged_after_the_last_on_record_counts_as_well(
    tmp_path: Path, logs: Logs
) -> None:
    async with rig(tmp_path, record=None) as rack:
        await rack.write(5)
        await rack.until_quiet()
        older = rack.ledger.head
        await rack.write(2)
        await rack.until_quiet()
        assert len(await rack.on_record()) == 1
    async with rig(tmp_path, record=None) as rack:
        rack.centre.newest = older
        await rack.sender.step()
        [alarm] = alarms(logs)
        assert older.sequence < alarm["sequence"] == rack.ledger.head.sequence - 1


async def test_it_is_told_once_though_the_centre_is_away_after_it(
    tmp_path: Path, logs: Logs
) -> None:
    async with rig(tmp_path, record=None) as rack:
        await rack.write(5)
        await rack.until_quiet()
        await rack.write()
        rack.centre.newest = EMPTY_HEAD
        lost = rack.centre.acknowledging(Head(sequence=1, hash=bytes(31) + b"x"))
        rack.centre.answers = [GAP, rack.centre.had(EMPTY_HEAD), lost, rack.centre.had(EMPTY_HEAD)]
        await rack.until_quiet()
        assert (rack.centre.answers, len(alarms(logs))) == ([], 1)


async def test_a_centre_that_has_all_it_has_signed_for_is_no_alarm_wherever_that_ends(
    tmp_path: Path, logs: Logs
) -> None:
    """The records that are asked for lie ever wider apart, and the last acknowledged between."""
    async with rig(tmp_path, record=None) as rack:
        await rack.write(5)
        acknowledged = rack.ledger.head
        await rack.until_quiet()
        rack.centre.newest = acknowledged
        await rack.write(40)
        rack.checkpoint_file.unlink()
        rack.sender = rack.start()
        await rack.until_quiet()
        assert acknowledged in rack.centre.asked[-1]
        assert alarms(logs) == []
        assert rack.centre.newest == rack.ledger.head


async def test_another_centres_word_is_nothing_that_this_one_lacks(
    tmp_path: Path, logs: Logs
) -> None:
    async with rig(tmp_path, record=None, centre_key=OTHER_CENTRE) as rack:
        await rack.write(4)
        await rack.until_quiet()
        assert len(await rack.on_record()) == 1
    async with rig(tmp_path, record=None) as rack:
        await rack.until_quiet()
        assert rack.centre.newest == rack.ledger.head
        assert alarms(logs) == []


async def test_a_centre_with_fewer_lines_of_records_than_before_was_put_back(
    tmp_path: Path, logs: Logs
) -> None:
    async with rig(tmp_path, record=None) as rack:
        rack.centre.others = 4
        await rack.write()
        await rack.until_quiet()
        rack.centre.others = 6
        await rack.write()
        await rack.until_quiet()
        assert alarms(logs) == []
        rack.centre.others = 5
        await rack.write()
        await rack.until_quiet()
        assert len(alarms(logs)) == 1
        [found] = await rack.on_record(EntryKind.CENTRE_LACKED)
        assert found.entry.data["size"] == 6


async def test_a_checkpoint_of_records_that_the_rack_has_lost_is_not_put_on_record(
    tmp_path: Path, logs: Logs
) -> None:
    """The rack is the older side: the centre tells of that as a fork."""
    async with rig(tmp_path, record=None) as rack:
        await rack.write(3)
        await rack.sender.step()
        rack.centre.answers = [rack.centre.acknowledging(Head(sequence=9, hash=bytes(31) + b"x"))]
        await rack.until_quiet()
        assert rack.sink.said == (0, 0, True)
        assert await rack.on_record() == []
        rack.sender = rack.start()
        await rack.until_quiet()
        assert alarms(logs) == []


async def test_a_changed_file_beside_the_ledger_says_nothing(tmp_path: Path, logs: Logs) -> None:
    async with rig(tmp_path) as rack:
        await rack.write(3)
        await rack.until_quiet()
        kept = rack.checkpoint_file.read_bytes()
        rack.checkpoint_file.write_bytes(kept.replace(b'"sequence":3', b'"sequence":9'))
        rack.centre.newest = EMPTY_HEAD
        rack.sender = rack.start()
        await rack.until_quiet()
        assert alarms(logs) == []
