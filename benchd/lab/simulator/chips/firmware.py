"""What a contactless reader's own firmware makes of APDUs; modelled on the ACS ACR1252U.

Known from ACS' manual for the ACM1252U: the ATR, `FF CA 00 00 00` for the IDm, and `FF 00 00 00
Lc <frame>` which hands a FeliCa frame through and answers with the response and 9000. Taken
from PC/SC part 3: 6A81 for a function and 6E00 for a class that it doesn't have, 6700 for a wrong
length. Inferred: 6300 for a chip that says nothing, and that `FF CA 01 00 00` gives the PMm.
"""

from __future__ import annotations

from typing import Final

from benchd.lab.simulator.chips.chip import VirtualChip

ATR: Final = bytes.fromhex("3B8F8001804F0CA0000003061100 3B0000000042")
DONE: Final = b"\x90\x00"
NOTHING_SAID: Final = b"\x63\x00"
_WRONG_LENGTH: Final = b"\x67\x00"
_NO_FUNCTION: Final = b"\x6a\x81"
_NO_CLASS: Final = b"\x6e\x00"
_HEADER_BYTES: Final = 5


def answer(chip: VirtualChip, apdu: bytes) -> bytes:
    """The reader's response to one APDU while this chip lies on it."""
    if apdu[:1] != b"\xff":
        return _NO_CLASS
    if apdu in (bytes.fromhex("FFCA000000"), bytes.fromhex("FFCA000008")):
        return chip.primary_idm + DONE
    if apdu == bytes.fromhex("FFCA010000"):
        return bytes.fromhex(chip.ic.pmm) + DONE
    frame = passed_through(apdu)
    if frame is None:
        return _WRONG_LENGTH if apdu[:4] == b"\xff\x00\x00\x00" else _NO_FUNCTION
    response = chip.answer(frame)
    return NOTHING_SAID if response is None else response + DONE


def passed_through(apdu: bytes) -> bytes | None:
    """The FeliCa frame in an APDU that hands one through, else None."""
    fits = len(apdu) > _HEADER_BYTES and apdu[4] == len(apdu) - _HEADER_BYTES
    return apdu[_HEADER_BYTES:] if fits and apdu[:4] == b"\xff\x00\x00\x00" else None
