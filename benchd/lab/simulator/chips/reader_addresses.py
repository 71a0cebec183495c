"""How the virtual readers of a rack are called, and where the outside world finds them.

Debian's pcscd takes 16 readers. vpcd has two to a driver, and one driver file serves one entry
only, so each pcscd gets eight copies of it; every further 16 slots get a pcscd of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SLOTS_OF_DRIVER: Final = 2
SLOTS_OF_PCSCD: Final = 16
FIRST_VPCD_PORT: Final = 17001


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderAddress:
    """Where a slot's reader is: a pcscd's socket, for PCSCLITE_CSOCK_NAME, and a name there."""

    socket: Path
    name: str


def reader_address(directory: Path, slot: int) -> ReaderAddress:
    """The reader of this slot in the rack that has this directory."""
    place = (slot - 1) % SLOTS_OF_DRIVER
    return ReaderAddress(
        socket=pcscd_socket(directory, pcscd_number(slot)),
        # PC/SC adds the number of the reader, which is 00 for each driver file, and the slot.
        name=f"{friendly_name(slot)} 00 {place:02X}",
    )


def pcscd_number(slot: int) -> int:
    """Which pcscd has this slot's reader, from 1 on."""
    return (slot - 1) // SLOTS_OF_PCSCD + 1


def slots_of_pcscds(readers: int) -> Mapping[int, range]:
    """By pcscd, the slots whose readers it has, in a rack with so many readers."""
    firsts = range(1, readers + 1, SLOTS_OF_PCSCD)
    return {
        pcscd_number(first): range(first, min(first + SLOTS_OF_PCSCD, readers + 1))
        for first in firsts
    }


def pcscd_directory(directory: Path, number: int) -> Path:
    """All that belongs to one pcscd."""
    return directory / "pcscd" / str(number)


def pcscd_socket(directory: Path, number: int) -> Path:
    """Where one pcscd listens."""
    return pcscd_directory(directory, number) / "run" / "pcscd.comm"


def friendly_name(slot: int) -> str:
    """What the driver with this slot is called."""
    driver = (slot - 1) // SLOTS_OF_DRIVER + 1
    return f"benchd virtual FeliCa reader {driver:02}"


def vpcd_port(slot: int) -> int:
    """Where vpcd waits for this slot's card, inside the rack's network."""
    return FIRST_VPCD_PORT + slot - 1
