"""Whatever is changed in the records of a draw or of a recheck, nothing is certified by them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId
from benchd.domain.intake import BoundBy
from benchd.domain.job import Gate, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.erasure import HandsetErasure, JobHeld, verify_drawn_erasure, verify_erasure
from benchd.proof.evidence.intake_evidence import BoundRecord
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.sighting import sighting_of
from benchd.proof.recheck_draw import RECHECK_STILL_DUE, is_drawn
from benchd.proof.recheck_proof import up_to_end
from tests.core.fake_chips import FakeChip
from tests.core.rechecks import RecheckRack
from tests.core.world import Phone

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

Data = dict[str, Any]
Change = Callable[[Data], Data]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the ledger holds of a drawn job, of its recheck, and of the handset's other jobs."""

    drawn: list[StoredEntry]
    recheck: list[StoredEntry]
    others: list[StoredEntry]

    def verify(self) -> HandsetErasure:
        return verify_drawn_erasure(
            JobHeld(job=_job_of(self.drawn), records=self.drawn),
            JobHeld(job=_job_of(self.recheck), records=self.recheck),
            (),
            self.others,
        )


def _job_of(records: Sequence[StoredEntry]) -> JobId:
    job = records[0].entry.job
    assert job is not None
    return job


async def held(share: float = 1.0, chips: bool = False) -> Held:
    """Of a handset whose recheck has passed, as its certificate was made from them."""
    rack = RecheckRack(share, chips={n: FakeChip() for n in ("A1", "A2")} if chips else None)
    async with rack.world.running():
        await rack.erased(Phone())
        await rack.rechecked(Phone())
    drawn, recheck = rack.jobs()
    mine = [r for r in rack.records(recheck) if r.entry.kind is not EntryKind.JOB_ENDED][:-1]
    records = rack.records(drawn)
    others = await records_of_handset(rack.ledger, sighting_of(drawn, records))
    before = [r for r in others if r.sequence <= mine[-1].sequence]
    return Held(drawn=records, recheck=mine, others=before)


def changed(
    records: Sequence[StoredEntry], kind: EntryKind, change: Change, **where: object
) -> list[StoredEntry]:
    """The same with each record of this kind altered that has these values."""
    result: list[StoredEntry] = []
    hits = 0
    for record in records:
        data = json.loads(json.dumps(dict(record.entry.data)))
        if record.entry.kind is kind and all(data.get(k) == v for k, v in where.items()):
            data, hits = change(data), hits + 1
        result.append(replace(record, entry=replace(record.entry, data=data)))
    assert hits, f"there is no {kind} like {where}"
    return result


def put(**values: object) -> Change:
    return lambda data: {**data, **values}


def seen(**values: object) -> Change:
    return lambda data: {**data, "evidence": {**data["evidence"], **values}}


async def test_a_drawn_job_is_proven_by_both_records() -> None:
    for chips in (False, True):
        found = await held(chips=chips)
        erasure = found.verify()
        assert erasure.job == _job_of(found.drawn)
        assert erasure.recheck is not None
        assert erasure.recheck.job == _job_of(found.recheck)
        assert erasure.records == (*found.drawn, *found.recheck)


async def test_a_drawn_job_alone_lacks_its_recheck_and_nothing_else() -> None:
    found = await held()
    records = [r for r in found.drawn if r.entry.kind is not EntryKind.JOB_ENDED]
    with pytest.raises(CertificateGap) as gap:
        verify_erasure(_job_of(records), records)
    assert gap.value.missing == (RECHECK_STILL_DUE,)


async def test_any_record_of_the_recheck_that_is_taken_away_leaves_a_gap() -> None:
    found = await held()
    telling = (
        *(EntryKind.JOB_OPENED, EntryKind.STAGE_STARTED, EntryKind.STAGE_ENDED),
        EntryKind.DECISION,
    )
    for index, record in enumerate(found.recheck):
        last = record.entry.data.get("stage") == StageName.CERTIFY_DRAWN
        if record.entry.kind in telling and not last:
            less = [*found.recheck[:index], *found.recheck[index + 1 :]]
            with pytest.raises(CertificateGap):
                replace(found, recheck=less).verify()


def labelled(records: Sequence[StoredEntry], tag: str, bound_by: BoundBy) -> list[StoredEntry]:
    """The same with a record of which asset the handset is."""
    told = BoundRecord(
        lot="L-1",
        lot_sequence=1,
        tag=tag,
        bound_by=bound_by,
        imeis=(),
        serial=None,
        model=None,
        differs="",
        by=None,
    )
    first = records[0]
    entry = replace(first.entry, kind=EntryKind.ASSET_BOUND, data=to_json(told))
    return [first, replace(first, entry=entry), *records[1:]]


