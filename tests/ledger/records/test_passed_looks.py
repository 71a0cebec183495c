"""A look before a sale that found nothing leaves its handset where its certificate has sent it.

Invented before the code: what a shop does with a certified handset that it plugs in once more, and
what a look mustn't hide. A look by itself certifies nothing: whatever speaks against the
certificate that it rests on leaves the handset on hold, as any other that isn't sold.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from records_rack import IMEI, OTHER_IMEI, START, Told, look

from benchd.domain.chip import ChipVerdict
from benchd.domain.disposal import DisposalState
from benchd.domain.report import Asked, Figure
from benchd.domain.shift import Shift, Went
from benchd.ledger.records.read_model import ReadModel
from tests import recorded

DAY = Shift(begin=START - timedelta(hours=1), end=START + timedelta(hours=23))
ASKED = Asked(begin=START - timedelta(hours=1), end=START + timedelta(days=30))
PASSED = ("passed", "hold", "rechecked")
CHIP, OTHER_CHIP = "c0ffee00" * 8, "deadbeef" * 8


def sold(told: Told, job: str = "sold", tag: str | None = "T1", **changes: object) -> None:
    told.open(job)
    told.inspect(job, **changes)
    if tag is not None:
        told.bind(job, tag)
    told.stage(job, "felica_recheck", recorded.chip(verdict=ChipVerdict.UNUSED, chip=CHIP))
    told.sell(job)


def looked(
    told: Told,
    job: str = "look",
    tag: str | None = "T1",
    *,
    lot: str = "L-1",
    end: tuple[str, str, str] = PASSED,
    usb_serial: str = "USB0001",
    chip: str | None = None,
) -> None:
    told.open(job, recipe="recheck", usb_serial=usb_serial)
    if tag is not None:
        told.bind(job, tag, lot)
    if chip is not None:
        told.stage(job, "felica_recheck", recorded.chip(verdict=ChipVerdict.UNUSED, chip=chip))
    told.end(job, *end)


def failed(told: Told, job: str = "failed", tag: str = "T1", imei: str | None = IMEI) -> None:
    told.open(job)
    told.inspect(job, imei=imei)
    told.bind(job, tag)
    told.end(job)


def held(model: ReadModel, told: Told) -> list[str]:
    """The jobs whose handsets wait on hold, by the list and by the counts alike."""
    items = look(model, told, lambda looker: looker.items())
    bins = {each.state: each for each in look(model, told, lambda looker: looker.bins())}
    jobs = [item.job.job for item in items if item.job.state is DisposalState.HELD]
    assert bins[DisposalState.HELD].handsets == len(jobs)
    oldest = bins[DisposalState.HELD].oldest
    assert (None if oldest is None else oldest.job) == next(iter(jobs), None)
    return list(jobs)


def figures(model: ReadModel, told: Told) -> tuple[dict[str, list[str]], dict[str, int]]:
    """Where the shift has sent handsets, and what the report says they became."""
    shift = look(model, told, lambda looker: looker.shift(DAY), quick=False)
    report = look(model, told, lambda looker: looker.report(ASKED, named=True), quick=False)
    went = {str(where): [str(job) for job in jobs] for where, jobs in shift.went.items() if jobs}
    became = report.figures[Figure.BECAME]
    return went, {value: counted.handsets for value, counted in became.items()}


def _one(told: Told) -> None:
    looked(told)


def _two(told: Told) -> None:
    looked(told)
    looked(told, "look 2")


def _with_its_chip(told: Told) -> None:
    looked(told, chip=CHIP)


def _by_its_chip_alone(told: Told) -> None:
    looked(told, usb_serial="", chip=CHIP)


def _after_shipping(told: Told) -> None:
    """What has gone out leaves nothing behind, and may come back for another look."""
    looked(told)
    looked(told, "look 2", lot="L-2")


CLEAN: dict[str, Callable[[Told], None]] = {
    "one look": _one,
    "two looks": _two,
    "its chip was read both times": _with_its_chip,
    "only its chip was read both times": _by_its_chip_alone,
    "a second look as of another lot": _after_shipping,
}


@pytest.mark.parametrize("case", CLEAN)
def test_a_certified_handset_that_passed_its_look_is_on_sale_still(
    told: Told, model: ReadModel, case: str
) -> None:
    """Before, it was on hold on the list, in the shift and in the report, once for each look."""
    sold(told)
    CLEAN[case](told)
    assert held(model, told) == []
    assert figures(model, told) == ({"sold": ["sold"]}, {"sold": 1})


def test_a_look_in_another_shift_has_its_own_place_there(told: Told, model: ReadModel) -> None:
    """It was certified yesterday, and isn't certified once more; it may be sold still."""
    sold(told)
    told.open("look", START + timedelta(days=1), recipe="recheck")
    told.bind("look", "T1")
    told.end("look", *PASSED)
    later = Shift(begin=told.stored[-1].entry.at, end=told.stored[-1].entry.at + timedelta(hours=1))
    shift = look(model, told, lambda looker: looker.shift(later), quick=False)
    assert {where: jobs for where, jobs in shift.went.items() if jobs} == {
        Went.RECHECKED: ("look",)
    }
    assert [hour.sold for hour in shift.hours] == [("look",)]
    assert shift.share_sold == 1


