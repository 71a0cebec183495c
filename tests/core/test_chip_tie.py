"""The chip as a strong tie: silent with its handset's NFC off, the same with it on again."""

from __future__ import annotations

from collections.abc import Mapping
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
from benchd.domain.slot_states import SlotState
from benchd.proof.binding import Tie
from benchd.proof.erasure import verify_erasure

from .fake_chips import (
    CHECK,
    CHIP,
    IN_USE,
    OTHER_CHIP,
    RECHECK,
    SILENT,
    UNUSED,
    FakeChip,
    FakeChipAccess,
    scan_of,
)
from .test_binding import reset_into, twin
from .world import IMEI, NFC_BACK_ON_S, OTHER_IMEI, Fault, Phone, World, failing, hang, untold

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

JOB_WITHIN_S = 7200.0
ANOTHER = scan_of(UNUSED.verdict, chip=OTHER_CHIP)


def own_chip(**of: Any) -> tuple[World, Phone, FakeChip]:  # noqa: ANN401 - fields of either
    """A handset whose own chip lies on the reader, behind its NFC controller.

    It tells adb no IMEI, as from Android 14 on: it's asked at the gates, and not again.
    """
    phone = untold(switches_nfc=True)
    chip = FakeChip(of=phone, **of)
    world = World(chips=FakeChipAccess({"A1": chip}))
    world.within_s = JOB_WITHIN_S
    return world, phone, chip


def check_of(world: World) -> Mapping[str, Any]:
    return world.evidence(CHECK)


async def must_ask_for_the_number(world: World, phone: Phone) -> None:
    """Not tied is no failure: a person reads the handset's own screen, as without a reader."""
    await world.sells(phone)
    assert check_of(world)["tied"] is False
    assert world.attempts(StageName.CONFIRM)[0]["came_back"]["screen_number"] is not None


@pytest.mark.parametrize("looks", [UNUSED, IN_USE], ids=["unused", "cleared in between"])
async def test_a_tied_chip_binds_after_the_last_reset_and_who_confirms_reads_the_number(
    looks: Any,  # noqa: ANN401 - a scan
) -> None:
    world, phone, _ = own_chip(looks=looks)
    await world.sells(phone)
    assert world.asked().count(Gate.IMEI) == 1
    check = check_of(world)
    assert (check["tied"], check["tie"]["found_on"], check["tie"]["put_back"]) == (True, True, True)
    assert len(check["tie"]["pattern"]) == len(check["tie"]["steps"]) == 7
    for on, step in zip(check["tie"]["pattern"], check["tie"]["steps"], strict=True):
        assert (step["nfc_on"], step["chip"]) == (on, CHIP if on else None)
    [observe] = world.attempts(StageName.OBSERVE)
    assert observe["came_back"]["chip"] == observe["evidence"]["chip"]["chip"] == CHIP
    [confirm] = world.attempts(StageName.CONFIRM)
    assert confirm["came_back"]["screen_number"] == IMEI
    assert phone.nfc_on
    binding = verify_erasure(*await world.proof()).binding
    assert binding is not None
    assert {Tie.CHIP, Tie.SCREEN_IMEI} <= binding.last_seen.keys()


# NFC that is off


async def test_nfc_that_a_broken_off_try_has_left_off_is_no_silent_chip() -> None:
    world, phone, _ = own_chip(looks=UNUSED)
    phone.nfc_on = False
    await world.sells(phone)
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
    phone.nfc_on, phone.faults = False, failing(call, fault, 1)
    await world.sells(phone)
    assert check_of(world)["tied"] is True
    assert not {Gate.FELICA_NO_CHIP, Gate.FELICA_RETIRED} & set(world.asked())


@pytest.mark.parametrize("call", ["nfc_facts", "nfc_on"])
async def test_one_that_stalls_before_its_nfc_is_back_on_is_held_and_no_chip_is_judged(
    call: str,
) -> None:
    world, phone, _ = own_chip(looks=UNUSED)
    phone.nfc_on, phone.faults = False, {call: at_first(HandsetStalled("it says nothing"))}
    view = await world.end_of(phone)
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.HANDSET_STALLED)


@pytest.mark.parametrize("switches", [True, False], ids=["an unknown answer", "it can't be"])
async def test_nfc_that_is_not_switched_on_leaves_silence_to_a_person(switches: bool) -> None:
    world, phone, _ = own_chip(looks=UNUSED)
    phone.nfc_on, phone.switches_nfc = False, switches
    if switches:
        phone.faults = failing("nfc_on", AnswerNotRecognised("Exception occurred"), 1)
    view = await world.end_of(phone)
    assert Gate.FELICA_RETIRED in world.asked()
    assert view.disposition is not Disposition.SELLABLE, view


@pytest.mark.parametrize("swapped", [False, True])
async def test_nfc_that_could_not_be_put_back_is_no_silent_chip_at_the_recheck_either(
    swapped: bool,
) -> None:
    """The adb server died in mid-tie, and the fill took less than the handset's own minute."""
    world, phone, chip = own_chip(looks=UNUSED)

    async def still_off(phone: Phone) -> None:
        phone.nfc_on = False
        if swapped:
            chip.looks = ANOTHER

    phone.faults["sample"] = still_off
    if swapped:
        view = await world.end_of(phone)
        assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_INCONSISTENT)
        return
    await world.sells(phone)
    recheck = world.evidence(RECHECK)
    assert (recheck["switched_on"]["nfc_on"], recheck["switched_on"]["seen"]) == (True, "unused")
    assert (recheck["passes"], recheck["power_cycled"]) == (2, True)
    assert phone.nfc_on


