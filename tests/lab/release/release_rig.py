"""Wheels of what is installed here, and what stands beside them in a release."""

from __future__ import annotations

import zipfile
from fnmatch import fnmatchcase
from importlib import metadata
from pathlib import Path

from benchd.lab.release.inside import is_text, known_by_a_person

ROOT = Path(__file__).parents[3]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
DEBIAN = "adb 1:34.0.5-12 amd64\npython3 3.13.5-1 amd64\n"


def wheel_of(folder: Path, package: metadata.Distribution) -> Path:
    """What an installed package says of itself and others' parts in it, packed again."""
    name, version = package.metadata["Name"].replace("-", "_").lower(), package.version
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    own = f"{name}-{version}.dist-info"
    parts = [part["lies_in"] for part in known_by_a_person(name.replace("_", "-"))]
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in package.files or ():
            if ".dist-info/" in (path := file.as_posix()) and not path.endswith("METADATA"):
                archive.writestr(f"{own}/{path.partition('/')[2]}", file.read_binary())
            elif any(fnmatchcase(path, part) for part in parts) or is_text(path):
                archive.write(file.locate(), path)
        archive.writestr(f"{own}/METADATA", package.read_text("METADATA") or "")
    return wheel
