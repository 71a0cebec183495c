"""What one record of intake states of a lot's assets, and which of them it is about.

What is attested of a whole lot covers the list that it named, by count and hash, and nothing that
came in later, whoever put it in (docs/adr/0059).
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from benchd.domain.ids import Evidence
from benchd.domain.intake import AttestationKind, LotId, Tag
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.evidence.intake_evidence import NamedList, Who, WithdrawnRecord


@dataclass(slots=True)
class CameIn:
    """What a lot has, in the order of the records that put it in.

    Kept once for the lot, however much is attested of it: an import would else make a rack
    remember, and look up, all of it for each attestation.
    """

    tags: list[Tag] = field(default_factory=list[Tag])
    sequences: list[int] = field(default_factory=list[int])
    """The record that put each of them in."""
    by_tag: dict[Tag, int] = field(default_factory=dict[Tag, int])
    """The same, by its tag."""
    ever: list[int] = field(default_factory=list[int])
    """The same of all that ever came in, those too whose line was struck since."""

    def add(self, tag: Tag, sequence: int) -> None:
        """One more, by a record after all those before."""
        self.tags.append(tag)
        self.sequences.append(sequence)
        self.ever.append(sequence)
        self.by_tag[tag] = sequence

    def strike(self, tag: Tag) -> None:
        """It was entered by mistake; under its tag another may come in."""
        place = self.tags.index(tag)
        del self.tags[place], self.sequences[place], self.by_tag[tag]

    def count(self, upto: int) -> int:
        """How many this record and those before it have put in, whatever was struck since."""
        return bisect_right(self.ever, upto)

    def after(self, upto: int) -> Sequence[Tag]:
        """Those that are in it and came in later."""
        return self.tags[bisect_right(self.sequences, upto) :]


@dataclass(slots=True, kw_only=True)
class Attestation:
    """What one record states, and what was withdrawn of it."""

    sequence: int
    hash_hex: str
    at: datetime
    by: Who
    lot: LotId
    kinds: frozenset[AttestationKind]
    tags: frozenset[str] | None
    excepted: frozenset[str]
    upto: int
    """The last record whose assets a whole lot had: its own, or that of the list it came with."""
    named: NamedList | None = None
    """The list of a whole lot; None while it hasn't come in."""
    withdrawn: list[WithdrawnRecord] = field(default_factory=list[WithdrawnRecord])
    came_in: CameIn = field(default_factory=CameIn)
    """The lot's own."""

    @property
    def assets(self) -> int:
        """How many assets the lot had that it is about."""
        return self.came_in.count(self.upto) if self.tags is None else len(self.tags)

    @property
    def late(self) -> int:
        """How many have come into the lot since, which it doesn't cover."""
        return len(self.came_in.after(self.upto))

    def first_late(self, most: int) -> Sequence[Tag]:
        """So many of those."""
        return self.came_in.after(self.upto)[:most]

    def had_exceptions(self, at: int) -> bool:
        """Whether there was anything in the lot by this record that it isn't about."""
        return bool(self.excepted) or self.came_in.count(at) > self.came_in.count(self.upto)

    def covers(self, kind: AttestationKind, tag: Tag) -> bool:
        """Whether it states this of this asset, and still does."""
        if kind not in self.kinds or tag in self.excepted:
            return False
        upto = self.upto if self.tags is None else self.sequence
        if not self._was_in(tag, upto) or (self.tags is not None and tag not in self.tags):
            return False
        return not any(
            (not gone.kinds or kind in gone.kinds) and (not gone.tags or tag in gone.tags)
            for gone in self.withdrawn
        )

    def _was_in(self, tag: Tag, upto: int) -> bool:
        """Whether it's the asset that had this tag then: a line that was struck had it before."""
        came = self.came_in.by_tag.get(tag)
        return came is not None and came <= upto


def named_list(tags: Iterable[str]) -> NamedList:
    """The list of these tags, whatever their order: how many, and a hash over all of them."""
    ordered = sorted(tags)
    data = json.dumps(ordered, ensure_ascii=False, separators=(",", ":")).encode()
    return NamedList(assets=len(ordered), tags_sha256=hashlib.sha256(data).hexdigest())


def list_of_lot(records: Iterable[StoredEntry], lot: LotId, upto: int) -> NamedList:
    """What a lot had by this record, by the ledger's own records of its imports.

    Parts of one that was never complete don't count, nor does a line that was struck.
    """
    parts: dict[object, list[tuple[object, list[str]]]] = {}
    tags: list[str] = []
    for record in records:
        data = record.entry.data
        if record.sequence > upto:
            break
        if record.entry.kind is EntryKind.ASSET_STRUCK and data.get("tag") in tags:
            tags.remove(str(data["tag"]))
        if record.entry.kind is not EntryKind.ASSETS_ADDED or data.get("lot") != lot:
            continue
        found = parts.setdefault(data.get("batch"), [])
        found.append((data.get("part"), list(_tags_in(record))))
        if [number for number, _ in found] == list(range(1, _whole(data.get("parts")) + 1)):
            tags += [tag for _, of_part in parts.pop(data.get("batch")) for tag in of_part]
    return named_list(tags)


def standing_lines(records: Sequence[StoredEntry]) -> Iterator[tuple[int, Evidence]]:
    """Each line that came in and wasn't struck later, with the number of its record."""
    struck: dict[object, int] = {
        record.entry.data.get("tag"): record.sequence
        for record in records
        if record.entry.kind is EntryKind.ASSET_STRUCK
    }
    for record in records:
        if record.entry.kind is EntryKind.ASSETS_ADDED:
            for line in asset_lines(record):
                if record.sequence > struck.get(line.get("tag"), 0):
                    yield record.sequence, line


def asset_lines(record: StoredEntry) -> Iterator[Evidence]:
    """The assets that a record of `assets_added` names, in its own words; none of any other."""
    lines = record.entry.data.get("assets")
    for line in lines if isinstance(lines, Sequence) and not isinstance(lines, str) else ():
        if isinstance(line, Mapping):
            yield line


def _tags_in(record: StoredEntry) -> Iterator[str]:
    return (tag for line in asset_lines(record) if isinstance(tag := line.get("tag"), str))


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
