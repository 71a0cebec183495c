"""What was attested at intake is cited instead of asked, and every way to lie about it is found."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from benchd.certificate.intake_section import IntakeSection
from benchd.domain.errors import CertificateGap, SecondPersonNeeded
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId, SlotName
from benchd.domain.intake import AttestationKind, BoundBy, LotKind, Unerasable
from benchd.domain.job import Gate, Outcome, Reason, StageName
from benchd.domain.people import ShownBy
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.slot_states import SlotState
from benchd.pipelines.stages.gates import GatesStage
from benchd.proof.erasure import HandsetErasure, verify_erasure
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
from tests.intake.lots import BY, LOT, lot_record
from tests.people.somebody import somebody

from .fake_chips import CLEAR, IN_USE, SILENT, FakeChip
from .lot_rack import BOTH, CITED, GOOD, Data, Lie, Rack, edit, in_intake, in_settled
from .world import IMEI, MTP_ONLY, OTHER_IMEI, SERIAL, Phone, ended, make_recipe

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

NAME_ALONE = Who(operator="Ito")
"""As whoever types a name, and shows nothing."""
BADGE_ALONE = Who(operator="Ito", person="ito", shown_by=ShownBy.BADGE)
OF_CHIP = {Gate.JPKI, Gate.CONSENT}
TWO = "tag\nT1\nT2\n"
"""Papers that tell nothing but labels."""
OTHERS = f"tag,IMEI\nT1,{OTHER_IMEI}\n"


def in_use(**parts: Any) -> Rack:  # noqa: ANN401
    return Rack(FakeChip(looks=IN_USE), **parts)


async def test_a_lot_bound_handset_needs_no_answer_that_was_given_at_intake() -> None:
    rack = Rack()
    await rack.papers(csv=f"tag,IMEI,model\nT1,{IMEI},SO-51B\n")
    assert await rack.ran(Phone(jpki_capable=True)) == GOOD
    # The IMEI, since no NFC switch ties this fake's chip to it.
    assert rack.asked() == [Gate.FINAL_RESET, Gate.OBSERVE, Gate.IMEI, Gate.CONFIRM]
    job, records, intake = await rack.proof()
    erasure = verify_erasure(job, records, intake)
    assert set(erasure.intake.settled) == CITED
    cited = erasure.intake.settled[Gate.JPKI].cited
    assert cited is not None
    assert (cited.lot, cited.tag, cited.operator, cited.whole_lot) == (LOT, "T1", "Ito", True)
    with pytest.raises(CertificateGap, match="no such asset"):
        verify_erasure(job, records)
    # The rack tells which asset lay there, and how often it asked.
    told = fold_job(await rack.ledger.entries(job), rack.world.issuer)
    differs = f"SO-51B / {Phone().identity().model}"
    assert told.asset == {"lot": LOT, "tag": "T1", "bound_by": "imei", "differs": differs}
    assert len(told.decisions) == len(rack.answered()) == 4


@pytest.mark.parametrize(
    ("kind", "named"), [(LotKind.COLLECTION, "Leasing"), (LotKind.PURCHASE, None)]
)
async def test_a_certificate_names_the_firm_that_it_came_from_and_no_person(
    kind: LotKind, named: str | None
) -> None:
    """Issue 34, 11."""
    rack = Rack()
    await rack.papers(csv=f"tag,IMEI\nT1,{IMEI}\n", kind=kind, consignor="Leasing")
    assert await rack.ran(Phone(jpki_capable=True)) == GOOD
    erasure = verify_erasure(*await rack.proof())
    assert isinstance(erasure, HandsetErasure)
    told = IntakeSection.of(erasure)
    assert (told.lot_kind, told.tag, told.consignor) == (kind, "T1", named)


async def test_who_begins_the_reset_without_a_word_is_asked_nothing_before_what_is_seen() -> None:
    rack = Rack()
    await rack.papers()
    rack.world.silent_in = StageName.FINAL_RESET
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        await rack.world.until_question(Gate.FINAL_RESET)
        rack.world.ports["A1"].restart(MTP_ONLY)
        await rack.world.finished()
    assert rack.end() == GOOD
    assert rack.answered() == [Gate.OBSERVE, Gate.IMEI, Gate.CONFIRM]


async def test_without_a_lot_everything_that_counts_is_asked_and_no_more() -> None:
    rack = in_use()
    assert await rack.ran(Phone(jpki_capable=None)) == GOOD
    assert rack.asked()[:3] == [Gate.NETWORK, Gate.JPKI, Gate.CONSENT]
    spared = Rack(FakeChip(looks=SILENT))
    assert await spared.ran(Phone(jpki_capable=False, felica_capable=False)) == GOOD
    assert OF_CHIP.isdisjoint(spared.asked())


async def test_consent_is_cited_for_a_chip_in_use_and_stands_in_the_order_to_clear_it() -> None:
    rack = in_use()
    await rack.papers()
    assert await rack.ran() == GOOD
    assert Gate.CONSENT not in rack.asked()
    [clear] = rack.world.attempts(CLEAR)
    assert clear["evidence"]["consent"] == "Ito"


async def test_consent_is_refused_before_anything_is_gone() -> None:
    rack = in_use(answers={Gate.CONSENT: False})
    assert await rack.ran() == (Outcome.FAILED, Reason.CONSENT_MISSING)
    started = [s.entry.data["stage"] for s in rack.ledger.of(EntryKind.STAGE_STARTED)]
    assert started[-1] == StageName.FELICA_CHECK


async def years_go_by(rack: Rack) -> None:
    today = rack.world.clock.now
    rack.world.clock.now = lambda: today() + timedelta(days=400)  # type: ignore[method-assign]


ASKED: dict[str, tuple[Data, Data | None, Data | None, Callable[[Rack], Awaitable[object]] | None]]
ASKED = {
    "a name alone has attested it": (
        {"attests": BOTH, "by": NAME_ALONE},
        None,
        {"by": NAME_ALONE},
        None,
    ),
    "a badge alone has attested it": ({}, {"by": BADGE_ALONE}, {"by": BADGE_ALONE}, None),
    # The proof would miss the look-up: it reads the records from the handset's own lot on.
    "it has come in again since": ({"attests": BOTH}, None, {}, Rack.again),
    "it is an exception": ({}, {"excepted": ("T1",)}, None, None),
    "it is of another lot": (
        {},
        None,
        None,
        lambda rack: rack.desk.add_lot(lot_record("L-2", attests=BOTH)),
    ),
    "it is another asset": (
        {"csv": f"tag,IMEI\nT1,{IMEI}\nT2,{OTHER_IMEI}\n"},
        {"tags": ("T2",)},
        {"imei": OTHER_IMEI},
        None,
    ),
    "it was withdrawn": ({}, {}, None, lambda rack: rack.withdraw(tags=("T1",))),
    "it isn't in the lot": ({"csv": OTHERS, "attests": BOTH}, None, {"imei": OTHER_IMEI}, None),
    "it is on record as not erasable": (
        {"attests": BOTH},
        None,
        None,
        lambda rack: rack.desk.unerasable("T1", Unerasable.NO_POWER, note="", by=BY),
    ),
    "it is too old": ({"attests": BOTH}, None, {"at": "2026-11-10 10:00"}, years_go_by),
    "it has the serial of an asset with another IMEI": (
        {"csv": f"tag,IMEI,serial\nT1,{OTHER_IMEI},{SERIAL}\n", "attests": BOTH},
        None,
        None,
        None,
    ),
}
"""The lot, what is attested later, what is looked up, and what happens then: it isn't covered."""


