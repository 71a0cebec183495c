"""The way out: each trace at least once, in order, and no collector is worth a job's time."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind, Place
from benchd.outbound.posting import Failure
from benchd.outbound.traces.export_position import PlaceFile
from benchd.outbound.traces.trace_delivery import Taken
from benchd.outbound.traces.trace_export import (
    LONGEST_ASKED_PAUSE_S,
    LONGEST_PAUSE_S,
    MOST_STUMBLES,
)
from tests.outbound.traces.export_rig import rig
from tests.outbound.traces.job_told import START

pytestmark = pytest.mark.asyncio
AWAY = Failure(why="ConnectError")


async def test_each_ended_job_is_told_once_and_in_order(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        wanted = [await rack.end_job(number) for number in range(3)]
        await rack.until_quiet()
        await rack.until_quiet()
        assert rack.collector.traces == wanted
        assert (rack.sink.taken, rack.sink.failures, rack.sink.given_up) == (3, 0, 0)


async def test_a_restart_sends_nothing_twice_and_forgets_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        wanted = [await rack.end_job(1)]
        await rack.until_quiet()
        wanted.append(await rack.end_job(2))
        rack.start()
        wanted.append(await rack.end_job(3))
        await rack.until_quiet()
        assert rack.collector.traces == wanted


async def test_what_was_sent_before_a_crash_is_sent_again_as_the_same_trace(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        before = PlaceFile(rack.path).read()
        assert before is not None
        wanted = await rack.end_job(1)
        await rack.until_quiet()
        PlaceFile(rack.path).keep(before)  # as if the power had gone before it was kept
        rack.start()
        await rack.until_quiet()
        assert rack.collector.traces == [wanted, wanted]
        assert rack.collector.bodies[0] == rack.collector.bodies[1]


async def test_jobs_from_before_the_export_began_are_not_told(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        PlaceFile(rack.path).keep(Place(sequence=99, hash="of another ledger"))
        await rack.end_job(1)
        rack.start()
        await rack.until_quiet()
        assert rack.collector.traces == []
        wanted = await rack.end_job(2)
        await rack.until_quiet()
        assert rack.collector.traces == [wanted]


async def test_a_place_of_another_ledger_is_not_believed(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        await rack.end_job(1)
        PlaceFile(rack.path).keep(Place(sequence=1, hash="00" * 32))
        rack.start()
        await rack.until_quiet()
        assert rack.collector.traces == []


async def test_a_collector_that_is_away_gets_it_later_ever_more_slowly(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        wanted = [await rack.end_job(1), await rack.end_job(2)]
        rack.collector.answers = [AWAY] * 12
        pauses: list[float] = []
        await rack.export.step()
        assert rack.sink.since == (START.timestamp() + 120)
        while len(rack.collector.traces) < 12:
            pauses.append(await rack.export.step())
            rack.at += pauses[-1]
            await rack.export.step()
        assert pauses[:4] == [2, 4, 8, 16]
        assert max(pauses) == LONGEST_PAUSE_S
        await rack.until_quiet()
        assert rack.collector.traces == [*[wanted[0]] * 13, wanted[1]]
        assert (rack.sink.taken, rack.sink.failures, rack.sink.given_up) == (2, 12, 0)
        assert rack.sink.since == 0


@pytest.mark.parametrize(("asked_s", "pause_s"), [(40.0, 40.0), (1e9, LONGEST_ASKED_PAUSE_S)])
async def test_a_collector_may_ask_for_a_pause_and_not_for_any(
    tmp_path: Path, asked_s: float, pause_s: float
) -> None:
    async with rig(tmp_path) as rack:
        await rack.end_job(1)
        rack.collector.answers = [Failure(why="http_429", status=429, retry_after_s=asked_s)]
        await rack.export.step()
        assert await rack.export.step() == pause_s


@pytest.mark.parametrize("status", [413, 422])
async def test_a_trace_that_is_refused_for_itself_holds_no_other_up(
    tmp_path: Path, status: int
) -> None:
    async with rig(tmp_path) as rack:
        wanted = [await rack.end_job(1), await rack.end_job(2)]
        rack.collector.answers = [Failure(why=f"http_{status}", status=status)]
        await rack.until_quiet()
        assert rack.collector.traces == wanted
        assert (rack.sink.taken, rack.sink.given_up) == (1, 1)


@pytest.mark.parametrize("status", [400, 500])
async def test_a_trace_over_which_a_collector_stumbles_holds_the_others_up_not_for_ever(
    tmp_path: Path, status: int
) -> None:
    async with rig(tmp_path) as rack:
        wanted = [await rack.end_job(1), await rack.end_job(2)]
        rack.collector.answers = [Failure(why="no", status=status)] * MOST_STUMBLES
        await rack.until_quiet()
        assert rack.collector.traces == [*[wanted[0]] * MOST_STUMBLES, wanted[1]]
        assert rack.sink.given_up == 1


@pytest.mark.parametrize("status", [401, 503])
async def test_what_somebody_can_put_right_is_tried_on(tmp_path: Path, status: int) -> None:
    async with rig(tmp_path) as rack:
        wanted = await rack.end_job(1)
        rack.collector.answers = [Failure(why="no", status=status)] * (MOST_STUMBLES + 5)
        await rack.until_quiet()
        assert set(rack.collector.traces) == {wanted}
        assert (rack.sink.taken, rack.sink.given_up) == (1, 0)


async def test_spans_that_a_collector_has_thrown_away_are_counted(tmp_path: Path) -> None:
    async with rig(tmp_path) as rack:
        await rack.end_job(1)
        rack.collector.answers = [Taken(rejected=2)]
        await rack.until_quiet()
        assert (rack.sink.taken, rack.sink.given_up) == (1, 1)


async def test_records_that_cannot_be_read_are_given_up_and_the_next_job_is_told(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as rack:
        await rack.ledger.append(Entry(kind=EntryKind.JOB_ENDED, at=START, job=None))
        no_story = Entry(kind=EntryKind.JOB_ENDED, at=START, job=rack_job())
        await rack.ledger.append(no_story)
        wanted = await rack.end_job(1)
        await rack.until_quiet()
        assert rack.collector.traces == [wanted]
        assert rack.sink.given_up == 1


async def test_a_place_that_cannot_be_kept_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: PlaceFile, __: Place) -> None:
        raise OSError(28, "No space left on device")

    async with rig(tmp_path) as rack:
        monkeypatch.setattr(PlaceFile, "keep", full)
        wanted = [await rack.end_job(1), await rack.end_job(2)]
        await rack.until_quiet()
        assert rack.collector.traces == wanted


async def test_a_busy_ledger_without_ended_jobs_is_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KEPT_EVERY", "PIECE_RECORDS"):
        monkeypatch.setattr(f"benchd.outbound.traces.trace_export.{name}", 5)
    async with rig(tmp_path) as rack:
        for _ in range(5 + 3):
            await rack.ledger.append(Entry(kind=EntryKind.DAEMON_STARTED, at=START))
        assert await rack.export.step() == 0
        kept = PlaceFile(rack.path).read()
        assert kept is not None
        assert kept.sequence == 5
        wanted = await rack.end_job(1)
        await rack.until_quiet()
        assert rack.collector.traces == [wanted]


@pytest.mark.parametrize(
    "written", [b"", b"{", b"[" * 10_000, b"{}", b'{"sequence": -1, "hash": ""}', b"\xff"]
)
async def test_a_place_that_was_not_written_so_is_none(tmp_path: Path, written: bytes) -> None:
    ledger = tmp_path / "ledger.sqlite"
    ledger.with_name("ledger.sqlite.traces").write_bytes(written)
    assert PlaceFile(ledger).read() is None


def rack_job() -> JobId:
    return JobId("20261124-00000000ff")
