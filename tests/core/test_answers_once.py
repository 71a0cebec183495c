"""What was attested at intake is cited instead of asked, and every way to lie about it is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from benchd.domain.errors import CertificateGap, SecondPersonNeeded
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId, SlotName
from benchd.domain.intake import AttestationKind, BoundBy, LotId, Unerasable
from benchd.domain.job import Gate, Outcome, Reason, StageName
from benchd.domain.people import ShownBy
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.slot_states import SlotState
from benchd.pipelines.stages.gates import GatesStage
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.intake_evidence import (
    AssetLine,
    AssetsRecord,
    BoundRecord,
    NetworkLine,
    NetworkRecord,
    Who,
    WithdrawnRecord,
)
from benchd.proof.job_history import fold_job
from tests.intake.lots import BY, LOT, attested, lot_record
from tests.people.somebody import somebody

from .fake_chips import IN_USE, SILENT, FakeChip
from .lot_rack import IMEI, Rack
from .world import Phone, ended, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

OTHER_IMEI = "352099001761481"
NAME_ALONE = Who(operator="Ito")
"""As whoever types a name, and shows nothing."""
BADGE_ALONE = Who(operator="Ito", person="ito", shown_by=ShownBy.BADGE)
BOTH = (AttestationKind.CONSENT, AttestationKind.JPKI)


GOOD = (Outcome.PASSED, None)


async def test_a_lot_bound_handset_needs_no_answer_that_was_given_at_intake() -> None:
    rack = Rack()
    await rack.lot(attests=BOTH)
    await rack.looked_up()
    assert await rack.ran(Phone(jpki_capable=True)) == GOOD
    # The IMEI, since no NFC switch ties this fake's chip to it.
    assert rack.asked() == [Gate.FINAL_RESET, Gate.OBSERVE, Gate.IMEI, Gate.CONFIRM]
    job, records, intake = await rack.proof()
    erasure = verify_erasure(job, records, intake)
    assert set(erasure.intake.settled) == {Gate.NETWORK, Gate.JPKI, Gate.CONSENT}
    cited = erasure.intake.settled[Gate.JPKI].cited
    assert cited is not None
    assert (cited.lot, cited.tag, cited.operator, cited.whole_lot) == (LOT, "T1", "Ito", True)
    with pytest.raises(CertificateGap, match="no such asset"):
        verify_erasure(job, records)


async def test_who_begins_the_reset_without_a_word_is_asked_nothing_before_what_is_seen() -> None:
    rack = Rack()
    await rack.lot(attests=BOTH)
    await rack.looked_up()
    rack.world.silent_in = StageName.FINAL_RESET
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        await rack.world.until(
            lambda: (
                bool(rack.world.board.views())
                and (question := rack.world.view().question) is not None
                and question.gate is Gate.FINAL_RESET
            )
        )
        rack.world.ports["A1"].restart(frozenset({"060101"}))
        await rack.world.until_state(SlotState.FINISHED)
    assert ended(rack.world)[-1]["outcome"] == Outcome.PASSED
    assert rack.answered() == [Gate.OBSERVE, Gate.IMEI, Gate.CONFIRM]


async def test_without_a_lot_everything_that_counts_is_asked_and_no_more() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    assert await rack.ran(Phone(jpki_capable=None)) == GOOD
    assert rack.asked()[:3] == [Gate.NETWORK, Gate.JPKI, Gate.CONSENT]
    spared = Rack(FakeChip(looks=SILENT))
    assert await spared.ran(Phone(jpki_capable=False, felica_capable=False)) == GOOD
    assert not {Gate.JPKI, Gate.CONSENT} & set(spared.asked())


async def test_consent_is_cited_for_a_chip_in_use_and_stands_in_the_order_to_clear_it() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await rack.lot(attests=BOTH)
    await rack.looked_up()
    assert await rack.ran() == GOOD
    assert Gate.CONSENT not in rack.asked()
    [clear] = [
        s.entry.data["evidence"]
        for s in rack.ledger.of(EntryKind.STAGE_ENDED)
        if s.entry.data["stage"] == StageName.FELICA_CLEAR
    ]
    assert clear["consent"] == "Ito"  # type: ignore[index, call-overload]


async def test_consent_is_refused_before_anything_is_gone() -> None:
    rack = Rack(FakeChip(looks=IN_USE), answers={Gate.CONSENT: False})
    assert await rack.ran() == (Outcome.FAILED, Reason.CONSENT_MISSING)
    started = [s.entry.data["stage"] for s in rack.ledger.of(EntryKind.STAGE_STARTED)]
    assert started[-1] == StageName.FELICA_CHECK


# Each of these leaves somebody to be asked: nothing is cited for this handset.

Setting = Callable[[Rack], Any]


async def _excepted(rack: Rack) -> None:
    await rack.lot()
    await rack.desk.attest(attested(*BOTH, excepted=("T1",)))


async def _another_lot(rack: Rack) -> None:
    await rack.lot()
    await rack.desk.add_lot(lot_record("L-2", attests=BOTH))


async def _another_asset(rack: Rack) -> None:
    await rack.lot(f"tag,IMEI\nT1,{IMEI}\nT2,{OTHER_IMEI}\n")
    await rack.desk.attest(attested(*BOTH, tags=("T2",)))
    await rack.looked_up(imei=OTHER_IMEI)


async def _withdrawn(rack: Rack) -> None:
    await rack.lot()
    number = await rack.desk.attest(attested(*BOTH))
    await rack.desk.withdraw(
        WithdrawnRecord(lot=LOT, attestation=number, kinds=(), tags=("T1",), note="", by=BY)
    )


async def _not_mine(rack: Rack) -> None:
    await rack.lot(f"tag,IMEI\nT1,{OTHER_IMEI}\n", attests=BOTH)
    await rack.looked_up(imei=OTHER_IMEI)


async def _unerasable(rack: Rack) -> None:
    await rack.lot(attests=BOTH)
    await rack.desk.unerasable("T1", Unerasable.NO_POWER, note="", by=BY)


async def _old(rack: Rack) -> None:
    await rack.lot(attests=BOTH)
    await rack.looked_up(at="2026-11-10 10:00")
    today = rack.world.clock.now
    rack.world.clock.now = lambda: today() + timedelta(days=400)  # type: ignore[method-assign]


async def _same_serial_other_imei(rack: Rack) -> None:
    await rack.lot(f"tag,IMEI,serial\nT1,{OTHER_IMEI},R5CT10ABCDE\n", attests=BOTH)


async def _by_a_name(rack: Rack) -> None:
    await rack.lot(attests=BOTH, by=NAME_ALONE)
    await rack.looked_up(by=NAME_ALONE)


async def _by_a_badge(rack: Rack) -> None:
    await rack.lot()
    await rack.desk.attest(attested(*BOTH, by=BADGE_ALONE))
    await rack.looked_up(by=BADGE_ALONE)


async def _of_its_former_owner(rack: Rack) -> None:
    """The proof would miss the look-up: it reads the records from the handset's own lot on."""
    await rack.lot(attests=BOTH)
    await rack.looked_up()
    await rack.again()


