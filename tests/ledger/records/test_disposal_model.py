"""What becomes of the unsold: one open item for each such end until it's settled, by any schedule.

The reference keeps the truth in its own few lines; ledger and read model have to say the same.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records_rack import GATES, IMEI, OTHER_IMEI, Told, look

from benchd.domain.disposal import DISPOSAL_MOVES, OPEN, DisposalState, Settling
from benchd.domain.errors import NotFound, SettlingRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId, OperatorName
from benchd.domain.people import Actor, PersonId, ShownBy
from benchd.domain.record import EntryKind
from benchd.ledger.records.read_model import ReadModel
from benchd.proof.disposal_fold import DisposalItem
from benchd.slots.disposal_desk import DisposalDesk, disposal_of
from tests.core.world import MemoryLedger, SteppingClock

pytestmark = pytest.mark.asyncio

ACTOR = Actor(
    person=PersonId("uid-1000"), name=OperatorName("佐藤"), shown_by=ShownBy.UNIX, source="socket"
)
CHIP, OTHER_CHIP = "c0ffee00" * 8, "deadbeef" * 8
IMEIS = (None, IMEI, OTHER_IMEI, "352099001761481")
ENDS: Mapping[str, tuple[str, str, str | None]] = {
    "held": ("failed", "hold", "coverage_too_low"),
    "to_return": ("failed", "return", "managed_device"),
    "to_destroy": ("failed", "destroy", "felica_residue"),
    "tray": ("aborted", "hold", "unplugged"),
    "interrupted": ("interrupted", "hold", "daemon_stopped"),
    "passed on hold": ("passed", "hold", "rechecked"),
    "sold": ("passed", "sellable", None),
    "runs": ("", "", None),
}
WAITS_AS = {
    "held": "held",
    "to_return": "to_return",
    "to_destroy": "to_destroy",
    "tray": "tray",
    "interrupted": "tray",
    "passed on hold": "held",
}


class Reference:
    """By hand: which job's handset is where."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.imeis: dict[str, set[str]] = {}
        self.chips: dict[str, str | None] = {}

    def meets(self, job: str, imei: str, chip: str | None) -> None:
        for other, imeis in self.imeis.items():
            if (
                other != job
                and imei in imeis
                and self.states.get(other) in ("tray", "held", "rerun_due")
                and len({chip, self.chips.get(other)} - {None}) < 2
            ):
                self.states[other] = "run_again"
        self.imeis.setdefault(job, set()).add(imei)
        self.chips[job] = chip

    def moves(self, job: str, to: str) -> None:
        if DisposalState(to) in DISPOSAL_MOVES[DisposalState(self.states[job])]:
            self.states[job] = to


def enter_by_hand(number: int, told: Told, reference: Reference) -> None:
    """A handset that couldn't even be plugged in."""
    told.dead(f"T{number}")
    reference.states[f"case-T{number}"] = "to_destroy"


def tell_a_job(job: str, chance: random.Random, told: Told, reference: Reference) -> None:
    told.open(job)
    imei = chance.choice(IMEIS)
    if imei is not None:
        told.inspect(job, imei=imei)
        chip = chance.choice((None, CHIP, OTHER_CHIP))
        reference.meets(job, imei, chip)
        if chip is not None:
            told.tie(job, chip)
    elif chance.random() < 0.5:
        told.inspect(job, imei=None)
        if (read := chance.choice(IMEIS)) is not None:
            # One person's one look is no proof that it is the same handset.
            told.gates(job, read)
    end = chance.choice(list(ENDS))
    outcome, disposition, reason = ENDS[end]
    if outcome:
        told.end(job, outcome, disposition, reason, "{}" if end == "sold" else None)
    if end in WAITS_AS:
        reference.states[job] = WAITS_AS[end]


def settle_something(chance: random.Random, told: Told, reference: Reference) -> None:
    """By a record that the desk would never write, as often as not."""
    if not reference.states:
        return
    job = chance.choice(list(reference.states))
    to, state = str(chance.choice(list(DisposalState))), reference.states[job]
    before = state if chance.random() < 0.8 else "tray"
    told.settle(job, before, to)
    if before == state:
        reference.moves(job, to)


