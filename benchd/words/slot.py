"""What a slot does, and all that anybody is shown of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from benchd.words.chip import ChipOwners
from benchd.words.handset import HandsetIdentity
from benchd.words.ids import JobId, PortPath, SlotName
from benchd.words.job import Disposition, Gate, Outcome, Reason, StageName


class SlotState(StrEnum):
    """What a slot is doing, as the wall shows it."""

    EMPTY = "empty"
    SETTLING = "settling"
    WAITING = "waiting"
    RUNNING = "running"
    AWAITING_OPERATOR = "awaiting_operator"
    REPLUGGING = "replugging"
    FINISHED = "finished"
    QUARANTINED = "quarantined"


SLOT_MOVES: Mapping[SlotState, frozenset[SlotState]] = MappingProxyType(
    {
        SlotState.EMPTY: frozenset({SlotState.SETTLING}),
        SlotState.SETTLING: frozenset(
            {SlotState.EMPTY, SlotState.WAITING, SlotState.RUNNING, SlotState.FINISHED}
        ),
        SlotState.WAITING: frozenset(
            {SlotState.EMPTY, SlotState.SETTLING, SlotState.RUNNING, SlotState.FINISHED}
        ),
        SlotState.RUNNING: frozenset(
            {
                SlotState.AWAITING_OPERATOR,
                SlotState.REPLUGGING,
                SlotState.WAITING,
                SlotState.FINISHED,
                SlotState.EMPTY,
            }
        ),
        SlotState.AWAITING_OPERATOR: frozenset(
            {SlotState.RUNNING, SlotState.REPLUGGING, SlotState.FINISHED, SlotState.EMPTY}
        ),
        SlotState.REPLUGGING: frozenset(
            {SlotState.RUNNING, SlotState.AWAITING_OPERATOR, SlotState.FINISHED, SlotState.EMPTY}
        ),
        SlotState.FINISHED: frozenset({SlotState.EMPTY}),
        SlotState.QUARANTINED: frozenset({SlotState.EMPTY}),
    }
)
"""Allowed moves; every state may also go to QUARANTINED, which only an unplug leaves."""


class ProblemCode(StrEnum):
    """Why a slot can't go on now; goes away by itself when it's put right."""

    ADB_DISABLED = "adb_disabled"
    UNAUTHORIZED = "unauthorized"
    OFFLINE = "offline"
    WRONG_MODE = "wrong_mode"
    NO_PERMISSION = "no_permission"
    ADB_SERVER_DOWN = "adb_server_down"
    DAEMON_DRAINING = "daemon_draining"
    LEDGER_BROKEN = "ledger_broken"
    ANCHOR_UNREACHABLE = "anchor_unreachable"
    READER_GONE = "reader_gone"
    LOW_BATTERY = "low_battery"
    TOO_HOT = "too_hot"
    UNKNOWN_PORT = "unknown_port"
    SLOT_BROKEN = "slot_broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionView:
    """An open question of a slot."""

    gate: Gate
    facts: Mapping[str, str]
    """What the texts of the catalogue fill in, already bounded and printable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemView:
    """Why a slot can't go on now."""

    code: ProblemCode
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotView:
    """All that anybody is shown of one slot; None where nothing is known."""

    slot: SlotName
    port_path: PortPath
    state: SlotState = SlotState.EMPTY
    occupancy: int | None = None
    job: JobId | None = None
    recipe: str | None = None
    stage: StageName | None = None
    progress: float | None = None
    eta_s: float | None = None
    identity: HandsetIdentity | None = None
    problem: ProblemView | None = None
    question: QuestionView | None = None
    outcome: Outcome | None = None
    disposition: Disposition | None = None
    reason: Reason | None = None
    owners: ChipOwners | None = None
    """Whose services are left in the chip, if that is why the job ended."""
