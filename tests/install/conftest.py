"""A clean Debian 13 with benchd installed in it, made once for all tests here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from install_rig import ROOT, run


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What scripts/build-wheels makes."""
    directory = tmp_path_factory.mktemp("wheels")
    run(ROOT / "scripts/build-wheels", directory)
    return directory


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """A Debian with systemd and nothing of benchd's."""
    root = tmp_path_factory.mktemp("debian") / "root"
    run("mmdebstrap", "--quiet", "--variant=minbase", "--include=systemd-sysv", "trixie", root)
    maker = os.getpid()
    yield root
    # Tests that run in a process of their own take down there what stands for the session.
    if os.getpid() == maker:
        shutil.rmtree(root)


@pytest.fixture(scope="session")
def installed(debian: Path, wheels: Path) -> Path:
    """The same with benchd in it."""
    run(ROOT / "scripts/install", "--root", debian, "--wheels", wheels)
    return debian
