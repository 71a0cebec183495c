"""Which benchd it is that runs, by git's tags and commits."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.version import Version

from benchd.domain.version_info import NO_VERSION, UNKNOWN, Revision, commit_of, revision_of

ROOT = Path(__file__).parents[2]


def git(folder: Path, *words: str) -> str:
    name = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    told = subprocess.run(
        ("git", *name, *words), cwd=folder, capture_output=True, text=True, check=True
    )
    return told.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """One commit, no tag."""
    (tmp_path / "file").write_text("1")
    under_git(tmp_path)
    return tmp_path


def under_git(folder: Path) -> None:
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "one")


def commit(checkout: Path, how_many: int = 1) -> str:
    for _ in range(how_many):
        git(checkout, "commit", "--quiet", "--allow-empty", "--message", "more")
    return git(checkout, "rev-parse", "HEAD")


def test_a_tag_on_the_commit_is_the_version(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.3")
    assert revision_of(checkout) == Revision("1.2.3", git(checkout, "rev-parse", "HEAD"))
    commit(checkout)
    git(checkout, "tag", "--annotate", "--message", "out", "v2.0")
    assert revision_of(checkout).version == "2.0"


@pytest.mark.parametrize(
    ("tag", "coming"), [("v1.2.3", "1.2.4"), ("v1.9", "1.10"), ("v2.0.0rc1", "2.0.0rc2")]
)
def test_behind_a_tag_the_next_one_is_in_development(checkout: Path, tag: str, coming: str) -> None:
    git(checkout, "tag", tag)
    head = commit(checkout, 3)
    told = revision_of(checkout)
    assert told == Revision(f"{coming}.dev3+g{head[:12]}", head)
    assert Version(tag) < Version(told.version) < Version(coming)


def test_a_changed_file_is_never_called_by_the_tag(checkout: Path) -> None:
    git(checkout, "tag", "v1.2.3")
    head = git(checkout, "rev-parse", "HEAD")
    (checkout / "file").write_text("2")
    assert revision_of(checkout) == Revision(f"1.2.4.dev0+g{head[:12]}.dirty", f"{head}-dirty")


@pytest.mark.parametrize(
    ("name", "dirty"),
    [
        ("configs/models/new.toml", True),
        ("docs/new.md", True),
        ("notes", False),
        ("deb/x.o", False),
    ],
)
def test_a_file_that_git_was_never_told_of_counts_where_wheels_and_packages_are_made_of_it(
    checkout: Path, name: str, *, dirty: bool
) -> None:
    git(checkout, "tag", "v1.2.3")
    (checkout / ".git/info/exclude").write_text("*.o\n")
    (checkout / name).parent.mkdir(parents=True, exist_ok=True)
    (checkout / name).touch()
    told = revision_of(checkout)
    assert told.version.endswith(".dirty") == dirty
    assert told.commit.endswith("-dirty") == dirty


def test_without_a_tag_the_version_is_unknown_and_the_commit_told(checkout: Path) -> None:
    head = git(checkout, "rev-parse", "HEAD")
    assert revision_of(checkout) == Revision(f"0+unknown.g{head[:12]}", head)
    (checkout / "file").write_text("2")
    assert revision_of(checkout) == Revision(f"0+unknown.g{head[:12]}.dirty", f"{head}-dirty")


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        *((tag, "1.1.dev1") for tag in ("v9-trial", "v9.x", "9.0", "nightly", "v1.0-7-gabc")),
        *((tag, "0+unknown") for tag in ("v01.2", "v1.rc1", "v3rc", "v1r2")),
    ],
)
def test_a_tag_that_is_no_version_is_looked_past_and_a_misspelt_one_names_nothing(
    checkout: Path, tag: str, version: str
) -> None:
    git(checkout, "tag", "v1.0")
    head = commit(checkout)
    git(checkout, "tag", tag)
    join = "." if "+" in version else "+"
    assert revision_of(checkout).version == f"{version}{join}g{head[:12]}"


def test_nobody_elses_checkout_and_none_without_a_commit_is_named(checkout: Path) -> None:
    git(checkout, "tag", "v1.0")
    inside = checkout / "site-packages"
    inside.mkdir()
    assert revision_of(inside) == Revision(NO_VERSION, UNKNOWN)
    assert commit_of(inside) == UNKNOWN
    git(inside, "init", "--quiet")
    assert revision_of(inside) == Revision(NO_VERSION, UNKNOWN)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """What a wheel is made of, without the programs for handsets and without git."""
    folder = tmp_path / "sources"
    (folder / "configs").mkdir(parents=True)
    (folder / "benchd/domain").mkdir(parents=True)
    for name in ("pyproject.toml", ".gitignore", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in ("__init__.py", "domain/__init__.py", "domain/version_info.py"):
        shutil.copy(ROOT / "benchd" / name, folder / "benchd" / name)
    shutil.copytree(ROOT / "configs/models", folder / "configs/models")
    return folder


def wheel_of(sources: Path, out: Path) -> tuple[str, str, bytes]:
    """The name of the wheel, the commit that it names, all of it."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", out],
        cwd=sources,
        check=True,
        capture_output=True,
        env={"PATH": "/usr/bin:/bin", "BENCHD_SKIP_FILLER": "1"},
    )
    [wheel] = out.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return wheel.name, archive.read("benchd/commit.txt").decode().strip(), wheel.read_bytes()


def test_a_wheel_has_version_and_commit_and_the_same_bytes_twice_and_without_git_none(
    sources: Path, tmp_path: Path
) -> None:
    name, told, _ = wheel_of(sources, tmp_path / "without")
    assert (name, told) == ("benchd-0+unknown-py3-none-any.whl", UNKNOWN)
    under_git(sources)
    git(sources, "tag", "v1.2.3")
    once = wheel_of(sources, tmp_path / "once")
    assert once[:2] == ("benchd-1.2.3-py3-none-any.whl", git(sources, "rev-parse", "HEAD"))
    assert once == wheel_of(sources, tmp_path / "twice")
    head = commit(sources)
    name, told, _ = wheel_of(sources, tmp_path / "behind")
    assert (name, told) == (f"benchd-1.2.4.dev1+g{head[:12]}-py3-none-any.whl", head)


def test_a_checkout_tells_what_it_is_now(sources: Path) -> None:
    ask = "from benchd.domain.version_info import version, commit; print(version(), commit())"
    under_git(sources)
    for tag in ("v1.0", "v1.1"):
        head = commit(sources)
        git(sources, "tag", tag)
        told = subprocess.run(
            [sys.executable, "-c", ask], cwd=sources, check=True, capture_output=True, text=True
        )
        assert told.stdout.split() == [tag[1:], head]