ASKED: dict[str, Setting] = {
    "a name alone has attested it": _by_a_name,
    "a badge alone has attested it": _by_a_badge,
    "it has come in again since": _of_its_former_owner,
    "it is an exception": _excepted,
    "it is of another lot": _another_lot,
    "it is another asset": _another_asset,
    "it was withdrawn": _withdrawn,
    "it isn't in the lot": _not_mine,
    "it is on record as not erasable": _unerasable,
    "it is too old": _old,
    "it has the serial of an asset with another IMEI": _same_serial_other_imei,
}


@pytest.mark.parametrize("case", ASKED)
async def test_what_does_not_cover_it_is_asked(case: str) -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await ASKED[case](rack)
    assert await rack.ran() == GOOD
    assert {Gate.NETWORK, Gate.JPKI, Gate.CONSENT} <= set(rack.asked())


@pytest.mark.parametrize("let", [True, False])
async def test_what_was_to_be_crushed_by_hand_is_let_in_by_somebody_in_charge_only(
    let: bool,
) -> None:
    """On record as without power, and then it lies in a slot; a new label changes nothing."""
    rack = Rack(answers={Gate.DESTROYED_BEFORE: let})
    await rack.lot(attests=BOTH)
    await rack.desk.unerasable("T1", Unerasable.NO_POWER, note="", by=BY)
    await rack.again()
    good = (Outcome.FAILED, Reason.DESTROY_STANDS)
    assert await rack.ran() == (GOOD if let else good)
    [asked] = [
        s.entry.data["facts"]
        for s in rack.ledger.of(EntryKind.QUESTION_ASKED)
        if s.entry.data["gate"] == Gate.DESTROYED_BEFORE
    ]
    assert (asked["earlier_job"], asked["earlier_reason"]) == ("T1", "no_power")  # type: ignore[index, call-overload]