async def test_a_recheck_under_another_label_certifies_nothing() -> None:
    found = await held()
    drawn = labelled(found.drawn, "T1", BoundBy.SERIAL)
    for bound_by in (BoundBy.DRAWN, BoundBy.TAG):
        same = labelled(found.recheck, "T1", bound_by)
        replace(found, drawn=drawn, recheck=same).verify()
        other = labelled(found.recheck, "T2", bound_by)
        with pytest.raises(CertificateGap, match="another asset, by its label"):
            replace(found, drawn=drawn, recheck=other).verify()
    # Nobody had the label of what was drawn without one.
    replace(found, recheck=labelled(found.recheck, "T2", BoundBy.TAG)).verify()


HALF = "80" + "0" * 14
DRAWS = {
    "another share": put(share=0.5),
    "not drawn by its number": put(drawn=False),
    "a number that doesn't draw it": put(token="f" * 16),
    "no number": put(token=""),
    "a field more": put(again=True),
}


@pytest.mark.parametrize("name", DRAWS)
async def test_a_draw_that_was_changed_certifies_nothing(name: str) -> None:
    found = await held(share=1.0)
    # With a share of 1 any number draws: this job's own is a half.
    drawn = changed(found.drawn, EntryKind.JOB_OPENED, put(recheck_share=0.75))
    drawn = changed(drawn, EntryKind.RECHECK_DRAWN, put(share=0.75, token=HALF))
    good = replace(found, drawn=drawn)
    good.verify()
    spoilt = changed(drawn, EntryKind.RECHECK_DRAWN, DRAWS[name])
    with pytest.raises(CertificateGap):
        replace(good, drawn=spoilt).verify()
    own = [r for r in spoilt if r.entry.kind is not EntryKind.JOB_ENDED]
    with pytest.raises(CertificateGap):
        verify_erasure(_job_of(own), own)


async def test_a_missing_draw_and_a_second_one_are_gaps() -> None:
    found = await held()
    own = [r for r in found.drawn if r.entry.kind is not EntryKind.JOB_ENDED]
    [draw] = [r for r in own if r.entry.kind is EntryKind.RECHECK_DRAWN]
    at = own.index(draw)
    no = replace(draw, entry=replace(draw.entry, data={**draw.entry.data, "drawn": False}))
    for records, said in (
        ([*own[:at], *own[at + 1 :]], "nobody has drawn"),
        ([*own[: at + 1], no, *own[at + 1 :]], "more than once"),
        ([*own[:at], no, *own[at + 1 :]], "its number says otherwise"),
    ):
        with pytest.raises(CertificateGap, match=said):
            verify_erasure(_job_of(own), records)


async def test_a_draw_before_the_confirmation_is_a_gap() -> None:
    found = await held()
    draw = next(r for r in found.drawn if r.entry.kind is EntryKind.RECHECK_DRAWN)
    early = [
        replace(draw, sequence=found.drawn[1].sequence) if r is draw else r for r in found.drawn
    ]
    with pytest.raises(CertificateGap, match="before it was confirmed"):
        replace(found, drawn=early).verify()


@pytest.mark.parametrize("share", ["1", True, -1, 2, None])
async def test_a_share_that_is_none_is_a_gap(share: object) -> None:
    found = await held()
    drawn = changed(found.drawn, EntryKind.JOB_OPENED, put(recheck_share=share))
    with pytest.raises(CertificateGap):
        replace(found, drawn=drawn).verify()


def decided(**values: object) -> Callable[[Held], Held]:
    """The answer at the recheck, in its record and in the stage's evidence alike."""

    def both(found: Held) -> Held:
        answer = lambda data: {**data, "answer": {**data["answer"], **values}}  # noqa: E731
        records = changed(found.recheck, EntryKind.DECISION, put(**values), gate=Gate.RECHECK)
        in_stage: Change = lambda data: {**data, "evidence": answer(data["evidence"])}  # noqa: E731
        stage = StageName.FIND_DRAWN
        records = changed(records, EntryKind.STAGE_ENDED, in_stage, stage=stage)
        return replace(found, recheck=records)

    return both


def in_recheck(kind: EntryKind, change: Change, **where: object) -> Callable[[Held], Held]:
    return lambda found: replace(found, recheck=changed(found.recheck, kind, change, **where))


