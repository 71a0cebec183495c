"""Jobs of one handset are one in its file, and what came later is told of it by every number."""

from __future__ import annotations

import random

import pytest
from records_rack import IMEI, OTHER_IMEI, Told
from test_recheck_records import DRAWN, RECHECK, rechecked

from benchd.domain.handset_file import CertifiedBy, CertifiedLine
from benchd.ledger.records.job_matching import Known, handsets_of
from benchd.ledger.records.read_model import ReadModel

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


def up_to_now(model: ReadModel, told: Told) -> None:
    model.take(told.stored[model.upto().sequence :])


def certified(
    model: ReadModel, told: Told, text: str, by: CertifiedBy = CertifiedBy.NUMBER
) -> tuple[CertifiedLine, ...]:
    up_to_now(model, told)
    return model.look(lambda looker: looker.certified(by, text), quick=True)


def later(model: ReadModel, told: Told, job: str) -> tuple[str, ...]:
    [line] = certified(model, told, job)
    return line.later


def file_of(model: ReadModel, told: Told, job: str) -> list[str]:
    up_to_now(model, told)
    file = model.look(lambda looker: looker.handset(job), quick=True)
    return [line.job for line in file.jobs]


def test_a_later_job_that_told_nothing_but_its_label_is_of_that_handset(
    model: ReadModel, told: Told
) -> None:
    sold(told, "job-1", "T-1")
    residue(told, "job-2", "T-1")
    assert later(model, told, "job-1") == ("job-2",)
    assert file_of(model, told, "job-1") == ["job-1", "job-2"]


def test_so_is_one_that_was_never_inspected_and_came_first(model: ReadModel, told: Told) -> None:
    residue(told, "job-1", "T-1")
    sold(told, "job-2", "T-1")
    assert later(model, told, "job-2") == ()
    assert file_of(model, told, "job-2") == ["job-1", "job-2"]


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
    rechecked(told, tag="T-1")
    told.sell(RECHECK)
    for text, by in ((DRAWN, CertifiedBy.NUMBER), ("T-1", CertifiedBy.TAG)):
        [line] = certified(model, told, text, by)
        assert (line.job.job, line.job.tag, line.job.lot, line.later) == (
            *(RECHECK, "T-1", "L-1"),
            (),
        )
    residue(told, "job-3", "T-1")
    assert later(model, told, DRAWN) == ("job-3",)


def test_a_label_that_is_scanned_for_the_recheck_itself_counts(
    model: ReadModel, told: Told
) -> None:
    rechecked(told, tag="T-1")
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
    up_to_now(model, told)
    jobs = model.look(lambda looker: looker.jobs(list(ids)), quick=True)
    assert {ids[line.job]: line.handset for line in jobs} == handsets_of(known)
