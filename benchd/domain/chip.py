"""What looking at a FeliCa chip has shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_FLEET_CHIP = re.compile(r"[0-9a-f]{8}\.[0-9a-f]{32}")


def is_fleet_chip(text: str) -> bool:
    """Whether racks of one dealer name a chip so: by the secret it is hashed with, and the hash."""
    return _FLEET_CHIP.fullmatch(text) is not None


def secret_named_in(fleet_chip: str) -> str:
    """Which secret it is hashed with: under two of them nothing can be compared."""
    return fleet_chip.partition(".")[0]


class ChipVerdict(StrEnum):
    """What a FeliCa chip was found to be. Silence is a verdict of its own and never a clean one."""

    UNUSED = "unused"
    IN_USE = "in_use"
    RETIRED = "retired"
    NO_CHIP = "no_chip"
    SILENT = "silent"
    INCONSISTENT = "inconsistent"
    UNREADABLE = "unreadable"


class ModelFelica(StrEnum):
    """What the catalogue of models says of FeliCa in a handset's model."""

    HAS = "has"
    HAS_NONE = "has_none"
    UNKNOWN = "unknown"
    """Nobody has told of the model, or of this."""


class BaselineKind(StrEnum):
    """Where the picture of an unused chip comes from that a scan was compared with."""

    OBSERVED = "observed"
    """Captured from a handset whose own screen said 未利用 (unused)."""
    INFERRED = "inferred"
    """Put together from documents; nobody has seen it on a handset."""
    SIMULATED = "simulated"
    """Of the virtual rack's own chips; says nothing about a real one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipSystem:
    """One system of a FeliCa chip: which nodes it lists, never what is in them."""

    code: str
    """Four hex digits in upper case, for example `FE00`."""
    nodes: tuple[str, ...]
    """Services as `090F`, areas as `0000-FFFE`, in order."""
    residue: tuple[str, ...]
    """Those of them that an unused chip doesn't have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipScan:
    """What looking at a chip over the air has shown: codes and counts, never contents."""

    verdict: ChipVerdict
    detail: str
    """Why, as one bounded, printable line in English."""
    chip: str | None = None
    """Salted hash of the chip's IDm as hex: tells one chip from another and nothing else."""
    fleet_chip: str | None = None
    """The same with the secret that a dealer's racks share, where this one has it."""
    ic_type: int | None = None
    """PMm's second byte, which names the chip's generation."""
    systems: tuple[ChipSystem, ...] = ()
    polled: tuple[str, ...] = ()
    """Every system code that was asked for, answered or not."""
    passes: int = 0
    """How many full scans in a row showed the same."""
    power_cycled: bool = False
    """Whether the reader's field was off before the first of them."""
    baseline: str | None = None
    """Name and version of the picture of an unused chip it was compared with."""
    baseline_kind: BaselineKind | None = None
    baseline_sha256: str | None = None
    """Of all that the picture says, so that it can be found again among many of its name."""
    owners_en: tuple[str, ...] = ()
    """Whose services the residue belongs to, as far as the catalogue knows."""
    owners_ja: tuple[str, ...] = ()
    reader: str = ""
    """The reader's model; no serial."""
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipOwners:
    """Whose services were found in a chip, each as one bounded line: `Suica、WAON`."""

    ja: str
    en: str
