"""Under which licence a package comes: by its word in SPDX, or by what a person has read."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.metadata import RawMetadata
from packaging.utils import canonicalize_name

from benchd.domain.errors import BenchdError

READ_BY_A_PERSON: Final = Path(__file__).with_name("licences.toml")


class LicenceUnknown(BenchdError):
    """Raised where nobody knows under which licence a part comes; the text says what to do."""


def licence_of(package: RawMetadata) -> str:
    """The SPDX expression of a package.

    Raises:
        LicenceUnknown: What it says isn't SPDX, and nobody has read its licence since it says so.
    """
    for said in (package.get("license_expression"), package.get("license")):
        spdx = said and _as_spdx(said)
        if spdx:
            return spdx
    name, said = canonicalize_name(package.get("name", "")), _loosely(package)
    entry = read_by_a_person().get(name)
    if entry is None or entry["says"] != said:
        raise LicenceUnknown(
            f"{name} {package.get('version', '')} says {said!r} of its licence, which isn't SPDX.\n"
            f"Read the licence in its wheel, then write [{name}] with says, licence and seen_in\n"
            f"into benchd/lab/release/{READ_BY_A_PERSON.name}."
        )
    return entry["licence"]


@cache
def read_by_a_person() -> dict[str, dict[str, str]]:
    """The entries of `licences.toml`: by package, what it `says` and the `licence` that this is."""
    return tomllib.loads(READ_BY_A_PERSON.read_text(encoding="utf-8"))


def _as_spdx(said: str) -> str | None:
    try:
        return canonicalize_license_expression(said)
    except InvalidLicenseExpression:
        return None


def _loosely(package: RawMetadata) -> str:
    """What a package says where it is no SPDX: its field, else its classifiers."""
    if field := package.get("license", "").strip():
        return field[:200]
    classifiers = (each.split(" :: ") for each in package.get("classifiers", ()))
    return ", ".join(each[-1] for each in classifiers if each[0] == "License")
