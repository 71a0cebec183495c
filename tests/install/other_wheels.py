"""Wheels of releases that nobody has made: benchd's own with other words in it."""

from __future__ import annotations

import base64
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
    written: dict[str, bytes] = {}
    with (
        zipfile.ZipFile(wheel) as old,
        zipfile.ZipFile(folder / f"benchd-{version}-py3-none-any.whl", "w") as new,
    ):
        for entry in old.infolist():
            data = old.read(entry)
            if entry.filename == f"{info}/RECORD":
                continue
            if entry.filename == f"{info}/METADATA":
                data = data.replace(f"Version: {was}\n".encode(), f"Version: {version}\n".encode())
            if entry.filename in changes:
                before, after = changes[entry.filename]
                assert before in data.decode()
                data = data.decode().replace(before, after).encode()
            entry.filename = entry.filename.replace(info, f"benchd-{version}.dist-info")
            new.writestr(entry, data)
            written[entry.filename] = data
        new.writestr(*_record(f"benchd-{version}.dist-info", written))


def _record(info: str, files: Mapping[str, bytes]) -> tuple[str, str]:
    """A wheel's list of what is in it."""
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(sha256(data).digest()).rstrip(b'=').decode()},"
        for name, data in files.items()
    ]
    return f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,", ""])


def fake_wheels(
    folder: Path,
    version: str,
    pyscard: str = "cp313-cp313-linux_x86_64",
    more: Mapping[str, str] = {},
) -> Path:
    """What `scripts/build-deb` looks at in wheels, and no more than that in benchd's own."""
    folder.mkdir()
    own = {
        f"benchd-{version}.dist-info/METADATA": f"Name: benchd\nVersion: {version}\n",
        "benchd/commit.txt": "0123456789abcdef0123456789abcdef01234567\n",
        "benchd/ledger/migrations/0012_record.sql": "",
        **more,
    }
    pyscards = {"smartcard/scard/__init__.py": ""}
    for name, info, files in (
        (f"benchd-{version}-py3-none-any.whl", f"benchd-{version}.dist-info", own),
        (f"pyscard-1.0-{pyscard}.whl", "pyscard-1.0.dist-info", pyscards),
    ):
        with zipfile.ZipFile(folder / name, "w") as wheel:
            record = _record(info, {path: text.encode() for path, text in files.items()})
            for path, text in (*files.items(), record):
                wheel.writestr(zipfile.ZipInfo(path, (2026, 11, 27, 0, 0, 0)), text)
    return folder