def test_a_drawn_handset_is_sold_by_its_recheck_and_stays_so(told: Told, model: ReadModel) -> None:
    told.drawn("drawn", "third", "T1")
    told.sell("third")
    told.stage("drawn", "felica_recheck", recorded.chip(verdict=ChipVerdict.UNUSED, chip=CHIP))
    looked(told, usb_serial="", chip=CHIP)
    assert held(model, told) == []
    [line] = look(model, told, lambda looker: looker.jobs(["look"]))
    assert (line.sold_under, line.sold_under_drawn) == ("third", "drawn")
    for job in ("third", "drawn", "look"):
        assert line.held_by(lambda asked, job=job: "stock" if asked == job else None) == "stock"
    assert line.held_by(lambda _: None) is None


def _nothing_before(told: Told) -> None:
    looked(told)


def _no_tag(told: Told) -> None:
    sold(told)
    looked(told, tag=None)


def _another_tag(told: Told) -> None:
    sold(told)
    looked(told, tag="T2")


def _certified_untagged(told: Told) -> None:
    sold(told, tag=None)
    looked(told)


def _sold_by_the_word_alone(told: Told) -> None:
    told.open("sold")
    told.inspect("sold")
    told.bind("sold", "T1")
    told.end("sold", "passed", "sellable", None, None)
    looked(told)


def _certificate_of_a_failure(told: Told) -> None:
    told.open("sold")
    told.inspect("sold")
    told.bind("sold", "T1")
    told.end("sold", "failed", "hold", "coverage_too_low", '{"payload": "x"}')
    looked(told)


def _failed_since(told: Told) -> None:
    """What its own failure says stands, whatever a look afterwards has seen."""
    sold(told)
    failed(told)
    looked(told)


def _failed_under_its_label(told: Told) -> None:
    """A job that couldn't even ask for a number."""
    sold(told)
    told.open("failed")
    told.bind("failed", "T1")
    told.end("failed", "failed", "hold", "handset_lost")
    looked(told)


def _entered_as_dead(told: Told) -> None:
    sold(told)
    told.dead("T1")
    looked(told)


def _runs_since(told: Told) -> None:
    sold(told)
    told.open("runs")
    told.bind("runs", "T1")
    looked(told)


def _certified_after(told: Told) -> None:
    looked(told)
    sold(told)


def _certified_meanwhile(told: Told) -> None:
    """Two handsets, in two slots at once, under one label."""
    told.open("sold")
    told.inspect("sold")
    told.bind("sold", "T1")
    looked(told)
    told.sell("sold")


def _another_had_the_label_before(told: Told) -> None:
    failed(told, "other", imei=OTHER_IMEI)
    sold(told)
    looked(told)


def _another_has_the_label_since(told: Told) -> None:
    sold(told)
    looked(told)
    failed(told, "other", imei=OTHER_IMEI)


def _two_certified_under_one_label(told: Told) -> None:
    sold(told)
    sold(told, "sold 2", imei=OTHER_IMEI)
    looked(told)


def _another_serial(told: Told) -> None:
    sold(told)
    looked(told, usb_serial="USB0002", chip=CHIP)


def _another_chip(told: Told) -> None:
    sold(told)
    looked(told, chip=OTHER_CHIP)


def _nothing_tells(told: Told) -> None:
    sold(told)
    looked(told, usb_serial="")


def _a_filler_serial(told: Told) -> None:
    """What half of all handsets of a cheap board tell is nobody's number."""
    told.open("sold", usb_serial="0123456789ABCDEF")
    told.inspect("sold", serial="0123456789ABCDEF")
    told.bind("sold", "T1")
    told.sell("sold")
    looked(told, usb_serial="0123456789ABCDEF")


