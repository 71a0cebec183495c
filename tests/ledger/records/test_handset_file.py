"""The handset file: found by whatever part of whatever number is known, with all of its jobs.

Jobs of one handset are one in its file, and what came later is told of it by every number.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records_rack import IMEI, OTHER_IMEI, Told, look

from benchd.domain.disposal import DisposalState
from benchd.domain.errors import NotFound, UsageRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.handset_file import CertifiedBy, CertifiedLine, Found, HandsetFile, ToldBy
from benchd.domain.intake import Seen
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.record import EntryKind
from benchd.ledger.records.job_matching import Known, handsets_of
from benchd.ledger.records.numbers import SHORTEST, plain
from benchd.ledger.records.read_model import ReadModel
from benchd.ledger.records.record_effect import digest_of
from benchd.proof.evidence.intake_evidence import AssessedRecord
from tests.intake.lots import BY

CERTIFICATE = '{"payload": "eHg="}'
DRAWN, RECHECK = "20261103-00aa11bb22", "20261104-00aa11bb33"


def find(model: ReadModel, told: Told, text: str) -> Found:
    return look(model, told, lambda looker: looker.find(text))


def handset(model: ReadModel, told: Told, key: str) -> HandsetFile:
    return look(model, told, lambda looker: looker.handset(key))


def file_of(model: ReadModel, told: Told, key: str) -> list[str]:
    return [line.job for line in handset(model, told, key).jobs]


def certified(
    model: ReadModel, told: Told, text: str, by: CertifiedBy = CertifiedBy.NUMBER
) -> tuple[CertifiedLine, ...]:
    return look(model, told, lambda looker: looker.certified(by, text))


def later(model: ReadModel, told: Told, job: str) -> tuple[str, ...]:
    [line] = certified(model, told, job)
    return line.later


PARTS = {
    "the IMEI": IMEI,
    "its beginning": IMEI[:4],
    "its middle": IMEI[5:10],
    "its end": IMEI[-4:],
    "as a label prints it": "35-693803-564380-9",
    "in full width": "３５６９３８０３",
    "a second IMEI": OTHER_IMEI[3:9],
    "the serial": "HQ61230001",
    "the serial in small letters": "hq6123",
    "the job": DRAWN,
    "a part of the job": "aa11bb",
    "what USB told": "USB0001",
    "the tag": "T-000471",
    "a part of the tag": "0471",
    "the certificate": digest_of(CERTIFICATE),
    "the certificate's beginning": digest_of(CERTIFICATE)[:10],
    "more of it than is indexed": digest_of(CERTIFICATE)[:30],
}


def test_what_was_only_looked_at_by_a_person_is_held_with_nothing_to_be_done(
    model: ReadModel, told: Told
) -> None:
    seen = AssessedRecord(lot="L-1", tag="T1", seen=Seen.WELCOME, findings=(), note="", by=BY)
    told.tell(EntryKind.ASSET_ASSESSED, "case-T1", to_json(seen))
    [line] = handset(model, told, "case-T1").jobs
    assert (line.lot, line.tag, line.by_hand) == ("L-1", "T1", True)
    assert (line.outcome, line.disposition) == (Outcome.PASSED, Disposition.HOLD)
    assert (line.reason, line.state) == (Reason.ASSESSED, None)


@pytest.mark.parametrize("part", PARTS)
def test_a_handset_is_found_by_any_part_of_any_number(
    model: ReadModel, told: Told, part: str
) -> None:
    told.whole("20261101-ffffffffff", imei="352099001761481", serial="ZZZZZZ", second_imei=None)
    told.open(DRAWN)
    told.bind(DRAWN, "T-000471")
    told.inspect(DRAWN, second_imei=OTHER_IMEI)
    told.sell(DRAWN, CERTIFICATE)
    found = find(model, told, PARTS[part])
    assert DRAWN in {line.newest.job for line in found.handsets}
    if part != "what USB told":
        assert len(found.handsets) == 1


@pytest.mark.parametrize("text", ["", "123", " 1-2 3 ", "%%%%", '"""" OR', "＊＊＊＊"])
def test_less_than_four_letters_are_refused_and_nothing_is_a_pattern(
    model: ReadModel, told: Told, text: str
) -> None:
    told.whole("job-1")
    with pytest.raises(UsageRefused, match="4 letters or digits"):
        find(model, told, text)


