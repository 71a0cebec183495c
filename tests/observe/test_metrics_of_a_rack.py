"""Whole jobs on a fake rack in virtual time: what Prometheus is told of them."""

from __future__ import annotations

import copy
from dataclasses import replace

import anyio
import pytest
from metrics_rig import FailingSubscriber, new_metrics, observe, series_of, text_of, value

from benchd.domain.chip import ChipVerdict
from benchd.domain.clear import ClearOutcome
from benchd.domain.ids import PortPath, SlotName
from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode, ProblemView, SlotView
from benchd.domain.slot_states import SlotState
from benchd.observe.announcing_ledger import AnnouncingLedger
from benchd.observe.record_metrics import RecordMetrics
from benchd.pipelines.recovery import close_open_jobs
from tests.core.fake_chips import IN_USE, SILENT, UNUSED, FakeChip, FakeChipAccess, scan_of
from tests.core.world import MIB, Phone, World

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

IMEI = "356938035643809"
SERIAL = "R5CT10ABCDE"


async def test_no_series_appears_or_disappears_over_whole_jobs() -> None:
    world = World(2)
    metrics = observe(world)
    at_start = (await series_of(metrics)).keys()
    async with world.running():
        world.ports["A1"].plug(Phone(used_bytes=30 * MIB))
        world.ports["A2"].plug(Phone(serial="R5CT10ABCDF", accounts=1))
        for state in (SlotState.RUNNING, SlotState.REPLUGGING, SlotState.FINISHED):
            await world.until_state(state)
            assert (await series_of(metrics)).keys() == at_start
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
    assert (await series_of(metrics)).keys() == at_start


async def test_a_handset_that_passes_is_counted_once_and_its_stages_are_timed() -> None:
    world = World()
    metrics = observe(world)
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.FINISHED)
    assert await value(metrics, "benchd_jobs_total", recipe="overwrite", outcome="passed") == 1
    assert (
        await value(metrics, "benchd_dispositions_total", disposition="sellable", reason="none")
        == 1
    )
    seconds = await value(
        metrics, "benchd_stage_duration_seconds_sum", stage="overwrite", outcome="passed"
    )
    assert seconds == pytest.approx(20.5)  # four steps of 5 s and five answers of 0.1 s
    written = next(
        stored.entry.data["evidence"]["bytes_written"]  # type: ignore[index,call-overload]
        for stored in world.ledger.of(EntryKind.STAGE_ENDED)
        if stored.entry.data["stage"] == "overwrite"
    )
    assert await value(metrics, "benchd_overwritten_bytes_total", slot="A1") == written
    assert await value(metrics, "benchd_hotplug_to_start_seconds_count") == 1
    # Settling, then opening.
    assert await value(metrics, "benchd_hotplug_to_start_seconds_sum") == pytest.approx(2.05)
    assert await value(metrics, "benchd_metrics_faults_total") == 0
    assert await value(metrics, "benchd_felica_residue_found_total") == 0
    totals = [
        number
        for (name, _), number in (await series_of(metrics)).items()
        if name == "benchd_jobs_total"
    ]
    assert sum(totals) == 1


async def test_nothing_that_a_handset_says_is_told() -> None:
    world = World()
    metrics = observe(world)
    async with world.running():
        phone = Phone(serial=SERIAL, imei=IMEI, android_id="feedfacefeedface")
        world.ports["A1"].plug(phone)
        view = await world.until_state(SlotState.FINISHED)
        assert view.identity is not None
        for accept in ("", "application/openmetrics-text; version=1.0.0"):
            told = await text_of(metrics, accept)
            hidden = (SERIAL, IMEI, "feedface", "SO-51C", "Sony", "Suzuki")
            assert [word for word in hidden if word in told] == []


@pytest.mark.parametrize("at", [Gate.FELICA_CHECK, Gate.FELICA_RECHECK])
async def test_residue_is_counted_once_a_job(at: Gate) -> None:
    world = World(answers={at: False, Gate.FELICA_RECHECK: False})
    metrics = observe(world)
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.FINISHED)
    assert await value(metrics, "benchd_felica_residue_found_total") == 1
    labels = {"disposition": Disposition.DESTROY, "reason": Reason.FELICA_RESIDUE}
    assert await value(metrics, "benchd_dispositions_total", **labels) == 1