@pytest.mark.parametrize("case", ASKED)
async def test_what_does_not_cover_it_is_asked(case: str) -> None:
    lot, attests, looked_up, then = ASKED[case]
    rack = in_use()
    await rack.lot(**lot)
    if attests is not None:
        await rack.attest(**attests)
    if looked_up is not None:
        await rack.looked_up(**looked_up)
    if then is not None:
        await then(rack)
    assert await rack.ran() == GOOD
    assert set(rack.asked()) >= CITED


@pytest.mark.parametrize("let", [True, False])
async def test_what_was_to_be_crushed_by_hand_is_let_in_by_somebody_in_charge_only(
    let: bool,
) -> None:
    """On record as without power, and then it lies in a slot; a new label changes nothing."""
    rack = Rack(answers={Gate.DESTROYED_BEFORE: let})
    await rack.lot(attests=BOTH)
    await rack.desk.unerasable("T1", Unerasable.NO_POWER, note="", by=BY)
    await rack.again()
    assert await rack.ran() == (GOOD if let else (Outcome.FAILED, Reason.DESTROY_STANDS))
    [asked] = rack.world.questions(Gate.DESTROYED_BEFORE)
    facts = asked["facts"]
    assert (facts["earlier_job"], facts["earlier_reason"]) == ("T1", "no_power")


