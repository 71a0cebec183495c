"""What a look at a FeliCa chip put on record, and what a clear provider claimed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchd.domain.chip import (
    BaselineKind,
    ChipOwners,
    ChipScan,
    ChipSystem,
    ChipVerdict,
    ModelFelica,
)
from benchd.domain.clear_provider import ClearClaim, ClearOutcome
from benchd.domain.evidence_values import Seconds, Sha256, Whole
from benchd.domain.handset import NfcFacts, SilenceCause
from benchd.proof.evidence.intake_evidence import WaivedGate
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.floors import LEAST_LOOKS_AWAY

READER = "reader"
OPERATOR = "operator"
HANDSET = "handset"
"""Whose claim it is where a handset has erased its own chip, as a person says."""
SHOWN_OWNERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemEvidence:
    """One system of a chip: how many nodes, and which of them an unused chip doesn't have."""

    code: str
    node_count: Whole
    residue: tuple[str, ...]

    @classmethod
    def of(cls, system: ChipSystem) -> SystemEvidence:
        """The same without the names of nodes that are as they must be."""
        return cls(code=system.code, node_count=len(system.nodes), residue=system.residue)


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceEvidence:
    """What the handset said of its own radio while its chip was silent."""

    nfc_on: bool | None
    screen_on: bool | None
    screen_unlocked: bool | None
    silence_causes: tuple[SilenceCause, ...]

    @classmethod
    def of(cls, facts: NfcFacts) -> SilenceEvidence:
        """The facts with all that explains the silence."""
        return cls(
            nfc_on=facts.nfc_on,
            screen_on=facts.screen_on,
            screen_unlocked=facts.unlocked,
            silence_causes=facts.causes(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEvidence:
    """What the catalogue of models said of the handset's model, and which catalogue it was."""

    felica: ModelFelica
    sha256: Sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchEvidence:
    """What handset and reader told once the handset had been asked to switch its NFC."""

    nfc_on: bool | None
    """What it said last; unlike what was asked for, the reader didn't look."""
    seen: ChipVerdict | None = None
    chip: str | None = None
    passes: Whole = 0
    power_cycled: bool = False

    def with_scan(self, scan: ChipScan) -> SwitchEvidence:
        """The same with the reader's last look."""
        return replace(
            self,
            seen=scan.verdict,
            chip=scan.chip,
            passes=scan.passes,
            power_cycled=scan.power_cycled,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TieEvidence:
    """Whether a chip is silent and there as its handset's NFC is switched in a drawn order."""

    found_on: bool | None = None
    """What the handset said before; nothing is switched unless it's on."""
    pattern: tuple[bool, ...] = ()
    """Whether NFC was to be on at each step, as it was drawn for this attempt; empty where none
    was drawn."""
    steps: tuple[SwitchEvidence, ...] = ()
    """What was told and seen at each step, as far as it got."""
    heard_at: str | None = None
    """The slot whose reader was seen to follow this handset's NFC, where another's did."""
    put_back: bool | None = None
    """Whether it said in the end that it's on again; None where nothing was switched."""
    detail: str = ""
    """What went wrong, where something did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipEvidence:
    """Stages `felica_check` and `felica_recheck`: codes and counts, never what is in a chip."""

    source: str
    """Who looked: the slot's reader, or an operator at the handset's own screen."""
    verdict: ChipVerdict
    detail: str = ""
    chip: str | None = None
    fleet_chip: str | None = None
    """The same chip as all racks of its dealer hash it; None where they share no secret."""
    ic_type: str | None = None
    """PMm's second byte as two hex digits."""
    systems: tuple[SystemEvidence, ...] = ()
    polled: tuple[str, ...] = ()
    passes: Whole = 0
    power_cycled: bool = False
    baseline: str | None = None
    baseline_kind: BaselineKind | None = None
    baseline_sha256: Sha256 | None = None
    owners_en: tuple[str, ...] = ()
    owners_ja: tuple[str, ...] = ()
    reader: str = ""
    elapsed_s: Seconds = 0.0
    over_the_air: ChipVerdict | None = None
    """What the reader saw where the verdict is that there is no chip."""
    felica_capable: bool | None = None
    """What the handset said over adb of what runs a chip, where nothing answered at the check."""
    catalogue: CatalogueEvidence | None = None
    """What its model's entry says beside that; None where the chip answered, or nobody looked."""
    handset_says: SilenceEvidence | None = None
    answer: DecisionEvidence | None = None
    switched_on: SwitchEvidence | None = None
    """What handset and reader told once NFC, found off under a silent chip, was to be switched on;
    None where it wasn't found off."""
    tied: bool = False
    """Whether it was seen to be this handset's: silent with its NFC off, the same with it on."""
    tie: TieEvidence | None = None
    """The steps that showed it, or didn't; None where none were taken."""
    consent: DecisionEvidence | None = None
    """Who put on record that the owner agreed, where somebody was asked after this look."""
    settled: WaivedGate | None = None
    """Why nobody was asked, where the gates had left it to this look."""

    @classmethod
    def of(cls, scan: ChipScan) -> ChipEvidence:
        """A scan by the slot's reader."""
        return cls(
            source=READER,
            verdict=scan.verdict,
            detail=scan.detail,
            chip=scan.chip,
            fleet_chip=scan.fleet_chip,
            ic_type=None if scan.ic_type is None else f"{scan.ic_type:02X}",
            systems=tuple(map(SystemEvidence.of, scan.systems)),
            polled=scan.polled,
            passes=scan.passes,
            power_cycled=scan.power_cycled,
            baseline=scan.baseline,
            baseline_kind=scan.baseline_kind,
            baseline_sha256=scan.baseline_sha256,
            owners_en=scan.owners_en,
            owners_ja=scan.owners_ja,
            reader=scan.reader,
            elapsed_s=scan.elapsed_s,
        )

    @property
    def owners(self) -> ChipOwners | None:
        """Whose services were found; None where it knows of none."""
        if not self.owners_ja or not self.owners_en:
            return None
        return ChipOwners(
            ja="、".join(_shown(self.owners_ja)), en=", ".join(_shown(self.owners_en))
        )


def _shown(names: tuple[str, ...]) -> tuple[str, ...]:
    return names if len(names) <= SHOWN_OWNERS else (*names[:SHOWN_OWNERS], "…")


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayEvidence:
    """Looks at a reader whose handset had been carried away."""

    looks: Whole
    answers: Whole
    """How many of them the chip of the check has answered."""

    @property
    def is_of_another(self) -> bool:
        """Whether the chip has stayed on the reader without its slot's handset.

        One silence is enough to say that it was carried away too: a cable may be out long before
        the handset is lifted, and plugged in again after it was laid down.
        """
        return self.answers >= LEAST_LOOKS_AWAY and self.answers >= self.looks


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearEvidence:
    """Stage `felica_clear`: what somebody claims to have done; only the re-check decides."""

    provider: str
    claim: ClearOutcome
    detail: str
    report: str | None
    vendor_code: str | None
    elapsed_s: Seconds
    consent: str
    android_id: str | None = None
    """That of this job's reset; None where the recipe resets nothing."""
    asked_by: str | None = None
    """The provider that asked for a person's hand."""
    answer: DecisionEvidence | None = None
    absent_s: Seconds | None = None
    away: AwayEvidence | None = None
    """What the reader saw while the handset was in somebody's hand; None where nobody looked."""

    @classmethod
    def of(cls, claim: ClearClaim, *, consent: str, android_id: str | None) -> ClearEvidence:
        """The claim, with who agreed to it and which handset it was made for."""
        return cls(
            provider=claim.provider,
            claim=claim.outcome,
            detail=claim.detail,
            report=claim.report,
            vendor_code=claim.vendor_code,
            elapsed_s=claim.elapsed_s,
            consent=consent,
            android_id=android_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnEraseEvidence:
    """Stage `felica_erase`: what a person says that the handset itself did to its chip."""

    claim: ClearOutcome
    consent: str
    signed_in: bool
    """Whether somebody has to be signed in for it, by the catalogue of models."""
    catalogue_sha256: Sha256
    answers: tuple[DecisionEvidence, ...]
    """Each answer, the last of them the one that counts."""
    seen: ChipVerdict | None = None
    """What the reader saw after the last yes; None where none has looked."""
    chip: str | None = None
