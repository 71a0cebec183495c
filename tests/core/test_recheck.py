"""A share of handsets is drawn for an independent recheck, and nobody gets out of it."""

from __future__ import annotations

from typing import Any

import pytest

from benchd.domain.authority import Action
from benchd.domain.disposal import DisposalState
from benchd.domain.errors import NotAllowed, RecheckRefused, ScreenNumberNeeded, SecondPersonNeeded
from benchd.domain.intake import AttestationKind
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.people import Actor, ShownBy
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot_states import SlotState
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.pipelines.recovery import close_open_jobs
from benchd.slots.disposal_desk import disposal_of
from tests.intake.lots import BY, LOT, lot_record, right_time
from tests.people.somebody import Everybody

from .fake_chips import IN_USE, OTHER_CHIP, SILENT, UNUSED, FakeChip, scan_of
from .rechecks import IMEI, RECHECKER, RecheckRack
from .world import (
    ADB,
    MTP_ONLY,
    UNTOLD_IMEI,
    CountingEntropy,
    MemoryLedger,
    Phone,
    SteppingClock,
    World,
    phone_like,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

OTHER_IMEI = "352099001761481"
SELLABLE = (Outcome.PASSED, Disposition.SELLABLE, None)
DUE = (Outcome.PASSED, Disposition.HOLD, Reason.RECHECK_DUE)


def end_of(view: Any) -> tuple[Outcome, Disposition, Reason | None]:  # noqa: ANN401
    return view.outcome, view.disposition, view.reason


async def test_without_a_share_nobody_draws() -> None:
    rack = RecheckRack(share=0)
    async with rack.world.running():
        assert end_of(await rack.erased(Phone())) == SELLABLE
    assert rack.draws() == []


async def test_a_drawn_handset_is_certified_by_its_recheck_alone() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        assert end_of(await rack.erased(phone)) == DUE
        [end] = rack.ends()
        assert end["certificate"] is None
        [draw] = rack.draws()
        assert (draw["share"], draw["drawn"], draw["owed"]) == (1.0, True, [])
        assert end_of(await rack.rechecked(phone)) == SELLABLE
    drawn, recheck = rack.jobs()
    assert rack.ends()[-1]["certificate"] is not None
    assert recheck in rack.world.issuer.kept
    assert drawn not in rack.world.issuer.kept
    assert rack.world.passed_for_real == {recheck}
    item = await disposal_of(rack.ledger, drawn)
    assert item is not None
    assert (item.state, item.run_again_as) == (DisposalState.RUN_AGAIN, recheck)
    assert await disposal_of(rack.ledger, recheck) is None


class Drawing(CountingEntropy):
    """Fake randomness whose draws are as told; all else is as ever."""

    def __init__(self, token: bytes) -> None:
        super().__init__()
        self._token = token

    def token(self, size_bytes: int) -> bytes:
        return self._token if size_bytes == len(self._token) else super().token(size_bytes)


@pytest.mark.parametrize(
    ("token", "end"),
    [("0ccccccccccccccc", DUE), ("0ccccccccccccd00", SELLABLE), ("ffffffffffffffff", SELLABLE)],
)
async def test_a_draw_follows_from_its_number(token: str, end: object) -> None:
    rack = RecheckRack(share=0.05, entropy=Drawing(bytes.fromhex(token)))
    async with rack.world.running():
        assert end_of(await rack.erased(Phone())) == end
    assert [draw["token"] for draw in rack.draws()] == [token]


async def test_the_draw_stands_on_record_before_the_job_ends_by_it() -> None:
    rack = RecheckRack()
    async with rack.world.running():
        await rack.erased(Phone())
    kinds = [s.entry.kind for s in rack.records(rack.jobs()[0])]
    confirmed = [
        i
        for i, s in enumerate(rack.records(rack.jobs()[0]))
        if s.entry.data.get("stage") == StageName.CONFIRM and s.entry.kind is EntryKind.STAGE_ENDED
    ]
    assert confirmed[-1] < kinds.index(EntryKind.RECHECK_DRAWN) < kinds.index(EntryKind.JOB_ENDED)


@pytest.mark.parametrize("shown_by", ShownBy)
@pytest.mark.parametrize("who", ["Sato", "SATO", "Suzuki", "ｓａｔｏ"])
async def test_whoever_has_touched_it_cannot_recheck_it(who: str, shown_by: ShownBy) -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        await rack.asked(phone)
        with pytest.raises(SecondPersonNeeded):
            await rack.answered(who, shown_by=shown_by)
        await rack.answered(RECHECKER)
        await rack.world.until_state(SlotState.FINISHED, "A2")
    assert rack.ends()[-1]["disposition"] == Disposition.SELLABLE


class Left(Everybody):
    """A fake `Authority` of a rack that one person has left meanwhile."""

    def refuse_unless_allowed(self, actor: Actor, action: Action) -> None:
        if actor.person == RECHECKER.casefold():
            message = f"{actor.person} may do nothing on this rack"
            raise NotAllowed(message)


async def test_whoever_has_left_meanwhile_cannot_recheck_it() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        await rack.asked(phone)
        rack.world.desk._authority = Left()
        with pytest.raises(NotAllowed):
            await rack.answered(RECHECKER)
        await rack.answered("Mori")
        rack.world.operators[Gate.RECHECK_CHIP] = "Mori"
        assert end_of(await rack.world.until_state(SlotState.FINISHED, "A2")) == SELLABLE


async def test_the_look_by_eye_is_nobodys_either_who_has_touched_it() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        rack.world.silent_in = StageName.RECHECK
        rack.world.ports["A2"].plug(phone, MTP_ONLY)
        await until_asked_for_the_chip(rack)
        with pytest.raises(SecondPersonNeeded):
            await rack.answered("Sato", "", gate=Gate.RECHECK_CHIP)
        await rack.answered("Mori", "", gate=Gate.RECHECK_CHIP)
        assert end_of(await rack.world.until_state(SlotState.FINISHED, "A2")) == SELLABLE


async def test_whoever_attested_for_it_at_intake_cannot_recheck_it() -> None:
    ledger = MemoryLedger()
    store = IntakeStore(ledger, SteppingClock(), right_time(ledger, SteppingClock()))
    desk = IntakeDesk(store, CountingEntropy())
    chips = {"A1": FakeChip(), "A2": FakeChip()}
    rack, phone = RecheckRack(ledger=ledger, chips=chips, intake=store), Phone()
    async with rack.world.running():
        await desk.add_lot(lot_record(attests=(AttestationKind.CONSENT, AttestationKind.JPKI)))
        done = await desk.import_assets(
            LOT, f"tag,IMEI\nT1,{IMEI}\n".encode(), by=BY, dry_run=False
        )
        assert done.taken
        assert end_of(await rack.erased(phone)) == DUE
        await rack.asked(phone)
        with pytest.raises(SecondPersonNeeded):
            await rack.answered(BY.operator)
        await rack.answered(RECHECKER)
        assert end_of(await rack.world.until_state(SlotState.FINISHED, "A2")) == SELLABLE


async def test_a_recheck_is_for_the_handset_that_its_number_names() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        await rack.asked(phone)
        with pytest.raises(ScreenNumberNeeded):
            await rack.answered(RECHECKER, "")
        with pytest.raises(RecheckRefused, match="no handset"):
            await rack.answered(RECHECKER, OTHER_IMEI)
        with pytest.raises(RecheckRefused, match="no handset"):
            await rack.answered(RECHECKER, phone.serial)


async def test_another_handset_by_its_usb_serial_is_refused() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        await rack.asked(phone_like(phone, serial="OTHER"))
        with pytest.raises(RecheckRefused, match="USB"):
            await rack.answered(RECHECKER)


async def test_nothing_is_rechecked_before_its_job_has_ended() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        rack.world.silent_in = StageName.CONFIRM
        rack.world.ports["A1"].plug(phone)
        await rack.world.until(lambda: rack.world.view().stage is StageName.CONFIRM)
        rack.world.ports["A2"].plug(phone_like(phone), MTP_ONLY)
        await rack.world.until_state(SlotState.AWAITING_OPERATOR, "A2")
        with pytest.raises(RecheckRefused, match="no handset"):
            await rack.answered(RECHECKER)


async def test_a_job_that_was_not_drawn_is_not_rechecked() -> None:
    rack, phone = RecheckRack(share=0), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        await rack.asked(phone)
        with pytest.raises(RecheckRefused, match="no handset"):
            await rack.answered(RECHECKER)


async def test_running_it_again_draws_it_for_certain() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
    again = again_without_a_share(rack)
    async with again.world.running():
        assert end_of(await again.erased(phone)) == DUE
        first, second = again.jobs()
        assert again.draws()[-1]["owed"] == [first]
        # The first one can't be rechecked any more: its handset was erased once more since.
        assert end_of(await again.rechecked(phone)) == SELLABLE
        evidence = [s.entry.data["evidence"] for s in again.ledger.of(EntryKind.STAGE_ENDED)]
        assert [e["drawn_job"] for e in evidence if "drawn_job" in e] == [second]  # type: ignore[index]
        again.world.ports["A2"].unplug()
        # With that the first draw is settled as well.
        assert end_of(await again.erased(phone)) == SELLABLE


def again_without_a_share(first: RecheckRack, **chips: Any) -> RecheckRack:  # noqa: ANN401
    """The same rack after a restart, with a recipe that draws nobody."""
    again = RecheckRack(share=0, ledger=first.ledger, **chips)
    again.world._enumerations = again.world.entropy._count = 1000
    return again


@pytest.mark.parametrize("change", [{}, {"imei": IMEI}])
async def test_without_an_imei_it_is_known_again(change: dict[str, Any]) -> None:
    """By its serial, though it tells an IMEI now."""
    chips = {"A1": FakeChip(), "A2": FakeChip()}
    first = RecheckRack(chips=chips)
    phone = Phone(imei=None, telephony=False)
    async with first.world.running():
        assert end_of(await first.erased(phone)) == DUE
    again = again_without_a_share(first, chips=chips)
    async with again.world.running():
        again_as = phone_like(phone, **change)
        assert end_of(await again.erased(again_as)) == DUE
    assert again.draws()[-1]["owed"] == [first.jobs()[0]]


async def test_a_number_that_was_read_after_its_last_reset_finds_the_draw() -> None:
    """Its other one, which adb didn't tell then and tells now; no serial has it, and no label."""
    first = RecheckRack()
    phone = Phone(serial="", imei=IMEI, second_screen_imei=UNTOLD_IMEI, sim_slots=2)
    async with first.world.running():
        assert end_of(await first.erased(phone)) == DUE
    again = again_without_a_share(first)
    async with again.world.running():
        other = phone_like(phone, imei=UNTOLD_IMEI, second_screen_imei=None)
        assert end_of(await again.erased(other)) == DUE
    assert again.draws()[-1]["owed"] == [first.jobs()[0]]


async def test_under_another_serial_its_chip_is_another_handsets() -> None:
    """A dispute: its serial was rewritten, or the chip lies on the wrong reader."""
    chips = {"A1": FakeChip(), "A2": FakeChip()}
    first = RecheckRack(chips=chips)
    phone = Phone(imei=None, telephony=False)
    async with first.world.running():
        assert end_of(await first.erased(phone)) == DUE
    again = again_without_a_share(first, chips=chips)
    async with again.world.running():
        view = await again.erased(phone_like(phone, serial="R5CT20NEW01"))
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.FELICA_INCONSISTENT)


