"""What one source tells of a handset: a job's records, an asset's papers, a line of a list."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from benchd.proof.identity.placeholder_serials import is_filler


class Join(StrEnum):
    """Something that two sources share."""

    IMEI = "imei"
    CHIP = "chip"
    SERIAL = "serial"
    LABEL = "label"
    """The same tag of one lot, scanned both times; it can be on another handset."""


class Clash(StrEnum):
    """Something in which two sources contradict each other."""

    SERIAL = "serial"
    MODEL = "model"
    CHIP = "chip"
    """Each was tied to another chip."""
    IMEI = "imei"
    """Under one serial or chip: all numbers of both are proven, and they share none."""


class Relation(StrEnum):
    """Whether two sources are of one handset."""

    CERTAIN = "certain"
    MAY_BE = "may_be"
    DISPUTE = "dispute"
    """Something says so, and something contradicts it."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """All that one source tells of which handset it is. What it doesn't tell is None or empty."""

    imeis: frozenset[str] = field(default=frozenset(), repr=False)
    proven: frozenset[str] = field(default=frozenset(), repr=False)
    """Those of them that don't rest on one person's one look: told over adb, read twice by two
    people, or equal to the papers of the asset whose label was scanned."""
    is_full: bool = False
    """Whether these are all of its numbers, and each is proven."""
    serial: str | None = field(default=None, repr=False)
    model: str | None = None
    """Maker and model, spelled as the handset does; None for papers, which spell them freely."""
    chips: frozenset[str] = field(default=frozenset(), repr=False)
    """Every chip that a reader saw with it, as hashes."""
    tied_chip: str | None = field(default=None, repr=False)
    chip_secret: str | None = None
    """What that is hashed with, where there is more than one such secret: of two chips under two
    nobody can say whether they are one."""
    label: tuple[str, str] | None = None
    """Lot and tag, where somebody scanned its label."""
    refused: frozenset[str] = field(default=frozenset(), repr=False)
    """Those of its IMEIs at which it ended, as another handset's: they make nothing certain."""
    reads_differ: bool = False
    """Whether a number was read after its last reset for which it takes no SIM: it may have been
    swapped by then, and what a machine was told before tells nothing of that number."""
    is_paper: bool = False
    """Papers and lists: their numbers count as they are, and their serial may be of a box."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Whether two sources are of one handset, and by what."""

    relation: Relation
    joins: frozenset[Join] = frozenset()
    clashes: frozenset[Clash] = frozenset()


SharedSerials = Collection[tuple[str | None, str]]
"""Models with a serial that is known to be on two handsets: it neither joins nor contradicts."""
NOTHING_SHARED = Comparison(relation=Relation.NONE)


def compare(mine: Traits, other: Traits, shared_serials: SharedSerials = ()) -> Comparison:
    """Whether both are of one handset; the same whichever comes first."""
    joins = frozenset(_joins(mine, other, shared_serials))
    if not joins:
        return NOTHING_SHARED
    clashes = frozenset(_clashes(mine, other, joins, shared_serials))
    return Comparison(relation=_relation(mine, other, joins, clashes), joins=joins, clashes=clashes)


def _relation(
    mine: Traits, other: Traits, joins: frozenset[Join], clashes: frozenset[Clash]
) -> Relation:
    if clashes:
        return Relation.DISPUTE
    if mine.proven & other.proven:
        return Relation.CERTAIN
    # Read by one person on either side, and borne out by what a machine was told both times.
    borne_out = joins & {Join.SERIAL, Join.CHIP} and not (mine.reads_differ or other.reads_differ)
    if borne_out and (mine.imeis - mine.refused) & (other.imeis - other.refused):
        return Relation.CERTAIN
    if mine.tied_chip is not None and mine.tied_chip == other.tied_chip:
        return Relation.CERTAIN
    return Relation.MAY_BE


def _joins(mine: Traits, other: Traits, shared_serials: SharedSerials) -> Iterator[Join]:
    if mine.imeis & other.imeis:
        yield Join.IMEI
    if mine.chips & other.chips:
        yield Join.CHIP
    serials = {_reported_serial(mine, shared_serials), _reported_serial(other, shared_serials)}
    if len(serials) == 1 and None not in serials and not _models_differ(mine, other):
        yield Join.SERIAL
    if mine.label is not None and mine.label == other.label:
        yield Join.LABEL


def _clashes(
    mine: Traits, other: Traits, joins: frozenset[Join], shared_serials: SharedSerials
) -> Iterator[Clash]:
    of_papers = (mine.is_paper or other.is_paper) and Join.IMEI in joins
    for clash in contradictions(mine, other, shared_serials):
        if not (of_papers and clash is Clash.SERIAL):
            yield clash
    by_things = joins & {Join.CHIP, Join.SERIAL}
    if by_things and mine.is_full and other.is_full and mine.proven.isdisjoint(other.proven):
        yield Clash.IMEI


def contradictions(
    mine: Traits, other: Traits, shared_serials: SharedSerials = ()
) -> frozenset[Clash]:
    """In what two sources contradict each other, whether or not they share anything."""
    found: set[Clash] = set()
    serials = {_reported_serial(mine, shared_serials), _reported_serial(other, shared_serials)}
    if len(serials) == 2 and None not in serials:
        found.add(Clash.SERIAL)
    if _models_differ(mine, other):
        found.add(Clash.MODEL)
    tied = {mine.tied_chip, other.tied_chip}
    if len(tied) == 2 and None not in tied and mine.chip_secret == other.chip_secret:
        found.add(Clash.CHIP)
    return frozenset(found)


def _models_differ(mine: Traits, other: Traits) -> bool:
    return None not in (mine.model, other.model) and mine.model != other.model


def _reported_serial(traits: Traits, shared_serials: SharedSerials) -> str | None:
    serial = traits.serial
    if serial is None or is_filler(serial) or (traits.model, serial) in shared_serials:
        return None
    return serial
