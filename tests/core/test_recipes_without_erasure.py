"""Recipes that erase nothing: they pass, and never make a handset sellable."""

from __future__ import annotations

import pytest

from benchd.domain.job import (
    DISPOSITION_OF,
    ENDS_WITHOUT_ERASURE,
    Disposition,
    Gate,
    Outcome,
    Reason,
    StageName,
)
from benchd.domain.record import EntryKind
from benchd.pipelines.contract import Stage
from benchd.pipelines.recipe import Recipe, StageSpec
from benchd.pipelines.stages.assess import AssessStage
from benchd.pipelines.stages.certify import CertifyStage
from benchd.pipelines.stages.felica_check import FelicaCheckStage
from benchd.pipelines.stages.felica_clear import FelicaClearStage
from benchd.pipelines.stages.felica_recheck import FelicaRecheckStage
from benchd.pipelines.stages.gates import ACCEPTABLE, GatesStage
from benchd.pipelines.stages.inspect import InspectStage
from benchd.pipelines.stages.look import LookStage

from .world import ADB, ANSWER_S, MTP_ONLY, Phone, World, ended

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


def recipe(ends_as: Reason, *stages: Stage, needs_access: bool = True) -> Recipe:
    return Recipe(
        name="trial",
        digest="0" * 64,
        ends_as=ends_as,
        needs_access=needs_access,
        stages=tuple(StageSpec(stage=stage, deadline_s=ANSWER_S, attempts=3) for stage in stages),
    )


INSPECT = InspectStage()
CHECK = FelicaCheckStage()
RECHECK_CHIP = FelicaRecheckStage()
ASSESS = recipe(Reason.ASSESSED, INSPECT, CHECK, AssessStage())
RECHECK = recipe(Reason.RECHECKED, RECHECK_CHIP, LookStage(), needs_access=False)
RECYCLE = recipe(
    Reason.RECYCLED,
    INSPECT,
    GatesStage(minimum_battery_percent=0, attest=(Gate.CONSENT,), accept=ACCEPTABLE),
    CHECK,
    FelicaClearStage(),
    RECHECK_CHIP,
)

WRECK = Phone(
    accounts=2,
    screen_lock=True,
    device_owner=True,
    removable_media=True,
    sim=True,
    signs=("su at /sbin/su",),
    battery_percent=3,
)


async def test_no_end_without_an_erasure_is_sellable() -> None:
    assert {DISPOSITION_OF[reason] for reason in ENDS_WITHOUT_ERASURE} == {
        Disposition.HOLD,
        Disposition.DESTROY,
    }
    assert Disposition.SELLABLE not in DISPOSITION_OF.values()


async def test_an_assessment_tells_everything_at_once_and_changes_nothing() -> None:
    world = World(recipe=ASSESS, answers={Gate.FELICA_CHECK: False})
    view = await world.end_of(WRECK)
    assert (view.outcome, view.disposition, view.reason) == (
        Outcome.PASSED,
        Disposition.HOLD,
        Reason.ASSESSED,
    )
    [question] = [
        s.entry.data["facts"]
        for s in world.ledger.of(EntryKind.QUESTION_ASKED)
        if s.entry.data["gate"] == Gate.ASSESS
    ]
    assert isinstance(question, dict)
    assert question["findings"] == (
        "system_modified,managed_device,lock_or_account,removable_media,sim,chip_in_use,jpki"
    )
    assert set(WRECK.calls) <= {"identity", "inspect"}


async def test_a_seller_who_was_not_told_ends_the_assessment() -> None:
    await World(recipe=ASSESS, answers={Gate.ASSESS: False}).refuses(
        Phone(), Reason.OPERATOR_STOPPED
    )


async def test_a_recheck_needs_no_adb_and_gives_no_certificate() -> None:
    world = World(recipe=RECHECK)
    phone = Phone()
    async with world.running():
        view = await world.ran(phone, "A1", MTP_ONLY)
    assert (view.outcome, view.disposition, view.reason) == (
        Outcome.PASSED,
        Disposition.HOLD,
        Reason.RECHECKED,
    )
    assert not phone.calls
    assert not world.issuer.kept
    [end] = ended(world)
    assert end["certificate"] is None


@pytest.mark.parametrize(
    ("interfaces", "answers", "reason"),
    [
        (ADB, {}, Reason.NOT_AS_RESET),
        (MTP_ONLY, {Gate.LOOK: False}, Reason.NOT_AS_RESET),
        (MTP_ONLY, {Gate.FELICA_RECHECK: False}, Reason.FELICA_RESIDUE),
    ],
)
async def test_a_recheck_that_finds_something_does_not_pass(
    interfaces: frozenset[str], answers: dict[Gate, bool], reason: Reason
) -> None:
    world = World(recipe=RECHECK, answers=answers)
    async with world.running():
        view = await world.ran(Phone(), "A1", interfaces)
    assert (view.outcome, view.reason) == (Outcome.FAILED, reason)


async def test_a_handset_taken_out_of_its_recheck_aborts_it() -> None:
    world = World(recipe=RECHECK)
    world.silent_in = StageName.LOOK
    async with world.running():
        world.ports["A1"].plug(Phone(), MTP_ONLY)
        await world.until_stage(StageName.LOOK)
        await world.take_out()
    [end] = ended(world)
    assert (end["outcome"], end["reason"]) == (Outcome.ABORTED, Reason.UNPLUGGED)


async def test_a_stage_that_needs_adb_fails_where_there_is_none() -> None:
    await World(recipe=recipe(Reason.RECHECKED, INSPECT, needs_access=False)).refuses(
        Phone(), Reason.PROOF_INCOMPLETE
    )


async def test_a_recycled_handset_goes_to_the_crusher_whatever_else_is_wrong_with_it() -> None:
    view = await World(recipe=RECYCLE, answers={Gate.FELICA_CHECK: False}).end_of(WRECK)
    assert (view.outcome, view.disposition, view.reason) == (
        Outcome.PASSED,
        Disposition.DESTROY,
        Reason.RECYCLED,
    )
    assert WRECK.calls["fill"] == 0


@pytest.mark.parametrize("without", [ASSESS, RECYCLE])
async def test_a_certificate_after_them_is_refused(without: Recipe) -> None:
    certify = StageSpec(stage=CertifyStage(), deadline_s=ANSWER_S, attempts=1)
    forged = Recipe(
        name="forged",
        digest="0" * 64,
        ends_as=without.ends_as,
        stages=(*without.stages, certify),
    )
    await World(recipe=forged).refuses(Phone(), Reason.PROOF_INCOMPLETE)