async def test_a_twin_that_tells_another_imei_owes_nothing() -> None:
    first = RecheckRack()
    async with first.world.running():
        assert end_of(await first.erased(Phone())) == DUE
    again = again_without_a_share(first)
    async with again.world.running():
        assert end_of(await again.erased(Phone(imei=OTHER_IMEI))) == SELLABLE


async def test_a_handset_without_an_imei_is_named_by_its_serial() -> None:
    rack, phone = RecheckRack(), Phone(imei=None, telephony=False)
    rack.world.notes[Gate.RECHECK] = phone.serial
    async with rack.world.running():
        assert end_of(await rack.erased(phone)) == DUE
        assert end_of(await rack.rechecked(phone)) == SELLABLE


async def test_of_two_that_fit_a_person_has_to_say_which() -> None:
    rack, phone = RecheckRack(), Phone(imei=None, telephony=False)
    async with rack.world.running():
        await rack.erased(phone)
        await rack.erased(phone_like(phone))
        first, second = rack.jobs()
        await rack.asked(phone)
        with pytest.raises(RecheckRefused, match=f"which job.*{first}, {second}"):
            await rack.answered(RECHECKER, phone.serial)
        with pytest.raises(RecheckRefused, match="since"):
            await rack.answered(RECHECKER, f"{phone.serial} {first}")
        rack.world.silent_in = None
        await rack.answered(RECHECKER, f"{phone.serial} {second}")
        assert end_of(await rack.world.until_state(SlotState.FINISHED, "A2")) == SELLABLE


