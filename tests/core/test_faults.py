"""Every fault at every call: none of them may end as passed."""

from __future__ import annotations

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
from benchd.pipelines.runner import LOSSES_ALLOWED
from benchd.pipelines.stage_contract import JobContext, StageResult
from benchd.pipelines.stages.final_reset import FinalResetStage
from benchd.pipelines.stages.initialise import InitialiseStage
from benchd.pipelines.stages.inspect import InspectStage

from .world import (
    ADB,
    FRESH,
    MIB,
    OTHER_IMEI,
    STAGES,
    Phone,
    World,
    ended,
    failing,
    hang,
    make_recipe,
    phone_like,
    raising,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

CALLS = [
    *("inspect", "reset_facts", "enable_test_harness", "fill", "fill_step", "check", "sample"),
    "drop",
]
LASTING = {
    "storage": (StorageFault, Reason.STORAGE_FAULT),
    "stalled": (HandsetStalled, Reason.HANDSET_STALLED),
    "not recognised": (AnswerNotRecognised, Reason.ANSWER_NOT_RECOGNISED),
    "unsupported": (UnsupportedHandset, Reason.UNSUPPORTED_MODEL),
    "gone": (HandsetGone, Reason.HANDSET_LOST),
    "transient": (TransientFault, Reason.ATTEMPTS_EXHAUSTED),
    "server": (AdbServerLost, Reason.ATTEMPTS_EXHAUSTED),
    "never returns": (None, Reason.STAGE_DEADLINE),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", LASTING)
async def test_a_lasting_fault_fails_the_job_and_says_why(call: str, kind: str) -> None:
    make, reason = LASTING[kind]
    fault = hang if make is None else raising(lambda: make("?"))
    phone = Phone(used_bytes=30 * MIB, faults={call: fault})
    if call == "enable_test_harness" and kind in ("gone", "server"):
        # The command may die with the reboot that it asked for; here nothing was reset, so it
        # is asked again, and not for ever.
        reason = Reason.ATTEMPTS_EXHAUSTED
    if (call, kind) == ("enable_test_harness", "unsupported"):
        # A person resets it instead, which this test's operators do.
        await World().sells(phone)
    else:
        await World().refuses(phone, reason)


@pytest.mark.parametrize("call", CALLS)
async def test_a_broken_slot_is_quarantined_and_its_neighbour_goes_on(call: str) -> None:
    world = World(2)
    async with world.running():
        world.ports["A1"].plug(
            Phone(used_bytes=30 * MIB, faults={call: raising(lambda: KeyError("bug"))})
        )
        world.ports["A2"].plug(Phone(used_bytes=30 * MIB))
        broken = await world.until_state(SlotState.QUARANTINED)
        assert (broken.outcome, broken.reason) == (Outcome.FAILED, Reason.INTERNAL_ERROR)
        assert (await world.finished("A2")).outcome is Outcome.PASSED
        # The way out that an operator can take: unplug, plug the next one.
        assert (await world.ran()).outcome is Outcome.PASSED


@pytest.mark.parametrize("call", [*CALLS, "identity"])
@pytest.mark.parametrize("fault", [HandsetGone, TransientFault, AdbServerLost])
async def test_a_passing_fault_costs_an_attempt_and_no_more(
    call: str, fault: type[HandsetFault]
) -> None:
    once = raising(lambda: fault("?"), times=1)
    await World().sells(Phone(used_bytes=30 * MIB, faults={call: once}))


@pytest.mark.parametrize("fault", [HandsetGone, TransientFault, ProgramBusy])
async def test_the_ledger_tells_every_fault_by_its_code(fault: type[HandsetFault]) -> None:
    once = raising(lambda: fault("?"), times=1)
    world = World()
    await world.sells(Phone(used_bytes=30 * MIB, faults={"fill": once}))
    assert [told["because"] for told in world.attempts(StageName.OVERWRITE)] == [fault.code, None]


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
        await world.until_stage(stage)
        if stage is StageName.FINAL_RESET:
            # What is read before its question is no part of the planned absence.
            await world.until_question()
        await anyio.sleep(0.01)
        port.unplug()
        if stage is not StageName.FINAL_RESET:
            await world.until_state(SlotState.EMPTY)
        else:
            # There an absence is planned: it ends when its time is over.
            world.does_final_reset = False
            world.back_at_work()
            assert (await world.finished()).reason is Reason.HANDSET_NOT_RETURNED
        first = ended(world)[0]
        assert first["outcome"] in (Outcome.ABORTED, Outcome.FAILED)
        assert first["disposition"] == Disposition.HOLD
        assert not world.issuer.kept
        world.silent_in = None
        world.does_final_reset = True
        port.plug(phone_like(phone))
        await world.until_state(SlotState.RUNNING)
        view = await world.finished()
        assert (view.outcome, view.occupancy) == (Outcome.PASSED, 2)


NOT_OF_A_GOOD_JOB = {
    *(EntryKind.DAEMON_STARTED, EntryKind.CONFIG_CHANGED, EntryKind.CLOCK_STEPPED),
    *(EntryKind.HANDSET_SETTLED, EntryKind.RECHECK_DRAWN, EntryKind.SLOT_QUARANTINED),
    *(EntryKind.LEDGER_CHECKED, EntryKind.LEDGER_ANCHORED, EntryKind.LEDGER_RESTORED),
    *(EntryKind.PERSON_CHANGED, EntryKind.PERSON_REFUSED, EntryKind.TOKEN_CHANGED),
    *(EntryKind.KEY_ROTATED, EntryKind.HOOK_BEGUN, EntryKind.HOOK_ANSWERED),
    *(EntryKind.HANDSET_GRADED, EntryKind.SHIPPED, EntryKind.OTHER_RACKS_ASKED),
    *(EntryKind.CHECKPOINT_RECEIVED, EntryKind.CENTRE_LACKED),
    *OF_INTAKE,
}


@pytest.mark.parametrize("kind", [kind for kind in EntryKind if kind not in NOT_OF_A_GOOD_JOB])
async def test_without_a_ledger_the_daemon_stops_and_nothing_passes(kind: EntryKind) -> None:
    world = World()
    world.ledger.fail_on = lambda entry: entry.kind is kind

    async def plug_and_unplug() -> None:
        async with world.running():
            await world.ran(Phone(used_bytes=30 * MIB))
            world.ports["A1"].unplug()
            await anyio.sleep(100)

    with pytest.raises(BaseExceptionGroup) as caught:
        await plug_and_unplug()
    assert caught.value.subgroup(LedgerFault) is not None
    passed = [end for end in ended(world) if end["outcome"] == Outcome.PASSED]
    # Only the record that comes after the job's end finds it passed already, and kept.
    assert bool(passed) is (kind is EntryKind.OCCUPANCY_CLOSED)


async def test_no_destructive_call_is_made_once_the_ledger_fails() -> None:
    world, phone = World(), Phone()
    world.ledger.fail_on = lambda entry: (
        entry.kind is EntryKind.STAGE_STARTED and entry.data["stage"] == StageName.OVERWRITE
    )
    with pytest.raises(BaseExceptionGroup):
        await world.end_of(phone)
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
    "second user": (Phone(users=(0, 10), wipe_forgets=("users",)), Reason.OTHER_USER),
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
        Phone(apps=3, returns_as=Phone(imei=OTHER_IMEI)),
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
    await World().refuses(phone, reason)


async def test_a_byte_that_a_cache_may_have_answered_for_ends_the_read_back_itself() -> None:
    """Not the proof, when the handset has been reset and looked at by two people."""
    world = World()
    await world.refuses(Phone(unshown_bytes=1), Reason.PROOF_INCOMPLETE)
    last = world.ledger.of(EntryKind.STAGE_ENDED)[-1].entry.data
    assert (last["stage"], last["outcome"]) == (StageName.READ_BACK, Outcome.FAILED)


async def test_a_final_reset_that_nobody_makes_is_not_proven_by_a_yes() -> None:
    world = World()
    world.does_final_reset = False
    await world.refuses(Phone(), Reason.FINAL_RESET_NOT_PROVEN)


async def test_the_first_operator_cannot_confirm_his_own_work() -> None:
    world = World()
    world.operators[Gate.CONFIRM] = "ｓａｔｏ"
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_stage(StageName.CONFIRM)
        await anyio.sleep(5)
        assert world.view().state is SlotState.AWAITING_OPERATOR
        world.operators[Gate.CONFIRM] = "Suzuki"
        world.back_at_work()
        assert (await world.finished()).outcome is Outcome.PASSED


async def test_a_guided_reset_is_proven_by_the_same_facts() -> None:
    recipe = make_recipe(initialise=InitialiseStage(fresh_used_bytes=FRESH, method="guided"))
    await World(recipe=recipe).sells(Phone(apps=5))
    liar = Phone(apps=5, wipe_forgets=("apps",))
    await World(recipe=recipe).refuses(liar, Reason.RESET_NOT_PROVEN)


async def test_a_handset_lost_right_after_its_reset_is_proven_against_the_facts_before_it() -> None:
    world = World()
    phone = Phone(apps=3, faults=failing("reset_facts", HandsetGone("?"), 2))
    await world.sells(phone)
    *_, passed = world.attempts(StageName.INITIALISE)
    assert (passed["outcome"], passed["because"]) == (Outcome.PASSED, None)
    assert phone.calls["enable_test_harness"] == 1


async def test_a_reset_whose_answer_was_lost_is_a_reset_all_the_same() -> None:
    """The facts show it: it isn't asked for once more, and costs no attempt."""
    world = World()

    async def reset_and_break(phone: Phone) -> None:
        world.ports["A1"].restart(ADB)
        raise HandsetGone("the link broke")

    phone = Phone(apps=3, faults={"enable_test_harness": reset_and_break})
    await world.sells(phone)
    assert phone.calls["enable_test_harness"] == 1
    assert [told["outcome"] for told in world.attempts(StageName.INITIALISE)] == [Outcome.PASSED]


@pytest.mark.parametrize(("times", "more"), [(6, 0), (LOSSES_ALLOWED, 0), (LOSSES_ALLOWED + 1, 1)])
async def test_a_server_may_be_lost_so_often_at_no_cost_and_not_once_more(
    times: int, more: int
) -> None:
    lost = raising(lambda: AdbServerLost("down"), times)
    world, phone = World(), Phone(apps=3, faults={"enable_test_harness": lost})
    if more:
        await world.refuses(phone, Reason.ATTEMPTS_EXHAUSTED)
    else:
        await world.sells(phone)
    told = [told["because"] for told in world.attempts(StageName.INITIALISE)]
    assert told == ["adb_server_lost"] * times + [None] * (1 - more)


@pytest.mark.parametrize("comes_back", [True, False])
async def test_a_dead_adb_server_is_waited_for_by_every_slot_and_not_for_ever(
    comes_back: bool,
) -> None:
    world = World(8 if comes_back else 2)
    async with world.running():
        await world.at_work()
        world.access.serve(up=False)
        await anyio.sleep(30)
        assert all(v.state is SlotState.WAITING for v in world.board.views().values())
        if comes_back:
            world.access.serve(up=True)
        for slot in world.ports:
            view = await world.finished(slot)
            if comes_back:
                assert view.outcome is Outcome.PASSED
            else:
                assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.HANDSET_LOST)
    assert bool(world.issuer.kept) is comes_back


class SkippedInspectStage(InspectStage):
    """Skips what it never says may be skipped."""

    async def run(self, context: JobContext) -> StageResult:
        return StageResult(skipped_because="arrived_reset")


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


@pytest.mark.parametrize(
    ("stage", "reason"),
    [
        (SkippedInspectStage(), Reason.PROOF_INCOMPLETE),
        (AskedThenSlowStage(), Reason.STAGE_DEADLINE),
    ],
    ids=["skips for a reason that it does not declare", "is late for no earlier one's question"],
)
async def test_a_stage_that_breaks_its_word_ends_the_job(
    stage: InspectStage, reason: Reason
) -> None:
    await World(recipe=make_recipe(inspect=stage)).refuses(Phone(), reason)


async def test_a_handset_taken_out_instead_of_a_reset_is_held_for_not_coming_back() -> None:
    world = World()
    async with world.running():
        world.silent_in = StageName.FINAL_RESET
        world.ports["A1"].plug(Phone())
        await world.until_question(Gate.FINAL_RESET)
        world.ports["A1"].unplug()
        await anyio.sleep(1)
        with pytest.raises(NotFound):
            await world.decide(Gate.FINAL_RESET, approved=False)
        with anyio.fail_after(FinalResetStage().return_within_s + 60):
            await world.until_state(SlotState.FINISHED)
        assert ended(world)[0]["reason"] == Reason.HANDSET_NOT_RETURNED
