"""Handsets as they really are, and when they come: nothing of it is told to the code under test."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from benchd.domain.ids import JobId
from benchd.lab.benchmarks.identity.mix import Mix

LOT_OF: Final = 24
NEAR: Final = 8
"""So many visits before and after are neighbours."""
FILLERS: Final = ("0123456789ABCDEF", "unknown")
SHARED: Final = ("MB4F0C7R2K", "QX8821AF03")
"""Serials that are on many handsets, and on no list."""
AT_ONCE: Final = (1, 40)
"""After how many visits one comes again that was held,"""
ANY_TIME: Final = (1, 3000)
"""one that was to be destroyed,"""
AFTER_SALE: Final = (200, 8000)
"""or one that was sold."""


@dataclass(slots=True, eq=False, kw_only=True)
class Truth:
    """One handset."""

    number: int
    model: str
    tac: str
    imeis: tuple[str, ...]
    tells: int
    """How many of them over adb."""
    sim_slots: int | None
    serial: str | None
    chip: str | None
    lot: str
    tag: str
    paper_imei: str
    paper_serial: str | None
    lot_is_late: bool
    listed: str | None = None
    is_clone: bool = False
    altered: str = ""
    """How, since it was here first."""
    has_slip: bool = False
    doomed: bool = False
    dirty: bool = False
    """Whether its chip isn't unused."""
    unclean: bool = False
    """Whether a reader saw that, and none has seen it clean since."""
    owed: JobId | None = None
    """The job that it was drawn in, until somebody rechecks it."""
    held_in_a_row: int = 0
    story: list[str] = field(default_factory=list[str])


class Trade:
    """Draws handsets, and puts their visits in order."""

    def __init__(self, mix: Mix, chance: random.Random) -> None:
        self._mix = mix
        self._chance = chance
        self._units = count(1)
        self._due: list[tuple[int, int, Truth]] = []
        self._lot_model = 0
        self._met: list[Truth] = []
        self._near: deque[Truth] = deque(maxlen=NEAR)
        self._coming: deque[Truth] = deque()
        self._given: dict[str, set[int]] = {}
        self.listed: set[str] = set()

    def visits(self, wanted: int) -> Iterator[tuple[int, Truth]]:
        """So many, each of whoever is due again, else of a new one."""
        for number in range(wanted):
            while len(self._coming) <= NEAR:
                self._coming.append(self._drawn())
            if self._due and self._due[0][0] <= number:
                truth = heapq.heappop(self._due)[2]
            else:
                truth = self._coming.popleft()
                self._met.append(truth)
            yield number, truth
            self._near.append(truth)

    def again(self, truth: Truth, number: int, within: tuple[int, int]) -> None:
        """It comes once more, after one of so many visits."""
        due = number + self._chance.randint(*within)
        heapq.heappush(self._due, (due, next(self._units), truth))

    def neighbour(self, truth: Truth) -> Truth:
        """Another that lies in the next slot, or is about to."""
        others = [each for each in (*self._near, *self._coming) if each is not truth]
        return self._chance.choice(others)

    def take_in_again(self, truth: Truth) -> None:
        """With papers of another lot."""
        unit = next(self._units)
        truth.lot, truth.tag = f"L-{unit // LOT_OF:06d}-A", f"T-{unit:08d}"
        self._write_papers(truth)

    def alter(self, truth: Truth) -> None:
        """Its IMEIs are rewritten, or it gets another board with all that is on it."""
        board = self._chance.random() < 0.5
        truth.altered = "another board" if board else "rewritten IMEI"
        truth.has_slip = self._chance.random() < self._mix.slip
        truth.imeis = tuple(self._imei(truth.tac) for _ in truth.imeis)
        if board:
            truth.serial = truth.serial and self._serial()
            truth.chip = truth.chip and self._chip()

    def _drawn(self) -> Truth:
        unit, mix = next(self._units), self._mix
        if unit % LOT_OF == 0:
            one = self._happens(mix.one_model_lots)
            self._lot_model = self._chance.randrange(mix.models) if one else -1
        which = self._lot_model if self._lot_model >= 0 else self._chance.randrange(mix.models)
        tac = f"35{which * 7919 % 1_000_000:06d}"
        imeis = tuple(self._imei(tac) for _ in range(1 + self._happens(mix.two_numbers)))
        tells = 0 if self._happens(mix.untold) else len(imeis)
        if tells == 2 and self._happens(mix.tells_one_of_two):
            tells = 1
        truth = Truth(
            number=unit,
            model=f"M-{which:02d}",
            tac=tac,
            imeis=imeis,
            tells=tells,
            sim_slots=len(imeis) if self._happens(mix.sim_slots_told) else None,
            serial=self._drawn_serial(),
            chip=None if self._happens(mix.no_chip) else self._chip(),
            lot=f"L-{unit // LOT_OF:06d}",
            tag=f"T-{unit:08d}",
            paper_imei="",
            paper_serial=None,
            lot_is_late=False,
        )
        if self._met and self._happens(mix.clone):
            of = self._chance.choice(self._met)
            truth.is_clone, truth.imeis, truth.model, truth.tac = True, of.imeis, of.model, of.tac
            truth.tells = min(truth.tells, len(of.imeis))
        self._write_papers(truth)
        if self._happens(mix.listed):
            truth.listed = self._chance.choice(truth.imeis)
            self.listed.add(truth.listed)
        return truth

    def _write_papers(self, truth: Truth) -> None:
        truth.paper_imei = self._chance.choice(truth.imeis)
        truth.paper_serial = truth.serial if self._happens(self._mix.paper_serial) else None
        truth.lot_is_late = self._happens(self._mix.late_lot)

    def _drawn_serial(self) -> str | None:
        if self._happens(self._mix.no_serial):
            return None
        if self._happens(self._mix.shared_serial):
            return self._chance.choice(self._chance.choice((FILLERS, SHARED)))
        return self._serial()

    def _serial(self) -> str:
        return "R5C" + "".join(self._chance.choices("0123456789ABCDEFGHJKLMNP", k=8))

    def _chip(self) -> str:
        return self._chance.randbytes(32).hex()

    def _imei(self, tac: str) -> str:
        """Of no other handset; a clone's is taken from one that was here."""
        serials = self._given.setdefault(tac, set())
        while (serial := self._chance.randrange(1_000_000)) in serials:
            pass
        serials.add(serial)
        digits = f"{tac}{serial:06d}"
        doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(digits)]
        return f"{digits}{-sum(each // 10 + each % 10 for each in doubled) % 10}"

    def _happens(self, share: float) -> bool:
        return self._chance.random() < share
