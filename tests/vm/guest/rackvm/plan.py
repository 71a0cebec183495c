"""What a handset of the virtual machine is made of. Values only; the host's tests use them too."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from pydantic import TypeAdapter

from benchd.lab.simulator.plan import HandsetPlan

MEBIBYTE: Final = 1 << 20
SLOTS: Final = 24
READER_SLOTS: Final = range(21, 25)
"""The slots with a contactless reader under them."""


class Mode(StrEnum):
    """What a handset shows on USB."""

    ANDROID = "android"
    """Android is up: adb while debugging is on, else file transfer (MTP)."""
    CHARGING = "charging"
    """It only charges: one interface that nobody speaks to."""
    FASTBOOT = "fastboot"
    """The bootloader waits for commands."""
    RECOVERY = "recovery"
    """The recovery system, with adb."""


class FileSystem(StrEnum):
    """What `/data` is."""

    F2FS = "f2fs"
    EXT4 = "ext4"


class Chip(StrEnum):
    """What the storage chip does, below the file system (device-mapper)."""

    GOOD = "good"
    SLOW = "slow"
    """Every access waits."""
    FAILS = "fails"
    """A range in its middle answers with errors."""
    DROPS_WRITES = "drops_writes"
    """A range in its middle takes writes and keeps what it had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsbHandset:
    """One handset: what its Android is, as in the virtual rack, and what only real USB has."""

    android: HandsetPlan
    mode: Mode = Mode.ANDROID
    file_system: FileSystem = FileSystem.F2FS
    active_logs: int = 6
    """How many logs f2fs keeps open at once: 2, 4 or 6."""
    quota_share: float | None = None
    """Its shell may write no more than this share of the chip (a project quota)."""
    chip: Chip = Chip.GOOD
    asks_for_key: bool = False
    """Unauthorized until somebody taps Allow on its screen."""
    markers: int = 0
    """How many markers of the last owner are planted, half of them in files that are deleted."""
    arrives_reset: bool = True
    """Whether the owner has reset it after that; nothing is discarded by it."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.android.name


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """One handset as it is: the truth that benchd has to find out."""

    name: str
    slot: int | None
    mode: Mode
    adb_enabled: bool
    enumerated: bool
    restarting: bool
    broken: str | None
    serial: str
    imei: str
    android_id: str
    boot_count: int
    reset_count: int
    test_harness: bool
    log: tuple[str, ...] = field(default=())


HANDSET_JSON: Final = TypeAdapter(UsbHandset)
"""Reads and writes a handset as JSON."""
STATES_JSON: Final = TypeAdapter(tuple[State, ...])
"""Reads and writes what `list` answers."""
