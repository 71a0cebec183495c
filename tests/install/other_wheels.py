"""Wheels of releases that nobody has made: benchd's own with other words in it."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path


def other_wheels(
    wheels: Path, folder: Path, version: str, changes: Mapping[str, tuple[str, str]] = {}
) -> Path:
    """The same wheels, but benchd's says that it is this version.

    `changes` has, for a file of the package, which text is replaced by which.
    """
    folder.mkdir()
    for wheel in wheels.glob("*.whl"):
        if wheel.name.startswith("benchd-"):
            _rewrite(wheel, folder, version, changes)
        else:
            (folder / wheel.name).hardlink_to(wheel)
    return folder


def listed(wheels: Path) -> Path:
    """The same folder, with the list that an installation holds wheels against."""
    sums = [f"{sha256(one.read_bytes()).hexdigest()}  {one.name}\n" for one in wheels.glob("*.whl")]
    (wheels / "SHA256SUMS").write_text("".join(sums))
    return wheels


def _rewrite(
    wheel: Path, folder: Path, version: str, changes: Mapping[str, tuple[str, str]]
) -> None:
    was = wheel.name.split("-")[1]
    info = f"benchd-{was}.dist-info"
    with (
        zipfile.ZipFile(wheel) as old,
        zipfile.ZipFile(folder / f"benchd-{version}-py3-none-any.whl", "w") as new,
    ):
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == f"{info}/METADATA":
                data = data.replace(f"Version: {was}\n".encode(), f"Version: {version}\n".encode())
            if entry.filename == f"{info}/RECORD":
                data = data.replace(info.encode(), f"benchd-{version}.dist-info".encode())
            if entry.filename in changes:
                before, after = changes[entry.filename]
                assert before in data.decode()
                data = data.decode().replace(before, after).encode()
            entry.filename = entry.filename.replace(info, f"benchd-{version}.dist-info")
            new.writestr(entry, data)


def fake_wheels(folder: Path, version: str, pyscard: str = "cp313-cp313-linux_x86_64") -> Path:
    """What `scripts/build-deb` looks at in wheels, and nothing else."""
    folder.mkdir()
    with zipfile.ZipFile(folder / f"benchd-{version}-py3-none-any.whl", "w") as wheel:
        for name, text in {
            f"benchd-{version}.dist-info/METADATA": f"Name: benchd\nVersion: {version}\n",
            "benchd/commit.txt": "0123456789abcdef0123456789abcdef01234567\n",
            "benchd/ledger/migrations/0012_record.sql": "",
        }.items():
            wheel.writestr(zipfile.ZipInfo(name, (2026, 11, 27, 0, 0, 0)), text)
    zipfile.ZipFile(folder / f"pyscard-1.0-{pyscard}.whl", "w").close()
    return folder
