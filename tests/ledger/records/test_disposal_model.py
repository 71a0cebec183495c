"""What becomes of the unsold: one open item for each such end until it's settled, by any schedule.

The reference keeps the truth in its own few lines; ledger and read model have to say the same.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records_rack import GATES, Told

from benchd.domain.disposal import DISPOSAL_MOVES, OPEN, DisposalState, Settling
from benchd.domain.errors import NotFound, SettlingRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId, OperatorName
from benchd.domain.job import Disposition
from benchd.domain.people import Actor, PersonId, ShownBy
from benchd.domain.record import EntryKind
from benchd.ledger.records.read_model import ReadModel
from benchd.slots.disposal_desk import DisposalDesk, disposal_of
from tests.core.world import MemoryLedger, SteppingClock

ACTOR = Actor(
    person=PersonId("uid-1000"), name=OperatorName("佐藤"), shown_by=ShownBy.UNIX, source="socket"
)
CHIP, OTHER_CHIP = "c0ffee00" * 8, "deadbeef" * 8
IMEIS = (None, "356938035643809", "490154203237518", "352099001761481")
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


async def ledger_of(told: Told) -> MemoryLedger:
    ledger = MemoryLedger()
    ledger.stored = told.stored
    return ledger


@settings(max_examples=60)
@given(seed=st.integers(min_value=0, max_value=1 << 30))
@pytest.mark.asyncio
async def test_nothing_ends_in_silence(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    chance, told, reference = random.Random(seed), Told(), Reference()
    for number in range(chance.randint(1, 8)):
        if chance.random() < 0.2:
            enter_by_hand(number, told, reference)
        tell_a_job(f"job-{number}", chance, told, reference)
        for _ in range(chance.randint(0, 3)):
            settle_something(chance, told, reference)
    ledger = await ledger_of(told)
    jobs = [JobId(name.format(n)) for n in range(8) for name in ("job-{}", "case-T{}")]
    by_ledger = {job: await disposal_of(ledger, job) for job in jobs}
    assert {job: str(i.state) for job, i in by_ledger.items() if i} == reference.states
    model = ReadModel(tmp_path_factory.mktemp("records") / "records.sqlite")
    for size in (chance.randint(1, 20),):
        for at in range(0, len(told.stored), size):
            model.take(told.stored[at : at + size])
    items = model.look(lambda looker: looker.items(tuple(DisposalState)), quick=True)
    counts = model.look(lambda looker: looker.counts(), quick=True)
    model.close()
    assert [str(i.job.job) for i in items] == list(reference.states)
    assert {str(i.job.job): str(i.job.state) for i in items} == reference.states
    waits = list(reference.states.values())
    assert counts == {state: waits.count(state) for state in OPEN}


async def items_of(told: Told, model: ReadModel) -> dict[str, tuple[str, JobId | None]]:
    """What has become of each, and what took it over, by the ledger and by the read model."""
    ledger = await ledger_of(told)
    model.take(told.stored[model.upto().sequence :])
    found = model.look(lambda looker: looker.items(tuple(DisposalState)), quick=True)
    items = {str(i.job.job): (str(i.job.state), i.job.run_again_as) for i in found}
    for job, (state, later) in items.items():
        item = await disposal_of(ledger, JobId(job))
        assert item is not None
        assert (item.state, item.run_again_as) == (state, later)
    return items


@pytest.mark.asyncio
async def test_whom_a_chip_parts_from_what_it_had_met_gives_it_back(tmp_path: Path) -> None:
    """Two handsets tell one number and one serial: until their chips are looked at they are one."""
    told, model = Told(), ReadModel(tmp_path / "records.sqlite")
    for job, chip in (("first", CHIP), ("second", OTHER_CHIP)):
        told.open(job)
        told.inspect(job, imei=IMEIS[1])
        told.tie(job, chip)
    told.end("first")
    told.end("second")
    told.open("third")
    told.inspect("third", imei=IMEIS[1])
    assert await items_of(told, model) == {
        "first": ("run_again", "third"),
        "second": ("run_again", "third"),
    }
    told.open("fourth")
    told.inspect("fourth", imei=IMEIS[1])
    told.tie("third", OTHER_CHIP)
    assert (await items_of(told, model))["first"] == ("run_again", "fourth")
    told.tie("fourth", OTHER_CHIP)
    assert await items_of(told, model) == {
        "first": ("held", None),
        "second": ("run_again", "third"),
    }
    told.open("fifth")
    told.inspect("fifth", imei=IMEIS[1])
    assert (await items_of(told, model))["first"] == ("run_again", "fifth")
    model.close()


@pytest.mark.asyncio
async def test_a_label_that_is_scanned_after_a_jobs_end_takes_nothing_over(tmp_path: Path) -> None:
    told, model = Told(), ReadModel(tmp_path / "records.sqlite")
    told.lot("L-1")
    told.open("first")
    told.inspect("first", imei=IMEIS[1])
    told.end("first")
    told.bind("first", "T1")
    assert await items_of(told, model) == {"first": ("held", None)}
    model.close()


class Desk:
    """A desk over a ledger that tells of some jobs."""

    def __init__(self) -> None:
        self.told = Told()
        self.ledger = MemoryLedger()
        self.ledger.stored = self.told.stored
        self.desk = DisposalDesk(self.ledger, SteppingClock())

    async def dispose(self, job: str, to: DisposalState, **told: object) -> DisposalState:
        settling = Settling(to=to, **told)  # type: ignore[arg-type]
        return (await self.desk.dispose(JobId(job), settling, ACTOR)).state


@pytest.fixture
def desk() -> Desk:
    return Desk()


PAPERS = {"recycler": "例示リサイクル", "number": "R-000123"}


@pytest.mark.asyncio
async def test_destroyed_needs_the_recycler_and_their_number(desk: Desk) -> None:
    desk.told.open("job-1")
    desk.told.end("job-1", *ENDS["to_destroy"])
    for papers in ({}, {"recycler": "例示リサイクル"}, {"number": "R-000123"}):
        with pytest.raises(SettlingRefused, match="recycler and their number"):
            await desk.dispose("job-1", DisposalState.DESTROYED, **papers)
    assert not desk.ledger.of(EntryKind.HANDSET_SETTLED)
    assert await desk.dispose("job-1", DisposalState.DESTROYED, **PAPERS) is DisposalState.DESTROYED
    [record] = desk.ledger.of(EntryKind.HANDSET_SETTLED)
    assert record.entry.data["name"] == "佐藤"
    assert (record.entry.data["recycler"], record.entry.data["number"]) == tuple(PAPERS.values())
    with pytest.raises(SettlingRefused, match="nowhere: it's settled"):
        await desk.dispose("job-1", DisposalState.DESTROYED, **PAPERS)


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "to", sorted(DISPOSAL_MOVES[DisposalState.HELD] - {"run_again", "on_sale"})
)
async def test_a_release_needs_its_reason(desk: Desk, to: str) -> None:
    desk.told.open("job-1")
    desk.told.end("job-1")
    with pytest.raises(SettlingRefused, match="reason"):
        await desk.dispose("job-1", DisposalState(to), note="  ")
    assert await desk.dispose("job-1", DisposalState(to), note="持ち主がロックを解除") == to


@pytest.mark.asyncio
@pytest.mark.parametrize("end", ["sold", "runs"])
async def test_what_is_sold_or_runs_has_nothing_to_settle(desk: Desk, end: str) -> None:
    desk.told.open("job-1")
    if end == "sold":
        desk.told.sell("job-1")
    with pytest.raises(NotFound):
        await desk.dispose("job-1", DisposalState.DESTROYED, **PAPERS)
    with pytest.raises(NotFound):
        await desk.dispose("job-9", DisposalState.DESTROYED, **PAPERS)


@pytest.mark.asyncio
async def test_the_word_sellable_without_a_certificate_is_a_hold(desk: Desk) -> None:
    desk.told.open("job-1")
    desk.told.end("job-1", "passed", Disposition.SELLABLE, None, None)
    item = await disposal_of(desk.ledger, JobId("job-1"))
    assert item is not None
    assert item.state is DisposalState.HELD


@pytest.mark.asyncio
async def test_what_is_to_be_destroyed_is_never_run_again_without_somebody_in_charge(
    desk: Desk,
) -> None:
    desk.told.open("job-1")
    desk.told.inspect("job-1")
    desk.told.end("job-1", *ENDS["to_destroy"])
    desk.told.open("job-2")
    desk.told.inspect("job-2")
    again = DisposalState.RUN_AGAIN
    with pytest.raises(SettlingRefused, match="nobody in charge"):
        await desk.dispose("job-1", again, later_job="job-2")
    answer = {
        "gate": "destroyed_before",
        "operator": "高橋",
        "person": "takahashi",
        "shown_by": "badge_and_pin",
        "source": "127.0.0.1",
        "note": "専用機で消去",
        "at": "2026-11-03T03:00:00+00:00",
        "via": {},
    }
    for approved, job in ((False, "job-3"), (True, "job-4")):
        desk.told.open(job)
        desk.told.inspect(job)
        desk.told.tell(EntryKind.DECISION, job, {**answer, "approved": approved})
    with pytest.raises(SettlingRefused, match="nobody in charge"):
        await desk.dispose("job-1", again, later_job="job-3")
    assert await desk.dispose("job-1", again, later_job="job-4") is again


@pytest.mark.asyncio
async def test_what_could_not_be_plugged_in_waits_until_it_was_crushed(desk: Desk) -> None:
    desk.told.dead("T1")
    item = await disposal_of(desk.ledger, JobId("case-T1"))
    assert item is not None
    assert (item.state, item.was_doomed) == (DisposalState.TO_DESTROY, True)
    with pytest.raises(SettlingRefused, match="destroyed"):
        await desk.dispose("case-T1", DisposalState.RETURNED, note="持ち主")
    with pytest.raises(SettlingRefused, match="recycler and their number"):
        await desk.dispose("case-T1", DisposalState.DESTROYED)
    assert await desk.dispose("case-T1", DisposalState.DESTROYED, **PAPERS) == "destroyed"


@pytest.mark.asyncio
async def test_what_could_be_plugged_in_after_all_is_run_again_as_the_same_asset_only(
    desk: Desk,
) -> None:
    desk.told.dead("T1")
    let = {
        "gate": "destroyed_before",
        "approved": True,
        "operator": "高橋",
        "person": "takahashi",
        "shown_by": "badge_and_pin",
        "source": "127.0.0.1",
        "note": "電源が入った",
        "at": "2026-11-03T03:00:00+00:00",
        "via": {},
    }
    for job, tag, is_let in (("job-1", "T2", True), ("job-2", "T1", False), ("job-3", "T1", True)):
        desk.told.open(job)
        desk.told.inspect(job)
        desk.told.bind(job, tag)
        if is_let:
            desk.told.tell(EntryKind.DECISION, job, let)
    again = DisposalState.RUN_AGAIN
    for job in ("job-1", "job-2"):
        with pytest.raises(SettlingRefused, match="nobody in charge"):
            await desk.dispose("case-T1", again, later_job=job)
    assert await desk.dispose("case-T1", again, later_job="job-3") is again


@pytest.mark.asyncio
async def test_a_later_job_has_to_be_later_and_of_no_other_handset(desk: Desk) -> None:
    desk.told.open("job-0")
    desk.told.open("job-1")
    desk.told.inspect("job-1", imei=None)
    desk.told.end("job-1", *ENDS["tray"])
    desk.told.open("job-2")
    desk.told.inspect("job-2")
    again = DisposalState.RUN_AGAIN
    for later, why in (
        (None, "name the later job"),
        ("job-0", "isn't a later"),
        ("job-9", "isn't"),
    ):
        with pytest.raises(SettlingRefused, match=why):
            await desk.dispose("job-1", again, later_job=later)
    assert await desk.dispose("job-1", again, later_job="job-2") is again
    desk.told.open("job-3")
    desk.told.inspect("job-3", imei="490154203237518")
    desk.told.end("job-3", *ENDS["to_return"])
    desk.told.open("job-4")
    desk.told.inspect("job-4", imei="352099001761481")
    with pytest.raises(SettlingRefused, match="another IMEI"):
        await desk.dispose("job-3", again, later_job="job-4")


@pytest.mark.asyncio
async def test_the_day_lies_between_the_jobs_end_and_now(desk: Desk) -> None:
    desk.told.open("job-1")
    desk.told.end("job-1", *ENDS["to_destroy"])
    ended = desk.told.stored[-1].entry.at.astimezone().date()
    for day in (ended - timedelta(days=1), date(2031, 1, 1)):
        with pytest.raises(SettlingRefused, match="the day"):
            await desk.dispose("job-1", DisposalState.DESTROYED, **PAPERS, done_on=day)
    await desk.dispose("job-1", DisposalState.DESTROYED, **PAPERS, done_on=ended)


@pytest.mark.asyncio
async def test_only_what_was_rechecked_goes_back_on_sale(desk: Desk) -> None:
    for job, end in (("job-1", "held"), ("job-2", "passed on hold")):
        desk.told.open(job)
        desk.told.end(job, *ENDS[end])
    with pytest.raises(SettlingRefused, match="re-checked"):
        await desk.dispose("job-1", DisposalState.ON_SALE, note="00ff")
    with pytest.raises(SettlingRefused, match="certificate"):
        await desk.dispose("job-2", DisposalState.ON_SALE)
    with pytest.raises(SettlingRefused, match="00ff isn't the certificate"):
        await desk.dispose("job-2", DisposalState.ON_SALE, note="00ff")


@pytest.mark.asyncio
async def test_what_a_later_job_told_before_the_end_of_the_other_counts_against_it() -> None:
    """A clone's job had told another serial while the job that is on hold still ran."""
    told, imei = Told(), "356938035643809"
    told.open("held")
    told.inspect("held", imei=imei, serial="R5CT10ABCDE")
    told.open("clone")
    told.inspect("clone", imei=None, serial="R5CT10FGHIJ")
    told.end("held")
    told.stage("clone", "gates", to_json(replace(GATES, screen_number=imei, label_number=imei)))
    item = await disposal_of(await ledger_of(told), JobId("held"))
    assert item is not None
    assert item.state is DisposalState.HELD
