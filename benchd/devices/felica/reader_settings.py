"""What the configuration says of readers and of clearing chips, as frozen values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from benchd.devices.felica.providers.carrier_rules import ClearRule
from benchd.domain.ids import SlotName
from benchd.domain.ports import ClearProvider

DEFAULT_PCSCD = Path("/run/pcscd/pcscd.comm")


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaSettings:
    """Readers, baselines and providers of one rack."""

    readers: Mapping[SlotName, str] = field(
        default_factory=lambda: MappingProxyType(dict[SlotName, str]())
    )
    """The reader of each slot that has one, as the configuration names it."""
    pcscd: tuple[Path, ...] = (DEFAULT_PCSCD,)
    """The socket of each pcscd."""
    baselines: tuple[Path, ...] = ()
    """Files beside the shipped ones."""
    providers: Mapping[str, Callable[[], ClearProvider]] = field(
        default_factory=lambda: MappingProxyType(dict[str, Callable[[], ClearProvider]]())
    )
    """What makes a provider for one clear, by its name."""
    rules: tuple[ClearRule, ...] = ()

    @property
    def is_used(self) -> bool:
        """Whether the rack has anything to do with chips at all."""
        return bool(self.readers or self.rules)
