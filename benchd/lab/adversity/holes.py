"""What a hole of the core is, and how it's opened: a few names replaced while it's held."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from unittest.mock import patch

from benchd.lab.adversity.referee import Fault
from benchd.lab.adversity.schedule import Schedule
from benchd.lab.adversity.search import faults_of


class Table(StrEnum):
    """To which table of docs/adversity.md a row belongs: both count from 1."""

    FROM_OUTSIDE = "from outside"
    """What benchd was once broken by, row by row."""
    ERRING = "people and papers"
    """What people and papers do that err."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A name of the core and what stands there while the hole is open."""

    module: str
    name: str
    """With a dot for a method: `Class.method`."""
    by: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A row of either table, with its mend taken out."""

    table: Table = Table.FROM_OUTSIDE
    row: int
    says: str
    ingredients: Callable[[Schedule], bool]
    without: Callable[[Schedule], Schedule] | None
    """The same schedule without them; None: it's the same, played with the mend."""
    shows_as: tuple[str, ...]
    """The rules that it breaks."""
    replaced: tuple[Replaced, ...]

    @property
    def name(self) -> str:
        """Which row of which table."""
        return f"{self.table}, row {self.row}"

    def swallows(self, schedule: Schedule) -> bool:
        """Whether a schedule falls into it, and into no other; not while it's held open."""
        if not self.ingredients(schedule):
            return False
        with self.opened():
            if not self._shows(faults_of(schedule)):
                return False
            if self.without is not None:
                return not self._shows(faults_of(self.without(schedule)))
        return not self._shows(faults_of(schedule))

    def _shows(self, faults: Sequence[Fault]) -> bool:
        return any(fault.rule in self.shows_as for fault in faults)

    def missing(self) -> list[str]:
        """What it would replace and this core doesn't have: there the hole was never closed."""
        return [f"{each.module}.{each.name}" for each in self.replaced if not _is_there(each)]

    @contextmanager
    def opened(self) -> Generator[None]:
        """The core with this hole in it."""
        with put_in_place(self.replaced):
            yield


@contextmanager
def put_in_place(replaced: Sequence[Replaced]) -> Generator[None]:
    """These names of the core replaced, as far as it has them."""
    with ExitStack() as stack:
        for each in replaced:
            if _is_there(each):
                _replace(each, stack)
        yield


def _is_there(each: Replaced) -> bool:
    try:
        owner: object = importlib.import_module(each.module)
    except ModuleNotFoundError:
        return False
    for part in each.name.split("."):
        owner = getattr(owner, part, None)
    return owner is not None


def _replace(each: Replaced, stack: ExitStack) -> None:
    """In the module itself, and wherever the core has imported the name from it."""
    module = importlib.import_module(each.module)
    name, _, method = each.name.partition(".")
    if method:
        stack.enter_context(patch.object(getattr(module, name), method, each.by))
        return
    original = getattr(module, name)
    for where, loaded in list(sys.modules.items()):
        if where.startswith("benchd.") and vars(loaded).get(name) is original:
            stack.enter_context(patch.object(loaded, name, each.by))