def _label_corrected(told: Told) -> None:
    """Somebody had scanned the neighbour's label, and says so now."""
    sold(told)
    looked(told)
    told.bind("look", "T2")


def _certified_relabelled(told: Told) -> None:
    sold(told)
    looked(told)
    told.bind("sold", "T2")


HELD: dict[str, Callable[[Told], None]] = {
    "nothing was certified": _nothing_before,
    "its label wasn't scanned": _no_tag,
    "another label was scanned": _another_tag,
    "the certified one had no label": _certified_untagged,
    "sellable without a certificate": _sold_by_the_word_alone,
    "a failure with a certificate": _certificate_of_a_failure,
    "it failed since": _failed_since,
    "it failed since, known by its label alone": _failed_under_its_label,
    "it was entered as dead since": _entered_as_dead,
    "a job of it runs since": _runs_since,
    "it was certified after the look": _certified_after,
    "it was certified while the look went on": _certified_meanwhile,
    "another handset had the label before": _another_had_the_label_before,
    "another handset has the label since": _another_has_the_label_since,
    "two are certified under the label": _two_certified_under_one_label,
    "the look's port told another serial": _another_serial,
    "the look's reader saw another chip": _another_chip,
    "the look has read nothing of it": _nothing_tells,
    "it has told a serial that is nobody's": _a_filler_serial,
    "the look's label was corrected": _label_corrected,
    "the certified one's label was corrected": _certified_relabelled,
}


@pytest.mark.parametrize("case", HELD)
def test_a_look_that_rests_on_no_certificate_holds_as_ever(
    told: Told, model: ReadModel, case: str
) -> None:
    HELD[case](told)
    assert "look" in held(model, told)
    [line] = look(model, told, lambda looker: looker.jobs(["look"]))
    assert line.sold_under is None


@pytest.mark.parametrize(
    "end",
    [
        ("failed", "hold", "not_as_reset"),
        ("failed", "destroy", "felica_residue"),
        ("aborted", "hold", "unplugged"),
        ("failed", "hold", "rechecked"),
        ("passed", "hold", "overwrite_due"),
        ("passed", "hold", "assessed"),
    ],
)
def test_what_is_no_passed_look_waits_as_ever_and_so_does_a_passed_one_after_it(
    told: Told, model: ReadModel, end: tuple[str, str, str]
) -> None:
    sold(told)
    looked(told, end=end)
    looked(told, "look 2")
    items = look(model, told, lambda looker: looker.items())
    assert {item.job.job for item in items} == {"look", "look 2"}


@pytest.mark.parametrize("to", ["to_destroy", "to_return", "rerun_due"])
def test_whoever_sends_it_elsewhere_after_its_look_has_the_last_word(
    told: Told, model: ReadModel, to: str
) -> None:
    """The ledger lets anybody who may settle it, as before; a later look doesn't take that back."""
    sold(told)
    looked(told)
    assert held(model, told) == []
    told.settle("look", "held", to, note="cracked")
    [item] = look(model, told, lambda looker: looker.items())
    assert (item.job.job, item.job.state) == ("look", to)
    looked(told, "look 2")
    assert held(model, told) == ["look 2"]


def test_what_somebody_has_put_on_sale_is_found_under_that(told: Told, model: ReadModel) -> None:
    sold(told)
    looked(told)
    told.settle("look", "held", "on_sale", note="sold")
    on_sale = look(model, told, lambda looker: looker.items((DisposalState.ON_SALE,)))
    assert [item.job.job for item in on_sale] == ["look"]
    looked(told, "look 2")
    assert held(model, told) == []


def test_a_hold_before_its_certificate_is_none_since(told: Told, model: ReadModel) -> None:
    failed(told)
    sold(told)
    looked(told)
    assert held(model, told) == []


def test_a_look_that_failed_after_one_that_passed_waits_once(told: Told, model: ReadModel) -> None:
    sold(told)
    looked(told)
    looked(told, "look 2", end=("failed", "hold", "not_as_reset"))
    assert held(model, told) == ["look 2"]
    went, became = figures(model, told)
    assert (went, became) == ({"held": ["look 2"]}, {"held": 1})


@pytest.mark.parametrize("cut", range(1, 14))
def test_wherever_the_following_was_cut_it_comes_to_the_same(
    told: Told, model: ReadModel, cut: int
) -> None:
    sold(told)
    looked(told)
    told.bind("look", "T2")
    told.bind("look", "T1")
    looked(told, "look 2")
    model.take(told.stored[:cut])
    assert held(model, told) == []
