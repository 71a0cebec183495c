"""One handset, one story: no wrong scan, second plug or slot without a reader passes it."""

from __future__ import annotations

import pytest

from benchd.domain.chip import ChipScan
from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState

from .fake_chips import IN_USE, SILENT, FakeChip, FakeChipAccess
from .test_earlier import MODIFIED, OTHER_IMEI, asked, run_one
from .world import IMEI, Phone, Port, World

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

SECOND_IMEI = "356938035643809"
SOLD = (Outcome.PASSED, Disposition.SELLABLE, None)


class Misreading(World):
    """A rack whose people scan something else at some questions, as often as they're asked."""

    scans: dict[Gate, str]

    def _on_screen(self, port: Port, gate: Gate) -> str:
        return self.scans.get(gate, super()._on_screen(port, gate))


def misreading(**scans: str) -> Misreading:
    world = Misreading()
    world.scans = {Gate[gate]: number for gate, number in scans.items()}
    return world


def end_of(view: SlotView) -> tuple[Outcome | None, Disposition | None, Reason | None]:
    return view.outcome, view.disposition, view.reason


def untold(**changes: object) -> Phone:
    """A handset that tells adb no number; its own screen shows IMEI."""
    return Phone(imei=None, screen_imei=IMEI, **changes)  # type: ignore[arg-type]


async def test_row_1_the_neighbours_number_scanned_at_the_gates_is_on_no_certificate() -> None:
    world = misreading(IMEI=OTHER_IMEI)
    async with world.running():
        view = await run_one(world, untold())
    assert view.disposition is Disposition.HOLD
    assert not world.issuer.kept


async def test_row_12_two_readings_of_one_person_prove_no_number() -> None:
    """A twin that was never erased, and its screen read truthfully by whoever confirms only."""
    world = misreading(IMEI=OTHER_IMEI, OBSERVE=OTHER_IMEI)
    async with world.running():
        view = await run_one(world, untold())
    assert view.disposition is Disposition.HOLD
    assert not world.issuer.kept


async def test_row_1_its_own_number_read_by_two_people_is_on_the_certificate() -> None:
    world = misreading()
    async with world.running():
        assert end_of(await run_one(world, untold())) == SOLD


@pytest.mark.parametrize("again", [Phone(imei=SECOND_IMEI), untold(second_screen_imei=SECOND_IMEI)])
async def test_row_2_doom_follows_the_handset_under_its_second_number(again: Phone) -> None:
    world = World(answers={Gate.DESTROYED_BEFORE: False})
    async with world.running():
        await run_one(world, Phone(signs=MODIFIED, second_imei=SECOND_IMEI))
        view = await run_one(world, again)
    assert (view.disposition, view.reason) == (Disposition.DESTROY, Reason.DESTROY_STANDS)


async def test_row_2_who_tells_one_of_two_numbers_leaves_the_other_with_its_doom() -> None:
    """Rule 7: it may tell the other one today, and no serial. Read once, it is asked about."""
    world = World(answers={Gate.DESTROYED_BEFORE: False})
    world.notes[Gate.SAME_HANDSET] = "same"
    async with world.running():
        doomed = Phone(serial="", imei=IMEI, second_screen_imei=OTHER_IMEI, sim_slots=2)
        doomed.signs = MODIFIED
        assert (await run_one(world, doomed)).reason is Reason.SYSTEM_MODIFIED
        view = await run_one(world, Phone(serial="", imei=OTHER_IMEI, sim_slots=2))
    assert (view.disposition, view.reason) == (Disposition.DESTROY, Reason.DESTROY_STANDS)


@pytest.mark.parametrize("same", [True, False])
async def test_row_2_one_that_tells_no_number_is_somebody_in_charges(same: bool) -> None:
    """By its serial it may be it: asked once, and destroyed where somebody says that it is."""
    world = World(answers={Gate.DESTROYED_BEFORE: False})
    world.notes[Gate.SAME_HANDSET] = "same" if same else "other"
    tablet = {"imei": None, "telephony": False}
    async with world.running():
        await run_one(world, Phone(signs=MODIFIED, **tablet))  # type: ignore[arg-type]
        view = await run_one(world, Phone(**tablet))  # type: ignore[arg-type]
    assert asked(world).count(Gate.SAME_HANDSET) == 1
    assert (view.reason is Reason.DESTROY_STANDS) is same


@pytest.mark.parametrize(
    ("seen", "first"), [(IN_USE, Reason.FELICA_RESIDUE), (SILENT, Reason.FELICA_SILENT)]
)
async def test_row_3_a_persons_word_in_a_slot_without_reader_leaves_a_readers_look(
    seen: ChipScan, first: Reason
) -> None:
    """Also of one that somebody in charge has let in again since."""
    chips = FakeChipAccess({"A1": FakeChip(looks=seen, after_clear=seen)})
    world = World(2, chips=chips, answers={Gate.FELICA_RETIRED: False})
    async with world.running():
        assert (await run_one(world, Phone())).reason is first
        world.ports["A2"].plug(Phone())
        view = await world.until_state(SlotState.FINISHED, "A2")
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.READER_LOOK_STANDS)
    assert not world.issuer.kept


@pytest.mark.parametrize("gate", [Gate.OBSERVE, Gate.CONFIRM])
async def test_row_9_the_other_bar_code_is_the_same_handset(gate: Gate) -> None:
    world = misreading(**{gate.name: SECOND_IMEI})
    async with world.running():
        view = await run_one(world, untold(second_screen_imei=SECOND_IMEI, sim_slots=2))
    assert end_of(view) == SOLD


@pytest.mark.parametrize("knows", [True, False])
async def test_row_11_one_number_under_two_serials_waits_for_somebody_in_charge(
    knows: bool,
) -> None:
    world = World(answers={Gate.SAME_HANDSET: knows})
    async with world.running():
        assert end_of(await run_one(world, Phone())) == SOLD
        view = await run_one(world, Phone(serial="R5CT999ZZZZ", imei=IMEI))
    assert Gate.SAME_HANDSET in asked(world)
    assert len(world.issuer.kept) == (2 if knows else 1)
    if not knows:
        assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.IDENTITY_UNSETTLED)
