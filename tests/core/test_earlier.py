"""A handset that comes back is one story: who was doomed is asked about, and no scan hides it."""

from __future__ import annotations

import pytest

from benchd.domain.chip import ChipScan
from benchd.domain.disposal import DisposalState, Settling
from benchd.domain.errors import ReasonNeeded
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.slots.disposal_desk import DisposalDesk
from tests.people.somebody import somebody

from .fake_chips import IN_USE, SILENT, FakeChip, FakeChipAccess
from .world import IMEI, OTHER_IMEI, SOLD, Phone, Port, World, ending, untold

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

MODIFIED = ("ro.boot.verifiedbootstate=orange",)
DOOMED = (Outcome.FAILED, Disposition.DESTROY, Reason.DESTROY_STANDS)


def refusing() -> World:
    """A rack on which nobody in charge lets a doomed handset in."""
    return World(answers={Gate.DESTROYED_BEFORE: False})


async def test_a_handset_that_was_never_here_has_nothing_behind_it() -> None:
    world = World()
    view = await world.sells()
    assert view.earlier is None
    assert world.evidence(StageName.GATES)["doomed_by"] == []
    assert Gate.DESTROYED_BEFORE not in world.asked()


@pytest.mark.parametrize("let", [True, False])
async def test_what_was_to_be_destroyed_comes_back_by_somebody_in_charge_only(let: bool) -> None:
    world = World(answers={Gate.DESTROYED_BEFORE: let})
    async with world.running():
        first = await world.ran(Phone(signs=MODIFIED))
        assert first.disposition is Disposition.DESTROY
        view = await world.ran()
    assert view.earlier is not None
    assert (view.earlier.job, view.earlier.disposition, view.earlier.reason) == (
        first.job,
        Disposition.DESTROY,
        Reason.SYSTEM_MODIFIED,
    )
    assert view.earlier.doomed
    assert world.asked().count(Gate.DESTROYED_BEFORE) == 1
    assert ending(view) == (SOLD if let else DOOMED)
    assert world.certified() is let
    if let:
        assert world.evidence(StageName.GATES)["doomed_by"] == [first.job]


async def test_many_harmless_jobs_in_between_hide_nothing() -> None:
    world = refusing()
    async with world.running():
        await world.ran(Phone(signs=MODIFIED))
        for _ in range(20):
            held = await world.ran(Phone(accounts=1))
            assert held.disposition is Disposition.HOLD
        view = await world.ran()
    assert view.reason is Reason.DESTROY_STANDS
    assert view.earlier is not None
    assert view.earlier.disposition is Disposition.HOLD
    assert view.earlier.doomed


AGAIN: dict[str, tuple[Phone, Phone]] = {
    "its first number is now its second": (
        Phone(signs=MODIFIED, imei=OTHER_IMEI),
        Phone(second_imei=OTHER_IMEI),
    ),
    "its number is on its screen": (
        Phone(signs=MODIFIED, imei=OTHER_IMEI),
        Phone(imei=None, screen_imei=OTHER_IMEI),
    ),
    "row 2: its second number is now its first": (
        Phone(signs=MODIFIED, imei=OTHER_IMEI, second_imei=IMEI),
        Phone(),
    ),
    "row 2: its second number is on its screen": (
        Phone(signs=MODIFIED, second_imei=OTHER_IMEI),
        Phone(imei=None, screen_imei=IMEI, second_screen_imei=OTHER_IMEI),
    ),
}


@pytest.mark.parametrize("case", AGAIN)
async def test_row_2_doom_follows_the_handset_under_any_of_its_numbers(case: str) -> None:
    world = refusing()
    first, again = AGAIN[case]
    async with world.running():
        await world.ran(first)
        assert ending(await world.ran(again)) == DOOMED


async def test_row_2_who_tells_one_of_two_numbers_leaves_the_other_with_its_doom() -> None:
    """Rule 7: it may tell the other one today, and no serial. Read once, it is asked about."""
    world = refusing()
    world.notes[Gate.SAME_HANDSET] = "same"
    async with world.running():
        doomed = Phone(serial="", imei=IMEI, second_screen_imei=OTHER_IMEI, sim_slots=2)
        doomed.signs = MODIFIED
        assert (await world.ran(doomed)).reason is Reason.SYSTEM_MODIFIED
        view = await world.ran(Phone(serial="", imei=OTHER_IMEI, sim_slots=2))
    assert ending(view) == DOOMED


