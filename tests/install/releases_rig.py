"""The shell's functions that releases are put in place with, alone in a folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from install_rig import ROOT, own_environment

RIG = r"""
set -euo pipefail
source "$3/scripts/machine.sh"
root=$1 python=$2
say() { printf '%s\n' "$*"; }
stop() { say "$1"; say "$2"; exit 3; }
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


def empty_machine(root: Path) -> Path:
    """Nothing but the folders that the links lie in."""
    for folder in ("opt/benchd/releases", "usr/local/bin", "etc/benchd", "var/lib/benchd"):
        (root / folder).mkdir(parents=True)
    return root


def shell(root: Path, script: str) -> subprocess.CompletedProcess[str]:
    """What a script says that has read in the functions."""
    return subprocess.run(
        ["bash", "-c", RIG + script, "releases", root, sys.executable, ROOT],
        capture_output=True,
        text=True,
        check=False,
        env=own_environment(),
    )


MAKE = """
refuse_other_configuration() { :; }
refuse_older_than_ledger() { :; }
# A wheel is made of a release's name alone, unless another one is told.
make() {
    mkdir -p "$root$opt/$1"
    printf '%s\n' "${2:-${1%-2}}" >"$root$opt/$1/wheel.sha256"
    touch "$root$opt/$1/half-installed"
}
install_whole() { make "$@"; run_release "$1"; finish_release; }
install_partly() { make "$1"; run_release "$1"; }
"""
OLD, NEW, AGAIN = (
    "releases/1.0-0123456789ab",
    "releases/2.0-000000000002",
    "releases/2.0-000000000002-2",
)
NEWER = "releases/2.1-abcdef012345"


def links(root: Path) -> tuple[str, str]:
    """What runs, and what can be gone back to."""
    opt = root / "opt/benchd"
    for link in ("current", "previous"):
        assert (opt / link).resolve(strict=True).is_dir()
    return str((opt / "current").readlink()), str((opt / "previous").readlink())
