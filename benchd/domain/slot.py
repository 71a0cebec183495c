"""What a slot does, and all that anybody is shown of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from benchd.domain.chip import ChipOwners
from benchd.domain.handset import HandsetIdentity
from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.people import PersonId
from benchd.domain.slot_states import NEEDS_A_PERSON, SlotState


class ProblemCode(StrEnum):
    """Why a slot can't go on now; goes away by itself when it's put right."""

    ADB_DISABLED = "adb_disabled"
    UNAUTHORIZED = "unauthorized"
    OFFLINE = "offline"
    WRONG_MODE = "wrong_mode"
    NO_PERMISSION = "no_permission"
    ADB_SERVER_DOWN = "adb_server_down"
    DAEMON_DRAINING = "daemon_draining"
    DAEMON_PAUSED = "daemon_paused"
    DISK_FULL = "disk_full"
    LEDGER_BROKEN = "ledger_broken"
    NO_ADMINISTRATOR = "no_administrator"
    CLOCK_UNSYNCHRONISED = "clock_unsynchronised"
    CLOCK_BEHIND = "clock_behind"
    TIME_UNCONFIRMED = "time_unconfirmed"
    WATCH_LIST_REFUSED = "watch_list_refused"
    ANCHOR_UNREACHABLE = "anchor_unreachable"
    PRINTER_FAULT = "printer_fault"
    HOOK_GAVE_UP = "hook_gave_up"
    HOOK_BEHIND = "hook_behind"
    READER_GONE = "reader_gone"
    LOW_BATTERY = "low_battery"
    TOO_HOT = "too_hot"
    SIM_PRESENT = "sim_present"
    PORT_FLAPS = "port_flaps"
    UNKNOWN_PORT = "unknown_port"
    SLOT_BROKEN = "slot_broken"
    SAME_HANDSET_ELSEWHERE = "same_handset_elsewhere"


MENDS_ITSELF = frozenset(
    {
        ProblemCode.OFFLINE,
        ProblemCode.ADB_SERVER_DOWN,
        ProblemCode.DAEMON_DRAINING,
        ProblemCode.DAEMON_PAUSED,
        ProblemCode.LOW_BATTERY,
        ProblemCode.TOO_HOT,
    }
)
"""What comes right without anybody: a handset that charges, cools or starts, a server that does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionView:
    """An open question of a slot."""

    gate: Gate
    facts: Mapping[str, str]
    """What the texts of the catalogue fill in, already bounded and printable."""
    asking: int = 0
    """Which asking it is: one job may ask the same gate again, of what has changed since."""
    answered_by: tuple[PersonId, ...] = ()
    """Who has answered in its job before: none of them may confirm it."""
    until: datetime | None = None
    """When its stage gives up waiting for the answer; None where nobody has said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemView:
    """Why a slot can't go on now."""

    code: ProblemCode
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


class Away(StrEnum):
    """Why a handset may be away from its port in the middle of its job."""

    RESTARTS = "restarts"
    """It was told to, or a person has begun its reset: nobody may pull it out."""
    CABLE_OUT = "cable_out"
    """Nobody wanted it: the job goes on if it is plugged in again in time."""
    IN_HAND = "in_hand"
    """A person works on it beside the rack and has to bring it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AwayView:
    """A handset that may be away just now."""

    why: Away
    until: datetime | None = None
    """When the job ends without it; None while it hasn't left yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferView:
    """How far an overwrite or a read-back is, and how fast."""

    bytes_done: int
    bytes_per_s: float
    """Between the last two reports."""
    battery_c: float | None = None
    """How warm its battery was at the last look; None before the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressView:
    """How far a stage is."""

    fraction: float
    """0 to 1."""
    eta_s: float | None = None
    """Seconds left, if they can be told."""
    transfer: TransferView | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierEnd:
    """How the last job of the same handset, by its IMEI, has ended on this rack."""

    job: JobId
    at: datetime
    disposition: Disposition
    reason: Reason | None
    doomed: bool
    """Whether any of its jobs, not only the last, has sent it to be destroyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectedView:
    """What other systems have asked for a handset, as far as it counts."""

    held_by: str | None = None
    """The hook whose answer holds it back: it goes on no sale, whatever its job has ended with."""
    place: str | None = None
    """The bin that it is to be put into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotView:
    """All that anybody is shown of one slot; None where nothing is known."""

    slot: SlotName
    port_path: PortPath
    state: SlotState = SlotState.EMPTY
    since: datetime | None = None
    """Since when it is in this state, for this problem, this question or this stage."""
    occupancy: int | None = None
    job: JobId | None = None
    last_job: JobId | None = None
    """Of an empty slot: the job of the handset that was in it last."""
    recipe: str | None = None
    """The job's; of a slot without one, that of its next job."""
    stage: StageName | None = None
    progress: float | None = None
    eta_s: float | None = None
    """Seconds until the stage is done."""
    transfer: TransferView | None = None
    handset_left_s: float | None = None
    """Seconds that machines still need for the whole job; what people take isn't in it."""
    away: AwayView | None = None
    identity: HandsetIdentity | None = None
    model_name: str | None = None
    """What its model is sold as; None where the catalogue of models doesn't have it."""
    problem: ProblemView | None = None
    question: QuestionView | None = None
    outcome: Outcome | None = None
    disposition: Disposition | None = None
    reason: Reason | None = None
    owners: ChipOwners | None = None
    """Whose services are left in the chip, if that is why the job ended."""
    earlier: EarlierEnd | None = None
    """What happened to it last time; None where it wasn't here, or tells no IMEI."""
    dossier: str | None = None
    """The name of the dossier that the rack keeps of a handset whose inspection failed."""
    directed: DirectedView | None = None

    @property
    def mends_itself(self) -> bool:
        """Whether it waits for what comes right without anybody."""
        if self.problem is not None:
            return self.state is SlotState.WAITING and self.problem.code in MENDS_ITSELF
        return self.away is not None and self.away.why is Away.RESTARTS

    @property
    def is_passed_look(self) -> bool:
        """Whether it shows a re-check before a sale that found nothing, and certifies nothing."""
        passed = self.state is SlotState.FINISHED and self.outcome is Outcome.PASSED
        return passed and self.reason is Reason.RECHECKED

    @property
    def needs_a_person(self) -> bool:
        """Whether it goes on only once somebody has come."""
        if self.away is not None:
            return self.away.why is not Away.RESTARTS
        return self.state in NEEDS_A_PERSON and not self.mends_itself
