"""The configuration as frozen values: what the daemon is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchd.config.config_sections import (
    AdbSettings,
    CertificateSettings,
    ClockSettings,
    DossierSettings,
    LedgerSettings,
    PeopleSettings,
    SiteSettings,
    TokenSettings,
)
from benchd.config.fleet_section import FleetSection
from benchd.config.hooks_section import HookSection
from benchd.config.http_section import HttpSettings
from benchd.config.recipes import RecipeDescription
from benchd.config.traces_section import TracesSection
from benchd.devices.felica.reader_settings import FelicaSettings
from benchd.domain.errors import ConfigIssue
from benchd.domain.grade import RMJ, GradeScale
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.printer import Printer
from benchd.domain.topology import Timing, Topology
from benchd.domain.wall_plan import WallPlan
from benchd.pipelines.recipe import Recipe
from benchd.proof.evidence.fresh_evidence import SignedPicture


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A configuration without a mistake; every path in it is absolute."""

    site: SiteSettings
    adb: AdbSettings
    ledger: LedgerSettings
    certificate: CertificateSettings
    clock: ClockSettings
    dossiers: DossierSettings
    http: HttpSettings
    people: PeopleSettings
    tokens: TokenSettings
    topology: Topology
    recipes: Mapping[str, Recipe]
    recipe_descriptions: Mapping[str, RecipeDescription]
    models: ModelCatalogue
    fresh_folder: Path
    fresh_pictures: tuple[SignedPicture, ...]
    """As they lie there: the daemon believes those that its own key has signed."""
    felica: FelicaSettings
    provider_options: str
    """[felica.providers] as it is written: what makes a provider can't be compared."""
    timing: Timing
    wall: WallPlan
    """Where the screens show each slot of the topology."""
    grades: GradeScale = RMJ
    """Which grades people may give handsets."""
    printers: tuple[Printer, ...] = ()
    """What prints labels; nothing is printed without."""
    hooks: tuple[HookSection, ...] = ()
    """Which other systems hear of jobs."""
    traces: TracesSection = field(default_factory=TracesSection)
    fleet: FleetSection = field(default_factory=FleetSection)
    """Which collector hears where their time went."""
    retired: tuple[ConfigIssue, ...] = ()
    """Keys of older configurations that have no effect any more, with what to do about them."""
