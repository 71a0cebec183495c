"""Which release runs and which can be gone back to: the shell's functions alone, in a folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from install_rig import ROOT, own_environment

from benchd.ledger.database import open_for_writing, query

RIG = r"""
set -euo pipefail
root=$1 python=$2
say() { printf '%s\n' "$*"; }
stop() { say "$@"; exit 3; }
# Without a chroot, what lies in the root is named by its whole path.
in_root() {
    local -a given=("${@//\/etc\/benchd/$root/etc/benchd}")
    given=("${given[@]/#\/var/$root/var}")
    case $1 in
        */bin/python) given[0]=$python ;;
        */bin/benchd) given[0]=$root$1 ;;
    esac
    "${given[@]}"
}
# Other tests write to this machine's disk too.
sync() { :; }
source "$3/scripts/releases.sh"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine with nothing but the folders that the links lie in."""
    for folder in ("opt/benchd/releases", "usr/local/bin", "etc/benchd", "var/lib/benchd"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def shell(root: Path, script: str) -> subprocess.CompletedProcess[str]:
    """What a script says that has read in the functions."""
    return subprocess.run(
        ["bash", "-c", RIG + script, "releases", root, sys.executable, ROOT],
        capture_output=True,
        text=True,
        check=False,
        env=own_environment(),
    )


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
    done = shell(root, "refuse_older_than_ledger releases/older")
    assert done.returncode == (3 if form == 99 else 0), done.stderr
    assert (f"has form {form}" in done.stdout) == (form == 99)
    assert {path.name: path.read_bytes() for path in ledger.parent.iterdir()} == found