def in_drawn(kind: EntryKind, change: Change, **where: object) -> Callable[[Held], Held]:
    return lambda found: replace(found, drawn=changed(found.drawn, kind, change, **where))


FOUND = {"stage": StageName.FIND_DRAWN}
SEEN = {"stage": StageName.RECHECK}
ADB_ON = ["060101", "ff4201"]
LIES: dict[str, tuple[Callable[[Held], Held], str]] = {
    "by who ran it": (decided(person="sato", operator="Sato"), "touched the handset"),
    "by who confirmed it": (decided(person="suzuki", operator="Suzuki"), "touched the handset"),
    "by the same name under another id": (decided(person="x1", operator="ＳＡＴＯ"), "touched"),
    "by the same id under another name": (decided(person="sato", operator="Mori"), "touched"),
    "by a badge alone": (decided(shown_by="badge"), "a badge alone"),
    "by a name alone": (decided(person=None, shown_by=None, source=None), "person isn't a text"),
    "a no": (decided(approved=False), "the last answer was no"),
    "another number": (decided(note="352099001761481"), "nobody has named"),
    "an answer that nobody gave": (
        in_recheck(EntryKind.DECISION, put(note="x"), gate=Gate.RECHECK),
        "isn't the one on record",
    ),
    "the chip by the same": (
        in_recheck(EntryKind.DECISION, put(person="sato", operator="Sato"), gate=Gate.RECHECK_CHIP),
        "touched the handset",
    ),
    "a no to the chip": (
        in_recheck(EntryKind.DECISION, put(approved=False), gate=Gate.RECHECK_CHIP),
        "nobody has answered that the chip",
    ),
    "another job's": (
        in_recheck(EntryKind.STAGE_ENDED, seen(drawn_job="20260101-0000000000"), **FOUND),
        "for another job",
    ),
    "another handset's number": (
        in_recheck(EntryKind.STAGE_ENDED, seen(screen_number="352099001761481"), **FOUND),
        "another handset, by its number",
    ),
    "another by USB": (
        in_recheck(EntryKind.STAGE_ENDED, seen(usb_serial="OTHER"), **FOUND),
        "by what USB tells",
    ),
    "another when it began": (
        in_recheck(EntryKind.JOB_OPENED, put(usb_serial="OTHER")),
        "another handset when it began",
    ),
    "adb on": (in_recheck(EntryKind.STAGE_ENDED, seen(interfaces=ADB_ON), **FOUND), "adb was on"),
    "adb on later": (
        in_recheck(EntryKind.STAGE_ENDED, seen(interfaces=ADB_ON), **SEEN),
        "adb was on",
    ),
    "no look at the chip": (
        in_recheck(EntryKind.STAGE_ENDED, seen(chip=None), **SEEN),
        "nobody has looked at the chip",
    ),
    "a recheck that failed": (
        in_recheck(EntryKind.STAGE_ENDED, put(outcome="failed"), **SEEN),
        "it hasn't passed",
    ),
    "another stage in it": (
        in_recheck(EntryKind.STAGE_ENDED, put(stage="look"), **SEEN),
        "something else was done",
    ),
    "the drawn job failed": (
        in_drawn(EntryKind.JOB_ENDED, put(outcome="failed")),
        "hasn't ended as one that only lacks it",
    ),
    "the drawn job is certified": (
        in_drawn(EntryKind.JOB_ENDED, put(certificate="{}")),
        "hasn't ended as one that only lacks it",
    ),
    "the drawn job is on hold for something else": (
        in_drawn(EntryKind.JOB_ENDED, put(reason="not_confirmed")),
        "hasn't ended as one that only lacks it",
    ),
}


@pytest.mark.parametrize("name", LIES)
async def test_each_lie_about_a_recheck_is_a_gap(name: str) -> None:
    lie, said = LIES[name]
    found = await held()
    found.verify()
    with pytest.raises(CertificateGap, match=said):
        lie(found).verify()


CHIPS: dict[str, tuple[Change, str]] = {
    "another chip": (put(chip="badbadba" * 8), "another chip"),
    "in use": (put(verdict="in_use"), "isn't unused"),
    "residue": (
        put(systems=[{"code": "0003", "node_count": 2, "residue": ["090F"]}]),
        "left in the chip",
    ),
    "owners": (put(owners_en=["Suica"]), "left in the chip"),
    "without a baseline": (put(baseline=None), "taken to look like"),
    "the field was on": (put(power_cycled=False), "field wasn't off"),
    "by eye": (put(source="operator"), "wasn't looked at by a reader"),
    "by nobody": (put(source="word"), "wasn't looked at by a reader"),
}