async def test_a_restriction_holds_without_a_question_until_a_newer_look_up() -> None:
    rack = Rack()
    await rack.lot(attests=BOTH)
    await rack.looked_up("×")
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        await rack.world.until_state(SlotState.FINISHED)
        assert ended(rack.world)[-1]["reason"] == Reason.NETWORK_RESTRICTED
        rack.world.ports["A1"].unplug()
        await rack.world.until_state(SlotState.EMPTY)
        await rack.looked_up("△", at="2026-11-24 08:30")
        rack.world.ports["A1"].plug(Phone())
        await rack.world.until_state(SlotState.FINISHED)
    assert ended(rack.world)[-1]["outcome"] == Outcome.PASSED
    assert Gate.NETWORK not in rack.asked()


async def test_a_restriction_that_comes_in_during_a_job_holds_a_handset_of_no_lot_too() -> None:
    """Of no lot, and answered for: a list that came in since then says ×."""
    rack = Rack()
    rack.world.silent_in = StageName.CONFIRM
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        await rack.world.until(lambda: Gate.CONFIRM in rack.asked())
        assert Gate.NETWORK in rack.answered()
        # A list tells minutes: in the minute of the answer it isn't the older of the two. It is
        # kept here as an import keeps it, whose thread would let virtual time run to a deadline.
        minute = rack.store.clock.now().replace(second=0, microsecond=0)
        listed = NetworkRecord(
            batch="list-1",
            part=1,
            parts=1,
            source="carrier",
            results=(NetworkLine(imei=IMEI, sign="×", at=minute),),
            by=BY,
        )
        async with rack.store.writing() as writer:
            await writer.keep(EntryKind.NETWORK_LISTED, listed)
        rack.world.silent_in = None
        rack.world.board._wake()
        await rack.world.until_state(SlotState.FINISHED)
    end = ended(rack.world)[-1]
    assert end["outcome"] != Outcome.PASSED
    assert "the newest look-up forbids a sale" in str(end["detail"])


async def test_a_number_that_one_person_has_read_cites_no_papers_that_it_was_found_by() -> None:
    """It is bound at the end, when another has read it too; the gates have asked people by then."""
    rack = Rack()
    await rack.lot(f"tag,IMEI\nT1,{OTHER_IMEI}\n", attests=BOTH)
    await rack.looked_up(imei=OTHER_IMEI)
    assert await rack.ran(Phone(imei=None, screen_imei=OTHER_IMEI)) == GOOD
    assert {Gate.NETWORK, Gate.JPKI} <= set(rack.asked())
    assert [s.entry.data["bound_by"] for s in rack.ledger.of(EntryKind.ASSET_BOUND)] == ["imei"]


async def test_its_label_scanned_with_the_number_cites_what_was_attested() -> None:
    rack = Rack()
    await rack.lot(f"tag,IMEI\nT1,{OTHER_IMEI}\n", attests=BOTH)
    await rack.looked_up(imei=OTHER_IMEI)
    rack.world.notes[Gate.IMEI] = f"T1 {OTHER_IMEI}"
    assert await rack.ran(Phone(imei=None, screen_imei=OTHER_IMEI)) == GOOD
    assert rack.asked() == [Gate.IMEI, Gate.FINAL_RESET, Gate.OBSERVE, Gate.CONFIRM]
    assert [s.entry.data["bound_by"] for s in rack.ledger.of(EntryKind.ASSET_BOUND)] == ["tag"]
    job, records, intake = await rack.proof()
    assert verify_erasure(job, records, intake).intake.asset is not None