async def test_a_restriction_holds_without_a_question_until_a_newer_look_up() -> None:
    rack = Rack()
    await rack.lot(attests=BOTH)
    await rack.looked_up("×")
    async with rack.world.running():
        assert await rack.visit() == (Outcome.FAILED, Reason.NETWORK_RESTRICTED)
        await rack.looked_up("△", at="2026-11-24 08:30")
        assert await rack.visit() == GOOD
    assert Gate.NETWORK not in rack.asked()


async def test_a_restriction_that_comes_in_during_a_job_holds_a_handset_of_no_lot_too() -> None:
    """Of no lot, and answered for: a list that came in since then says ×."""
    rack = Rack()
    rack.world.silent_in = StageName.CONFIRM
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        await rack.world.until_asked(Gate.CONFIRM)
        assert Gate.NETWORK in rack.answered()
        # A list tells minutes: in the minute of the answer it isn't the older of the two. It is
        # kept here as an import keeps it, whose thread would let virtual time run to a deadline.
        minute = rack.store.clock.now().replace(second=0, microsecond=0)
        line = NetworkLine(imei=IMEI, sign="×", at=minute)
        listed = NetworkRecord(
            batch="list-1", part=1, parts=1, source="carrier", results=(line,), by=BY
        )
        async with rack.store.writing() as writer:
            await writer.keep(EntryKind.NETWORK_LISTED, listed)
        rack.world.back_at_work()
        await rack.world.finished()
    end = ended(rack.world)[-1]
    assert end["outcome"] != Outcome.PASSED
    assert "the newest look-up forbids a sale" in str(end["detail"])


@pytest.mark.parametrize("scanned", [True, False])
async def test_a_number_that_people_have_read_cites_papers_only_with_its_label(
    scanned: bool,
) -> None:
    """Alone it is bound at the end, when another has read it too; people were asked by then."""
    rack = Rack()
    await rack.lot(OTHERS, attests=BOTH)
    await rack.looked_up(imei=OTHER_IMEI)
    if scanned:
        rack.world.notes[Gate.IMEI] = f"T1 {OTHER_IMEI}"
    assert await rack.ran(Phone(imei=None, screen_imei=OTHER_IMEI)) == GOOD
    assert rack.bound("bound_by") == ["tag" if scanned else "imei"]
    if scanned:
        assert rack.asked() == [Gate.IMEI, Gate.FINAL_RESET, Gate.OBSERVE, Gate.CONFIRM]
        job, records, intake = await rack.proof()
        assert verify_erasure(job, records, intake).intake.asset is not None
    else:
        assert {Gate.NETWORK, Gate.JPKI} <= set(rack.asked())


