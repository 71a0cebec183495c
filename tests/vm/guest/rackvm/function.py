"""The USB function of a handset without adb: function.py FOLDER mtp|charging|fastboot.

A stand-in for what phones have there: MTP and charging answer nothing; fastboot answers as a
locked bootloader does. With the system's own Python and nothing else.
"""

from __future__ import annotations

import os
import struct
import sys
import threading
from pathlib import Path

# Linux, include/uapi/linux/usb/functionfs.h.
STRINGS_MAGIC = 2
DESCRIPTORS_MAGIC_V2 = 3
HAS_FULL_SPEED, HAS_HIGH_SPEED = 1, 2
ENGLISH = 0x409
BULK = 2
INTERRUPT = 3
OUT, IN = 0x00, 0x80

# Class, subclass, protocol; endpoints as direction and kind, in the order of their numbers.
KINDS = {
    "mtp": ((6, 1, 1), ((IN, BULK), (OUT, BULK), (IN, INTERRUPT))),
    "charging": ((0xFF, 0xFF, 0), ((IN, BULK),)),
    "fastboot": ((0xFF, 0x42, 3), ((IN, BULK), (OUT, BULK))),
}
NAMES = {"mtp": "MTP", "charging": "charging", "fastboot": "fastboot"}
VARIABLES = {"unlocked": "no", "version": "0.4", "is-userspace": "no", "secure": "yes"}
LONGEST_COMMAND = 4096


def descriptors(kind: str) -> bytes:
    """What FunctionFS wants first: the interface and its endpoints, for both speeds."""
    (cls, subclass, protocol), endpoints = KINDS[kind]
    speeds = b""
    for bulk_bytes in (64, 512):
        speeds += struct.pack("<BBBBBBBBB", 9, 4, 0, 0, len(endpoints), cls, subclass, protocol, 1)
        for number, (direction, transfer) in enumerate(endpoints, start=1):
            size, interval = (bulk_bytes, 0) if transfer == BULK else (28, 6)
            speeds += struct.pack("<BBBBHB", 7, 5, direction | number, transfer, size, interval)
    count = 1 + len(endpoints)
    body = struct.pack("<II", count, count) + speeds
    flags = HAS_FULL_SPEED | HAS_HIGH_SPEED
    return struct.pack("<III", DESCRIPTORS_MAGIC_V2, 12 + len(body), flags) + body


def strings(kind: str) -> bytes:
    """What FunctionFS wants second: the interface's name."""
    body = struct.pack("<H", ENGLISH) + NAMES[kind].encode() + b"\0"
    return struct.pack("<IIII", STRINGS_MAGIC, 16 + len(body), 1, 1) + body


def answer(command: bytes) -> bytes:
    """What a locked bootloader says."""
    word, _, argument = command.decode(errors="replace").partition(":")
    if word == "getvar":
        return b"OKAY" + VARIABLES.get(argument, "").encode()
    return b"FAILnot allowed in locked state"


def serve_fastboot(folder: Path) -> None:
    """One command, one answer; after an unplug the endpoints are opened anew."""
    while True:
        try:
            with (
                (folder / "ep2").open("rb", buffering=0) as commands,
                (folder / "ep1").open("wb", buffering=0) as answers,
            ):
                while command := commands.read(LONGEST_COMMAND):
                    answers.write(answer(command))
        except OSError:
            threading.Event().wait(0.1)


def main() -> None:
    """Be the function until killed."""
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    control = os.open(folder / "ep0", os.O_RDWR)
    os.write(control, descriptors(kind))
    os.write(control, strings(kind))
    if kind == "fastboot":
        threading.Thread(target=serve_fastboot, args=(folder,), daemon=True).start()
    while os.read(control, 4096):
        pass


if __name__ == "__main__":
    main()
