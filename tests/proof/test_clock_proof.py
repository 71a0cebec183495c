"""Whether the time was right: by how much a clock was set back, by which time one was cited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from benchd.domain.people import ShownBy
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.clock_proof import STEP_S, set_back_s
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.intake_evidence import TimeConfirmedRecord, Who
from benchd.proof.time_basis import CONFIRMED_WITHIN, STEP, TimeConfirmed, time_gaps
from tests.proof.altered_records import stored

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


def records(*offsets_s: float, noticed_s: Sequence[float] = ()) -> list[StoredEntry]:
    """Records at these times, then what a watch has noticed, at the last of them."""
    told = [(at, EntryKind.DECISION, {}) for at in offsets_s]
    for step in noticed_s:
        data = {"set_back_s": step, "noticed": "running"}
        told.append((offsets_s[-1], EntryKind.CLOCK_STEPPED, data))
    return [
        stored(number, kind, data, at=NOW + timedelta(seconds=at))
        for number, (at, kind, data) in enumerate(told, 1)
    ]


@pytest.mark.parametrize(
    ("offsets_s", "back_s"),
    [
        ((0.0, 10.0, 20.0), 0.0),
        ((0.0, 10.0, 10.0 - STEP_S), STEP_S),
        ((0.0, 10.0, 10.0 - STEP_S * 0.999), 0.0),
        ((0.0, 10.0, 8.0, 20.0, 17.5), 4.5),
    ],
)
def test_the_times_show_each_step_of_a_second_or_more(
    offsets_s: tuple[float, ...], back_s: float
) -> None:
    assert set_back_s(records(*offsets_s)) == pytest.approx(back_s)


def test_the_watch_and_the_times_are_two_accounts_of_one_thing() -> None:
    """The greater one counts: either may have missed a step, and neither is added to the other."""
    assert set_back_s(records(0.0, 10.0, noticed_s=[2.0, 3.0])) == pytest.approx(5)
    assert set_back_s(records(0.0, 10.0, 4.0, noticed_s=[2.0])) == pytest.approx(6)
    assert set_back_s(records(0.0, 10.0, 4.0, noticed_s=[7.0])) == pytest.approx(7)


BASIS = TimeBasis(at=NOW, newest=NOW, after=7, boot="boot-1", confirmed=None)
BETWEEN = (5, 9)
BEHIND = "it was cited by a clock that was behind the ledger"


def record(sequence: int, at: datetime) -> StoredEntry:
    return stored(sequence, EntryKind.JOB_OPENED, at=at)


def gaps(
    basis: TimeBasis, *at_hand: StoredEntry, confirmed: TimeConfirmed | None = None
) -> list[str]:
    known = {} if confirmed is None else {confirmed.sequence: confirmed}
    return list(time_gaps(basis, BETWEEN, at_hand, known))


@pytest.mark.parametrize("late", [timedelta(0), STEP])
def test_a_clock_is_behind_by_more_than_a_step(late: timedelta) -> None:
    assert gaps(replace(BASIS, newest=NOW + late)) == []
    assert gaps(BASIS, record(6, NOW + late)) == []


def test_the_latest_time_counts_whoever_knows_of_it() -> None:
    """What the rack said was its newest record, and what its records say themselves."""
    later, earlier = NOW + STEP + timedelta(milliseconds=1), NOW - timedelta(days=1)
    assert gaps(replace(BASIS, newest=later), record(6, earlier)) == [BEHIND]
    assert gaps(replace(BASIS, newest=earlier), record(6, later)) == [BEHIND]


def test_what_came_after_it_was_cited_says_nothing() -> None:
    later = NOW + timedelta(days=1)
    assert gaps(BASIS, record(7, later)) == [BEHIND]
    assert gaps(BASIS, record(8, later)) == []


@pytest.mark.parametrize(("after", "is_between"), [(4, False), (5, True), (8, True), (9, False)])
def test_it_was_cited_between_two_records_of_its_job(after: int, is_between: bool) -> None:
    assert (gaps(replace(BASIS, after=after)) == []) is is_between


CONFIRMED = TimeConfirmed(
    sequence=3,
    at=NOW,
    told=TimeConfirmedRecord(
        seen_at=NOW,
        boot="boot-1",
        by=Who(operator="Mori", person="mori", shown_by=ShownBy.BADGE_AND_PIN),
    ),
)
TOLD = replace(BASIS, confirmed=3)
AT_ONCE = CONFIRMED.told
NOT_CONFIRMED = {
    "of another boot": replace(CONFIRMED, told=replace(AT_ONCE, boot="boot-0")),
    "after it was cited": replace(CONFIRMED, sequence=8),
    "by a badge alone": replace(
        CONFIRMED, told=replace(AT_ONCE, by=replace(AT_ONCE.by, shown_by=ShownBy.BADGE))
    ),
    "of another time": replace(CONFIRMED, at=NOW + CONFIRMED_WITHIN + timedelta(seconds=1)),
}


def test_what_was_confirmed_in_the_same_boot_holds() -> None:
    assert gaps(TOLD, confirmed=CONFIRMED) == []
    at_most = replace(CONFIRMED, at=NOW + CONFIRMED_WITHIN)
    assert gaps(TOLD, confirmed=at_most) == []


@pytest.mark.parametrize("why", NOT_CONFIRMED)
def test_what_does_not_confirm_the_time(why: str) -> None:
    by = NOT_CONFIRMED[why]
    told = replace(TOLD, confirmed=by.sequence)
    [gap] = gaps(told, confirmed=by)
    assert "doesn't confirm the time" in gap
