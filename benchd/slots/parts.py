"""What every slot is given: the ports of the core and the rack's timing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from benchd.models.catalogue import ModelCatalogue
from benchd.pipelines.device_support import DeviceSupport
from benchd.pipelines.rack_readers import RackReaders
from benchd.pipelines.recipe import Recipe
from benchd.ports import (
    Board,
    CertificateIssuer,
    ChipAccess,
    Clock,
    Entropy,
    Intake,
    Keystream,
    Ledger,
)
from benchd.proof.evidence.fresh import FreshPictures
from benchd.slots.admission import Admission
from benchd.slots.desk import Desk
from benchd.slots.no_intake import NoIntake
from benchd.slots.pace import Pace
from benchd.slots.roll_call import RollCall
from benchd.words.ids import DeviceKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How patient the slots are, in seconds."""

    settle_s: float = 2.0
    """A handset may enumerate several times after a plug (charging, MTP, MTP with adb)."""
    settlement_s: float = 10.0
    """How long the last records of an occupancy may take when everything is being stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RackParts:
    """The ports of the core, wired once for all slots."""

    ledger: Ledger
    kinds: Mapping[DeviceKind, DeviceSupport]
    """The kinds of device that the rack knows."""
    chips: ChipAccess
    issuer: CertificateIssuer
    board: Board
    desk: Desk
    clock: Clock
    entropy: Entropy
    keystream: Keystream
    recipes: Mapping[str, Recipe]
    timing: Timing
    intake: Intake = field(default_factory=NoIntake)
    """Without one every gate asks."""
    admission: Admission = field(default_factory=Admission)
    models: ModelCatalogue = field(default_factory=ModelCatalogue)
    """Without one every model is unknown, which is all right."""
    pace: Pace = field(default_factory=Pace)
    """How long stages take on this rack."""
    readers: RackReaders = field(default_factory=RackReaders)
    """What the slots know of each other's contactless readers."""
    roll_call: RollCall = field(default_factory=RollCall)
    """Of the slots whose handsets a former daemon has known."""
    pictures: FreshPictures = field(default_factory=FreshPictures)
    """Without one the recipe's numbers hold."""
