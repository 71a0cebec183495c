"""The names of a virtual handset's files: a tree of directories over the volume."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator

from benchd.lab.simulator.storage.file_nodes import (
    SHELL_OWNER,
    SYSTEM_OWNER,
    Directory,
    File,
    Node,
    Symlink,
)
from benchd.lab.simulator.storage.volume import Volume

NAME_MAXIMUM_BYTES = 255


def failure(code: int) -> OSError:
    """An OSError as a system call reports it."""
    return OSError(code, os.strerror(code))


class Tree:
    """Finds, makes, moves and removes nodes by path. Not safe for threads."""

    def __init__(self, *, volume: Volume, now_ns: Callable[[], int], counted_prefix: str) -> None:
        self.volume = volume
        self._now_ns = now_ns
        self._counted_prefix = counted_prefix
        self._numbers = 1
        self._removed_but_open: dict[int, File] = {}
        self.root = self._new_root()

    def find(self, path: str) -> Node:
        """The node at this path."""
        node: Node = self.root
        for name in _parts(path):
            if not isinstance(node, Directory):
                raise failure(errno.ENOTDIR)
            found = node.entries.get(name)
            if found is None:
                raise failure(errno.ENOENT)
            node = found
        return node

    def find_file(self, path: str) -> File:
        """The file at this path."""
        node = self.find(path)
        if not isinstance(node, File):
            raise failure(errno.EISDIR)
        return node

    def find_directory(self, path: str) -> Directory:
        """The directory at this path."""
        node = self.find(path)
        if not isinstance(node, Directory):
            raise failure(errno.ENOTDIR)
        return node

    def files(self) -> Iterator[File]:
        """Every file there is."""
        waiting: list[Directory] = [self.root]
        while waiting:
            for node in waiting.pop().entries.values():
                if isinstance(node, Directory):
                    waiting.append(node)
                elif isinstance(node, File):
                    yield node

    def make_file(self, path: str, *, mode: int, owner: int = SHELL_OWNER) -> File:
        """A new, empty file."""
        file = File(
            number=self._next_number(),
            mode=mode & 0o7777,
            owner=owner,
            modified_ns=self._now_ns(),
            counted=path.startswith(self._counted_prefix),
        )
        self._add(path, file)
        return file

    def make_directory(self, path: str, *, mode: int, owner: int = SHELL_OWNER) -> Directory:
        """A new, empty directory."""
        directory = Directory(
            number=self._next_number(),
            mode=mode & 0o7777,
            owner=owner,
            modified_ns=self._now_ns(),
        )
        self._add(path, directory)
        return directory

    def make_symlink(self, path: str, target: str) -> None:
        """A new symbolic link."""
        link = Symlink(
            number=self._next_number(),
            mode=0o777,
            owner=SHELL_OWNER,
            modified_ns=self._now_ns(),
            target=target,
        )
        self._add(path, link)

    def remove(self, path: str) -> None:
        """Remove a file or link; its space is free at once, or when the last one closes it."""
        parent, name = self._parent(path)
        node = self.find(path)
        if isinstance(node, Directory):
            raise failure(errno.EISDIR)
        del parent.entries[name]
        parent.modified_ns = self._now_ns()
        self._drop(node)

    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""
        parent, name = self._parent(path)
        if self.find_directory(path).entries:
            raise failure(errno.ENOTEMPTY)
        del parent.entries[name]
        parent.modified_ns = self._now_ns()
        self.volume.space.remove_node()

    def rename(self, old: str, new: str) -> None:
        """Move a node to another name, replacing what was there."""
        node = self.find(old)
        old_parent, old_name = self._parent(old)
        new_parent, new_name = self._parent(new)
        replaced = new_parent.entries.get(new_name)
        if replaced is node:
            return
        if replaced is not None:
            if isinstance(replaced, Directory):
                self.remove_directory(new)
            else:
                self.remove(new)
        del old_parent.entries[old_name]
        new_parent.entries[new_name] = node
        old_parent.modified_ns = new_parent.modified_ns = self._now_ns()

    def close(self, file: File) -> None:
        """One handle less; a removed file's space is freed with the last."""
        file.handles -= 1
        if file.handles == 0 and not file.linked:
            self._removed_but_open.pop(file.number, None)
            self.volume.free(file)

    def touch(self, node: Node, modified_ns: int | None = None) -> None:
        """Set a node's time, to now if none is given."""
        node.modified_ns = self._now_ns() if modified_ns is None else modified_ns

    def clear(self) -> None:
        """Forget everything, as the reset's new file system does; open files are dead."""
        waiting: list[Node] = [self.root, *self._removed_but_open.values()]
        self._removed_but_open.clear()
        while waiting:
            node = waiting.pop()
            node.gone = True
            if isinstance(node, Directory):
                waiting.extend(node.entries.values())
        self.volume.space.clear()
        self.root = self._new_root()

    def _new_root(self) -> Directory:
        self.volume.space.add_node()
        return Directory(
            number=self._next_number(),
            mode=0o771,
            owner=SYSTEM_OWNER,
            modified_ns=self._now_ns(),
        )

    def _next_number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _add(self, path: str, node: Node) -> None:
        parent, name = self._parent(path)
        if name in parent.entries:
            raise failure(errno.EEXIST)
        if len(os.fsencode(name)) > NAME_MAXIMUM_BYTES:
            raise failure(errno.ENAMETOOLONG)
        self.volume.space.add_node()
        parent.entries[name] = node
        parent.modified_ns = node.modified_ns

    def _drop(self, node: Node) -> None:
        self.volume.space.remove_node()
        if isinstance(node, File):
            node.linked = False
            if node.handles == 0:
                self.volume.free(node)
            else:
                self._removed_but_open[node.number] = node

    def _parent(self, path: str) -> tuple[Directory, str]:
        above, _, name = path.rstrip("/").rpartition("/")
        if not name:
            raise failure(errno.EBUSY)
        return self.find_directory(above), name


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]
