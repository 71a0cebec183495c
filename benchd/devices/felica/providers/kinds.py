"""Which kinds of provider there are: those of benchd and those that other packages bring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from benchd.domain.ports import ClearProvider

ENTRY_POINTS: Final = "benchd.clear_providers"
"""The entry point group; an entry's name is the `kind` in the configuration."""
LAB: Final = "benchd.lab"
"""Which a checkout has and an installation hasn't."""

ProviderFactory = Callable[[str, Mapping[str, object], Path], Callable[[], ClearProvider]]
"""Takes the provider's name in the configuration, its options without `kind`, and the folder that
relative paths are relative to. Checks the options (OptionRefused) and returns what makes a
provider for one clear."""


class OptionRefused(ValueError):
    """Raised by a factory for a mistake in its options: `key` is where, the text says why."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def known_kinds() -> frozenset[str]:
    """The names of all kinds that are installed."""
    return frozenset(entry.name for entry in _installed())


def load_kind(kind: str) -> ProviderFactory:
    """The factory of a kind.

    Raises KeyError where there is none of that name, ImportError or AttributeError where the
    package that brings it is broken.
    """
    for entry in _installed():
        if entry.name == kind:
            return entry.load()
    raise KeyError(kind)


def _installed() -> Iterator[metadata.EntryPoint]:
    """All entries but the virtual rack's own where there is no virtual rack, as in a wheel."""
    has_lab = find_spec(LAB) is not None
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        if has_lab or not entry.module.startswith(f"{LAB}."):
            yield entry
