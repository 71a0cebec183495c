"""Which release runs and which can be gone back to: the shell's functions alone, in a folder."""

from __future__ import annotations

import shutil
import sys
from contextlib import closing
from pathlib import Path

import pytest
from install_rig import ROOT
from releases_rig import AGAIN, MAKE, NEW, NEWER, OLD, empty_machine, links, shell

from benchd.domain.sql_statements import query
from benchd.ledger.ledger_database import open_for_writing


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with nothing but the folders that the links lie in."""
    return empty_machine(tmp_path)


def test_a_release_brings_its_manuals_and_examples_and_they_change_with_it(root: Path) -> None:
    shell(
        root,
        f"{MAKE} here=$3 release={NEW}; make {OLD}; run_release {OLD}; make $release; carry_manuals"
        "; run_release $release",
    )
    link = root / "usr/local/share/benchd"
    assert str(link.readlink()) == "/opt/benchd/current/share/benchd"
    brought = root / "opt/benchd/current/share/benchd"
    for name in ("docs/runbooks/rack.md", "configs/grafana/dashboards/benchd-cables.json"):
        assert (brought / name).read_bytes() == (ROOT / name).read_bytes()
    rules = {path.name for path in (brought / "configs/prometheus/rules").iterdir()}
    assert rules == {"compared.yml", "rack.yml", "recorded.yml", "service.yml"}
    assert not (brought / "docs/screenshots").exists()


@pytest.mark.parametrize("form", [10, 99])
def test_a_ledgers_form_that_only_the_log_of_a_crash_has_is_seen(root: Path, form: int) -> None:
    ledger = root / "var/lib/benchd/ledger.sqlite"
    crashed = root / "crashed.sqlite"
    crashed.touch()
    with closing(open_for_writing(crashed)) as connection:
        query(connection, "PRAGMA wal_checkpoint = truncate")
        query(connection, f"PRAGMA user_version = {form}")
        for ending in ("", "-wal"):
            shutil.copy(f"{crashed}{ending}", f"{ledger}{ending}")
    found = {path.name: path.read_bytes() for path in ledger.parent.iterdir()}
    assert int.from_bytes(found["ledger.sqlite"][60:64]) != 99
    said = shell(root, "refuse_older_than_ledger releases/older", status=(3 if form == 99 else 0))
    assert (f"has form {form}" in said) == (form == 99)
    assert {path.name: path.read_bytes() for path in ledger.parent.iterdir()} == found
    # Before a package is unpacked, the release that runs is asked for one that isn't there yet.
    said = shell(root, f"refuse_older_than_ledger current {form - 1} 'benchd 0.9'", status=3)
    assert f"and benchd 0.9 reads up to {form - 1}" in said


@pytest.mark.parametrize(
    "version", ["1.2.3", "2.0.0rc1", "1.2.4.dev5+g0123456789ab", "0+unknown.g0123456789ab.dirty"]
)
def test_a_release_is_named_by_version_and_commit_whatever_git_calls_it(
    root: Path, version: str
) -> None:
    packages = root / "program/packages"
    for folder in (f"benchd-{version}.dist-info", "benchd"):
        (packages / folder).mkdir(parents=True)
    (packages / "benchd/commit.txt").write_text("0123456789abcdef0123456789abcdef01234567\n")
    name = f'name_release "{packages.parent}"; echo "$release"'
    said = shell(root, f'{name}; mkdir "$root$opt/$release"; {name}')
    own = f"releases/{version}-0123456789ab"
    assert said.split() == [own, f"{own}-2"]


INSTALLED: dict[str, tuple[str, tuple[str, str]]] = {
    "each whole release becomes the one to go back to": (
        f"install_whole {OLD}; install_whole {NEW}; install_whole {NEWER}",
        (NEWER, NEW),
    ),
    "a release installed twice keeps the one before it": (
        f"install_whole {OLD}; install_whole {NEW}; install_whole {AGAIN}",
        (AGAIN, OLD),
    ),
    "two builds that share a name are two releases": (
        f"install_whole {OLD}; install_whole {NEW}; install_whole {AGAIN} another",
        (AGAIN, NEW),
    ),
    "the same after one that failed late keeps what ran before": (
        f"install_whole {OLD}; install_partly {NEW}; install_whole {AGAIN}",
        (AGAIN, OLD),
    ),
    "another after one that failed late keeps what ran before": (
        f"install_whole {OLD}; install_partly {NEW}; install_whole {NEWER}",
        (NEWER, OLD),
    ),
}


@pytest.mark.parametrize("case", INSTALLED)
def test_which_release_runs_and_which_can_be_gone_back_to(root: Path, case: str) -> None:
    script, expected = INSTALLED[case]
    shell(root, MAKE + script)
    assert links(root) == expected
    assert (root / "opt/benchd" / NEW).exists() == (NEW in expected)


@pytest.mark.parametrize("end", ["kill -TERM $$", "false"])
def test_an_installation_that_ends_right_after_its_links_changed_leaves_what_they_lead_to(
    root: Path, end: str
) -> None:
    # The second time that what was written is asked for: behind the links.
    late = f"sync() {{ [[ $(release_of current) == {OLD} ]] || {end}; }}"
    script = f'install_whole {OLD}; make {NEW}; unfinished=("$root$opt/{NEW}" "$root$opt/wheels.x")'
    end_early = f"{late}; trap forget_unfinished EXIT; run_release {NEW}"
    shell(
        root,
        f'{MAKE} {script}; mkdir "$root$opt/wheels.x"; {end_early}',
        status=(3 if end == "false" else -15),
    )
    assert links(root) == (NEW, OLD)
    assert not (root / "opt/benchd/wheels.x").exists()


def test_going_back_cut_after_its_first_step_loses_neither_release(root: Path) -> None:
    cut = 'mv() { command mv "$@" && exit 9; }'
    shell(
        root, MAKE + f"install_whole {OLD}; install_whole {NEW}; {cut}; run_release {OLD}", status=9
    )
    assert links(root) == (OLD, NEW)
    # Once more is not the way forward again, until all is in its place.
    back = MAKE + "find_former; run_release $former; finish_release"
    shell(root, back)
    assert links(root) == (OLD, NEW)
    shell(root, back)
    assert links(root) == (NEW, OLD)


def test_an_installation_cut_between_its_links_is_done_once_more(root: Path) -> None:
    script = MAKE + f"install_whole {OLD}; install_whole {NEW}; make {NEWER}"
    cut = f'(mv() {{ command mv "$@" && exit 9; }}; run_release {NEWER}) || test $? = 9'
    shell(root, f"{script}; {cut}")
    assert links(root) == (NEW, NEW)
    shell(root, "find_former", status=3)
    shell(root, MAKE + f"install_whole {NEWER}")
    assert links(root) == (NEWER, NEW)


def test_what_a_link_leads_to_is_on_disk_before_and_the_link_after(root: Path) -> None:
    told = 'sync() { echo "sync $(release_of current) $(ls "$root$opt/releases" | wc -l)"; }'
    script = (
        f"install_whole {OLD}; install_whole {NEW}; {told}; install_partly {NEWER}; finish_release"
    )
    said = shell(root, MAKE + script)
    # The third is deleted only once the link is safe.
    assert said.splitlines()[:2] == [f"sync {NEW} 3", f"sync {NEWER} 3"]
    assert f"sync {NEWER} 2" in said


def test_recipes_that_an_older_release_does_not_know_are_named_with_the_cure(root: Path) -> None:
    etc, opt = root / "etc/benchd", root / "opt/benchd"
    shutil.copytree(ROOT / "configs/recipes", etc / "recipes")
    shutil.copy(ROOT / "configs/benchd.toml", etc)
    recipe = (etc / "recipes/delete.toml").read_text()
    newer = ["polish", "shine"]
    for name in newer:
        text = recipe.replace('"delete"', f'"{name}"').replace('"inspect"', f'"{name}"')
        (etc / f"recipes/{name}.toml").write_text(text)
    for release in (OLD, "current"):
        (opt / release / "bin").mkdir(parents=True)
    # The one that runs stands for a release that knows these stages.
    (opt / "current/bin/benchd").symlink_to("/bin/true")
    (opt / OLD / "bin/benchd").symlink_to(Path(sys.executable).with_name("benchd"))
    said = shell(root, f"refuse_other_configuration {OLD}", status=3)
    moves = [f"mv {etc}/recipes/{name}.toml {etc}/recipes/{name}.toml.newer" for name in newer]
    japanese, english = said.splitlines()[-2:]
    for told in (japanese, english):
        assert " && ".join(moves) in told
        assert "delete.toml" not in told
    assert "nothing was changed" in english
    for name in newer:
        (etc / f"recipes/{name}.toml").rename(etc / f"recipes/{name}.toml.newer")
    shell(root, f"refuse_other_configuration {OLD}")