async def killed_after_the_draw(rack: RecheckRack, phone: Phone) -> None:
    """What a dead daemon still wanted to write isn't written."""
    async with rack.world.running():
        rack.world.ports["A1"].plug(phone)
        await rack.world.until_state(SlotState.FINISHED)
    [draw] = rack.ledger.of(EntryKind.RECHECK_DRAWN)
    del rack.ledger.stored[draw.sequence :]


async def test_a_crash_after_the_draw_keeps_it() -> None:
    rack, phone = RecheckRack(), Phone()
    await killed_after_the_draw(rack, phone)
    assert await close_open_jobs(rack.ledger, rack.world.clock) == 1
    second = again_without_a_share(rack)
    async with second.world.running():
        await second.asked(phone)
        with pytest.raises(RecheckRefused):
            await second.answered(RECHECKER)
        second.world.ports["A2"].unplug()
        second.world.silent_in = None
        assert end_of(await second.erased(phone)) == DUE
    assert second.draws()[-1]["owed"] == [second.jobs()[0]]


async def test_a_no_ends_it_and_its_job_is_never_certified() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        rack.world.answers[Gate.RECHECK] = False
        view = await rack.rechecked(phone)
        assert end_of(view) == (Outcome.FAILED, Disposition.HOLD, Reason.NOT_AS_RESET)
        rack.world.answers[Gate.RECHECK] = True
        await rack.asked(phone_like(phone), "A3")
        with pytest.raises(RecheckRefused, match="already"):
            await rack.answered("Ito", slot="A3")