@pytest.mark.parametrize("name", CHIPS)
async def test_each_lie_about_its_chip_is_a_gap(name: str) -> None:
    change, said = CHIPS[name]
    found = await held(chips=True)
    lie: Change = lambda data: seen(chip=change(data["evidence"]["chip"]))(data)  # noqa: E731
    with pytest.raises(CertificateGap, match=said):
        in_recheck(EntryKind.STAGE_ENDED, lie, **SEEN)(found).verify()


async def test_a_recheck_that_began_before_the_end_is_a_gap() -> None:
    found = await held()
    late = [
        replace(r, sequence=r.sequence + 10_000) if r.entry.kind is EntryKind.JOB_ENDED else r
        for r in found.drawn
    ]
    with pytest.raises(CertificateGap, match="before the job that it is for had ended"):
        replace(found, drawn=late).verify()


def twice(records: Sequence[StoredEntry], stage: StageName) -> list[StoredEntry]:
    """The same with each attempt at a stage made two times."""
    own = [r for r in records if r.entry.data.get("stage") == stage]
    assert [r.entry.kind for r in own] == [EntryKind.STAGE_STARTED, EntryKind.STAGE_ENDED]
    at = records.index(own[1])
    return [*records[: at + 1], *own, *records[at + 1 :]]


async def test_a_recheck_that_has_found_its_handset_twice_is_a_gap() -> None:
    found = await held()
    with pytest.raises(CertificateGap, match="more than once"):
        replace(found, recheck=twice(found.recheck, StageName.FIND_DRAWN)).verify()


async def test_of_two_answers_at_a_recheck_the_last_one_counts() -> None:
    found = await held()
    [given] = [
        r
        for r in found.recheck
        if r.entry.kind is EntryKind.DECISION and r.entry.data["gate"] == Gate.RECHECK
    ]
    no = replace(given, entry=replace(given.entry, data={**given.entry.data, "approved": False}))
    at = found.recheck.index(given)
    before, after = found.recheck[:at], found.recheck[at + 1 :]
    assert replace(found, recheck=[*before, no, given, *after]).verify().recheck is not None
    with pytest.raises(CertificateGap, match="isn't the one on record"):
        replace(found, recheck=[*before, given, no, *after]).verify()


async def test_a_job_is_over_with_its_first_end() -> None:
    found = await held()
    last = found.drawn[-1]
    again = replace(last, sequence=last.sequence + 7)
    assert up_to_end([*found.drawn, again]) == found.drawn
    assert up_to_end(found.drawn[:-1]) == found.drawn[:-1]


async def test_what_left_its_port_is_a_gap() -> None:
    found = await held()
    opened = found.recheck[0]
    moved = replace(opened.entry, kind=EntryKind.ATTACHMENT_CHANGED)
    records = [opened, replace(opened, entry=moved), *found.recheck[1:]]
    with pytest.raises(CertificateGap, match="left its port"):
        replace(found, recheck=records).verify()


OTHER = JobId("20261124-0123456789")


def by_another(found: Held, *, earlier: bool, end: Data | None) -> Held:
    """Another recheck of the same job, that has found it earlier or later than this one."""
    step = -1 if earlier else 1
    told = [r for r in found.recheck if r.entry.kind is EntryKind.STAGE_ENDED][:1]
    records = [replace(r, sequence=r.sequence + step) for r in told]
    if end is not None:
        ended = replace(told[0].entry, kind=EntryKind.JOB_ENDED, data=end)
        records.append(replace(told[0], sequence=records[-1].sequence + 1, entry=ended))
    records = [replace(r, entry=replace(r.entry, job=OTHER)) for r in records]
    return replace(found, others=[*found.others, *records])


def ended_as(outcome: str, disposition: str, reason: str | None) -> Data:
    return {"outcome": outcome, "disposition": disposition, "reason": reason, "certificate": None}


