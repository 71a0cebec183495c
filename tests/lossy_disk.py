"""A disk that keeps of a power cut what was synced, and of the rest whatever it likes.

It lies below a folder's files: SQLite comes by a VFS of its own, everything else by `os`. What is
written goes to the real files, and into a log from which the files after a cut at any moment can be
made. Names are kept at once, but a rename only with its folder's sync.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import pytest

from benchd.ledger.checksum_vfs import CHECKSUM_VFS, register_checksum_vfs

SECTOR_BYTES = 512
"""A disk writes so much whole or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Bytes that were given to a file; to cut it to a length if there are none."""

    name: str
    at: int
    data: bytes | None


@dataclass(frozen=True, slots=True)
class Sync:
    """A file is on disk up to here."""

    name: str


@dataclass(frozen=True, slots=True)
class Rename:
    """A file takes the place of another once their folder is synced."""

    name: str
    to: str


@dataclass(frozen=True, slots=True)
class SyncNames:
    """The folder is on disk."""


@dataclass(frozen=True, slots=True)
class Remove:
    """A file is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class Told:
    """Somebody has heard that this is on disk."""

    what: object


Step = Write | Sync | Rename | SyncNames | Remove | Told


@dataclass(slots=True)
class _File:
    synced: bytearray = field(default_factory=bytearray)
    pending: list[Write] = field(default_factory=list[Write])

    def sync(self) -> None:
        for write in self.pending:
            _apply(self.synced, write)
        self.pending.clear()

    def after_cut(self, chance: random.Random) -> bytes:
        """Any sectors of what wasn't synced, or all of it, or none."""
        kept = bytearray(self.synced)
        share = chance.choice((0.0, 0.5, 0.95, 1.0))
        for write in self.pending:
            for piece in _sectors(write):
                if chance.random() < share:
                    _apply(kept, piece)
        return bytes(kept)


class LossyDisk:
    """Logs what is written below a folder; `told` notes what was promised."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.steps: list[Step] = []

    def told(self, what: object) -> None:
        """Somebody has heard that this is on disk."""
        self.steps.append(Told(what))

    def name_of(self, path: str | Path) -> str | None:
        """A file's name if it is one of ours."""
        place = Path(path)
        return place.name if place.parent.resolve() == self.folder else None

    def cut(self, at: int, chance: random.Random, into: Path) -> list[object]:
        """Make the files as a cut after so many steps leaves them; what had been promised."""
        files: dict[str, _File] = {}
        renames: list[Rename] = []
        promised: list[object] = []
        for step in self.steps[:at]:
            match step:
                case Write():
                    files.setdefault(step.name, _File()).pending.append(step)
                case Sync():
                    files.setdefault(step.name, _File()).sync()
                case Rename():
                    renames.append(step)
                case SyncNames():
                    _rename(files, renames)
                case Remove():
                    files.pop(step.name, None)
                case Told():
                    promised.append(step.what)
        _rename(files, [rename for rename in renames if chance.random() < 0.5])
        into.mkdir()
        for name, file in files.items():
            place = into / name
            place.write_bytes(file.after_cut(chance))
            place.chmod(0o600)
        return promised

    def cuts(self, count: int, chance: random.Random, into: Path) -> Generator[Cut]:
        """So many cuts at drawn moments."""
        into.mkdir()
        for number in range(count):
            at = chance.randint(1, len(self.steps))
            folder = into / f"cut{number}"
            promised = self.cut(at, chance, folder)
            yield Cut(folder=folder, promised=promised)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """What lies on the disk after a power cut."""

    folder: Path
    promised: list[object]


@contextmanager
def lossy_disk(folder: Path, patch: pytest.MonkeyPatch) -> Generator[LossyDisk]:
    """Everything that is written to this folder inside of the block is logged."""
    disk = LossyDisk(folder)
    register_checksum_vfs()
    kept = [_Vfs(disk, f"lossy-{base}", base) for base in (CHECKSUM_VFS, "unix")]
    default = apsw.vfs_names()[0]
    with patch.context() as patched:
        patched.setattr("benchd.ledger.ledger_database.CHECKSUM_VFS", f"lossy-{CHECKSUM_VFS}")
        _log_calls(disk, patched)
        apsw.set_default_vfs("lossy-unix")
        try:
            yield disk
        finally:
            apsw.set_default_vfs(default)
            for vfs in kept:
                vfs.unregister()


def _rename(files: dict[str, _File], renames: list[Rename]) -> None:
    for rename in renames:
        files[rename.to] = files.pop(rename.name)
    renames.clear()


