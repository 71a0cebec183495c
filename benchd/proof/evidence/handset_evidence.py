"""What the handset said of itself: at inspection, at the gates, before and after its reset."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.domain.evidence_values import Number, Seconds, Sha256, Whole
from benchd.domain.handset import HandsetFacts, ResetFacts
from benchd.domain.job import Reason
from benchd.domain.screen import OpenedPage, ScreenOutcome
from benchd.proof.evidence.fresh_evidence import SignedPicture
from benchd.proof.evidence.intake_evidence import (
    DeferredGate,
    RequiredAttestation,
    WaivedGate,
)
from benchd.proof.evidence.people_evidence import DecisionEvidence

InspectEvidence = HandsetFacts
"""Stage `inspect`: the facts as they were read, each under its own name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchLookUp:
    """What became of looking the IMEI up in the dealer's list of wanted handsets."""

    sha256: str
    entries: Whole
    looked_up: str
    answer: DecisionEvidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatesEvidence:
    """Stage `gates`: what was let through, and what people attested."""

    minimum_battery_percent: Whole
    battery_percent: Whole
    accepted: tuple[Reason, ...]
    watch_list: WatchLookUp | None
    answers: tuple[DecisionEvidence, ...]
    screen_number: str | None = None
    """What a person read on the handset's own screen where adb told no IMEI."""
    second_number: str | None = None
    """The other IMEI that its screen showed, of one with two SIMs."""
    label_number: str | None = None
    """Which of the two the papers name of the asset whose label somebody scanned in this job."""
    nominal_bytes: Whole | None = None
    """The size that the storage is sold with; None where that isn't known of its model."""
    nominal_sizes_sha256: Sha256 | None = None
    """Which catalogue of models was looked into, if there was any."""
    doomed_by: tuple[str, ...] | None = None
    """Earlier jobs of this rack that sent the same handset, by its IMEIs, to be destroyed, and tags
    by which it was entered as not erasable; None in older forms, where nobody looked."""
    page: OpenedPage | None = None
    """What was opened on the handset for whoever had to read its number; it proves nothing."""
    settled: tuple[WaivedGate, ...] = ()
    """Gates at which nobody had to be asked; older forms asked at every one."""
    deferred: tuple[DeferredGate, ...] = ()
    """Gates that are left to the look at the chip."""
    required: tuple[RequiredAttestation, ...] = ()
    """What the recipe wants to be attested at intake: cited, and asked of nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialiseEvidence:
    """Stage `initialise`: the facts that only a reset changes, before and after it."""

    before: ResetFacts
    fresh_used_bytes: Whole
    fresh_used_share: Number = 1.0
    """The same as a share of the capacity; older forms knew none."""
    after: ResetFacts | None = None
    """None where the handset came in already reset."""
    method: str | None = None
    absent_s: Seconds | None = None
    pages: tuple[OpenedPage, ...] = ()
    """What was opened on the handset for whoever stood before it; it proves nothing."""
    setup: ScreenOutcome | None = None
    """Whether its first setup was left out after Test Harness Mode; None where nobody asked."""
    picture: SignedPicture | None = None
    """How this model looks when it is fresh, where somebody has taken that; it can only excuse."""

    @property
    def left(self) -> ResetFacts:
        """The handset as its reset left it, here or before it came in."""
        return self.after or self.before
