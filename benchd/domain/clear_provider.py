"""What clear providers are told, and what they claim."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchd.domain.handset import HandsetIdentity
from benchd.domain.ids import JobId, SlotName


class ClearOutcome(StrEnum):
    """What a clear provider says became of its clear; a claim, whatever it is."""

    DONE = "done"
    ALREADY_INITIAL = "already_initial"
    UNSUPPORTED = "unsupported"
    NEEDS_OPERATOR = "needs_operator"
    RETRYABLE = "retryable"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearOrder:
    """What a clear provider is told: which handset, and who agreed to what is lost."""

    job: JobId
    slot: SlotName
    identity: HandsetIdentity
    consent: str
    """The name of the operator whose approval of the consent gate is on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearClaim:
    """What a clear provider says; only a scan decides."""

    provider: str
    """Its name in the configuration, empty where no provider fits the handset."""
    outcome: ClearOutcome
    detail: str
    """One bounded, printable line in English."""
    report: str | None = None
    """The number of the provider's own report."""
    vendor_code: str | None = None
    elapsed_s: float = 0.0


class ClearMethod(StrEnum):
    """By whose hand a provider clears."""

    TOOL = "tool"
    """A program on this machine does it all."""
    HANDSET = "handset"
    """The handset's own function."""
    PERSON = "person"
    """A kiosk, a shop: somebody carries the handset there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCapabilities:
    """What a clear provider can do for one handset, before it is asked to."""

    methods: frozenset[ClearMethod]
    """Empty where it can do nothing for this handset."""
    needs_network: bool
    needs_login: bool
    """Whether an account has to be signed in on the handset."""
    irreversible: bool
    max_s: float
    """It is aborted when it takes longer."""


CLAIMS: Final = (ClearOutcome.DONE, ClearOutcome.ALREADY_INITIAL)
