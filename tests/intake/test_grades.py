"""Grades: a person's word of how a handset looks and works, beside its certificate.

The cases are the trade's: of RMJ's guideline (S, A, B, C, J), of dealers with finer steps, of an
auction house whose codes are dirt and wear together (3B, 4A), and of what goes wrong at a desk.

| what happens | what is told |
|---|---|
| graded at purchase, by the tag, before it was ever plugged in | the grade, no job |
| graded at inspection, by its job, which is an asset | the grade, of both |
| graded by its job, which no papers know | the grade, of the job |
| the cover comes off: the same asset gets another grade | the newer one; both on record |
| the guideline's list has changed since | the older word keeps its name |
| a code typed small, or wide by a Japanese keyboard | the list's own code |
| a code that isn't in the list | refused, with those that are |
| a tag or a job that isn't there | refused |
| nobody signed in, an auditor, another system's token | refused |
| a daemon that was started anew | the same as before |
| a record that can't be read | none, and the others stand |
| any of these around a job that proves an erasure | the same proof, the same certificate |
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from benchd.certificate import create_key
from benchd.domain.errors import IntakeRefused, NotFound
from benchd.domain.evidence_json import to_json
from benchd.domain.grade import ELEVEN, RMJ, Grade, GradeScale
from benchd.domain.handset import BatteryMethod
from benchd.domain.people import ShownBy
from benchd.domain.record import OF_INTAKE, Entry, EntryKind, StoredEntry
from benchd.intake.grade_desk import GradeDesk
from benchd.proof.erasure import verify_erasure
from benchd.proof.evidence.intake_evidence import AssetLine, AssetsRecord, Who
from benchd.proof.grade_book import GradedRecord
from benchd.proof.handset_refusals import refusals
from benchd.proof.intake_book import IntakeBook
from tests.certificate.certificate_rack import (
    HANDSET,
    ISSUED_AT,
    JOB,
    issuer_of,
    records_of_an_erasure,
)
from tests.intake.lots import lot_record
from tests.ledger.records.records_rack import Told
from tests.web.web_fakes import FakeClock, FakeLedger

BY = Who(operator="佐藤 健", person="sato", shown_by=ShownBy.BADGE, via={"source": "192.0.2.8"})
OTHER = replace(BY, operator="森 葵", person="mori")
AUCTION = GradeScale(
    (
        Grade(code="5S", ja="清掃の必要のない未開封品", en="unopened"),
        Grade(code="4A", ja="汚れ、使用感ともにほとんどない", en="hardly any dirt or wear"),
        Grade(code="3B", ja="簡単な清掃が必要、一般的な使用感", en="some dirt, usual wear"),
        Grade(code="1J", ja="汚れの目立つジャンク品", en="dirty junk"),
    )
)


class Room:
    """A desk over a ledger in memory, with two assets, of which one was in a job."""

    def __init__(self, scale: GradeScale = RMJ) -> None:
        self.ledger = FakeLedger()
        self.told = Told(self.ledger.stored)
        self.told.tell(EntryKind.LOT_ADDED, None, to_json(lot_record("L-1")))
        assets = AssetsRecord(
            lot="L-1",
            batch="b",
            part=1,
            parts=1,
            again=False,
            assets=(AssetLine(tag="T-1"), AssetLine(tag="T-2")),
            by=BY,
        )
        self.told.tell(EntryKind.ASSETS_ADDED, None, to_json(assets))
        self.told.open("job-1")
        self.told.bind("job-1", "T-1")
        self.told.open("job-2")
        self.intake = IntakeBook.of(
            record for record in self.ledger.stored if record.entry.kind in OF_INTAKE
        )
        self.desk = GradeDesk(self.ledger, FakeClock(), lambda: self.intake, scale)

    @property
    def kept(self) -> list[Entry]:
        return self.ledger.of(EntryKind.HANDSET_GRADED)


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.mark.asyncio
async def test_an_asset_is_graded_before_it_was_ever_plugged_in(room: Room) -> None:
    given = await room.desk.grade_asset("T-2", "A", note="箱あり", by=BY)
    assert (given.told.code, given.told.ja, given.told.en) == ("A", "美品", "fine")
    assert (given.told.tag, given.told.lot, given.told.job) == ("T-2", "L-1", None)
    assert (given.told.by.person, given.told.by.shown_by) == ("sato", ShownBy.BADGE)
    [kept] = room.kept
    assert kept.job is None, "no proof of a job reads it"
    assert kept.at == given.at
    assert room.desk.book.newest(tags=["T-2"]) == given
    assert room.desk.book.newest(tags=["T-1", None]) is None


@pytest.mark.asyncio
async def test_by_its_job_or_by_its_tag_it_is_one_handset(room: Room) -> None:
    by_job = await room.desk.grade_job("job-1", "B", note="", by=BY)
    assert (by_job.told.tag, by_job.told.lot, by_job.told.job) == ("T-1", "L-1", "job-1")
    assert room.desk.book.newest(tags=["T-1"]) == by_job
    by_tag = await room.desk.grade_asset("T-1", "C", note="画面にひび", by=OTHER)
    assert by_tag.told.job == "job-1"
    assert room.desk.book.newest(jobs=["job-1"]) == by_tag
    assert [each.told.code for each in room.desk.book.given(jobs=["job-1"], tags=["T-1"])] == [
        "B",
        "C",
    ]
    assert room.desk.book.newest(jobs=["job-1"], upto=by_job.sequence) == by_job


@pytest.mark.asyncio
async def test_a_handset_without_papers_is_graded_by_its_job(room: Room) -> None:
    given = await room.desk.grade_job("job-2", "J", note="", by=BY)
    assert (given.told.tag, given.told.lot) == (None, None)
    assert room.desk.book.newest(jobs=["job-2"]) == given


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("scale", "typed", "code"),
    [
        (RMJ, "s", "S"),
        (RMJ, "Ａ", "A"),
        (RMJ, " j ", "J"),
        (ELEVEN, "a+", "A+"),
        (ELEVEN, "Ｂ－", "B-"),
        (AUCTION, "3b", "3B"),
        (AUCTION, "４Ａ", "4A"),
    ],
)
async def test_a_code_is_the_lists_own_however_it_is_typed(
    scale: GradeScale, typed: str, code: str
) -> None:
    room = Room(scale)
    assert (await room.desk.grade_asset("T-1", typed, note="", by=BY)).told.code == code


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("scale", "typed", "allowed"),
    [
        (RMJ, "A+", "S, A, B, C, J"),
        (RMJ, "", "S, A, B, C, J"),
        (RMJ, "D", "S, A, B, C, J"),
        (ELEVEN, "AA", "S, A+, A, A-, B+, B, B-, C+, C, C-, J"),
        (AUCTION, "B", "5S, 4A, 3B, 1J"),
    ],
)
async def test_a_code_that_isnt_in_the_list_is_refused_with_those_that_are(
    scale: GradeScale, typed: str, allowed: str
) -> None:
    room = Room(scale)
    with pytest.raises(IntakeRefused, match="allowed are") as refused:
        await room.desk.grade_asset("T-1", typed, note="", by=BY)
    assert str(refused.value) == f"there is no grade {typed}: allowed are {allowed}"
    assert room.kept == []


@pytest.mark.asyncio
async def test_what_isnt_there_or_has_no_end_is_refused(room: Room) -> None:
    with pytest.raises(NotFound, match="there is no asset T-9"):
        await room.desk.grade_asset("T-9", "A", note="", by=BY)
    with pytest.raises(NotFound, match="there is no job job-9"):
        await room.desk.grade_job("job-9", "A", note="", by=BY)
    for note in ("x" * 201, "a\nb", "\x1b[2J"):
        with pytest.raises(IntakeRefused, match="note has at most 200 printable"):
            await room.desk.grade_asset("T-1", "A", note=note, by=BY)
    assert room.kept == []


@pytest.mark.asyncio
async def test_a_new_list_leaves_the_older_word_its_name(room: Room) -> None:
    await room.desk.grade_asset("T-1", "B", note="", by=BY)
    room.desk.scale = AUCTION
    with pytest.raises(IntakeRefused, match="5S, 4A, 3B, 1J"):
        await room.desk.grade_asset("T-1", "B", note="", by=BY)
    found = room.desk.book.newest(tags=["T-1"])
    assert found is not None
    assert (found.told.code, found.told.ja) == ("B", "中程度品")


class Kept:
    """The same ledger, read by kind as a start reads it."""

    def __init__(self, stored: Sequence[StoredEntry]) -> None:
        self.stored = stored

    async def of_kind(
        self, kind: EntryKind, after: int = 0, most: int = -1
    ) -> Sequence[StoredEntry]:
        found = [r for r in self.stored if r.entry.kind is kind and r.sequence > after]
        return found[:most]


@pytest.mark.asyncio
async def test_a_daemon_that_was_started_anew_knows_the_same(room: Room) -> None:
    for code in "SABCJ":
        await room.desk.grade_asset("T-1", code, note="", by=BY)
        await room.desk.grade_job("job-2", code, note="", by=BY)
    room.told.tell(EntryKind.HANDSET_GRADED, None, {"tag": "T-1", "code": 7})
    again = GradeDesk(room.ledger, FakeClock(), lambda: room.intake)
    await again.recall(Kept(room.ledger.stored))
    for jobs, tags in (([], ["T-1"]), (["job-2"], []), (["job-1"], [])):
        given = again.book.given(jobs=jobs, tags=tags)
        assert given == room.desk.book.given(jobs=jobs, tags=tags)
        assert len(given) == 5


def test_the_trades_five_and_its_eleven_steps_are_there() -> None:
    assert RMJ.codes == "S, A, B, C, J"
    assert len(ELEVEN.grades) == 11
    assert {grade.code for grade in RMJ.grades} < {grade.code for grade in ELEVEN.grades}


# Never in the proof, never in the certificate.


def grades_of(records: Sequence[StoredEntry]) -> list[StoredEntry]:
    """A grade of this very job's handset at each of its records."""
    told = GradedRecord(tag="T-1", lot="L-1", job=JOB, code="J", ja="x", en="x", note="", by=BY)
    return [
        replace(
            record,
            entry=Entry(kind=EntryKind.HANDSET_GRADED, at=record.entry.at, data=to_json(told)),
        )
        for record in records
    ]