# Who is asked beside it


async def test_an_imei_that_adb_alone_has_told_is_asked_for_under_a_tied_chip_too() -> None:
    """The chip says which handset lies there, and nothing of the name that it gives itself."""
    world, phone, _ = own_chip()
    phone.imei = IMEI
    await world.sells(phone)
    assert check_of(world)["tied"] is True
    assert world.asked()[-2:] == [Gate.IMEI, Gate.CONFIRM]


async def test_a_false_imei_under_a_tied_chip_is_found() -> None:
    world, phone, _ = own_chip()
    phone.imei = OTHER_IMEI
    await world.refuses(phone, Reason.HANDSET_CHANGED)


async def test_one_that_cannot_telephone_is_asked_nothing_under_a_tied_chip() -> None:
    world, phone, _ = own_chip()
    phone.telephony = False
    await world.sells(phone)
    assert world.asked().count(Gate.SERIAL) == 1


# What isn't tied


async def test_a_donor_that_answers_on_is_not_tied() -> None:
    """As is a handset's own chip beside its NFC controller: from outside they look the same."""
    world, phone, chip = own_chip()
    chip.of = None
    await must_ask_for_the_number(world, phone)
    tie = check_of(world)["tie"]
    last = tie["steps"][-1]
    assert (last["nfc_on"], last["seen"], tie["put_back"]) == (False, "unused", True)
    assert tie["heard_at"] is None


async def test_a_system_that_leaves_nfc_on_is_not_tied_and_no_scan_is_wasted() -> None:
    world, phone, _ = own_chip()
    phone.switches_nfc = False
    await must_ask_for_the_number(world, phone)
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
    world, phone, chip = own_chip()
    chip.of, phone.nfc_on = None, says
    await must_ask_for_the_number(world, phone)
    assert not phone.calls["nfc_off"]
    assert not phone.calls["nfc_on"]
    assert check_of(world)["tie"]["put_back"] is None


AFTER_ON: dict[str, tuple[list[Any], bool]] = {
    "another chip": ([ANOTHER] * 5, False),
    "one that comes back late": ([SILENT, SILENT], True),
    "one that never comes back": ([SILENT] * 5, False),
    "a reader that stumbles": ([ReaderFault("stumbled")], False),
    "a reader that is pulled": ([ReaderGone("pulled")], False),
}


@pytest.mark.parametrize("case", AFTER_ON)
async def test_what_the_reader_tells_after_nfc_is_on_again_ties_or_not(case: str) -> None:
    shows, tied = AFTER_ON[case]
    world, phone, chip = own_chip()

    async def shown(_: Phone) -> None:
        chip.once = [*shows]

    phone.faults["nfc_on"] = shown
    if tied:
        await world.sells(phone)
        assert check_of(world)["tied"] is True
    else:
        await must_ask_for_the_number(world, phone)
    if case == "another chip":
        assert check_of(world)["tie"]["steps"][-1]["chip"] == OTHER_CHIP
    assert len(world.attempts(CHECK)) == 1
    assert phone.nfc_on


# Faults


def at_first(fault: Exception) -> Fault:
    """What fails as long as NFC was hardly asked for anything."""

    async def fails(phone: Phone) -> None:
        if sum(phone.calls[name] for name in ("nfc_off", "nfc_on", "nfc_facts")) <= 4:
            raise fault

    return fails


FAULTS = (
    TransientFault("a loose cable"),
    HandsetGone("the transport ended"),
    HandsetStalled("it says nothing"),
    AdbServerLost("down"),
    AnswerNotRecognised("Exception occurred while executing"),
    None,
)


@pytest.mark.parametrize("call", ["nfc_facts", "nfc_off", "nfc_on"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: type(f).__name__ if f else "it hangs")
async def test_a_fault_ties_nothing_costs_no_attempt_and_puts_nfc_back(
    call: str, fault: Exception | None
) -> None:
    world, phone, _ = own_chip()
    phone.faults[call] = at_first(fault) if fault else hang
    await must_ask_for_the_number(world, phone)
    assert len(world.attempts(CHECK)) == 1
    detail = check_of(world)["tie"]["detail"]
    assert (str(fault) in detail) if fault else (detail == "it took too long")
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
        assert (await world.ran(phone)).outcome is Outcome.PASSED
    assert check_of(world)["tied"] is True


# After the last reset

AFTER_RESET: dict[str, tuple[bool, Any, Reason | None]] = {
    "a twin brings its own": (True, ANOTHER, Reason.HANDSET_CHANGED),
    "a twin without one is found by its own screen": (True, SILENT, Reason.HANDSET_CHANGED),
    "in use again": (False, IN_USE, Reason.FELICA_RESIDUE),
    "silent then, which leaves it to a person": (False, SILENT, None),
}


@pytest.mark.parametrize("case", AFTER_RESET)
async def test_a_tied_chip_is_looked_at_once_more(case: str) -> None:
    is_twin, looks, reason = AFTER_RESET[case]
    world, phone, chip = own_chip()
    async with world.running():
        world.ports["A1"].plug(phone)
        if is_twin:
            await reset_into(world, twin(phone, accounts=0, wiped=True))
        else:
            await world.until_asked(Gate.FINAL_RESET)
        chip.looks = looks
        view = await world.finished()
    if reason is None:
        assert view.outcome is Outcome.PASSED
    else:
        world.must_not_pass(view, reason)