def ledger_of(told: Told) -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.stored = told.stored
    return ledger


async def item_of(told: Told, job: str) -> DisposalItem:
    """What has become of a job's handset, by the ledger."""
    item = await disposal_of(ledger_of(told), JobId(job))
    assert item is not None
    return item


@settings(max_examples=60)
@given(seed=st.integers(min_value=0, max_value=1 << 30))
async def test_nothing_ends_in_silence(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    chance, told, reference = random.Random(seed), Told(), Reference()
    for number in range(chance.randint(1, 8)):
        if chance.random() < 0.2:
            enter_by_hand(number, told, reference)
        tell_a_job(f"job-{number}", chance, told, reference)
        for _ in range(chance.randint(0, 3)):
            settle_something(chance, told, reference)
    ledger = ledger_of(told)
    jobs = [JobId(name.format(n)) for n in range(8) for name in ("job-{}", "case-T{}")]
    by_ledger = {job: await disposal_of(ledger, job) for job in jobs}
    assert {job: str(i.state) for job, i in by_ledger.items() if i} == reference.states
    model = ReadModel(tmp_path_factory.mktemp("records") / "records.sqlite")
    size = chance.randint(1, 20)
    for at in range(0, len(told.stored), size):
        model.take(told.stored[at : at + size])
    items = model.look(lambda looker: looker.items(tuple(DisposalState)), quick=True)
    counts = model.look(lambda looker: looker.counts(), quick=True)
    model.close()
    since = {str(job): item.since for job, item in by_ledger.items() if item}
    longest_first = sorted(reference.states, key=lambda job: since[job])
    assert [str(i.job.job) for i in items] == longest_first
    assert {str(i.job.job): str(i.job.state) for i in items} == reference.states
    waits = list(reference.states.values())
    assert counts == {state: waits.count(state) for state in OPEN}


async def items_of(told: Told, model: ReadModel) -> dict[str, tuple[str, JobId | None]]:
    """What has become of each, and what took it over, by the ledger and by the read model."""
    found = look(model, told, lambda looker: looker.items(tuple(DisposalState)))
    items = {str(i.job.job): (str(i.job.state), i.job.run_again_as) for i in found}
    for job, (state, later) in items.items():
        item = await item_of(told, job)
        assert (item.state, item.run_again_as) == (state, later)
    return items


async def test_whom_a_chip_parts_from_what_it_had_met_gives_it_back(
    told: Told, model: ReadModel
) -> None:
    """Two handsets tell one number and one serial: until their chips are looked at they are one."""
    for job, chip in (("first", CHIP), ("second", OTHER_CHIP)):
        told.open(job)
        told.inspect(job)
        told.tie(job, chip)
    told.end("first")
    told.end("second")
    told.open("third")
    told.inspect("third")
    assert await items_of(told, model) == {
        "first": ("run_again", "third"),
        "second": ("run_again", "third"),
    }
    told.open("fourth")
    told.inspect("fourth")
    told.tie("third", OTHER_CHIP)
    assert (await items_of(told, model))["first"] == ("run_again", "fourth")
    told.tie("fourth", OTHER_CHIP)
    assert await items_of(told, model) == {
        "first": ("held", None),
        "second": ("run_again", "third"),
    }
    told.open("fifth")
    told.inspect("fifth")
    assert (await items_of(told, model))["first"] == ("run_again", "fifth")


async def test_a_label_that_is_scanned_after_a_jobs_end_takes_nothing_over(
    told: Told, model: ReadModel
) -> None:
    told.lot("L-1")
    told.whole("first")
    told.bind("first", "T1")
    assert await items_of(told, model) == {"first": ("held", None)}


class Desk:
    """A desk over a ledger that tells of some jobs."""

    def __init__(self) -> None:
        self.told = Told()
        self.ledger = ledger_of(self.told)
        self.desk = DisposalDesk(self.ledger, SteppingClock())

    def ended(self, job: str, end: str = "held", **changes: object) -> None:
        """A job that was inspected and ended like this, or still runs."""
        self.told.open(job)
        self.told.inspect(job, **changes)
        if end == "sold":
            self.told.sell(job)
        elif end != "runs":
            self.told.end(job, *ENDS[end])

    def let(self, job: str, *, approved: bool) -> None:
        """Somebody in charge has looked at what was to be destroyed and comes in again."""
        answer = {
            "gate": "destroyed_before",
            "approved": approved,
            "operator": "高橋",
            "person": "takahashi",
            "shown_by": "badge_and_pin",
            "source": "127.0.0.1",
            "note": "専用機で消去",
            "at": "2026-11-03T03:00:00+00:00",
            "via": {},
        }
        self.told.tell(EntryKind.DECISION, job, answer)

    async def dispose(self, job: str, to: DisposalState, **told: Any) -> DisposalState:  # noqa: ANN401 - as Settling
        return (await self.desk.dispose(JobId(job), Settling(to=to, **told), ACTOR)).state

    async def refuses(self, why: str, job: str, to: DisposalState, **told: Any) -> None:  # noqa: ANN401 - the same
        """It isn't settled like this, and nothing goes on record."""
        before = len(self.ledger.stored)
        with pytest.raises(SettlingRefused, match=why):
            await self.dispose(job, to, **told)
        assert len(self.ledger.stored) == before


@pytest.fixture
def desk() -> Desk:
    return Desk()


DESTROYED, AGAIN, ON_SALE = DisposalState.DESTROYED, DisposalState.RUN_AGAIN, DisposalState.ON_SALE
PAPERS = {"recycler": "例示リサイクル", "number": "R-000123"}


async def test_destroyed_needs_the_recycler_their_number_and_a_day_between_its_end_and_now(
    desk: Desk,
) -> None:
    desk.ended("job-1", "to_destroy")
    for papers in ({}, {"recycler": "例示リサイクル"}, {"number": "R-000123"}):
        await desk.refuses("recycler and their number", "job-1", DESTROYED, **papers)
    ended = desk.told.stored[-1].entry.at.astimezone().date()
    for day in (ended - timedelta(days=1), date(2031, 1, 1)):
        await desk.refuses("the day", "job-1", DESTROYED, **PAPERS, done_on=day)
    assert await desk.dispose("job-1", DESTROYED, **PAPERS, done_on=ended) is DESTROYED
    [record] = desk.ledger.of(EntryKind.HANDSET_SETTLED)
    assert record.entry.data["name"] == "佐藤"
    assert (record.entry.data["recycler"], record.entry.data["number"]) == tuple(PAPERS.values())
    await desk.refuses("nowhere: it's settled", "job-1", DESTROYED, **PAPERS)
    # The day may be left out.
    desk.ended("job-2", "to_destroy", imei=OTHER_IMEI)
    assert await desk.dispose("job-2", DESTROYED, **PAPERS) is DESTROYED


@pytest.mark.parametrize(
    "to", sorted(DISPOSAL_MOVES[DisposalState.HELD] - {"run_again", "on_sale"})
)
async def test_a_release_needs_its_reason(desk: Desk, to: DisposalState) -> None:
    desk.ended("job-1")
    await desk.refuses("reason", "job-1", to, note="  ")
    assert await desk.dispose("job-1", to, note="持ち主がロックを解除") == to


@pytest.mark.parametrize("end", ["sold", "runs"])
async def test_what_is_sold_or_runs_has_nothing_to_settle(desk: Desk, end: str) -> None:
    desk.ended("job-1", end)
    for job in ("job-1", "job-9"):
        with pytest.raises(NotFound):
            await desk.dispose(job, DESTROYED, **PAPERS)


async def test_the_word_sellable_without_a_certificate_is_a_hold(told: Told) -> None:
    told.open("job-1")
    told.end("job-1", "passed", "sellable", None, None)
    assert (await item_of(told, "job-1")).state is DisposalState.HELD


async def test_what_is_to_be_destroyed_is_never_run_again_without_somebody_in_charge(
    desk: Desk,
) -> None:
    desk.ended("job-1", "to_destroy")
    desk.ended("job-2", "runs")
    await desk.refuses("nobody in charge", "job-1", AGAIN, later_job="job-2")
    for approved, job in ((False, "job-3"), (True, "job-4")):
        desk.ended(job, "runs")
        desk.let(job, approved=approved)
    await desk.refuses("nobody in charge", "job-1", AGAIN, later_job="job-3")
    assert await desk.dispose("job-1", AGAIN, later_job="job-4") is AGAIN


async def test_what_could_not_be_plugged_in_waits_until_it_was_crushed(desk: Desk) -> None:
    desk.told.dead("T1")
    item = await item_of(desk.told, "case-T1")
    assert (item.state, item.was_doomed) == (DisposalState.TO_DESTROY, True)
    await desk.refuses("destroyed", "case-T1", DisposalState.RETURNED, note="持ち主")
    await desk.refuses("recycler and their number", "case-T1", DESTROYED)
    assert await desk.dispose("case-T1", DESTROYED, **PAPERS) is DESTROYED


async def test_what_could_be_plugged_in_after_all_is_run_again_as_the_same_asset_only(
    desk: Desk,
) -> None:
    desk.told.dead("T1")
    for job, tag, is_let in (("job-1", "T2", True), ("job-2", "T1", False), ("job-3", "T1", True)):
        desk.ended(job, "runs")
        desk.told.bind(job, tag)
        if is_let:
            desk.let(job, approved=True)
    for job in ("job-1", "job-2"):
        await desk.refuses("nobody in charge", "case-T1", AGAIN, later_job=job)
    assert await desk.dispose("case-T1", AGAIN, later_job="job-3") is AGAIN


async def test_a_later_job_has_to_be_later_and_of_no_other_handset(desk: Desk) -> None:
    desk.told.open("job-0")
    desk.ended("job-1", "tray", imei=None)
    desk.ended("job-2", "runs")
    for later, why in (
        (None, "name the later job"),
        ("job-0", "isn't a later"),
        ("job-9", "isn't"),
    ):
        await desk.refuses(why, "job-1", AGAIN, later_job=later)
    assert await desk.dispose("job-1", AGAIN, later_job="job-2") is AGAIN
    desk.ended("job-3", "to_return", imei=OTHER_IMEI)
    desk.ended("job-4", "runs", imei=IMEIS[-1])
    await desk.refuses("another IMEI", "job-3", AGAIN, later_job="job-4")


async def test_only_what_was_rechecked_goes_back_on_sale(desk: Desk) -> None:
    desk.ended("job-1")
    desk.ended("job-2", "passed on hold", imei=OTHER_IMEI)
    await desk.refuses("re-checked", "job-1", ON_SALE, note="00ff")
    await desk.refuses("certificate", "job-2", ON_SALE)
    await desk.refuses("00ff isn't the certificate", "job-2", ON_SALE, note="00ff")


async def test_what_a_later_job_told_before_the_end_of_the_other_counts_against_it(
    told: Told,
) -> None:
    """A clone's job had told another serial while the job that is on hold still ran."""
    told.open("held")
    told.inspect("held", serial="R5CT10ABCDE")
    told.open("clone")
    told.inspect("clone", imei=None, serial="R5CT10FGHIJ")
    told.end("held")
    told.stage("clone", "gates", to_json(replace(GATES, screen_number=IMEI, label_number=IMEI)))
    assert (await item_of(told, "held")).state is DisposalState.HELD


DRAWN, RECHECK = "20261103-00aa11bb22", "20261104-00aa11bb33"


@pytest.mark.parametrize("ends", ["sold", "to_destroy", "held, not bound"])
async def test_a_drawn_handset_and_its_recheck_have_one_open_item_at_most(
    told: Told, model: ReadModel, ends: str
) -> None:
    """One person's reading at it closes nothing when its number comes again: somebody does."""
    told.drawn(DRAWN, RECHECK)
    if ends == "sold":
        told.sell(RECHECK)
    elif ends == "to_destroy":
        told.end(RECHECK, *ENDS[ends])
    else:
        told.end(RECHECK, "failed", "hold", "handset_not_bound")
        told.open("again")
        told.inspect("again")
    file = look(model, told, lambda looker: looker.handset(DRAWN))
    states = {line.job: line.state for line in file.jobs}
    if ends == "held, not bound":
        assert states[JobId(RECHECK)] is (await item_of(told, RECHECK)).state is DisposalState.HELD
        return
    assert states == {
        DRAWN: DisposalState.RUN_AGAIN,
        RECHECK: None if ends == "sold" else DisposalState.TO_DESTROY,
    }