@pytest.mark.parametrize(
    ("earlier", "end", "said"),
    [
        (True, None, "is rechecking it"),
        (False, None, None),
        (True, ended_as("aborted", "hold", "unplugged"), None),
        (True, ended_as("interrupted", "hold", "daemon_stopped"), None),
        (True, ended_as("failed", "hold", "stage_deadline"), None),
        (True, ended_as("failed", "hold", "not_as_reset"), "rechecked it already"),
        (False, ended_as("failed", "hold", "not_as_reset"), "rechecked it already"),
        (False, ended_as("failed", "destroy", "felica_residue"), "to be destroyed"),
        (True, ended_as("passed", "sellable", None) | {"certificate": "{}"}, "already"),
        (False, ended_as("passed", "sellable", None) | {"certificate": "{}"}, "already"),
    ],
)
async def test_of_several_rechecks_one_certifies_at_most(
    earlier: bool,
    end: Data | None,
    said: str | None,
) -> None:
    found = by_another(await held(), earlier=earlier, end=end)
    if said is None:
        assert found.verify().recheck is not None
        return
    with pytest.raises(CertificateGap, match=said):
        found.verify()


async def test_a_no_that_was_pulled_out_stays_a_no() -> None:
    found = by_another(await held(), earlier=True, end=ended_as("aborted", "hold", "unplugged"))
    no: Change = lambda data: seen(answer={**data["evidence"]["answer"], "approved": False})(data)  # noqa: E731
    others = [
        changed([r], EntryKind.STAGE_ENDED, no)[0]
        if r.entry.job == OTHER and r.entry.kind is EntryKind.STAGE_ENDED
        else r
        for r in found.others
    ]
    with pytest.raises(CertificateGap, match="rechecked it already"):
        replace(found, others=others).verify()


@pytest.mark.parametrize(
    ("share", "token", "owed", "drawn"),
    [
        (0.05, "0ccccccccccccccc", (), True),
        (0.05, "0ccccccccccccd00", (), False),
        (1.0, "f" * 16, (), True),
        (0.0, "0" * 16, (), False),
        (0.0, "f" * 16, ("20260101-0000000000",), True),
    ],
)
async def test_a_number_draws_below_the_share(
    share: float, token: str, owed: tuple[str, ...], *, drawn: bool
) -> None:
    assert is_drawn(share, token, owed) is drawn


async def untold() -> Held:
    """The same of a handset whose serial USB doesn't tell once adb is off: a second reading."""
    rack = RecheckRack()
    async with rack.world.running():
        await rack.erased(Phone())
        await rack.rechecked(Phone(serial=""))
    drawn, recheck = rack.jobs()
    mine = [r for r in rack.records(recheck) if r.entry.kind is not EntryKind.JOB_ENDED][:-1]
    records = rack.records(drawn)
    others = await records_of_handset(rack.ledger, sighting_of(drawn, records))
    before = [r for r in others if r.sequence <= mine[-1].sequence]
    return Held(drawn=records, recheck=mine, others=before)


ONE_WORD = {
    "nobody has read it": lambda records: [
        r
        for r in records
        if r.entry.kind is not EntryKind.DECISION or r.entry.data["gate"] != Gate.IMEI
    ],
    "whoever named it has": lambda records: changed(
        records, EntryKind.DECISION, put(operator="Tanaka", person="tanaka"), gate=Gate.IMEI
    ),
    "another number was read": lambda records: changed(
        records, EntryKind.DECISION, put(note="352099001761481"), gate=Gate.IMEI
    ),
    "the answer was no": lambda records: changed(
        records, EntryKind.DECISION, put(approved=False), gate=Gate.IMEI
    ),
}


@pytest.mark.parametrize("lie", ONE_WORD)
async def test_careless_one_persons_word_ties_no_handset_to_its_drawn_job(lie: str) -> None:
    found = await untold()
    found.verify()
    alone = replace(found, recheck=ONE_WORD[lie](found.recheck))
    with pytest.raises(CertificateGap, match="one person's word"):
        alone.verify()


async def test_careless_a_badge_alone_reads_no_number_at_a_recheck() -> None:
    found = await untold()
    by_badge = changed(found.recheck, EntryKind.DECISION, put(shown_by="badge"), gate=Gate.IMEI)
    with pytest.raises(CertificateGap, match="imei: a badge alone"):
        replace(found, recheck=by_badge).verify()


@pytest.mark.parametrize("days", [-1, 31, 200])
async def test_careless_a_recheck_long_after_its_draw_is_a_gap(days: int) -> None:
    found = await held()
    drawn = [
        replace(r, entry=replace(r.entry, at=r.entry.at - timedelta(days=days)))
        if r.entry.kind is EntryKind.RECHECK_DRAWN
        else r
        for r in found.drawn
    ]
    with pytest.raises(CertificateGap, match="older than 30 days"):
        replace(found, drawn=drawn).verify()
