"""The chip as a strong tie: silent with its handset's NFC off, the same with it on again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

import anyio
import pytest

from benchd.devices.android.adb import AdbServerLost
from benchd.domain.errors import (
    AnswerNotRecognised,
    HandsetGone,
    HandsetStalled,
    ReaderFault,
    ReaderGone,
    TransientFault,
)
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.proof.binding import Tie
from benchd.proof.erasure import verify_erasure

from .chip_world import CHECK, asked, attempts, certified
from .fake_chips import (
    CHIP,
    IN_USE,
    OTHER_CHIP,
    SILENT,
    UNUSED,
    FakeChip,
    FakeChipAccess,
    scan_of,
)
from .test_binding import A_IMEI, B_IMEI, must_not_pass, reset_into, twin, untold
from .world import NFC_BACK_ON_S, Phone, World

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

JOB_WITHIN_S = 7200.0


def own_chip(**of: Any) -> tuple[World, Phone, FakeChip]:  # noqa: ANN401 - fields of either
    """A handset whose own chip lies on the reader, behind its NFC controller.

    It tells adb no IMEI, as from Android 14 on: it's asked at the gates, and not again.
    """
    phone = replace(untold(), switches_nfc=True)
    chip = FakeChip(of=phone, **of)
    return World(chips=FakeChipAccess({"A1": chip})), phone, chip


async def finished(world: World, phone: Phone) -> SlotView:
    async with world.running():
        world.ports["A1"].plug(phone)
        with anyio.fail_after(JOB_WITHIN_S):
            return await world.until_state(SlotState.FINISHED)


def check_of(world: World) -> Mapping[str, Any]:
    return attempts(world, CHECK)[-1]["evidence"]


def must_ask_for_the_number(world: World, view: SlotView) -> None:
    """Not tied is no failure: a person reads the handset's own screen, as without a reader."""
    assert view.outcome is Outcome.PASSED, view
    assert check_of(world)["tied"] is False
    assert attempts(world, StageName.CONFIRM)[0]["came_back"]["screen_number"] is not None


@pytest.mark.parametrize("looks", [UNUSED, IN_USE], ids=["unused", "cleared in between"])
async def test_a_tied_chip_binds_after_the_last_reset_and_who_confirms_reads_the_number(
    looks: Any,  # noqa: ANN401 - a scan
) -> None:
    world, phone, _ = own_chip(looks=looks)
    view = await finished(world, phone)
    assert view.outcome is Outcome.PASSED
    assert asked(world).count(Gate.IMEI) == 1
    check = check_of(world)
    assert (check["tied"], check["tie"]["found_on"], check["tie"]["put_back"]) == (True, True, True)
    assert len(check["tie"]["pattern"]) == len(check["tie"]["steps"]) == 7
    for on, step in zip(check["tie"]["pattern"], check["tie"]["steps"], strict=True):
        assert (step["nfc_on"], step["chip"]) == (on, CHIP if on else None)
    [observe] = attempts(world, StageName.OBSERVE)
    assert observe["came_back"]["chip"] == observe["evidence"]["chip"]["chip"] == CHIP
    [confirm] = attempts(world, StageName.CONFIRM)
    assert confirm["came_back"]["screen_number"] == A_IMEI
    assert phone.nfc_on


async def test_nfc_that_a_broken_off_try_has_left_off_is_no_silent_chip() -> None:
    world, phone, _ = own_chip(looks=UNUSED)
    phone.nfc_on = False
    view = await finished(world, phone)
    assert view.outcome is Outcome.PASSED, view
    assert check_of(world)["tied"] is True
    assert check_of(world)["switched_on"] == {
        "nfc_on": True,
        "seen": "unused",
        "chip": CHIP,
        "passes": 1,
        "power_cycled": True,
    }
    assert phone.nfc_on


