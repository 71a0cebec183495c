"""A share of handsets is drawn for an independent recheck, and nobody gets out of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from benchd.domain.authority import Action
from benchd.domain.disposal import DisposalState
from benchd.domain.errors import NotAllowed, ScreenNumberNeeded, SecondPersonNeeded
from benchd.domain.intake import AttestationKind
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.people import Actor, ShownBy
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot_states import SlotState
from benchd.pipelines.recovery import close_open_jobs
from benchd.slots.disposal_desk import disposal_of
from tests.intake.lots import BY
from tests.people.somebody import Everybody

from .fake_chips import IN_USE, OTHER_CHIP, SILENT, UNUSED, FakeChip, scan_of
from .rechecks import DUE, RECHECKER, Labelled, RecheckRack
from .world import (
    ADB,
    IMEI,
    MTP_ONLY,
    OTHER_IMEI,
    SOLD,
    UNTOLD_IMEI,
    CountingEntropy,
    Phone,
    ending,
    phone_like,
)

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

NOT_AS_RESET = (Outcome.FAILED, Disposition.HOLD, Reason.NOT_AS_RESET)
RESIDUE = (Outcome.FAILED, Disposition.DESTROY, Reason.FELICA_RESIDUE)
OTHER_CHIP_HELD = (Outcome.FAILED, Disposition.HOLD, Reason.FELICA_INCONSISTENT)


def two_chips() -> dict[str, FakeChip]:
    return {"A1": FakeChip(), "A2": FakeChip()}


# The draw


async def test_without_a_share_nobody_draws_and_nothing_is_rechecked() -> None:
    rack, phone = RecheckRack(share=0), Phone()
    async with rack.world.running():
        assert ending(await rack.erased(phone)) == SOLD
        await rack.asked(phone)
        await rack.refused("no handset")
    assert rack.draws() == []


async def test_a_drawn_handset_is_certified_by_its_recheck_alone() -> None:
    rack = RecheckRack()
    async with rack.drawn() as phone:
        [end] = rack.ends()
        assert end["certificate"] is None
        [draw] = rack.draws()
        assert (draw["share"], draw["drawn"], draw["owed"]) == (1.0, True, [])
        assert ending(await rack.rechecked(phone)) == SOLD
    drawn, recheck = rack.jobs()
    assert rack.ends()[-1]["certificate"] is not None
    assert recheck in rack.world.issuer.kept
    assert drawn not in rack.world.issuer.kept
    assert rack.world.passed_for_real == {recheck}
    item = await disposal_of(rack.ledger, drawn)
    assert item is not None
    assert (item.state, item.run_again_as) == (DisposalState.RUN_AGAIN, recheck)
    assert await disposal_of(rack.ledger, recheck) is None
    # The draw stood on record before the job ended by it.
    told = [(s.entry.kind, s.entry.data.get("stage")) for s in rack.records(drawn)]
    confirmed = told.index((EntryKind.STAGE_ENDED, StageName.CONFIRM))
    kinds = [kind for kind, _ in told]
    assert confirmed < kinds.index(EntryKind.RECHECK_DRAWN) < kinds.index(EntryKind.JOB_ENDED)


class Drawing(CountingEntropy):
    """Fake randomness whose draws are as told; all else is as ever."""

    def __init__(self, token: bytes) -> None:
        super().__init__()
        self._token = token

    def token(self, size_bytes: int) -> bytes:
        return self._token if size_bytes == len(self._token) else super().token(size_bytes)


@pytest.mark.parametrize(
    ("token", "end"),
    [("0ccccccccccccccc", DUE), ("0ccccccccccccd00", SOLD), ("ffffffffffffffff", SOLD)],
)
async def test_a_draw_follows_from_its_number(token: str, end: object) -> None:
    rack = RecheckRack(share=0.05, entropy=Drawing(bytes.fromhex(token)))
    async with rack.world.running():
        assert ending(await rack.erased(Phone())) == end
    assert [draw["token"] for draw in rack.draws()] == [token]


def again_without_a_share(first: RecheckRack, **chips: Any) -> RecheckRack:  # noqa: ANN401
    """The same rack after a restart, with a recipe that draws nobody."""
    again = RecheckRack(share=0, ledger=first.ledger, **chips)
    again.world._enumerations = again.world.entropy._count = 1000
    return again


async def test_running_it_again_draws_it_for_certain() -> None:
    rack = RecheckRack()
    async with rack.drawn() as phone:
        pass
    again = again_without_a_share(rack)
    async with again.world.running():
        assert ending(await again.erased(phone)) == DUE
        first, second = again.jobs()
        assert again.draws()[-1]["owed"] == [first]
        # The first one can't be rechecked any more: its handset was erased once more since.
        assert ending(await again.rechecked(phone)) == SOLD
        evidence: list[Any] = [
            s.entry.data["evidence"] for s in again.ledger.of(EntryKind.STAGE_ENDED)
        ]
        assert [e["drawn_job"] for e in evidence if "drawn_job" in e] == [second]
        again.world.ports["A2"].unplug()
        # With that the first draw is settled as well.
        assert ending(await again.erased(phone)) == SOLD


TABLET = {"imei": None, "telephony": False}
KNOWN_AGAIN: dict[str, tuple[dict[str, Any], dict[str, Any], object]] = {
    "by its serial": (TABLET, {}, DUE),
    "by its serial, though it tells an IMEI now": (TABLET, {"imei": IMEI}, DUE),
    # Which adb didn't tell then and tells now; no serial has it, and no label.
    "by its other number, read after its last reset": (
        {"serial": "", "imei": IMEI, "second_screen_imei": UNTOLD_IMEI, "sim_slots": 2},
        {"imei": UNTOLD_IMEI, "second_screen_imei": None},
        DUE,
    ),
    # A dispute: its serial was rewritten, or the chip lies on the wrong reader.
    "not by its chip under another serial": (TABLET, {"serial": "R5CT20NEW"}, OTHER_CHIP_HELD),
    "not a twin that tells another IMEI": ({}, {"imei": OTHER_IMEI}, SOLD),
}


@pytest.mark.parametrize("case", KNOWN_AGAIN)
async def test_a_handset_that_owes_a_recheck_is_known_again(case: str) -> None:
    told, changes, end = KNOWN_AGAIN[case]
    chips = two_chips() if told is TABLET else None
    rack = RecheckRack(chips=chips)
    async with rack.drawn(Phone(**told)) as phone:
        pass
    again = again_without_a_share(rack, chips=chips)
    async with again.world.running():
        assert ending(await again.erased(phone_like(phone, **changes))) == end
    if end == DUE:
        assert again.draws()[-1]["owed"] == [rack.jobs()[0]]


async def test_a_crash_after_the_draw_keeps_it() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        await rack.world.ran(phone)
    # What a dead daemon still wanted to write isn't written.
    [draw] = rack.ledger.of(EntryKind.RECHECK_DRAWN)
    del rack.ledger.stored[draw.sequence :]
    assert await close_open_jobs(rack.ledger, rack.world.clock) == 1
    second = again_without_a_share(rack)
    async with second.world.running():
        await second.asked(phone)
        await second.refused(None)
        second.world.ports["A2"].unplug()
        second.world.silent_in = None
        assert ending(await second.erased(phone)) == DUE
    assert second.draws()[-1]["owed"] == [second.jobs()[0]]


# Who


@pytest.mark.parametrize("shown_by", ShownBy)
@pytest.mark.parametrize("who", ["Sato", "SATO", "Suzuki", "ｓａｔｏ"])
async def test_whoever_has_touched_it_cannot_recheck_it(who: str, shown_by: ShownBy) -> None:
    rack = RecheckRack()
    async with rack.drawn() as phone:
        await rack.asked(phone)
        with pytest.raises(SecondPersonNeeded):
            await rack.answered(who, shown_by=shown_by)
        await rack.answered(RECHECKER)
        assert ending(await rack.world.finished("A2")) == SOLD


class Left(Everybody):
    """A fake `Authority` of a rack that one person has left meanwhile."""

    def refuse_unless_allowed(self, actor: Actor, action: Action) -> None:
        if actor.person == RECHECKER.casefold():
            message = f"{actor.person} may do nothing on this rack"
            raise NotAllowed(message)


async def test_whoever_has_left_meanwhile_cannot_recheck_it() -> None:
    rack = RecheckRack()
    async with rack.drawn() as phone:
        await rack.asked(phone)
        rack.world.desk._authority = Left()
        with pytest.raises(NotAllowed):
            await rack.answered(RECHECKER)
        await rack.answered("Mori")
        rack.world.operators[Gate.RECHECK_CHIP] = "Mori"
        assert ending(await rack.world.finished("A2")) == SOLD


async def test_the_look_by_eye_is_nobodys_either_who_has_touched_it() -> None:
    rack = RecheckRack()
    async with rack.drawn() as phone:
        await rack.until_asked_for_the_chip(phone)
        with pytest.raises(SecondPersonNeeded):
            await rack.answered("Sato", "", gate=Gate.RECHECK_CHIP)
        await rack.answered("Mori", "", gate=Gate.RECHECK_CHIP)
        assert ending(await rack.world.finished("A2")) == SOLD


async def test_whoever_attested_for_it_at_intake_cannot_recheck_it() -> None:
    rack, phone = Labelled(chips=two_chips()), Phone()
    async with rack.world.running():
        await rack.papers(attests=(AttestationKind.CONSENT, AttestationKind.JPKI))
        assert ending(await rack.erased(phone)) == DUE
        await rack.asked(phone)
        with pytest.raises(SecondPersonNeeded):
            await rack.answered(BY.operator)
        await rack.answered(RECHECKER)
        assert ending(await rack.world.finished("A2")) == SOLD


# Which handset


async def test_a_recheck_is_for_the_handset_that_its_number_names() -> None:
    rack = RecheckRack()
    async with rack.drawn() as phone:
        await rack.asked(phone)
        with pytest.raises(ScreenNumberNeeded):
            await rack.answered(RECHECKER, "")
        await rack.refused("no handset", OTHER_IMEI)
        await rack.refused("no handset", phone.serial)
        await rack.asked(phone_like(phone, serial="OTHER"), "A3")
        await rack.refused("USB", slot="A3")


async def test_nothing_is_rechecked_before_its_job_has_ended() -> None:
    rack, phone = RecheckRack(), Phone()
    async with rack.world.running():
        rack.world.silent_in = StageName.CONFIRM
        rack.world.ports["A1"].plug(phone)
        await rack.world.until_stage(StageName.CONFIRM)
        rack.world.ports["A2"].plug(phone_like(phone), MTP_ONLY)
        await rack.world.until_state(SlotState.AWAITING_OPERATOR, "A2")
        await rack.refused("no handset")


async def test_a_handset_without_an_imei_is_named_by_its_serial() -> None:
    rack, phone = RecheckRack(), Phone(imei=None, telephony=False)
    rack.world.notes[Gate.RECHECK] = phone.serial
    async with rack.drawn(phone):
        assert ending(await rack.rechecked(phone)) == SOLD


async def test_of_two_that_fit_a_person_has_to_say_which() -> None:
    rack = RecheckRack()
    async with rack.drawn(Phone(imei=None, telephony=False)) as phone:
        await rack.erased(phone_like(phone))
        first, second = rack.jobs()
        await rack.asked(phone)
        await rack.refused(f"which job.*{first}, {second}", phone.serial)
        await rack.refused("since", f"{phone.serial} {first}")
        rack.world.silent_in = None
        await rack.answered(RECHECKER, f"{phone.serial} {second}")
        assert ending(await rack.world.finished("A2")) == SOLD


# How it ends


@pytest.mark.parametrize("approved", [True, False])
async def test_a_recheck_has_one_end_and_a_no_is_one_too(approved: bool) -> None:
    rack = RecheckRack()
    async with rack.drawn() as phone:
        rack.world.answers[Gate.RECHECK] = approved
        assert ending(await rack.rechecked(phone)) == (SOLD if approved else NOT_AS_RESET)
        rack.world.answers[Gate.RECHECK] = True
        await rack.asked(phone_like(phone), "A3")
        await rack.refused("already", by="Ito", slot="A3")
    assert len([end for end in rack.ends() if end["certificate"]]) == approved


READ_AGAIN: dict[str, tuple[Any, bool, object]] = {
    "a chip that is unused": (UNUSED, True, SOLD),
    "a chip that is silent": (SILENT, True, SOLD),
    "a chip in use": (IN_USE, True, RESIDUE),
    "another chip": (scan_of(UNUSED.verdict, chip=OTHER_CHIP), True, OTHER_CHIP_HELD),
    "by eye, where it was seen by eye": (None, True, SOLD),
    "by eye, and it isn't empty": (None, False, RESIDUE),
}


@pytest.mark.parametrize("case", READ_AGAIN)
async def test_the_chip_is_looked_at_again(case: str) -> None:
    looks, empty, end = READ_AGAIN[case]
    chips = None if looks is None else {"A1": FakeChip(), "A2": FakeChip(looks=looks)}
    rack = RecheckRack(chips=chips)
    rack.world.answers[Gate.RECHECK_CHIP] = empty
    async with rack.drawn() as phone:
        assert ending(await rack.rechecked(phone)) == end


async def test_adb_that_is_on_ends_it() -> None:
    rack = RecheckRack()
    async with rack.drawn() as phone:
        assert ending(await rack.world.ran(phone, "A2", ADB)) == NOT_AS_RESET


async def test_a_chip_that_a_reader_saw_is_not_rechecked_without_one() -> None:
    rack = RecheckRack(chips={"A1": FakeChip()})
    async with rack.drawn() as phone:
        await rack.asked(phone)
        await rack.refused("reader")


async def test_a_recheck_that_was_pulled_out_can_be_made_again() -> None:
    rack = RecheckRack()
    async with rack.drawn() as phone:
        await rack.pulled_out_at_the_chip(phone)
        assert ending(await rack.rechecked(phone, "A3")) == SOLD


async def test_of_two_rechecks_at_once_only_one_certifies() -> None:
    rack = RecheckRack()
    async with rack.drawn() as phone:
        await rack.asked(phone)
        await rack.asked(phone_like(phone), "A3")
        await rack.answered(RECHECKER)
        await rack.world.until_stage(StageName.RECHECK, "A2")
        await rack.refused("is rechecking it", by="Ito", slot="A3")


@pytest.mark.parametrize("pulled_out", [False, True])
async def test_what_somebody_has_decided_otherwise_is_not_rechecked(pulled_out: bool) -> None:
    """About its job, or about a recheck that was pulled out."""
    rack = RecheckRack()
    async with rack.drawn() as phone:
        if pulled_out:
            await rack.pulled_out_at_the_chip(phone)
        told = {"before": "held", "to": "to_return", "note": "the owner wants it back"}
        who = {"person": "ito", "name": "Ito", "shown_by": "badge_and_pin", "source": "127.0.0.1"}
        data = dict.fromkeys(["recycler", "number", "batch", "done_on", "later_job"], None)
        settled = Entry(
            kind=EntryKind.HANDSET_SETTLED,
            at=rack.world.clock.now(),
            job=rack.jobs()[-1],
            data={**data, **told, **who},
        )
        await rack.ledger.append(settled)
        await rack.asked(phone)
        await rack.refused("decided otherwise")


# Careless people: it comes soon after its draw, and more than one word ties its handset.


@pytest.mark.parametrize("days", [29, 200])
async def test_careless_a_recheck_200_days_after_its_draw_is_refused_and_it_is_erased_again(
    days: int,
) -> None:
    rack = RecheckRack()
    async with rack.drawn() as phone:
        # By the rack's clock: the loop's own counts too coarsely for that, and then stands still.
        today = rack.world.clock.now
        rack.world.clock.now = lambda: today() + timedelta(days=days)  # type: ignore[method-assign]
        if days > 30:
            await rack.asked(phone)
            await rack.refused(r"older than 30 days.*erased again")
            rack.world.ports["A2"].unplug()
            rack.world.silent_in = None
            assert ending(await rack.erased(phone)) == DUE
        assert ending(await rack.rechecked(phone)) == SOLD


def untold(phone: Phone, **changes: object) -> Phone:
    """The same where USB tells no serial once adb is off."""
    return phone_like(phone, serial="", **changes)


async def test_careless_another_handset_at_the_recheck_where_usb_tells_no_serial() -> None:
    """The drawn one's label in hand, and its unerased neighbour in the slot."""
    rack = RecheckRack()
    async with rack.drawn() as phone:
        rack.world.silent_in = StageName.RECHECK
        rack.world.ports["A2"].plug(untold(phone, imei=OTHER_IMEI), frozenset())
        await rack.world.until_question(Gate.RECHECK_CHIP, "A2")
        await rack.answered(RECHECKER, "", gate=Gate.RECHECK_CHIP)
        await rack.world.until_question(Gate.IMEI, "A2")
        await rack.refused("another number", OTHER_IMEI, by="Sato", gate=Gate.IMEI)
        with pytest.raises(SecondPersonNeeded):
            await rack.answered(RECHECKER, IMEI, gate=Gate.IMEI)
        assert not rack.world.issuer.kept
        await rack.answered("Sato", "", gate=Gate.IMEI, approved=False)
        view = await rack.world.finished("A2")
    assert ending(view) == (Outcome.FAILED, Disposition.HOLD, Reason.HANDSET_NOT_BOUND)
    assert not rack.world.issuer.kept


