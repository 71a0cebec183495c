"""Wheels as a release has them: real metadata and licences, without the programs."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import pytest
from release_rig import COMMIT, DEBIAN, ROOT, wheel_of

from benchd.devices.android.filler.build import host_abi
from benchd.lab.release.gathering import release_of
from benchd.lab.release.part import Release


@pytest.fixture(scope="session")
def pins() -> dict[str, str]:
    """What requirements.txt has for a rack's installation and a centre's: versions by name."""
    told = [
        subprocess.run(
            [sys.executable, ROOT / "scripts/runtime-requirements", *extra],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for extra in ((), ("fleet",))
    ]
    heads = (line.split()[0] for line in "".join(told).splitlines() if line[:1].strip())
    return dict(head.split("==") for head in heads)


@pytest.fixture(scope="session")
def wheels(pins: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel of each of them, and benchd's own."""
    folder = tmp_path_factory.mktemp("wheels")
    for name in pins:
        wheel_of(folder, metadata.distribution(name))
    with zipfile.ZipFile(wheel_of(folder, metadata.distribution("benchd")), "a") as own:
        own.writestr("benchd/commit.txt", f"{COMMIT}\n")
        for fonts in ("benchd/papers/fonts", "benchd/web/static/fonts"):
            for file in (ROOT / fonts).iterdir():
                own.write(file, f"{fonts}/{file.name}")
        program = f"benchd/devices/android/filler/bin/benchd-fill-{host_abi()}"
        own.write(ROOT / program, program)
    return folder


@pytest.fixture(scope="session")
def release(wheels: Path) -> Release:
    """What these wheels make up."""
    made_at = datetime(2026, 11, 27, tzinfo=UTC)
    return release_of(wheels, debian=DEBIAN, processor="amd64", made_at=made_at)
