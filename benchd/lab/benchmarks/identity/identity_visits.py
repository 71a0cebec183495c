"""Visit after visit of one shop, with what was missed, asked and held for nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from benchd.domain.errors import StageFailed
from benchd.domain.job import DISPOSITION_OF, Disposition, Reason
from benchd.lab.benchmarks.identity.identity_truth import AFTER_SALE, ANY_TIME, AT_ONCE, Truth
from benchd.lab.benchmarks.identity.mix import Mix
from benchd.lab.benchmarks.identity.shop import Shop, Visit
from benchd.lab.benchmarks.identity.visit_run import Run

MOST_HOLDS: Final = 3
"""In a row; then an honest handset counts as held for good."""
CASES_KEPT: Final = 5
CLEARED: Final = 0.5
"""Of the chips that weren't unused: before the handset comes again."""


class Visits:
    """All of one seed."""

    def __init__(self, mix: Mix, seed: int) -> None:
        self.counts: Counter[str] = Counter()
        self.asked: Counter[str] = Counter()
        self.cases: dict[str, list[list[str]]] = defaultdict(list)
        """Some histories of each kind, without any number of the handsets."""
        self._shop = Shop(mix, seed)

    async def run(self, visits: int) -> None:
        """So many visits."""
        for number, truth in self._shop.trade.visits(visits):
            self._shop.clock.visit = number
            await self._visited(number, truth)

    async def _visited(self, number: int, truth: Truth) -> None:
        shop = self._shop
        if not truth.lot_is_late:
            await shop.take_in(truth)
        has_reader = not shop.happens(shop.mix.without_reader)
        visit = Visit(number=number, truth=truth, job=shop.new_job(truth), has_reader=has_reader)
        truth.dirty = truth.dirty and not shop.happens(CLEARED)
        owed = _debts(truth)
        self.counts.update(f"owe: {debt}" for debt in owed)
        self.counts["owe: list"] += truth.listed is not None
        run, reason = Run(shop, visit), None
        try:
            sighted = await run.to_its_end()
        except StageFailed as failed:
            reason, sighted = failed.reason, None
            visit.told.append(failed.detail)
        run.end(reason)
        truth.story.append(_line(visit, reason))
        self.counts["visits"] += 1
        self.asked.update(visit.asked)
        if sighted is None or reason is not None:
            self._held(visit, owed, reason or Reason.INTERNAL_ERROR)
        else:
            self._certified(visit, sighted.proven, run.cited)
            self._sold(visit, owed)
        await shop.take_in(truth)

    def _held(self, visit: Visit, owed: frozenset[str], reason: Reason) -> None:
        truth, shop = visit.truth, self._shop
        honest = not (owed or truth.listed or truth.altered or truth.is_clone)
        if honest and not visit.by_the_mix:
            self._note(f"honest held: {reason}", truth)
        if DISPOSITION_OF[reason] is Disposition.DESTROY:
            if not truth.doomed:
                self._note("honest destroyed", truth)
            elif shop.happens(shop.mix.doomed_again):
                shop.trade.again(truth, visit.number, ANY_TIME)
        elif reason is not Reason.WATCH_LISTED:
            truth.held_in_a_row += not visit.by_the_mix
            if truth.held_in_a_row < MOST_HOLDS:
                shop.trade.again(truth, visit.number, AT_ONCE)
            elif honest:
                self._note("honest held for good", truth)

    def _sold(self, visit: Visit, owed: frozenset[str]) -> None:
        truth, shop = visit.truth, self._shop
        self.counts["sold"] += 1
        if truth.listed is not None:
            self._note("list missed", truth)
        for debt in owed & _debts(truth):
            kind = f"{debt} answered away" if debt in visit.denied else f"{debt} missed"
            self._note(kind, truth)
        truth.doomed, truth.unclean, truth.owed, truth.held_in_a_row = False, False, None, 0
        altered = shop.happens(shop.mix.altered)
        if altered:
            shop.trade.alter(truth)
        if altered or shop.happens(shop.mix.sold_again):
            shop.trade.take_in_again(truth)
            shop.trade.again(truth, visit.number, AFTER_SALE)

    def _certified(self, visit: Visit, proven: frozenset[str], cited: str | None) -> None:
        """What its certificate says wrongly."""
        truth = visit.truth
        if not proven <= frozenset(truth.imeis):
            self._note("wrong IMEI: scan", truth)
        if truth.is_clone:
            self._note("wrong IMEI: clone", truth)
        if truth.altered.startswith("rewritten") and not truth.has_slip:
            self._note("wrong IMEI: rewritten", truth)
        if cited is not None and cited != truth.tag:
            self._note("papers wrong in certificate", truth)
        if cited is None and not truth.lot_is_late:
            self.counts["own papers not cited"] += 1

    def _note(self, kind: str, truth: Truth) -> None:
        self.counts[kind] += 1
        if len(self.cases[kind]) < CASES_KEPT:
            self.cases[kind].append(list(truth.story))


def _debts(truth: Truth) -> frozenset[str]:
    has = {
        "doom": truth.doomed,
        "reader_look": truth.unclean,
        "recheck": truth.owed is not None,
    }
    return frozenset(debt for debt, owes in has.items() if owes)


def _line(visit: Visit, reason: Reason | None) -> str:
    truth = visit.truth
    reader = "reader" if visit.has_reader else "no reader"
    of = [truth.altered, "clone" if truth.is_clone else ""]
    what = "; ".join([*filter(None, of), *visit.told])
    return f"visit {visit.number}, job {visit.job[-6:]}, {reader}: {what} -> {reason or 'sold'}"
