"""What a wheel says of itself."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from benchd.lab.release.inside import inside_of, is_text
from benchd.lab.release.licences import licence_of
from benchd.lab.release.part import Kind, Part


def part_of(wheel: Path) -> Part:
    """A package as its wheel has it.

    Raises:
        LicenceUnknown: Nobody knows under which licence it comes, or what it has inside.
    """
    name, version, _, _ = parse_wheel_filename(wheel.name)
    with zipfile.ZipFile(wheel) as archive:
        package, folder = metadata_in(archive)
        own = [path for path in archive.namelist() if path.startswith(f"{folder}/")]
        own = [path for path in own if not path.endswith("/")]
        return Part(
            kind=Kind.PYTHON,
            name=str(name),
            version=str(version),
            licence=licence_of(package),
            sha256=sha256_of(wheel),
            texts=tuple(path for path in own if _is_text(path, folder)),
            needs=needs_of(package),
            inside=inside_of(archive, str(name)),
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
    return within.startswith("licenses/") or ("/" not in within and is_text(within))
