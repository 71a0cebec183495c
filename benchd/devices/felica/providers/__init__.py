"""Providers that clear FeliCa chips: the interface for plug-ins. See docs/clear-providers.md."""

from benchd.devices.felica.providers.carrier_rules import Carrier, ClearRule, carrier_of
from benchd.devices.felica.providers.kinds import (
    ENTRY_POINTS,
    OptionRefused,
    ProviderFactory,
    known_kinds,
)
from benchd.domain.clear_provider import (
    ClearCapabilities,
    ClearClaim,
    ClearMethod,
    ClearOrder,
    ClearOutcome,
)
from benchd.domain.handset import HandsetIdentity
from benchd.domain.ports import ClearProvider

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
