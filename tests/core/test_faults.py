"""Every fault at every call: none of them may end as passed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest

from benchd.devices.android.adb import AdbServerLost
from benchd.devices.android.fill.fill_run import ProgramBusy
from benchd.domain.errors import (
    AnswerNotRecognised,
    HandsetFault,
    HandsetGone,
    HandsetStalled,
    LedgerFault,
    NotFound,
    StorageFault,
    TransientFault,
    UnsupportedHandset,
)
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import OF_INTAKE, EntryKind
from benchd.domain.slot_states import SlotState
from benchd.pipelines.contract import JobContext, StageResult
from benchd.pipelines.runner import LOSSES_ALLOWED
from benchd.pipelines.stages.final_reset import FinalResetStage
from benchd.pipelines.stages.initialise import InitialiseStage
from benchd.pipelines.stages.inspect import InspectStage
from tests.people.somebody import somebody

from .world import ADB, FRESH, MIB, STAGES, Phone, World, ended, make_recipe, phone_like

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

CALLS = [
    "inspect",
    "reset_facts",
    "enable_test_harness",
    "fill",
    "fill_step",
    "check",
    "sample",
    "drop",
]

Fault = Callable[[Phone], Awaitable[None]]


def raising(make: Callable[[], Exception], times: int = 10**6) -> Fault:
    left = times

    async def fault(_phone: Phone) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise make()

    return fault


async def hang(_phone: Phone) -> None:
    await anyio.sleep_forever()


LASTING = {
    "storage": (lambda: StorageFault("lost"), Reason.STORAGE_FAULT),
    "stalled": (lambda: HandsetStalled("silent"), Reason.HANDSET_STALLED),
    "not recognised": (lambda: AnswerNotRecognised("?"), Reason.ANSWER_NOT_RECOGNISED),
    "unsupported": (lambda: UnsupportedHandset("?"), Reason.UNSUPPORTED_MODEL),
    "gone": (lambda: HandsetGone("?"), Reason.HANDSET_LOST),
    "transient": (lambda: TransientFault("?"), Reason.ATTEMPTS_EXHAUSTED),
    "server": (lambda: AdbServerLost("?"), Reason.ATTEMPTS_EXHAUSTED),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", LASTING)
async def test_a_lasting_fault_fails_the_job_and_says_why(call: str, kind: str) -> None:
    make, reason_of_kind = LASTING[kind]
    reason: Reason | None = reason_of_kind
    if (call, kind) == ("enable_test_harness", "unsupported"):
        # A person resets it instead, which this test's operators do.
        reason = None
    if call == "enable_test_harness" and kind in ("gone", "server"):
        # The command may die with the reboot that it asked for; here nothing was reset, so it
        # is asked again, and not for ever.
        reason = Reason.ATTEMPTS_EXHAUSTED
    world = World()
    async with world.running():
        phone = Phone(used_bytes=30 * MIB, faults={call: raising(make)})
        world.ports["A1"].plug(phone)
        view = await world.until_state(SlotState.FINISHED)
        assert view.reason is reason
        assert view.outcome is (Outcome.FAILED if reason else Outcome.PASSED)
        assert (view.disposition is Disposition.SELLABLE) is (reason is None)
    assert len(world.issuer.kept) == (reason is None)


@pytest.mark.parametrize("call", CALLS)
async def test_a_call_that_never_returns_meets_its_deadline(call: str) -> None:
    world = World()
    async with world.running():
        phone = Phone(used_bytes=30 * MIB, faults={call: hang})
        world.ports["A1"].plug(phone)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.STAGE_DEADLINE)


@pytest.mark.parametrize("call", CALLS)
async def test_a_broken_slot_is_quarantined_and_its_neighbour_goes_on(call: str) -> None:
    world = World(2)
    async with world.running():
        phone = Phone(used_bytes=30 * MIB, faults={call: raising(lambda: KeyError("bug"))})
        world.ports["A1"].plug(phone)
        world.ports["A2"].plug(Phone(used_bytes=30 * MIB))
        broken = await world.until_state(SlotState.QUARANTINED)
        assert (broken.outcome, broken.reason) == (Outcome.FAILED, Reason.INTERNAL_ERROR)
        neighbour = await world.until_state(SlotState.FINISHED, "A2")
        assert neighbour.outcome is Outcome.PASSED
        # The way out that an operator can take: unplug, plug the next one.
        world.ports["A1"].unplug()
        await world.until_state(SlotState.EMPTY)
        world.ports["A1"].plug(Phone())
        view = await world.until_state(SlotState.FINISHED)
        assert view.outcome is Outcome.PASSED


PASSING = [
    (call, kind) for call in [*CALLS, "identity"] for kind in ("gone", "transient", "server")
]


@pytest.mark.parametrize(("call", "kind"), PASSING)
async def test_a_passing_fault_costs_an_attempt_and_no_more(call: str, kind: str) -> None:
    make, _ = LASTING[kind]
    world = World()
    async with world.running():
        faults = {call: raising(make, times=1)}
        world.ports["A1"].plug(Phone(used_bytes=30 * MIB, faults=faults))
        view = await world.until_state(SlotState.FINISHED)
        assert view.outcome is Outcome.PASSED


@pytest.mark.parametrize("stage", [s for s in STAGES if s is not StageName.CERTIFY])
async def test_an_unplug_in_any_stage_aborts_the_job_and_the_next_plug_is_a_new_one(
    stage: StageName,
) -> None:
    world = World(answers={Gate.FELICA_CHECK: False})
    port = world.ports["A1"]
    async with world.running():
        phone = Phone(used_bytes=30 * MIB)
        world.silent_in = stage
        port.plug(phone)
        await world.until(lambda: world.view().stage is stage)
        if stage is StageName.FINAL_RESET:
            # What is read before its question is no part of the planned absence.
            await world.until(lambda: world.view().question is not None)
        await anyio.sleep(0.01)
        port.unplug()
        if stage is not StageName.FINAL_RESET:
            await world.until_state(SlotState.EMPTY)
        else:
            # There an absence is planned: it ends when its time is over.
            world.does_final_reset = False
            world.silent_in = None
            world.board.show_unknown_port(port.port_path, attached=True)
            view = await world.until_state(SlotState.FINISHED)
            assert view.reason is Reason.HANDSET_NOT_RETURNED
        first = ended(world)[0]
        assert first["outcome"] in (Outcome.ABORTED, Outcome.FAILED)
        assert first["disposition"] == Disposition.HOLD
        assert not world.issuer.kept
        world.silent_in = None
        world.does_final_reset = True
        port.plug(phone_like(phone))
        await world.until_state(SlotState.RUNNING)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 2)


OF_A_GOOD_JOB = [
    kind
    for kind in EntryKind
    if kind
    not in (
        EntryKind.DAEMON_STARTED,
        EntryKind.CONFIG_CHANGED,
        EntryKind.HANDSET_SETTLED,
        EntryKind.RECHECK_DRAWN,
        EntryKind.CLOCK_STEPPED,
        EntryKind.SLOT_QUARANTINED,
        EntryKind.LEDGER_CHECKED,
        EntryKind.LEDGER_ANCHORED,
        EntryKind.LEDGER_RESTORED,
        EntryKind.PERSON_CHANGED,
        EntryKind.PERSON_REFUSED,
        EntryKind.KEY_ROTATED,
        EntryKind.HOOK_BEGUN,
        EntryKind.HOOK_ANSWERED,
        EntryKind.TOKEN_CHANGED,
        *OF_INTAKE,
    )
]


@pytest.mark.parametrize("kind", OF_A_GOOD_JOB)
async def test_without_a_ledger_the_daemon_stops_and_nothing_passes(kind: EntryKind) -> None:
    world = World()
    world.ledger.fail_on = lambda entry: entry.kind is kind

    async def plug_and_unplug() -> None:
        async with world.running():
            world.ports["A1"].plug(Phone(used_bytes=30 * MIB))
            await world.until_state(SlotState.FINISHED)
            world.ports["A1"].unplug()
            await anyio.sleep(100)

    with pytest.raises(BaseExceptionGroup) as caught:
        await plug_and_unplug()
    assert caught.value.subgroup(LedgerFault) is not None
    passed = [end for end in ended(world) if end["outcome"] == Outcome.PASSED]
    # Only the record that comes after the job's end finds it passed already, and kept.
    assert bool(passed) is (kind is EntryKind.OCCUPANCY_CLOSED)


async def test_no_destructive_call_is_made_once_the_ledger_fails() -> None:
    world = World()
    world.ledger.fail_on = lambda entry: (
        entry.kind is EntryKind.STAGE_STARTED and entry.data["stage"] == StageName.OVERWRITE
    )
    phone = Phone()

    async def plug() -> None:
        async with world.running():
            world.ports["A1"].plug(phone)
            await anyio.sleep(1000)

    with pytest.raises(BaseExceptionGroup):
        await plug()
    assert phone.calls["fill"] == 0


MUST_NOT_PASS = {
    "accounts": (Phone(accounts=1), Reason.LOCKED),
    "screen lock": (Phone(screen_lock=True), Reason.LOCKED),
    "secure folder": (Phone(users=(0, 150)), Reason.OTHER_USER),
    "secure folder and account": (Phone(users=(0, 150), accounts=1), Reason.LOCKED),
    "an account of its maker's": (Phone(maker_accounts=1), Reason.RESET_NOT_PROVEN),
    "device owner": (Phone(device_owner=True), Reason.MANAGED_DEVICE),
    "managed and locked": (
        Phone(device_owner=True, accounts=1, screen_lock=True),
        Reason.MANAGED_DEVICE,
    ),
    "memory card": (Phone(removable_media=True), Reason.REMOVABLE_MEDIA),
    "rooted": (Phone(signs=("su is there",)), Reason.SYSTEM_MODIFIED),
    "battery": (Phone(battery_percent=5), Reason.LOW_BATTERY),
    "half filled": (Phone(written_share=0.5), Reason.COVERAGE_TOO_LOW),
    "plain text left": (Phone(crypto_state="unencrypted"), Reason.STORAGE_UNENCRYPTED),
    "bad bytes": (Phone(bad_bytes=4096), Reason.STORAGE_FAULT),
    "bytes not proven": (Phone(unproven_bytes=4096), Reason.STORAGE_FAULT),
    "read from the cache": (Phone(past_cache="page_cache"), Reason.PROOF_INCOMPLETE),
    "host's sample differs": (Phone(sample_differs=True), Reason.STORAGE_FAULT),
    "reset lies": (Phone(apps=3, reset_lies=True), Reason.RESET_NOT_PROVEN),
    "same android_id": (Phone(apps=3, wipe_forgets=("android_id",)), Reason.RESET_NOT_PROVEN),
    "apps left": (Phone(apps=3, wipe_forgets=("apps",)), Reason.RESET_NOT_PROVEN),
    "second user": (
        Phone(users=(0, 10), wipe_forgets=("users",)),
        Reason.OTHER_USER,
    ),
    "data left": (
        Phone(used_bytes=9 * MIB, wipe_forgets=("used_bytes",)),
        Reason.RESET_NOT_PROVEN,
    ),
    "gone after reset": (Phone(apps=3, returns=False), Reason.HANDSET_NOT_RETURNED),
    "final reset too short": (Phone(reset_absence_s=5), Reason.FINAL_RESET_NOT_PROVEN),
    "adb on after final reset": (
        Phone(adb_after_final_reset=True),
        Reason.FINAL_RESET_NOT_PROVEN,
    ),
    "gone after final reset": (Phone(returns=False), Reason.HANDSET_NOT_RETURNED),
    "other serial after reset": (
        Phone(apps=3, returns_as=Phone(serial="OTHER")),
        Reason.HANDSET_CHANGED,
    ),
    "other IMEI after reset": (
        Phone(apps=3, returns_as=Phone(imei="490154203237518")),
        Reason.HANDSET_CHANGED,
    ),
    "other serial after final reset": (
        Phone(returns_as=Phone(serial="OTHER")),
        Reason.HANDSET_CHANGED,
    ),
}


@pytest.mark.parametrize("case", MUST_NOT_PASS)
async def test_what_a_handset_is_or_does_that_must_not_pass(case: str) -> None:
    phone, reason = MUST_NOT_PASS[case]
    world = World()
    async with world.running():
        world.ports["A1"].plug(phone)
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.reason) == (Outcome.FAILED, reason)
    assert not world.issuer.kept


async def test_a_handset_lost_right_after_its_reset_is_proven_against_the_facts_before_it() -> None:
    async def lost_at_the_second_look(phone: Phone) -> None:
        if phone.calls["reset_facts"] == 2:
            raise HandsetGone("?")

    world = World()
    async with world.running():
        phone = Phone(apps=3, faults={"reset_facts": lost_at_the_second_look})
        world.ports["A1"].plug(phone)
        view = await world.until_state(SlotState.FINISHED)
        assert view.outcome is Outcome.PASSED
    [told] = [
        s.entry.data
        for s in world.ledger.of(EntryKind.STAGE_ENDED)
        if (s.entry.data["stage"], s.entry.data["outcome"])
        == (StageName.INITIALISE, Outcome.PASSED)
    ]
    assert told["because"] is None
    assert phone.calls["enable_test_harness"] == 1


async def test_a_final_reset_that_nobody_makes_is_not_proven_by_a_yes() -> None:
    world = World()
    world.does_final_reset = False
    async with world.running():
        world.ports["A1"].plug(Phone())
        view = await world.until_state(SlotState.FINISHED)
        assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.FINAL_RESET_NOT_PROVEN)


async def test_the_first_operator_cannot_confirm_his_own_work() -> None:
    world = World()
    world.operators[Gate.CONFIRM] = "ｓａｔｏ"
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until(lambda: world.view().stage is StageName.CONFIRM)
        await anyio.sleep(5)
        assert world.view().state is SlotState.AWAITING_OPERATOR
        world.operators[Gate.CONFIRM] = "Suzuki"
        world.board.show_unknown_port(world.ports["A1"].port_path, attached=True)
        view = await world.until_state(SlotState.FINISHED)
        assert view.outcome is Outcome.PASSED


async def test_a_guided_reset_is_proven_by_the_same_facts() -> None:
    recipe = make_recipe(initialise=InitialiseStage(fresh_used_bytes=FRESH, method="guided"))
    world = World(recipe=recipe)
    async with world.running():
        world.ports["A1"].plug(Phone(apps=5))
        view = await world.until_state(SlotState.FINISHED)
        assert view.outcome is Outcome.PASSED
    liar = World(recipe=recipe)
    async with liar.running():
        liar.ports["A1"].plug(Phone(apps=5, wipe_forgets=("apps",)))
        view = await liar.until_state(SlotState.FINISHED)
        assert view.reason is Reason.RESET_NOT_PROVEN


async def test_a_dead_adb_server_is_waited_for_by_every_slot() -> None:
    world = World(8)
    async with world.running():
        for port in world.ports.values():
            port.plug(Phone(serial=f"S-{port.slot}", used_bytes=30 * MIB))
        await world.until(
            lambda: all(v.stage is StageName.OVERWRITE for v in world.board.views().values())
        )
        world.access.server_up = False
        world.access.poke()
        await anyio.sleep(30)
        assert all(v.state is SlotState.WAITING for v in world.board.views().values())
        world.access.server_up = True
        world.access.poke()
        for slot in world.ports:
            view = await world.until_state(SlotState.FINISHED, slot)
            assert view.outcome is Outcome.PASSED


async def test_a_server_lost_while_the_reset_is_asked_for_costs_no_attempt() -> None:
    lost = raising(lambda: AdbServerLost("down"), times=6)
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone(apps=3, faults={"enable_test_harness": lost}))
        view = await world.until_state(SlotState.FINISHED)
        assert view.outcome is Outcome.PASSED
    told = [
        s.entry.data["because"]
        for s in world.ledger.of(EntryKind.STAGE_ENDED)
        if s.entry.data["stage"] == StageName.INITIALISE
    ]
    assert told == ["adb_server_lost"] * 6 + [None]


async def test_a_reset_whose_answer_was_lost_is_a_reset_all_the_same() -> None:
    """The facts show it: it isn't asked for once more, and costs no attempt."""
    world = World()

    async def reset_and_break(phone: Phone) -> None:
        world.ports["A1"].restart(ADB)
        raise HandsetGone("the link broke")

    phone = Phone(apps=3, faults={"enable_test_harness": reset_and_break})
    async with world.running():
        world.ports["A1"].plug(phone)
        view = await world.until_state(SlotState.FINISHED)
        assert view.outcome is Outcome.PASSED
    assert phone.calls["enable_test_harness"] == 1
    told = [
        s.entry.data["outcome"]
        for s in world.ledger.of(EntryKind.STAGE_ENDED)
        if s.entry.data["stage"] == StageName.INITIALISE
    ]
    assert told == [Outcome.PASSED]


