"""What benchd makes of a handset's answers, fact by fact, whether it lies there or in a dossier."""

from __future__ import annotations

from functools import cached_property, partial

from benchd.android.facts.account_types import Accounts, sort_accounts
from benchd.android.facts.accounts import read_account_types
from benchd.android.facts.battery import read_battery
from benchd.android.facts.boot_state import (
    bootloader_locked,
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
from benchd.android.facts.identity_reading import IdentityReading
from benchd.android.facts.modification import Sign, modification_signs
from benchd.android.facts.nfc import read_nfc
from benchd.android.facts.packages import read_packages
from benchd.android.facts.policy import has_device_owner
from benchd.android.facts.settings import read_frp_armed
from benchd.android.facts.sim import has_sim, sim_lock, sim_slots
from benchd.android.facts.storage import beside_statfs, read_mounts, read_storage
from benchd.android.facts.superuser import read_superuser_paths
from benchd.android.facts.trust import has_screen_lock
from benchd.android.facts.user_kinds import kinds_of
from benchd.android.facts.users import User, read_user_ids, read_users
from benchd.android.facts.volumes import has_removable_media
from benchd.words.handset import (
    OWNER,
    BatteryFacts,
    HandsetFacts,
    ModificationSource,
    NfcFacts,
    StandingFacts,
    StorageFacts,
    UserKind,
)


class Reading(IdentityReading):
    """Each fact under its own name: what the gates and the certificate need to know."""

    @property
    def storage(self) -> StorageFacts:
        """Size and use of the user storage, by two programs where the handset has both."""
        mounts = self.answers.read("mounts", read_mounts)
        storage = self.answers.read("usage", partial(read_storage, mounts=mounts))
        checked = self.answers.read_if_told("statfs", partial(beside_statfs, storage))
        return checked or storage

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
        return self.of_properties(partial(crypto_state, policy=policy))

    @property
    def crypto_type(self) -> str | None:
        """How it is."""
        return self.of_properties(crypto_type)

    @property
    def metadata_encryption(self) -> bool | None:
        """Whether names and sizes are encrypted as well."""
        return self.flag("ro.crypto.metadata.enabled")

    @property
    def verified_boot_state(self) -> str | None:
        """The colour of the boot chain."""
        return self.of_properties(verified_boot_state)

    @property
    def bootloader_locked(self) -> bool | None:
        """Whether the boot loader is."""
        return self.of_properties(bootloader_locked)

    @property
    def security_patch(self) -> str | None:
        """The system's patch level."""
        return security_patch(self.properties)

    @cached_property
    def _signs(self) -> tuple[Sign, ...]:
        superuser = self.answers.read_if_asked("superuser", read_superuser_paths, ())
        return self.of_properties(partial(modification_signs, superuser_paths=superuser))

    @property
    def modification_signs(self) -> tuple[str, ...]:
        """Each sign of a modified system."""
        return tuple(sign.text for sign in self._signs)

    @property
    def modification_sources(self) -> tuple[ModificationSource, ...]:
        """Where these come from, each once."""
        return tuple(dict.fromkeys(sign.source for sign in self._signs))

    @property
    def screen_lock(self) -> bool | None:
        """Whether a PIN, pattern or password closes it."""
        return self.answers.read("trust", has_screen_lock)

    @property
    def frp_armed(self) -> bool | None:
        """Whether factory reset protection is active, by either place that Android has kept it."""
        told = [
            self.answers.read_if_told(name, read_frp_armed) for name in ("frp_global", "frp_secure")
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

    @cached_property
    def users(self) -> tuple[User, ...]:
        """The owner and everybody else."""
        return self.answers.read("users", read_users)

    @property
    def user_ids(self) -> tuple[int, ...]:
        """Their numbers."""
        return tuple(user.number for user in self.users)

    @property
    def user_kinds(self) -> tuple[UserKind, ...]:
        """What all but the owner are."""
        return kinds_of(self.users)

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
        return self.of_properties(has_sim)

    @property
    def sim_slots(self) -> int | None:
        """How many SIMs it can hold."""
        return self.of_properties(sim_slots)

    @property
    def sim_lock(self) -> bool | None:
        """Whether it takes the SIMs of one carrier only."""
        return self.of_properties(sim_lock)[0]

    @property
    def sim_lock_source(self) -> str | None:
        """What told that."""
        return self.of_properties(sim_lock)[1]

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
    def standing(self) -> StandingFacts:
        """Who it is and what the gates refuse by."""
        return StandingFacts(
            identity=self.identity,
            modification_signs=self.modification_signs,
            modification_sources=self.modification_sources,
            screen_lock=self.screen_lock,
            frp_armed=self.frp_armed,
            account_count=self.accounts.account_count,
            unknown_account_types=self.accounts.unknown_account_types,
            frp_account_types=self.accounts.frp_account_types,
            user_ids=self.user_ids,
            user_kinds=self.user_kinds,
            device_owner=self.device_owner,
            removable_media=self.removable_media,
            sim=self.sim,
        )

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
            account_count=self.accounts.account_count,
            user_ids=self.user_ids,
            device_owner=self.device_owner,
            felica_capable=self.felica_capable,
            jpki_capable=self.jpki_capable,
            removable_media=self.removable_media,
            sim=self.sim,
            telephony=self.telephony,
            sim_slots=self.sim_slots,
            maker_accounts=self.accounts.maker_accounts,
            maker_account_types=self.accounts.maker_account_types,
            unknown_account_types=self.accounts.unknown_account_types,
            frp_account_types=self.accounts.frp_account_types,
            user_kinds=self.user_kinds,
            modification_sources=self.modification_sources,
            frp_armed=self.frp_armed,
            sim_lock=self.sim_lock,
            sim_lock_source=self.sim_lock_source,
        )
