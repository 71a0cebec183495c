"""The [felica] table and the reader of a slot: their keys, and what each key allows."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from benchd.config.config_values import LocalPath, OneLine, Section, slot_name
from benchd.config.mistake_wording import found, refused
from benchd.devices.felica.providers.carrier_rules import Carrier, ClearRule
from benchd.devices.felica.reader_settings import DEFAULT_PCSCD
from benchd.devices.felica.readers.reader_assignment import USB
from benchd.domain.ids import SlotName

_USB_PORT = re.compile(r"usb:\d+-\d+(?:\.\d+)*")
_PROVIDER_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")


def _reader(name: str) -> str:
    if name.startswith(USB) and not _USB_PORT.fullmatch(name):
        raise refused(f'found {found(name)}, allowed is a USB port like "usb:1-4.2.3"')
    return name


ReaderName = Annotated[OneLine, AfterValidator(_reader)]


def _provider_name(name: str) -> str:
    if not _PROVIDER_NAME.fullmatch(name):
        raise refused(
            f"found {found(name)}, allowed as a provider's name are"
            " 1 to 32 letters A-Z a-z, digits, _ and -"
        )
    return name


ProviderName = Annotated[str, AfterValidator(_provider_name)]


class ProviderTable(Section):
    """One provider; which other keys it has is the matter of its kind."""

    model_config = ConfigDict(extra="allow")

    kind: str


class ClearTable(Section):
    """One rule: which handsets go to which provider."""

    provider: str
    carrier: Annotated[Carrier, Field(strict=False)] | None = None
    brand: OneLine | None = None
    model: OneLine | None = None
    slots: list[Annotated[SlotName, AfterValidator(slot_name)]] | None = None

    def as_rule(self) -> ClearRule:
        """The same without pydantic."""
        return ClearRule(
            provider=self.provider,
            carrier=self.carrier,
            brand=self.brand,
            model=self.model,
            slots=None if self.slots is None else frozenset(self.slots),
        )


class FelicaSection(Section):
    """Readers' services, pictures of unused chips, and who clears."""

    pcscd: list[LocalPath] = Field(default_factory=lambda: [DEFAULT_PCSCD], min_length=1)
    baselines: list[LocalPath] = Field(default_factory=list[Path])
    accept_simulated: bool = False
    providers: dict[ProviderName, ProviderTable] = Field(default_factory=dict[str, ProviderTable])
    clear: list[ClearTable] = Field(default_factory=list[ClearTable])
