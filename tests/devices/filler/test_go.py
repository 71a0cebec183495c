"""The Go program's own tests; scripts/check has `go vet` for every processor."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from benchd.devices.android.filler import SOURCE_FOLDER
from benchd.devices.android.filler.build import find_go, go_environment, host_abi


def go_test(*arguments: str, abi: str, **changes: str) -> None:
    done = subprocess.run(
        [find_go(), "test", "-count=1", "-trimpath", "-vet=off", *arguments, "./..."],
        cwd=SOURCE_FOLDER,
        env={**go_environment(abi), **changes},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.timeout(600)
def test_go_test() -> None:
    go_test(abi=host_abi())


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_go_test_finds_no_race() -> None:
    if shutil.which("gcc") is None or host_abi() not in ("amd64", "arm64"):
        pytest.skip("the race detector needs a C compiler and a 64-bit processor")
    go_test("-race", abi=host_abi(), CGO_ENABLED="1")


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_go_test_on_32_bits() -> None:
    """Where numbers are narrower and the cipher is ChaCha8."""
    if host_abi() != "amd64":
        pytest.skip("only x86-64 also runs its 32-bit programs")
    go_test(abi="386")
