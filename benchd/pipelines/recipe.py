"""Recipes as values: the dealer's policy, read from configuration."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile

from benchd.domain.ids import ANDROID, DeviceKind
from benchd.domain.job import Reason, StageName
from benchd.pipelines.stage_contract import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSpec:
    """One step: the stage with its parameters, and how long and how often it may try."""

    stage: Stage
    deadline_s: float
    attempts: int

    @property
    def name(self) -> StageName:
        """The stage's own name."""
        return self.stage.describes.name

    @property
    def destructive(self) -> bool:
        """Whether the stage changes what is on the handset."""
        return self.stage.describes.destructive


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A named, ordered list of stages."""

    name: str
    digest: str
    """SHA-256 of the recipe's file as hex: the certificate names the policy that was followed."""
    stages: tuple[StageSpec, ...]
    ends_as: Reason = Reason.OVERWRITE_DUE
    """How a job ends that has passed without a certificate: why it still isn't sellable."""
    needs_access: bool = True
    """Whether a job waits until its device can be worked with; one that touches nothing doesn't."""
    kind: DeviceKind = ANDROID
    """The kind of device that it is for."""
    good_for_days: float | None = None
    """How old a look before the sale may be for its handset to go out; None: it's no such look."""
    holds_unasked: bool = False
    """Whether a handset is held where the fleet's centre can't be asked about it."""
    recheck_share: float = 0.0
    """The share of handsets that is drawn for an independent recheck, 0 to 1."""

    @property
    def certifies(self) -> bool:
        """Whether it ends in a certificate."""
        return any(spec.name is StageName.CERTIFY for spec in self.stages)

    @property
    def checks_chip_first(self) -> bool:
        """Whether the chip is looked at after the gates and before anything is destroyed."""
        before = list(takewhile(lambda spec: not spec.destructive, self.stages))
        names = [spec.name for spec in before]
        after = names[names.index(StageName.GATES) :] if StageName.GATES in names else []
        return StageName.FELICA_CHECK in after
