"""Paths without adb: a collected handset to the crusher, and a shop's look at a reset one.

The cases were drawn up from the trade's own documents before the code was read: the ministry's
survey of carriers and dealers of 2020-12-23 (回収 is never switched on; 溶解, 破砕; 目視での確認;
残高は保全しない旨の同意; 返却もしくは同意を頂いて破損廃棄) and dealers' pages on what they refuse.

A collected handset (回収), what a shop meets → what has to happen:

1. no reader → to be crushed, its cause on record, and that nobody looked at its chip
2. its chip answers, unused → the same, with the reader's word
3. balance or keys in use → crushed only by its owner's consent on record, else cause and cure
4. the reader hears nothing → on record as silent, which is never clean
5. the reader is gone or fails → refused, nothing on record: again, another slot, or none; one that
   is just coming up, after the daemon's start or its own replug, is waited for a moment
6. no such slot, one without a reader, one with a handset in it → refused
7. its neighbour's label: its tray tells another IMEI, or one of another asset → refused
8. its neighbour's label: its chip was seen under another label, or in another's job → refused
9. a label that nobody took in, an old label of one that came in again → refused
10. it has adb after all: its job runs → refused while it runs
11. it has adb after all: plugged in later → only somebody in charge lets it in, whether its papers,
    the number that was read, or its chip tells
12. two people record it, somebody presses twice → the first counts, one record
13. somebody without the role, a badge alone, another system → refused (tests/web)
14. the daemon ends while the reader looks → nothing on record, the next try is whole
15. the daemon ends after it → on record, and refused the second time
16. identity check or consent required, and missing, withdrawn, too old, or no sure clock → refused
    with cause and cure; so is a handset with adb, before anything of it is changed

A handset that its owner has reset, at the counter:

17. first setup, asks for its owner, lock, home screen, dark → what was seen, and what the seller
    has to hear: nothing of it was erased here, and nobody knows yet whether it can be
18. assessed, then erased on the rack → the certificate is the job's alone
19. assessed twice → the last look counts, both on record
20. crushed already, then assessed → refused
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import anyio
import pytest

from benchd.cli.client import TIMEOUT_S as CLIENT_TIMEOUT_S
from benchd.daemon.rack_intake import required_by
from benchd.domain.chip import BaselineKind, ChipScan, ChipVerdict
from benchd.domain.errors import HandsetAtWork, IntakeRefused, NotFound, ReaderFault
from benchd.domain.ids import SlotName
from benchd.domain.intake import AttestationKind, Seen, Tag, Unerasable
from benchd.domain.job import Disposition, Finding, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState
from benchd.intake.required_attestations import Required
from benchd.intake.unplugged_handsets import READER_COMES_WITHIN_S, HandDesk, findings_of
from benchd.pipelines.stages.gates import GatesStage
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.intake_evidence import AssessedRecord, ChipHeldToReader, UnerasableRecord
from tests.intake.lots import BY, attested, imei

from .fake_chips import IN_USE, SILENT, UNUSED, FakeChip
from .lot_rack import GOOD, Rack, edit
from .world import IMEI, Phone, ended, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

CSV = f"tag,IMEI\nT1,{IMEI}\nT2,{imei(2)}\nT3,\n"
ALWAYS = Required(
    always={AttestationKind.IDENTITY: 86_400.0 * 365, AttestationKind.ERASURE: 86_400.0 * 365},
    of_chip_in_use=86_400.0 * 365,
)


class Shop(Rack):
    """Two slots with a reader each; a handset is held to that of A2."""

    def __init__(self, looks: ChipScan | Exception = UNUSED, **parts: Any) -> None:  # noqa: ANN401
        super().__init__(slots=2, **parts)
        once = [looks] * 9 if isinstance(looks, Exception) else []
        seen = UNUSED if isinstance(looks, Exception) else looks
        self.chips.chips["A2"] = FakeChip(looks=seen, once=list(once))
        self.hand = HandDesk(
            self.desk, chips=self.chips, ledger=self.ledger, views=self.world.board.views
        )

    @asynccontextmanager
    async def opened(self, csv: str = CSV, **lot: Any) -> AsyncGenerator[Shop]:  # noqa: ANN401
        await self.lot(csv, **lot)
        async with self.world.running():
            await self.world.until(lambda: SlotName("A2") in self.world.board.views())
            yield self

    async def crush(self, tag: str = "T1", slot: str | None = "A2", **told: Any) -> str:  # noqa: ANN401
        asked: dict[str, Any] = {"reason": Unerasable.COLLECTED, "imei": None, "note": "", "by": BY}
        asked |= told
        return await self.hand.destroy(tag, asked.pop("reason"), slot=slot, **asked)

    async def look(self, tag: str = "T1", slot: str | None = "A2", **told: Any) -> AssessedRecord:  # noqa: ANN401
        asked: dict[str, Any] = {"seen": Seen.WELCOME, "imei": None, "note": "", "by": BY, **told}
        return (await self.hand.assess(tag, asked.pop("seen"), slot=slot, **asked)).told

    def crushed(self) -> list[UnerasableRecord]:
        return list(self.desk.book.unerasable.values())

    async def refuses(self, why: str, act: Callable[[], Any]) -> None:
        before = len(self.ledger.stored)
        with pytest.raises((IntakeRefused, NotFound), match=why):
            await act()
        assert len(self.ledger.stored) == before
        assert self.crushed() == []


# 回収: to the crusher, never switched on.


@pytest.mark.parametrize(
    ("slot", "looks", "verdict"),
    [
        (None, UNUSED, None),
        ("A2", UNUSED, ChipVerdict.UNUSED),
        ("A2", IN_USE, ChipVerdict.IN_USE),
        ("A2", SILENT, ChipVerdict.SILENT),
    ],
)
async def test_a_collected_handset_goes_to_the_crusher_with_what_its_chip_has_said(
    slot: str | None, looks: ChipScan, verdict: ChipVerdict | None
) -> None:
    async with Shop(looks).opened() as shop:
        case = await shop.crush(slot=slot)
        [told] = shop.crushed()
        assert (told.reason, told.disposition) == (Unerasable.COLLECTED, Disposition.DESTROY)
        assert (told.chip and told.chip.verdict) == verdict
        assert told.chip is None or told.chip.slot == "A2"
        assert shop.desk.book.cases[Tag("T1")] == case
        assert not shop.ledger.of(EntryKind.JOB_OPENED)
        assert not shop.ledger.of(EntryKind.JOB_ENDED)


REFUSED: dict[str, tuple[ChipScan | Exception, dict[str, Any], str]] = {
    "nobody took it in": (UNUSED, {"tag": "T9"}, "no asset T9"),
    "no such slot": (UNUSED, {"slot": "Z9"}, "no slot Z9"),
    "its IMEI is misread": (UNUSED, {"imei": "1" * 15}, "15 digits"),
    "its tray says another IMEI": (UNUSED, {"imei": imei(3)}, "isn't that of T1"),
    "its tray says its neighbour's": (UNUSED, {"tag": "T3", "imei": imei(2)}, "that of T2"),
    "the reader fails": (ReaderFault("it stutters"), {}, "doesn't answer"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_speaks_against_it_changes_nothing(case: str) -> None:
    looks, told, why = REFUSED[case]
    async with Shop(looks).opened() as shop:
        await shop.refuses(why, lambda: shop.crush(**told))
        await shop.refuses(why, lambda: shop.look(**told))


async def test_a_reader_that_is_gone_or_was_never_there_says_nothing() -> None:
    async with Shop().opened() as shop:
        shop.chips.unplug_reader("A2")
        await shop.refuses("doesn't answer", shop.crush)
        del shop.chips.chips["A2"]
        await shop.refuses("has no reader", shop.crush)
        await shop.crush(slot=None)
        assert shop.crushed()[0].chip is None


@pytest.mark.parametrize("act", [Shop.crush, Shop.look])
async def test_a_reader_that_is_just_coming_up_is_waited_for(act: Callable[[Shop], Any]) -> None:
    async with Shop().opened() as shop, anyio.create_task_group() as hands:
        shop.chips.unplug_reader("A2")

        async def plug_in() -> None:
            await anyio.sleep(READER_COMES_WITHIN_S - 1)
            shop.chips.plug_reader("A2")

        hands.start_soon(plug_in)
        await act(shop)
        assert [slot for slot, *_ in shop.chips.scans] == ["A2"]


async def test_a_reader_that_stays_away_is_not_waited_for_longer_than_a_request_may_take() -> None:
    async with Shop().opened() as shop:
        shop.chips.unplug_reader("A2")
        began = anyio.current_time()
        await shop.refuses("doesn't answer", shop.crush)
        assert READER_COMES_WITHIN_S <= anyio.current_time() - began < CLIENT_TIMEOUT_S


async def test_a_reader_with_a_handset_on_it_speaks_of_that_one() -> None:
    async with Shop().opened() as shop:
        shop.world.ports["A2"].plug(Phone(serial="other", imei=imei(7)))
        await shop.world.until(lambda: shop.world.view("A2").state is not SlotState.EMPTY)
        await shop.refuses("there is a handset in slot A2", shop.crush)


async def test_one_that_is_plugged_in_while_the_reader_looks_takes_its_word_away() -> None:
    async with Shop().opened() as shop:
        scan = shop.chips.scan

        async def scan_late(*args: Any, **named: Any) -> ChipScan:  # noqa: ANN401
            shop.world.ports["A2"].plug(Phone(serial="other", imei=imei(7)))
            await shop.world.until(lambda: shop.world.view("A2").state is not SlotState.EMPTY)
            return await scan(*args, **named)

        shop.chips.scan = scan_late  # type: ignore[method-assign]
        with pytest.raises(IntakeRefused, match="there is a handset in slot A2"):
            await shop.crush()
        assert shop.crushed() == []


@pytest.mark.parametrize("by", ["hand", "job"])
async def test_a_chip_that_was_seen_under_another_label_is_a_label_on_the_wrong_handset(
    by: str,
) -> None:
    async with Shop().opened() as shop:
        await shop.looked_up()
        if by == "hand":
            await shop.look("T2")
        else:
            shop.chips.chips["A1"] = FakeChip(looks=UNUSED)
            await shop.world.ran(Phone())
        wrong = "T1" if by == "hand" else "T3"
        before = len(shop.ledger.stored)
        with pytest.raises(IntakeRefused, match="was seen in T"):
            await shop.crush(wrong)
        assert len(shop.ledger.stored) == before


async def test_one_that_came_in_again_may_have_its_chip_under_both_labels() -> None:
    async with Shop().opened() as shop:
        await shop.look("T1")
        await shop.again()
        with pytest.raises(IntakeRefused, match="that of T9"):
            await shop.crush("T1")
        await shop.crush("T9")
        assert [told.tag for told in shop.crushed()] == ["T9"]


async def test_one_that_is_at_work_in_a_slot_has_adb() -> None:
    async with Shop().opened() as shop:
        shop.world.silent_in = StageName.GATES
        shop.world.ports["A1"].plug(Phone())
        await shop.world.until(lambda: shop.world.view().job in shop.store.book.of_job)
        before = len(shop.crushed())
        with pytest.raises(HandsetAtWork, match="T1 lies in slot A1"):
            await shop.crush(slot=None)
        with pytest.raises(HandsetAtWork):
            await shop.look(slot=None)
        assert len(shop.crushed()) == before == 0
        shop.world.back_at_work()
        await shop.world.finished()


FOUND_BY = {
    "its papers": (CSV, {"slot": None}),
    "what was read on its tray": ("tag\nT1\nT2\n", {"slot": None, "imei": IMEI}),
}
CLOSED = {Gate.DESTROYED_BEFORE: False, Gate.SAME_HANDSET: True}


@pytest.mark.parametrize("by", FOUND_BY)
async def test_one_that_turns_out_to_have_adb_is_not_sold_without_somebody_in_charge(
    by: str,
) -> None:
    csv, told = FOUND_BY[by]
    shop = Shop(answers=CLOSED)
    shop.world.notes[Gate.SAME_HANDSET] = "same, compared"
    async with shop.opened(csv):
        await shop.crush("T1", **told)
        assert await shop.visit() == (Outcome.FAILED, Reason.DESTROY_STANDS)


@pytest.mark.parametrize("seen_before", [True, False])
async def test_nor_is_one_of_which_only_its_chip_tells(seen_before: bool) -> None:
    """Somebody in charge is asked at the chip, and again which handset it is: nothing is sold."""
    shop = Shop(answers={**CLOSED, Gate.CHIP_SEEN_BEFORE: seen_before})
    shop.world.notes[Gate.SAME_HANDSET] = "same, compared"
    async with shop.opened("tag\nT1\nT2\n"):
        await shop.crush("T1")
        await shop.world.ran(Phone())
    end = ended(shop.world)[-1]
    assert (end["outcome"], end["disposition"]) == (Outcome.FAILED, Disposition.HOLD)
    detail = "which was to be destroyed" if seen_before else "chip_seen_before"
    assert detail in str(end["detail"])


async def test_whoever_is_second_finds_it_on_record() -> None:
    async with Shop().opened() as shop:
        refused: list[str] = []

        async def crush() -> None:
            try:
                await shop.crush()
            except IntakeRefused as error:
                refused.append(str(error))

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(crush)
        assert len(refused) == 2
        assert all("already" in each for each in refused)
        assert len(shop.ledger.of(EntryKind.ASSET_UNERASABLE)) == 1
        with pytest.raises(IntakeRefused, match="already"):
            await shop.look()


async def test_a_daemon_that_ends_while_the_reader_looks_has_said_nothing() -> None:
    async with Shop().opened() as shop:
        with anyio.move_on_after(0.1):
            await shop.crush()
        assert shop.crushed() == []
        await shop.store.recall()
        await shop.crush()
        await shop.store.recall()
        [told] = shop.crushed()
        assert told.chip is not None
        with pytest.raises(IntakeRefused, match="already"):
            await shop.crush()


# What has to be attested before.


async def test_what_is_in_use_goes_only_with_its_owners_consent() -> None:
    async with Shop(IN_USE).opened() as shop:
        shop.desk.required = Required(of_chip_in_use=86_400.0)
        await shop.refuses("consent isn't attested of T1", shop.crush)
        number = await shop.desk.attest(attested(AttestationKind.CONSENT, tags=("T1",)))
        await shop.crush()
        [told] = shop.crushed()
        assert [each.cited.sequence for each in told.required] == [number]
        # A chip that nobody has looked at, or an unused one, has nothing on record to lose.
        await shop.crush("T2", slot=None)


@pytest.mark.parametrize("case", ["missing", "one of two", "withdrawn", "too old", "clock"])
async def test_what_the_recipe_requires_is_on_record_first(case: str) -> None:
    both = (AttestationKind.IDENTITY, AttestationKind.ERASURE)
    async with Shop().opened() as shop:
        shop.desk.required = ALWAYS
        if case != "missing":
            kinds = both[:1] if case == "one of two" else both
            shop.attestation = await shop.desk.attest(attested(*kinds, tags=("T1",)))
        if case == "withdrawn":
            await shop.withdraw(AttestationKind.ERASURE)
        if case == "too old":
            shop.clock.behind = -timedelta(days=400)
        if case == "clock":
            shop.source = None
        why = "confirm the rack's time" if case == "clock" else "isn't attested of T1, or too long"
        await shop.refuses(why, lambda: shop.crush(slot=None))
        shop.source = True
        await shop.desk.attest(attested(*both, tags=("T1",)))
        await shop.crush(slot=None)
        assert {each.kind for each in shop.crushed()[0].required} == set(both)


async def test_the_recipe_that_crushes_says_what_is_required() -> None:
    require = (AttestationKind.IDENTITY,)
    gates = GatesStage(require=require, required_within_days=10, attest=(Gate.CONSENT,))
    recycle = replace(make_recipe(gates=gates, certify=None), ends_as=Reason.RECYCLED)
    assert required_by([make_recipe(gates=gates)]) == Required()
    found = required_by([recycle, make_recipe()])
    assert found.always == {AttestationKind.IDENTITY: 864_000.0}
    assert found.of_chip_in_use == 365 * 86_400


# A shop's look at a handset that its owner has reset.

TOLD_ANYWAY = (Finding.JPKI, Finding.OVERWRITE_UNKNOWN)


@pytest.mark.parametrize(
    ("seen", "findings"),
    [
        (Seen.WELCOME, ()),
        (Seen.OWNER_ASKED, (Finding.LOCK_OR_ACCOUNT,)),
        (Seen.LOCK_SCREEN, (Finding.NOT_RESET, Finding.LOCK_OR_ACCOUNT)),
        (Seen.HOME_SCREEN, (Finding.NOT_RESET,)),
        (Seen.NO_PICTURE, (Finding.UNSEEN,)),
    ],
)
async def test_a_look_says_what_was_seen_and_what_the_seller_has_to_hear(
    seen: Seen, findings: tuple[Finding, ...]
) -> None:
    async with Shop().opened() as shop:
        told = await shop.look(seen=seen)
        assert told.findings == (*findings, *TOLD_ANYWAY)
        assert shop.desk.book.assessed[Tag("T1")].told == told
        assert shop.crushed() == []
        assert not shop.ledger.of(EntryKind.JOB_ENDED)


@pytest.mark.parametrize(
    ("scan", "finding"),
    [
        (None, Finding.CHIP_UNKNOWN),
        (UNUSED, None),
        (replace(UNUSED, baseline_kind=BaselineKind.INFERRED), Finding.CHIP_UNKNOWN),
        (SILENT, Finding.CHIP_UNKNOWN),
        (IN_USE, Finding.CHIP_IN_USE),
    ],
)
async def test_only_an_unused_chip_that_was_seen_is_nothing_to_tell(
    scan: ChipScan | None, finding: Finding | None
) -> None:
    chip = None if scan is None else ChipHeldToReader.of(SlotName("A2"), scan)
    of_chip = () if finding is None else (finding,)
    assert findings_of(Seen.WELCOME, chip) == (*of_chip, *TOLD_ANYWAY)


async def test_an_assessed_handset_is_erased_as_any_other_and_cites_no_look() -> None:
    shop = Shop()
    async with shop.opened(attests=(AttestationKind.CONSENT, AttestationKind.JPKI)):
        await shop.looked_up()
        await shop.look()
        await shop.look(seen=Seen.HOME_SCREEN)
        assert shop.desk.book.assessed[Tag("T1")].told.seen is Seen.HOME_SCREEN
        assert len(shop.ledger.of(EntryKind.ASSET_ASSESSED)) == 2
        assert await shop.visit() == GOOD
    job, records, intake = await shop.proof()
    assert verify_erasure(job, records, intake)
    assert not any(each.entry.kind is EntryKind.ASSET_ASSESSED for each in records)


# Required of a handset with adb, too.


REQUIRING = make_recipe(
    gates=GatesStage(require=(AttestationKind.IDENTITY, AttestationKind.ERASURE))
)
BOTH_REQUIRED = (AttestationKind.IDENTITY, AttestationKind.ERASURE)


async def test_a_certificate_cites_what_its_recipe_required() -> None:
    rack = Rack(recipe=REQUIRING)
    await rack.papers()
    number = await rack.desk.attest(attested(*BOTH_REQUIRED))
    assert await rack.ran() == GOOD
    job, records, intake = await rack.proof()
    erasure = verify_erasure(job, records, intake)
    cited = {each.kind: each.cited.sequence for each in erasure.intake.evidence.gates.required}
    assert cited == dict.fromkeys(BOTH_REQUIRED, number)


@pytest.mark.parametrize(
    ("attest", "reason"),
    [
        ((), Reason.IDENTITY_NOT_ATTESTED),
        ((AttestationKind.ERASURE,), Reason.IDENTITY_NOT_ATTESTED),
        ((AttestationKind.IDENTITY,), Reason.ERASURE_NOT_ATTESTED),
    ],
)
async def test_without_it_the_handset_is_held_before_anything_is_changed(
    attest: tuple[AttestationKind, ...], reason: Reason
) -> None:
    rack = Rack(recipe=REQUIRING)
    await rack.papers()
    if attest:
        await rack.desk.attest(attested(*attest))
    assert await rack.ran(Phone(used_bytes=30 << 20)) == (Outcome.FAILED, reason)
    started = [s.entry.data["stage"] for s in rack.ledger.of(EntryKind.STAGE_STARTED)]
    assert started == [StageName.INSPECT, StageName.GATES]
    assert rack.asked() == []


async def test_a_handset_of_no_lot_has_nothing_attested() -> None:
    rack = Rack(recipe=REQUIRING)
    assert await rack.ran() == (Outcome.FAILED, Reason.IDENTITY_NOT_ATTESTED)


async def test_what_is_withdrawn_before_the_reset_stops_it() -> None:
    rack = Rack(recipe=REQUIRING)
    await rack.papers()
    rack.attestation = await rack.desk.attest(attested(*BOTH_REQUIRED))
    rack.world.silent_in = StageName.FINAL_RESET
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        await rack.world.until_question(Gate.FINAL_RESET)
        await rack.withdraw(AttestationKind.IDENTITY)
        await rack.world.finished()
    assert rack.end() == (Outcome.FAILED, Reason.IDENTITY_NOT_ATTESTED)


@pytest.mark.parametrize("field", ["sequence", "hash", "tag", "limit_s", "kind"])
async def test_a_required_attestation_that_is_made_up_proves_nothing(field: str) -> None:
    rack = Rack(recipe=REQUIRING)
    await rack.papers()
    await rack.desk.attest(attested(*BOTH_REQUIRED))
    assert await rack.ran() == GOOD
    lies: dict[str, object] = {
        "sequence": 1,
        "hash": "0" * 64,
        "tag": "T9",
        "limit_s": 86_400.0 * 900,
        "kind": "owner_reset",
    }

    def lie(records: list[Any], _intake: list[Any]) -> None:
        def change(data: dict[str, Any]) -> None:
            for each in data["evidence"].get("required") or ():
                (each if field == "kind" else each["cited"])[field] = lies[field]

        edit(records, EntryKind.STAGE_ENDED, change)

    await rack.must_be_a_gap(lie)
