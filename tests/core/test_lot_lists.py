"""Row 10: what is attested of a whole lot covers the list that it named, by count and hash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from benchd.domain.evidence_json import to_json
from benchd.domain.intake import LotId
from benchd.domain.job import Gate
from benchd.domain.people import ShownBy
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.attestation import named_list
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.intake_evidence import AssetLine, AssetsRecord, Who
from tests.intake.lots import BY, LOT, attested, imei, lot_record

from .fake_chips import IN_USE, OTHER_CHIP, UNUSED, FakeChip
from .lot_rack import BOTH, GOOD, Data, Lie, Rack, in_intake
from .world import IMEI, Phone

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

OF_CHIP = {Gate.JPKI, Gate.CONSENT}
COLLEAGUE = replace(BY, operator="Mori", person="mori", shown_by=ShownBy.BADGE_AND_PIN)
OTHERS = "tag,IMEI\n" + "".join(f"N{number},{imei(number)}\n" for number in range(1, 25))
MINE = f"tag,IMEI\nT1,{IMEI}\n"
LATE = f"{MINE}T2,{imei(30)}\n"


def in_use() -> Rack:
    return Rack(FakeChip(looks=IN_USE))


def another_chip() -> FakeChip:
    return FakeChip(
        looks=replace(IN_USE, chip=OTHER_CHIP), after_clear=replace(UNUSED, chip=OTHER_CHIP)
    )


async def import_(rack: Rack, csv: str, by: Who = BY) -> int:
    done = await rack.desk.import_assets(LOT, csv.encode(), by=by, dry_run=False)
    assert done.taken, done.mistakes
    return done.late


def whole(rack: Rack) -> list[tuple[int, int]]:
    """How many each attestation covers, and how many came in later."""
    found = rack.store.book.lots[LotId(LOT)].attestations
    return [(each.assets, each.late) for each in found]


@pytest.mark.parametrize("by", [BY, COLLEAGUE], ids=["the same person", "a colleague"])
async def test_row_10_what_a_person_imports_after_a_whole_lot_was_attested_is_asked(
    by: Who,
) -> None:
    rack = in_use()
    await rack.lot(OTHERS)
    await rack.attest()
    assert await import_(rack, LATE, by) == 2
    await rack.looked_up()
    assert whole(rack) == [(24, 2)]
    async with rack.world.running():
        assert await rack.visit(Phone(jpki_capable=None)) == GOOD
        assert set(rack.asked()) >= OF_CHIP
        # Whoever has looked at their papers attests the lot once more: all 26 are covered then.
        await rack.desk.attest(attested(*BOTH), seen=26)
        assert whole(rack) == [(24, 2), (26, 0)]
        rack.chips.chips["A1"] = another_chip()
        assert await rack.visit(Phone(serial="T2", imei=imei(30), jpki_capable=None)) == GOOD
    assert len([gate for gate in rack.asked() if gate == Gate.JPKI]) == 1


async def test_row_10_a_lot_attested_as_it_is_taken_in_covers_the_first_list_of_that_person() -> (
    None
):
    rack = in_use()
    await rack.lot(MINE, attests=BOTH)
    assert whole(rack) == [(1, 0)]
    [record] = rack.ledger.of(EntryKind.ASSETS_ADDED)
    assert record.entry.data["named"] == to_json(named_list(["T1"]))
    assert await rack.ran(Phone(jpki_capable=None)) == GOOD
    assert OF_CHIP.isdisjoint(rack.asked())


@pytest.mark.parametrize("first", ["a colleague's list", "its second list"])
async def test_row_10_and_no_other_list(first: str) -> None:
    rack = in_use()
    await rack.desk.add_lot(lot_record(attests=BOTH))
    if first == "its second list":
        assert await import_(rack, OTHERS) == 0
        assert await import_(rack, MINE) == 1
        assert whole(rack) == [(24, 1)]
    else:
        assert await import_(rack, MINE, COLLEAGUE) == 1
        assert whole(rack) == [(0, 1)]
    assert await rack.ran(Phone(jpki_capable=None)) == GOOD
    assert set(rack.asked()) >= OF_CHIP


async def test_careless_a_lot_split_and_imported_late_neither_covers_nor_uncovers_silently() -> (
    None
):
    """Its second half comes days later, while a handset of the first is at work, or after."""
    rack = in_use()
    await rack.papers()
    async with rack.world.running():
        assert await rack.visit(Phone(jpki_capable=None)) == GOOD
        job, records, intake = await rack.proof()
        # What was cited before it came stays cited: nothing of the first half is uncovered.
        assert await import_(rack, OTHERS) == 24
        assert whole(rack) == [(1, 24)]
        _, _, now = await rack.proof()
        assert len(now) == len(intake) + 1
        verify_erasure(job, records, now)
        assert OF_CHIP.isdisjoint(rack.asked())
        # Nothing of the second half is covered, and whoever imported it was told so.
        rack.chips.chips["A1"] = another_chip()
        late = Phone(serial="LATE", imei=imei(1), jpki_capable=None)
        assert await rack.visit(late) == GOOD
        assert set(rack.asked()) >= OF_CHIP


async def test_a_list_is_the_same_in_any_order_and_another_with_any_tag_more_or_less() -> None:
    assert named_list(["T1", "T2"]) == named_list(["T2", "T1"])
    lists = ([], ["T1"], ["T2"], ["T1", "T2"], ["T1T2"], ["T1", "T2", "T3"], ['T1","T2'])
    assert len({named_list(tags).tags_sha256 for tags in lists}) == len(lists)


# The proof, whatever the book says.


def named(**changes: object) -> Lie:
    return in_intake(EntryKind.ATTESTED, lambda data: data["named"].update(changes))


def slipped_in(_records: list[StoredEntry], intake: list[StoredEntry]) -> None:
    """An import stands before the attestation that nobody had when it was made."""
    line = AssetLine(tag="T9", imei=imei(99))
    told = AssetsRecord(lot=LOT, batch="b", part=1, parts=1, again=False, assets=(line,), by=BY)
    first = intake[0]
    entry = Entry(kind=EntryKind.ASSETS_ADDED, at=first.entry.at, data=to_json(told))
    intake.insert(1, StoredEntry(sequence=first.sequence, entry=entry, hash_hex="ab" * 32))


def one_less(data: Data) -> None:
    data["assets"] = [line for line in data["assets"] if line["tag"] != "N3"]


def one_renamed(data: Data) -> None:
    data["assets"][-2]["tag"] = "N99"


LIES: dict[str, Lie] = {
    "more assets": named(assets=26),
    "another list": named(tags_sha256="ab" * 32),
    "a list that nobody saw": slipped_in,
    "an asset less": in_intake(EntryKind.ASSETS_ADDED, one_less),
    "an asset that is another": in_intake(EntryKind.ASSETS_ADDED, one_renamed),
}


@pytest.mark.parametrize("lie", LIES)
async def test_row_10_the_proof_counts_the_list_anew(lie: str) -> None:
    rack = in_use()
    await rack.lot(OTHERS + f"T1,{IMEI}\n")
    await rack.attest()
    await rack.looked_up()
    assert await rack.ran(Phone(jpki_capable=None)) == GOOD
    await rack.must_be_a_gap(LIES[lie])


def unnamed(data: Data) -> None:
    del data["named"]


@pytest.mark.parametrize("lie", [unnamed, lambda data: data.update(named=None)])
async def test_a_whole_lot_that_names_no_list_covers_nothing(lie: Callable[[Data], None]) -> None:
    rack = in_use()
    await rack.lot(MINE)
    await rack.attest()
    await rack.looked_up()
    assert await rack.ran(Phone(jpki_capable=None)) == GOOD
    await rack.must_be_a_gap(in_intake(EntryKind.ATTESTED, lie))
