"""What a stage has found, in words with its figures: for the story of a handset."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class FoundWord(StrEnum):
    """One finding, whose figures are filled in."""

    SYSTEM = "system"
    STORAGE = "storage"
    BATTERY = "battery"
    LOCKED = "locked"
    NOT_LOCKED = "not_locked"
    ACCOUNTS = "accounts"
    ENCRYPTED = "encrypted"
    NOT_ENCRYPTED = "not_encrypted"
    SCREEN_NUMBER = "screen_number"
    BY_READER = "by_reader"
    BY_PERSON = "by_person"
    WAS_RESET = "was_reset"
    CAME_RESET = "came_reset"
    WRITTEN = "written"
    RATE = "rate"
    FREE_LEFT = "free_left"
    PROVEN = "proven"
    COVERAGE = "coverage"
    HOST_SAMPLES = "host_samples"
    CLEARED_BY = "cleared_by"
    AWAY = "away"
    CAME_BACK = "came_back"


FOUND_FACTS: Final = frozenset(
    {
        *("android", "build", "capacity", "used", "percent", "degrees", "count", "number"),
        *("reader", "passes", "size", "time", "rate", "bad", "minimum", "provider", "seconds"),
    }
)