@pytest.mark.parametrize("more", [0, 1])
async def test_a_server_may_be_lost_so_often_and_not_once_more(more: int) -> None:
    lost = raising(lambda: AdbServerLost("down"), times=LOSSES_ALLOWED + more)
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone(apps=3, faults={"enable_test_harness": lost}))
        view = await world.until_state(SlotState.FINISHED)
        assert view.reason is (Reason.ATTEMPTS_EXHAUSTED if more else None)


@pytest.mark.parametrize("fault", [HandsetGone, TransientFault, ProgramBusy])
async def test_the_ledger_tells_every_fault_by_its_code(fault: type[HandsetFault]) -> None:
    once = raising(lambda: fault("?"), times=1)
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone(used_bytes=30 * MIB, faults={"fill": once}))
        view = await world.until_state(SlotState.FINISHED)
        assert view.outcome is Outcome.PASSED
    told = [
        s.entry.data["because"]
        for s in world.ledger.of(EntryKind.STAGE_ENDED)
        if s.entry.data["stage"] == StageName.OVERWRITE
    ]
    assert told == [fault.code, None]


async def test_an_adb_server_that_stays_dead_ends_the_jobs_and_breaks_no_slot() -> None:
    world = World(2)
    async with world.running():
        for port in world.ports.values():
            port.plug(Phone(serial=f"S-{port.slot}", used_bytes=30 * MIB))
        await world.until(
            lambda: all(v.stage is StageName.OVERWRITE for v in world.board.views().values())
        )
        world.access.server_up = False
        world.access.poke()
        for slot in world.ports:
            view = await world.until_state(SlotState.FINISHED, slot)
            assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.HANDSET_LOST)
    assert not world.issuer.kept


