"""How a job goes and ends, and what it asks of people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Self, cast

from benchd.domain.chip import ChipOwners
from benchd.domain.people import Actor


class JobState(StrEnum):
    """Where one job stands."""

    RUNNING = "running"
    AWAITING_OPERATOR = "awaiting_operator"
    REPLUGGING = "replugging"
    ENDED = "ended"


class Outcome(StrEnum):
    """How a job or an attempt ended. There is no default."""

    PASSED = "passed"
    FAILED = "failed"
    ABORTED = "aborted"
    INTERRUPTED = "interrupted"
    SKIPPED = "skipped"


class Disposition(StrEnum):
    """Where the handset goes."""

    SELLABLE = "sellable"
    RETURN = "return"
    HOLD = "hold"
    DESTROY = "destroy"


class Reason(StrEnum):
    """Why a handset isn't sellable: a closed list, each with a default disposition."""

    LOCKED = "locked"
    OTHER_USER = "other_user"
    MANAGED_DEVICE = "managed_device"
    REMOVABLE_MEDIA = "removable_media"
    WATCH_LISTED = "watch_listed"
    SYSTEM_MODIFIED = "system_modified"
    SYSTEM_SUSPECT = "system_suspect"
    SIM_PRESENT = "sim_present"
    STORAGE_FAULT = "storage_fault"
    STORAGE_CONTRADICTS = "storage_contradicts"
    CAPACITY_BELOW_NOMINAL = "capacity_below_nominal"
    CAPACITY_ABOVE_NOMINAL = "capacity_above_nominal"
    COVERAGE_TOO_LOW = "coverage_too_low"
    STORAGE_QUOTA = "storage_quota"
    STORAGE_UNENCRYPTED = "storage_unencrypted"
    RESET_NOT_PROVEN = "reset_not_proven"
    FINAL_RESET_NOT_PROVEN = "final_reset_not_proven"
    HANDSET_STALLED = "handset_stalled"
    HANDSET_LOST = "handset_lost"
    HANDSET_CHANGED = "handset_changed"
    HANDSET_NOT_RETURNED = "handset_not_returned"
    HANDSET_NOT_BOUND = "handset_not_bound"
    ANSWER_NOT_RECOGNISED = "answer_not_recognised"
    UNSUPPORTED_MODEL = "unsupported_model"
    LOW_BATTERY = "low_battery"
    CONSENT_MISSING = "consent_missing"
    JPKI_NOT_ATTESTED = "jpki_not_attested"
    IDENTITY_NOT_ATTESTED = "identity_not_attested"
    ERASURE_NOT_ATTESTED = "erasure_not_attested"
    NETWORK_RESTRICTED = "network_restricted"
    FELICA_RESIDUE = "felica_residue"
    FELICA_NOT_CLEARABLE = "felica_not_clearable"
    FELICA_NOT_ERASED = "felica_not_erased"
    FELICA_SILENT = "felica_silent"
    FELICA_RETIRED = "felica_retired"
    FELICA_INCONSISTENT = "felica_inconsistent"
    FELICA_UNREADABLE = "felica_unreadable"
    FELICA_NOT_ATTESTED = "felica_not_attested"
    NOT_CONFIRMED = "not_confirmed"
    UNANSWERED = "unanswered"
    OPERATOR_STOPPED = "operator_stopped"
    STAGE_DEADLINE = "stage_deadline"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    PROOF_INCOMPLETE = "proof_incomplete"
    RECORD_REFUSED = "record_refused"
    RECORD_BROKEN = "record_broken"
    UNPLUGGED = "unplugged"
    DAEMON_STOPPED = "daemon_stopped"
    SLOT_RECONFIGURED = "slot_reconfigured"
    NOT_AS_RESET = "not_as_reset"
    OVERWRITE_DUE = "overwrite_due"
    ASSESSED = "assessed"
    RECHECKED = "rechecked"
    RECYCLED = "recycled"
    RECHECK_DUE = "recheck_due"
    DESTROY_STANDS = "destroy_stands"
    IDENTITY_UNSETTLED = "identity_unsettled"
    READER_LOOK_STANDS = "reader_look_stands"
    DOOMED_ELSEWHERE = "doomed_elsewhere"
    HELD_ELSEWHERE = "held_elsewhere"
    RECHECK_OWED_ELSEWHERE = "recheck_owed_elsewhere"
    RUNNING_ELSEWHERE = "running_elsewhere"
    LISTED_AT_CENTRE = "listed_at_centre"
    CHIP_SEEN_ELSEWHERE = "chip_seen_elsewhere"
    OTHER_RACKS_NOT_ASKED = "other_racks_not_asked"
    INTERNAL_ERROR = "internal_error"


DISPOSITION_OF: Mapping[Reason, Disposition] = MappingProxyType(
    {
        **dict.fromkeys(Reason, Disposition.HOLD),
        Reason.MANAGED_DEVICE: Disposition.RETURN,
        Reason.SYSTEM_MODIFIED: Disposition.DESTROY,
        Reason.STORAGE_FAULT: Disposition.DESTROY,
        Reason.FELICA_RESIDUE: Disposition.DESTROY,
        Reason.FELICA_NOT_CLEARABLE: Disposition.DESTROY,
        Reason.FELICA_RETIRED: Disposition.DESTROY,
        Reason.RECYCLED: Disposition.DESTROY,
        Reason.DESTROY_STANDS: Disposition.DESTROY,
    }
)
"""The trade's defaults: crushed where data may stay for good, held where a person can still act."""


