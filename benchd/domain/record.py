"""What the ledger holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from benchd.domain.ids import Evidence, JobId, JsonValue, SlotName


class EntryKind(StrEnum):
    """What a ledger record tells."""

    @classmethod
    def read(cls, word: str) -> EntryKind:
        """The kind of this name.

        One that only a newer release knows keeps its name, and is none of these.
        """
        known = cls._value2member_map_.get(word)
        if isinstance(known, cls):
            return known
        unknown = str.__new__(cls, word)
        unknown._name_, unknown._value_ = word.upper(), word
        return unknown

    @property
    def is_known(self) -> bool:
        """Whether this release knows what such a record tells."""
        return self._value_ in type(self)._value2member_map_

    DAEMON_STARTED = "daemon_started"
    CONFIG_CHANGED = "config_changed"
    OCCUPANCY_OPENED = "occupancy_opened"
    ATTACHMENT_CHANGED = "attachment_changed"
    OCCUPANCY_CLOSED = "occupancy_closed"
    JOB_OPENED = "job_opened"
    STAGE_STARTED = "stage_started"
    STAGE_ENDED = "stage_ended"
    QUESTION_ASKED = "question_asked"
    DECISION = "decision"
    RECHECK_DRAWN = "recheck_drawn"
    OTHER_RACKS_ASKED = "other_racks_asked"
    """What the fleet's centre has answered of a handset, or that nobody has."""
    JOB_ENDED = "job_ended"
    HANDSET_SETTLED = "handset_settled"
    CLOCK_STEPPED = "clock_stepped"
    SLOT_QUARANTINED = "slot_quarantined"
    LEDGER_CHECKED = "ledger_checked"
    LEDGER_ANCHORED = "ledger_anchored"
    LEDGER_RESTORED = "ledger_restored"
    CHECKPOINT_RECEIVED = "checkpoint_received"
    """What the fleet's centre has signed: up to which record it has this ledger."""
    CENTRE_LACKED = "centre_lacked"
    """The centre hadn't all that it has signed for: an older state of it was put back."""
    KEY_ROTATED = "key_rotated"
    PERSON_CHANGED = "person_changed"
    PERSON_REFUSED = "person_refused"
    TOKEN_CHANGED = "token_changed"  # noqa: S105 - the name of a kind
    LOT_ADDED = "lot_added"
    ASSETS_ADDED = "assets_added"
    ASSET_STRUCK = "asset_struck"
    ATTESTED = "attested"
    ATTESTATION_WITHDRAWN = "attestation_withdrawn"
    NETWORK_LISTED = "network_listed"
    ASSET_BOUND = "asset_bound"
    ASSET_UNERASABLE = "asset_unerasable"
    ASSET_ASSESSED = "asset_assessed"
    TIME_CONFIRMED = "time_confirmed"
    HANDSET_GRADED = "handset_graded"
    """What a person says of how a handset looks and works; it has no job of its own either."""
    SHIPPED = "shipped"
    HOOK_BEGUN = "hook_begun"
    HOOK_ANSWERED = "hook_answered"
    """What another system has asked for; it has no job of its own, so that no proof rests on it."""


OF_INTAKE = (
    EntryKind.LOT_ADDED,
    EntryKind.ASSETS_ADDED,
    EntryKind.ASSET_STRUCK,
    EntryKind.ATTESTED,
    EntryKind.ATTESTATION_WITHDRAWN,
    EntryKind.NETWORK_LISTED,
    EntryKind.ASSET_BOUND,
    EntryKind.ASSET_UNERASABLE,
    EntryKind.ASSET_ASSESSED,
    EntryKind.TIME_CONFIRMED,
)
"""Records that tell of what came in, and by which time.

The ledger finds them without looking at all others.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record to be kept for ever."""

    kind: EntryKind
    at: datetime
    slot: SlotName | None = None
    occupancy: int | None = None
    job: JobId | None = None
    data: Evidence = field(default_factory=dict[str, JsonValue])


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEntry:
    """A record as the ledger holds it: its number and the hash that chains it to all before."""

    sequence: int
    entry: Entry
    hash_hex: str

    @property
    def place(self) -> Place:
        """Where it stands in the ledger."""
        return Place(sequence=self.sequence, hash=self.hash_hex)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A record of a ledger, by its number and hash; 0 stands for before its first."""

    sequence: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The ledger's word that a record is on disk."""

    sequence: int
    hash_hex: str
