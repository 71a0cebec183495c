"""What lies on a handset's /data: the system's own files, and what a previous owner left.

The layout is Android's; what is in the files is made up.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from benchd.lab.simulator.storage.file_nodes import SHELL_OWNER, SYSTEM_OWNER
from benchd.lab.simulator.storage.medium import BLOCK_BYTES
from benchd.lab.simulator.storage.tree import Tree

MARK_BYTES: Final = 32
SYSTEM_SHARE: Final = 0.04
"""What a freshly reset handset uses of its /data, at least."""

_DIRECTORIES: Final = (
    ("/adb", 0o700),
    ("/anr", 0o775),
    ("/app", 0o771),
    ("/data", 0o771),
    ("/local", 0o751),
    ("/local/tmp", 0o771),
    # The shell sees them through /sdcard, whose own daemon grants it all of them.
    ("/media", 0o775),
    ("/media/0", 0o775),
    ("/misc", 0o1771),
    ("/property", 0o700),
    ("/system", 0o775),
    ("/system/users", 0o775),
    ("/user", 0o711),
    ("/user_de", 0o711),
)
_SYSTEM_FILES: Final = (
    "/system/packages.xml",
    "/system/users/0.xml",
    "/property/persistent_properties",
    "/misc/bootanim.dat",
)
_SWAP_FILE: Final = "/system/extm_file"
_OWNER_DIRECTORIES: Final = (
    "/media/0/DCIM",
    "/media/0/DCIM/Camera",
    "/media/0/Download",
    "/media/0/Pictures",
    "/data/jp.naver.line.android",
    "/data/jp.naver.line.android/databases",
    "/data/com.android.providers.contacts",
    "/data/com.android.providers.contacts/databases",
    "/app/jp.naver.line.android",
    "/app/com.example.kakeibo",
)
_OWNER_FILES: Final = (
    # Path with a number, size in KiB, how the file begins.
    ("/media/0/DCIM/Camera/IMG_20240503_{number:06}.jpg", 440, b"\xff\xd8\xff\xe1"),
    ("/data/jp.naver.line.android/databases/naver_line_{number}", 96, b"SQLite format 3\0"),
    ("/media/0/Download/meisai-{number:03}.pdf", 180, b"%PDF-1.7\n"),
    ("/app/com.example.kakeibo/base-{number}.apk", 620, b"PK\x03\x04"),
    ("/media/0/Pictures/Screenshot_{number:06}.png", 260, b"\x89PNG\r\n\x1a\n"),
    ("/data/com.android.providers.contacts/databases/contacts{number}.db", 8, b"SQLite format 3\0"),
    ("/app/jp.naver.line.android/split-{number}.apk", 900, b"PK\x03\x04"),
    ("/media/0/Download/memo-{number}.txt", 1, b"\xe3\x83\xa1\xe3\x83\xa2\n"),
)


def lay_out_system(tree: Tree, *, swap_share: float = 0.0) -> None:
    """What a handset has on /data after a reset, its maker's memory extension among it."""
    for path, mode in _DIRECTORIES:
        owner = SHELL_OWNER if path == "/local/tmp" else SYSTEM_OWNER
        tree.make_directory(path, mode=mode, owner=owner)
    size = int(tree.volume.space.block_count * SYSTEM_SHARE) * BLOCK_BYTES
    for path in _SYSTEM_FILES:
        file = tree.make_file(path, mode=0o660, owner=SYSTEM_OWNER)
        tree.volume.write(file, 0, os.urandom(size // len(_SYSTEM_FILES)))
    if swap_share:
        file = tree.make_file(_SWAP_FILE, mode=0o600, owner=SYSTEM_OWNER)
        blocks = int(tree.volume.space.block_count * swap_share)
        tree.volume.write(file, 0, os.urandom(blocks * BLOCK_BYTES))


def lay_out_previous_owner(tree: Tree, *, share: float, mark: bytes) -> None:
    """Photos, apps and databases until this share of the storage is in use.

    Every block of them bears `mark`, so that what is left of them can be counted on the chip.
    """
    if share <= 0.0:
        return
    for path in _OWNER_DIRECTORIES:
        shared = path.startswith("/media/")
        tree.make_directory(path, mode=0o775 if shared else 0o771, owner=SYSTEM_OWNER)
    space = tree.volume.space
    free_at_end = space.block_count * (1.0 - share)
    for path, size_bytes, head in _owner_files():
        if space.free_blocks <= free_at_end:
            return
        file = tree.make_file(path, mode=0o660, owner=SYSTEM_OWNER)
        file.previous_owner = True
        tree.volume.write(file, 0, _marked(head, size_bytes, mark))


def _owner_files() -> Iterator[tuple[str, int, bytes]]:
    number = 1
    while True:
        for pattern, size_kib, head in _OWNER_FILES:
            yield pattern.format(number=number), size_kib * 1024, head
        number += 1


def _marked(head: bytes, size_bytes: int, mark: bytes) -> bytes:
    content = bytearray(os.urandom(size_bytes))
    for place in range(0, size_bytes, BLOCK_BYTES):
        content[place + 64 : place + 64 + len(mark)] = mark
    content[: len(head)] = head
    return bytes(content)
