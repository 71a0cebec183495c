"""The program is found, built, cached and tested in Go; what is missing is said with its cure."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchd.devices.android import filler
from benchd.devices.android.filler import Program
from benchd.devices.android.filler import build as builder
from benchd.domain.errors import DependencyMissing, UnsupportedHandset

ELFCLASS64 = 2
PT_LOAD = 1


def test_android_names_are_known_and_what_is_missing_is_said_with_its_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {"arm64-v8a": "arm64", "armeabi-v7a": "arm", "x86_64": "amd64", "x86": "386"}
    for android_name, abi in known.items():
        assert filler.built_path(android_name) == filler.built_path(abi)
        assert filler.built_path(abi).name == f"benchd-fill-{abi}"
    with pytest.raises(UnsupportedHandset, match="riscv64"):
        filler.program_path("riscv64")
    monkeypatch.setattr(filler, "SOURCE_FOLDER", tmp_path)
    with pytest.raises(DependencyMissing) as caught:
        filler.program_path("arm64-v8a")
    assert caught.value.cure.endswith("python -m benchd.devices.android.filler.build --abi arm64")


def test_the_built_programs_are_found_and_run(program: Path, cache_program: Path) -> None:
    assert filler.program_path(builder.host_abi()) == program
    assert filler.program_path(builder.host_abi(), Program.CACHE) == cache_program
    said = subprocess.run([cache_program, "version"], capture_output=True, check=True).stdout
    assert said == b"cache version=1\n"
    said = subprocess.run([program, "version"], capture_output=True, check=True).stdout
    assert json.loads(said) == {"event": "version", "version": "3", "cipher": "aes-128-ctr"}


@pytest.mark.parametrize("program", Program)
@pytest.mark.parametrize("abi", filler.ABIS)
def test_every_kernel_can_load_it_whatever_its_pages(abi: str, program: Program) -> None:
    """Pages are of up to 64 KiB on ARM, and of 16 KiB on Android 15 and later."""
    segments = list(loaded_segments(builder.build(abi, program).read_bytes()))
    assert segments
    for align, offset, address in segments:
        assert align >= builder.SEGMENT_BYTES
        assert offset % builder.SEGMENT_BYTES == address % builder.SEGMENT_BYTES


def loaded_segments(elf: bytes) -> Iterator[tuple[int, int, int]]:
    """Alignment, place in the file and address of each PT_LOAD: elf(5)."""
    wide = elf[4] == ELFCLASS64
    start, size, count = (
        (*struct.unpack_from("<Q", elf, 32), *struct.unpack_from("<HH", elf, 54))
        if wide
        else (*struct.unpack_from("<I", elf, 28), *struct.unpack_from("<HH", elf, 42))
    )
    for place in range(start, start + size * count, size):
        (kind,) = struct.unpack_from("<I", elf, place)
        if kind == PT_LOAD and wide:
            offset, address = struct.unpack_from("<QQ", elf, place + 8)
            yield struct.unpack_from("<Q", elf, place + 48)[0], offset, address
        elif kind == PT_LOAD:
            offset, address = struct.unpack_from("<II", elf, place + 4)
            yield struct.unpack_from("<I", elf, place + 28)[0], offset, address


def test_building_again_gives_the_same_bytes(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = builder.go_environment(builder.host_abi())
    first = program.read_bytes()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("GOCACHE", environment["GOCACHE"])
    assert builder.build(builder.host_abi()).read_bytes() == first
    assert len(list((tmp_path / "benchd" / "filler").iterdir())) == 1


def test_the_cache_spares_the_compiler(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("compiled again")

    monkeypatch.setattr(builder, "_compile", refuse)
    assert builder.build(builder.host_abi()) == program


def test_without_go_the_cure_is_named(tmp_path: Path) -> None:
    environment = {**os.environ, "BENCHD_GO": str(tmp_path / "go")}
    command = [sys.executable, "-m", "benchd.devices.android.filler.build", "--abi", "host"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "Set BENCHD_GO" in done.stderr
    assert "Traceback" not in done.stderr


def test_go_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {name: tmp_path / name for name in ("chosen", "beside", "path")}
    for place in places.values():
        place.mkdir()
        (place / "go").write_text("#!/bin/sh\n")
        (place / "go").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(places["beside"] / "python"))
    monkeypatch.setenv("PATH", str(places["path"]))
    monkeypatch.setenv("BENCHD_GO", str(places["chosen"] / "go"))
    assert builder.find_go() == places["chosen"] / "go"
    monkeypatch.delenv("BENCHD_GO")
    assert builder.find_go() == places["beside"] / "go"
    (places["beside"] / "go").unlink()
    assert builder.find_go() == places["path"] / "go"
    (places["path"] / "go").unlink()
    with pytest.raises(DependencyMissing, match="No Go found"):
        builder.find_go()


def test_what_go_says_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "go"
    broken.write_text('#!/bin/sh\necho "no such thing" >&2\nexit 7\n')
    broken.chmod(0o755)
    monkeypatch.setenv("BENCHD_GO", str(broken))
    with pytest.raises(builder.BuildFailed, match="no such thing"):
        builder.build("arm64")


def go_test(*arguments: str, abi: str, **changes: str) -> None:
    done = subprocess.run(
        [builder.find_go(), "test", "-count=1", "-trimpath", "-vet=off", *arguments, "./..."],
        cwd=filler.SOURCE_FOLDER,
        env={**builder.go_environment(abi), **changes},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()


@pytest.mark.timeout(600)
def test_go_test() -> None:
    go_test(abi=builder.host_abi())


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_go_test_finds_no_race() -> None:
    if shutil.which("gcc") is None or builder.host_abi() not in ("amd64", "arm64"):
        pytest.skip("the race detector needs a C compiler and a 64-bit processor")
    go_test("-race", abi=builder.host_abi(), CGO_ENABLED="1")


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_go_test_on_32_bits() -> None:
    """Where numbers are narrower and the cipher is ChaCha8."""
    if builder.host_abi() != "amd64":
        pytest.skip("only x86-64 also runs its 32-bit programs")
    go_test(abi="386")
