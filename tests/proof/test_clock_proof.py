"""By how much the clock was set back during a job, by what was noticed and by its times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from benchd.domain.ids import JobId, JsonValue, SlotName
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.clock_proof import STEP_S, set_back_s

BEGAN = datetime(2026, 11, 24, 9, tzinfo=UTC)


def records(
    *offsets_s: float, noticed_s: Sequence[float] = (), kind: EntryKind = EntryKind.DECISION
) -> list[StoredEntry]:
    """Records at these times, then what a watch has noticed, at the last of them."""
    told: list[tuple[float, EntryKind, dict[str, JsonValue]]] = [(at, kind, {}) for at in offsets_s]
    for step in noticed_s:
        data: dict[str, JsonValue] = {"set_back_s": step, "noticed": "running"}
        told.append((offsets_s[-1], EntryKind.CLOCK_STEPPED, data))
    return [
        StoredEntry(
            sequence=number,
            entry=Entry(
                kind=of,
                at=BEGAN + timedelta(seconds=at),
                slot=SlotName("A1"),
                occupancy=1,
                job=JobId("j"),
                data=data,
            ),
            hash_hex=f"{number:064x}",
        )
        for number, (at, of, data) in enumerate(told, 1)
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
