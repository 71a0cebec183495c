"""What the handset said of itself: at inspection, at the gates, before and after its reset."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.proof.evidence.fresh import SignedPicture
from benchd.proof.evidence.intake import DeferredGate, SettledGate
from benchd.proof.evidence.people import DecisionEvidence
from benchd.proof.evidence.values import Number, Seconds, Sha256, Whole
from benchd.words.handset import HandsetFacts, ModificationSource, ResetFacts, UserKind
from benchd.words.job import Reason
from benchd.words.screen import OpenedPage, ScreenOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectEvidence:
    """Stage `inspect`: the facts of `HandsetFacts`, one by one."""

    serial: str
    manufacturer: str
    model: str
    android: str
    build: str
    imei: str | None
    sdk: Whole
    abi: str
    capacity_bytes: Whole
    used_bytes: Whole
    free_bytes: Whole
    file_system: str
    battery_percent: Whole
    battery_temperature_c: Number
    crypto_state: str
    crypto_type: str | None
    metadata_encryption: bool | None
    verified_boot_state: str | None
    bootloader_locked: bool | None
    modification_signs: tuple[str, ...]
    screen_lock: bool | None
    account_count: Whole
    user_ids: tuple[int, ...]
    device_owner: bool
    felica_capable: bool | None
    jpki_capable: bool | None
    removable_media: bool
    sim: bool | None
    security_patch: str | None = None
    second_imei: str | None = None
    telephony: bool | None = None
    maker_accounts: Whole = 0
    """Accounts that the maker's system makes; older forms counted them with the others."""
    maker_account_types: tuple[str, ...] = ()
    unknown_account_types: tuple[str, ...] = ()
    frp_account_types: tuple[str, ...] = ()
    user_kinds: tuple[UserKind, ...] = ()
    statfs_capacity_bytes: Whole | None = None
    """The storage by a second program at the same moment; None where the handset has none."""
    statfs_free_bytes: Whole | None = None
    sim_slots: Whole | None = None
    """How many SIMs it can hold, and so IMEIs it has; None where it doesn't say."""
    modification_sources: tuple[ModificationSource, ...] = ()
    """Which independent sources the signs come from; older forms took any sign for enough."""
    frp_armed: bool | None = None
    sim_lock: bool | None = None
    sim_lock_source: str | None = None

    @property
    def imeis(self) -> tuple[str, ...]:
        """All that the handset told over adb."""
        return tuple(imei for imei in (self.imei, self.second_imei) if imei is not None)

    @classmethod
    def of(cls, facts: HandsetFacts) -> InspectEvidence:
        """What the inspection puts on record."""
        identity, storage = facts.identity, facts.storage
        return cls(
            serial=identity.serial,
            manufacturer=identity.manufacturer,
            model=identity.model,
            android=identity.android,
            build=identity.build,
            imei=identity.imei,
            sdk=facts.sdk,
            abi=facts.abi,
            capacity_bytes=storage.capacity_bytes,
            used_bytes=storage.used_bytes,
            free_bytes=storage.free_bytes,
            file_system=storage.file_system,
            battery_percent=facts.battery_percent,
            battery_temperature_c=facts.battery_temperature_c,
            crypto_state=facts.crypto_state,
            crypto_type=facts.crypto_type,
            metadata_encryption=facts.metadata_encryption,
            verified_boot_state=facts.verified_boot_state,
            bootloader_locked=facts.bootloader_locked,
            modification_signs=facts.modification_signs,
            screen_lock=facts.screen_lock,
            account_count=facts.account_count,
            user_ids=facts.user_ids,
            device_owner=facts.device_owner,
            felica_capable=facts.felica_capable,
            jpki_capable=facts.jpki_capable,
            removable_media=facts.removable_media,
            sim=facts.sim,
            security_patch=facts.security_patch,
            second_imei=identity.second_imei,
            telephony=facts.telephony,
            maker_accounts=facts.maker_accounts,
            maker_account_types=facts.maker_account_types,
            unknown_account_types=facts.unknown_account_types,
            frp_account_types=facts.frp_account_types,
            user_kinds=facts.user_kinds,
            statfs_capacity_bytes=storage.statfs_capacity_bytes,
            statfs_free_bytes=storage.statfs_free_bytes,
            sim_slots=facts.sim_slots,
            modification_sources=facts.modification_sources,
            frp_armed=facts.frp_armed,
            sim_lock=facts.sim_lock,
            sim_lock_source=facts.sim_lock_source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchLookUp:
    """What became of looking the IMEI up in the dealer's list of wanted handsets."""

    sha256: str
    entries: Whole
    looked_up: str
    answer: DecisionEvidence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GatesEvidence:
    """Stage `gates`: what was let through, and what people attested."""

    minimum_battery_percent: Whole
    battery_percent: Whole
    accepted: tuple[Reason, ...]
    watch_list: WatchLookUp | None
    answers: tuple[DecisionEvidence, ...]
    screen_number: str | None = None
    """What a person read on the handset's own screen where adb told no IMEI."""
    second_number: str | None = None
    """The other IMEI that its screen showed, of one with two SIMs."""
    label_number: str | None = None
    """Which of the two the papers name of the asset whose label somebody scanned in this job."""
    nominal_bytes: Whole | None = None
    """The size that the storage is sold with; None where that isn't known of its model."""
    nominal_sizes_sha256: Sha256 | None = None
    """Which catalogue of models was looked into, if there was any."""
    doomed_by: tuple[str, ...] | None = None
    """Earlier jobs of this rack that sent the same handset, by its IMEIs, to be destroyed, and tags
    by which it was entered as not erasable; None in older forms, where nobody looked."""
    page: OpenedPage | None = None
    """What was opened on the handset for whoever had to read its number; it proves nothing."""
    settled: tuple[SettledGate, ...] = ()
    """Gates at which nobody had to be asked; older forms asked at every one."""
    deferred: tuple[DeferredGate, ...] = ()
    """Gates that are left to the look at the chip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialiseEvidence:
    """Stage `initialise`: the facts that only a reset changes, before and after it."""

    before: ResetFacts
    fresh_used_bytes: Whole
    fresh_used_share: Number = 1.0
    """The same as a share of the capacity; older forms knew none."""
    after: ResetFacts | None = None
    """None where the handset came in already reset."""
    method: str | None = None
    absent_s: Seconds | None = None
    pages: tuple[OpenedPage, ...] = ()
    """What was opened on the handset for whoever stood before it; it proves nothing."""
    setup: ScreenOutcome | None = None
    """Whether its first setup was left out after Test Harness Mode; None where nobody asked."""
    picture: SignedPicture | None = None
    """How this model looks when it is fresh, where somebody has taken that; it can only excuse."""

    @property
    def left(self) -> ResetFacts:
        """The handset as its reset left it, here or before it came in."""
        return self.after or self.before
