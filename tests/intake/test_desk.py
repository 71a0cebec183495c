"""Taking in: what is kept is in the ledger, what is refused has changed nothing."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from benchd.domain.errors import IntakeRefused, LedgerFault, NameRefused, NotFound
from benchd.domain.ids import JobId, SlotName
from benchd.domain.intake import AttestationKind, BoundBy, LotId, Mistake, Tag, Unerasable
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.intake import csv_import
from benchd.intake.csv_assets import AssetsFile
from benchd.intake.csv_format import HoldsBadge
from benchd.intake.csv_import import ASSETS_IN_A_PART, Imported
from benchd.proof.evidence.intake_evidence import AssetLine, Who, WithdrawnRecord
from benchd.proof.intake_book import IntakeBook
from tests.intake.lots import BY, LOT, Intake, attested, bound_record, imei, lot_record
from tests.web.web_fakes import running_view

pytestmark = pytest.mark.asyncio

CSV = f"tag,IMEI,serial\nA1,{imei(1)},S1\nA2,{imei(2)},S2\nA3,,S2\n"


def state(book: IntakeBook) -> object:
    return (
        {name: (lot.told, lot.tags, lot.attestations) for name, lot in book.lots.items()},
        book.assets,
        book.by_imei,
        book.looked_up,
        book.unerasable,
    )


async def test_a_start_knows_what_was_taken_in(intake: Intake) -> None:
    await intake.with_lot(CSV, attests=(AttestationKind.CONSENT,), excepted=())
    number = await intake.desk.attest(attested(AttestationKind.JPKI, excepted=("A2",)))
    await intake.desk.unerasable("A3", Unerasable.NO_POWER, note="", by=BY)
    looked_up = f"IMEI,判定,照会日時\n{imei(1)},○,2026-11-23 10:00\n".encode()
    await intake.desk.import_network(looked_up, source="carrier", by=BY, dry_run=False)
    again = (await intake.reread()).book
    assert state(again) == state(intake.desk.book)
    assert again.by_imei[imei(2)].tag == "A2"
    assert [asset.tag for asset in again.by_serial["S2"]] == ["A2", "A3"]
    kinds = AttestationKind
    assert [a.sequence for a in again.attestations(kinds.CONSENT, again.assets[Tag("A2")])]
    assert not list(again.attestations(kinds.JPKI, again.assets[Tag("A2")]))
    [covering] = again.attestations(kinds.JPKI, again.assets[Tag("A1")])
    assert (covering.sequence, covering.by) == (number, BY)
    assert again.looked_up[imei(1)][0].line.at == datetime(2026, 11, 23, 1, tzinfo=UTC)
    assert again.unerasable[Tag("A3")].disposition == "destroy"


@pytest.mark.parametrize(
    ("kinds", "tags", "left"),
    [
        ((), (), []),
        ((AttestationKind.JPKI,), (), ["consent A1", "consent A2"]),
        ((), ("A1",), ["consent A2", "jpki A2"]),
        ((AttestationKind.JPKI,), ("A2",), ["consent A1", "consent A2", "jpki A1"]),
    ],
)
async def test_what_is_withdrawn_counts_no_more(
    intake: Intake, kinds: tuple[AttestationKind, ...], tags: tuple[str, ...], left: list[str]
) -> None:
    await intake.with_lot(CSV)
    stated = (AttestationKind.CONSENT, AttestationKind.JPKI)
    number = await intake.desk.attest(attested(*stated, tags=("A1", "A2")))
    told = WithdrawnRecord(lot=LOT, attestation=number, kinds=kinds, tags=tags, note="", by=BY)
    await intake.desk.withdraw(told)
    for book in (intake.desk.book, (await intake.reread()).book):
        assert [
            f"{kind} {tag}"
            for kind in stated
            for tag in ("A1", "A2", "A3")
            if list(book.attestations(kind, book.assets[Tag(tag)]))
        ] == left


async def test_a_slot_does_not_wait_until_a_long_file_is_taken_in(intake: Intake) -> None:
    await intake.with_lot(CSV)
    sequence = intake.desk.book.lots[LotId(LOT)].sequence
    told = bound_record("A1", lot_sequence=sequence, bound_by=BoundBy.IMEI, imeis=(imei(1),))
    async with intake.store.writing():
        with anyio.fail_after(5):
            await intake.store.bind(told, job=JobId("one"), slot=SlotName("A1"))
    assert intake.desk.book.of_job[JobId("one")].told == told
    assert (await intake.reread()).book.of_job[JobId("one")].told == told


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_withdrawal_does_not_wait_until_files_are_read(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    await intake.with_lot(CSV)
    number = await intake.desk.attest(attested(AttestationKind.CONSENT, tags=("A1",)))
    may_be_read, genuine = threading.Event(), csv_import.read_assets
    told = WithdrawnRecord(lot=LOT, attestation=number, kinds=(), tags=(), note="", by=BY)
    done: list[bool] = []

    def slow(data: bytes, holds_badge: HoldsBadge) -> AssetsFile:
        may_be_read.wait(60)
        return genuine(data, holds_badge)

    monkeypatch.setattr(csv_import, "read_assets", slow)

    async def send(tag: str) -> None:
        data = f"tag\n{tag}\n".encode()
        found = await intake.desk.import_assets(LOT, data, by=BY, dry_run=dry_run)
        done.append(found.taken)

    async with anyio.create_task_group() as sending:
        sending.start_soon(send, "B1")
        sending.start_soon(send, "B2")
        await anyio.wait_all_tasks_blocked()
        try:
            with anyio.fail_after(5):
                await intake.desk.withdraw(told)
            assert not done
        finally:
            may_be_read.set()
    assert intake.desk.book.attested[number].withdrawn == [told]
    assert done == [not dry_run] * 2


SECONDS = timezone(timedelta(hours=9, seconds=30))
LOTS: dict[str, dict[str, Any]] = {
    "twice": {"lot": LOT},
    "a space in its name": {"lot": "L 2"},
    "a name that looks like another's": {"lot": f"{LOT}\ufe0f"},
    "a slash in its name": {"lot": "11/24"},
    "a name that is no part of an address": {"lot": ".."},
    "nameless": {"lot": ""},
    "an identity that nobody says how it was checked": {
        "identity_check": "",
        "attests": (AttestationKind.IDENTITY,),
    },
    "a nobody": {"by": Who(operator=" ")},
    "a consignor of spaces": {"consignor": "  "},
    "a zone with seconds": {"taken_in_at": datetime(2026, 1, 1, tzinfo=SECONDS)},
    "an escape in a paper": {"paper": "\x1b"},
    "a surrogate": {"paper": "\ud800"},
}
ASSETS = {
    "a tag that looks like another": AssetLine(tag="A1\u3164"),
    "a tag twice": AssetLine(tag="A1"),
    "an IMEI twice": AssetLine(tag="B1", imei=imei(1)),
    "a wrong IMEI": AssetLine(tag="B1", imei="356938035643800"),
}
Deed = Callable[[Intake], Awaitable[Any]]
REFUSED: dict[str, tuple[type[Exception], Deed]] = {
    **{
        f"a lot: {why}": (
            NameRefused if "by" in told else IntakeRefused,
            lambda i, told=told: i.desk.add_lot(lot_record(**{"lot": "L-2", **told})),
        )
        for why, told in LOTS.items()
    },
    **{
        why: (IntakeRefused, lambda i, line=line: i.desk.add_asset(LOT, line, by=BY))
        for why, line in ASSETS.items()
    },
    "assets of no lot": (
        NotFound,
        lambda i: i.desk.import_assets("L-9", b"tag\nB1\n", by=BY, dry_run=False),
    ),
    "an attestation for no asset": (
        NotFound,
        lambda i: i.desk.attest(attested(AttestationKind.JPKI, tags=("B1",))),
    ),
    "an exception that is no asset": (
        NotFound,
        lambda i: i.desk.attest(attested(AttestationKind.JPKI, excepted=("B1",))),
    ),
    "an attestation for another lot's asset": (
        IntakeRefused,
        lambda i: i.desk.attest(attested(AttestationKind.JPKI, lot="L-0", tags=("A1",))),
    ),
    "withdrawing what nobody stated": (
        NotFound,
        lambda i: i.desk.withdraw(
            WithdrawnRecord(lot=LOT, attestation=1, kinds=(), tags=(), note="", by=BY)
        ),
    ),
    "a dead asset that isn't there": (
        NotFound,
        lambda i: i.desk.unerasable("B1", Unerasable.NO_POWER, note="", by=BY),
    ),
    "a list from nowhere": (
        IntakeRefused,
        lambda i: i.desk.import_network(b"", source=" ", by=BY, dry_run=False),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_refused_has_changed_nothing(intake: Intake, case: str) -> None:
    await intake.with_lot(CSV)
    await intake.desk.add_lot(lot_record("L-0"))
    error, deed = REFUSED[case]
    before, records = state(intake.desk.book), len(intake.ledger.stored)
    with pytest.raises(error):
        await deed(intake)
    assert state(intake.desk.book) == before
    assert len(intake.ledger.stored) == records


@pytest.mark.parametrize("dry_run", [True, False])
async def test_neither_a_file_with_a_mistake_nor_a_dry_run_changes_anything(
    intake: Intake, dry_run: bool
) -> None:
    await intake.with_lot()
    done = await intake.desk.import_assets(LOT, CSV.encode(), by=BY, dry_run=True)
    assert (done.rows, done.taken, done.mistakes) == (3, False, ())
    assert not intake.desk.book.assets
    await intake.desk.import_assets(LOT, CSV.encode(), by=BY, dry_run=False)
    await intake.desk.add_lot(lot_record("L-2"))
    records = len(intake.ledger.stored)
    data = f"tag,IMEI\nB1,{imei(7)}\nA2,{imei(8)}\nB3,{imei(1)}\n".encode()
    done = await intake.desk.import_assets("L-2", data, by=BY, dry_run=dry_run)
    assert not done.taken
    assert [(m.line, m.column, m.code) for m in done.mistakes] == [
        (3, "tag", Mistake.TAG_TAKEN),
        (4, "IMEI", Mistake.IMEI_TAKEN),
    ]
    assert done.mistakes[1].facts["other"] == f"A1 ({LOT})"
    assert len(intake.ledger.stored) == records


async def test_what_is_wrong_in_itself_hides_nothing_that_clashes_with_what_came_in_before(
    intake: Intake,
) -> None:
    """Both can be mended at once, each at its place."""
    await intake.with_lot(CSV)
    await intake.desk.add_lot(lot_record("L-2"))
    data = f"tag,IMEI,model\nB1,{imei(1)},x\nA2,{imei(8)},=1\nB 3,123,x\nB4,{imei(1)},x\n".encode()
    done = await intake.desk.import_assets("L-2", data, by=BY, dry_run=False)
    assert [(m.line, m.column, m.code) for m in done.mistakes] == [
        (2, "IMEI", Mistake.IMEI_TAKEN),
        (3, "model", Mistake.FORMULA),
        (3, "tag", Mistake.TAG_TAKEN),
        (4, "IMEI", Mistake.IMEI_WRONG),
        (4, "tag", Mistake.TAG_SPACED),
        (5, "IMEI", Mistake.IMEI_TAKEN),
        (5, "IMEI", Mistake.IMEI_TWICE),
    ]


async def test_a_handset_that_came_in_again_is_its_newest_asset(intake: Intake) -> None:
    await intake.with_lot(CSV)
    await intake.desk.add_lot(lot_record("L-2"))
    data = f"tag,IMEI\nB1,{imei(1)}\n".encode()
    done = await intake.desk.import_assets("L-2", data, by=BY, dry_run=False, again=True)
    assert done.taken
    assert (await intake.reread()).book.by_imei[imei(1)].tag == "B1"


LONG = ("tag\n" + "".join(f"T{n}\n" for n in range(3 * ASSETS_IN_A_PART))).encode()
"""A file of three parts."""


async def test_an_import_that_is_cut_short_never_counts(intake: Intake) -> None:
    """After each record that it may have got to."""
    await intake.with_lot(LONG.decode())
    whole = list(intake.ledger.stored)
    for kept in range(1, len(whole)):
        intake.ledger.stored = whole[:kept]
        book = (await intake.reread()).book
        assert not book.assets
        assert not book.lots[LotId(LOT)].tags
        assert len(book.unfinished) == (kept > 1)
    intake.ledger.stored = whole
    assert len((await intake.reread()).book.assets) == 3 * ASSETS_IN_A_PART


async def test_after_a_cut_the_same_file_goes_in(intake: Intake) -> None:
    await intake.with_lot()
    part = iter(range(10))
    intake.ledger.fail_on = lambda entry: entry.kind is EntryKind.ASSETS_ADDED and next(part) == 1
    with pytest.raises(LedgerFault):
        await intake.desk.import_assets(LOT, LONG, by=BY, dry_run=False)
    intake.ledger.broken, intake.ledger.fail_on = False, lambda _entry: False
    store = await intake.reread()
    assert not store.book.assets
    intake.desk._store = store
    assert (await intake.desk.import_assets(LOT, LONG, by=BY, dry_run=False)).taken
    assert len((await intake.reread()).book.assets) == 3 * ASSETS_IN_A_PART


NETWORK: dict[str, tuple[str, list[tuple[int, str, Mistake]]]] = {
    "of nobody": (f"{imei(9)},○,2026-11-23 10:00", [(2, "IMEI", Mistake.IMEI_UNKNOWN)]),
    "no number": (",○,2026-11-23 10:00", [(2, "IMEI", Mistake.IMEI_MISSING)]),
    "no sign": (f"{imei(1)},ok,2026-11-23 10:00", [(2, "判定", Mistake.SIGN_WRONG)]),
    "a day without a time": (f"{imei(1)},○,2026-11-23", [(2, "照会日時", Mistake.TIME_WRONG)]),
    "no time": (f"{imei(1)},○,", [(2, "照会日時", Mistake.TIME_WRONG)]),
    # The tests' clock is ahead of its day by as long as the machine has been up.
    "ten years ahead": (f"{imei(1)},○,2036-11-25 10:00", [(2, "照会日時", Mistake.TIME_AHEAD)]),
}


async def look_up(intake: Intake, line: str, coding: str = "utf-8") -> Imported:
    """A carrier's answer about one number is taken in."""
    data = f"IMEI,判定,照会日時\n{line}\n".encode(coding)
    return await intake.desk.import_network(data, source="x", by=BY, dry_run=False)


