"""What benchd's own wheel carries beside Python: fonts and the programs for handsets."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
import zipfile
from pathlib import Path, PurePosixPath
from typing import Final

from benchd.devices.android.filler.build import find_go
from benchd.lab.release.licences import LicenceUnknown
from benchd.lab.release.part import Kind, Part

_FONTS: Final = (".ttf", ".otf", ".woff", ".woff2")
_OPEN_FONT: Final = b"SIL Open Font License, Version 1.1"
_PROGRAMS: Final = "benchd/devices/android/filler/bin/"
_GO_DEADLINE_S: Final = 60.0
STANDARD_LIBRARY: Final = "stdlib"
"""What package URLs call Go's runtime and standard library."""


def fonts_in(wheel: zipfile.ZipFile) -> list[Part]:
    """Each font file.

    Raises:
        LicenceUnknown: One has no OFL.txt beside it.
    """
    names = set(wheel.namelist())
    found: list[Part] = []
    for name in sorted(each for each in names if each.endswith(_FONTS)):
        text = str(PurePosixPath(name).with_name("OFL.txt"))
        if text not in names or _OPEN_FONT not in wheel.read(text):
            raise LicenceUnknown(f"{name} has no text of the Open Font License beside it: {text}")
        digest = hashlib.sha256(wheel.read(name)).hexdigest()
        found.append(
            Part(kind=Kind.FONT, name=name, licence="OFL-1.1", sha256=digest, texts=(text,))
        )
    return found


def programs_in(wheel: zipfile.ZipFile) -> list[Part]:
    """What the programs for handsets were linked from, as Go has noted in them.

    Raises:
        LicenceUnknown: One of them has a module that nobody has read the licence of.
        ValueError: Go finds no note in them.
    """
    names = [name for name in wheel.namelist() if name.startswith(_PROGRAMS)]
    if not names:
        return []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            program = Path(folder, PurePosixPath(name).name)
            program.write_bytes(wheel.read(name))
            program.chmod(0o755)  # go looks at no other
        told = subprocess.run(
            [find_go(), "version", "-m", folder],
            capture_output=True,
            text=True,
            timeout=_GO_DEADLINE_S,
            check=True,
        ).stdout
    lines = told.splitlines()
    heads = [line for line in lines if line.startswith(folder)]
    if len(heads) != len(names):
        raise ValueError(f"of {len(names)} programs, {len(heads)} say what they were made with")
    modules = [line.split()[1:3] for line in lines if line.split()[:1] == ["dep"]]
    if modules:
        raise LicenceUnknown(f"the programs for handsets have modules now: {modules}")
    versions = {head.split(": go")[-1] for head in heads}
    return [
        Part(kind=Kind.GO, name=STANDARD_LIBRARY, version=version, licence="BSD-3-Clause")
        for version in sorted(versions)
    ]


def licence_of_go() -> str:
    """The text that Go's licence asks to be passed on.

    The package that brings Go leaves its LICENSE out; the part of its standard library that is
    kept by the same authors apart has the same.

    Raises:
        LicenceUnknown: It isn't there.
    """
    told = subprocess.run(
        [find_go(), "env", "GOROOT"],
        capture_output=True,
        text=True,
        timeout=_GO_DEADLINE_S,
        check=True,
    ).stdout
    root = Path(told.strip())
    for place in ("LICENSE", "src/vendor/golang.org/x/net/LICENSE"):
        if (root / place).is_file():
            return (root / place).read_text(encoding="utf-8")
    raise LicenceUnknown(f"Go's licence isn't in {root}; set BENCHD_GO to a Go that has it")
