"""The native program that overwrites a handset's storage, and where its binaries lie.

The program is written in Go, lies beside this file and is built by `benchd.filler.build`.
"""

from __future__ import annotations

from pathlib import Path

from benchd.errors import DependencyMissing, UnsupportedHandset

ABIS = ("arm64", "arm", "amd64", "386")
"""Every ABI that the program is built for, by its Go name."""

_ABI_BY_ANDROID_NAME = {
    "arm64-v8a": "arm64",
    "armeabi-v7a": "arm",
    "x86_64": "amd64",
    "x86": "386",
}

SOURCE_FOLDER = Path(__file__).resolve().parent
"""Where the Go sources lie."""


def go_abi(abi: str) -> str:
    """Give the Go name of an ABI, which may be named in Android's way or in Go's."""
    if abi in ABIS:
        return abi
    if abi in _ABI_BY_ANDROID_NAME:
        return _ABI_BY_ANDROID_NAME[abi]
    known = ", ".join(_ABI_BY_ANDROID_NAME)
    raise UnsupportedHandset(f"No fill program for the ABI {abi[:40]!r}; there is one for {known}.")


def built_path(abi: str) -> Path:
    """Say where the binary for an ABI belongs, whether it is there or not."""
    return SOURCE_FOLDER / "bin" / f"benchd-fill-{go_abi(abi)}"


def program_path(abi: str) -> Path:
    """Find the binary for an ABI; raises `DependencyMissing` where it has not been built."""
    path = built_path(abi)
    if not path.is_file():
        raise DependencyMissing(
            f"The fill program for {go_abi(abi)} has not been built: {path} is missing.",
            cure=f"Build it with: python -m benchd.filler.build --abi {go_abi(abi)}",
        )
    return path
