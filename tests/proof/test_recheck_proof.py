"""Whatever is changed in the records of a draw or of a recheck, nothing is certified by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JobId
from benchd.domain.intake import BoundBy
from benchd.domain.job import Gate, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.erasure import HandsetErasure, JobHeld, verify_drawn_erasure, verify_erasure
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.sighting import sighting_of
from benchd.proof.recheck_draw import RECHECK_STILL_DUE, is_drawn
from benchd.proof.recheck_proof import up_to_end
from tests import recorded
from tests.core.fake_chips import FakeChip
from tests.core.rechecks import RecheckRack
from tests.core.world import Phone
from tests.proof.altered_records import Change, Data, altered, answered, ended, put, seen, with_data

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


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


async def held(share: float = 1.0, chips: bool = False, put_in_again: Phone | None = None) -> Held:
    """Of a handset whose recheck has passed, as its certificate was made from them."""
    rack = RecheckRack(share, chips={n: FakeChip() for n in ("A1", "A2")} if chips else None)
    async with rack.world.running():
        await rack.erased(Phone())
        await rack.rechecked(put_in_again or Phone())
    drawn, recheck = rack.jobs()
    mine = until_its_end(rack.records(recheck))[:-1]
    records = rack.records(drawn)
    others = await records_of_handset(rack.ledger, sighting_of(drawn, records))
    before = [r for r in others if r.sequence <= mine[-1].sequence]
    return Held(drawn=records, recheck=mine, others=before)


def until_its_end(records: Sequence[StoredEntry]) -> list[StoredEntry]:
    return [r for r in records if r.entry.kind is not EntryKind.JOB_ENDED]


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
    records = until_its_end(found.drawn)
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
    told = recorded.bound(tag, bound_by=bound_by)
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
    drawn = altered(found.drawn, EntryKind.JOB_OPENED, put(recheck_share=0.75))
    drawn = altered(drawn, EntryKind.RECHECK_DRAWN, put(share=0.75, token=HALF))
    good = replace(found, drawn=drawn)
    good.verify()
    spoilt = altered(drawn, EntryKind.RECHECK_DRAWN, DRAWS[name])
    with pytest.raises(CertificateGap):
        replace(good, drawn=spoilt).verify()
    own = until_its_end(spoilt)
    with pytest.raises(CertificateGap):
        verify_erasure(_job_of(own), own)


async def test_a_missing_draw_and_a_second_one_are_gaps() -> None:
    found = await held()
    own = until_its_end(found.drawn)
    [draw] = [r for r in own if r.entry.kind is EntryKind.RECHECK_DRAWN]
    at = own.index(draw)
    no = with_data(draw, drawn=False)
    for records, said in (
        ([*own[:at], *own[at + 1 :]], "nobody has drawn"),
        ([*own[: at + 1], no, *own[at + 1 :]], "more than once"),
        ([*own[:at], no, *own[at + 1 :]], "its number says otherwise"),
    ):
        with pytest.raises(CertificateGap, match=said):
            verify_erasure(_job_of(own), records)


async def test_a_draw_before_the_confirmation_is_a_gap() -> None:
    found = await held()
    early = [
        replace(r, sequence=found.drawn[1].sequence)
        if r.entry.kind is EntryKind.RECHECK_DRAWN
        else r
        for r in found.drawn
    ]
    with pytest.raises(CertificateGap, match="before it was confirmed"):
        replace(found, drawn=early).verify()


def decided(**values: object) -> Callable[[Held], Held]:
    """The answer at the recheck, in its record and in the stage's evidence alike."""

    def both(found: Held) -> Held:
        in_stage: Change = lambda data: seen(answer={**data["evidence"]["answer"], **values})(data)  # noqa: E731
        records = answered(found.recheck, Gate.RECHECK, put(**values))
        return replace(found, recheck=ended(records, StageName.FIND_DRAWN, in_stage))

    return both


def in_recheck(stage: StageName, change: Change) -> Callable[[Held], Held]:
    return lambda found: replace(found, recheck=ended(found.recheck, stage, change))


def at_recheck(gate: Gate, change: Change) -> Callable[[Held], Held]:
    return lambda found: replace(found, recheck=answered(found.recheck, gate, change))


def drawn_ended(change: Change) -> Callable[[Held], Held]:
    return lambda found: replace(found, drawn=altered(found.drawn, EntryKind.JOB_ENDED, change))


def drawn_moved(kind: EntryKind, *, by: int = 0, days: int = 0) -> Callable[[Held], Held]:
    """A record of the drawn job is so much later in the ledger, and so many days older."""

    def moved(record: StoredEntry) -> StoredEntry:
        entry = replace(record.entry, at=record.entry.at - timedelta(days=days))
        later = replace(record, sequence=record.sequence + by, entry=entry)
        return later if entry.kind is kind else record

    return lambda found: replace(found, drawn=[moved(record) for record in found.drawn])


def with_share(share: object) -> Callable[[Held], Held]:
    opened = put(recheck_share=share)
    return lambda found: replace(found, drawn=altered(found.drawn, EntryKind.JOB_OPENED, opened))


def left_its_port(found: Held) -> Held:
    opened = found.recheck[0]
    moved = replace(opened, entry=replace(opened.entry, kind=EntryKind.ATTACHMENT_CHANGED))
    return replace(found, recheck=[opened, moved, *found.recheck[1:]])


