"""Which sightings are of one handset: the closure of what is certain, and what is left open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.proof.identity.sighting import PairAnswer, Same, Sighting
from benchd.proof.identity.traits import (
    Clash,
    Comparison,
    Join,
    Relation,
    compare,
    contradictions,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handset:
    """Sightings of one handset in the order of the ledger, as the one asked about sees them."""

    sightings: tuple[Sighting, ...]
    relation: Relation
    joins: frozenset[Join] = frozenset()
    clashes: frozenset[Clash] = frozenset()
    answered: Same | None = None
    """What somebody in charge has answered who was asked whether they are one."""
    held_answered: Same | None = None
    """What an operator has answered of a reader's look: it counts for nothing else."""

    @property
    def doomed_by(self) -> Sighting | None:
        """What sent it last to be destroyed, unless somebody in charge has let it in since."""
        let_at = max((each.let_at for each in self.sightings), default=0)
        doomed = [each for each in self.sightings if each.doomed_at > let_at]
        return max(doomed, key=lambda each: each.doomed_at, default=None)

    @property
    def dooming(self) -> tuple[Sighting, ...]:
        """All that ever sent it to be destroyed."""
        return tuple(each for each in self.sightings if each.doomed_at)

    @property
    def unclean_by(self) -> Sighting | None:
        """The last look of a reader at its chip, where that saw no unused chip."""
        looks = [each for each in self.sightings if each.chip_look is not None]
        last = max(looks, key=lambda each: each.chip_look or (0, None), default=None)
        return last if last is not None and last.unclean_look is not None else None

    @property
    def certified_by(self) -> Sighting | None:
        """The last job of it that ended with a certificate."""
        certified = [each for each in self.sightings if each.is_certified]
        return max(certified, key=lambda each: each.end_sequence, default=None)

    @property
    def owed(self) -> tuple[JobId, ...]:
        """Its drawn jobs whose recheck was never passed.

        One that was run again is settled by the recheck of a later one, and by nothing else.
        """
        passed = {each.rechecks for each in self.sightings if each.rechecks and each.is_certified}
        settled = [e.draw_sequence for e in self.sightings if e.is_drawn and e.job in passed]
        last = max(settled, default=0)
        return tuple(e.job for e in self.sightings if e.is_drawn and e.draw_sequence > last)

    @property
    def runs_in(self) -> Sighting | None:
        """The job of it that goes on, where one does."""
        return next((each for each in self.sightings if each.end is None), None)


@dataclass(slots=True, eq=False)
class _Group:
    sightings: list[Sighting]


