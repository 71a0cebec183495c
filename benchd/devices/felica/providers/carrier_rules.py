"""Which provider clears the chip of which handset: the first rule that fits. No I/O."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from benchd.domain.handset import HandsetIdentity
from benchd.domain.ids import SlotName


class Carrier(StrEnum):
    """Who brought a handset to market, as far as its model number tells."""

    DOCOMO = "docomo"
    KDDI = "kddi"
    SOFTBANK = "softbank"
    OTHER = "other"
    """Sold without a carrier, or by one whose model numbers have no form of their own."""


_MODEL_NUMBERS: Final = (
    # SO-51B, SH-54C, F-51B, SC-51A, KY-51D, L-52A
    (Carrier.DOCOMO, re.compile(r"[A-Z]{1,2}-\d\d[A-Z]")),
    # SOG04, SHG03, SCG09, KYV48, SOV40, XIG01
    (Carrier.KDDI, re.compile(r"[A-Z]{2}[A-Z]\d\d")),
    # A101SH, A002SO, 803SH, 901FJ
    (Carrier.SOFTBANK, re.compile(r"A?\d{3}[A-Z]{2}")),
)
"""The carriers' own numbering of models, which every handset sold by them bears."""


def carrier_of(model: str) -> Carrier:
    """The carrier whose numbering a model number follows. Chooses a provider, decides nothing."""
    for carrier, form in _MODEL_NUMBERS:
        if form.fullmatch(model.strip().upper()):
            return carrier
    return Carrier.OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearRule:
    """Sends handsets that fit to a provider; what is None fits all."""

    provider: str
    carrier: Carrier | None = None
    brand: str | None = None
    """A manufacturer with `*` and `?` as in file names, in any case."""
    model: str | None = None
    """A model number, likewise."""
    slots: frozenset[SlotName] | None = None

    def fits(self, slot: SlotName, identity: HandsetIdentity) -> bool:
        """Whether this handset in this slot is meant."""
        return (
            (self.carrier is None or self.carrier is carrier_of(identity.model))
            and _matches(self.brand, identity.manufacturer)
            and _matches(self.model, identity.model)
            and (self.slots is None or slot in self.slots)
        )


def choose(rules: Sequence[ClearRule], slot: SlotName, identity: HandsetIdentity) -> str | None:
    """The provider of the first rule that fits; None where none does."""
    return next((rule.provider for rule in rules if rule.fits(slot, identity)), None)


def _matches(pattern: str | None, text: str) -> bool:
    return pattern is None or fnmatchcase(text.lower(), pattern.lower())