def found_twice(found: Held) -> Held:
    own = [r for r in found.recheck if r.entry.data.get("stage") == StageName.FIND_DRAWN]
    assert [r.entry.kind for r in own] == [EntryKind.STAGE_STARTED, EntryKind.STAGE_ENDED]
    at = found.recheck.index(own[1])
    return replace(found, recheck=[*found.recheck[: at + 1], *own, *found.recheck[at + 1 :]])


FOUND, SEEN = StageName.FIND_DRAWN, StageName.RECHECK
ONLY_LACKS = "hasn't ended as one that only lacks it"
ADB_ON = ["060101", "ff4201"]
LIES: dict[str, tuple[Callable[[Held], Held], str]] = {
    **{
        f"a share of {share!r}": (with_share(share), "recheck_share isn.t")
        for share in ("1", True, -1, 2, None)
    },
    **{
        f"careless, {days} days after its draw": (
            drawn_moved(EntryKind.RECHECK_DRAWN, days=days),
            "older than 30 days",
        )
        for days in (-1, 31, 200)
    },
    "begun before the end": (
        drawn_moved(EntryKind.JOB_ENDED, by=10_000),
        "before the job that it is for had ended",
    ),
    "it left its port": (left_its_port, "left its port"),
    "it was found twice": (found_twice, "more than once"),
    "by who ran it": (decided(person="sato", operator="Sato"), "touched the handset"),
    "by who confirmed it": (decided(person="suzuki", operator="Suzuki"), "touched the handset"),
    "by the same name under another id": (decided(person="x1", operator="ＳＡＴＯ"), "touched"),
    "by the same id under another name": (decided(person="sato", operator="Mori"), "touched"),
    "by a badge alone": (decided(shown_by="badge"), "a badge alone"),
    "by a name alone": (decided(person=None, shown_by=None, source=None), "person isn't a text"),
    "a no": (decided(approved=False), "the last answer was no"),
    "another number": (decided(note="352099001761481"), "nobody has named"),
    "an answer that nobody gave": (
        at_recheck(Gate.RECHECK, put(note="x")),
        "isn't the one on record",
    ),
    "the chip by the same": (
        at_recheck(Gate.RECHECK_CHIP, put(person="sato", operator="Sato")),
        "touched the handset",
    ),
    "a no to the chip": (
        at_recheck(Gate.RECHECK_CHIP, put(approved=False)),
        "nobody has answered that the chip",
    ),
    "another job's": (in_recheck(FOUND, seen(drawn_job="20260101-0000000000")), "for another job"),
    "another handset's number": (
        in_recheck(FOUND, seen(screen_number="352099001761481")),
        "another handset, by its number",
    ),
    "another by USB": (in_recheck(FOUND, seen(usb_serial="OTHER")), "by what USB tells"),
    "another when it began": (
        lambda found: replace(
            found, recheck=altered(found.recheck, EntryKind.JOB_OPENED, put(usb_serial="OTHER"))
        ),
        "another handset when it began",
    ),
    "adb on": (in_recheck(FOUND, seen(interfaces=ADB_ON)), "adb was on"),
    "adb on later": (in_recheck(SEEN, seen(interfaces=ADB_ON)), "adb was on"),
    "no look at the chip": (in_recheck(SEEN, seen(chip=None)), "nobody has looked at the chip"),
    "a recheck that failed": (in_recheck(SEEN, put(outcome="failed")), "it hasn't passed"),
    "another stage in it": (in_recheck(SEEN, put(stage="look")), "something else was done"),
    "the drawn job failed": (drawn_ended(put(outcome="failed")), ONLY_LACKS),
    "the drawn job is certified": (drawn_ended(put(certificate="{}")), ONLY_LACKS),
    "the drawn job is on hold for something else": (
        drawn_ended(put(reason="not_confirmed")),
        ONLY_LACKS,
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
        in_recheck(SEEN, lie)(found).verify()


async def test_of_two_answers_at_a_recheck_the_last_one_counts() -> None:
    found = await held()
    [given] = [
        r
        for r in found.recheck
        if r.entry.kind is EntryKind.DECISION and r.entry.data["gate"] == Gate.RECHECK
    ]
    no = with_data(given, approved=False)
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
    [at] = [
        n
        for n, r in enumerate(found.others)
        if r.entry.job == OTHER and r.entry.kind is EntryKind.STAGE_ENDED
    ]
    told = altered([found.others[at]], EntryKind.STAGE_ENDED, no)
    with pytest.raises(CertificateGap, match="rechecked it already"):
        replace(found, others=[*found.others[:at], *told, *found.others[at + 1 :]]).verify()


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
    return await held(put_in_again=Phone(serial=""))


ONE_WORD: dict[str, tuple[Change | None, str]] = {
    "nobody has read it": (None, "one person's word"),
    "whoever named it has": (put(operator="Tanaka", person="tanaka"), "one person's word"),
    "another number was read": (put(note="352099001761481"), "one person's word"),
    "the answer was no": (put(approved=False), "one person's word"),
    "by a badge alone": (put(shown_by="badge"), "imei: a badge alone"),
}


@pytest.mark.parametrize("lie", ONE_WORD)
async def test_careless_one_persons_word_ties_no_handset_to_its_drawn_job(lie: str) -> None:
    change, said = ONE_WORD[lie]
    found = await untold()
    found.verify()
    if change is None:
        told = [
            r
            for r in found.recheck
            if r.entry.kind is not EntryKind.DECISION or r.entry.data["gate"] != Gate.IMEI
        ]
    else:
        told = answered(found.recheck, Gate.IMEI, change)
    with pytest.raises(CertificateGap, match=said):
        replace(found, recheck=told).verify()