@pytest.mark.parametrize(("answer", "bound"), [("T2", ["T2"]), ("", [])])
async def test_two_candidates_are_a_question(answer: str, bound: list[str]) -> None:
    rack = Rack(answers={Gate.ASSET: bool(answer)})
    rack.world.notes[Gate.ASSET] = answer
    await rack.lot(f"tag,serial\nT1,{SERIAL}\nT2,{SERIAL}\nT3,X\n", attests=BOTH)
    assert await rack.ran() == GOOD
    [asked] = rack.world.questions(Gate.ASSET)
    assert asked["facts"]["tags"] == "T1, T2"
    assert rack.bound() == bound
    assert (Gate.JPKI in rack.asked()) is not bool(bound)


async def test_what_is_withdrawn_in_mid_job_stops_it_before_anything_is_destroyed() -> None:
    rack = in_use()
    await rack.lot()
    await rack.attest()
    rack.world.silent_in = StageName.GATES
    async with rack.world.running():
        rack.world.ports["A1"].plug(Phone())
        # JPKI is cited after the network was asked for, consent after the look at the chip.
        await rack.world.until_state(SlotState.AWAITING_OPERATOR)
        scan = rack.chips.scan

        async def scan_late(*args: Any, **named: Any) -> Any:  # noqa: ANN401
            if not rack.ledger.of(EntryKind.ATTESTATION_WITHDRAWN):
                await rack.withdraw(AttestationKind.JPKI)
            return await scan(*args, **named)

        rack.chips.scan = scan_late  # type: ignore[method-assign]
        rack.world.back_at_work()
        await rack.world.finished()
    assert rack.end() == (Outcome.FAILED, Reason.JPKI_NOT_ATTESTED)
    started = [s.entry.data["stage"] for s in rack.ledger.of(EntryKind.STAGE_STARTED)]
    assert StageName.INITIALISE not in started


# The proof, whatever a stage says.


def _cited(gate: str, **changes: object) -> Lie:
    return in_settled(lambda each: each["gate"] == gate and each["cited"].update(changes))


def _not_needed(gate: str, because: str) -> Lie:
    told = {"cited": None, "not_needed": because}
    return in_settled(lambda each: each["gate"] == gate and each.update(told))


def _intake(kind: EntryKind, **changes: object) -> Lie:
    return in_intake(kind, lambda data: data.update(changes))


def _gone(kind: EntryKind) -> Lie:
    def lie(records: list[StoredEntry], intake: list[StoredEntry]) -> None:
        for each in (records, intake):
            each[:] = [record for record in each if record.entry.kind is not kind]

    return lie


def _bound(**changes: object) -> Lie:
    def lie(records: list[StoredEntry], intake: list[StoredEntry]) -> None:
        for each in (records, intake):
            edit(each, EntryKind.ASSET_BOUND, lambda data: data.update(changes))

    return lie


def _appended(kind: EntryKind, told: object) -> Lie:
    def lie(_records: list[StoredEntry], intake: list[StoredEntry]) -> None:
        last = intake[-1]
        made = replace(last.entry, kind=kind, data=to_json(told))
        intake.append(replace(last, sequence=last.sequence + 1000, entry=made))

    return lie


def _withdraw(*tags: str) -> Lie:
    told = WithdrawnRecord(lot=LOT, attestation=1, kinds=(), tags=tags, note="", by=BY)
    return _appended(EntryKind.ATTESTATION_WITHDRAWN, told)


def _again(lot: str) -> Lie:
    line = AssetLine(tag="T9", imei=IMEI)
    told = AssetsRecord(lot=lot, batch="b", part=1, parts=1, again=True, assets=(line,), by=BY)
    return _appended(EntryKind.ASSETS_ADDED, told)


def _rehashed(_records: list[StoredEntry], intake: list[StoredEntry]) -> None:
    """An attestation that was rewritten has another hash than the one that was cited."""
    for index, record in enumerate(intake):
        if record.entry.kind is EntryKind.LOT_ADDED:
            intake[index] = replace(record, hash_hex="ab" * 32)


