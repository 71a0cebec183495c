"""What a handset owes by its other jobs, and what is open until somebody has answered.

What is certainly of it applies. Where it may be another's, or a dispute, somebody is asked once for
each pair, and nothing passes before; docs/identity.md has the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from benchd.domain.job import Gate
from benchd.proof.identity.placeholder_serials import is_filler
from benchd.proof.identity.same_handset import Handset, Handsets
from benchd.proof.identity.sighting import Same, Sighting
from benchd.proof.identity.traits import Relation


class Debt(StrEnum):
    """What a handset can owe that a question is asked for; a recheck is drawn without one."""

    DOOM = "doom"
    """It was to be destroyed."""
    CERTIFIED = "certified"
    """A certificate stands against it: one identity, two handsets."""
    READER_LOOK = "reader_look"
    """A reader saw no unused chip in it, and none has seen one since."""
    RECHECK = "recheck"
    """It was drawn for a recheck that nobody has passed."""


_GATE_OF_MAY_BE: Final[Mapping[Debt, Gate]] = MappingProxyType(
    {
        Debt.DOOM: Gate.SAME_HANDSET,
        Debt.CERTIFIED: Gate.SAME_HANDSET,
        Debt.READER_LOOK: Gate.SAME_HANDSET_HELD,
        Debt.RECHECK: Gate.SAME_HANDSET_HELD,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPair:
    """Another handset with a debt, of which somebody has to say whether it is this one."""

    by: Sighting
    """The job that the debt comes from."""
    debt: Debt
    handset: Handset

    @property
    def gate(self) -> Gate:
        """Whose answer it takes: a dispute is always somebody in charge's."""
        disputed = self.handset.relation is Relation.DISPUTE
        return Gate.SAME_HANDSET if disputed else _GATE_OF_MAY_BE[self.debt]


def open_pairs(handsets: Handsets) -> Iterator[OpenPair]:
    """Each other handset whose debts may be this one's, by its gravest debt."""
    for handset in handsets.open:
        for debt, by in _debts(handsets.me, handset):
            yield OpenPair(by=by, debt=debt, handset=handset)
            break


def _debts(me: Sighting, handset: Handset) -> Iterator[tuple[Debt, Sighting]]:
    """Of another handset, the gravest first."""
    disputed = handset.relation is Relation.DISPUTE
    if (doomed_by := handset.doomed_by) is not None:
        yield Debt.DOOM, doomed_by
    # Whoever has read a number once that another is certified under may have misread it: it is
    # read again, by another, before it counts.
    if disputed and me.proven and (certified_by := handset.certified_by) is not None:
        yield Debt.CERTIFIED, certified_by
    # A reader's own look in this job is newer, whosever the other was, and is asked for first.
    asked = handset.held_answered is None and me.looked_by_eye
    if asked and (unclean_by := handset.unclean_by) is not None:
        yield Debt.READER_LOOK, unclean_by
    owed = set(handset.owed)
    drawn = next((each for each in handset.sightings if each.job in owed), None)
    if disputed and drawn is not None:
        yield Debt.RECHECK, drawn


def unclean_look(handsets: Handsets) -> Sighting | None:
    """The job in which a reader saw no unused chip in this handset, where no reader has since.

    Also in one of which an operator has answered that it is the same.
    """
    if (unclean_by := handsets.mine.unclean_by) is not None:
        return unclean_by
    said_same = (each for each in handsets.others if each.held_answered is Same.SAME)
    looks = (each.unclean_by for each in said_same) if handsets.me.looked_by_eye else iter(())
    return next((look for look in looks if look is not None), None)


def own_chip_by(handsets: Handsets) -> Sighting | None:
    """The job that tied this handset's own chip, where another one is seen now and not tied.

    What a reader sees of such a chip, a card's perhaps, tells nothing of the handset.
    """
    me = handsets.me
    tied = [each for each in handsets.earlier.sightings if each.tied is not None]
    if me.tied is not None or not me.chips or any(each.tied in me.chips for each in tied):
        return None
    return tied[-1] if tied else None


def is_nameless(me: Sighting) -> bool:
    """Whether neither number nor serial nor label tells it from others: no debt could be found."""
    serial = me.traits.serial
    return not (me.imeis or me.label or (serial is not None and not is_filler(serial)))


def is_anothers_chip(sharing: Handset) -> bool:
    """Whether a handset that the same chip was seen in is another one: by a clash or an answer."""
    return bool(sharing.clashes) or sharing.answered is Same.OTHER


def at_work_elsewhere(handsets: Handsets, *, disputed: bool) -> Sighting | None:
    """The earlier job that goes on with this handset, else None.

    With `disputed`, at the end, also one with another handset that has a proven number of this
    one: neither has a certificate yet that would stand against the other. The later one waits, and
    whoever came second can't spoil what the first has shown.
    """
    me = handsets.me
    running = [each for each in handsets.earlier.sightings if each.end is None]
    if disputed:
        others = (each for each in handsets.open if each.relation is Relation.DISPUTE)
        seen = (one for other in others for one in other.sightings)
        running += [each for each in seen if each.end is None and each.proven & me.proven]
    return next((each for each in running if each.sequence < me.sequence), None)


def identity_gaps(handsets: Handsets) -> Iterator[str]:
    """Everything that other jobs' records say against a certificate of this one."""
    mine = handsets.mine
    if is_nameless(handsets.me):
        yield "identity: nothing on record says which handset it is"
    if (doomed_by := mine.doomed_by) is not None:
        yield f"identity: job {doomed_by.job} has sent its handset to be destroyed"
    if (unclean_by := unclean_look(handsets)) is not None:
        yield f"identity: in job {unclean_by.job} a reader saw no unused chip in its handset"
    if (own_by := own_chip_by(handsets)) is not None:
        yield f"identity: job {own_by.job} tied another chip to its handset than was seen now"
    if (elsewhere := at_work_elsewhere(handsets, disputed=True)) is not None:
        yield f"identity: job {elsewhere.job} is at work on the same handset, or one of its number"
    for other in handsets.sharing_chip:
        if is_anothers_chip(other):
            yield f"identity: its chip was in another handset, in job {other.sightings[-1].job}"
    for pair in open_pairs(handsets):
        yield (
            f"identity: nobody has answered whether its handset is that of job {pair.by.job}"
            f" ({pair.debt}, {pair.handset.relation})"
        )