@pytest.mark.parametrize("case", NETWORK)
async def test_a_list_of_look_ups_tells_each_mistake(intake: Intake, case: str) -> None:
    await intake.with_lot(CSV)
    line, wanted = NETWORK[case]
    done = await look_up(intake, line)
    assert not done.taken
    assert [(m.line, m.column, m.code) for m in done.mistakes] == wanted


async def test_of_two_look_ups_the_newer_holds_and_of_one_moment_the_worse(intake: Intake) -> None:
    await intake.with_lot(CSV)
    for line, sign in (
        ("○,2026/11/23 10:00", "○"),
        ("×,2026-11-22T10:00:00+09:00", "○"),
        ("×,2026年11月23日 10:00", "×"),
        ("△,2026-11-23 10:00", "×"),
        ("-,2026-11-23 11:00", "-"),
    ):
        assert (await look_up(intake, f"{imei(1)},{line}", "cp932")).taken
        for book in (intake.desk.book, (await intake.reread()).book):
            newest = book.newest_look_up([imei(1)])
            assert newest is not None
            assert newest.line.sign == sign


async def test_a_restriction_of_one_number_stands_whatever_is_found_of_the_other(
    intake: Intake,
) -> None:
    """A handset with two slots for SIM cards has two; a carrier restricts one of them."""
    await intake.with_lot(CSV)
    await look_up(intake, f"{imei(2)},×,2026-11-22 10:00")
    for line, number, sign in (
        (f"{imei(1)},○,2026-11-23 10:00", 2, "×"),
        (f"{imei(2)},○,2026-11-22 11:00", 1, "○"),
    ):
        await look_up(intake, line)
        for numbers in ([imei(1), imei(2)], [imei(2), imei(1)]):
            both = intake.desk.book.newest_look_up(numbers)
            assert both is not None
            assert (both.line.imei, both.line.sign) == (imei(number), sign)