class Handsets:
    """Sightings sorted into handsets, as one of them sees it."""

    def __init__(self, me: Sighting, others: Iterable[Sighting]) -> None:
        self.me = me
        every = {each.job: each for each in others if each.job != me.job}
        self._sightings = sorted([*every.values(), me], key=lambda each: each.sequence)
        self._traits = {each.job: each.traits for each in self._sightings}
        self._answers = tuple(_answers(self._sightings))
        self._shared_serials = frozenset(self._serials_of_two())
        self._group_of: dict[JobId, _Group] = {}
        self._disputes: list[tuple[Sighting, Sighting, Comparison]] = []
        self._sort()

    @property
    def in_order(self) -> Sequence[JobId]:
        """Every job, in the order of the ledger."""
        return [each.job for each in self._sightings]

    @property
    def mine(self) -> Handset:
        """The handset that the sighting asked about is of: itself among the sightings."""
        return Handset(
            sightings=tuple(self._group_of[self.me.job].sightings), relation=Relation.CERTAIN
        )

    @property
    def earlier(self) -> Handset:
        """The same without the sighting itself."""
        mine = self._group_of[self.me.job].sightings
        others = tuple(each for each in mine if each is not self.me)
        return Handset(sightings=others, relation=Relation.CERTAIN)

    @property
    def open(self) -> Sequence[Handset]:
        """Other handsets that it may be, or that something says it is and something not.

        Those of which somebody has answered that they are others aren't among them.
        """
        return [each for each in self.others if each.relation is not Relation.NONE]

    @property
    def sharing_chip(self) -> Sequence[Handset]:
        """Other handsets in which its chip was seen, whatever was answered of them.

        A chip that this very job has tied is its own: a look that has tied nothing, and that no
        certificate rests on, was of another's, as when the readers of two slots are exchanged.
        """
        chip = self.me.tied
        if chip is None:
            return [each for each in self.others if Join.CHIP in each.joins]
        return [
            each
            for each in self.others
            if any(chip == s.tied or (chip in s.chips and s.is_certified) for s in each.sightings)
        ]

    @property
    def others(self) -> Sequence[Handset]:
        """All other handsets, in the order of the ledger."""
        mine = self._group_of[self.me.job]
        groups = dict.fromkeys(self._group_of[each.job] for each in self._sightings)
        return [self._seen_from(mine, group) for group in groups if group is not mine]

    @property
    def disputed_imeis(self) -> frozenset[str]:
        """Its numbers that another handset has too: they find no papers, whoever is right."""
        mine = frozenset[str]().union(*(each.imeis for each in self.mine.sightings))
        clashing = (each for each in self.others if each.clashes and Join.IMEI in each.joins)
        theirs = (seen.imeis for each in clashing for seen in each.sightings)
        return mine & frozenset[str]().union(*theirs)

    @property
    def former_imeis(self) -> frozenset[str]:
        """Proven numbers of earlier sightings that this one doesn't have: it was repaired since."""
        mine = self.me.imeis
        earlier = (each for each in self.earlier.sightings if self._is_same_by_answer(each))
        return frozenset[str]().union(*(each.proven for each in earlier)) - mine

    def _is_same_by_answer(self, other: Sighting) -> bool:
        """Whether nothing but somebody's answer says that it is the same handset."""
        shared = self._traits[self.me.job].proven & self._traits[other.job].proven
        return not shared and self._pair_answer(self.me, other) is Same.SAME

    def relation(self, other: JobId) -> Relation:
        """Whether the sighting asked about and that of another job are of one handset."""
        mine, group = self._group_of[self.me.job], self._group_of.get(other)
        if group is None:
            return Relation.NONE
        return Relation.CERTAIN if group is mine else self._seen_from(mine, group).relation

    def _seen_from(self, mine: _Group, group: _Group) -> Handset:
        joins: frozenset[Join] = frozenset()
        clashes: frozenset[Clash] = frozenset()
        for one, other in product(mine.sightings, group.sightings):
            told = self._compared(one, other)
            joins |= told.joins
            clashes |= told.clashes
        for one, other, told in self._disputes:
            sides = self._group_of[one.job], self._group_of[other.job]
            if sides in ((mine, group), (group, mine)):
                joins |= told.joins
                clashes |= told.clashes
        relation, answered = Relation.NONE, self._answered(mine, group)
        if joins and answered is not Same.OTHER:
            relation = Relation.DISPUTE if clashes else Relation.MAY_BE
        return Handset(
            sightings=tuple(group.sightings),
            relation=relation,
            joins=joins,
            clashes=clashes,
            answered=answered,
            held_answered=self._answered(mine, group, Gate.SAME_HANDSET_HELD),
        )

    def _sort(self) -> None:
        """In the order of the ledger: a merge that would put a clash inside isn't made."""
        self._group_of = {each.job: _Group([each]) for each in self._sightings}
        for later, last in enumerate(self._sightings):
            for first in self._sightings[:later]:
                one, other = self._group_of[first.job], self._group_of[last.job]
                if one is other:
                    continue
                if _is_recheck(first, last) or self._pair_answer(first, last) is Same.SAME:
                    self._merge(one, other)
                    continue
                told = self._compared(first, last)
                if told.relation is Relation.CERTAIN:
                    self._merge_unless_clashing(first, last, told)

    def _merge_unless_clashing(self, first: Sighting, last: Sighting, told: Comparison) -> None:
        one, other = self._group_of[first.job], self._group_of[last.job]
        clashes = frozenset[Clash]()
        for a, b in product(one.sightings, other.sightings):
            if self._pair_answer(a, b) is not Same.SAME:
                clashes |= contradictions(
                    self._traits[a.job], self._traits[b.job], self._shared_serials
                )
        numbers = self._full_numbers(one), self._full_numbers(other)
        if all(numbers) and numbers[0].isdisjoint(numbers[1]):
            clashes |= {Clash.IMEI}
        if not clashes and self._answered(one, other) is not Same.OTHER:
            self._merge(one, other)
            return
        dispute = Comparison(relation=Relation.DISPUTE, joins=told.joins, clashes=clashes)
        self._disputes.append((first, last, dispute))

    def _full_numbers(self, group: _Group) -> frozenset[str]:
        """Proven numbers of those sightings that have all of their handset's."""
        every = (self._traits[each.job] for each in group.sightings)
        return frozenset[str]().union(*(traits.proven for traits in every if traits.is_full))

    def _compared(self, one: Sighting, other: Sighting) -> Comparison:
        return compare(self._traits[one.job], self._traits[other.job], self._shared_serials)

    def _merge(self, one: _Group, other: _Group) -> None:
        if one is other:
            return
        one.sightings = sorted(
            (*one.sightings, *other.sightings), key=lambda sighting: sighting.sequence
        )
        for each in other.sightings:
            self._group_of[each.job] = one

    def _answered(self, one: _Group, other: _Group, gate: Gate = Gate.SAME_HANDSET) -> Same | None:
        """The last answer about any two of them: it is of handsets, not of jobs."""
        mine, theirs = ({each.job for each in group.sightings} for group in (one, other))
        told = [
            answer
            for by, answer in self._answers
            if answer.gate is gate
            and ((by in mine and answer.other in theirs) or (by in theirs and answer.other in mine))
        ]
        return max(told, key=lambda answer: answer.sequence).answer if told else None

    def _pair_answer(self, first: Sighting, last: Sighting) -> Same | None:
        told = [
            answer
            for by, answer in self._answers
            if answer.gate is Gate.SAME_HANDSET
            and {by, answer.other} == {first.job, last.job}
            and by != answer.other
        ]
        return max(told, key=lambda answer: answer.sequence).answer if told else None

    def _serials_of_two(self) -> Iterator[tuple[str | None, str]]:
        """Serials, with their model, under which two disjoint full sets of numbers are proven.

        Not by the sighting asked about: whose number or serial was rewritten is a dispute first.
        Nor where one of them was to be destroyed: it may be back under a third number.
        """
        doomed = {(e.traits.model, e.traits.serial) for e in self._sightings if e.doomed_at}
        told: dict[tuple[str | None, str], list[Sighting]] = {}
        for each in self._sightings:
            traits = self._traits[each.job]
            if each is not self.me and traits.serial is not None and traits.is_full:
                told.setdefault((traits.model, traits.serial), []).append(each)
        for key, holders in told.items():
            if key not in doomed and any(
                self._traits[one.job].proven.isdisjoint(self._traits[other.job].proven)
                and self._pair_answer(one, other) is not Same.SAME
                for one, other in combinations(holders, 2)
            ):
                yield key


def _answers(sightings: Iterable[Sighting]) -> Iterator[tuple[str, PairAnswer]]:
    for each in sightings:
        for answer in each.answers:
            yield each.job, answer


def _is_recheck(one: Sighting, other: Sighting) -> bool:
    return one.rechecks == other.job or other.rechecks == one.job