async def test_adb_that_is_on_ends_it() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        rack.world.ports["A2"].plug(phone, ADB)
        view = await rack.world.until_state(SlotState.FINISHED, "A2")
    assert end_of(view) == (Outcome.FAILED, Disposition.HOLD, Reason.NOT_AS_RESET)


@pytest.mark.parametrize(
    ("looks", "end"),
    [
        (UNUSED, SELLABLE),
        (SILENT, SELLABLE),
        (IN_USE, (Outcome.FAILED, Disposition.DESTROY, Reason.FELICA_RESIDUE)),
        (
            scan_of(UNUSED.verdict, chip=OTHER_CHIP),
            (Outcome.FAILED, Disposition.HOLD, Reason.FELICA_INCONSISTENT),
        ),
    ],
    ids=["unused", "silent", "in use", "another"],
)
async def test_the_chip_is_read_again(looks: Any, end: object) -> None:  # noqa: ANN401
    rack, phone = RecheckRack(chips={"A1": FakeChip(), "A2": FakeChip(looks=looks)}), Phone()
    async with rack.world.running():
        assert end_of(await rack.erased(phone)) == DUE
        assert end_of(await rack.rechecked(phone)) == end


async def test_a_chip_that_a_reader_saw_is_not_rechecked_without_one() -> None:
    rack, phone = RecheckRack(chips={"A1": FakeChip()}), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        await rack.asked(phone)
        with pytest.raises(RecheckRefused, match="reader"):
            await rack.answered(RECHECKER)


