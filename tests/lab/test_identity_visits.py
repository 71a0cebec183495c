"""A dealer's visits through the real stages: the counts are true, and show a rule taken out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

import anyio
import pytest

from benchd.domain.handset import Trait
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.lab.benchmarks.identity import identity_visits, visit_run
from benchd.lab.benchmarks.identity.identity_visits import Visits
from benchd.lab.benchmarks.identity.kept import KeptInMemory
from benchd.lab.benchmarks.identity.mix import Mix
from benchd.pipelines.stages import confirm, gates
from benchd.proof.record_subject import TOLD_UNDER
from tests.told_jobs import handset_jobs

NOTHING = Mix(
    **{  # pyright: ignore[reportArgumentType]
        field.name: 0.0
        for field in fields(Mix)
        if field.name not in ("models", "operator_right", "supervisor_right")
    },
    operator_right=1.0,
    supervisor_right=1.0,
)
"""Nobody errs, and nothing comes again."""
DOOMED = replace(NOTHING, doomed=0.5, doomed_again=1.0, two_numbers=1.0)
"""A quarter is to be destroyed by its gates, some more by its storage, and comes again."""


def visited(mix: Mix, wanted: int = 150) -> Visits:
    done = Visits(mix, 1)
    anyio.run(done.run, wanted)
    return done


def test_honest_handsets_that_come_once_are_sold_and_nobody_is_asked_whose_they_are() -> None:
    done = visited(NOTHING)
    assert done.counts["visits"] == done.counts["sold"] == 150
    assert set(+done.counts) == {"visits", "sold"}
    assert not done.asked


def test_one_seed_is_the_same_twice_and_another_is_not() -> None:
    one, again, other = Visits(Mix(), 1), Visits(Mix(), 1), Visits(Mix(), 2)
    for each in (one, again, other):
        anyio.run(each.run, 80)
    assert (one.counts, one.asked) == (again.counts, again.asked)
    assert one.asked != other.asked


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be destroyed comes again within few visits."""
    monkeypatch.setattr(identity_visits, "ANY_TIME", (1, 10))


@pytest.mark.usefixtures("soon")
def test_a_doomed_handset_that_comes_again_is_found() -> None:
    done = visited(DOOMED)
    assert done.counts["owe: doom"] > 20
    assert done.counts["doom missed"] == done.counts["honest destroyed"] == 0


@pytest.mark.usefixtures("soon")
def test_a_doom_that_nobody_asks_about_is_counted_as_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def let_in(*_: object) -> tuple[str, ...]:
        return ()

    def no_gaps(*_: object) -> Iterator[str]:
        return iter(())

    monkeypatch.setattr(gates, "let_by_somebody_in_charge", let_in)
    # What would find it at the end, and the proof after that.
    monkeypatch.setattr(confirm, "refuse_doomed", lambda _: None)
    monkeypatch.setattr(visit_run, "identity_gaps", no_gaps)
    done = visited(DOOMED)
    assert done.counts["doom missed"] > 20
    assert done.cases["doom missed"][0][-1].endswith("sold")


def test_scans_of_the_neighbours_number_are_given_again_and_certify_no_wrong_one() -> None:
    done = visited(replace(NOTHING, untold=1.0, wrong_scan=0.2))
    assert done.asked["operator: second reading"] >= 150
    assert done.asked["operator: scan again"] > 20
    assert done.counts["honest held: handset_changed"] > 0


class Everything(KeptInMemory):
    """Remembers every record too, so that all of them can be looked through."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[StoredEntry] = []

    def put(self, entry: Entry) -> StoredEntry:
        stored = super().put(entry)
        self.records.append(stored)
        return stored


def test_its_index_finds_the_jobs_that_a_look_at_every_record_finds() -> None:
    done = Visits(replace(Mix(), held=0.4, doomed=0.1, shared_serial=0.3), 1)
    kept = done._shop.kept = done._shop.intake._ledger = Everything()
    anyio.run(done.run, 60)
    told = {
        (trait, value)
        for record in kept.records
        if record.entry.kind is EntryKind.STAGE_ENDED
        for trait, keys in TOLD_UNDER.items()
        for value in map(dict(record.entry.data["evidence"]).get, keys)  # type: ignore[arg-type]
        if isinstance(value, str) and value
    }
    assert {trait for trait, _ in told} == set(Trait)

    async def compare() -> None:
        for trait, value in told:
            found = await kept.handset_jobs(trait, value, 2)
            assert found == handset_jobs(kept.records, trait, value, 2)

    anyio.run(compare)
