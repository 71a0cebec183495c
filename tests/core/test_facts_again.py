"""Between inspection and last reset a handset changes; what forbids to erase it is read again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import pytest

from benchd.domain.errors import AnswerNotRecognised, HandsetGone
from benchd.domain.handset import ModificationSource
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import MENDS_ITSELF, ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.proof.floors import MOST_S_BEFORE_RESET, MOST_S_BETWEEN_READINGS

from .world import MIB, Fault, Phone, World

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

SIGN = ("ro.boot.verifiedbootstate=orange",)


def _opened_loader(phone: Phone) -> None:
    phone.signs, phone.sign_sources = SIGN, (ModificationSource.BOOT_CHAIN,)


def _set(**changes: object) -> Callable[[Phone], None]:
    def change(phone: Phone) -> None:
        for name, value in changes.items():
            setattr(phone, name, value)

    return change


APPEARS: Mapping[str, tuple[Callable[[Phone], None], Reason]] = {
    "account": (_set(accounts=1), Reason.LOCKED),
    "screen lock": (_set(screen_lock=True), Reason.LOCKED),
    "FRP": (_set(frp_armed=True), Reason.LOCKED),
    "memory card": (_set(removable_media=True), Reason.REMOVABLE_MEDIA),
    "device owner": (_set(device_owner=True), Reason.MANAGED_DEVICE),
    "second user": (_set(users=(0, 10)), Reason.OTHER_USER),
    "open boot loader": (_opened_loader, Reason.SYSTEM_SUSPECT),
    "root": (_set(signs=("su", "orange")), Reason.SYSTEM_MODIFIED),
    "another IMEI": (_set(imei="490154203237518"), Reason.HANDSET_CHANGED),
    "another serial": (_set(serial="OTHER"), Reason.HANDSET_CHANGED),
}
"""What somebody does to a handset in mid-job, adb being on."""


def asked(world: World) -> list[str]:
    return [str(r.entry.data["gate"]) for r in world.ledger.of(EntryKind.QUESTION_ASKED)]


def evidence(world: World, stage: StageName) -> Mapping[str, Any]:
    ends = [r.entry.data for r in world.ledger.of(EntryKind.STAGE_ENDED)]
    return [data["evidence"] for data in ends if data["stage"] == stage][-1]  # type: ignore[return-value]


@pytest.mark.parametrize("case", APPEARS)
async def test_row_7_what_appears_after_the_read_back_ends_the_job_before_the_reset(
    case: str,
) -> None:
    change, reason = APPEARS[case]

    async def appears(phone: Phone) -> None:
        change(phone)

    world = World()
    phone = Phone(used_bytes=30 * MIB, faults={"drop": appears})
    await world.refuses(phone, reason)
    assert Gate.FINAL_RESET not in world.asked()
    assert bool(phone.dossiers) is (reason is Reason.SYSTEM_SUSPECT)


@pytest.mark.parametrize("case", APPEARS)
async def test_row_7_what_appears_while_the_question_stands_is_read_too(case: str) -> None:
    change, reason = APPEARS[case]
    world = World()
    world.silent_in = StageName.FINAL_RESET
    async with world.running():
        phone = Phone()
        world.ports["A1"].plug(phone)
        await world.until_question()
        while world.view().stage != StageName.FINAL_RESET:
            await world.board.changed(world.board.version)
        await world.until_question()
        await anyio.sleep(3600)
        assert world.view().question is not None
        began = anyio.current_time()
        change(phone)
        view = await world.until_state(SlotState.FINISHED)
        assert anyio.current_time() - began < MOST_S_BETWEEN_READINGS + 10
    assert (view.outcome, view.reason) == (Outcome.FAILED, reason)
    assert not world.issuer.kept


async def test_row_7_what_was_read_is_on_record_and_no_older_than_a_few_minutes() -> None:
    world = World()
    world.silent_in = StageName.FINAL_RESET
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_stage(StageName.FINAL_RESET)
        await world.until_question()
        await anyio.sleep(4000)
        world.back_at_work()
        view = await world.until_state(SlotState.FINISHED)
    assert view.disposition is Disposition.SELLABLE
    again = evidence(world, StageName.FINAL_RESET)["facts_again"]
    assert again["serial"] == "R5CT10ABCDE"
    assert again["account_count"] == 0
    assert again["sim"] is False
    assert 0 < again["before_reset_s"] <= MOST_S_BETWEEN_READINGS + 1
    assert world.asked().count(Gate.FINAL_RESET) == 1


async def test_row_7_a_cable_that_flaps_after_the_reading_leaves_nothing_stale() -> None:
    """Lost while it's read: the attempt is made again, and so is the reading."""

    async def gone_once(phone: Phone) -> None:
        if phone.calls["standing"] == 1:
            raise HandsetGone("?")

    world = World()
    phone = Phone(faults={"standing": gone_once})
    await world.sells(phone)
    assert phone.calls["standing"] == 2
    ends = [
        r.entry.data["outcome"]
        for r in world.ledger.of(EntryKind.STAGE_ENDED)
        if r.entry.data["stage"] == StageName.FINAL_RESET
    ]
    assert ends == [Outcome.FAILED, Outcome.PASSED]


