"""Between inspection and last reset a handset changes; what forbids to erase it is read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio
import pytest

from benchd.domain.errors import AnswerNotRecognised, HandsetGone
from benchd.domain.handset import ModificationSource
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.slot import MENDS_ITSELF, ProblemCode
from benchd.proof.floors import MOST_S_BEFORE_RESET, MOST_S_BETWEEN_READINGS

from .world import MIB, OTHER_IMEI, SERIAL, Phone, World, ended, failing

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

SIGN = ("ro.boot.verifiedbootstate=orange",)
OPENED_LOADER = {"signs": SIGN, "sign_sources": (ModificationSource.BOOT_CHAIN,)}
APPEARS: Mapping[str, tuple[dict[str, Any], Reason]] = {
    "account": ({"accounts": 1}, Reason.LOCKED),
    "screen lock": ({"screen_lock": True}, Reason.LOCKED),
    "FRP": ({"frp_armed": True}, Reason.LOCKED),
    "memory card": ({"removable_media": True}, Reason.REMOVABLE_MEDIA),
    "device owner": ({"device_owner": True}, Reason.MANAGED_DEVICE),
    "lock for lenders": ({"lock_admins": ("com.x",)}, Reason.MANAGED_DEVICE),
    "second user": ({"users": (0, 10)}, Reason.OTHER_USER),
    "open boot loader": (OPENED_LOADER, Reason.SYSTEM_SUSPECT),
    "root": ({"signs": ("su", "orange")}, Reason.SYSTEM_MODIFIED),
    "another IMEI": ({"imei": OTHER_IMEI}, Reason.HANDSET_CHANGED),
    "another serial": ({"serial": "OTHER"}, Reason.HANDSET_CHANGED),
}
"""What somebody does to a handset in mid-job, adb being on."""


def change(phone: Phone, **changes: object) -> None:
    for name, value in changes.items():
        setattr(phone, name, value)


def silent_at_the_reset() -> World:
    """A rack whose operators take their time over the last reset."""
    world = World()
    world.silent_in = StageName.FINAL_RESET
    return world


def facts_again(world: World) -> Mapping[str, Any]:
    found: Mapping[str, Any] = world.evidence(StageName.FINAL_RESET)["facts_again"]
    return found


@pytest.mark.parametrize("case", APPEARS)
async def test_row_7_what_appears_after_the_read_back_ends_the_job_before_the_reset(
    case: str,
) -> None:
    changes, reason = APPEARS[case]

    async def appears(phone: Phone) -> None:
        change(phone, **changes)

    world = World()
    phone = Phone(used_bytes=30 * MIB, faults={"drop": appears})
    await world.refuses(phone, reason)
    assert Gate.FINAL_RESET not in world.asked()
    assert bool(phone.dossiers) is (reason is Reason.SYSTEM_SUSPECT)


@pytest.mark.parametrize("case", APPEARS)
async def test_row_7_what_appears_while_the_question_stands_is_read_too(case: str) -> None:
    changes, reason = APPEARS[case]
    world, phone = silent_at_the_reset(), Phone()
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until_question(Gate.FINAL_RESET)
        await anyio.sleep(3600)
        assert world.view().question is not None
        began = anyio.current_time()
        change(phone, **changes)
        world.must_not_pass(await world.finished(), reason)
        assert anyio.current_time() - began < MOST_S_BETWEEN_READINGS + 10


async def test_row_7_what_was_read_is_on_record_and_no_older_than_a_few_minutes() -> None:
    world = silent_at_the_reset()
    async with world.running():
        world.ports["A1"].plug(Phone())
        await world.until_question(Gate.FINAL_RESET)
        await anyio.sleep(4000)
        world.back_at_work()
        assert (await world.finished()).disposition is Disposition.SELLABLE
    again = facts_again(world)
    assert (again["serial"], again["account_count"], again["sim"]) == (SERIAL, 0, False)
    assert 0 < again["before_reset_s"] <= MOST_S_BETWEEN_READINGS + 1
    assert world.asked().count(Gate.FINAL_RESET) == 1


async def test_row_7_a_cable_that_flaps_after_the_reading_leaves_nothing_stale() -> None:
    """Lost while it's read: the attempt is made again, and so is the reading."""
    world, phone = World(), Phone(faults=failing("standing", HandsetGone("?"), 1))
    await world.sells(phone)
    assert phone.calls["standing"] == 2
    ends = [told["outcome"] for told in world.attempts(StageName.FINAL_RESET)]
    assert ends == [Outcome.FAILED, Outcome.PASSED]


@pytest.mark.parametrize("failure", [HandsetGone("?"), AnswerNotRecognised("?")])
async def test_row_7_a_reading_that_fails_as_the_handset_shuts_down_holds_nobody(
    failure: Exception,
) -> None:
    world = silent_at_the_reset()
    async with world.running():
        world.ports["A1"].plug(Phone(faults=failing("standing", failure, *range(2, 99))))
        await world.until_question(Gate.FINAL_RESET)
        await anyio.sleep(MOST_S_BETWEEN_READINGS + 30)
        world.back_at_work()
        assert (await world.finished()).disposition is Disposition.SELLABLE
    assert MOST_S_BETWEEN_READINGS < facts_again(world)["before_reset_s"] < MOST_S_BEFORE_RESET