async def test_where_usb_tells_no_serial_a_second_person_reads_the_number() -> None:
    """Also whoever has worked on it: they vouch for the number, and for nothing else."""
    rack = RecheckRack()
    async with rack.drawn() as phone:
        assert ending(await rack.rechecked(untold(phone))) == SOLD
    decisions = [record.entry.data for record in rack.ledger.of(EntryKind.DECISION)]
    *_, read = [told for told in decisions if told["gate"] == Gate.IMEI]
    assert (read["operator"], read["note"]) == ("Sato", IMEI)


async def test_a_number_that_nobody_could_read_leaves_the_recheck_open() -> None:
    rack = RecheckRack()
    async with rack.drawn() as phone:
        rack.world.answers[Gate.IMEI] = False
        await rack.rechecked(untold(phone))
        del rack.world.answers[Gate.IMEI]
        assert ending(await rack.rechecked(untold(phone), "A3")) == SOLD


@pytest.mark.parametrize("silent", [False, True])
async def test_a_chip_that_a_reader_knows_again_needs_no_second_reading(silent: bool) -> None:
    chips = {"A1": FakeChip(), "A2": FakeChip(looks=SILENT) if silent else FakeChip()}
    rack = RecheckRack(chips=chips)
    async with rack.drawn() as phone:
        before = len(rack.world.asked())
        assert ending(await rack.rechecked(untold(phone))) == SOLD
    assert rack.world.asked()[before:] == [Gate.RECHECK, *([Gate.IMEI] if silent else [])]


async def test_its_label_scanned_in_that_slot_needs_no_second_reading() -> None:
    rack = Labelled()
    async with rack.drawn() as phone:
        await rack.asked(untold(phone))
        await rack.scanned("T1")
        before = len(rack.world.asked())
        rack.world.silent_in = None
        await rack.answered(RECHECKER)
        assert ending(await rack.world.finished("A2")) == SOLD
    assert rack.world.asked()[before:] == [Gate.RECHECK_CHIP]
