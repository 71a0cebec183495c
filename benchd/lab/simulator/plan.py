"""What a virtual rack is made of: handsets, their owners' data, their faults. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from pydantic import TypeAdapter

from benchd.lab.simulator.chips.chip_plan import CardPlan, ChipPlan
from benchd.lab.simulator.storage.faults import StorageFaults

MEBIBYTE: Final = 1 << 20
DEFAULT_CAPACITY_BYTES: Final = 64 * MEBIBYTE


class TestHarness(StrEnum):
    """What `cmd testharness enable` does on a handset that has no screen lock."""

    __test__ = False  # not one of pytest's

    WORKS = "works"
    LIES = "lies"
    """It answers 0 and does nothing."""
    UNSUPPORTED = "unsupported"
    """The maker has left out what it needs: answer 1."""


class Wipe(StrEnum):
    """Which reset a restart goes with."""

    NONE = "none"
    TEST_HARNESS = "test_harness"
    BY_HAND = "by_hand"


class Dd(StrEnum):
    """What its `dd` makes of `iflag=direct`; where no program runs, all rests on it."""

    DIRECT = "direct"
    OLD = "old"
    """It doesn't know the flag, as nearly none does: toybox has it since 0.8.13, October 2025."""
    REMEMBERS = "remembers"
    """It takes the flag, and is answered from memory all the same."""


class Act(StrEnum):
    """What befalls a handset in mid-fill."""

    UNPLUG = "unplug"
    HANG = "hang"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Something that happens once, when the fill has written this share of the capacity."""

    at_fill_fraction: float
    do: Act
    plug_back_after_s: float | None = None
    """For UNPLUG: how long until the cable is put back; None leaves it out."""
    faults: StorageFaults | None = None
    """For FAULT: what the chip does wrong from then on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetModel:
    """What all handsets of one model and software have in common."""

    manufacturer: str
    brand: str
    model: str
    product: str
    device: str
    android: str
    sdk: int
    build: str
    incremental: str
    security_patch: str
    vendor_id: str
    product_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account that somebody left on the handset."""

    name: str
    type: str = "com.google"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user or profile besides the owner."""

    number: int
    name: str
    flags: int = 0x1030
    closed: bool = False
    """Whether its owner has closed it to adb, as Secure Folder is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAnswer:
    """What a handset answers to one question in the place of what it would say by itself."""

    text: str
    status: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetPlan:
    """One virtual handset as it comes in."""

    name: str
    model: HandsetModel
    serial: str
    imei: str
    slot: int | None = None
    """Where it is plugged in when the rack starts; None leaves it on the table."""
    adb_enabled: bool = True
    authorized: bool = True
    """Whether somebody has allowed this computer on the handset's screen."""
    capacity_bytes: int = DEFAULT_CAPACITY_BYTES
    reserved_fraction: float = 0.02
    """Share of the storage that only the system may use."""
    owner_share: float = 0.0
    """Share of the storage that is in use, the system's own part included; 0: freshly reset."""
    swap_share: float = 0.0
    """Share of the storage that the maker's memory extension takes, after a reset too."""
    accounts: tuple[Account, ...] = ()
    maker_accounts: tuple[Account, ...] = ()
    """What its system makes at every first start, and nobody can remove."""
    maker_packages: tuple[str, ...] = ()
    """Apps that its maker lets people remove: they stand beside an owner's after a reset."""
    users: tuple[User, ...] = ()
    packages: tuple[str, ...] = ()
    calls: int = 0
    contacts: int = 0
    messages: int = 0
    boot_count: int = 1
    screen_lock: bool = False
    device_owner: str | None = None
    """The component of a company's device owner."""
    properties: tuple[tuple[str, str], ...] = ()
    """What its system says of itself in place of what its maker's would."""
    verified_boot_state: str = "green"
    bootloader_locked: bool = True
    superuser: bool = False
    crypto_state: str = "encrypted"
    """What it says of its storage: before Android 7 often `unencrypted`."""
    felica: bool = True
    """Whether it has what runs a FeliCa chip: features and packages of Japanese models."""
    abi: str | None = None
    """For which processor it runs programs, in Android's words; None: as this machine does."""
    runs_programs: bool = True
    """Whether a program in its user storage may be run; False: mounted noexec."""
    dd: Dd = Dd.OLD
    nfc_on: bool = True
    """Off, its chip is silent."""
    felica_apart: bool = False
    """Its chip is one of its own beside the NFC controller, and answers though NFC is off."""
    asleep: bool = False
    """Screen off and locked; taken to make its chip silent, as the lock of some models does."""
    memory_card: bool = False
    sim: bool = False
    battery_percent: int = 82
    charges_percent_per_s: float = 0.0
    """How fast it charges in its slot."""
    battery_temperature_c: float = 28.1
    battery_cycles: int = 312
    battery_full_uah: int = 4_071_000
    battery_design_uah: int = 4_410_000
    """What its health service tells of its wear, from Android 14 on."""
    test_harness: TestHarness = TestHarness.WORKS
    reset_s: float = 40.0
    """How long a reset keeps the handset off the bus, in the rack's own time."""
    restart_s: float = 2.0
    """The same of a mere restart."""
    shutdown_s: float = 0.3
    """How long it still answers after it was asked to restart."""
    faults: StorageFaults = field(default_factory=StorageFaults)
    triggers: tuple[Trigger, ...] = ()
    given: Mapping[str, GivenAnswer] = field(default_factory=dict[str, GivenAnswer])
    """Answers of another handset, by the names of benchd's questions."""
    chip: ChipPlan = field(default_factory=ChipPlan)
    """Its FeliCa chip, which goes where the handset goes and which no reset touches."""

    @property
    def chip_as_read(self) -> ChipPlan:
        """What a reader finds: a handset without a chip is as one that says nothing."""
        answers = self.felica and (self.nfc_on or self.felica_apart) and not self.asleep
        return self.chip if answers else replace(self.chip, silent=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class RackPlan:
    """A rack's handsets, each name once."""

    handsets: tuple[HandsetPlan, ...]
    readers: int = 0
    """How many slots, from 1 on, have a contactless reader."""
    cards: tuple[CardPlan, ...] = ()
    """Chips that are in no handset, each name once."""


PLAN_JSON: Final = TypeAdapter(RackPlan)
"""Reads and writes a plan as JSON."""
