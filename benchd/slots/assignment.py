"""What a slot is to do; a new configuration changes it while an occupancy goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchd.pipelines.recipe import Recipe
from benchd.slots.topology import SlotPlace
from benchd.words.job import Reason


@dataclass(slots=True, kw_only=True)
class Assignment:
    """Read at the moment when it matters: at the start of a job, and when the slot is ended."""

    place: SlotPlace
    recipes: Mapping[str, Recipe]
    stop_reason: Reason = Reason.DAEMON_STOPPED
    """Why a job that is cut short with the slot has ended."""

    @property
    def recipe(self) -> Recipe:
        """The recipe of the next job."""
        return self.recipes[self.place.recipe]