@pytest.mark.parametrize("failure", [HandsetGone("?"), AnswerNotRecognised("?")])
async def test_row_7_a_reading_that_fails_as_the_handset_shuts_down_holds_nobody(
    failure: Exception,
) -> None:
    async def after_the_first(phone: Phone) -> None:
        if phone.calls["standing"] > 1:
            raise failure

    world = World()
    world.silent_in = StageName.FINAL_RESET
    async with world.running():
        world.ports["A1"].plug(Phone(faults={"standing": after_the_first}))
        await world.until_stage(StageName.FINAL_RESET)
        await world.until_question()
        await anyio.sleep(MOST_S_BETWEEN_READINGS + 30)
        world.back_at_work()
        view = await world.until_state(SlotState.FINISHED)
    assert view.disposition is Disposition.SELLABLE
    again = evidence(world, StageName.FINAL_RESET)["facts_again"]
    assert MOST_S_BETWEEN_READINGS < again["before_reset_s"] < MOST_S_BEFORE_RESET


async def test_row_7_a_handset_that_is_not_read_any_more_is_read_in_another_attempt() -> None:
    async def not_the_second_and_third(phone: Phone) -> None:
        if phone.calls["standing"] in (2, 3):
            raise HandsetGone("?")

    world = World()
    world.silent_in = StageName.FINAL_RESET
    async with world.running():
        phone = Phone(faults={"standing": not_the_second_and_third})
        world.ports["A1"].plug(phone)
        await world.until(lambda: phone.calls["standing"] == 4)
        world.back_at_work()
        view = await world.until_state(SlotState.FINISHED)
    assert view.disposition is Disposition.SELLABLE
    assert evidence(world, StageName.FINAL_RESET)["facts_again"]["before_reset_s"] < 60


async def test_row_8_a_sim_waits_on_the_tile_and_asks_nobody() -> None:
    world = World()
    async with world.running():
        phone = Phone(sim=True)
        world.ports["A1"].plug(phone)
        waiting = await world.until_state(SlotState.WAITING)
        assert waiting.problem is not None
        assert waiting.problem.code is ProblemCode.SIM_PRESENT
        assert ProblemCode.SIM_PRESENT not in MENDS_ITSELF  # somebody has to take it out
        await anyio.sleep(900)
        assert world.asked() == []
        phone.sim = False
        view = await world.until_state(SlotState.FINISHED)
    assert view.disposition is Disposition.SELLABLE
    assert evidence(world, StageName.INSPECT)["sim"] is True
    assert evidence(world, StageName.FINAL_RESET)["facts_again"]["sim"] is False