def _apply(data: bytearray, write: Write) -> None:
    if write.data is None:
        del data[write.at :]
        data.extend(bytes(write.at - len(data)))
        return
    data.extend(bytes(max(0, write.at - len(data))))
    data[write.at : write.at + len(write.data)] = write.data


def _sectors(write: Write) -> list[Write]:
    if write.data is None:
        return [write]
    end, at, pieces = write.at + len(write.data), write.at, list[Write]()
    while at < end:
        until = min(end, (at // SECTOR_BYTES + 1) * SECTOR_BYTES)
        piece = write.data[at - write.at : until - write.at]
        pieces.append(Write(name=write.name, at=at, data=piece))
        at = until
    return pieces


class _Vfs(apsw.VFS):
    def __init__(self, disk: LossyDisk, name: str, base: str) -> None:
        super().__init__(name, base)
        self._disk, self._base = disk, base

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: ANN401, N802 - apsw's
        return _VfsFile(self._disk, self._base, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802 - apsw's
        super().xDelete(filename, syncdir)
        if (ours := self._disk.name_of(filename)) is not None:
            self._disk.steps.append(Remove(ours))


class _VfsFile(apsw.VFSFile):
    def __init__(self, disk: LossyDisk, base: str, name: Any, flags: list[int]) -> None:  # noqa: ANN401
        super().__init__(base, name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._disk, self._path = disk, path
        self._name = disk.name_of(path) if path else None

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's
        super().xWrite(data, offset)
        if self._name is not None:
            # As it lies there: the checksum is put in below.
            with Path(self._path).open("rb") as file:
                file.seek(offset)
                there = file.read(len(data))
            self._disk.steps.append(Write(name=self._name, at=offset, data=there))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - apsw's
        super().xTruncate(newsize)
        if self._name is not None:
            self._disk.steps.append(Write(name=self._name, at=newsize, data=None))

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's
        super().xSync(flags)
        if self._name is not None:
            self._disk.steps.append(Sync(self._name))


def _log_calls(disk: LossyDisk, patched: pytest.MonkeyPatch) -> None:
    _log_writes(disk, patched)
    real_open, real_replace = os.open, os.replace

    def opened(path: Any, flags: int, *more: Any, **named: Any) -> int:  # noqa: ANN401 - os.open's
        descriptor = real_open(path, flags, *more, **named)
        name = disk.name_of(os.fspath(path))
        if name is not None and flags & os.O_TRUNC:
            disk.steps.append(Write(name=name, at=0, data=None))
        return descriptor

    def replaced(source: Any, target: Any, **named: Any) -> None:  # noqa: ANN401 - os.replace's
        real_replace(source, target, **named)
        old, new = disk.name_of(os.fspath(source)), disk.name_of(os.fspath(target))
        if old is not None and new is not None:
            disk.steps.append(Rename(old, new))

    patched.setattr(os, "open", opened)
    patched.setattr(os, "replace", replaced)


def _log_writes(disk: LossyDisk, patched: pytest.MonkeyPatch) -> None:
    real_write, real_pwrite = os.write, os.pwrite

    def written(descriptor: int, data: bytes) -> int:
        name = _ours(disk, descriptor)
        at = 0 if name is None else os.lseek(descriptor, 0, os.SEEK_CUR)
        size = real_write(descriptor, data)
        if name is not None:
            disk.steps.append(Write(name=name, at=at, data=bytes(data[:size])))
        return size

    def written_at(descriptor: int, data: bytes, offset: int) -> int:
        size = real_pwrite(descriptor, data, offset)
        if (name := _ours(disk, descriptor)) is not None:
            disk.steps.append(Write(name=name, at=offset, data=bytes(data[:size])))
        return size

    def synced_by(real: Callable[[int], None]) -> Callable[[int], None]:
        def synced(descriptor: int) -> None:
            real(descriptor)
            if (name := _ours(disk, descriptor)) is not None:
                disk.steps.append(Sync(name))
            elif _path_of(descriptor) == disk.folder:
                disk.steps.append(SyncNames())

        return synced

    patched.setattr(os, "write", written)
    patched.setattr(os, "pwrite", written_at)
    patched.setattr(os, "fsync", synced_by(os.fsync))
    patched.setattr(os, "fdatasync", synced_by(os.fdatasync))


def _ours(disk: LossyDisk, descriptor: int) -> str | None:
    return disk.name_of(_path_of(descriptor))


def _path_of(descriptor: int) -> Path:
    return Path(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115 - it may be no file
