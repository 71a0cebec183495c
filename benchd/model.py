"""The words of the rack as types: ids, enums with their allowed moves, and values. No I/O.

Every enum value is the lower-case word that the ledger, the API and the metrics use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NewType

JsonValue = None | bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"]
Evidence = Mapping[str, JsonValue]
"""What a stage saw, in JSON's own types, so that it is stored byte for byte as it was judged."""

SlotName = NewType("SlotName", str)
PortPath = NewType("PortPath", str)
"""udev's ID_PATH of a USB port, for example `pci-0000:03:00.0-usb-0:1.4.2`."""
AdbAddress = NewType("AdbAddress", str)
"""How adb names what is plugged into a port: `usb:1-1.4.2`, or `host:port` over TCP."""
JobId = NewType("JobId", str)
OperatorName = NewType("OperatorName", str)

TAIL_PREFIX = "tail-"
"""How the names of the fill files begin that take the last room."""

ADB_INTERFACE = "ff4201"
FASTBOOT_INTERFACE = "ff4203"
"""USB class, subclass and protocol that name a mode; source: AOSP adb.h and fastboot.h."""


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


class JobState(StrEnum):
    """Where one job stands."""

    RUNNING = "running"
    AWAITING_OPERATOR = "awaiting_operator"
    REPLUGGING = "replugging"
    ENDED = "ended"


JOB_MOVES: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        JobState.RUNNING: frozenset(
            {JobState.AWAITING_OPERATOR, JobState.REPLUGGING, JobState.ENDED}
        ),
        JobState.AWAITING_OPERATOR: frozenset(
            {JobState.RUNNING, JobState.REPLUGGING, JobState.ENDED}
        ),
        JobState.REPLUGGING: frozenset(
            {JobState.RUNNING, JobState.AWAITING_OPERATOR, JobState.ENDED}
        ),
        JobState.ENDED: frozenset(),
    }
)


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
    MANAGED_DEVICE = "managed_device"
    REMOVABLE_MEDIA = "removable_media"
    WATCH_LISTED = "watch_listed"
    SYSTEM_MODIFIED = "system_modified"
    STORAGE_FAULT = "storage_fault"
    COVERAGE_TOO_LOW = "coverage_too_low"
    STORAGE_UNENCRYPTED = "storage_unencrypted"
    RESET_NOT_PROVEN = "reset_not_proven"
    FINAL_RESET_NOT_PROVEN = "final_reset_not_proven"
    HANDSET_STALLED = "handset_stalled"
    HANDSET_LOST = "handset_lost"
    HANDSET_CHANGED = "handset_changed"
    HANDSET_NOT_RETURNED = "handset_not_returned"
    ANSWER_NOT_RECOGNISED = "answer_not_recognised"
    UNSUPPORTED_MODEL = "unsupported_model"
    LOW_BATTERY = "low_battery"
    CONSENT_MISSING = "consent_missing"
    JPKI_NOT_ATTESTED = "jpki_not_attested"
    NETWORK_RESTRICTED = "network_restricted"
    FELICA_RESIDUE = "felica_residue"
    FELICA_NOT_CLEARABLE = "felica_not_clearable"
    FELICA_SILENT = "felica_silent"
    FELICA_RETIRED = "felica_retired"
    FELICA_INCONSISTENT = "felica_inconsistent"
    FELICA_UNREADABLE = "felica_unreadable"
    FELICA_NOT_ATTESTED = "felica_not_attested"
    NOT_CONFIRMED = "not_confirmed"
    OPERATOR_STOPPED = "operator_stopped"
    STAGE_DEADLINE = "stage_deadline"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    PROOF_INCOMPLETE = "proof_incomplete"
    UNPLUGGED = "unplugged"
    DAEMON_STOPPED = "daemon_stopped"
    SLOT_RECONFIGURED = "slot_reconfigured"
    NOT_AS_RESET = "not_as_reset"
    OVERWRITE_DUE = "overwrite_due"
    ASSESSED = "assessed"
    RECHECKED = "rechecked"
    RECYCLED = "recycled"
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
    }
)
"""The trade's defaults: crushed where data may stay for good, held where a person can still act."""


ENDS_WITHOUT_ERASURE = (
    Reason.OVERWRITE_DUE,
    Reason.ASSESSED,
    Reason.RECHECKED,
    Reason.RECYCLED,
)
"""How a job may end that has passed but proves no erasure; its recipe names one of them."""


