"""A line that was entered by mistake is struck, and what is right may come in under its tag."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from benchd.domain.errors import IntakeRefused, NotFound
from benchd.domain.ids import JobId, SlotName
from benchd.domain.intake import AttestationKind, BoundBy, LotId, Seen, Tag, Unerasable
from benchd.domain.record import EntryKind
from benchd.proof.attestation import list_of_lot
from benchd.proof.citation import AssetInHand, Numbers, doubts
from benchd.proof.evidence.intake_evidence import AssessedRecord, AssetLine, StruckRecord
from benchd.proof.intake_book import IntakeBook
from benchd.proof.objections import Stay, came_again
from tests.intake.lots import BY, LOT, Intake, attested, bound_record, imei, lot_record

pytestmark = pytest.mark.asyncio

WRONG, RIGHT = AssetLine(tag="A1", imei=imei(1)), AssetLine(tag="A1", imei=imei(2))
CONSENT = AttestationKind.CONSENT


def struck(tag: str = "A1", lot: str = LOT, note: str = "typed for A7") -> StruckRecord:
    return StruckRecord(lot=lot, tag=tag, note=note, by=BY)


async def with_a_line(intake: Intake) -> None:
    await intake.desk.add_lot(lot_record())
    await intake.desk.add_asset(LOT, WRONG, by=BY)


def covered(book: IntakeBook, tag: str = "A1") -> bool:
    return bool(list(book.attestations(CONSENT, book.assets[Tag(tag)])))


async def test_a_struck_line_is_none_and_its_record_stays(intake: Intake) -> None:
    await with_a_line(intake)
    await intake.desk.strike(struck())
    kinds = [one.entry.kind for one in intake.ledger.stored]
    assert kinds == [EntryKind.LOT_ADDED, EntryKind.ASSETS_ADDED, EntryKind.ASSET_STRUCK]
    for book in (intake.desk.book, (await intake.reread()).book):
        assert (book.assets, book.by_imei, book.lots[LotId(LOT)].tags) == ({}, {}, [])
        [one] = book.struck[LotId(LOT)]
        assert (one.line, one.told.note, one.told.by) == (WRONG, "typed for A7", BY)
    await intake.desk.add_asset(LOT, RIGHT, by=BY)
    assert (await intake.reread()).book.by_imei[imei(2)].line == RIGHT


async def test_an_earlier_asset_with_its_imei_counts_again(intake: Intake) -> None:
    await with_a_line(intake)
    await intake.desk.add_asset(LOT, AssetLine(tag="A2", imei=imei(1)), by=BY, again=True)
    await intake.desk.strike(struck("A2"))
    assert intake.desk.book.by_imei[imei(1)].tag == "A1"


async def test_what_was_stated_of_the_struck_handset_is_not_of_the_next(intake: Intake) -> None:
    """By its label, of the whole lot, and by a lot's own word of its list."""
    await intake.desk.add_lot(lot_record(attests=(CONSENT,)))
    await intake.desk.add_asset(LOT, WRONG, by=BY)
    await intake.desk.attest(attested(CONSENT, tags=("A1",)))
    await intake.desk.attest(attested(CONSENT))
    assert covered(intake.desk.book)
    await intake.desk.strike(struck())
    await intake.desk.add_asset(LOT, RIGHT, by=BY)
    assert not covered(intake.desk.book)
    assert not covered((await intake.reread()).book)
    await intake.desk.attest(attested(CONSENT))
    book = intake.desk.book
    assert covered(book)
    # The list that was attested is what the ledger's records make, without what was struck.
    newest = book.lots[LotId(LOT)].attestations[-1]
    assert newest.named == list_of_lot(intake.ledger.stored, LotId(LOT), newest.upto)