@pytest.mark.parametrize(("answer", "bound"), [("T2", ["T2"]), ("", [])])
async def test_two_candidates_are_a_question(answer: str, bound: list[str]) -> None:
    rack = Rack(answers={Gate.ASSET: bool(answer)})
    rack.world.notes[Gate.ASSET] = answer
    await rack.lot("tag,serial\nT1,R5CT10ABCDE\nT2,R5CT10ABCDE\nT3,X\n", attests=BOTH)
    assert await rack.ran() == GOOD
    [asked] = [
        s for s in rack.ledger.of(EntryKind.QUESTION_ASKED) if s.entry.data["gate"] == "asset"
    ]
    assert asked.entry.data["facts"]["tags"] == "T1, T2"  # type: ignore[index, call-overload]
    assert [s.entry.data["tag"] for s in rack.ledger.of(EntryKind.ASSET_BOUND)] == bound
    assert (Gate.JPKI in rack.asked()) is not bool(bound)


async def test_what_is_withdrawn_in_mid_job_stops_it_before_anything_is_destroyed() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await rack.lot()
    number = await rack.desk.attest(attested(*BOTH))
    rack.world.silent_in = StageName.GATES
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        # JPKI is cited after the network was asked for, consent after the look at the chip.
        await rack.world.until_state(SlotState.AWAITING_OPERATOR)
        original = rack.world.parts.chips.scan

        async def scan_late(*args: Any, **named: Any) -> Any:  # noqa: ANN401
            told = WithdrawnRecord(
                lot=LOT, attestation=number, kinds=(AttestationKind.JPKI,), tags=(), note="", by=BY
            )
            if not rack.ledger.of(EntryKind.ATTESTATION_WITHDRAWN):
                await rack.desk.withdraw(told)
            return await original(*args, **named)

        rack.world.parts.chips.scan = scan_late  # type: ignore[method-assign]
        rack.world.silent_in = None
        rack.world.board._wake()
        await rack.world.until_state(SlotState.FINISHED)
    end = ended(rack.world)[-1]
    assert (end["outcome"], end["reason"]) == (Outcome.FAILED, Reason.JPKI_NOT_ATTESTED)
    started = [s.entry.data["stage"] for s in rack.ledger.of(EntryKind.STAGE_STARTED)]
    assert StageName.INITIALISE not in started


# The proof, whatever a stage says.

Lie = Callable[[list[StoredEntry], list[StoredEntry]], None]


def _edit(
    records: list[StoredEntry], kind: EntryKind, change: Callable[[dict[str, Any]], None]
) -> None:
    for index, record in enumerate(records):
        if record.entry.kind is kind:
            data = json.loads(json.dumps(dict(record.entry.data)))
            change(data)
            records[index] = replace(record, entry=replace(record.entry, data=data))


def _cited(gate: str, **changes: object) -> Lie:
    def lie(records: list[StoredEntry], _intake: list[StoredEntry]) -> None:
        def change(data: dict[str, Any]) -> None:
            evidence = data["evidence"]
            settled = evidence.get("settled") or []
            for each in settled if isinstance(settled, list) else [settled]:
                if each["gate"] == gate:
                    each["cited"].update(changes)

        _edit(records, EntryKind.STAGE_ENDED, change)

    return lie


def _intake(kind: EntryKind, **changes: object) -> Lie:
    return lambda _records, intake: _edit(intake, kind, lambda data: data.update(changes))


def _gone(kind: EntryKind) -> Lie:
    def lie(_records: list[StoredEntry], intake: list[StoredEntry]) -> None:
        intake[:] = [record for record in intake if record.entry.kind is not kind]

    return lie


def _bound(**changes: object) -> Lie:
    def lie(records: list[StoredEntry], intake: list[StoredEntry]) -> None:
        _edit(records, EntryKind.ASSET_BOUND, lambda data: data.update(changes))
        _edit(intake, EntryKind.ASSET_BOUND, lambda data: data.update(changes))

    return lie


def _appended(kind: EntryKind, told: object, **entry: Any) -> Lie:  # noqa: ANN401
    def lie(_records: list[StoredEntry], intake: list[StoredEntry]) -> None:
        last = intake[-1]
        made = replace(last.entry, kind=kind, data=to_json(told), **entry)
        intake.append(replace(last, sequence=last.sequence + 1000, entry=made))

    return lie


