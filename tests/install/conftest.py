"""A clean Debian 13 with benchd installed in it, made once for all tests here."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from install_rig import make_release, run


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, pytest.TestReport]:
    """Where containers have to boot, as in CI, a test that boots one is never just skipped."""
    report: pytest.TestReport = yield
    required = os.environ.get("BENCHD_MACHINES") == "required"
    if required and report.skipped and item.get_closest_marker("boots"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = (
            f"{why}\nBENCHD_MACHINES=required says that a container can be booted here. Mend that,"
            " or set BENCHD_MACHINES=absent where it can't be: then it is skipped, and CI says so."
        )
    return report


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What scripts/release makes."""
    return make_release(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="session")
def bundle(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its bundle, unpacked."""
    unpacked = tmp_path_factory.mktemp("bundle")
    run("tar", "--extract", "--directory", unpacked, "--file", release / f"{release.name}.tar")
    return unpacked / release.name


@pytest.fixture(scope="session")
def wheels(bundle: Path) -> Path:
    """What scripts/build-wheels makes."""
    return bundle / "wheels"


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
def installed(debian: Path, bundle: Path) -> Path:
    """The same with benchd in it."""
    run(bundle / "scripts/install", "--root", debian)
    return debian
