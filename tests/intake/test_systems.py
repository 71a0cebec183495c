"""Lots and assets that another system sends in by its token: no gate goes by its word."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest

from benchd.domain.errors import IntakeRefused
from benchd.domain.evidence_json import from_json, to_json
from benchd.domain.ids import JobId
from benchd.domain.intake import AttestationKind, BoundBy, LotId, Tag
from benchd.domain.job import Gate
from benchd.domain.record import EntryKind
from benchd.domain.token import System, TokenName
from benchd.intake.intake_desk import IntakeDesk
from benchd.proof.citation import AssetInHand, CitedWhen, Numbers, cite, cited_gaps
from benchd.proof.evidence.intake_evidence import (
    AssetLine,
    AssetsRecord,
    CitedAttestation,
    Who,
)
from benchd.proof.intake_book import IntakeBook, about
from tests.core.world import CountingEntropy
from tests.intake.lots import BY, LOT, Intake, attested, bound_record, imei, lot_record

pytestmark = pytest.mark.asyncio

SYSTEM = Who.of_system(System(name=TokenName("stock"), source="192.0.2.7"))
LIMIT_S = 86_400.0


def in_hand(intake: Intake, tag: str, number: int | None) -> AssetInHand:
    """A handset that goes by a tag, with the IMEI of a number, or none that it tells."""
    imeis = () if number is None else (imei(number),)
    told = bound_record(
        tag,
        lot_sequence=intake.desk.lot(LOT).sequence,
        bound_by=BoundBy.TAG if number is None else BoundBy.IMEI,
        imeis=imeis,
        model="SO-51B",
        by=BY,
    )
    numbers = Numbers(imeis=frozenset(imeis), serial="S1", proven=frozenset(imeis))
    return AssetInHand(job=JobId("20261126-aaaaaaaaaa"), told=told, numbers=numbers)


def cited(intake: Intake, hand: AssetInHand) -> CitedAttestation | None:
    return cite(intake.desk.book, hand, Gate.CONSENT, when=now(intake), limit_s=LIMIT_S)


def now(intake: Intake) -> CitedWhen:
    at = intake.store.clock.now()
    return CitedWhen(at=at, after=len(intake.ledger.stored))


async def add(intake: Intake, tag: str, number: int, by: Who) -> None:
    await intake.desk.add_asset(LOT, AssetLine(tag=tag, imei=imei(number)), by=by)


async def test_a_record_says_that_a_system_sent_it_and_no_person(intake: Intake) -> None:
    await intake.with_lot(by=SYSTEM)
    await add(intake, "T1", 1, SYSTEM)
    for stored in intake.ledger.stored:
        assert stored.entry.data["by"] == {
            "operator": "token:stock",
            "person": None,
            "shown_by": None,
            "via": {"source": "192.0.2.7", "token": "stock"},
        }
    assert from_json(Who, to_json(SYSTEM), "") == SYSTEM
    assert SYSTEM.is_system
    assert not SYSTEM.is_shown
    assert not BY.is_system
    assert (await intake.reread()).book.assets == intake.desk.book.assets


@pytest.mark.parametrize("kind", AttestationKind)
async def test_a_system_attests_nothing(intake: Intake, kind: AttestationKind) -> None:
    with pytest.raises(IntakeRefused, match="attests nothing"):
        await intake.desk.add_lot(lot_record(by=SYSTEM, attests=(kind,)))
    assert not intake.ledger.stored


async def test_whoever_attests_a_systems_lot_does_so_for_what_is_in_it(intake: Intake) -> None:
    await intake.with_lot(by=SYSTEM)
    await add(intake, "T1", 1, SYSTEM)
    assert cited(intake, in_hand(intake, "T1", 1)) is None
    await intake.desk.attest(attested(AttestationKind.CONSENT), seen=1)
    found = cited(intake, in_hand(intake, "T1", 1))
    assert found is not None
    assert (found.operator, found.whole_lot) == ("Ito", True)


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("seen", "first"),
    [(1, SYSTEM), (None, SYSTEM), (1, BY), (None, BY)],
    ids=["of a system", "of a system, uncounted", "of a person", "of a person, uncounted"],
)
async def test_what_a_system_slips_in_just_before_is_not_attested(
    intake: Intake, seen: int | None, first: Who, restarted: bool
) -> None:
    """The person has seen one asset; a file that was sent before they spoke goes first."""
    await intake.with_lot(by=SYSTEM)
    await add(intake, "T1", 1, first)
    store = await intake.reread() if restarted else intake.store
    desk = IntakeDesk(store, CountingEntropy()) if restarted else intake.desk
    told, refused = attested(AttestationKind.CONSENT, AttestationKind.JPKI), list[str]()

    async def speak() -> None:
        with pytest.raises(IntakeRefused) as caught:
            await desk.attest(told, seen=seen)
        refused.append(str(caught.value))

    line = AssetLine(tag="T2", imei=imei(2))
    record = AssetsRecord(
        lot=LOT, batch="b", part=1, parts=1, again=False, assets=(line,), by=SYSTEM
    )
    async with anyio.create_task_group() as both, store.writing() as writer:
        both.start_soon(speak)
        await anyio.wait_all_tasks_blocked()
        await writer.keep(EntryKind.ASSETS_ADDED, record)
    [why] = refused
    assert ("2 assets by now and not 1" if seen else "other systems send into lot") in why
    assert not desk.book.attested
    # Whoever has looked again may, and so may who names what they speak for.
    await desk.attest(told, seen=2)
    await desk.attest(attested(AttestationKind.JPKI, tags=("T2",)))
    assert len(desk.book.attested) == 2


async def test_a_lot_of_people_alone_is_attested_without_counting_it(intake: Intake) -> None:
    await intake.with_lot(by=SYSTEM)
    await add(intake, "T1", 1, BY)
    await intake.desk.attest(attested(AttestationKind.CONSENT))
    with pytest.raises(IntakeRefused, match="1 assets by now and not 0"):
        await intake.desk.attest(attested(AttestationKind.CONSENT), seen=0)


@pytest.mark.parametrize("by", [SYSTEM, BY], ids=["system", "person"])
async def test_what_is_added_later_nobody_has_attested(intake: Intake, by: Who) -> None:
    """A whole lot is what was in it, whoever puts something beside it since."""
    await intake.with_lot(attests=(AttestationKind.CONSENT,))
    await add(intake, "T1", 1, BY)
    number = await intake.desk.attest(attested(AttestationKind.CONSENT))
    await add(intake, "T2", 2, by)
    late = in_hand(intake, "T2", 2)
    assert cited(intake, late) is None
    # What was in it before is covered as it was, where an IMEI says that it is that.
    before = cited(intake, in_hand(intake, "T1", 1))
    assert before is not None
    # The proof doesn't go by it either, whoever wrote that it was cited.
    forged = replace(before, tag="T2")
    assert cited_gaps(intake.desk.book, late, Gate.CONSENT, forged, when=now(intake))
    # By name it may be attested afterwards; and it is the same after a restart.
    assert (await intake.reread()).book.attested == intake.desk.book.attested
    attestation = intake.desk.book.attested[number]
    assert (attestation.assets, attestation.late, attestation.first_late(9)) == (1, 1, ["T2"])
    await intake.desk.attest(attested(AttestationKind.CONSENT, tags=("T2",)))
    assert cited(intake, late) is not None


async def test_the_proofs_own_book_leaves_the_same_out(intake: Intake) -> None:
    await intake.with_lot(attests=(AttestationKind.CONSENT,))
    await add(intake, "T1", 1, BY)
    await add(intake, "T2", 2, SYSTEM)
    for tag, number, covered in (("T1", 1, True), ("T2", 2, False)):
        records = about(intake.ledger.stored, LotId(LOT), Tag(tag), {imei(number)})
        book = IntakeBook.of(records)
        [attestation] = book.lots[LotId(LOT)].attestations
        assert attestation.covers(AttestationKind.CONSENT, Tag(tag)) is covered
        assert attestation.late == 1


async def test_a_label_doesnt_smuggle_a_late_handset_in(intake: Intake) -> None:
    """It tells no IMEI, so it may be the one that came later, under another's label."""
    await intake.with_lot(attests=(AttestationKind.CONSENT,))
    await add(intake, "T1", 1, BY)
    hand, before = in_hand(intake, "T1", None), now(intake)
    found = cited(intake, hand)
    assert found is not None
    await add(intake, "T2", 2, SYSTEM)
    assert cited(intake, hand) is None
    # A job that went by it before goes on: then there was no other that it could have been.
    book = intake.desk.book
    assert cited_gaps(book, hand, Gate.CONSENT, found, when=before) == []
    assert cited_gaps(book, hand, Gate.CONSENT, found, when=now(intake)) == [
        "the lot has exceptions, and no IMEI says that it is none"
    ]


async def test_what_comes_in_is_noted_once_however_much_was_attested(intake: Intake) -> None:
    """Else a rack has a note of every asset for each attestation of its lot."""
    await intake.with_lot(by=SYSTEM)
    await add(intake, "T0", 0, BY)
    for _ in range(20):
        await intake.desk.attest(attested(AttestationKind.CONSENT, tags=("T0",)))
        await intake.desk.attest(attested(AttestationKind.JPKI), seen=1)
    lot = intake.desk.lot(LOT)
    assert all(each.came_in is lot.came_in for each in lot.attestations)