def _withdraw(sequence: int, tags: tuple[str, ...] = ()) -> Lie:
    told = WithdrawnRecord(lot=LOT, attestation=sequence, kinds=(), tags=tags, note="", by=BY)
    return _appended(EntryKind.ATTESTATION_WITHDRAWN, told)


def _rehashed(_records: list[StoredEntry], intake: list[StoredEntry]) -> None:
    """An attestation that was rewritten has another hash than the one that was cited."""
    for index, record in enumerate(intake):
        if record.entry.kind is EntryKind.LOT_ADDED:
            intake[index] = replace(record, hash_hex="ab" * 32)


def _unbound(records: list[StoredEntry], intake: list[StoredEntry]) -> None:
    for each in (records, intake):
        each[:] = [record for record in each if record.entry.kind is not EntryKind.ASSET_BOUND]


def _not_needed(gate: str, because: str) -> Lie:
    def lie(records: list[StoredEntry], _intake: list[StoredEntry]) -> None:
        def change(data: dict[str, Any]) -> None:
            settled = data["evidence"].get("settled") or []
            for each in settled if isinstance(settled, list) else [settled]:
                if each["gate"] == gate:
                    each.update(cited=None, not_needed=because)

        _edit(records, EntryKind.STAGE_ENDED, change)

    return lie


def _restricted(records: list[StoredEntry], intake: list[StoredEntry]) -> None:
    for record in list(intake):
        if record.entry.kind is EntryKind.NETWORK_LISTED:
            data = json.loads(json.dumps(dict(record.entry.data)))
            data["batch"] = "later"
            data["results"][0].update(sign="×", at="2026-11-24T00:10:00Z")
            later = replace(record.entry, data=data)
            intake.append(replace(record, sequence=9999, entry=later))


def _again(lot: str) -> Lie:
    line = AssetLine(tag="T9", imei=IMEI)
    told = AssetsRecord(lot=lot, batch="b", part=1, parts=1, again=True, assets=(line,), by=BY)
    return _appended(EntryKind.ASSETS_ADDED, told)


