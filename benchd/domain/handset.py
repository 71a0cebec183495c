"""What a handset says of itself."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Annotated, Any, TypeVar, cast

from annotated_types import Ge, Le

from benchd.domain.port import Attached

T = TypeVar("T")

WholeNumber = Annotated[int, Ge(0)]
"""Zero or above; a record that says otherwise is refused."""
ADB_INTERFACE = "ff4201"
FASTBOOT_INTERFACE = "ff4203"
"""USB class, subclass and protocol that name a mode; source: AOSP adb.h and fastboot.h."""
OWNER = 0
"""The number of the user that every Android has."""


def offers_adb(attached: Attached) -> bool:
    """Whether what is on the port offers adb in its present mode."""
    return ADB_INTERFACE in attached.interfaces


class Trait(StrEnum):
    """What a record can tell of which handset it is about, and be found by."""

    IMEI = "imei"
    SERIAL = "serial"
    CHIP = "chip"


class SilenceCause(StrEnum):
    """Why a chip may be silent, by what its handset says over adb; none of them excuses it."""

    NFC_OFF = "nfc_off"
    SCREEN_OFF = "screen_off"
    SCREEN_LOCKED = "screen_locked"
    UNKNOWN = "unknown"
    """The handset doesn't say, or nothing that would explain it."""


class UserKind(StrEnum):
    """What a user besides the owner is, by its number and flags: each is removed in its own way."""

    SECURE_FOLDER = "secure_folder"
    DUAL_APPS = "dual_apps"
    WORK_PROFILE = "work_profile"
    GUEST = "guest"
    PROFILE = "profile"
    """A profile of another kind, such as a private space."""
    PERSON = "person"
    """A second person, or a maker's second space."""


class Tray(StrEnum):
    """Whether a person has to look for a SIM."""

    TOLD_EMPTY = "told_empty"
    NOT_TOLD = "not_told"


class EraseStep(StrEnum):
    """Why a person is asked to have a handset erase its own chip, or asked once more."""

    FIRST = "first"
    SIGNED_IN = "signed_in"
    """An account is still on it, which a reset would lock it by."""
    STILL_IN_USE = "still_in_use"


class ModificationSource(StrEnum):
    """Where a sign of a modified system comes from; signs of one source have one cause."""

    BOOT_CHAIN = "boot_chain"
    """What the boot loader says: of the lock, of who signed the system, of Samsung's warranty."""
    BUILD = "build"
    """How the build calls itself: its type, its tags and keys, what adb may do on it."""
    OTHER_SYSTEM = "other_system"
    """The name of a system that no maker sells."""
    FINGERPRINT = "fingerprint"
    """A fingerprint that is another build's than the rest."""
    SUPERUSER = "superuser"
    """A program or a service that makes a shell root."""