def _restricted(_records: list[StoredEntry], intake: list[StoredEntry]) -> None:
    listed = next(r for r in intake if r.entry.kind is EntryKind.NETWORK_LISTED)
    data = json.loads(json.dumps(dict(listed.entry.data)))
    data["batch"] = "later"
    data["results"][0].update(sign="×", at="2026-11-24T00:10:00Z")
    intake.append(replace(listed, sequence=9999, entry=replace(listed.entry, data=data)))


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
    "withdrawn": _withdraw(),
    "withdrawn for this asset": _withdraw("T1"),
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
    "not bound": _gone(EntryKind.ASSET_BOUND),
    "consent not needed with a chip in use": _not_needed("consent", "chip_unused"),
    "consent not needed without a chip": _not_needed("consent", "no_chip"),
    "consent not needed for JPKI": _not_needed("consent", "jpki_not_capable"),
    "JPKI not needed though it may hold one": _not_needed("jpki", "jpki_not_capable"),
    "JPKI not needed with an unused chip": _not_needed("jpki", "chip_unused"),
    "the network not needed": _not_needed("network", "chip_unused"),
}


@pytest.mark.parametrize("lie", LIES)
async def test_each_lie_is_a_gap(lie: str) -> None:
    rack = in_use()
    await rack.papers()
    assert await rack.ran(Phone(jpki_capable=None)) == GOOD
    await rack.must_be_a_gap(LIES[lie])


async def test_consent_that_comes_after_the_reset_is_none() -> None:
    rack = in_use()
    assert await rack.ran() == GOOD

    def late(records: list[StoredEntry], _intake: list[StoredEntry]) -> None:
        [given] = [
            r
            for r in records
            if r.entry.kind is EntryKind.DECISION and r.entry.data["gate"] == Gate.CONSENT
        ]
        records.remove(given)
        records.append(replace(given, sequence=records[-1].sequence + 1))

    await rack.must_be_a_gap(late, "when the handset was reset")


async def test_a_no_in_the_job_outweighs_what_was_attested() -> None:
    rack = in_use()
    await rack.papers()
    assert await rack.ran() == GOOD

    def said_no(records: list[StoredEntry], _intake: list[StoredEntry]) -> None:
        given = {r.entry.data["gate"]: r for r in records if r.entry.kind is EntryKind.DECISION}
        confirm, observe = given[Gate.CONFIRM], given[Gate.OBSERVE]
        told = {**confirm.entry.data, "gate": Gate.JPKI, "approved": False, "operator": "Sato"}
        no = replace(observe, entry=replace(observe.entry, data=told))
        records.insert(records.index(observe), no)

    await rack.must_be_a_gap(said_no, "jpki: the last answer was no")


# By its label or its serial


@pytest.mark.parametrize(
    ("csv", "lot", "changes", "asked"),
    [
        (TWO, {"attests": BOTH}, {}, False),
        (TWO, {}, {}, True),
        (f"{OTHERS}T2,\n", {"attests": BOTH}, {}, True),
        ("tag,serial\nT1,ANOTHER\nT2,\n", {"attests": BOTH}, {}, True),
        ("tag,model\nT1,SO-51B\nT2,\n", {"attests": BOTH}, {"differs": "SO-51B / SC-51A"}, True),
        ("tag,model\nT1,SO-51B\nT2,\n", {"attests": BOTH}, {}, True),
        (TWO, {"attests": BOTH}, {"by": None}, True),
        (TWO, {"attests": BOTH}, {"by": NAME_ALONE}, True),
    ],
    ids=[
        *("fits", "nothing attested", "IMEI", "serial", "model", "model not known yet"),
        *("nobody", "a name alone"),
    ],
)
async def test_a_tag_alone_counts_where_nothing_speaks_against_it(
    csv: str, lot: Data, changes: Data, asked: bool
) -> None:
    """The network restriction is always asked: nobody looks up a label."""
    rack = in_use()
    # Whose number contradicts the label is asked for the label once more.
    rack.world.notes[Gate.ASSET] = "T1"
    await rack.lot(csv, **lot)
    assert await rack.ran_scanned(**changes) == GOOD
    assert Gate.NETWORK in rack.asked()
    assert (Gate.JPKI in rack.asked()) is asked
    assert (Gate.CONSENT in rack.asked()) is asked