async def test_a_chip_that_was_seen_by_eye_is_looked_at_by_eye() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        rack.world.answers[Gate.RECHECK_CHIP] = False
        view = await rack.rechecked(phone)
    assert end_of(view) == (Outcome.FAILED, Disposition.DESTROY, Reason.FELICA_RESIDUE)


async def until_asked_for_the_chip(rack: RecheckRack) -> None:
    view = await rack.world.until_state(SlotState.AWAITING_OPERATOR, "A2")
    while view.question is None or view.question.gate is not Gate.RECHECK_CHIP:
        await rack.world.board.changed(rack.world.board.version)
        view = rack.world.view("A2")


async def pulled_out_at_the_chip(rack: RecheckRack, phone: Phone) -> None:
    """A recheck that has found its handset, and is cut short before it has looked at the chip."""
    rack.world.silent_in = StageName.RECHECK
    rack.world.ports["A2"].plug(phone, MTP_ONLY)
    await until_asked_for_the_chip(rack)
    rack.world.ports["A2"].unplug()
    await rack.world.until_state(SlotState.EMPTY, "A2")
    rack.world.silent_in = None


async def test_a_recheck_that_was_pulled_out_can_be_made_again() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        await pulled_out_at_the_chip(rack, phone)
        assert end_of(await rack.rechecked(phone, "A3")) == SELLABLE


async def test_a_second_recheck_of_the_same_handset_is_refused() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        await rack.rechecked(phone)
        await rack.asked(phone_like(phone), "A3")
        with pytest.raises(RecheckRefused, match="already"):
            await rack.answered("Ito", slot="A3")
    certified = [end for end in rack.ends() if end["certificate"]]
    assert len(certified) == 1


async def test_of_two_rechecks_at_once_only_one_certifies() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        await rack.asked(phone)
        await rack.asked(phone_like(phone), "A3")
        await rack.answered(RECHECKER)
        await rack.world.until(lambda: rack.world.view("A2").stage is StageName.RECHECK)
        with pytest.raises(RecheckRefused, match="is rechecking it"):
            await rack.answered("Ito", slot="A3")


async def test_what_somebody_has_decided_otherwise_is_not_rechecked() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        await settled(rack.world, rack.jobs()[0])
        await rack.asked(phone)
        with pytest.raises(RecheckRefused, match="decided otherwise"):
            await rack.answered(RECHECKER)


async def test_what_was_decided_about_a_recheck_that_was_pulled_out_counts_too() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.erased(phone)
        await pulled_out_at_the_chip(rack, phone)
        await settled(rack.world, rack.jobs()[1])
        await rack.asked(phone)
        with pytest.raises(RecheckRefused, match="decided otherwise"):
            await rack.answered(RECHECKER)


async def settled(world: World, job: Any) -> None:  # noqa: ANN401
    data = {
        "before": "held",
        "to": "to_return",
        "person": "ito",
        "name": "Ito",
        "shown_by": "badge_and_pin",
        "source": "127.0.0.1",
        "note": "the owner wants it back",
        "recycler": None,
        "number": None,
        "batch": None,
        "done_on": None,
        "later_job": None,
    }
    await world.ledger.append(
        Entry(kind=EntryKind.HANDSET_SETTLED, at=world.clock.now(), job=job, data=data)
    )
