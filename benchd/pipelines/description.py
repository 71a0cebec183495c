"""What a stage says of itself, once: whoever has to know it reads it here."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.words.job import Reason, StageName


@dataclass(frozen=True, slots=True, kw_only=True)
class StageDescription:
    """A stage in the eyes of recipes, runner and ledger; its parameters are its fields."""

    name: StageName
    """The stage stands in the file of this name."""
    destructive: bool
    """Whether it changes what is on the handset."""
    needs_access: bool
    """Whether only a recipe whose jobs wait for their device can have it."""
    after: tuple[StageName, ...] = ()
    """Whose results it can't do without."""
    skipped_for: frozenset[str] = frozenset()
    """The reasons for which it may be skipped, and no other."""
    needed_for: tuple[Reason, ...] = ()
    """The ends that a recipe without it mustn't name."""
