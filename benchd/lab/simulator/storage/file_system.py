"""The storage as a FUSE file system; the kernel's page cache stays on, as on a handset.

What the medium lost shows only after the cache is dropped: that is what a read-back has to
find out.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from typing import Any, ClassVar, Final

import mfusepy

from benchd.lab.simulator.storage.file_nodes import Directory, File, Node, Symlink
from benchd.lab.simulator.storage.medium import BLOCK_BYTES
from benchd.lab.simulator.storage.state import StorageState
from benchd.lab.simulator.storage.tree import NAME_MAXIMUM_BYTES, failure

# libfuse, fuse_common.h. Without it the kernel drops its cache when a file's time changes,
# and a write that the medium lost would be seen at once.
_CAP_AUTO_INVAL_DATA: Final = 1 << 12
# With it an O_DIRECT write that is cut short by a full medium is EIO (fs/fuse/file.c,
# fuse_get_res_by_io) where it should be the bytes that fitted, and then ENOSPC.
_CAP_ASYNC_DIO: Final = 1 << 15
_FALLOC_KEEP_SIZE: Final = 1


class HandsetFileSystem(mfusepy.Operations):
    """Translates FUSE's operations; everything that happens is in `StorageState`."""

    use_ns: ClassVar[bool] = True
    flag_nopath: ClassVar[bool] = True
    flag_nullpath_ok: ClassVar[bool] = True

    def __init__(self, state: StorageState, on_ready: Callable[[], None]) -> None:
        self._state = state
        self._on_ready = on_ready
        self._open: dict[int, File] = {}
        self._open_directories: dict[int, Directory] = {}
        self._next_handle = 0

    def init_with_config(self, conn_info: Any, config_3: Any) -> None:  # noqa: ANN401 - C structures
        """Ask for a cache that lasts, and for deletion at once."""
        conn_info.want &= ~(_CAP_AUTO_INVAL_DATA | _CAP_ASYNC_DIO)
        config_3.kernel_cache = 1
        config_3.hard_remove = 1
        config_3.use_ino = 1
        self._on_ready()

    def getattr(self, path: str | None, fh: int | None = None) -> dict[str, int]:
        """Attributes of a node, by handle where there is one."""
        with self._state.lock:
            node = self._open[fh] if path is None and fh is not None else self._find(path)
            return _attributes(node)

    def opendir(self, path: str) -> int:
        """Open a directory."""
        with self._state.lock:
            handle = self._new_handle()
            self._open_directories[handle] = self._state.tree.find_directory(path)
            return handle

    def readdir(self, path: str | None, fh: int) -> list[str]:
        """The names in an open directory."""
        del path
        with self._state.lock:
            return [".", "..", *self._open_directories[fh].entries]

    def releasedir(self, path: str | None, fh: int) -> int:
        """Close a directory."""
        del path
        with self._state.lock:
            del self._open_directories[fh]
        return 0

    def readlink(self, path: str) -> str:
        """Where a link points."""
        with self._state.lock:
            node = self._find(path)
            if not isinstance(node, Symlink):
                raise failure(errno.EINVAL)
            return node.target

    def create(self, path: str, mode: int, fi: object = None) -> int:
        """Make a file and open it."""
        del fi
        with self._state.lock:
            return self._opened(self._state.tree.make_file(path, mode=mode))

    def open(self, path: str, flags: int) -> int:
        """Open a file, emptied where asked for."""
        with self._state.lock:
            file = self._state.tree.find_file(path)
            if flags & os.O_TRUNC:
                self._state.volume.resize(file, 0)
            return self._opened(file)

    def release(self, path: str | None, fh: int) -> int:
        """Close a file."""
        del path
        with self._state.lock:
            self._state.tree.close(self._open.pop(fh))
        return 0

    def read(self, path: str | None, size: int, offset: int, fh: int) -> bytes:
        """Bytes of an open file."""
        del path
        return self._state.read(self._open[fh], offset, size)

    def write(self, path: str | None, data: bytes, offset: int, fh: int) -> int:
        """Write to an open file, as much as there is room for."""
        del path
        return self._state.write(self._open[fh], offset, data)

    def fsync(self, path: str | None, datasync: int, fh: int) -> int:
        """Whether all is on the medium."""
        del path, datasync, fh
        self._state.sync()
        return 0

    def fsyncdir(self, path: str | None, datasync: int, fh: int) -> int:
        """The same for a directory."""
        return self.fsync(path, datasync, fh)

    def truncate(self, path: str | None, length: int, fh: int | None = None) -> int:
        """Cut off or lengthen a file."""
        with self._state.lock:
            file = self._file(path, fh)
            self._state.volume.resize(file, length)
            self._state.tree.touch(file)
        return 0

    def fallocate(self, path: str | None, mode: int, offset: int, size: int, fh: int) -> int:
        """Give an open file room in advance."""
        if mode & ~_FALLOC_KEEP_SIZE:
            raise failure(errno.EOPNOTSUPP)
        with self._state.lock:
            file = self._file(path, fh)
            self._state.volume.reserve(file, offset, size)
            if not mode & _FALLOC_KEEP_SIZE:
                file.size_bytes = max(file.size_bytes, offset + size)
        return 0

    def unlink(self, path: str) -> int:
        """Remove a file or link."""
        with self._state.lock:
            self._state.tree.remove(path)
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        """Make a directory."""
        with self._state.lock:
            self._state.tree.make_directory(path, mode=mode)
        return 0

    def rmdir(self, path: str) -> int:
        """Remove an empty directory."""
        with self._state.lock:
            self._state.tree.remove_directory(path)
        return 0

    def symlink(self, target: str, source: str) -> int:
        """Make a link `target` that points to `source`; the names are mfusepy's."""
        with self._state.lock:
            self._state.tree.make_symlink(target, source)
        return 0

    def rename(self, old: str, new: str) -> int:
        """Move a node."""
        with self._state.lock:
            self._state.tree.rename(old, new)
        return 0

    def chmod(self, path: str | None, mode: int) -> int:
        """Set permissions; the kernel has checked that the caller may."""
        with self._state.lock:
            self._find(path).mode = stat.S_IMODE(mode)
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        """Nothing changes hands on a handset that has one user only."""
        del path, uid, gid
        return 0

    def utimens(self, path: str | None, times: tuple[int, int] | None = None) -> int:
        """Set a node's time."""
        with self._state.lock:
            self._state.tree.touch(self._find(path), None if times is None else times[1])
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        """Size and free space, the system's reserve apart."""
        del path
        with self._state.lock:
            space = self._state.space
            return {
                "f_bsize": BLOCK_BYTES,
                "f_frsize": BLOCK_BYTES,
                "f_blocks": space.block_count,
                "f_bfree": space.free_blocks,
                "f_bavail": space.available_blocks,
                "f_files": space.block_count,
                "f_ffree": space.free_blocks,
                "f_favail": space.available_blocks,
                "f_namemax": NAME_MAXIMUM_BYTES,
            }

    def _find(self, path: str | None) -> Node:
        if path is None:
            raise failure(errno.ENOENT)
        return self._state.tree.find(path)

    def _file(self, path: str | None, fh: int | None) -> File:
        if fh is not None and fh in self._open:
            return self._open[fh]
        if path is None:
            raise failure(errno.ENOENT)
        return self._state.tree.find_file(path)

    def _opened(self, file: File) -> int:
        handle = self._new_handle()
        self._open[handle] = file
        file.handles += 1
        return handle

    def _new_handle(self) -> int:
        self._next_handle += 1
        return self._next_handle


def _attributes(node: Node) -> dict[str, int]:
    if isinstance(node, File):
        size, blocks = node.size_bytes, len(node.blocks) * BLOCK_BYTES // 512
    else:
        size, blocks = BLOCK_BYTES, BLOCK_BYTES // 512
    return {
        "st_ino": node.number,
        "st_mode": node.kind | node.mode,
        "st_nlink": 1,
        "st_uid": node.owner,
        "st_gid": node.owner,
        "st_size": size,
        "st_blocks": blocks,
        "st_atime": node.modified_ns,
        "st_mtime": node.modified_ns,
        "st_ctime": node.modified_ns,
    }
