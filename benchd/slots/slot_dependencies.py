"""What every slot is given: the ports of the core, the rack's timing, and what it is to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import anyio

from benchd.domain.chip import ChipScan
from benchd.domain.clear_provider import ClearClaim, ClearOrder, ClearOutcome
from benchd.domain.errors import NotFound, ReaderGone
from benchd.domain.ids import DeviceKind, JobId, SlotName
from benchd.domain.intake import TimeDoubt
from benchd.domain.job import Reason
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.ports import Board, ChipAccess, Clock, Entropy, Keystream, Ledger, OtherRacks
from benchd.domain.topology import SlotPlace, Timing
from benchd.pipelines.device_support import DeviceSupport
from benchd.pipelines.rack_readers import RackReaders
from benchd.pipelines.recipe import Recipe
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.fresh_evidence import FreshPictures
from benchd.proof.evidence.intake_evidence import BoundRecord
from benchd.proof.intake_book import IntakeBook
from benchd.proof.ports import CertificateIssuer, Intake
from benchd.slots.admission import Admission, RollCall
from benchd.slots.question_desk import Desk
from benchd.slots.time_remaining import Pace


class NoIntake:
    """Implements `benchd.proof.ports.Intake` over nothing: every handset is nobody's asset."""

    def __init__(self) -> None:
        self.book = IntakeBook()

    def time_basis(self) -> TimeBasis | TimeDoubt:
        """There is nothing to cite."""
        return TimeDoubt.TIME_UNCONFIRMED

    async def changed(self) -> None:
        """Never returns: nothing changes."""
        await anyio.sleep_forever()

    async def bind(self, told: BoundRecord, *, job: JobId, slot: SlotName) -> None:  # noqa: ARG002
        """Raises NotFound: there is nothing to bind to."""
        raise NotFound(f"there is no asset {told.tag}")


class NoReaders:
    """`benchd.domain.ports.ChipAccess` without readers: chips are the operators' to look at."""

    def reader(self, slot: SlotName) -> str | None:  # noqa: ARG002 - the port's signature
        """No slot has one."""
        return None

    async def scan(self, slot: SlotName, *, passes: int, power_cycle: bool) -> ChipScan:  # noqa: ARG002
        """Raises ReaderGone: there is nothing to scan with."""
        raise ReaderGone(f"slot {slot} has no reader")

    async def until_there(self, slot: SlotName) -> None:
        """Raises ReaderGone: there is nothing to wait for."""
        raise ReaderGone(f"slot {slot} has no reader")

    async def field_off(self, slot: SlotName) -> None:
        """There is none."""

    async def clear(self, order: ClearOrder) -> ClearClaim:  # noqa: ARG002
        """A person's hand is all there is."""
        return ClearClaim(
            provider="operator",
            outcome=ClearOutcome.NEEDS_OPERATOR,
            detail="no provider is configured",
        )


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
    other_racks: OtherRacks | None = None
    """Without a centre nobody else is asked."""


@dataclass(slots=True, kw_only=True)
class Assignment:
    """What a slot is to do, which a new configuration changes while an occupancy goes on.

    Read at the moment when it matters: at the start of a job, and when the slot is ended.
    """

    place: SlotPlace
    recipes: Mapping[str, Recipe]
    stop_reason: Reason = Reason.DAEMON_STOPPED
    """Why a job that is cut short with the slot has ended."""

    @property
    def recipe(self) -> Recipe:
        """The recipe of the next job."""
        return self.recipes[self.place.recipe]