@pytest.mark.parametrize("text", ['abcd" OR "3569', "0000", "NEAR(3569)", "3569*x", "HQ6124"])
def test_what_stands_in_no_number_finds_nothing(model: ReadModel, told: Told, text: str) -> None:
    told.whole("job-1")
    assert find(model, told, text).handsets == ()


LETTERS = st.text("01AあŽ-", min_size=1, max_size=9)


@settings(max_examples=150)
@given(
    jobs=st.lists(st.lists(LETTERS, min_size=3, max_size=3), min_size=1, max_size=6), part=LETTERS
)
def test_what_is_found_is_exactly_what_has_it_in_one_of_its_numbers(
    jobs: list[list[str]], part: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Against a search through the numbers one by one, which knows nothing of an index."""
    told, wanted = Told(), plain(part)
    having: set[str] = set()
    newest: dict[str, str] = {}
    for number, (port, serial, tag) in enumerate(jobs):
        told.open(job := f"zzz{number}", usb_serial=port)
        told.inspect(job, serial=serial, imei=None)
        told.bind(job, tag)
        newest[tag] = job
        if any(wanted in plain(one) for one in (port, serial, tag)):
            having.add(tag)
    model = ReadModel(tmp_path_factory.mktemp("find") / "records.sqlite")
    try:
        if len(wanted) < SHORTEST:
            with pytest.raises(UsageRefused):
                find(model, told, part)
        else:
            assert {line.newest.job for line in find(model, told, part).handsets} == {
                newest[tag] for tag in having
            }
    finally:
        model.close()


def test_a_whole_number_is_found_before_its_likes_however_many(
    model: ReadModel, told: Told
) -> None:
    told.whole("job-old", imei=None, serial="R5C1234")
    for number in range(300):
        told.whole(f"job-{number:04}", imei=None, serial=f"R5C1234{number:03}")
    for text in ("R5C1234", "r5c-1234"):
        found = find(model, told, text)
        assert (found.handsets[0].newest.job, found.more) == ("job-old", True)


def test_a_running_job_is_found_before_anything_is_known_of_its_handset_and_an_unknown_one_told(
    model: ReadModel, told: Told
) -> None:
    told.open(DRAWN)
    [line] = find(model, told, "00aa11").handsets
    assert (line.told_by, line.newest.ended_at) == (ToldBy.PORT, None)
    with pytest.raises(NotFound):
        handset(model, told, "job-9")


def test_all_jobs_of_one_imei_are_one_handset_and_a_second_imei_joins_what_was_told_apart(
    model: ReadModel, told: Told
) -> None:
    told.whole("job-1")
    told.whole("job-2", serial="ANOTHER999")
    told.whole("job-3", imei=OTHER_IMEI)
    [line] = find(model, told, IMEI).handsets
    assert (line.key, line.newest.job, line.jobs) == ("job-1", "job-2", 2)
    assert line.told_by is ToldBy.IMEI
    for key in ("job-1", "job-2"):
        assert file_of(model, told, key) == ["job-1", "job-2"]
    assert file_of(model, told, "job-3") == ["job-3"]
    told.whole("job-4", second_imei=OTHER_IMEI)
    assert file_of(model, told, "job-3") == ["job-1", "job-2", "job-3", "job-4"]


def test_the_same_serial_is_only_perhaps_the_same(model: ReadModel, told: Told) -> None:
    told.whole("job-1", imei=None)
    told.whole("job-2", imei=None)
    told.whole("job-3")
    told.whole("job-4", imei=None, model="SO-52B")
    file = handset(model, told, "job-1")
    assert [job.job for job in file.jobs] == ["job-1"]
    assert (file.told_by, file.perhaps) == (ToldBy.LOOKS, ("job-2", "job-3"))
    assert handset(model, told, "job-4").perhaps == ()


def test_an_imei_that_one_person_read_is_searched_by_and_two_people_s_tells_a_handset(
    model: ReadModel, told: Told
) -> None:
    told.whole("job-1")
    told.open("job-2")
    told.inspect("job-2", imei=None)
    told.gates("job-2", IMEI)
    file = handset(model, told, "job-2")
    assert ([job.job for job in file.jobs], file.perhaps) == (["job-2"], ("job-1",))
    assert {line.newest.job for line in find(model, told, IMEI).handsets} == {"job-1", "job-2"}
    told.confirm("job-2", IMEI)
    file = handset(model, told, "job-2")
    assert ([job.job for job in file.jobs], file.told_by) == (["job-1", "job-2"], ToldBy.IMEI)


def test_hostile_numbers_are_kept_apart_from_the_query(model: ReadModel, told: Told) -> None:
    told.whole("job-1", serial='"; DROP TABLE job; --\0' + "x" * 500)
    [line] = find(model, told, "DROPTABLE").handsets
    assert line.newest.job == "job-1"


def test_what_no_text_can_hold_hides_nothing_that_follows(model: ReadModel, told: Told) -> None:
    told.open("job-1", usb_serial="\ud800USB7777")
    told.tell(EntryKind.STAGE_ENDED, "job-1", {"stage": [], "outcome": 7})
    told.tell(EntryKind.JOB_ENDED, "job-1", {"outcome": {}, "disposition": None, "reason": 1})
    told.tell(EntryKind.HANDSET_SETTLED, "job-1", {"before": "nowhere"})
    told.whole("job-2")
    assert {line.newest.job for line in find(model, told, "USB7777").handsets} == {"job-1"}
    items = look(model, told, lambda looker: looker.items())
    [item] = [each for each in items if each.job.job == "job-1"]
    assert item.job.state is DisposalState.HELD


def test_many_finds_say_that_there_are_more(model: ReadModel, told: Told) -> None:
    for number in range(60):
        told.whole(f"job-{number:04}", imei=None)
    found = find(model, told, "HQ6123")
    assert (len(found.handsets), found.more) == (50, True)
    assert found.handsets[0].newest.job == "job-0059"


CASE = "case-T-1"


def sold(told: Told, job: str, tag: str | None = None, **changes: object) -> None:
    told.open(job)
    told.inspect(job, **changes)
    if tag is not None:
        told.bind(job, tag)
    told.sell(job, f'{{"payload": "{job}"}}')


def residue(told: Told, job: str, tag: str | None = None) -> None:
    """A job of a recipe that never asks the handset who it is."""
    told.open(job, recipe="recheck")
    if tag is not None:
        told.bind(job, tag)
    told.end(job, "failed", "destroy", "felica_residue")


def test_a_job_that_told_nothing_but_its_label_is_of_that_handset_and_counts_if_it_came_later(
    model: ReadModel, told: Told
) -> None:
    residue(told, "job-1", "T-1")
    sold(told, "job-2", "T-1")
    assert later(model, told, "job-2") == ()
    residue(told, "job-3", "T-1")
    assert later(model, told, "job-2") == ("job-3",)
    assert file_of(model, told, "job-2") == ["job-1", "job-2", "job-3"]


def test_a_label_that_is_corrected_parts_what_it_had_joined(model: ReadModel, told: Told) -> None:
    sold(told, "job-1", "T-1")
    sold(told, "job-2", "T-2", imei=OTHER_IMEI)
    told.open("job-3", recipe="recheck")
    told.bind("job-3", "T-1")
    assert later(model, told, "job-1") == ("job-3",)
    told.bind("job-3", "T-2")
    assert later(model, told, "job-1") == ()
    assert later(model, told, "job-2") == ("job-3",)
    assert file_of(model, told, "job-1") == ["job-1"]


def test_two_imeis_under_one_label_stay_two_and_put_each_other_in_doubt(
    model: ReadModel, told: Told
) -> None:
    sold(told, "job-1", "T-1")
    sold(told, "job-2", "T-1", imei=OTHER_IMEI, serial="HQ2")
    assert file_of(model, told, "job-1") == ["job-1"]
    assert later(model, told, "job-1") == ("job-2",)


def test_what_is_entered_by_hand_counts_only_if_it_came_later(model: ReadModel, told: Told) -> None:
    told.dead("T-2")
    sold(told, "job-1", "T-1")
    sold(told, "job-2", "T-2", imei=OTHER_IMEI, serial="HQ2")
    told.dead("T-1")
    assert later(model, told, "job-1") == (CASE,)
    assert later(model, told, "job-2") == ()
    assert file_of(model, told, "job-2") == ["case-T-2", "job-2"]


@pytest.mark.parametrize(
    ("first", "second", "tied"),
    [(None, None, True), (None, IMEI, True), (IMEI, None, True), (IMEI, OTHER_IMEI, False)],
)
def test_who_looks_the_same_counts_unless_both_have_told_an_imei(
    model: ReadModel, told: Told, first: str | None, second: str | None, *, tied: bool
) -> None:
    sold(told, "job-1", imei=first)
    sold(told, "job-2", imei=second)
    assert later(model, told, "job-1") == (("job-2",) if tied else ())
    # They may be two all the same.
    assert file_of(model, told, "job-1") == ["job-1"]


def test_another_model_or_maker_is_another_handset(model: ReadModel, told: Told) -> None:
    sold(told, "job-1", imei=None)
    sold(told, "job-2", imei=None, model="SC-51A")
    sold(told, "job-3", imei=None, manufacturer="samsung")
    assert later(model, told, "job-1") == ()


def test_number_and_label_of_a_drawn_job_lead_to_the_recheck_that_certified_it(
    model: ReadModel, told: Told
) -> None:
    told.lot("L-1")
    told.drawn(DRAWN, RECHECK, tag="T-1")
    told.sell(RECHECK)
    for text, by in ((DRAWN, CertifiedBy.NUMBER), ("T-1", CertifiedBy.TAG)):
        [line] = certified(model, told, text, by)
        assert (line.job.job, line.job.tag, line.job.lot) == (RECHECK, "T-1", "L-1")
        assert line.later == ()
    residue(told, "job-3", "T-1")
    assert later(model, told, DRAWN) == ("job-3",)


def test_a_label_that_is_scanned_for_the_recheck_itself_counts(
    model: ReadModel, told: Told
) -> None:
    told.drawn(DRAWN, RECHECK, tag="T-1")
    told.bind(RECHECK, "T-9")
    told.sell(RECHECK)
    assert certified(model, told, "T-1", CertifiedBy.TAG) == ()
    assert len(certified(model, told, "T-9", CertifiedBy.TAG)) == 1


@pytest.mark.parametrize("seed", range(20))
def test_one_by_one_it_comes_to_the_same_as_all_at_once(
    model: ReadModel, told: Told, seed: int
) -> None:
    """However labels are scanned and corrected, only what is known now says who is one."""
    chance = random.Random(seed)
    tags: dict[int, str] = {}
    imeis: dict[int, set[str]] = {}
    ids: dict[str, int] = {}
    for number in range(8):
        told.open(f"job-{number}")
        ids[f"job-{number}"] = len(told.stored)
    for _ in range(25):
        job = f"job-{chance.randrange(8)}"
        if chance.random() < 0.3:
            imei = chance.choice((IMEI, OTHER_IMEI))
            told.inspect(job, imei=imei)
            imeis.setdefault(ids[job], set()).add(imei)
        else:
            tag = f"T-{chance.randrange(4)}"
            told.bind(job, tag)
            tags[ids[job]] = tag
    known = [
        Known(
            id=id_,
            handset=id_,
            tag=tags.get(id_),
            imeis=tuple(imeis.get(id_, ())),
            rechecks=None,
        )
        for id_ in ids.values()
    ]
    jobs = look(model, told, lambda looker: looker.jobs(list(ids)))
    assert {ids[line.job]: line.handset for line in jobs} == handsets_of(known)