async def test_a_whole_lot_is_not_the_one_that_was_looked_at_by_its_number_alone(
    intake: Intake,
) -> None:
    """One struck and another taken in since: as many as before, and not the same."""
    await with_a_line(intake)
    seen = len(intake.desk.book.lots[LotId(LOT)].came_in.ever)
    await intake.desk.strike(struck())
    await intake.desk.add_asset(LOT, RIGHT, by=BY)
    with pytest.raises(IntakeRefused, match="look at it again"):
        await intake.desk.attest(attested(CONSENT), seen=seen)


Deed = Callable[[Intake], Awaitable[Any]]


async def bind(intake: Intake) -> None:
    told = bound_record("A1", imeis=(imei(1),), bound_by=BoundBy.IMEI)
    await intake.store.bind(told, job=JobId("job-1"), slot=SlotName("S1"))


async def assess(intake: Intake) -> None:
    told = AssessedRecord(lot=LOT, tag="A1", seen=Seen.WELCOME, findings=(), note="", by=BY)
    await intake.desk.assess(told)


DONE: dict[str, tuple[Deed, str]] = {
    "a job is bound": (bind, "job job-1 goes by it.*another tag"),
    "to be crushed": (
        lambda i: i.desk.unerasable("A1", Unerasable.NO_POWER, note="", by=BY),
        "waits to be crushed",
    ),
    "looked at": (assess, "what somebody has seen"),
}


@pytest.mark.parametrize("done", DONE)
async def test_a_line_on_which_something_was_done_stays(intake: Intake, done: str) -> None:
    await with_a_line(intake)
    deed, why = DONE[done]
    await deed(intake)
    before = len(intake.ledger.stored)
    with pytest.raises(IntakeRefused, match=why):
        await intake.desk.strike(struck())
    assert len(intake.ledger.stored) == before
    assert Tag("A1") in intake.desk.book.assets


@pytest.mark.parametrize(
    ("told", "error"),
    [
        (struck("B1"), NotFound),
        (struck(note=" "), IntakeRefused),
        (struck(lot="L-0"), IntakeRefused),
    ],
)
async def test_what_is_refused_keeps_nothing(
    intake: Intake, told: StruckRecord, error: type[Exception]
) -> None:
    await with_a_line(intake)
    await intake.desk.add_lot(lot_record("L-0"))
    before = len(intake.ledger.stored)
    with pytest.raises(error):
        await intake.desk.strike(told)
    with pytest.raises(IntakeRefused):
        await intake.desk.strike(struck(), is_graded=True)
    assert len(intake.ledger.stored) == before


async def test_no_handset_is_taken_for_a_line_that_is_being_struck(intake: Intake) -> None:
    """Neither while its record is being written, nor by whoever has looked it up before."""
    await with_a_line(intake)
    async with anyio.create_task_group() as group:
        group.start_soon(intake.desk.strike, struck())
        group.start_soon(bind, intake)
    kinds = [one.entry.kind for one in intake.ledger.stored]
    assert (EntryKind.ASSET_STRUCK in kinds) != (EntryKind.ASSET_BOUND in kinds)
    await bind(intake)
    kinds = [one.entry.kind for one in intake.ledger.stored]
    assert (EntryKind.ASSET_STRUCK in kinds) != (EntryKind.ASSET_BOUND in kinds)


async def test_a_struck_line_holds_no_other_handset_back(intake: Intake) -> None:
    """It named, by mistake, the IMEI of one whose job has ended."""
    await with_a_line(intake)
    numbers = Numbers(imeis=frozenset({imei(1)}), serial=None, proven=frozenset({imei(1)}))
    stay = Stay(tag="Z9", numbers=numbers, opened=1)
    assert list(came_again(stay, intake.ledger.stored))
    await intake.desk.strike(struck())
    assert not list(came_again(stay, intake.ledger.stored))
    hand = AssetInHand(job=JobId("j"), told=bound_record("A1"), numbers=numbers)
    assert doubts(intake.desk.book, hand) == ["there is no such asset in that lot"]
