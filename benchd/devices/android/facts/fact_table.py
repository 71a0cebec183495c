"""All that benchd asks a handset about itself, and what it makes of the answers: one entry each.

A fact is an entry of `Reading`, under the name of the field that it is kept in
(`benchd/domain/handset.py`). Inspection, the reading before the last reset and a dossier's replay
come from it; what has no field of its name in a dataclass there is neither stored nor shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any, Final, Generic, Self, TypeVar, cast, overload

from benchd.devices.android.facts.account_types import Accounts, sort_accounts
from benchd.devices.android.facts.accounts import read_account_types
from benchd.devices.android.facts.admins import is_enrolled
from benchd.devices.android.facts.answers import Answers
from benchd.devices.android.facts.battery_wear import LOOK_FOR_GAUGES, read_battery_wear
from benchd.devices.android.facts.capability import (
    LOOK_FOR_FELICA,
    can_telephone,
    felica_capable,
    jpki_capable,
    read_felica_directories,
)
from benchd.devices.android.facts.hardware import (
    has_removable_media,
    has_sim,
    read_battery,
    read_features,
    read_nfc,
    sim_lock,
    sim_lock_source,
    sim_slots,
)
from benchd.devices.android.facts.modification import Sign, modification_signs
from benchd.devices.android.facts.owner import (
    COUNT_CALLS,
    COUNT_CONTACTS,
    COUNT_FILES,
    COUNT_MMS,
    COUNT_SMS,
    read_file_count,
    read_row_count,
    sum_of_known,
)
from benchd.devices.android.facts.packages import count_packages, read_packages, read_preinstalled
from benchd.devices.android.facts.policy import has_device_owner, read_lock_admins
from benchd.devices.android.facts.properties import flag, read_properties, required, whole_number
from benchd.devices.android.facts.protection import (
    bootloader_locked,
    crypto_state,
    crypto_type,
    has_screen_lock,
    security_patch,
    verified_boot_state,
)
from benchd.devices.android.facts.single_values import (
    read_android_id,
    read_boot_count,
    read_frp_armed,
    read_imei,
    read_uptime,
)
from benchd.devices.android.facts.statfs import ASK_STATFS
from benchd.devices.android.facts.storage_answers import (
    Mount,
    beside_statfs,
    read_mounts,
    read_storage,
)
from benchd.devices.android.facts.superuser import LOOK_FOR_SUPERUSER, read_superuser_paths
from benchd.devices.android.facts.users import User, kinds_of, read_user_ids, read_users
from benchd.domain.dossier import PersonalKind
from benchd.domain.handset import (
    OWNER,
    BatteryFacts,
    BatteryWear,
    HandsetFacts,
    ModificationSource,
    NfcFacts,
    Package,
    StorageFacts,
    names_of,
)

T = TypeVar("T")

QUESTIONS: Final[Mapping[str, str]] = {
    "properties": "getprop",
    "imei": "service call iphonesubinfo 1 s16 com.android.shell",
    # getDeviceIdForPhone is call 4 from Android 11 on, 3 before; the other one tells no IMEI.
    "second_imei": "service call iphonesubinfo 4 i32 1 s16 com.android.shell",
    "second_imei_before_11": "service call iphonesubinfo 3 i32 1 s16 com.android.shell",
    "usage": "df -k /data",
    "mounts": "cat /proc/mounts",
    "statfs": ASK_STATFS,
    "accounts": "dumpsys account",
    "users": "pm list users",
    "android_id": "settings get --user 0 secure android_id",
    "boot_count": "settings get --user 0 global boot_count",
    "frp_global": "settings get --user 0 global secure_frp_mode",
    "frp_secure": "settings get --user 0 secure secure_frp_mode",
    "uptime": "cat /proc/uptime",
    # Without its user, `pm` throws wherever another user is closed to the shell.
    "packages": "pm list packages -3 -f --user 0",
    "files": COUNT_FILES,
    "calls": COUNT_CALLS,
    "contacts": COUNT_CONTACTS,
    "sms": COUNT_SMS,
    "mms": COUNT_MMS,
    "battery": "dumpsys battery",
    # Android's health service; before it was one of the vendor's, it stood under the other name.
    "health": "dumpsys android.hardware.health.IHealth/default",
    "health_before_9": "dumpsys batteryproperties",
    "gauges": LOOK_FOR_GAUGES,
    "policy": "dumpsys device_policy",
    "trust": "dumpsys trust",
    "superuser": LOOK_FOR_SUPERUSER,
    "features": "pm list features",
    # With what was removed for its user only: the chip doesn't go with the app.
    "all_packages": "pm list packages -u --user 0",
    "felica": LOOK_FOR_FELICA,
    "volumes": "sm list-volumes all",
    "disks": "sm list-disks",
    "setting": "settings get --user 0 global nfc_on",
    "nfc": "dumpsys nfc",
}
"""A name for each command, reading ones only; the names are those of a dossier's files.