@pytest.mark.parametrize("call", ["nfc_facts", "nfc_on"])
@pytest.mark.parametrize(
    "fault",
    [TransientFault("a loose cable"), AdbServerLost("down")],
    ids=lambda fault: type(fault).__name__,
)
async def test_a_fault_before_nfc_is_back_on_is_that_try_s_and_no_silence(
    call: str, fault: Exception
) -> None:
    world, phone, _ = own_chip(looks=UNUSED)
    phone.nfc_on = False

    async def once(phone: Phone) -> None:
        if phone.calls[call] == 1:
            raise fault

    phone.faults[call] = once
    view = await finished(world, phone)
    assert view.outcome is Outcome.PASSED, view
    assert check_of(world)["tied"] is True
    assert not {Gate.FELICA_NO_CHIP, Gate.FELICA_RETIRED} & set(asked(world))


@pytest.mark.parametrize("call", ["nfc_facts", "nfc_on"])
async def test_one_that_stalls_before_its_nfc_is_back_on_is_held_and_no_chip_is_judged(
    call: str,
) -> None:
    world, phone, _ = own_chip(looks=UNUSED)
    phone.nfc_on = False
    phone.faults[call] = raising(HandsetStalled("it says nothing"))
    view = await finished(world, phone)
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.HANDSET_STALLED)


async def test_an_answer_about_nfc_that_nobody_knows_leaves_silence_to_a_person() -> None:
    world, phone, _ = own_chip(looks=UNUSED)
    phone.nfc_on = False

    async def once(phone: Phone) -> None:
        if phone.calls["nfc_on"] == 1:
            raise AnswerNotRecognised("Exception occurred while executing")

    phone.faults["nfc_on"] = once
    view = await finished(world, phone)
    assert Gate.FELICA_RETIRED in asked(world)
    assert view.disposition is not Disposition.SELLABLE, view


async def test_nfc_that_could_not_be_put_back_is_no_silent_chip_at_the_recheck_either() -> None:
    """The adb server died in mid-tie, and the fill took less than the handset's own minute."""
    world, phone, _ = own_chip(looks=UNUSED)

    async def still_off(phone: Phone) -> None:
        phone.nfc_on = False

    phone.faults["sample"] = still_off
    view = await finished(world, phone)
    assert view.outcome is Outcome.PASSED, view
    recheck = attempts(world, StageName.FELICA_RECHECK)[-1]["evidence"]
    assert (recheck["switched_on"]["nfc_on"], recheck["switched_on"]["seen"]) == (True, "unused")
    assert (recheck["passes"], recheck["power_cycled"]) == (2, True)
    assert phone.nfc_on


async def test_a_chip_that_was_swapped_while_its_nfc_was_off_is_found_at_the_recheck() -> None:
    world, phone, chip = own_chip(looks=UNUSED)

    async def swapped(phone: Phone) -> None:
        phone.nfc_on = False
        chip.looks = scan_of(UNUSED.verdict, chip=OTHER_CHIP)

    phone.faults["sample"] = swapped
    view = await finished(world, phone)
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_INCONSISTENT)


async def test_nfc_that_cannot_be_switched_on_leaves_its_chip_silent() -> None:
    world, phone, _ = own_chip(looks=UNUSED)
    phone.nfc_on, phone.switches_nfc = False, False
    view = await finished(world, phone)
    assert view.disposition is not Disposition.SELLABLE, view


async def test_the_proof_counts_the_chip_among_the_strong_ties() -> None:
    world, phone, _ = own_chip()
    view = await finished(world, phone)
    assert view.job is not None
    records = await world.ledger.entries(view.job)
    kept = [record for record in records if record.entry.kind is not EntryKind.JOB_ENDED][:-2]
    binding = verify_erasure(view.job, kept).binding
    assert binding is not None
    assert {Tie.CHIP, Tie.SCREEN_IMEI} <= binding.last_seen.keys()


async def test_an_imei_that_adb_alone_has_told_is_asked_for_under_a_tied_chip_too() -> None:
    """The chip says which handset lies there, and nothing of the name that it gives itself."""
    world, phone, _ = own_chip()
    phone.imei = A_IMEI
    view = await finished(world, phone)
    assert view.outcome is Outcome.PASSED
    assert check_of(world)["tied"] is True
    assert asked(world)[-2:] == [Gate.IMEI, Gate.CONFIRM]