def test_no_grade_is_among_what_a_proof_is_given(room: Room) -> None:
    assert EntryKind.HANDSET_GRADED not in OF_INTAKE
    before = IntakeBook.of(room.ledger.stored)
    room.told.grade("A", tag="T-1", job="job-1")
    after = IntakeBook.of(room.ledger.stored)
    assert (after.assets, after.of_job, after.lots.keys()) == (
        before.assets,
        before.of_job,
        before.lots.keys(),
    )
    assert [kept.job for kept in room.kept] == [None]


@pytest.mark.parametrize(
    "battery",
    [
        {},
        {"battery_health_percent": 71, "battery_health_method": BatteryMethod.SAMSUNG_ASOC},
        {"battery_cycles": 1204, "battery_cycles_method": BatteryMethod.KERNEL},
    ],
)
def test_a_certificates_bytes_change_by_no_battery_and_by_no_grade(
    battery: dict[str, object], tmp_path: Path
) -> None:
    issuer = issuer_of(create_key(tmp_path / "key.pem"), tmp_path)
    plain = records_of_an_erasure()
    told = records_of_an_erasure(handset=json.loads(json.dumps(battery)))
    assert [r.sequence for r in told] == [r.sequence for r in plain]
    first = verify_erasure(JOB, plain)
    second = verify_erasure(JOB, told, intake=grades_of(plain), others=grades_of(plain))
    issued = [issuer.issue(one, ISSUED_AT) for one in (first, second)]
    assert issued[0] == issued[1]
    words = base64.b64decode(json.loads(issued[0])["payload"]).decode().lower()
    assert "battery" not in words
    assert "grade" not in words


@pytest.mark.parametrize("percent", [1, 20, 79, 100, None])
def test_no_battery_is_a_gate(percent: int | None) -> None:
    worn = replace(
        HANDSET,
        battery_health_percent=percent,
        battery_health_method=None if percent is None else BatteryMethod.HEALTH_SERVICE,
    )
    assert list(refusals(worn)) == list(refusals(HANDSET))