LIES: dict[str, Lie] = {
    "the lot is attested by a name alone": _intake(EntryKind.LOT_ADDED, by=to_json(NAME_ALONE)),
    "the list is by a name alone": _intake(EntryKind.NETWORK_LISTED, by=to_json(NAME_ALONE)),
    "the lot is attested by a badge alone": _intake(EntryKind.LOT_ADDED, by=to_json(BADGE_ALONE)),
    "it came in again with another lot": _again("L-2"),
    "it came in again in its lot": _again(LOT),
    "another attestation": _cited("jpki", sequence=2),
    "a record that isn't there": _cited("consent", sequence=77),
    "another hash": _cited("jpki", hash="cd" * 32),
    "another person": _cited("jpki", operator="Mallory"),
    "another time": _cited("jpki", at="2026-11-24T00:00:01Z"),
    "another lot": _cited("consent", lot="L-2"),
    "another tag": _cited("consent", tag="T2"),
    "for this asset alone": _cited("consent", whole_lot=False),
    "allowed for ever": _cited("consent", limit_s=1e12),
    "allowed for no time": _cited("network", limit_s=1),
    "another IMEI's network": _cited("network", imei=OTHER_IMEI),
    "a kinder sign": _cited("network", sign="△"),
    "another source": _cited("network", source="nobody"),
    "a later look-up": _cited("network", at="2026-11-25T00:00:00Z"),
    "no lot": _gone(EntryKind.LOT_ADDED),
    "no assets": _gone(EntryKind.ASSETS_ADDED),
    "no list": _gone(EntryKind.NETWORK_LISTED),
    "the lot attests nothing": _intake(EntryKind.LOT_ADDED, attests=[]),
    "the lot attests one thing": _intake(EntryKind.LOT_ADDED, attests=["jpki"]),
    "the lot excepts it": _intake(EntryKind.LOT_ADDED, excepted=["T1"]),
    "the lot is a rewritten one": _rehashed,
    "the import was cut short": _intake(EntryKind.ASSETS_ADDED, parts=2),
    "the asset has another IMEI": _intake(
        EntryKind.ASSETS_ADDED, assets=[to_json(AssetLine(tag="T1", imei=OTHER_IMEI))]
    ),
    "the list was cut short": _intake(EntryKind.NETWORK_LISTED, parts=2),
    "withdrawn": _withdraw(1),
    "withdrawn for this asset": _withdraw(1, ("T1",)),
    "a restriction since": _restricted,
    "bound to another asset": _bound(tag="T2"),
    "bound to another lot": _bound(lot="L-2"),
    "bound to another lot's record": _bound(lot_sequence=2),
    "bound by a serial that it hasn't": _bound(bound_by="serial"),
    "bound by a tag that nobody scanned": _bound(bound_by="tag"),
    "bound as only a recheck is": _bound(bound_by="drawn"),
    "bound by whoever confirms": _bound(
        by=to_json(Who(operator="Suzuki", person="suzuki", shown_by=ShownBy.BADGE_AND_PIN))
    ),
    "not bound": _unbound,
    "consent not needed with a chip in use": _not_needed("consent", "chip_unused"),
    "consent not needed without a chip": _not_needed("consent", "no_chip"),
    "consent not needed for JPKI": _not_needed("consent", "jpki_not_capable"),
    "JPKI not needed though it may hold one": _not_needed("jpki", "jpki_not_capable"),
    "JPKI not needed with an unused chip": _not_needed("jpki", "chip_unused"),
    "the network not needed": _not_needed("network", "chip_unused"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_each_lie_is_a_gap(lie: str) -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await rack.lot(attests=BOTH)
    await rack.looked_up()
    assert await rack.ran(Phone(jpki_capable=None)) == GOOD
    job, records, intake = await rack.proof()
    mine, theirs = list(records), list(intake)
    verify_erasure(job, mine, theirs)
    LIES[lie](mine, theirs)
    assert (mine, theirs) != (records, intake)
    with pytest.raises(CertificateGap):
        verify_erasure(job, mine, theirs)


async def bound_by_tag(rack: Rack, **changes: Any) -> None:  # noqa: ANN401
    """Somebody scans T1 at the slot as soon as its job runs."""
    await rack.world.until(
        lambda: bool(rack.world.board.views()) and rack.world.view().stage is not None
    )
    job = rack.world.view().job
    assert job is not None
    told: dict[str, Any] = {
        "lot": LOT,
        "lot_sequence": rack.desk.book.lots[LotId(LOT)].sequence,
        "tag": "T1",
        "bound_by": BoundBy.TAG,
        "imeis": (),
        "serial": None,
        "model": None,
        "differs": "",
        "by": BY,
    }
    told |= changes
    await rack.store.bind(BoundRecord(**told), job=job, slot=SlotName("A1"))


@pytest.mark.parametrize(
    ("csv", "lot", "changes", "asked"),
    [
        ("tag\nT1\nT2\n", {"attests": BOTH}, {}, False),
        ("tag\nT1\nT2\n", {}, {}, True),
        (f"tag,IMEI\nT1,{OTHER_IMEI}\nT2,\n", {"attests": BOTH}, {}, True),
        ("tag,serial\nT1,ANOTHER\nT2,\n", {"attests": BOTH}, {}, True),
        ("tag,model\nT1,SO-51B\nT2,\n", {"attests": BOTH}, {"differs": "SO-51B / SC-51A"}, True),
        ("tag,model\nT1,SO-51B\nT2,\n", {"attests": BOTH}, {}, True),
        ("tag\nT1\nT2\n", {"attests": BOTH}, {"by": None}, True),
        ("tag\nT1\nT2\n", {"attests": BOTH}, {"by": NAME_ALONE}, True),
    ],
    ids=[
        *("fits", "nothing attested", "IMEI", "serial", "model", "model not known yet"),
        *("nobody", "a name alone"),
    ],
)
async def test_a_tag_alone_counts_where_nothing_speaks_against_it(
    csv: str, lot: dict[str, Any], changes: dict[str, Any], asked: bool
) -> None:
    """The network restriction is always asked: nobody looks up a label."""
    rack = Rack(FakeChip(looks=IN_USE))
    # Whose number contradicts the label is asked for the label once more.
    rack.world.notes[Gate.ASSET] = "T1"
    await rack.lot(csv, **lot)
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        await bound_by_tag(rack, **changes)
        await rack.world.until_state(SlotState.FINISHED)
    assert ended(rack.world)[-1]["outcome"] == Outcome.PASSED
    assert Gate.NETWORK in rack.asked()
    assert (Gate.JPKI in rack.asked()) is asked
    assert (Gate.CONSENT in rack.asked()) is asked


async def test_whoever_scanned_the_label_does_not_confirm() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await rack.lot("tag\nT1\nT2\n", attests=BOTH)
    suzuki = somebody("Suzuki")
    async with rack.world.running():
        rack.world.silent_in = StageName.CONFIRM
        rack.world.ports["A1"].plug(Phone())
        await bound_by_tag(rack, by=Who.of(suzuki))
        await rack.world.until(lambda: Gate.CONFIRM in rack.asked())
        job = rack.world.view().job
        assert job is not None
        with pytest.raises(SecondPersonNeeded, match="scanned its label"):
            await rack.world.desk.decide(job, Gate.CONFIRM, approved=True, by=suzuki)
        assert Gate.CONFIRM not in rack.answered()
        yoshida = somebody("Yoshida")
        await rack.world.desk.decide(job, Gate.CONFIRM, approved=True, by=yoshida)
        await rack.world.until_state(SlotState.FINISHED)
    assert ended(rack.world)[-1]["outcome"] == Outcome.PASSED


async def test_the_label_of_its_former_owner_counts_no_more() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await rack.lot(attests=BOTH)
    await rack.again()
    rack.world.notes[Gate.ASSET] = "T1"
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        await bound_by_tag(rack)
        await rack.world.until_state(SlotState.FINISHED)
    assert ended(rack.world)[-1]["outcome"] == Outcome.PASSED
    assert {Gate.JPKI, Gate.CONSENT} <= set(rack.asked())


async def test_a_tag_alone_keeps_no_exception_out() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await rack.lot("tag\nT1\nT2\n")
    await rack.desk.attest(attested(*BOTH, excepted=("T2",)))
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        await bound_by_tag(rack)
        await rack.world.until_state(SlotState.FINISHED)
    assert {Gate.JPKI, Gate.CONSENT} <= set(rack.asked())


async def test_a_serial_alone_keeps_no_exception_out() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await rack.lot("tag,serial\nT1,R5CT10ABCDE\nT2,X\n")
    await rack.desk.attest(attested(*BOTH, excepted=("T2",)))
    assert await rack.ran() == GOOD
    assert [s.entry.data["tag"] for s in rack.ledger.of(EntryKind.ASSET_BOUND)] == ["T1"]
    assert {Gate.JPKI, Gate.CONSENT} <= set(rack.asked())


async def test_a_label_that_was_on_another_handset_before_counts_for_neither() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    await rack.lot("tag\nT1\nT2\n", attests=BOTH)
    before = BoundRecord(
        lot=LOT,
        lot_sequence=1,
        tag="T1",
        bound_by=BoundBy.TAG,
        imeis=(OTHER_IMEI,),
        serial="X",
        model=None,
        differs="",
        by=BY,
    )
    await rack.store.bind(before, job=JobId("before"), slot=SlotName("A9"))
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        await bound_by_tag(rack)
        await rack.world.until_state(SlotState.FINISHED)
    assert {Gate.JPKI, Gate.CONSENT} <= set(rack.asked())


async def test_a_look_up_of_ten_days_is_too_old_unless_the_recipe_allows_it() -> None:
    for days, asked in ((7, True), (20, False)):
        rack = Rack(recipe=make_recipe(gates=GatesStage(network_within_days=days)))
        await rack.lot(attests=BOTH)
        await rack.looked_up(at="2026-11-14 09:00")
        assert await rack.ran() == GOOD
        assert (Gate.NETWORK in rack.asked()) is asked


async def test_an_imei_scanned_with_what_is_seen_saves_a_question() -> None:
    rack = Rack()
    rack.world.notes[Gate.OBSERVE] = IMEI
    await rack.lot(attests=BOTH)
    await rack.looked_up()
    assert await rack.ran() == GOOD
    assert rack.asked() == [Gate.FINAL_RESET, Gate.OBSERVE, Gate.CONFIRM]


@pytest.mark.parametrize("note", ["welcome", "356938035643800", f"{IMEI}1"])
async def test_a_note_that_is_no_imei_saves_none(note: str) -> None:
    rack = Rack()
    rack.world.notes[Gate.OBSERVE] = note
    assert await rack.ran() == GOOD
    assert Gate.IMEI in rack.asked()


async def test_another_handsets_imei_scanned_there_is_another_handset() -> None:
    rack = Rack()
    rack.world.notes[Gate.OBSERVE] = OTHER_IMEI
    assert await rack.ran() == (Outcome.FAILED, Reason.HANDSET_CHANGED)


async def cited_records() -> tuple[JobId, list[StoredEntry], Sequence[StoredEntry]]:
    rack = Rack(FakeChip(looks=IN_USE))
    await rack.lot(attests=BOTH)
    await rack.looked_up()
    assert await rack.ran() == GOOD
    return await rack.proof()


async def test_consent_that_comes_after_the_reset_is_none() -> None:
    rack = Rack(FakeChip(looks=IN_USE))
    assert await rack.ran() == GOOD
    job, records, intake = await rack.proof()
    verify_erasure(job, records, intake)
    [given] = [
        r
        for r in records
        if r.entry.kind is EntryKind.DECISION and r.entry.data["gate"] == Gate.CONSENT
    ]
    last = records[-1]
    late = [r for r in records if r is not given]
    late.append(replace(given, sequence=last.sequence + 1))
    with pytest.raises(CertificateGap, match="when the handset was reset"):
        verify_erasure(job, late, intake)


async def test_a_no_in_the_job_outweighs_what_was_attested() -> None:
    job, records, intake = await cited_records()
    given = [r for r in records if r.entry.kind is EntryKind.DECISION]
    confirm = next(r for r in given if r.entry.data["gate"] == Gate.CONFIRM)
    told = {**confirm.entry.data, "gate": Gate.JPKI, "approved": False}
    for index, record in enumerate(records):
        if (
            record.entry.data.get("gate") == Gate.OBSERVE
            and record.entry.kind is EntryKind.DECISION
        ):
            no = replace(record, entry=replace(record.entry, data={**told, "operator": "Sato"}))
            records.insert(index, no)
            break
    with pytest.raises(CertificateGap, match="jpki: the last answer was no"):
        verify_erasure(job, records, intake)


async def test_the_rack_tells_which_asset_lies_where_and_how_often_it_asked() -> None:
    rack = Rack()
    await rack.lot(f"tag,IMEI,model\nT1,{IMEI},SO-51B\n", attests=BOTH)
    await rack.looked_up()
    assert await rack.ran() == GOOD
    job = rack.world.view().job
    assert job is not None
    told = fold_job(await rack.ledger.entries(job), rack.world.issuer)
    assert told.asset == {
        "lot": LOT,
        "tag": "T1",
        "bound_by": "imei",
        "differs": f"SO-51B / {rack.world.view().identity.model}",  # type: ignore[union-attr]
    }
    assert len(told.decisions) == len(rack.answered()) == 4


async def test_a_tag_that_is_scanned_while_a_question_stands_answers_it() -> None:
    rack = Rack()
    await rack.lot("tag\nT1\nT2\n", attests=BOTH)
    rack.world.answers[Gate.JPKI] = False

    async def until_asked(gate: Gate) -> None:
        await rack.world.until(
            lambda: (
                bool(rack.world.board.views())
                and (question := rack.world.view().question) is not None
                and question.gate is gate
            )
        )

    async with rack.world.running():
        rack.world.silent_in = StageName.GATES
        rack.world.ports["A1"].plug(Phone())
        await until_asked(Gate.NETWORK)
        job = rack.world.view().job
        assert job is not None
        await rack.world.desk.decide(
            job, Gate.NETWORK, approved=True, by=somebody("Sato"), note="○"
        )
        await until_asked(Gate.JPKI)
        await bound_by_tag(rack)
        rack.world.silent_in = None
        await rack.world.until_state(SlotState.FINISHED)
    assert ended(rack.world)[-1]["outcome"] == Outcome.PASSED
    assert Gate.JPKI not in rack.answered()
    assert rack.world.view().question is None
