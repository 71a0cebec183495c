"""What benchd makes of a handset's answers, fact by fact, whether it lies there or in a dossier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Final, TypeVar

from benchd.android.facts.accounts import count_accounts
from benchd.android.facts.answers import Answers
from benchd.android.facts.battery import read_battery
from benchd.android.facts.boot_state import (
    bootloader_locked,
    modification_signs,
    security_patch,
    verified_boot_state,
)
from benchd.android.facts.capability import (
    can_telephone,
    felica_capable,
    jpki_capable,
    read_felica_directories,
)
from benchd.android.facts.encryption import crypto_state, crypto_type
from benchd.android.facts.features import read_features
from benchd.android.facts.imei import read_imei
from benchd.android.facts.nfc import read_nfc
from benchd.android.facts.packages import read_packages
from benchd.android.facts.policy import has_device_owner
from benchd.android.facts.properties import one_of, read_properties, required
from benchd.android.facts.sim import has_sim
from benchd.android.facts.storage import read_mounts, read_storage
from benchd.android.facts.superuser import read_superuser_paths
from benchd.android.facts.trust import has_screen_lock
from benchd.android.facts.users import read_user_ids
from benchd.android.facts.volumes import has_removable_media
from benchd.errors import AnswerNotRecognised
from benchd.words.handset import (
    BatteryFacts,
    HandsetFacts,
    HandsetIdentity,
    NfcFacts,
    StorageFacts,
)

T = TypeVar("T")

_SECOND_IMEIS: Final = ("second_imei", "second_imei_before_11")


class Reading:
    """Each fact under its own name: what the gates and the certificate need to know.

    A fact raises AnswerNotRecognised where its answer isn't understood, NotAsked where there is
    none.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    @cached_property
    def properties(self) -> Mapping[str, str]:
        """All that `getprop` lists."""
        return self.answers.read("properties", read_properties)

    @property
    def identity(self) -> HandsetIdentity:
        """Who the handset says it is."""
        return HandsetIdentity(
            serial=self.serial,
            manufacturer=self.manufacturer,
            model=self.model,
            android=self.android,
            build=self.build,
            imei=self.imei,
            second_imei=self.second_imei,
        )

    @property
    def serial(self) -> str:
        """As USB tells it too."""
        return self._required("ro.serialno", "ro.boot.serialno")

    @property
    def manufacturer(self) -> str:
        """Who made it."""
        return self._required("ro.product.manufacturer", "ro.product.brand")

    @property
    def model(self) -> str:
        """The maker's or the carrier's code."""
        return self._required("ro.product.model")

    @property
    def android(self) -> str:
        """The release of Android."""
        return self._required("ro.build.version.release")

    @property
    def build(self) -> str:
        """What its settings show as the build's number."""
        return self._required("ro.build.display.id", "ro.build.id")

    @property
    def imei(self) -> str | None:
        """A refusal is no fault: newer releases keep it from adb."""
        return self.answers.read_if_told("imei", read_imei)

    @property
    def second_imei(self) -> str | None:
        """That of the second radio."""
        told = [self.answers.read_if_told(asked, read_imei) for asked in _SECOND_IMEIS]
        return next((imei for imei in told if imei not in (None, self.imei)), None)

    @property
    def sdk(self) -> int:
        """The number of the release's programming interface."""
        value = self._required("ro.build.version.sdk")
        with self.answers.blamed("properties"):
            if not (value.isascii() and value.isdigit() and len(value) <= 4):
                raise AnswerNotRecognised("getprop: ro.build.version.sdk is no number")
        return int(value)

    @property
    def abi(self) -> str:
        """What its native programs are made for."""
        return self._required("ro.product.cpu.abi")

    @property
    def storage(self) -> StorageFacts:
        """Size and use of the user storage."""
        mounts = self.answers.read("mounts", read_mounts)
        return self.answers.read("usage", partial(read_storage, mounts=mounts))

    @property
    def battery(self) -> BatteryFacts:
        """How full and how warm the battery is."""
        return self.answers.read("battery", read_battery)

    @property
    def battery_percent(self) -> int:
        """Its charge."""
        return self.battery.percent

    @property
    def battery_temperature_c(self) -> float:
        """Its temperature."""
        return self.battery.temperature_c

    @property
    def crypto_state(self) -> str:
        """Whether the user storage is encrypted."""
        policy = self.answers.read_if_asked("policy", str, "")
        return self._of_properties(partial(crypto_state, policy=policy))

    @property
    def crypto_type(self) -> str | None:
        """How it is."""
        return self._of_properties(crypto_type)

    @property
    def metadata_encryption(self) -> bool | None:
        """Whether names and sizes are encrypted as well."""
        return self.flag("ro.crypto.metadata.enabled")

    @property
    def verified_boot_state(self) -> str | None:
        """The colour of the boot chain."""
        return self._of_properties(verified_boot_state)

    @property
    def bootloader_locked(self) -> bool | None:
        """Whether the boot loader is."""
        return self._of_properties(bootloader_locked)

    @property
    def security_patch(self) -> str | None:
        """The system's patch level."""
        return security_patch(self.properties)

    @property
    def modification_signs(self) -> tuple[str, ...]:
        """Each sign of a modified system."""
        superuser = self.answers.read_if_asked("superuser", read_superuser_paths, ())
        return self._of_properties(partial(modification_signs, superuser_paths=superuser))

    @property
    def screen_lock(self) -> bool | None:
        """Whether a PIN, pattern or password closes it."""
        return self.answers.read("trust", has_screen_lock)

    @property
    def account_count(self) -> int:
        """How many accounts there are."""
        users = self.answers.read_if_asked("users", read_user_ids, (0,))
        return self.answers.read("accounts", partial(count_accounts, user_ids=users))

    @property
    def user_ids(self) -> tuple[int, ...]:
        """The owner and everybody else."""
        return self.answers.read("users", read_user_ids)

    @property
    def device_owner(self) -> bool:
        """Whether an organisation manages it."""
        return self.answers.read("policy", has_device_owner)

    @cached_property
    def features(self) -> frozenset[str]:
        """All that its package manager says it has."""
        return self.answers.read("features", read_features)

    @cached_property
    def packages(self) -> frozenset[str]:
        """The names of all packages."""
        return self.answers.read_if_asked("all_packages", read_packages, frozenset())

    @property
    def felica_capable(self) -> bool | None:
        """Whether it has what runs a FeliCa chip."""
        directories = self.answers.read_if_asked("felica", read_felica_directories, ())
        return felica_capable(self.features, self.packages, directories)

    @property
    def jpki_capable(self) -> bool | None:
        """Whether it can hold a certificate of JPKI."""
        return jpki_capable(self.features, self.packages)

    @property
    def removable_media(self) -> bool:
        """Whether a memory card is in it."""
        disks = self.answers.read_if_asked("disks", str, "")
        return self.answers.read("volumes", partial(has_removable_media, disks=disks))

    @property
    def sim(self) -> bool | None:
        """Whether a SIM is in it."""
        return self._of_properties(has_sim)

    @property
    def telephony(self) -> bool | None:
        """Whether it can telephone."""
        return can_telephone(self.features)

    @property
    def nfc(self) -> NfcFacts:
        """What it says of its radio; a refusal or an unknown form says nothing."""
        told = [self.answers.read_if_told(name, str) or "" for name in ("setting", "nfc")]
        return read_nfc(*told)

    @property
    def handset_facts(self) -> HandsetFacts:
        """All that the gates and the certificate need to know."""
        return HandsetFacts(
            identity=self.identity,
            sdk=self.sdk,
            abi=self.abi,
            storage=self.storage,
            battery_percent=self.battery_percent,
            battery_temperature_c=self.battery_temperature_c,
            crypto_state=self.crypto_state,
            crypto_type=self.crypto_type,
            metadata_encryption=self.metadata_encryption,
            verified_boot_state=self.verified_boot_state,
            bootloader_locked=self.bootloader_locked,
            security_patch=self.security_patch,
            modification_signs=self.modification_signs,
            screen_lock=self.screen_lock,
            account_count=self.account_count,
            user_ids=self.user_ids,
            device_owner=self.device_owner,
            felica_capable=self.felica_capable,
            jpki_capable=self.jpki_capable,
            removable_media=self.removable_media,
            sim=self.sim,
            telephony=self.telephony,
        )

    def _of_properties(self, parse: Callable[[Mapping[str, str]], T]) -> T:
        properties = self.properties
        with self.answers.blamed("properties"):
            return parse(properties)

    def _required(self, *names: str) -> str:
        return self._of_properties(lambda told: required(told, *names))

    def flag(self, name: str) -> bool | None:
        """A property that is true or false; None where it isn't set."""
        value = self._of_properties(lambda told: one_of(told, name, "true", "false", "1", "0"))
        return None if value is None else value in ("true", "1")