Nothing that a handset said goes into a command.
"""

PERSONAL: Final[Mapping[str, tuple[PersonalKind, re.Pattern[str]]]] = {
    "android_id": (
        PersonalKind.ANDROID_ID,
        re.compile(r"(?<![0-9A-Za-z])(?P<value>[0-9a-fA-F]{6,64})(?![0-9A-Za-z])"),
    ),
    "policy": (
        PersonalKind.ORGANISATION,
        re.compile(
            r"^[ \t]*(?:name|m?OrganizationName|m?OrganizationId|enrollmentSpecificId|"
            r"m?DeviceOwnerLockScreenInfo)=(?P<value>[^\n]+)$",
            re.MULTILINE | re.IGNORECASE,
        ),
    ),
    "health": (
        PersonalKind.IDENTIFIER,
        re.compile(r"batterySerialNumber: (?!\(null\))(?P<value>[^,}\n]+)"),
    ),
    "volumes": (
        PersonalKind.IDENTIFIER,
        re.compile(r"^[ \t]*\S{1,128} [a-z_]{1,32} (?!null\s*$)(?P<value>\S[^\n]*)$", re.MULTILINE),
    ),
}
"""What is personal in the answer to one question: the group `value` is masked in a dossier.

What is masked in any answer, and names of properties, are in
`benchd/devices/android/dossier/personal_values.py`.
"""

IDENTITY: Final = ("properties", "imei", "second_imei", "second_imei_before_11")
STORAGE: Final = ("usage", "mounts")
STORAGE_TWICE: Final = (*STORAGE, "statfs")
"""By two programs that have to agree: at rest only, since what is free changes under a fill."""
OWNERS: Final = ("accounts", "users")
RESET: Final = ("android_id", "boot_count", "uptime", "packages")
LEFT: Final = ("files", "calls", "contacts", "sms", "mms")
BATTERY: Final = ("battery",)
LOCKS: Final = ("policy", "trust", "superuser", "frp_global", "frp_secure")
STATE: Final = (*BATTERY, *LOCKS)
DISKS: Final = ("volumes", "disks")
WEAR: Final = ("health", "health_before_9", "gauges")
PARTS: Final = ("features", "all_packages", "felica", *DISKS, *WEAR)
STANDING: Final = (*OWNERS, *LOCKS, *DISKS)
"""With the identity, all that the gates refuse by."""
SIM: Final = ("properties",)
NFC: Final = ("setting", "nfc")


class Fact(Generic[T]):
    """One fact: how it is made of a handset's answers, and how a dossier's replay shows it."""

    def __init__(
        self, read: Callable[[Reading], T], *, shown: Callable[[T], object] | None = None
    ) -> None:
        """`shown` makes plain words of what is neither a text, a number nor a list of them."""
        self._read = read
        self._shown = shown
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, reading: None, owner: type) -> Self: ...
    @overload
    def __get__(self, reading: Reading, owner: type) -> T: ...
    def __get__(self, reading: Reading | None, owner: type) -> Self | T:
        """Read it once; a refusal is raised each time."""
        if reading is None:
            return self
        value = reading.__dict__[self._name] = self._read(reading)
        return value

    def show(self, reading: Reading) -> object:
        """What a replay tells of it."""
        value = self._read(reading)
        return value if self._shown is None else self._shown(value)


def _told(question: str, parse: Callable[[str], T]) -> Fact[T]:
    """What one answer tells that has to be there and understood."""
    return Fact(lambda reading: reading.answers.read(question, parse))


def _always(question: str, parse: Callable[[str], T]) -> Fact[T | None]:
    """What one answer tells whose exit status says nothing."""
    return Fact(lambda reading: reading.answers.read_always(question, parse))


def _property(parse: Callable[[Mapping[str, str]], T]) -> Fact[T]:
    """What the properties tell."""
    return Fact(lambda reading: reading.of_properties(parse))


def _required(*names: str) -> Fact[str]:
    """The first of these properties that isn't empty, fit to be shown."""
    return _property(lambda properties: required(properties, *names))


