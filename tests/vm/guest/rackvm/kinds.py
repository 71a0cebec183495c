"""Handsets by name, for whoever doesn't want to write a whole plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from benchd.domain.errors import UsageRefused
from benchd.lab.simulator.scenarios import SCENARIOS

from .plan import MEBIBYTE, Chip, FileSystem, Mode, UsbHandset

CAPACITY_BYTES: Final = 1024 * MEBIBYTE
"""F2fs holds 30 % of 128 MiB back for itself, of which no honest coverage comes."""
BIG_EXT4_CAPACITY_BYTES: Final = 128 * MEBIBYTE
SMALL_CAPACITY_BYTES: Final = 48 * MEBIBYTE
"""Of less, benchd's two programs would take more than an honest coverage leaves."""
MARKERS: Final = 400


def _of(scenario: str) -> UsbHandset:
    """The virtual rack's handset of that name, on real USB; owners' data are markers here."""
    android = SCENARIOS[scenario].handset(name=scenario, slot=None, capacity_bytes=CAPACITY_BYTES)
    # Storage faults are device-mapper's here, and cables are pulled by hand.
    plain = replace(android, faults=type(android.faults)(), triggers=())
    return UsbHandset(
        android=replace(plain, reset_s=22.0, restart_s=3.0),
        markers=MARKERS if android.owner_share else 0,
        arrives_reset=not android.owner_share,
    )


def _small(handset: UsbHandset) -> UsbHandset:
    """Ext4 has no logs to be reached: a tenth of f2fs' work for two emulated processors."""
    return replace(
        handset,
        file_system=FileSystem.EXT4,
        android=replace(handset.android, capacity_bytes=SMALL_CAPACITY_BYTES),
    )


_CLEAN: Final = _of("clean")
_SMALL: Final = _small(_CLEAN)
_BIG_EXT4: Final = replace(
    _CLEAN,
    file_system=FileSystem.EXT4,
    android=replace(_CLEAN.android, capacity_bytes=BIG_EXT4_CAPACITY_BYTES),
)
"""Half of a small one's faulty range would lie in the journal, where no file gets."""
_TWIN: Final = _small(_of("same-serial-a"))
_OWNED: Final = _small(_of("account-and-lock"))

KINDS: Final[Mapping[str, UsbHandset]] = MappingProxyType(
    {
        **{
            name: _of(name)
            for name in (
                *("clean", "live-data", "same-serial-a", "same-serial-b"),
                *("account-and-lock", "reset-lies", "modified-os"),
            )
        },
        **{name: _small(_of(name)) for name in ("felica-in-use", "felica-clear-lies")},
        "same-serial-small": _TWIN,
        # Nobody has reset or unlocked it, and its port shows what one fresh from a reset shows.
        "same-serial-owned": replace(
            _OWNED,
            android=replace(
                _OWNED.android,
                model=_TWIN.android.model,
                serial=_TWIN.android.serial,
                adb_enabled=False,
            ),
        ),
        "ext4": _SMALL,
        "residue": replace(_CLEAN, markers=MARKERS),
        "residue-ext4": replace(_BIG_EXT4, markers=MARKERS),
        "unencrypted": replace(
            _SMALL,
            markers=MARKERS,
            android=replace(_SMALL.android, crypto_state="unencrypted"),
        ),
        "arm64": replace(_SMALL, android=replace(_SMALL.android, abi="arm64-v8a")),
        "arm": replace(_SMALL, android=replace(_SMALL.android, abi="armeabi-v7a")),
        "unauthorized": replace(_SMALL, asks_for_key=True),
        "mtp-only": replace(_SMALL, android=replace(_SMALL.android, adb_enabled=False)),
        "charging": replace(_SMALL, mode=Mode.CHARGING),
        "fastboot": replace(_SMALL, mode=Mode.FASTBOOT),
        "recovery": replace(_SMALL, mode=Mode.RECOVERY),
        "slow": replace(_SMALL, chip=Chip.SLOW),
        "slow-f2fs": replace(_CLEAN, chip=Chip.SLOW),
        "fails": replace(_BIG_EXT4, chip=Chip.FAILS),
        "drops-writes": replace(_BIG_EXT4, chip=Chip.DROPS_WRITES),
    }
)
"""Every kind by its name."""


def kind(word: str, *, name: str, number: int) -> UsbHandset:
    """A handset of this kind, with a name and numbers of its own; raises UsageRefused."""
    found = KINDS.get(word)
    if found is None:
        raise UsageRefused(f"no such kind: {word}; there are {', '.join(KINDS)}")
    serial = found.android.serial
    if not word.startswith("same-serial"):
        serial = f"{serial[:-3]}{number:03}"
    imei = SCENARIOS["clean"].handset(name=name, slot=None, copy=number + 1).imei
    return replace(found, android=replace(found.android, name=name, serial=serial, imei=imei))