async def test_a_byte_that_a_cache_may_have_answered_for_ends_the_read_back_itself() -> None:
    """Not the proof, when the handset has been reset and looked at by two people."""
    world = World()
    async with world.running():
        world.ports["A1"].plug(Phone(unshown_bytes=1))
        view = await world.until_state(SlotState.FINISHED)
    assert view.reason is Reason.PROOF_INCOMPLETE
    last = world.ledger.of(EntryKind.STAGE_ENDED)[-1].entry.data
    assert (last["stage"], last["outcome"]) == (StageName.READ_BACK, Outcome.FAILED)


class SkippedInspectStage(InspectStage):
    """Skips what it never says may be skipped."""

    async def run(self, context: JobContext) -> StageResult:
        return StageResult(skipped_because="arrived_reset")


async def test_a_skip_for_a_reason_that_the_stage_does_not_declare_ends_the_job() -> None:
    world = World(recipe=make_recipe(inspect=SkippedInspectStage()))
    async with world.running():
        world.ports["A1"].plug(Phone())
        view = await world.until_state(SlotState.FINISHED)
    assert (view.outcome, view.reason) == (Outcome.FAILED, Reason.PROOF_INCOMPLETE)


class AskedThenSlowStage(InspectStage):
    """Loses the server while it asks, and in its next attempt hangs without a question."""

    async def run(self, context: JobContext) -> StageResult:
        attempts = context.memory(list)
        attempts.append(len(attempts))
        if len(attempts) == 1:
            context.asking = Gate.CONSENT
            raise AdbServerLost("down")
        await anyio.sleep_forever()
        raise AssertionError