class Reading:
    """Each fact under its own name, read when it is asked for.

    A fact raises AnswerNotRecognised where its answer isn't understood, NotAsked where there is
    none. The order is that in which an inspection reads them and a replay shows them.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    serial = _required("ro.serialno", "ro.boot.serialno")
    manufacturer = _required("ro.product.manufacturer", "ro.product.brand")
    model = _required("ro.product.model")
    android = _required("ro.build.version.release")
    build = _required("ro.build.display.id", "ro.build.id")
    imei = Fact(lambda reading: reading.reported_imei("imei"))
    second_imei = Fact(lambda reading: reading.imei_of_second_radio)
    sdk = _property(lambda properties: whole_number(properties, "ro.build.version.sdk"))
    abi = _required("ro.product.cpu.abi")
    capacity_bytes = Fact(lambda reading: reading.storage.capacity_bytes)
    used_bytes = Fact(lambda reading: reading.storage.used_bytes)
    free_bytes = Fact(lambda reading: reading.storage.free_bytes)
    statfs_capacity_bytes = Fact(lambda reading: reading.storage.statfs_capacity_bytes)
    statfs_free_bytes = Fact(lambda reading: reading.storage.statfs_free_bytes)
    file_system = Fact(lambda reading: reading.storage.file_system)
    battery_percent = Fact(lambda reading: reading.battery.percent)
    battery_temperature_c = Fact(lambda reading: reading.battery.temperature_c)
    battery_health_percent = Fact(lambda reading: reading.battery_wear.health_percent)
    battery_health_method = Fact(lambda reading: reading.battery_wear.health_method)
    battery_cycles = Fact(lambda reading: reading.battery_wear.cycles)
    battery_cycles_method = Fact(lambda reading: reading.battery_wear.cycles_method)
    crypto_state = Fact(lambda reading: reading.crypto_state_beside_policy)
    crypto_type = _property(crypto_type)
    metadata_encryption = _property(lambda told: flag(told, "ro.crypto.metadata.enabled"))
    verified_boot_state = _property(verified_boot_state)
    bootloader_locked = _property(bootloader_locked)
    security_patch = _property(security_patch)
    modification_signs = Fact(
        lambda reading: tuple(dict.fromkeys(sign.text for sign in reading.signs))
    )
    modification_sources = Fact(lambda reading: reading.sources_of_signs)
    screen_lock = _told("trust", has_screen_lock)
    account_count = Fact(lambda reading: reading.accounts.account_count)
    maker_accounts = Fact(lambda reading: reading.accounts.maker_accounts)
    maker_account_types = Fact(lambda reading: reading.accounts.maker_account_types)
    unknown_account_types = Fact(lambda reading: reading.accounts.unknown_account_types)
    frp_account_types = Fact(lambda reading: reading.accounts.frp_account_types)
    user_ids = Fact(lambda reading: tuple(user.number for user in reading.users))
    user_kinds = Fact(lambda reading: kinds_of(reading.users))
    device_owner = Fact(lambda reading: reading.belongs_to_others)
    lock_admins = _told("policy", read_lock_admins)
    felica_capable = Fact(lambda reading: reading.felica_by_all_answers)
    jpki_capable = Fact(lambda reading: jpki_capable(reading.features, reading.packages))
    removable_media = Fact(lambda reading: reading.media_on_disks)
    sim = _property(has_sim)
    sim_slots = _property(sim_slots)
    sim_lock = _property(sim_lock)
    sim_lock_source = _property(sim_lock_source)
    frp_armed = Fact(lambda reading: reading.frp_by_either_setting)
    telephony = Fact(lambda reading: can_telephone(reading.features))
    android_id = _told("android_id", read_android_id)
    boot_count = _told("boot_count", read_boot_count)
    up_s = _always("uptime", read_uptime)
    third_party_packages = _told("packages", count_packages)
    preinstalled = Fact(
        lambda reading: reading.preinstalled_beside_mounts,
        shown=lambda packages: tuple(f"{package.place}={package.name}" for package in packages),
    )
    test_harness = _property(lambda told: flag(told, "persist.sys.test_harness") is True)
    owner_files = _always("files", read_file_count)
    call_count = _always("calls", read_row_count)
    contact_count = _always("contacts", read_row_count)
    message_count = Fact(lambda reading: reading.messages_of_both_kinds)
    nfc_on = Fact(lambda reading: reading.nfc.nfc_on)
    screen_on = Fact(lambda reading: reading.nfc.screen_on)
    unlocked = Fact(lambda reading: reading.nfc.unlocked)

    @property
    def inspected(self) -> HandsetFacts:
        """All that an inspection reads; of two faults the one that the table comes to first."""
        kept = names_of(HandsetFacts)
        return HandsetFacts(**{name: getattr(self, name) for name in FACTS if name in kept})

    # What facts are made of; none of it is stored.

    @cached_property
    def properties(self) -> Mapping[str, str]:
        """All that `getprop` lists."""
        return self.answers.read("properties", read_properties)

    def of_properties(self, parse: Callable[[Mapping[str, str]], T]) -> T:
        """What a parser makes of the properties."""
        properties = self.properties
        with self.answers.blamed("properties"):
            return parse(properties)

    def reported_imei(self, question: str) -> str | None:
        """A refusal is no fault: newer releases keep it from adb."""
        return self.answers.read_if_answered(question, read_imei)

    @property
    def imei_of_second_radio(self) -> str | None:
        """That of the second radio, by the call of either release."""
        told = [self.reported_imei(asked) for asked in ("second_imei", "second_imei_before_11")]
        return next((imei for imei in told if imei not in (None, self.imei)), None)

    @cached_property
    def storage(self) -> StorageFacts:
        """Size and use of the user storage, by two programs where the handset has both."""
        mounts = self.answers.read("mounts", read_mounts)
        storage = self.answers.read("usage", partial(read_storage, mounts=mounts))
        checked = self.answers.read_if_answered("statfs", partial(beside_statfs, storage))
        return checked or storage

    @cached_property
    def battery(self) -> BatteryFacts:
        """How full and how warm the battery is."""
        return self.answers.read("battery", read_battery)

    @cached_property
    def battery_wear(self) -> BatteryWear:
        """How worn the battery is; whatever reads otherwise tells nothing, and holds nobody up."""
        told = [self.answers.read_if_answered(name, str) or "" for name in (*BATTERY, *WEAR)]
        return read_battery_wear(*told)

    @property
    def crypto_state_beside_policy(self) -> str:
        """Whether the user storage is encrypted, unless the policy service denies it."""
        policy = self.answers.read_if_asked("policy", str, "")
        return self.of_properties(partial(crypto_state, policy=policy))

    @cached_property
    def signs(self) -> tuple[Sign, ...]:
        """Each sign of a modified system, with where it comes from."""
        superuser = self.answers.read_if_asked("superuser", read_superuser_paths, ())
        return self.of_properties(partial(modification_signs, superuser_paths=superuser))

    @property
    def sources_of_signs(self) -> tuple[ModificationSource, ...]:
        """Where these come from, each once."""
        return tuple(dict.fromkeys(sign.source for sign in self.signs))

    @property
    def frp_by_either_setting(self) -> bool | None:
        """Whether factory reset protection is active, by either place that Android has kept it."""
        told = [
            self.answers.read_if_answered(name, read_frp_armed)
            for name in ("frp_global", "frp_secure")
        ]
        return True if True in told else False if False in told else None

    @cached_property
    def accounts(self) -> Accounts:
        """All users' accounts, by whose they are."""
        user_ids = self.answers.read_if_asked("users", read_user_ids, ())
        parse = partial(
            read_account_types, user_ids=user_ids or (OWNER,), only_those=bool(user_ids)
        )
        return sort_accounts(self.answers.read("accounts", parse))

    @property
    def belongs_to_others(self) -> bool:
        """Whether an organisation or a lender has it, by its policies or by its maker's service."""
        nothing: Mapping[str, str] = {}
        owned = self.answers.read("policy", has_device_owner)
        return owned or is_enrolled(
            self.answers.read_if_asked("properties", read_properties, nothing)
        )

    @cached_property
    def users(self) -> tuple[User, ...]:
        """The owner and everybody else."""
        return self.answers.read("users", read_users)

    @cached_property
    def features(self) -> frozenset[str]:
        """All that its package manager says it has."""
        return self.answers.read("features", read_features)

    @cached_property
    def packages(self) -> frozenset[str]:
        """The names of all packages."""
        return self.answers.read_if_asked("all_packages", read_packages, frozenset())

    @property
    def felica_by_all_answers(self) -> bool | None:
        """Whether it has what runs a FeliCa chip."""
        directories = self.answers.read_if_asked("felica", read_felica_directories, ())
        return felica_capable(self.features, self.packages, directories)

    @property
    def media_on_disks(self) -> bool:
        """Whether a memory card is in it."""
        disks = self.answers.read_if_asked("disks", str, "")
        return self.answers.read("volumes", partial(has_removable_media, disks=disks))

    @property
    def preinstalled_beside_mounts(self) -> tuple[Package, ...]:
        """The packages of third parties that lie on a partition of the system."""
        nothing: Mapping[str, Mount] = {}
        mounts = self.answers.read_if_asked("mounts", read_mounts, nothing)
        return self.answers.read("packages", partial(read_preinstalled, mounts=mounts))

    @property
    def messages_of_both_kinds(self) -> int | None:
        """SMS and MMS together."""
        counts = (self.answers.read_always(kind, read_row_count) for kind in ("sms", "mms"))
        return sum_of_known(*counts)

    @cached_property
    def nfc(self) -> NfcFacts:
        """What it says of its radio; a refusal or an unknown form says nothing."""
        told = [self.answers.read_if_answered(name, str) or "" for name in NFC]
        return read_nfc(*told)


FACTS: Final[Mapping[str, Fact[Any]]] = {
    name: cast("Fact[Any]", entry)
    for name, entry in vars(Reading).items()
    if isinstance(entry, Fact)
}
"""Every fact, by its name."""