async def test_a_false_imei_under_a_tied_chip_is_found() -> None:
    world, phone, _ = own_chip()
    phone.imei = B_IMEI
    view = await finished(world, phone)
    must_not_pass(world, view, Reason.HANDSET_CHANGED)


async def test_one_that_cannot_telephone_is_asked_nothing_under_a_tied_chip() -> None:
    world, phone, _ = own_chip()
    phone.telephony = False
    view = await finished(world, phone)
    assert view.outcome is Outcome.PASSED
    assert asked(world).count(Gate.SERIAL) == 1


# What isn't tied


async def test_a_donor_that_answers_on_is_not_tied() -> None:
    """As is a handset's own chip beside its NFC controller: from outside they look the same."""
    phone = replace(untold(), switches_nfc=True)
    world = World(chips=FakeChipAccess({"A1": FakeChip()}))
    must_ask_for_the_number(world, await finished(world, phone))
    tie = check_of(world)["tie"]
    last = tie["steps"][-1]
    assert (last["nfc_on"], last["seen"], tie["put_back"]) == (False, "unused", True)
    assert tie["heard_at"] is None


async def test_a_system_that_leaves_nfc_on_is_not_tied_and_no_scan_is_wasted() -> None:
    world, phone, _ = own_chip()
    phone.switches_nfc = False
    must_ask_for_the_number(world, await finished(world, phone))
    tie = check_of(world)["tie"]
    assert tie["steps"][-1] == {
        "nfc_on": True,
        "seen": None,
        "chip": None,
        "passes": 0,
        "power_cycled": False,
    }


@pytest.mark.parametrize("says", [None, False])
async def test_nothing_is_switched_where_nfc_was_not_found_on(says: bool | None) -> None:
    phone = replace(untold(), switches_nfc=True, nfc_on=says)
    world = World(chips=FakeChipAccess({"A1": FakeChip()}))
    must_ask_for_the_number(world, await finished(world, phone))
    assert not phone.calls["nfc_off"]
    assert not phone.calls["nfc_on"]
    assert check_of(world)["tie"]["put_back"] is None


async def test_another_chip_after_on_is_not_tied() -> None:
    world, phone, chip = own_chip()

    async def swapped(_: Phone) -> None:
        chip.once = [scan_of(UNUSED.verdict, chip=OTHER_CHIP) for _ in range(5)]

    phone.faults["nfc_on"] = swapped
    must_ask_for_the_number(world, await finished(world, phone))
    assert check_of(world)["tie"]["steps"][-1]["chip"] == OTHER_CHIP


async def test_a_chip_that_comes_back_late_is_waited_for() -> None:
    world, phone, chip = own_chip()

    async def late(_: Phone) -> None:
        chip.once = [SILENT, SILENT]

    phone.faults["nfc_on"] = late
    view = await finished(world, phone)
    assert view.outcome is Outcome.PASSED
    assert check_of(world)["tied"] is True


async def test_one_that_never_comes_back_is_not_tied() -> None:
    world, phone, chip = own_chip()

    async def gone(_: Phone) -> None:
        chip.once = [SILENT] * 5

    phone.faults["nfc_on"] = gone
    must_ask_for_the_number(world, await finished(world, phone))


# Faults


async def hang(_: Phone) -> None:
    await anyio.sleep_forever()


def raising(fault: Exception) -> Callable[[Phone], Awaitable[None]]:
    async def once(phone: Phone) -> None:
        if sum(phone.calls[name] for name in ("nfc_off", "nfc_on", "nfc_facts")) <= 4:
            raise fault

    return once


FAULTS = (
    TransientFault("a loose cable"),
    HandsetGone("the transport ended"),
    HandsetStalled("it says nothing"),
    AdbServerLost("down"),
    AnswerNotRecognised("Exception occurred while executing"),
)


