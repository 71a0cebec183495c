"""The rows of the walls with their mends taken out: a storm has to find each."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchd.lab.adversity.holes import Replaced, put_in_place
from benchd.lab.storm.referee import Rule
from benchd.lab.storm.run import run_storm
from benchd.lab.storm.schedule import Kind, Storm


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """One mend of a row, taken out."""

    row: int
    says: str
    needs: tuple[Kind, ...]
    """Without all of these no storm falls into it."""
    shows_as: tuple[Rule, ...]
    replaced: tuple[Replaced, ...]
    next_release: bool = False
    signals: int = 1
    lasts_s: float = 0.0
    """How long the first of what it needs lasts at least, or it shows nothing."""

    def may_swallow(self, storm: Storm) -> bool:
        """Whether a storm has what it takes."""
        return (
            all(storm.has(kind) for kind in self.needs)
            and (storm.next_release or not self.next_release)
            and storm.signals >= self.signals
        )

    def swallows(self, storm: Storm) -> bool:
        """Whether a storm breaks its rules with it, and not without it."""
        with self.opened():
            shown = {fault.rule for fault in run_storm(storm).faults}
        if not shown & set(self.shows_as):
            return False
        return not {fault.rule for fault in run_storm(storm).faults} & set(self.shows_as)

    @contextmanager
    def opened(self) -> Generator[None]:
        """The daemon with this hole in it."""
        with put_in_place(self.replaced):
            yield

    def found_in(self, storms: Sequence[Storm]) -> int | None:
        """After how many of these it's found."""
        for number, storm in enumerate(storms, start=1):
            if self.may_swallow(storm) and self.swallows(storm):
                return number
        return None
