"""What no release is made of, how its list is signed, and what an admin runs to verify it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from install_rig import ROOT, ended

VERIFY = (
    "ssh-keygen -Y verify -f ../release_signers -I benchd-release -n benchd-release"
    ' -s SHA256SUMS.sig <SHA256SUMS && sha256sum "$file" | grep -Fxf - SHA256SUMS'
)
"""As docs/releasing.md has it, for the file that is about to be used."""


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key that releases are signed with."""
    file = tmp_path_factory.mktemp("key") / "release"
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "releases", "-f", file]
    subprocess.run(make, check=True, stdin=subprocess.DEVNULL)
    return file


@pytest.fixture
def release(tmp_path: Path, key: Path) -> Path:
    """What scripts/release leaves, and beside it whom the administrator believes."""
    public = key.with_suffix(".pub").read_text()
    signers = f'benchd-release namespaces="benchd-release" {public}'
    (tmp_path / "release_signers").write_text(signers)
    return folder(tmp_path / "benchd-1.2.3-amd64")


def folder(where: Path) -> Path:
    where.mkdir()
    (where / "bundle.tar").write_text("all of it")
    sums = run("sha256sum bundle.tar", where).stdout
    (where / "SHA256SUMS").write_text(sums)
    return where


def run(script: str, where: Path) -> subprocess.CompletedProcess[str]:
    return ended("bash", "-c", script, cwd=where)


def verify(release: Path, file: str = "bundle.tar") -> int:
    """How what the manual has ends for a file of the release."""
    return run(f"file={file}; {VERIFY}", release).returncode


def sign(key: Path, release: Path) -> subprocess.CompletedProcess[str]:
    return run(f"'{ROOT}/scripts/sign-release' '{key}' '{release}'", release)


def test_the_manual_has_the_command_that_verifies() -> None:
    manual = (ROOT / "docs/releasing.md").read_text()
    assert " ".join(VERIFY.split()) in " ".join(manual.replace("\\\n", " ").split())


def test_a_signed_release_verifies_and_signing_again_changes_nothing(
    key: Path, release: Path
) -> None:
    assert sign(key, release).returncode == 0
    once = (release / "SHA256SUMS.sig").read_bytes()
    assert verify(release) == 0
    assert sign(key, release).returncode == 0
    assert (release / "SHA256SUMS.sig").read_bytes() == once


def test_what_was_changed_after_signing_does_not_verify(key: Path, release: Path) -> None:
    assert sign(key, release).returncode == 0
    (release / "bundle.tar").write_text("something else")
    assert verify(release) == 1
    (release / "SHA256SUMS").write_text(run("sha256sum bundle.tar", release).stdout)
    assert verify(release) == 255


def test_a_forged_file_beside_a_release_that_is_truly_signed_does_not_verify(
    key: Path, release: Path
) -> None:
    assert sign(key, release).returncode == 0
    (release / "newer.tar").write_text("forged")
    assert verify(release, "newer.tar") == 1
    # Nor does one that is genuine, under the name of another.
    (release / "newer.tar").write_bytes((release / "bundle.tar").read_bytes())
    assert verify(release, "newer.tar") == 1
    assert verify(release, "missing.tar") == 1
    assert verify(release) == 0


def test_another_key_does_not_verify(key: Path, release: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    run(f"ssh-keygen -q -t ed25519 -N '' -f '{other}' </dev/null", tmp_path)
    assert sign(other, release).returncode == 0
    assert verify(release) == 255


@pytest.mark.parametrize("name", ["benchd-1.2.3-amd64-trial", "benchd-1.2.4.dev0+gab.dirty-amd64"])
def test_a_trial_is_not_signed(key: Path, tmp_path: Path, name: str) -> None:
    trial = folder(tmp_path / name)
    done = sign(key, trial)
    assert done.returncode == 3
    assert "a trial can't be signed" in done.stderr
    assert not (trial / "SHA256SUMS.sig").exists()


def test_what_is_not_as_listed_is_not_signed(key: Path, release: Path) -> None:
    (release / "bundle.tar").write_text("torn")
    done = sign(key, release)
    assert done.returncode == 3
    assert "isn't what SHA256SUMS lists" in done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """One that was unpacked: no git."""
    (tmp_path / "scripts").mkdir()
    for name in ("release", "sign-release", "deb-parts"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts")
    return tmp_path


def test_sources_without_git_make_no_release(checkout: Path) -> None:
    done = ended(checkout / "scripts/release")
    assert done.returncode == 3
    assert "its version comes from git's tags" in done.stderr


def test_a_file_that_nobody_has_committed_makes_no_release(checkout: Path) -> None:
    subprocess.run(["git", "init", "--quiet", checkout], check=True)
    done = ended(checkout / "scripts/release")
    assert done.returncode == 3
    assert "make a trial with --trial" in done.stderr


@pytest.mark.parametrize(
    "words",
    [("--key", "nowhere"), ("--key",), ("--sign",), ("a", "b"), ("--trial", "--key", __file__)],
)
def test_words_that_it_does_not_know_show_how_it_is_used(
    checkout: Path, words: tuple[str, ...]
) -> None:
    done = ended(checkout / "scripts/release", *words)
    assert done.returncode == 2
    assert done.stderr.startswith("scripts/release [--key FILE | --trial] [DIRECTORY]")