@pytest.mark.parametrize(
    ("chip", "found", "reason"),
    [
        (FakeChip(), 0, "none"),
        (FakeChip(looks=IN_USE), 1, "none"),
        (FakeChip(looks=IN_USE, after_clear=None), 1, Reason.FELICA_RESIDUE),
        (FakeChip(once=[UNUSED], looks=IN_USE), 1, Reason.FELICA_RESIDUE),
        (FakeChip(looks=IN_USE, claims=[ClearOutcome.FATAL]), 1, Reason.FELICA_NOT_CLEARABLE),
        (FakeChip(looks=SILENT), 0, Reason.FELICA_RETIRED),
        (FakeChip(looks=scan_of(ChipVerdict.UNREADABLE)), 0, Reason.FELICA_UNREADABLE),
        (FakeChip(looks=scan_of(ChipVerdict.INCONSISTENT)), 0, Reason.FELICA_INCONSISTENT),
    ],
)
async def test_what_a_reader_finds_is_counted_once_a_job(
    chip: FakeChip, found: int, reason: str
) -> None:
    world = World(chips=FakeChipAccess({"A1": copy.deepcopy(chip)}))
    metrics = observe(world)
    at_start = (await series_of(metrics)).keys()
    async with world.running():
        world.ports["A1"].plug(Phone())
        view = await world.until_state(SlotState.FINISHED)
    assert await value(metrics, "benchd_felica_residue_found_total") == found
    labels = {"disposition": str(view.disposition), "reason": str(reason)}
    assert await value(metrics, "benchd_dispositions_total", **labels) == 1
    assert await value(metrics, "benchd_metrics_faults_total") == 0
    assert (await series_of(metrics)).keys() == at_start


async def test_a_stage_that_an_unplug_cuts_short_is_timed_as_aborted() -> None:
    world = World()
    metrics = observe(world)
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until(lambda: world.view().progress is not None)
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
    labels = {"stage": "overwrite", "outcome": "aborted"}
    assert await value(metrics, "benchd_stage_duration_seconds_count", **labels) == 1
    assert await value(metrics, "benchd_jobs_total", recipe="overwrite", outcome="aborted") == 1
    assert await value(metrics, "benchd_overwritten_bytes_total", slot="A1") == 0


@pytest.mark.parametrize(
    ("configured", "counted"), [("overwrite", "overwrite"), ("long_gone", "other")]
)
async def test_a_job_that_a_dead_daemon_left_open_is_counted_as_interrupted(
    configured: str, counted: str
) -> None:
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.RUNNING)
        opened = next(iter(world.ledger.of(EntryKind.JOB_OPENED)))
        # As if the daemon were killed here: nothing of what follows is on record.
        world.ledger.stored = world.ledger.stored[: opened.sequence]
        entry = replace(opened.entry, data={**opened.entry.data, "recipe": configured})
        world.ledger.stored[-1] = replace(opened, entry=entry)
        metrics = new_metrics()
        records = RecordMetrics(metrics, anyio.current_time)
        ledger = AnnouncingLedger(world.ledger, records, metrics.fault)
        assert await close_open_jobs(ledger, world.clock) == 1
    outcome = {"recipe": counted, "outcome": "interrupted"}
    assert await value(metrics, "benchd_jobs_total", **outcome) == 1
    assert await value(metrics, "benchd_metrics_faults_total") == 0


async def test_a_subscriber_that_fails_never_costs_a_job() -> None:
    world = World()
    metrics = observe(world, FailingSubscriber())
    async with world.running():
        world.ports["A1"].plug(Phone())
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.disposition) == (Outcome.PASSED, Disposition.SELLABLE)
    assert await value(metrics, "benchd_metrics_faults_total") == len(world.ledger.stored)


async def test_what_the_ledger_refused_is_not_counted() -> None:
    world = World()
    metrics = observe(world)
    world.ledger.fail_on = lambda entry: entry.kind is EntryKind.JOB_ENDED

    async def work() -> None:
        async with world.running():
            world.ports["A1"].plug(Phone())
            await anyio.sleep_forever()

    with pytest.raises(BaseExceptionGroup):  # no ledger, no wipe: the rack ends
        await work()
    assert not [
        number
        for (name, _), number in (await series_of(metrics)).items()
        if name in ("benchd_jobs_total", "benchd_dispositions_total") and number
    ]


