"""What one record of intake states of a lot's assets, and what it doesn't cover."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from benchd.proof.evidence.intake import Who, WithdrawnRecord
from benchd.words.intake import AttestationKind, LotId, Tag


@dataclass(slots=True)
class SentIn:
    """What other systems have put into a lot, in the order of the records that did.

    Kept once for the lot, however much is attested of it: a system would else make a rack
    remember, and look up, all of it for each attestation.
    """

    tags: list[Tag] = field(default_factory=list[Tag])
    sequences: list[int] = field(default_factory=list[int])
    times: list[datetime] = field(default_factory=list[datetime])
    last: dict[Tag, int] = field(default_factory=dict[Tag, int])
    """The record that put each of them in."""

    def add(self, tag: Tag, sequence: int, at: datetime) -> None:
        """One more, by a record after all those before."""
        self.tags.append(tag)
        self.sequences.append(sequence)
        self.times.append(at)
        self.last[tag] = sequence

    def came_after(self, tag: str, sequence: int) -> bool:
        """Whether it was put in by a later record than this."""
        return self.last.get(Tag(tag), 0) > sequence

    def after(self, sequence: int) -> range:
        """The places of those that were put in by later records than this."""
        return range(bisect_right(self.sequences, sequence), len(self.sequences))


@dataclass(frozen=True, slots=True, kw_only=True)
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
    withdrawn: list[WithdrawnRecord] = field(default_factory=list[WithdrawnRecord])
    sent_in: SentIn = field(default_factory=SentIn)
    """The lot's own: whoever attested the whole of it never knew of what came after."""

    @property
    def late(self) -> int:
        """How many assets systems have put into the lot since, which it doesn't cover."""
        return len(self.sent_in.after(self.sequence))

    def first_late(self, most: int) -> Sequence[Tag]:
        """So many of those."""
        return [self.sent_in.tags[place] for place in self.sent_in.after(self.sequence)[:most]]

    def had_exceptions(self, at: datetime) -> bool:
        """Whether there was anything then that it isn't about."""
        times = self.sent_in.times
        return bool(self.excepted) or any(
            times[place] <= at for place in self.sent_in.after(self.sequence)
        )

    def covers(self, kind: AttestationKind, tag: Tag) -> bool:
        """Whether it states this of this asset, and still does."""
        if kind not in self.kinds or not (self.tags is None or tag in self.tags):
            return False
        if tag in self.excepted or self.sent_in.came_after(tag, self.sequence):
            return False
        return not any(
            (not gone.kinds or kind in gone.kinds) and (not gone.tags or tag in gone.tags)
            for gone in self.withdrawn
        )