async def test_whoever_scanned_the_label_does_not_confirm() -> None:
    rack = in_use()
    await rack.lot(TWO, attests=BOTH)
    async with rack.world.running():
        rack.world.silent_in = StageName.CONFIRM
        rack.world.ports["A1"].plug(Phone())
        await rack.scanned(by=Who.of(somebody("Suzuki")))
        await rack.world.until_asked(Gate.CONFIRM)
        with pytest.raises(SecondPersonNeeded, match="scanned its label"):
            await rack.world.decide(Gate.CONFIRM, "Suzuki")
        assert Gate.CONFIRM not in rack.answered()
        await rack.world.decide(Gate.CONFIRM, "Yoshida")
        await rack.world.finished()
    assert rack.end() == GOOD


async def test_the_label_of_its_former_owner_counts_no_more() -> None:
    rack = in_use()
    await rack.lot(attests=BOTH)
    await rack.again()
    rack.world.notes[Gate.ASSET] = "T1"
    assert await rack.ran_scanned() == GOOD
    assert set(rack.asked()) >= OF_CHIP


@pytest.mark.parametrize("scanned", [True, False], ids=["a tag", "a serial"])
async def test_neither_a_tag_nor_a_serial_alone_keeps_an_exception_out(scanned: bool) -> None:
    rack = in_use()
    await rack.lot(TWO if scanned else f"tag,serial\nT1,{SERIAL}\nT2,X\n")
    await rack.attest(excepted=("T2",))
    assert await (rack.ran_scanned() if scanned else rack.ran()) == GOOD
    assert rack.bound() == ["T1"]
    assert set(rack.asked()) >= OF_CHIP


async def test_a_label_that_was_on_another_handset_before_counts_for_neither() -> None:
    rack = in_use()
    await rack.lot(TWO, attests=BOTH)
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
    await rack.ran_scanned()
    assert set(rack.asked()) >= OF_CHIP


async def test_a_tag_that_is_scanned_while_a_question_stands_answers_it() -> None:
    rack = Rack()
    await rack.lot(TWO, attests=BOTH)
    rack.world.answers[Gate.JPKI] = False
    async with rack.world.running():
        rack.world.silent_in = StageName.GATES
        rack.world.ports["A1"].plug(Phone())
        await rack.world.until_question(Gate.NETWORK)
        await rack.world.decide(Gate.NETWORK, note="○")
        await rack.world.until_question(Gate.JPKI)
        await rack.scanned()
        rack.world.silent_in = None
        await rack.world.finished()
    assert rack.end() == GOOD
    assert Gate.JPKI not in rack.answered()
    assert rack.world.view().question is None


@pytest.mark.parametrize(("days", "asked"), [(7, True), (20, False)])
async def test_a_look_up_of_ten_days_is_too_old_unless_the_recipe_allows_it(
    days: int, asked: bool
) -> None:
    rack = Rack(recipe=make_recipe(gates=GatesStage(network_within_days=days)))
    await rack.lot(attests=BOTH)
    await rack.looked_up(at="2026-11-14 09:00")
    assert await rack.ran() == GOOD
    assert (Gate.NETWORK in rack.asked()) is asked


async def test_an_imei_scanned_with_what_is_seen_saves_a_question() -> None:
    rack = Rack()
    rack.world.notes[Gate.OBSERVE] = IMEI
    await rack.papers()
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
