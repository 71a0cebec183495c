"""One handset through a whole recipe, in virtual time: that of an erasure, and those of none."""

from __future__ import annotations

from dataclasses import replace

import anyio
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
from benchd.pipelines.recipe import Recipe, StageSpec
from benchd.pipelines.stage_contract import Stage
from benchd.pipelines.stages.assess import AssessStage
from benchd.pipelines.stages.certify import CertifyStage
from benchd.pipelines.stages.felica_check import FelicaCheckStage
from benchd.pipelines.stages.felica_clear import FelicaClearStage
from benchd.pipelines.stages.felica_recheck import FelicaRecheckStage
from benchd.pipelines.stages.gates import ACCEPTABLE, GatesStage
from benchd.pipelines.stages.inspect import InspectStage
from benchd.pipelines.stages.look import LookStage

from .catalogues import catalogue, model, own_erase
from .world import ADB, ANSWER_S, MIB, MTP_ONLY, STAGES, Phone, World, ended, ending

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


async def test_a_fresh_handset_ends_passed_and_sellable() -> None:
    world, phone = World(), Phone()
    async with world.running():
        view = await world.ran(phone)
        assert ending(view) == (Outcome.PASSED, Disposition.SELLABLE, None)
        assert phone.erased_for_real
        assert phone.dropped
        assert view.job in world.issuer.kept
        await world.take_out()
    records = [stored.entry for stored in world.ledger.stored]
    assert records[0].kind is EntryKind.OCCUPANCY_OPENED
    assert records[-1].kind is EntryKind.OCCUPANCY_CLOSED
    # Intent is on record before every stage, and evidence after.
    assert [(r.kind, r.data["stage"]) for r in records if "stage" in r.data] == [
        (kind, stage)
        for stage in STAGES
        for kind in (EntryKind.STAGE_STARTED, EntryKind.STAGE_ENDED)
    ]


NO_AT: dict[Gate, tuple[Reason, Disposition]] = {
    Gate.CONSENT: (Reason.CONSENT_MISSING, Disposition.HOLD),
    Gate.JPKI: (Reason.JPKI_NOT_ATTESTED, Disposition.HOLD),
    Gate.NETWORK: (Reason.NETWORK_RESTRICTED, Disposition.HOLD),
    Gate.FELICA_CLEAR: (Reason.FELICA_NOT_CLEARABLE, Disposition.DESTROY),
    Gate.FELICA_RECHECK: (Reason.FELICA_RESIDUE, Disposition.DESTROY),
    Gate.FINAL_RESET: (Reason.OPERATOR_STOPPED, Disposition.HOLD),
    Gate.OBSERVE: (Reason.FINAL_RESET_NOT_PROVEN, Disposition.HOLD),
    Gate.CONFIRM: (Reason.NOT_CONFIRMED, Disposition.HOLD),
}


@pytest.mark.parametrize("gate", NO_AT)
async def test_a_no_at_a_gate_ends_the_job(gate: Gate) -> None:
    reason, disposition = NO_AT[gate]
    # Nobody is asked for consent, or to clear it, unless the chip is in use.
    in_use = gate in (Gate.CONSENT, Gate.FELICA_CLEAR)
    world = World(answers={gate: False, Gate.FELICA_CHECK: not in_use})
    view = await world.refuses(Phone(), reason)
    assert view.disposition is disposition


async def test_a_chip_in_use_is_cleared_and_checked_again() -> None:
    world = World(answers={Gate.FELICA_CHECK: False})
    await world.sells()
    assert Gate.FELICA_CLEAR in world.asked()


async def test_sixteen_handsets_take_as_long_as_one() -> None:
    async def duration(slots: int) -> float:
        world = World(slots)
        async with world.running():
            began = anyio.current_time()
            for port in world.ports.values():
                port.plug(Phone(serial=f"S-{port.slot}", used_bytes=30 * MIB))
            for slot in world.ports:
                await world.finished(slot)
            taken = anyio.current_time() - began
        assert [end["outcome"] for end in ended(world)] == [Outcome.PASSED] * slots
        return taken

    assert await duration(16) == pytest.approx(await duration(1))


