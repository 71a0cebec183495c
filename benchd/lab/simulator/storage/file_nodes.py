"""What a virtual handset's file system is made of: files, directories and links."""

from __future__ import annotations

import stat
from array import array
from dataclasses import dataclass, field

HOLE = -1
"""Stands in a file's block list where nothing was ever written."""

SHELL_OWNER = 0
"""The only user that the rack's user namespace knows; inside a handset it is uid 2000, shell."""
SYSTEM_OWNER = 1000
"""Unknown to the namespace, so that the kernel lets nobody write what it owns."""


@dataclass(slots=True, kw_only=True)
class Node:
    """What every entry has; `mode` holds the permissions only."""

    number: int
    mode: int
    owner: int
    modified_ns: int
    gone: bool = False
    """Removed by a reset: whoever still has it open gets EIO."""

    @property
    def kind(self) -> int:
        """The file type bits of stat's mode."""
        raise NotImplementedError


@dataclass(slots=True, kw_only=True)
class File(Node):
    """A file; `blocks` gives for each of its blocks the place on the medium, or HOLE."""

    size_bytes: int = 0
    blocks: array[int] = field(default_factory=lambda: array("i"))
    handles: int = 0
    linked: bool = True
    counted: bool = False
    """Whether writes to it are the fill's."""
    previous_owner: bool = False

    @property
    def kind(self) -> int:
        """The file type bits of stat's mode."""
        return stat.S_IFREG


@dataclass(slots=True, kw_only=True)
class Directory(Node):
    """A directory."""

    entries: dict[str, Node] = field(default_factory=dict[str, Node])

    @property
    def kind(self) -> int:
        """The file type bits of stat's mode."""
        return stat.S_IFDIR


@dataclass(slots=True, kw_only=True)
class Symlink(Node):
    """A symbolic link."""

    target: str

    @property
    def kind(self) -> int:
        """The file type bits of stat's mode."""
        return stat.S_IFLNK
