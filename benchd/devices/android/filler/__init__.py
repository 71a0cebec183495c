"""The native programs for handsets, and where their binaries lie.

One overwrites the storage; the other, which shares no code with it, tells what of a file is in
the page cache. Both are written in Go, lie beside this file and are built by
`benchd.devices.android.filler.build`.
"""

from __future__ import annotations

from enum import StrEnum
from importlib import metadata
from pathlib import Path

from benchd.domain.errors import DependencyMissing, UnsupportedHandset

ABIS = ("arm64", "arm", "amd64", "386")
"""Every ABI that the programs are built for, by its Go name."""

_ABI_BY_ANDROID_NAME = {
    "arm64-v8a": "arm64",
    "armeabi-v7a": "arm",
    "x86_64": "amd64",
    "x86": "386",
}

BUILD_ALL = "Build it with: python -m benchd.devices.android.filler.build"

SOURCE_FOLDER = Path(__file__).resolve().parent
"""Where the Go sources lie."""


class Program(StrEnum):
    """The native programs, by the names of their binaries."""

    FILL = "benchd-fill"
    CACHE = "benchd-cache"

    @property
    def package(self) -> str:
        """Where its sources lie, from `SOURCE_FOLDER`."""
        return {Program.FILL: ".", Program.CACHE: "./cache"}[self]


def is_known_abi(abi: str) -> bool:
    """Whether the programs are built for this ABI, named in Android's way or in Go's."""
    return abi in ABIS or abi in _ABI_BY_ANDROID_NAME


def go_abi(abi: str) -> str:
    """Give the Go name of an ABI, which may be named in Android's way or in Go's."""
    if abi in ABIS:
        return abi
    if abi in _ABI_BY_ANDROID_NAME:
        return _ABI_BY_ANDROID_NAME[abi]
    known = ", ".join(_ABI_BY_ANDROID_NAME)
    raise UnsupportedHandset(f"No fill program for the ABI {abi[:40]!r}; there is one for {known}.")


def built_path(abi: str, program: Program = Program.FILL) -> Path:
    """Say where the binary for an ABI belongs, whether it is there or not."""
    return SOURCE_FOLDER / "bin" / f"{program}-{go_abi(abi)}"


def program_path(abi: str, program: Program = Program.FILL) -> Path:
    """Find the binary for an ABI; raises `DependencyMissing` where it has not been built."""
    path = built_path(abi, program)
    if not path.is_file():
        raise DependencyMissing(
            f"The program {program} for {go_abi(abi)} has not been built: {path} is missing.",
            cure=f"{BUILD_ALL} --abi {go_abi(abi)}",
        )
    return path


def require_programs() -> tuple[str, ...]:
    """Give the ABIs that lack a program here; raises `DependencyMissing` if that can't be meant.

    An installed wheel has to hold every program that it came with. A checkout builds those that
    it needs, and needs one at least.
    """
    missing = tuple(abi for abi in ABIS if _unbuilt(abi))
    lost = tuple(abi for abi in missing if _unbuilt(abi) & _shipped())
    if lost:
        raise DependencyMissing(
            f"The fill program for {', '.join(lost)} is missing from {SOURCE_FOLDER / 'bin'}.",
            cure="Install benchd anew with: scripts/install",
        )
    if missing == ABIS:
        raise DependencyMissing(
            f"No fill program has been built: {SOURCE_FOLDER / 'bin'} holds none.", cure=BUILD_ALL
        )
    return missing


def _unbuilt(abi: str) -> frozenset[str]:
    paths = (built_path(abi, program) for program in Program)
    return frozenset(path.name for path in paths if not path.is_file())


def _shipped() -> frozenset[str]:
    """The files of the wheel that benchd was installed from; an editable install lists none."""
    return frozenset(file.name for file in metadata.files("benchd") or ())