async def test_the_slots_state_is_one_of_all_and_follows_the_board() -> None:
    world = World()
    metrics = observe(world)

    async def states() -> list[str]:
        return [
            dict(labels)["state"]
            for (name, labels), number in (await series_of(metrics)).items()
            if name == "benchd_slot_state" and number == 1
        ]

    assert await states() == ["empty"]
    async with world.running():
        world.ports["A1"].plug(Phone())
        # Only states that last: virtual time runs on while a scrape is written in its thread.
        await world.until_state(SlotState.FINISHED)
        assert await states() == ["finished"]
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
        assert await states() == ["empty"]


async def test_each_helper_is_asked_at_every_scrape_once_the_rack_has_it() -> None:
    metrics, answers = new_metrics("A1"), True
    told = [labels for name, labels in await series_of(metrics) if name == "benchd_helper_up"]
    assert [dict(labels)["helper"] for labels in told] == ["adb_server", "ledger_writer"]
    assert await value(metrics, "benchd_helper_up", helper="ledger_writer") == 0
    metrics.read_from(helpers={"ledger_writer": lambda: True})
    metrics.read_from(helpers={"reader_worker": lambda: answers})
    assert await value(metrics, "benchd_helper_up", helper="ledger_writer") == 1
    assert await value(metrics, "benchd_helper_up", helper="reader_worker") == 1
    answers = False
    assert await value(metrics, "benchd_helper_up", helper="reader_worker") == 0


async def test_server_and_readers_are_asked_at_every_scrape() -> None:
    up = True
    readers: list[SlotName] = []
    metrics = new_metrics("A1", "A2", "A3")
    assert await value(metrics, "benchd_adb_server_up") == 0
    assert not [name for name, _ in await series_of(metrics) if name == "benchd_reader_up"]
    metrics.read_from(
        adb_up=lambda: up,
        readers=[SlotName("A1"), SlotName("A2")],
        readers_up=lambda: readers,
    )
    assert await value(metrics, "benchd_adb_server_up") == 1
    assert await value(metrics, "benchd_reader_up", slot="A2") == 0
    up = False
    readers.append(SlotName("A2"))
    assert await value(metrics, "benchd_adb_server_up") == 0
    assert await value(metrics, "benchd_reader_up", slot="A1") == 0
    assert await value(metrics, "benchd_reader_up", slot="A2") == 1
    # A slot without a reader has none that could be down.
    told = [labels for name, labels in await series_of(metrics) if name == "benchd_reader_up"]
    assert len(told) == 2


async def test_who_waits_for_a_person_is_told_apart_from_what_mends_itself() -> None:
    metrics = new_metrics("A1", "A2", "A3", "A4")
    waits = SlotState.WAITING
    views = [
        shown("A1", waits, ProblemView(code=ProblemCode.LOW_BATTERY)),
        shown("A2", waits, ProblemView(code=ProblemCode.NO_PERMISSION)),
        shown("A3", SlotState.AWAITING_OPERATOR),
    ]
    metrics.read_from(views=lambda: {view.slot: view for view in views})
    needs = [await value(metrics, "benchd_slot_needs_person", slot=f"A{n}") for n in range(1, 5)]
    assert needs == [0, 1, 1, 0]


def shown(slot: str, state: SlotState, problem: ProblemView | None = None) -> SlotView:
    return SlotView(slot=SlotName(slot), port_path=PortPath(slot), state=state, problem=problem)


async def test_jobs_that_have_ended_leave_nothing_behind() -> None:
    world = World()
    records = RecordMetrics(new_metrics(), anyio.current_time)
    observe(world, records)
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.FINISHED)
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
    assert records._jobs == {}
    assert records._plugged == {}


async def test_how_often_people_were_asked_is_counted_for_each_job_as_it_ended() -> None:
    world = World()
    metrics = observe(world)
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.FINISHED)
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
        world.ports["A1"].plug(Phone(accounts=1))
        await world.until_state(SlotState.FINISHED)
    answers = len(world.ledger.of(EntryKind.DECISION))
    assert answers > 2
    for outcome, total in ((Outcome.PASSED, answers), (Outcome.FAILED, 0)):
        assert await value(metrics, "benchd_questions_per_job_sum", outcome=outcome) == total
        assert await value(metrics, "benchd_questions_per_job_count", outcome=outcome) == 1