class ProblemCode(StrEnum):
    """Why a slot can't go on now; goes away by itself when it's put right."""

    ADB_DISABLED = "adb_disabled"
    UNAUTHORIZED = "unauthorized"
    OFFLINE = "offline"
    WRONG_MODE = "wrong_mode"
    NO_PERMISSION = "no_permission"
    ADB_SERVER_DOWN = "adb_server_down"
    DAEMON_DRAINING = "daemon_draining"
    READER_GONE = "reader_gone"
    LOW_BATTERY = "low_battery"
    TOO_HOT = "too_hot"
    UNKNOWN_PORT = "unknown_port"
    SLOT_BROKEN = "slot_broken"


class Gate(StrEnum):
    """A question that only a person answers."""

    CONSENT = "consent"
    JPKI = "jpki"
    NETWORK = "network"
    WATCH_LIST = "watch_list"
    FELICA_CHECK = "felica_check"
    FELICA_NO_CHIP = "felica_no_chip"
    FELICA_RETIRED = "felica_retired"
    FELICA_CLEAR = "felica_clear"
    FELICA_RECHECK = "felica_recheck"
    FELICA_ATTEST = "felica_attest"
    GUIDED_RESET = "guided_reset"
    FINAL_RESET = "final_reset"
    OBSERVE = "observe"
    LOOK = "look"
    ASSESS = "assess"
    CONFIRM = "confirm"


class Finding(StrEnum):
    """What the seller of a handset has to hear before the deal."""

    SYSTEM_MODIFIED = "system_modified"
    MANAGED_DEVICE = "managed_device"
    LOCK_OR_ACCOUNT = "lock_or_account"
    REMOVABLE_MEDIA = "removable_media"
    SIM = "sim"
    CHIP_IN_USE = "chip_in_use"
    CHIP_UNKNOWN = "chip_unknown"
    JPKI = "jpki"


class StageName(StrEnum):
    """The named steps that recipes are made of."""

    INSPECT = "inspect"
    GATES = "gates"
    FELICA_CHECK = "felica_check"
    INITIALISE = "initialise"
    OVERWRITE = "overwrite"
    READ_BACK = "read_back"
    FELICA_CLEAR = "felica_clear"
    FELICA_RECHECK = "felica_recheck"
    FINAL_RESET = "final_reset"
    OBSERVE = "observe"
    CONFIRM = "confirm"
    CERTIFY = "certify"
    ASSESS = "assess"
    LOOK = "look"


DESTRUCTIVE_STAGES = frozenset(
    {
        StageName.INITIALISE,
        StageName.OVERWRITE,
        StageName.FELICA_CLEAR,
        StageName.FINAL_RESET,
    }
)


class ChipVerdict(StrEnum):
    """What a FeliCa chip was found to be. Silence is a verdict of its own and never a clean one."""

    UNUSED = "unused"
    IN_USE = "in_use"
    RETIRED = "retired"
    NO_CHIP = "no_chip"
    SILENT = "silent"
    INCONSISTENT = "inconsistent"
    UNREADABLE = "unreadable"


class SilenceCause(StrEnum):
    """Why a chip may be silent, by what its handset says over adb; none of them excuses it."""

    NFC_OFF = "nfc_off"
    SCREEN_OFF = "screen_off"
    SCREEN_LOCKED = "screen_locked"
    UNKNOWN = "unknown"
    """The handset doesn't say, or nothing that would explain it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NfcFacts:
    """What the handset says of its own radio. None is unknown, which is never fine."""

    nfc_on: bool | None
    screen_on: bool | None
    unlocked: bool | None

    def causes(self) -> tuple[SilenceCause, ...]:
        """All that explains silence; UNKNOWN where nothing that it says does."""
        said = {
            SilenceCause.NFC_OFF: self.nfc_on,
            SilenceCause.SCREEN_OFF: self.screen_on,
            SilenceCause.SCREEN_LOCKED: self.unlocked,
        }
        found = tuple(cause for cause, fine in said.items() if fine is False)
        return found or (SilenceCause.UNKNOWN,)


class BaselineKind(StrEnum):
    """Where the picture of an unused chip comes from that a scan was compared with."""

    OBSERVED = "observed"
    """Captured from a handset whose own screen said 未利用 (unused)."""
    INFERRED = "inferred"
    """Put together from documents; nobody has seen it on a handset."""
    SIMULATED = "simulated"
    """Of the virtual rack's own chips; says nothing about a real one."""


