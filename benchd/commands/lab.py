"""What needs the lab: virtual rack and benchmarks are in a checkout, not in an installation."""

from __future__ import annotations

from importlib.util import find_spec

from benchd.errors import DependencyMissing
from benchd.texts.catalogue import Catalogue, Word

PARTS = ("benchd.lab", "mfusepy")


def require_lab() -> None:
    """Raise DependencyMissing, with what to do, where there is no lab."""
    missing = [part for part in PARTS if find_spec(part) is None]
    if missing:
        cure = Catalogue.load().word(Word.NO_LAB)
        raise DependencyMissing(
            f"this installation has no virtual rack ({', '.join(missing)})",
            cure=f"{cure.ja}\n{cure.en}",
        )
