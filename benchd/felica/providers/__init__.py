"""Providers that clear FeliCa chips: the interface for plug-ins. See docs/clear-providers.md."""

from benchd.felica.providers.kinds import ENTRY_POINTS, OptionRefused, ProviderFactory, known_kinds
from benchd.felica.providers.rules import Carrier, ClearRule, carrier_of
from benchd.ports import ClearProvider
from benchd.words.clear import ClearCapabilities, ClearClaim, ClearMethod, ClearOrder, ClearOutcome
from benchd.words.handset import HandsetIdentity

__all__ = [
    "ENTRY_POINTS",
    "Carrier",
    "ClearCapabilities",
    "ClearClaim",
    "ClearMethod",
    "ClearOrder",
    "ClearOutcome",
    "ClearProvider",
    "ClearRule",
    "HandsetIdentity",
    "OptionRefused",
    "ProviderFactory",
    "carrier_of",
    "known_kinds",
]
