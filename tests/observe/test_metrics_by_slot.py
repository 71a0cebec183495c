"""Whole jobs on a fake rack in virtual time: what is told of slots, people and models."""

from __future__ import annotations

import anyio
import pytest
from metrics_rig import at_once, observe, text_of, value
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from benchd.devices.android.adb import AdbServerLost
from benchd.domain.errors import HandsetStalled
from benchd.domain.job import StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.domain.slot_states import SlotState
from benchd.pipelines.stages.overwrite import OverwriteStage
from tests.core.catalogues import model
from tests.core.world import MIB, Phone, World, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

NOTICE = ProblemView(code=ProblemCode.PRINTER_FAULT)
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


async def test_the_end_of_a_job_is_counted_in_its_slot() -> None:
    world = World(2)
    metrics = observe(world)
    async with world.running():
        world.ports["A2"].plug(Phone())
        await world.until_state(SlotState.FINISHED, "A2")
    ended = "benchd_slot_jobs_total"
    assert await value(metrics, ended, slot="A2", outcome="passed") == 1
    assert await value(metrics, ended, slot="A1", outcome="passed") == 0
    assert await value(metrics, "benchd_slot_stage_attempts_total", slot="A2") > 5
    # A reset brings the handset back as a new device.
    came_back = len(world.ledger.of(EntryKind.ATTACHMENT_CHANGED))
    assert came_back > 0
    assert await value(metrics, "benchd_slot_reenumerations_total", slot="A2") == came_back


async def test_an_exemplar_leads_from_a_count_to_the_job_and_only_in_open_metrics() -> None:
    world = World()
    metrics = observe(world)
    async with world.running():
        world.ports["A1"].plug(Phone())
        job = str((await world.until_state(SlotState.FINISHED)).job)
    assert job not in await text_of(metrics)
    families = text_string_to_metric_families(await text_of(metrics, OPEN_METRICS))
    led = {
        family.name
        for family in families
        for sample in family.samples
        if sample.exemplar is not None and sample.exemplar.labels == {"job": job}
    }
    assert led == {"benchd_jobs", "benchd_slot_jobs", "benchd_stage_duration_seconds"}


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


async def test_how_much_is_written_and_how_fast_is_told_while_it_is() -> None:
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
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_state(SlotState.FINISHED)
    size = await value(metrics, "benchd_model_overwritten_bytes_total", model=label)
    assert size == await value(metrics, "benchd_overwritten_bytes_total", slot="A1")
    assert await value(metrics, "benchd_model_overwrite_seconds_total", model=label) > 0
    assert await value(metrics, "benchd_model_jobs_total", model=label, outcome="passed") == 1
    assert "SO-51C" not in await text_of(metrics)
