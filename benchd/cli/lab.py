"""What needs the lab: virtual rack and benchmarks are in a checkout, not in an installation."""

from __future__ import annotations

from importlib.util import find_spec

from benchd.cli.messages import both, catalogue, missing

PARTS = ("benchd.lab", "mfusepy")


def require_lab() -> None:
    """Raise DependencyMissing, with what to do, where there is no lab."""
    lost = [part for part in PARTS if find_spec(part) is None]
    if lost:
        what = both("say.no_lab", detail=", ".join(lost))
        raise missing(what, catalogue().text("word.no_lab"))