async def test_a_label_with_a_model_waits_until_that_of_the_handset_is_known(
    intake: Intake,
) -> None:
    await intake.with_lot("tag,model\nT1,SO-51B\nT2,\n")
    view = replace(running_view(), identity=None)
    with pytest.raises(IntakeRefused, match="before its model was known"):
        await intake.desk.bind(view, "T1", by=BY)
    assert not intake.desk.book.of_job
    told = await intake.desk.bind(running_view(), "T1", by=BY)
    assert (told.model, told.differs) == ("SO-51B", "")


async def at_once(*deeds: Awaitable[object]) -> list[BaseException | None]:
    """What each of them was refused for, all being begun before any of them goes on."""
    refused: list[BaseException | None] = [None] * len(deeds)

    async def one(number: int, deed: Awaitable[object]) -> None:
        try:
            await deed
        except IntakeRefused as refusal:
            refused[number] = refusal

    async with anyio.create_task_group() as group:
        for number, deed in enumerate(deeds):
            group.start_soon(one, number, deed)
    return refused


@pytest.fixture
def slow(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> Intake:
    """A ledger whose disk takes its time, so that whoever can comes in between."""
    original = intake.ledger.append

    async def append(entry: Entry) -> Receipt:
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        return await original(entry)

    monkeypatch.setattr(intake.ledger, "append", append)
    return intake


async def test_one_of_two_who_say_the_same_at_once_is_refused(slow: Intake) -> None:
    await slow.with_lot(f"{CSV}T1,,\nT2,,\n")
    say, view = slow.desk.unerasable, running_view()
    for kind, deeds in (
        (
            EntryKind.ASSET_UNERASABLE,
            [say("A3", Unerasable.NO_POWER, note="", by=BY) for _ in range(2)],
        ),
        (EntryKind.ASSET_BOUND, [slow.desk.bind(view, tag, by=BY) for tag in ("T1", "T2")]),
    ):
        refused = await at_once(*deeds)
        assert [type(each) for each in refused] == [type(None), IntakeRefused]
        [kept] = slow.ledger.of(kind)
    assert kept.entry.data["tag"] == "T1"


async def test_what_a_machine_finds_out_gives_way_to_the_label_that_is_just_scanned(
    slow: Intake,
) -> None:
    await slow.with_lot("tag\nT1\nT2\n")
    view = running_view()
    assert view.job is not None
    by_serial = bound_record("T2", lot_sequence=slow.desk.book.lots[LotId(LOT)].sequence)
    await at_once(
        slow.desk.bind(view, "T1", by=BY),
        slow.store.bind(by_serial, job=view.job, slot=view.slot),
    )
    assert slow.desk.book.of_job[view.job].tag == "T1"
    # And nothing is kept for a job that nobody binds any more.
    assert not slow.store.being_bound
