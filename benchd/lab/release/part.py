"""What a release is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """Where a part comes from."""

    PYTHON = "Python"
    GO = "Go"
    FONT = "font"
    DEBIAN = "Debian"


class Inner(NamedTuple):
    """What a part has inside of itself that others have made. Empty is what isn't told."""

    name: str
    version: str
    purl: str
    licence: str
    source: str
    """Where it comes from, where no `purl` says so."""
    told_by: str
    """Files in the wheel: its bill of materials, the texts of the licence, or what it is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One thing that comes with a release; of Debian's, one that has to be there beside it."""

    kind: Kind
    name: str
    version: str = ""
    licence: str = ""
    """An SPDX expression. Empty for Debian's, which a release doesn't carry."""
    sha256: str = ""
    texts: tuple[str, ...] = ()
    """Where the texts of its licence lie, in its own wheel or in benchd's."""
    needs: frozenset[str] = frozenset()
    """Names of other parts."""
    inside: tuple[Inner, ...] = ()
    processor: str = ""
    """Debian's name of it, for Debian's parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A whole release, for one processor."""

    version: str
    commit: str
    processor: str
    made_at: datetime
    """When the commit was made: a release that is built twice is the same."""
    sha256: str
    """Of benchd's own wheel."""
    licence: str
    needs: frozenset[str]
    """What benchd itself asks for."""
    parts: tuple[Part, ...]
