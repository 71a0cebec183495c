"""What a wheel says of itself."""

from __future__ import annotations

import hashlib
import json
import tomllib
import zipfile
from pathlib import Path
from typing import Any, cast

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from benchd.lab.release.licences import licence_of
from benchd.lab.release.part import Inner, Kind, Part

_INSIDE = Path(__file__).with_name("inside.toml")
_TEXTS = ("licen", "copying", "notice")
"""How names of files with licences begin, in either spelling."""


def part_of(wheel: Path) -> Part:
    """A package as its wheel has it.

    Raises:
        LicenceUnknown: Nobody knows under which licence it comes.
    """
    name, version, _, _ = parse_wheel_filename(wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        package, folder = metadata_in(archive)
        own = [path for path in archive.namelist() if path.startswith(f"{folder}/")]
        own = [path for path in own if not path.endswith("/")]
        bills = [path for path in own if path.startswith(f"{folder}/sboms/")]
        told = {each for path in bills for each in _told_by(archive.read(path), str(name))}
        return Part(
            kind=Kind.PYTHON,
            name=str(name),
            version=str(version),
            licence=licence_of(package),
            sha256=sha256_of(wheel),
            texts=tuple(path for path in own if _is_text(path, folder)),
            needs=needs_of(package),
            inside=tuple(sorted(told | _known_by_a_person(str(name)))),
        )


def metadata_in(archive: zipfile.ZipFile) -> tuple[RawMetadata, str]:
    """What a wheel says of itself, and the folder in it that says so."""
    [path] = (path for path in archive.namelist() if path.endswith(".dist-info/METADATA"))
    return parse_email(archive.read(path))[0], path.rpartition("/")[0]


def needs_of(package: RawMetadata) -> frozenset[str]:
    """Names of what a package asks for on this machine, with any of its extras."""
    extras = ("", *package.get("provides_extra", ()))
    asked = map(Requirement, package.get("requires_dist", ()))
    return frozenset(
        canonicalize_name(each.name)
        for each in asked
        if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras)
    )


def sha256_of(file: Path) -> str:
    """In hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _is_text(path: str, folder: str) -> bool:
    within = path.removeprefix(f"{folder}/")
    return within.startswith("licenses/") or within.lower().startswith(_TEXTS)


def _known_by_a_person(name: str) -> set[Inner]:
    return {Inner(inner, "", "") for inner in tomllib.loads(_INSIDE.read_text()).get(name, ())}


def _told_by(bill: bytes, own: str) -> list[Inner]:
    """What a bill of materials inside of a wheel names, but for the package itself.

    Such a file lies in `sboms` (PEP 770); what isn't CycloneDX as JSON is left alone.
    """
    try:
        told = cast("dict[str, Any]", json.loads(bill))
        return [
            Inner(str(part["name"]), str(part.get("version", "")), str(part.get("purl", "")))
            for part in told.get("components", ())
            if not str(part.get("purl", "")).startswith(f"pkg:pypi/{own}@")
        ]
    except (ValueError, KeyError, AttributeError, TypeError):
        return []