async def test_row_8_a_handset_that_restarts_without_its_sim_goes_on() -> None:
    world = World()
    async with world.running():
        phone = Phone(sim=True)
        world.ports["A1"].plug(phone)
        await world.until_state(SlotState.WAITING)

        async def restarts(found: Phone) -> None:
            del found.faults["sim"]
            found.sim = False
            raise HandsetGone("?")

        phone.faults["sim"] = restarts
        view = await world.until_state(SlotState.FINISHED)
    assert view.disposition is Disposition.SELLABLE


async def test_row_8_a_sim_that_nobody_takes_out_is_held_with_its_own_reason() -> None:
    world = World()
    view = await world.end_of(Phone(sim=True))
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.SIM_PRESENT)
    assert not world.issuer.kept


@pytest.mark.parametrize("when", ["before the question", "while it stands"])
async def test_row_8_a_sim_put_in_since_the_gates_is_taken_out_before_the_reset(when: str) -> None:
    async def put_in(phone: Phone) -> None:
        phone.sim = True

    world = World()
    faults: dict[str, Fault] = {"drop": put_in} if when == "before the question" else {}
    world.silent_in = StageName.FINAL_RESET
    async with world.running():
        phone = Phone(used_bytes=30 * MIB, faults=faults)
        world.ports["A1"].plug(phone)
        if not faults:
            await world.until_stage(StageName.FINAL_RESET)
            await world.until_question()
            phone.sim = True
        waiting = await world.until_state(SlotState.WAITING)
        assert waiting.problem is not None
        assert waiting.problem.code is ProblemCode.SIM_PRESENT
        assert waiting.question is None
        world.silent_in = None
        phone.sim = False
        view = await world.until_state(SlotState.FINISHED)
    assert view.disposition is Disposition.SELLABLE
    assert evidence(world, StageName.FINAL_RESET)["facts_again"]["sim"] is False


@pytest.mark.parametrize(("sim", "tray"), [(False, "told_empty"), (None, "not_told")])
async def test_row_8_the_last_look_is_into_the_tray_where_adb_does_not_tell(
    sim: bool | None, tray: str
) -> None:
    world = World()
    await world.sells(Phone(sim=sim))
    [facts] = [
        r.entry.data["facts"]
        for r in world.ledger.of(EntryKind.QUESTION_ASKED)
        if r.entry.data["gate"] == Gate.OBSERVE
    ]
    assert facts["tray"] == tray  # type: ignore[index, call-overload]


async def test_row_8_frp_that_is_armed_without_an_account_is_held_as_a_lock() -> None:
    world = World()
    view = await world.end_of(Phone(frp_armed=True))
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.LOCKED)
    [end] = [r.entry.data for r in world.ledger.of(EntryKind.JOB_ENDED)]
    assert "factory reset protection is active" in str(end["detail"])


async def test_row_8_a_sim_lock_is_on_record_with_its_source_and_refuses_nothing() -> None:
    world = World()
    await world.sells(Phone(sim_lock=True))
    told = evidence(world, StageName.INSPECT)
    assert (told["sim_lock"], told["sim_lock_source"]) == (True, "gsm.sim.state=NETWORK_LOCKED")


async def test_value_one_sign_alone_is_held_with_a_dossier() -> None:
    world = World()
    phone = Phone(signs=SIGN, sign_sources=(ModificationSource.BOOT_CHAIN,))
    view = await world.end_of(phone)
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.SYSTEM_SUSPECT)
    assert view.dossier == view.job
    assert phone.dossiers == ["; ".join(SIGN)]


async def test_value_many_signs_of_one_source_are_one() -> None:
    signs = ("ro.debuggable=1", "ro.build.type=userdebug", "ro.build.tags=test-keys")
    view = await World().end_of(Phone(signs=signs, sign_sources=(ModificationSource.BUILD,)))
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.SYSTEM_SUSPECT)


async def test_value_two_sources_doom() -> None:
    sources = (ModificationSource.BOOT_CHAIN, ModificationSource.SUPERUSER)
    view = await World().end_of(Phone(signs=(*SIGN, "su at /sbin/su"), sign_sources=sources))
    assert (view.disposition, view.reason) == (Disposition.DESTROY, Reason.SYSTEM_MODIFIED)