@pytest.mark.parametrize("call", ["nfc_facts", "nfc_off", "nfc_on"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_a_fault_ties_nothing_costs_no_attempt_and_puts_nfc_back(
    call: str, fault: Exception
) -> None:
    world, phone, _ = own_chip()
    phone.faults[call] = raising(fault)
    must_ask_for_the_number(world, await finished(world, phone))
    assert len(attempts(world, CHECK)) == 1
    assert str(fault) in check_of(world)["tie"]["detail"]
    assert phone.nfc_on


@pytest.mark.parametrize("fault", [ReaderFault("stumbled"), ReaderGone("pulled")], ids=str)
async def test_a_reader_that_fails_in_the_middle_ties_nothing(fault: Exception) -> None:
    world, phone, chip = own_chip()

    async def stumbles(_: Phone) -> None:
        chip.once = [fault]

    phone.faults["nfc_on"] = stumbles
    must_ask_for_the_number(world, await finished(world, phone))
    assert len(attempts(world, CHECK)) == 1
    assert phone.nfc_on


@pytest.mark.parametrize("call", ["nfc_facts", "nfc_off", "nfc_on"])
async def test_a_handset_that_hangs_is_given_up(call: str) -> None:
    world, phone, _ = own_chip()
    phone.faults[call] = hang
    must_ask_for_the_number(world, await finished(world, phone))
    assert check_of(world)["tie"]["detail"] == "it took too long"
    assert phone.nfc_on


async def switched_off(phone: Phone) -> None:
    while phone.nfc_on:  # noqa: ASYNC110 - a fake tells nobody
        await anyio.sleep(0.1)


async def test_a_stop_in_mid_off_puts_nfc_back() -> None:
    world, phone, _ = own_chip()
    async with world.running():
        world.ports["A1"].plug(phone)
        await switched_off(phone)
        stopped_s = anyio.current_time()
    assert anyio.current_time() - stopped_s < 1
    assert phone.nfc_on


async def test_after_an_unplug_in_mid_off_the_handset_puts_it_back_by_itself() -> None:
    world, phone, _ = own_chip()
    async with world.running():
        world.ports["A1"].plug(phone)
        await switched_off(phone)
        world.ports["A1"].unplug()
        with anyio.fail_after(5):
            await world.until_state(SlotState.EMPTY)
        await anyio.sleep(NFC_BACK_ON_S)
        assert phone.nfc_on
        world.ports["A1"].plug(phone)
        view = await world.until_state(SlotState.FINISHED)
    assert view.outcome is Outcome.PASSED
    assert check_of(world)["tied"] is True


# After the last reset


async def test_a_twin_under_a_tied_chip_brings_its_own() -> None:
    world, phone, chip = own_chip()
    other = twin(phone, accounts=0, wiped=True)

    async with world.running():
        world.ports["A1"].plug(phone)
        await reset_into(world, other)
        chip.looks = scan_of(UNUSED.verdict, chip=OTHER_CHIP)
        with anyio.fail_after(JOB_WITHIN_S):
            view = await world.until_state(SlotState.FINISHED)
    must_not_pass(world, view, Reason.HANDSET_CHANGED)


async def test_a_twin_without_a_chip_is_found_by_its_own_screen() -> None:
    world, phone, chip = own_chip()
    other = twin(phone, accounts=0, wiped=True)
    async with world.running():
        world.ports["A1"].plug(phone)
        await reset_into(world, other)
        chip.looks = SILENT
        with anyio.fail_after(JOB_WITHIN_S):
            view = await world.until_state(SlotState.FINISHED)
    must_not_pass(world, view, Reason.HANDSET_CHANGED)


async def test_a_tied_chip_that_is_in_use_again_ends_the_job() -> None:
    world, phone, chip = own_chip()
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until_asked(Gate.FINAL_RESET)
        chip.looks = IN_USE
        with anyio.fail_after(JOB_WITHIN_S):
            view = await world.until_state(SlotState.FINISHED)
    assert view.reason is Reason.FELICA_RESIDUE
    assert not certified(world)


async def test_a_tied_chip_that_is_silent_then_leaves_it_to_a_person() -> None:
    world, phone, chip = own_chip()
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until_asked(Gate.FINAL_RESET)
        chip.looks = SILENT
        with anyio.fail_after(JOB_WITHIN_S):
            view = await world.until_state(SlotState.FINISHED)
    assert view.outcome is Outcome.PASSED