async def test_an_earlier_attempts_question_is_not_what_a_later_one_was_late_for() -> None:
    world = World(recipe=make_recipe(inspect=AskedThenSlowStage()))
    async with world.running():
        world.ports["A1"].plug(Phone())
        view = await world.until_state(SlotState.FINISHED)
    assert view.reason is Reason.STAGE_DEADLINE


async def test_a_handset_taken_out_instead_of_a_reset_is_held_for_not_coming_back() -> None:
    world = World()
    async with world.running():
        world.silent_in = StageName.FINAL_RESET
        world.ports["A1"].plug(Phone())
        view = await world.until_state(SlotState.AWAITING_OPERATOR)
        while view.stage is not StageName.FINAL_RESET:
            await world.board.changed(world.board.version)
            view = world.view()
        assert view.job is not None
        await world.until(lambda: world.view().question is not None)
        world.ports["A1"].unplug()
        await anyio.sleep(1)
        with pytest.raises(NotFound):
            await world.desk.decide(view.job, Gate.FINAL_RESET, approved=False, by=somebody("Sato"))
        with anyio.fail_after(FinalResetStage().return_within_s + 60):
            await world.until_state(SlotState.FINISHED)
        assert ended(world)[0]["reason"] == Reason.HANDSET_NOT_RETURNED