@pytest.mark.parametrize("same", [True, False])
async def test_row_2_one_that_tells_no_number_is_somebody_in_charges(same: bool) -> None:
    """By its serial it may be it: asked once, and destroyed where somebody says that it is."""
    world = refusing()
    world.notes[Gate.SAME_HANDSET] = "same" if same else "other"
    async with world.running():
        await world.ran(Phone(signs=MODIFIED, imei=None, telephony=False))
        view = await world.ran(Phone(imei=None, telephony=False))
    assert world.asked().count(Gate.SAME_HANDSET) == 1
    assert (view.reason is Reason.DESTROY_STANDS) is same


async def test_another_handset_with_the_same_serial_is_not_held_for_it() -> None:
    world = refusing()
    async with world.running():
        await world.ran(Phone(signs=MODIFIED))
        view = await world.ran(Phone(imei=OTHER_IMEI))
    assert view.disposition is Disposition.SELLABLE
    assert view.earlier is None


async def test_what_somebody_released_to_be_destroyed_is_doomed_too() -> None:
    world = refusing()
    async with world.running():
        held = await world.ran(Phone(accounts=1))
        assert held.job is not None
        settling = Settling(to=DisposalState.TO_DESTROY, note="返却できない")
        await DisposalDesk(world.ledger, world.clock).dispose(held.job, settling, somebody("佐藤"))
        assert ending(await world.ran()) == DOOMED


@pytest.mark.parametrize("note", ["", "  "])
async def test_value_a_doomed_handset_goes_on_by_a_supervisor_who_says_why(note: str) -> None:
    """Doomed by the rule that took one sign for enough."""
    world = World()
    async with world.running():
        await world.ran(Phone(signs=MODIFIED))
        await world.take_out()
        world.silent_in = StageName.GATES
        world.ports["A1"].plug(Phone())
        await world.until_question()
        with pytest.raises(ReasonNeeded):
            await world.decide(Gate.DESTROYED_BEFORE, note=note)
        assert world.view().question is not None
        why = "test-keys だけで破砕になっていた（市販のOS）"
        await world.decide(Gate.DESTROYED_BEFORE, note=why)
        world.back_at_work()
        assert (await world.finished()).disposition is Disposition.SELLABLE
    decisions = [record.entry.data for record in world.ledger.of(EntryKind.DECISION)]
    assert [d["note"] for d in decisions if d["gate"] == Gate.DESTROYED_BEFORE] == [why]


# No wrong scan, second plug or slot without a reader passes it.


class Misreading(World):
    """A rack whose people scan something else at some questions, as often as they're asked."""

    def __init__(self, **scans: str) -> None:
        super().__init__()
        self.scans = {Gate[gate]: number for gate, number in scans.items()}

    def _on_screen(self, port: Port, gate: Gate) -> str:
        return self.scans.get(gate, super()._on_screen(port, gate))


@pytest.mark.parametrize(
    "scans",
    [{"IMEI": OTHER_IMEI}, {"IMEI": OTHER_IMEI, "OBSERVE": OTHER_IMEI}],
    ids=["row 1: the neighbour's number at the gates", "row 12: two readings of one person"],
)
async def test_rows_1_and_12_a_number_that_one_person_has_misread_is_on_no_certificate(
    scans: dict[str, str],
) -> None:
    """A twin that was never erased, and its screen read truthfully by whoever confirms only."""
    world = Misreading(**scans)
    view = await world.end_of(untold())
    assert view.disposition is Disposition.HOLD
    assert not world.issuer.kept


async def test_row_1_its_own_number_read_by_two_people_is_on_the_certificate() -> None:
    await Misreading().sells(untold())


@pytest.mark.parametrize("gate", [Gate.OBSERVE, Gate.CONFIRM])
async def test_row_9_the_other_bar_code_is_the_same_handset(gate: Gate) -> None:
    world = Misreading(**{gate.name: OTHER_IMEI})
    await world.sells(untold(second_screen_imei=OTHER_IMEI, sim_slots=2))


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
        assert (await world.ran()).reason is first
        await world.take_out()
        view = await world.ran(slot="A2")
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.READER_LOOK_STANDS)
    assert not world.issuer.kept


@pytest.mark.parametrize("knows", [True, False])
async def test_row_11_one_number_under_two_serials_waits_for_somebody_in_charge(
    knows: bool,
) -> None:
    world = World(answers={Gate.SAME_HANDSET: knows})
    async with world.running():
        assert ending(await world.ran()) == SOLD
        view = await world.ran(Phone(serial="R5CT999ZZZZ", imei=IMEI))
    assert Gate.SAME_HANDSET in world.asked()
    assert len(world.issuer.kept) == (2 if knows else 1)
    if not knows:
        assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.IDENTITY_UNSETTLED)
