"""The Go program's own tests, and that it builds for every handset."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from benchd.filler import ABIS, SOURCE_FOLDER
from benchd.filler.build import find_go, go_environment, host_abi


def go(*arguments: str, abi: str, **changes: str) -> None:
    done = subprocess.run(
        [find_go(), *arguments],
        cwd=SOURCE_FOLDER,
        env={**go_environment(abi), **changes},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("abi", ABIS)
def test_go_vet_for_every_abi(abi: str) -> None:
    go("vet", "./...", abi=abi)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_go_test() -> None:
    if shutil.which("gcc") is not None and host_abi() in ("amd64", "arm64"):
        go("test", "-count=1", "-race", "./...", abi=host_abi(), CGO_ENABLED="1")
    else:
        go("test", "-count=1", "./...", abi=host_abi())


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_go_test_on_32_bits() -> None:
    """Where numbers are narrower and the cipher is ChaCha8."""
    if host_abi() != "amd64":
        pytest.skip("only x86-64 also runs its 32-bit programs")
    go("test", "-count=1", "./...", abi="386")
