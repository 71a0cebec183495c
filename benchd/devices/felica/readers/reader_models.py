"""From a reader's PC/SC name to its model and its dialect, by the table in readers.toml."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from importlib import resources

from benchd.devices.felica.readers.reader_frames import WRAPPINGS, Wrapping

_INDEXES = re.compile(r" ([0-9A-F]{2}) ([0-9A-F]{2})$")
"""What pcscd puts after every name: reader and slot as hex, in the order of enumeration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderModel:
    """One kind of reader."""

    pattern: re.Pattern[str]
    model: str
    wrapping: Wrapping


@functools.cache
def reader_models() -> tuple[ReaderModel, ...]:
    """The table, in order; its last entry fits every name."""
    text = (
        resources.files("benchd.devices.felica.readers").joinpath("readers.toml").read_text("utf-8")
    )
    return tuple(
        ReaderModel(
            pattern=re.compile(entry["pattern"], re.IGNORECASE),
            model=entry["model"],
            wrapping=WRAPPINGS[entry["wrapping"]],
        )
        for entry in tomllib.loads(text)["reader"]
    )


def model_of(name: str) -> ReaderModel:
    """The model of the reader of this PC/SC name."""
    return next(model for model in reader_models() if model.pattern.search(name))


def stable_name(name: str) -> str:
    """A reader's PC/SC name without the two numbers that follow the order of enumeration."""
    return _INDEXES.sub("", name)


def slot_number(name: str) -> int | None:
    """Which slot of its reader a name stands for; None for a name without the numbers."""
    found = _INDEXES.search(name)
    return int(found[2], 16) if found else None
