"""What a lot of 24 costs people: answers, scans, PINs, and seconds by a model, not by a stopwatch.

Half of the handsets tell adb no IMEI, eight lie in a slot without a reader, four have two SIMs.
docs/identity.md has the same counted before one rule said which handset it is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest

from benchd.domain.authority import ACTION_OF, AUTHORITY
from benchd.domain.ids import JobId
from benchd.domain.imei import imeis_in_text
from benchd.domain.intake import AttestationKind
from benchd.domain.job import Disposition, Gate
from benchd.domain.record import EntryKind
from tests.intake.lots import attested, imei

from .fake_chips import UNUSED, FakeChip
from .lot_rack import Rack
from .world import Phone

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

LOT_OF: Final = 24
DUAL: Final = (1, 3, 4, 6)
"""Two of those that tell adb a number, two of those that don't."""

# Seconds by the keystroke-level model of Card, Moran and Newell (CACM 23:7, 1980): times of one who
# knows the work and makes no mistake. What a question asks to be done (a look-up, a reset, the way
# to the rack) is in none of them, and the same before and after.
KEY_S: Final = 0.28
"""K, of an average typist who is none by profession."""
POINT_S: Final = 1.10
"""P; its click is CLICK_S."""
CLICK_S: Final = 0.20
HOME_S: Final = 0.40
"""H, the hand to another device."""
THINK_S: Final = 1.35
"""M."""
BEEP_S: Final = 0.50
"""Until a scanner has read a code: assumed, the model knows no scanner."""

ANSWER_S: Final = THINK_S + POINT_S + CLICK_S
SHOW_NUMBER_S: Final = THINK_S + len("*#06#") * KEY_S
"""On the handset's own screen, once for each time that somebody reads it."""
SCAN_S: Final = HOME_S + POINT_S + BEEP_S
PIN_S: Final = THINK_S + (6 + 1) * KEY_S
"""Six digits and Enter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One, as its record has it."""

    job: JobId
    gate: Gate
    person: str
    scans: int
    """Numbers and labels in its note."""
    reads_screen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of some answers of one sitting."""

    answers: int
    scans: int
    pins: int

    @classmethod
    def of(cls, answers: Collection[Answer]) -> Cost:
        by_badge = {gate: AUTHORITY[action].by_badge for gate, action in ACTION_OF.items()}
        return cls(
            answers=len(answers),
            scans=sum(each.scans for each in answers),
            pins=len({each.person for each in answers if not by_badge[each.gate]}),
        )


def seconds(answers: Collection[Answer]) -> float:
    cost, shown = Cost.of(answers), sum(each.reads_screen for each in answers)
    spent = (cost.answers * ANSWER_S, cost.scans * SCAN_S, cost.pins * PIN_S)
    return sum(spent) + shown * SHOW_NUMBER_S


def of_lot(number: int, *, papers: bool) -> Phone:
    """The nth; of those whose number only people know, the label is scanned where papers wait."""
    first, second = imei(2 * number), imei(2 * number + 1)
    phone = Phone(serial=f"R5CT0{number:03d}AB", imei=first, jpki_capable=None)
    if tells_adb(number):
        return replace(phone, second_imei=second if number in DUAL else None)
    phone = replace(phone, imei=None, screen_imei=first, label=tag(number) if papers else None)
    return replace(phone, second_screen_imei=second, sim_slots=2) if number in DUAL else phone


def tells_adb(number: int) -> bool:
    return number % 2 == 0


def tag(number: int) -> str:
    return f"T{number:03d}"


def slot_of(number: int) -> str:
    """A third lies in the slot without a reader."""
    return "A2" if number % 3 == 0 else "A1"


async def run_lot(*, papers: bool) -> tuple[list[list[Answer]], int]:
    """The answers of each handset in turn, and how many are sold."""
    rack = Rack(slots=2)
    if papers:
        lines = [f"{tag(number)},{imei(2 * number)}\n" for number in range(LOT_OF)]
        await rack.lot("tag,IMEI\n" + "".join(lines))
        await rack.desk.attest(attested(AttestationKind.CONSENT, AttestationKind.JPKI))
        for number in range(LOT_OF):
            await rack.looked_up(imei=imei(2 * number))
    jobs: list[JobId] = []
    sold = 0
    async with rack.world.running():
        for number in range(LOT_OF):
            slot, looks = slot_of(number), replace(UNUSED, chip=f"{number:064x}")
            rack.chips.chips["A1"] = FakeChip(looks=looks, after_clear=looks)
            view = await rack.world.ran(of_lot(number, papers=papers), slot)
            assert view.job is not None
            jobs.append(view.job)
            sold += view.disposition is Disposition.SELLABLE
            await rack.world.take_out(slot)
    by_job = defaultdict[JobId, list[Answer]](list)
    for each in answers_in(rack):
        by_job[each.job].append(each)
    return [by_job[job] for job in jobs], sold


def answers_in(rack: Rack) -> Iterator[Answer]:
    for record in rack.ledger.of(EntryKind.DECISION):
        told, job = record.entry.data, record.entry.job
        assert job is not None
        note = str(told["note"])
        numbers = imeis_in_text(note)
        yield Answer(
            job=job,
            gate=Gate(str(told["gate"])),
            person=str(told["person"]),
            scans=len(numbers) + sum(word in rack.store.book.assets for word in note.split()),
            reads_screen=bool(numbers),
        )


def kind_of(number: int) -> str:
    told = "told by adb" if tells_adb(number) else "two SIMs" if number in DUAL else "not told"
    return told if slot_of(number) == "A1" else f"{told}, no reader"


def per_handset(runs: Iterable[list[Answer]]) -> dict[str, set[tuple[int, int]]]:
    """Answers and scans of one of each kind."""
    found = defaultdict[str, set[tuple[int, int]]](set)
    for number, answers in enumerate(runs):
        cost = Cost.of(answers)
        found[kind_of(number)].add((cost.answers, cost.scans))
    return dict(found)


def whole(runs: Iterable[list[Answer]]) -> list[Answer]:
    return [answer for answers in runs for answer in answers]


PER_HANDSET = {
    "told by adb": (6, 1),
    "told by adb, no reader": (8, 1),
    "not told": (6, 2),
    "not told, no reader": (8, 2),
    "two SIMs": (6, 3),
    "two SIMs, no reader": (8, 3),
}
"""Answers and scans without papers: network, JPKI, last reset, observe, its number, confirm."""


@pytest.mark.parametrize(
    ("papers", "cost", "spent_s"),
    [
        (False, Cost(answers=160, scans=38, pins=2), 606),
        (True, Cost(answers=112, scans=50, pins=2), 502),
    ],
)
async def test_what_a_lot_of_24_costs(papers: bool, cost: Cost, spent_s: int) -> None:
    """Papers save two answers; where only people know the number, the label is scanned besides."""
    runs, sold = await run_lot(papers=papers)
    assert sold == LOT_OF
    assert per_handset(runs) == {
        kind: {
            (answers - 2, scans + ("adb" not in kind)) if papers else (answers, scans),
        }
        for kind, (answers, scans) in PER_HANDSET.items()
    }
    assert Cost.of(whole(runs)) == cost
    assert round(seconds(whole(runs))) == spent_s
    with_reader = [a for n, run in enumerate(runs) if slot_of(n) == "A1" for a in run]
    assert Cost.of(with_reader).pins == 2
    read = Counter(a.gate for a in whole(runs) if a.reads_screen)
    if not papers:
        assert read == {Gate.IMEI: 24, Gate.CONFIRM: 12}
