"""What an installation takes from a bundle or a folder of wheels: all as listed, or nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from install_rig import ROOT, ended

LISTED = (
    "wheels/benchd-1.2.3-py3-none-any.whl",
    "wheels/anyio-4.16.0-py3-none-any.whl",
    "scripts/install",
    "configs/recipes/overwrite.toml",
)


def shell(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What a script says that has read in the functions of an installation."""
    rig = (
        "set -euo pipefail\nroot=/nonexistent\n"
        "say() { printf '%s\\n' \"$*\"; }\n"
        'stop() { say "$1"; say "$2"; exit 3; }\n'
        f'source "{ROOT}/scripts/releases.sh"\n'
    )
    return ended("bash", "-c", rig + script, "bundle", *arguments)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle with its list."""
    folder = tmp_path / "benchd-1.2.3-amd64"
    for name in LISTED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"what is in {name}")
    listed = ended("sha256sum", *LISTED, cwd=folder)
    (folder / "SHA256SUMS").write_text(listed.stdout)
    (folder / "SHA256SUMS.sig").write_text("by whoever has signed the list")
    return folder


REFUSE = 'refuse_damaged "$1"; echo "went on"'


def test_a_whole_bundle_is_taken(bundle: Path) -> None:
    done = shell(REFUSE, bundle)
    assert (done.returncode, done.stdout, done.stderr) == (0, "went on\n", "")


def changed_byte(bundle: Path, name: str) -> None:
    content = (bundle / name).read_bytes()
    (bundle / name).write_bytes(bytes([content[0] ^ 1]) + content[1:])


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    **{f"a byte of {name}": ((lambda b, n=name: changed_byte(b, n)), name) for name in LISTED},
    "a file that is missing": (lambda b: (b / LISTED[1]).unlink(), LISTED[1]),
    "a wheel that was added": (
        lambda b: (b / "wheels/anyio-99-py3-none-any.whl").write_text("newer"),
        "not listed: wheels/anyio-99-py3-none-any.whl",
    ),
    "a recipe that was added": (
        lambda b: (b / "configs/recipes/quick.toml").symlink_to(b / LISTED[3]),
        "not listed: configs/recipes/quick.toml",
    ),
    "an empty list": (lambda b: (b / "SHA256SUMS").write_text(""), "SHA256SUMS"),
    "a list with a line that is none": (
        lambda b: (b / "SHA256SUMS").write_text((b / "SHA256SUMS").read_text() + "nothing\n"),
        "SHA256SUMS",
    ),
    "a list without a wheel": (
        lambda b: (b / "SHA256SUMS").write_text(
            "".join((b / "SHA256SUMS").read_text().splitlines(keepends=True)[1:])
        ),
        f"not listed: {LISTED[0]}",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_as_listed_is_refused(bundle: Path, damage: str) -> None:
    do, named = DAMAGES[damage]
    do(bundle)
    done = shell(REFUSE, bundle)
    assert done.returncode == 3, done.stderr
    assert named in done.stdout
    japanese, english = done.stdout.splitlines()[-2:]
    assert "何も変更していません" in japanese
    assert english.endswith("copy it once more; nothing was changed")


def test_a_folder_without_a_list_is_left_to_what_comes_after(tmp_path: Path) -> None:
    assert shell(REFUSE, tmp_path).stdout == "went on\n"