class BatteryMethod(StrEnum):
    """What has told how worn a battery is; figures of two of them are never mixed."""

    HEALTH_SERVICE = "health_service"
    """Android's health service: its own state of health, or its count of cycles."""
    HEALTH_SERVICE_CAPACITY = "health_service_capacity"
    """The same service: what a full charge holds, divided by what the battery was made for."""
    SAMSUNG_ASOC = "samsung_asoc"
    """Samsung's battery service: `mSavedBatteryAsoc`."""
    SAMSUNG_BSOH = "samsung_bsoh"
    """The same: `mSavedBatteryBsoh`, of handsets that don't tell the other one."""
    SAMSUNG_USAGE = "samsung_usage"
    """The same: `mSavedBatteryUsage`, the percent that were ever taken out of it, by a hundred."""
    KERNEL = "kernel"
    """The kernel's fuel gauge under /sys/class/power_supply."""
    KERNEL_CAPACITY = "kernel_capacity"
    """The same: what a full charge holds, divided by what the battery was made for."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetNumbers:
    """What tells one handset from another, by its own word.

    A serial is evidence, never a key: identical ones exist.
    """

    serial: str
    manufacturer: str
    model: str
    imei: str | None = None
    second_imei: str | None = None
    """That of a second SIM's radio, where it has one and tells it."""

    @property
    def imeis(self) -> tuple[str, ...]:
        """All that it tells."""
        return tuple(imei for imei in (self.imei, self.second_imei) if imei is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetIdentity(HandsetNumbers):
    """What a handset says it is."""

    android: str
    build: str

    def same_handset(self, other: HandsetIdentity) -> bool:
        """Whether both describe one handset, judged by what a reset doesn't change."""
        told = set(self.imeis), set(other.imeis)
        imei_fits = not all(told) or not told[0].isdisjoint(told[1])
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
    statfs_capacity_bytes: int | None = None
    """By `stat -f`, which agrees with `df`; None where it wasn't asked or the handset has none."""
    statfs_free_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryFacts:
    """Charge and temperature of a battery."""

    percent: int
    temperature_c: float


HealthPercent = Annotated[int, Ge(1), Le(100)]
Cycles = Annotated[int, Ge(0), Le(9_999)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BatteryWear:
    """How worn a battery is, as far as anything tells: no number without what has told it.

    It is shown beside a certificate and decides nothing.
    """

    health_percent: HealthPercent | None = None
    """Of the capacity that it was made for, cut and never rounded up."""
    health_method: BatteryMethod | None = None
    cycles: Cycles | None = None
    cycles_method: BatteryMethod | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """An installed package, and where its file lies."""

    name: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetFacts:
    """Facts that only a reset changes. A count that is None couldn't be read; 1,000 may be more."""

    android_id: str
    account_count: int
    user_ids: tuple[int, ...]
    used_bytes: int
    third_party_packages: int
    boot_count: int | None
    test_harness: bool
    owner_files: int | None = None
    """Under /sdcard, without those that the system makes by itself."""
    call_count: int | None = None
    contact_count: int | None = None
    message_count: int | None = None
    maker_accounts: int = 0
    """Accounts that the maker's system makes by itself; `account_count` is without them."""
    maker_account_types: tuple[str, ...] = ()
    unknown_account_types: tuple[str, ...] = ()
    preinstalled: tuple[Package, ...] = ()
    """Those of the third parties' packages that lie on a partition of the system."""
    up_s: int | None = None
    """Seconds since its last start, those that it slept among them; None where it doesn't say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingFacts(HandsetNumbers):
    """Who a handset is and what forbids to erase it, as far as its own system tells adb.

    None stands only where the handset itself may not say. These are on record as they stand here.
    """

    modification_signs: tuple[str, ...]
    """Each sign of a modified system, for example `ro.boot.verifiedbootstate=orange`."""
    modification_sources: tuple[ModificationSource, ...]
    """Each source that at least one of the signs comes from."""
    screen_lock: bool | None
    """Whether a PIN, pattern or password is set; None where this Android doesn't tell adb."""
    frp_armed: bool | None
    """Whether factory reset protection is active; None where this Android doesn't tell adb."""
    account_count: WholeNumber
    """Accounts that a person signed in to, or that nobody knows the type of."""
    unknown_account_types: tuple[str, ...]
    frp_account_types: tuple[str, ...]
    """Those that keep the handset locked after a reset which they weren't signed out for."""
    user_ids: tuple[int, ...]
    user_kinds: tuple[UserKind, ...]
    """Of all users but the owner, in the order of their numbers."""
    device_owner: bool
    """Whether somebody else than its user has it: a company, a school, a lender."""
    lock_admins: tuple[str, ...]
    """Packages of its maker's own that can lock it for a lender; whether they do, nothing tells."""
    removable_media: bool
    """Whether a memory card is in it, which no reset of the handset reaches for certain."""
    sim: bool | None
    """Whether a SIM is in it; None where this Android doesn't tell adb."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetFacts(StandingFacts):
    """All that inspection reads and puts on record."""

    android: str
    build: str
    sdk: WholeNumber
    abi: str
    capacity_bytes: WholeNumber
    used_bytes: WholeNumber
    free_bytes: WholeNumber
    file_system: str
    statfs_capacity_bytes: WholeNumber | None
    """The storage by a second program at the same moment; None where the handset has none."""
    statfs_free_bytes: WholeNumber | None
    battery_percent: WholeNumber
    battery_temperature_c: float
    battery_health_percent: HealthPercent | None
    """Of the capacity that it was made for; None where nothing tells, as with the next three."""
    battery_health_method: BatteryMethod | None
    battery_cycles: Cycles | None
    battery_cycles_method: BatteryMethod | None
    crypto_state: str
    crypto_type: str | None
    metadata_encryption: bool | None
    verified_boot_state: str | None
    bootloader_locked: bool | None
    security_patch: str | None
    maker_accounts: WholeNumber
    """Accounts that the maker's system makes by itself."""
    maker_account_types: tuple[str, ...]
    felica_capable: bool | None
    """Whether it has what runs a FeliCa chip; None where its answers don't tell."""
    jpki_capable: bool | None
    """True if it can hold a JPKI certificate; that one is there or not, nobody can see."""
    telephony: bool | None
    """Whether it can telephone, and so has an IMEI; None where its answers don't tell."""
    sim_slots: WholeNumber | None
    """How many SIMs it can hold, and so IMEIs it has; None where its answers don't tell."""
    sim_lock: bool | None
    """Whether it takes the SIMs of one carrier only; None where it doesn't tell."""
    sim_lock_source: str | None
    """What told that."""

    @property
    def identity(self) -> HandsetIdentity:
        """Who it says it is."""
        return facts_of(HandsetIdentity, self)

    @property
    def battery_wear(self) -> BatteryWear:
        """How worn its battery is."""
        return BatteryWear(
            health_percent=self.battery_health_percent,
            health_method=self.battery_health_method,
            cycles=self.battery_cycles,
            cycles_method=self.battery_cycles_method,
        )


def names_of(kind: type[object]) -> tuple[str, ...]:
    """The names of the facts that a dataclass keeps."""
    return tuple(field.name for field in fields(cast("Any", kind)))


def facts_of(kind: type[T], told: object, **others: object) -> T:
    """Make a dataclass of facts: each from the attribute of its name, but for the `others`."""
    kept = {name: getattr(told, name) for name in names_of(kind) if name not in others}
    return kind(**kept, **others)
