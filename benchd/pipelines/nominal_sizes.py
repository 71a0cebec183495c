"""The sizes of storage that models are sold with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchd.words.handset import HandsetIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class NominalSizes:
    """What stood in the file when the daemon read it."""

    sizes: Mapping[tuple[str, str], Sequence[int]] = field(repr=False)
    """In bytes, by manufacturer and model as handsets say them."""
    sha256: str
    """Of the file, as hex: which table it was."""

    def of(self, identity: HandsetIdentity) -> Sequence[int]:
        """The sizes of this handset's model; empty where the table doesn't have it."""
        return self.sizes.get((identity.manufacturer, identity.model), ())
