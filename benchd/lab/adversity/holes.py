"""What a hole of the core is, and how it's opened: a few names replaced while it's held."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from unittest.mock import patch

from benchd.lab.adversity.referee import Fault
from benchd.lab.adversity.schedule import Schedule
from benchd.lab.adversity.search import faults_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A name of the core and what stands there while the hole is open."""

    module: str
    name: str
    """With a dot for a method: `Class.method`."""
    by: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """One row of the table of holes that once were."""

    row: int
    says: str
    ingredients: Callable[[Schedule], bool]
    without: Callable[[Schedule], Schedule]
    """The same schedule without them."""
    shows_as: tuple[str, ...]
    """The rules that it breaks."""
    replaced: tuple[Replaced, ...]

    def is_fallen_into(self, schedule: Schedule, faults: Sequence[Fault]) -> bool:
        """Whether these faults of this schedule are what the hole lets through, and no other."""
        if not self.ingredients(schedule) or not self._shows(faults):
            return False
        return not self._shows(faults_of(self.without(schedule)))

    def swallows(self, schedule: Schedule) -> bool:
        """Whether a schedule falls into it."""
        return self.ingredients(schedule) and self.is_fallen_into(schedule, faults_of(schedule))

    def _shows(self, faults: Sequence[Fault]) -> bool:
        return any(fault.rule in self.shows_as for fault in faults)

    def missing(self) -> list[str]:
        """What it would replace and this core doesn't have: there the hole was never closed."""
        return [f"{each.module}.{each.name}" for each in self.replaced if not _is_there(each)]

    @contextmanager
    def opened(self) -> Generator[None]:
        """The core with this hole in it."""
        with ExitStack() as stack:
            for each in self.replaced:
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
    for loaded in list(sys.modules.values()):
        if loaded.__name__.startswith("benchd.") and vars(loaded).get(name) is original:
            stack.enter_context(patch.object(loaded, name, each.by))