class ClearOutcome(StrEnum):
    """What a clear provider says became of its clear; a claim, whatever it is."""

    DONE = "done"
    ALREADY_INITIAL = "already_initial"
    UNSUPPORTED = "unsupported"
    NEEDS_OPERATOR = "needs_operator"
    RETRYABLE = "retryable"
    FATAL = "fatal"


class Liveness(StrEnum):
    """What the adb server says of one address; presence on USB is another thing."""

    SERVER_DOWN = "server_down"
    ABSENT = "absent"
    OFFLINE = "offline"
    UNAUTHORIZED = "unauthorized"
    NO_PERMISSION = "no_permission"
    WRONG_MODE = "wrong_mode"
    READY = "ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """Something was plugged into a port, or came back on it in another mode."""

    port_path: PortPath
    adb_address: AdbAddress
    attachment: str
    """Differs for every enumeration of a port and stays the same as long as nothing is unplugged,
    also over a restart of the daemon: that a handset never left is proven by this alone."""
    interfaces: frozenset[str] = frozenset()
    """Interface classes as six hex digits, for example `ff4201` for adb."""
    usb_serial: str | None = None
    vendor_id: str | None = None
    product_id: str | None = None

    @property
    def has_adb(self) -> bool:
        """Whether the handset offers adb in this mode."""
        return ADB_INTERFACE in self.interfaces


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """What was on a port has left it."""

    port_path: PortPath


PlugEvent = Attached | Detached


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetIdentity:
    """What a handset says it is. A serial is evidence, never a key: identical ones exist."""

    serial: str
    manufacturer: str
    model: str
    android: str
    build: str
    imei: str | None = None

    def same_handset(self, other: HandsetIdentity) -> bool:
        """Whether both describe one handset, judged by what a reset doesn't change."""
        imei_fits = self.imei is None or other.imei is None or self.imei == other.imei
        return imei_fits and (self.serial, self.manufacturer, self.model) == (
            other.serial,
            other.manufacturer,
            other.model,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageFacts:
    """The user storage as the handset's own `df` and mount table give it, in bytes."""

    capacity_bytes: int
    used_bytes: int
    free_bytes: int
    file_system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryFacts:
    """Charge and temperature of a battery."""

    percent: int
    temperature_c: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetFacts:
    """Facts that only a reset changes."""

    android_id: str
    account_count: int
    user_ids: tuple[int, ...]
    used_bytes: int
    third_party_packages: int
    boot_count: int | None
    test_harness: bool

    def as_evidence(self) -> Evidence:
        """The same as JSON."""
        return {
            "android_id": self.android_id,
            "account_count": self.account_count,
            "user_ids": list(self.user_ids),
            "used_bytes": self.used_bytes,
            "third_party_packages": self.third_party_packages,
            "boot_count": self.boot_count,
            "test_harness": self.test_harness,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetFacts:
    """All that inspection reads. None stands only where the handset itself may not say."""

    identity: HandsetIdentity
    sdk: int
    abi: str
    storage: StorageFacts
    battery_percent: int
    battery_temperature_c: float
    crypto_state: str
    crypto_type: str | None
    metadata_encryption: bool | None
    verified_boot_state: str | None
    bootloader_locked: bool | None
    modification_signs: tuple[str, ...]
    """Each sign of a modified system, for example `ro.boot.verifiedbootstate=orange`."""
    screen_lock: bool | None
    """Whether a PIN, pattern or password is set; None where this Android doesn't tell adb."""
    account_count: int
    user_ids: tuple[int, ...]
    device_owner: bool
    felica_capable: bool | None
    """Whether it has what runs a FeliCa chip; None where its answers don't tell."""
    jpki_capable: bool | None
    """True if it can hold a JPKI certificate; that one is there or not, nobody can see."""
    removable_media: bool
    """Whether a memory card is in it, which no reset of the handset reaches for certain."""
    sim: bool | None
    """Whether a SIM is in it; None where this Android doesn't tell adb."""

    def as_evidence(self) -> Evidence:
        """The same as JSON, without what isn't evidence."""
        return {
            "serial": self.identity.serial,
            "manufacturer": self.identity.manufacturer,
            "model": self.identity.model,
            "android": self.identity.android,
            "build": self.identity.build,
            "imei": self.identity.imei,
            "sdk": self.sdk,
            "abi": self.abi,
            "capacity_bytes": self.storage.capacity_bytes,
            "used_bytes": self.storage.used_bytes,
            "free_bytes": self.storage.free_bytes,
            "file_system": self.storage.file_system,
            "battery_percent": self.battery_percent,
            "battery_temperature_c": self.battery_temperature_c,
            "crypto_state": self.crypto_state,
            "crypto_type": self.crypto_type,
            "metadata_encryption": self.metadata_encryption,
            "verified_boot_state": self.verified_boot_state,
            "bootloader_locked": self.bootloader_locked,
            "modification_signs": list(self.modification_signs),
            "screen_lock": self.screen_lock,
            "account_count": self.account_count,
            "user_ids": list(self.user_ids),
            "device_owner": self.device_owner,
            "felica_capable": self.felica_capable,
            "jpki_capable": self.jpki_capable,
            "removable_media": self.removable_media,
            "sim": self.sim,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FillOrder:
    """What the fill program is asked to write: a keystream that only this job has."""

    key: bytes = field(repr=False)
    """16 bytes, fresh for every job."""
    file_bytes: int
    """Size of one full file; file i carries the keystream from i * file_bytes on."""
    stall_s: float
    """Silence on the line for this long is a stalled handset."""
    headroom_bytes: int = 0
    """What stays free until the last seconds, so that Android is full for no longer."""
    resume: bool = False
    """Whether files of an earlier fill with this key may prove themselves and stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOrder:
    """What the fill program is asked to read back."""

    fill: FillOrder
    cipher: str
    """The one that the fill chose."""
    files: tuple[FilledFile, ...]
    ranges: tuple[FileRange, ...] | None = None
    """The parts to read, in the order of the files; None for all of every file."""
    small_files: int = 0
    """How many small files are to be compared; they never count as proven."""

    @property
    def ordered_bytes(self) -> int:
        """How many bytes are to be read."""
        parts = self.files if self.ranges is None else self.ranges
        return sum(part.size_bytes for part in parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class FilledFile:
    """One file that the fill program made."""

    name: str
    stream_offset: int
    size_bytes: int

    @property
    def is_tail(self) -> bool:
        """Whether it takes the last room, and so is proven first and deleted at once."""
        return self.name.startswith(TAIL_PREFIX)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRange:
    """A part of one of several fill files, on whole blocks."""

    file: int
    """The file's place in the list."""
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FillReport:
    """What the fill program says it wrote and synced; a claim until it is read back."""

    program_version: str
    cipher: str
    mode: str
    bytes_written: int
    """All that the files hold."""
    resumed_bytes: int
    """Those of them that an earlier fill of this job wrote and this one has read and proven."""
    files: tuple[FilledFile, ...]
    small_files: int
    small_bytes: int
    """In files so small that they may lie beside their inodes: compared, never counted."""
    directories: int
    full_s: float
    """For how long less than the headroom had been free when the fill ended."""
    capacity_bytes: int
    free_bytes_before: int
    free_bytes_after: int
    used_bytes_before: int
    reserved_bytes: int
    """What the file system keeps for the system."""
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRun:
    """Bytes of one file that aren't what was written."""

    name: str
    offset: int
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What reading everything back, past the handset's cache, has shown."""

    bytes_proven: int
    bytes_bad: int
    bad_runs: tuple[BadRun, ...]
    small_same: int
    """How many small files are as they must be."""
    past_cache: str
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DropReport:
    """What is left after the fill files are deleted."""

    files_removed: int
    free_bytes: int
    trim: str
    """Whether the flash was told: `done`, `not_allowed`, `not_supported`, `failed`, `not_asked`."""
    trimmed_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSample:
    """Bytes that the host itself has fetched, and how they came past the handset's cache."""

    data: bytes
    past_cache: str
    """`o_direct`, or `evicted` by a tool of the handset, or `evicted_by_program`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferProgress:
    """Bytes done so far by a fill or a check, as the handset counted them after its sync."""

    bytes_done: int
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipSystem:
    """One system of a FeliCa chip: which nodes it lists, never what is in them."""

    code: str
    """Four hex digits in upper case, for example `FE00`."""
    nodes: tuple[str, ...]
    """Services as `090F`, areas as `0000-FFFE`, in order."""
    residue: tuple[str, ...]
    """Those of them that an unused chip doesn't have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipScan:
    """What looking at a chip over the air has shown: codes and counts, never contents."""

    verdict: ChipVerdict
    detail: str
    """Why, as one bounded, printable line in English."""
    chip: str | None = None
    """Salted hash of the chip's IDm as hex: tells one chip from another and nothing else."""
    ic_type: int | None = None
    """PMm's second byte, which names the chip's generation."""
    systems: tuple[ChipSystem, ...] = ()
    polled: tuple[str, ...] = ()
    """Every system code that was asked for, answered or not."""
    passes: int = 0
    """How many full scans in a row showed the same."""
    power_cycled: bool = False
    """Whether the reader's field was off before the first of them."""
    baseline: str | None = None
    """Name and version of the picture of an unused chip it was compared with."""
    baseline_kind: BaselineKind | None = None
    owners_en: tuple[str, ...] = ()
    """Whose services the residue belongs to, as far as the catalogue knows."""
    owners_ja: tuple[str, ...] = ()
    reader: str = ""
    """The reader's model; no serial."""
    elapsed_s: float = 0.0

    def as_evidence(self) -> Evidence:
        """The same as JSON."""
        return {
            "verdict": self.verdict,
            "detail": self.detail,
            "chip": self.chip,
            "ic_type": None if self.ic_type is None else f"{self.ic_type:02X}",
            "systems": [
                {
                    "code": system.code,
                    "node_count": len(system.nodes),
                    "residue": list(system.residue),
                }
                for system in self.systems
            ],
            "polled": list(self.polled),
            "passes": self.passes,
            "power_cycled": self.power_cycled,
            "baseline": self.baseline,
            "baseline_kind": self.baseline_kind,
            "owners_en": list(self.owners_en),
            "owners_ja": list(self.owners_ja),
            "reader": self.reader,
            "elapsed_s": self.elapsed_s,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipOwners:
    """Whose services were found in a chip, each as one bounded line: `Suica、WAON`."""

    ja: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearOrder:
    """What a clear provider is told: which handset, and who agreed to what is lost."""

    job: JobId
    slot: SlotName
    identity: HandsetIdentity
    consent: str
    """The name of the operator whose approval of the consent gate is on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearClaim:
    """What a clear provider says; only a scan decides."""

    provider: str
    """Its name in the configuration, empty where no provider fits the handset."""
    outcome: ClearOutcome
    detail: str
    """One bounded, printable line in English."""
    report: str | None = None
    """The number of the provider's own report."""
    vendor_code: str | None = None
    elapsed_s: float = 0.0

    def as_evidence(self) -> Evidence:
        """The same as JSON."""
        return {
            "provider": self.provider,
            "claim": self.outcome,
            "detail": self.detail,
            "report": self.report,
            "vendor_code": self.vendor_code,
            "elapsed_s": self.elapsed_s,
        }


class ClearMethod(StrEnum):
    """By whose hand a provider clears."""

    TOOL = "tool"
    """A program on this machine does it all."""
    HANDSET = "handset"
    """The handset's own function."""
    PERSON = "person"
    """A kiosk, a shop: somebody carries the handset there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClearCapabilities:
    """What a clear provider can do for one handset, before it is asked to."""

    methods: frozenset[ClearMethod]
    """Empty where it can do nothing for this handset."""
    needs_network: bool
    needs_login: bool
    """Whether an account has to be signed in on the handset."""
    irreversible: bool
    max_s: float
    """It is aborted when it takes longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A named person's answer at a gate."""

    gate: Gate
    approved: bool
    operator: OperatorName
    note: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """What was seen of a planned absence of a handset from its port."""

    left: bool
    returned: bool
    absent_s: float | None
    before: Attached
    after: Attached | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobEnd:
    """How a job ended; SELLABLE exists only together with a certificate."""

    outcome: Outcome
    disposition: Disposition
    reason: Reason | None
    detail: str = ""
    owners: ChipOwners | None = None
    """Whose services are left in the chip, if that is why it ended."""


class EntryKind(StrEnum):
    """What a ledger record tells."""

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
    JOB_ENDED = "job_ended"
    SLOT_QUARANTINED = "slot_quarantined"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The ledger's word that a record is on disk."""

    sequence: int
    hash_hex: str


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