# Recipes that erase nothing: they pass, and never make a handset sellable.


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


def wreck() -> Phone:
    return Phone(
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
    world, phone = World(recipe=ASSESS, answers={Gate.FELICA_CHECK: False}), wreck()
    view = await world.end_of(phone)
    assert ending(view) == (Outcome.PASSED, Disposition.HOLD, Reason.ASSESSED)
    [question] = world.questions(Gate.ASSESS)
    assert question["facts"]["findings"] == (
        "system_modified,managed_device,lock_or_account,removable_media,sim,chip_in_use,jpki"
    )
    assert set(phone.calls) <= {"identity", "inspect"}


async def test_an_assessment_tells_of_a_lock_for_lenders() -> None:
    world = World(recipe=ASSESS, answers={Gate.FELICA_CHECK: True})
    await world.end_of(Phone(lock_admins=("com.samsung.android.kgclient",), jpki_capable=False))
    [question] = world.questions(Gate.ASSESS)
    assert question["facts"]["findings"] == "lock_admin"


@pytest.mark.parametrize("in_use", [True, False])
async def test_an_assessment_tells_how_the_seller_can_erase_the_chip(*, in_use: bool) -> None:
    known = catalogue(model("SO-51C", felica=True, felica_erase=own_erase()))
    world = World(recipe=ASSESS, models=known, answers={Gate.FELICA_CHECK: not in_use})
    await world.end_of(Phone(jpki_capable=False))
    [question] = world.questions(Gate.ASSESS)
    told = question["facts"]
    assert told["findings"] == ("chip_in_use,chip_erasable" if in_use else "")
    assert ("felica_erase_en" in told) is in_use


async def test_a_seller_who_was_not_told_ends_the_assessment() -> None:
    world = World(recipe=ASSESS, answers={Gate.ASSESS: False})
    await world.refuses(Phone(), Reason.OPERATOR_STOPPED)


async def test_a_recheck_needs_no_adb_and_gives_no_certificate() -> None:
    world, phone = World(recipe=RECHECK), Phone()
    view = await world.end_of(phone, MTP_ONLY)
    assert ending(view) == (Outcome.PASSED, Disposition.HOLD, Reason.RECHECKED)
    assert not phone.calls
    assert not world.certified()


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
    world.must_not_pass(await world.end_of(Phone(), interfaces), reason)


async def test_a_handset_taken_out_of_its_recheck_aborts_it() -> None:
    world = World(recipe=RECHECK)
    world.silent_in = StageName.LOOK
    async with world.running():
        world.ports["A1"].plug(Phone(), MTP_ONLY)
        await world.until_stage(StageName.LOOK)
        await world.take_out()
    [end] = ended(world)
    assert (end["outcome"], end["reason"]) == (Outcome.ABORTED, Reason.UNPLUGGED)


async def test_a_recycled_handset_goes_to_the_crusher_whatever_else_is_wrong_with_it() -> None:
    world, phone = World(recipe=RECYCLE, answers={Gate.FELICA_CHECK: False}), wreck()
    view = await world.end_of(phone)
    assert ending(view) == (Outcome.PASSED, Disposition.DESTROY, Reason.RECYCLED)
    assert phone.calls["fill"] == 0


CERTIFY = StageSpec(stage=CertifyStage(), deadline_s=ANSWER_S, attempts=1)
FORGED = {
    "a certificate after an assessment": replace(ASSESS, stages=(*ASSESS.stages, CERTIFY)),
    "a certificate after recycling": replace(RECYCLE, stages=(*RECYCLE.stages, CERTIFY)),
    "a stage that needs adb without": recipe(Reason.RECHECKED, INSPECT, needs_access=False),
}


@pytest.mark.parametrize("case", FORGED)
async def test_what_such_a_recipe_cannot_have_is_refused(case: str) -> None:
    await World(recipe=FORGED[case]).refuses(Phone(), Reason.PROOF_INCOMPLETE)
