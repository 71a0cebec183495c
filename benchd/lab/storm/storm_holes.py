"""The rows of the walls with their mends taken out: a storm has to find each."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from benchd.lab.adversity.holes import Replaced, put_in_place
from benchd.lab.storm.storm_referee import Rule
from benchd.lab.storm.storm_run import calm_ends, run_storm
from benchd.lab.storm.storm_schedule import Kind, Storm


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

    def may_swallow(self, storm: Storm) -> bool:
        """Whether a storm has what it takes."""
        return (
            all(storm.has(kind) for kind in self.needs)
            and (storm.next_release or not self.next_release)
            and storm.signals >= self.signals
        )

    def swallows(self, storm: Storm) -> bool:
        """Whether a storm breaks its rules with it, and not without it."""
        return self.is_shown_by(storm) and not set(rules_of(storm)) & set(self.shows_as)

    def is_shown_by(self, storm: Storm) -> bool:
        """Whether a storm breaks its rules while it's open."""
        # What it is compared with is played by the daemon as it is.
        calm_ends(storm.bays)
        with self.opened():
            return bool(set(rules_of(storm)) & set(self.shows_as))

    @contextmanager
    def opened(self) -> Generator[None]:
        """The daemon with this hole in it."""
        with put_in_place(self.replaced):
            yield


def rules_of(storm: Storm) -> tuple[Rule, ...]:
    """Those that it breaks."""
    return tuple(fault.rule for fault in run_storm(storm).faults)
