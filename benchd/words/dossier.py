"""A handset's recorded answers, as those see them who don't speak adb."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """A dossier that isn't written yet: what is personal in it has been replaced."""

    files: Mapping[str, str]
    """By name, with what stands in each."""
    replaced: Mapping[str, int]
    """What kind of value was replaced how often."""
    unanswered: Mapping[str, str]
    """Which questions have no answer in it, and why."""
    reads_otherwise: tuple[str, ...]
    """Facts that benchd reads otherwise since the replacement, which it should not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDossier:
    """A dossier that a failed inspection has left on the rack."""

    name: str
    taken_at: str
    model: str
    android: str
    why: str
    path: str