async def test_row_7_a_handset_that_is_not_read_any_more_is_read_in_another_attempt() -> None:
    world, phone = silent_at_the_reset(), Phone(faults=failing("standing", HandsetGone("?"), 2, 3))
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until(lambda: phone.calls["standing"] == 4)
        world.back_at_work()
        assert (await world.finished()).disposition is Disposition.SELLABLE
    assert facts_again(world)["before_reset_s"] < 60


@pytest.mark.parametrize("restarts", [False, True])
async def test_row_8_a_sim_waits_on_the_tile_and_asks_nobody(restarts: bool) -> None:
    """It's taken out while adb looks on, or with a restart of the handset."""
    world, phone = World(), Phone(sim=True)
    async with world.running():
        world.ports["A1"].plug(phone)
        await world.until_problem(ProblemCode.SIM_PRESENT)
        assert ProblemCode.SIM_PRESENT not in MENDS_ITSELF  # somebody has to take it out
        await anyio.sleep(900)
        assert world.asked() == []

        async def is_gone(found: Phone) -> None:
            del found.faults["sim"]
            found.sim = False
            raise HandsetGone("?")

        phone.sim = restarts
        phone.faults |= {"sim": is_gone} if restarts else {}
        assert (await world.finished()).disposition is Disposition.SELLABLE
    assert world.evidence(StageName.INSPECT)["sim"] is True
    assert facts_again(world)["sim"] is False


async def test_row_8_a_sim_that_nobody_takes_out_is_held_with_its_own_reason() -> None:
    view = await World().refuses(Phone(sim=True), Reason.SIM_PRESENT)
    assert view.disposition is Disposition.HOLD


@pytest.mark.parametrize("when", ["before the question", "while it stands"])
async def test_row_8_a_sim_put_in_since_the_gates_is_taken_out_before_the_reset(when: str) -> None:
    async def put_in(phone: Phone) -> None:
        phone.sim = True

    world, phone = silent_at_the_reset(), Phone(used_bytes=30 * MIB)
    if when == "before the question":
        phone.faults["drop"] = put_in
    async with world.running():
        world.ports["A1"].plug(phone)
        if when == "while it stands":
            await world.until_question(Gate.FINAL_RESET)
            phone.sim = True
        waiting = await world.until_problem(ProblemCode.SIM_PRESENT)
        assert waiting.question is None
        world.silent_in = None
        phone.sim = False
        assert (await world.finished()).disposition is Disposition.SELLABLE
    assert facts_again(world)["sim"] is False


@pytest.mark.parametrize(("sim", "tray"), [(False, "told_empty"), (None, "not_told")])
async def test_row_8_the_last_look_is_into_the_tray_where_adb_does_not_tell(
    sim: bool | None, tray: str
) -> None:
    world = World()
    await world.sells(Phone(sim=sim))
    [question] = world.questions(Gate.OBSERVE)
    assert question["facts"]["tray"] == tray


async def test_row_8_frp_that_is_armed_without_an_account_is_held_as_a_lock() -> None:
    world = World()
    view = await world.refuses(Phone(frp_armed=True), Reason.LOCKED)
    assert view.disposition is Disposition.HOLD
    assert "factory reset protection is active" in str(ended(world)[0]["detail"])


async def test_row_8_a_sim_lock_is_on_record_with_its_source_and_refuses_nothing() -> None:
    world = World()
    await world.sells(Phone(sim_lock=True))
    told = world.evidence(StageName.INSPECT)
    assert (told["sim_lock"], told["sim_lock_source"]) == (True, "gsm.sim.state=NETWORK_LOCKED")


SIGNS: dict[str, tuple[tuple[str, ...], tuple[ModificationSource, ...]]] = {
    "one sign": (SIGN, (ModificationSource.BOOT_CHAIN,)),
    "many signs of one source are one": (
        ("ro.debuggable=1", "ro.build.type=userdebug", "ro.build.tags=test-keys"),
        (ModificationSource.BUILD,),
    ),
    "two sources doom": (
        (*SIGN, "su at /sbin/su"),
        (ModificationSource.BOOT_CHAIN, ModificationSource.SUPERUSER),
    ),
}


@pytest.mark.parametrize("case", SIGNS)
async def test_value_one_source_of_signs_is_held_with_a_dossier_and_two_doom(case: str) -> None:
    signs, sources = SIGNS[case]
    phone = Phone(signs=signs, sign_sources=sources)
    if len(sources) == 2:
        view = await World().refuses(phone, Reason.SYSTEM_MODIFIED)
        assert view.disposition is Disposition.DESTROY
        return
    view = await World().refuses(phone, Reason.SYSTEM_SUSPECT)
    assert view.disposition is Disposition.HOLD
    assert view.dossier == view.job
    assert phone.dossiers == ["; ".join(signs)]
