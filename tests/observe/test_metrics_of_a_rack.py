"""Whole jobs on a fake rack in virtual time: what Prometheus is told of them."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import replace

import anyio
import pytest
from metrics_rig import (
    FailingSubscriber,
    at_once,
    finished,
    new_metrics,
    observe,
    series_of,
    text_of,
    value,
)
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics_families,
)

from benchd.devices.android.adb import AdbServerLost
from benchd.domain.chip import ChipVerdict
from benchd.domain.clear_provider import ClearOutcome
from benchd.domain.errors import HandsetStalled
from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import ProblemCode, ProblemView, SlotView
from benchd.domain.slot_states import SlotState
from benchd.observe.announcing_ledger import AnnouncingLedger
from benchd.observe.metrics import RackMetrics
from benchd.observe.model_metrics import MODELS_TOLD
from benchd.observe.record_metrics import AskedTime, RecordMetrics
from benchd.pipelines.recovery import close_open_jobs
from benchd.pipelines.stages.overwrite import OverwriteStage
from tests.core.catalogues import model
from tests.core.fake_chips import IN_USE, SILENT, UNUSED, FakeChip, FakeChipAccess, scan_of
from tests.core.rechecks import RecheckRack
from tests.core.world import MIB, MTP_ONLY, Phone, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


IMEI = "356938035643809"


SERIAL = "R5CT10ABCDE"


async def test_no_series_appears_or_disappears_over_whole_jobs() -> None:
    world = World(2)
    metrics = observe(world)
    records = RecordMetrics(new_metrics(), anyio.current_time)
    observe(world, records)
    at_start = (await series_of(metrics)).keys()
    async with world.running():
        world.ports["A1"].plug(Phone(used_bytes=30 * MIB))
        world.ports["A2"].plug(Phone(serial="R5CT10ABCDF", accounts=1))
        for state in (SlotState.RUNNING, SlotState.REPLUGGING, SlotState.FINISHED):
            await world.until_state(state)
            assert (await series_of(metrics)).keys() == at_start
        await world.until_state(SlotState.FINISHED, "A2")
        for name in ("A1", "A2"):
            world.ports[name].unplug()
            await world.until_state(SlotState.EMPTY, name)
    assert (await series_of(metrics)).keys() == at_start
    # Jobs that have ended leave nothing behind.
    assert records._jobs == {}
    assert records._plugged == {}


async def test_time_between_jobs_is_that_of_people_unless_they_had_a_break() -> None:
    world = World(1)
    metrics = observe(world)

    async def changed_after(seconds: float) -> float:
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
        await anyio.sleep(seconds)
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.FINISHED)
        return await value(metrics, "benchd_between_jobs_seconds_total", step="changing")

    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.FINISHED)
        plugging = await value(metrics, "benchd_between_jobs_seconds_total", step="plugging")
        assert plugging == pytest.approx(2.05)
        assert await value(metrics, "benchd_between_jobs_seconds_total", step="changing") == 0
        counted = await changed_after(240)
        assert counted == pytest.approx(240, abs=10)
        assert await changed_after(31 * 60) == counted


async def test_a_handset_that_passes_is_counted_once_and_its_stages_are_timed() -> None:
    world = World(2)
    metrics = observe(world)
    view = await finished(world, Phone(serial=SERIAL, imei=IMEI, android_id="feedfacefeedface"))
    job = str(view.job)
    series = await series_of(metrics)

    def told(name: str, **labels: str) -> float:
        return series[f"benchd_{name}", frozenset(labels.items())]

    assert told("jobs_total", recipe="overwrite", outcome="passed") == 1
    assert told("dispositions_total", disposition="sellable", reason="none") == 1
    seconds = told("stage_duration_seconds_sum", stage="overwrite", outcome="passed")
    assert seconds == pytest.approx(20.5)  # four steps of 5 s and five answers of 0.1 s
    written = next(
        stored.entry.data["evidence"]["bytes_written"]  # type: ignore[index,call-overload]
        for stored in world.ledger.of(EntryKind.STAGE_ENDED)
        if stored.entry.data["stage"] == "overwrite"
    )
    assert told("overwritten_bytes_total", slot="A1") == written
    assert told("hotplug_to_start_seconds_count") == 1
    # Settling, then opening.
    assert told("hotplug_to_start_seconds_sum") == pytest.approx(2.05)
    assert told("metrics_faults_total") == 0
    assert told("felica_residue_found_total") == 0
    assert sum(number for (name, _), number in series.items() if name == "benchd_jobs_total") == 1
    assert told("slot_jobs_total", slot="A1", outcome="passed") == 1
    assert told("slot_jobs_total", slot="A2", outcome="passed") == 0
    assert told("slot_stage_attempts_total", slot="A1") > 5
    # A reset brings the handset back as a new device.
    came_back = len(world.ledger.of(EntryKind.ATTACHMENT_CHANGED))
    assert came_back > 0
    assert told("slot_reenumerations_total", slot="A1") == came_back
    # An exemplar leads from a count to the job, in OpenMetrics only; nothing else names anything.
    assert view.identity is not None
    hidden = (SERIAL, IMEI, "feedface", "SO-51C", "Sony", "Suzuki")
    text, open_text = await text_of(metrics), await text_of(metrics, OPEN_METRICS)
    assert [word for word in hidden if word in text + open_text] == []
    assert job not in text
    led = {
        family.name
        for family in open_metrics_families(open_text)
        for sample in family.samples
        if sample.exemplar is not None and sample.exemplar.labels == {"job": job}
    }
    assert led == {"benchd_jobs", "benchd_slot_jobs", "benchd_stage_duration_seconds"}


@pytest.mark.parametrize("at", [Gate.FELICA_CHECK, Gate.FELICA_RECHECK])
async def test_residue_is_counted_once_a_job(at: Gate) -> None:
    world = World(answers={at: False, Gate.FELICA_RECHECK: False})
    metrics = observe(world)
    await finished(world)
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
    view = await finished(world)
    assert await value(metrics, "benchd_felica_residue_found_total") == found
    labels = {"disposition": str(view.disposition), "reason": str(reason)}
    assert await value(metrics, "benchd_dispositions_total", **labels) == 1
    assert await value(metrics, "benchd_metrics_faults_total") == 0
    assert (await series_of(metrics)).keys() == at_start


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
    view = await finished(world)
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


async def test_helpers_server_and_readers_are_asked_at_every_scrape() -> None:
    up = True
    readers: list[SlotName] = []
    metrics = new_metrics("A1", "A2", "A3")

    async def of(name: str) -> list[str]:
        told = [labels for found, labels in await series_of(metrics) if found == name]
        return [value for labels in told for value in dict(labels).values()]

    assert await of("benchd_helper_up") == ["adb_server", "ledger_writer"]
    assert await of("benchd_reader_up") == []
    assert await value(metrics, "benchd_helper_up", helper="ledger_writer") == 0
    assert await value(metrics, "benchd_adb_server_up") == 0
    metrics.read_from(helpers={"ledger_writer": lambda: True})
    metrics.read_from(helpers={"reader_worker": lambda: up})
    metrics.read_from(
        adb_up=lambda: up,
        readers=[SlotName("A1"), SlotName("A2")],
        readers_up=lambda: readers,
    )
    assert await value(metrics, "benchd_helper_up", helper="ledger_writer") == 1
    assert await value(metrics, "benchd_helper_up", helper="reader_worker") == 1
    assert await value(metrics, "benchd_adb_server_up") == 1
    assert await value(metrics, "benchd_reader_up", slot="A2") == 0
    up = False
    readers.append(SlotName("A2"))
    assert await value(metrics, "benchd_helper_up", helper="reader_worker") == 0
    assert await value(metrics, "benchd_adb_server_up") == 0
    assert await value(metrics, "benchd_reader_up", slot="A1") == 0
    assert await value(metrics, "benchd_reader_up", slot="A2") == 1
    # A slot without a reader has none that could be down.
    assert await of("benchd_reader_up") == ["A1", "A2"]


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


async def test_state_and_questions_of_one_handset_after_the_other_follow_the_board() -> None:
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
        # Only states that last: virtual time runs on while a scrape is written in its thread.
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.FINISHED)
        assert await states() == ["finished"]
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
        assert await states() == ["empty"]
        world.ports["A1"].plug(Phone(accounts=1))
        await world.until_state(SlotState.FINISHED)
    # People were asked so often for each job as it ended.
    answers = len(world.ledger.of(EntryKind.DECISION))
    assert answers > 2
    for outcome, total in ((Outcome.PASSED, answers), (Outcome.FAILED, 0)):
        assert await value(metrics, "benchd_questions_per_job_sum", outcome=outcome) == total
        assert await value(metrics, "benchd_questions_per_job_count", outcome=outcome) == 1


NOTICE = ProblemView(code=ProblemCode.PRINTER_FAULT)


OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


async def test_time_that_people_take_is_told_apart_from_that_of_machines() -> None:
    world = World()
    metrics = observe(world)
    world.silent_in = StageName.CONFIRM
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until(lambda: world.view().stage is StageName.CONFIRM)
        await world.until_state(SlotState.AWAITING_OPERATOR)
        asked_at = anyio.current_time()
        await anyio.sleep(600)
        assert at_once(metrics, "benchd_questions_open", gate="confirm") == 1
        world.silent_in = None
        world.board.show_notice(NOTICE)  # so that they look again
        await world.until_state(SlotState.FINISHED)
        waited_s = anyio.current_time() - asked_at
    spent = "benchd_stage_time_seconds_total"
    people_s = await value(metrics, spent, stage="confirm", spent="people")
    assert 600 <= people_s <= waited_s
    assert await value(metrics, spent, stage="confirm", spent="machine") < 1
    assert await value(metrics, spent, stage="overwrite", spent="people") == 0
    assert await value(metrics, spent, stage="overwrite", spent="machine") == pytest.approx(20.5)
    assert await value(metrics, "benchd_answer_seconds_sum", gate="confirm") == people_s
    assert await value(metrics, "benchd_questions_open", gate="confirm") == 0


async def test_the_oldest_open_question_is_told_by_when_it_was_asked() -> None:
    world = World(2)
    metrics = observe(world)
    oldest = "benchd_question_oldest_timestamp_seconds"
    assert at_once(metrics, oldest) == 0
    world.silent_in = StageName.GATES
    async with world.running():
        world.ports["A1"].plug(Phone())
        first = await world.until_state(SlotState.AWAITING_OPERATOR, "A1")
        world.ports["A2"].plug(Phone(serial="R5CT10ABCDF", imei="356938035643817"))
        await world.until_state(SlotState.AWAITING_OPERATOR, "A2")
        assert first.since is not None
        assert at_once(metrics, oldest) == first.since.timestamp()


async def test_where_a_finished_handset_goes_is_told_while_it_is_in_its_slot() -> None:
    world = World()
    metrics = observe(world)
    name = "benchd_slot_disposition"

    def shown() -> list[str]:
        return [
            one for one in Disposition if at_once(metrics, name, slot="A1", disposition=one) == 1
        ]

    assert shown() == []
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.RUNNING)
        assert shown() == []
        await world.until_state(SlotState.FINISHED)
        assert shown() == [Disposition.SELLABLE]
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
        assert shown() == []


async def test_before_the_first_look_a_reader_neither_answers_nor_is_silent() -> None:
    metrics, seen = new_metrics("A1"), list[list[SlotName] | None]([None])
    metrics.read_from(readers=[SlotName("A1")], readers_up=lambda: seen[-1])
    assert math.isnan(await value(metrics, "benchd_reader_up", slot="A1"))
    seen.append([])
    assert await value(metrics, "benchd_reader_up", slot="A1") == 0
    seen.append([SlotName("A1")])
    assert await value(metrics, "benchd_reader_up", slot="A1") == 1


async def test_how_much_is_written_and_how_fast_is_told_until_an_unplug_cuts_it_short() -> None:
    world = World()
    metrics = observe(world)
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until(lambda: (world.view().progress or 0) >= 0.4)
        done = at_once(metrics, "benchd_slot_transfer_bytes", slot="A1")
        rate = at_once(metrics, "benchd_slot_transfer_bytes_per_second", slot="A1")
        transfer = world.view().transfer
        assert transfer is not None
        assert (done, rate) == (transfer.bytes_done, transfer.bytes_per_s)
        assert rate == pytest.approx(done / 2 / 5)  # the fake's clock: a quarter in five seconds
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
    assert await value(metrics, "benchd_slot_transfer_bytes", slot="A1") == 0
    # The stage that this unplug has cut short is timed as aborted.
    labels = {"stage": "overwrite", "outcome": "aborted"}
    assert await value(metrics, "benchd_stage_duration_seconds_count", **labels) == 1
    assert await value(metrics, "benchd_jobs_total", recipe="overwrite", outcome="aborted") == 1
    assert await value(metrics, "benchd_overwritten_bytes_total", slot="A1") == 0


async def test_lost_servers_stalls_and_resumes_are_counted_in_their_slot() -> None:
    world = World(2, recipe=make_recipe(overwrite=OverwriteStage(file_bytes=32 * MIB)))
    metrics = observe(world)
    phone = Phone()
    lost = iter([AdbServerLost("down")])

    async def lose(_: Phone) -> None:
        if phone.calls["fill_step"] == 2 and (fault := next(lost, None)):
            raise fault

    async def stall(_: Phone) -> None:
        raise HandsetStalled("silent")

    phone.faults["fill_step"] = lose
    async with world.running():
        world.ports["A1"].plug(phone)
        stalls = Phone(serial="R5CT10ABCDF", imei="356938035643817", faults={"fill": stall})
        world.ports["A2"].plug(stalls)
        await world.until_state(SlotState.FINISHED, "A1")
        await world.until_state(SlotState.FINISHED, "A2")
    faults = "benchd_slot_stage_faults_total"
    for slot, lost_servers, resumes, stalled in (("A1", 1, 1, 0), ("A2", 0, 0, 1)):
        assert await value(metrics, faults, slot=slot, fault="adb_server_lost") == lost_servers
        assert await value(metrics, "benchd_slot_overwrite_resumes_total", slot=slot) == resumes
        assert await value(metrics, "benchd_slot_stalls_total", slot=slot) == stalled


@pytest.mark.parametrize(("code", "label"), [("SO-51C", "Xperia 1 IV"), ("SO-52C", "unknown")])
async def test_how_fast_a_model_is_written_is_told_by_the_name_of_the_catalogue(
    code: str, label: str
) -> None:
    world = World()
    metrics = observe(world)
    metrics.models.catalogue = ModelCatalogue.of_entries(models=[model(code, name="Xperia 1 IV")])
    await finished(world)
    size = await value(metrics, "benchd_model_overwritten_bytes_total", model=label)
    assert size == await value(metrics, "benchd_overwritten_bytes_total", slot="A1")
    # What a run wrote by itself, and how long that took, tell how fast the slot is.
    assert await value(metrics, "benchd_slot_overwrite_new_bytes_total", slot="A1") == size
    assert await value(metrics, "benchd_slot_overwrite_seconds_total", slot="A1") > 0
    assert await value(metrics, "benchd_model_overwrite_seconds_total", model=label) > 0
    assert await value(metrics, "benchd_model_jobs_total", model=label, outcome="passed") == 1
    assert "SO-51C" not in await text_of(metrics)


async def found(metrics: RackMetrics) -> tuple[float, float]:
    nothing, something = [
        await value(metrics, "benchd_drawn_rechecks_total", outcome=outcome)
        for outcome in (Outcome.PASSED, Outcome.FAILED)
    ]
    return nothing, something


@pytest.mark.parametrize(("answer", "after"), [(True, (1, 0)), (False, (0, 1))])
async def test_a_recheck_that_finds_nothing_has_passed_and_one_answered_with_no_has_failed(
    answer: bool, after: tuple[int, int]
) -> None:
    rack, phone = RecheckRack(), Phone()
    metrics = observe(rack.world)
    async with rack.world.running():
        await rack.erased(phone)
        assert await found(metrics) == (0, 0)
        rack.world.answers[Gate.RECHECK] = answer
        await rack.rechecked(phone)
    assert await found(metrics) == after


@pytest.mark.parametrize("stage", [StageName.FIND_DRAWN, StageName.RECHECK])
async def test_a_recheck_that_is_left_open_counts_once_it_is_made_again(stage: StageName) -> None:
    rack, phone = RecheckRack(), Phone()
    metrics = observe(rack.world)
    async with rack.world.running():
        await rack.erased(phone)
        rack.world.silent_in = stage
        rack.world.ports["A2"].plug(phone, MTP_ONLY)
        await rack.world.until(lambda: asks_in(rack, stage))
        rack.world.ports["A2"].unplug()
        await rack.world.until_state(SlotState.EMPTY, "A2")
        assert await found(metrics) == (0, 0)
        rack.world.silent_in = None
        await rack.rechecked(phone)
    assert await found(metrics) == (1, 0)


def asks_in(rack: RecheckRack, stage: StageName) -> bool:
    view = rack.world.board.views().get(SlotName("A2"))
    return view is not None and (view.stage, view.state) == (stage, SlotState.AWAITING_OPERATOR)


JOBS, MODELS = 10_000, 200


EVERY = ModelCatalogue.of_entries(models=[model(f"C-{n}", name=f"M-{n}") for n in range(MODELS)])


TOLD = (EntryKind.JOB_OPENED, EntryKind.STAGE_ENDED, EntryKind.JOB_ENDED)


async def one_job() -> list[Entry]:
    """The records of a job that passed: its opening, its inspection and its end."""
    world = World()
    await finished(world)
    kept = [stored.entry for stored in world.ledger.stored if stored.entry.kind in TOLD]
    return [e for e in kept if e.kind is not EntryKind.STAGE_ENDED or e.data["stage"] == "inspect"]


def as_job(entries: list[Entry], number: int, code: str) -> Iterator[Entry]:
    for entry in entries:
        data = dict(entry.data)
        if "evidence" in data:
            data["evidence"] = {**dict(data["evidence"]), "model": code}  # type: ignore[arg-type, dict-item]
        yield replace(entry, job=JobId(f"20261124-{number:010x}"), data=data)


async def test_the_number_of_series_is_bounded_whatever_comes() -> None:
    metrics = new_metrics()
    metrics.models.catalogue = EVERY
    records = RecordMetrics(metrics, lambda: 0.0)
    before = len(await series_of(metrics))
    job = await one_job()
    after_first: int | None = None
    for number in range(JOBS):
        # Every tenth is of a model that nobody knows, each time another.
        code = f"X-{number}" if number % 10 == 9 else f"C-{number % MODELS}"
        for entry in as_job(job, number, code):
            records.stored(entry)
        if number == MODELS:
            after_first = len(await series_of(metrics))
    after = await series_of(metrics)
    assert len(after) == after_first == before + 4 * MODELS_TOLD
    passed = {
        dict(labels)["model"]: count
        for (name, labels), count in after.items()
        if name == "benchd_model_jobs_total" and dict(labels)["outcome"] == "passed"
    }
    assert sum(passed.values()) == JOBS
    assert passed["unknown"] == JOBS / 10
    assert passed["other"] > 0
    assert "benchd_metrics_faults_total" in {name for name, _ in after}
    assert not [labels for _, labels in after if {"model", "slot"} <= dict(labels).keys()]


async def test_two_questions_at_once_take_their_time_only_once() -> None:
    asked = AskedTime()
    asked.begin(Gate.CONSENT, 10)
    asked.begin(Gate.JPKI, 20)
    assert asked.end(Gate.CONSENT, 40) == 30
    assert asked.end(Gate.JPKI, 50) == 30
    asked.begin(Gate.NETWORK, 70)
    assert asked.end(Gate.NETWORK, 75) == 5
    assert asked.close(100) == 45


async def test_a_question_that_nobody_answers_counts_until_its_attempt_ends() -> None:
    asked = AskedTime()
    asked.begin(Gate.GUIDED_RESET, 10)
    assert asked.close(60) == 50
    assert asked.close(90) == 0
    assert asked.end(Gate.GUIDED_RESET, 95) is None