LEFT_IN_CHIP = (Reason.FELICA_RESIDUE, Reason.FELICA_NOT_CLEARABLE, Reason.FELICA_NOT_ERASED)
"""Ends by which the chip was in use, whatever the looks at it have said."""

ENDS_WITHOUT_ERASURE = (
    Reason.OVERWRITE_DUE,
    Reason.ASSESSED,
    Reason.RECHECKED,
    Reason.RECYCLED,
)
"""How a job may end that has passed but proves no erasure; its recipe names one of them."""

ELSEWHERE = (
    Reason.DOOMED_ELSEWHERE,
    Reason.HELD_ELSEWHERE,
    Reason.RECHECK_OWED_ELSEWHERE,
    Reason.RUNNING_ELSEWHERE,
    Reason.LISTED_AT_CENTRE,
    Reason.CHIP_SEEN_ELSEWHERE,
    Reason.OTHER_RACKS_NOT_ASKED,
)
"""How a job ends by what the fleet's centre says, or by its silence: nothing of the handset's own,
so that it holds nothing on any other rack."""


class FaultCode(StrEnum):
    """Why an attempt ended without ending its job, as records, metrics and texts have it."""

    ADB_SERVER_LOST = "adb_server_lost"
    READER_GONE = "reader_gone"
    HANDSET_GONE = "HandsetGone"
    TRANSIENT_FAULT = "TransientFault"
    READER_FAULT = "ReaderFault"
    PROGRAM_BUSY = "ProgramBusy"


class Gate(StrEnum):
    """A question that only a person answers."""

    CONSENT = "consent"
    JPKI = "jpki"
    NETWORK = "network"
    WATCH_LIST = "watch_list"
    LOCK_ADMIN = "lock_admin"
    IMEI = "imei"
    SERIAL = "serial"
    FELICA_CHECK = "felica_check"
    FELICA_NO_CHIP = "felica_no_chip"
    FELICA_RETIRED = "felica_retired"
    FELICA_ERASE = "felica_erase"
    FELICA_CLEAR = "felica_clear"
    FELICA_RECHECK = "felica_recheck"
    FELICA_ATTEST = "felica_attest"
    CHIP_SEEN_BEFORE = "chip_seen_before"
    DESTROYED_BEFORE = "destroyed_before"
    SAME_HANDSET = "same_handset"
    SAME_HANDSET_HELD = "same_handset_held"
    GUIDED_RESET = "guided_reset"
    FINAL_RESET = "final_reset"
    OBSERVE = "observe"
    LOOK = "look"
    ASSESS = "assess"
    CONFIRM = "confirm"
    RECHECK = "recheck"
    RECHECK_CHIP = "recheck_chip"
    ASSET = "asset"


class Finding(StrEnum):
    """What the seller of a handset has to hear before the deal."""

    SYSTEM_MODIFIED = "system_modified"
    SYSTEM_SUSPECT = "system_suspect"
    MANAGED_DEVICE = "managed_device"
    LOCK_ADMIN = "lock_admin"
    LOCK_OR_ACCOUNT = "lock_or_account"
    OTHER_USER = "other_user"
    REMOVABLE_MEDIA = "removable_media"
    SIM = "sim"
    CHIP_IN_USE = "chip_in_use"
    CHIP_ERASABLE = "chip_erasable"
    CHIP_UNKNOWN = "chip_unknown"
    JPKI = "jpki"
    NOT_RESET = "not_reset"
    UNSEEN = "unseen"
    """Nobody could see whether it was reset."""
    OVERWRITE_UNKNOWN = "overwrite_unknown"
    """Whether it can be overwritten shows only once it's plugged in with adb."""


_STAGE_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_STAGE_NAMES: dict[str, StageName] = {}


class _Named:
    """Makes an attribute of `StageName` the stage of that name."""

    def __set_name__(self, owner: type[StageName], name: str) -> None:
        setattr(owner, name, owner(name.lower()))


def _named() -> StageName:
    return cast("StageName", _Named())


class StageName(str):
    """The name of a step that recipes are made of: one object per name, so that `is` holds.

    The attributes are those that others speak of. The list of all stages is that of the files in
    `benchd.pipelines.stages`, and only those names get into a recipe, a metric or the API. Raises
    ValueError for what can't be a name.
    """

    __slots__ = ()

    def __new__(cls, name: str) -> Self:
        """The one object of this name."""
        if name not in _STAGE_NAMES and not _STAGE_NAME.fullmatch(name):
            message = f"{name[:40]!r} can't be the name of a stage"
            raise ValueError(message)
        return cast("Self", _STAGE_NAMES.setdefault(name, super().__new__(cls, name)))

    INSPECT = _named()
    GATES = _named()
    FELICA_CHECK = _named()
    FELICA_ERASE = _named()
    INITIALISE = _named()
    OVERWRITE = _named()
    READ_BACK = _named()
    FELICA_CLEAR = _named()
    FELICA_RECHECK = _named()
    FINAL_RESET = _named()
    OBSERVE = _named()
    CONFIRM = _named()
    CERTIFY = _named()
    ASSESS = _named()
    LOOK = _named()
    FIND_DRAWN = _named()
    RECHECK = _named()
    CERTIFY_DRAWN = _named()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's answer at a gate."""

    gate: Gate
    approved: bool
    by: Actor
    note: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnd:
    """How a job ended; SELLABLE exists only together with a certificate."""

    outcome: Outcome
    disposition: Disposition
    reason: Reason | None
    detail: str = ""
    owners: ChipOwners | None = None
    """Whose services are left in the chip, if that is why it ended."""
    dossier: str | None = None
    """The name of the dossier that is kept of the handset."""
