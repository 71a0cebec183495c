"""The shell's functions that put releases in place and let them take over, alone in a folder.

Of systemd there is what it would be told.
"""

from __future__ import annotations

import sys
from pathlib import Path

from install_rig import ROOT, ended

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


def shell(root: Path, script: str, status: int = 0) -> str:
    """What a script says that has read in the functions, and ends so."""
    done = ended("bash", "-c", RIG + script, "releases", root, sys.executable, ROOT)
    assert done.returncode == status, f"{done.stdout}\n{done.stderr}"
    return done.stdout


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


TAKEOVER = r"""
source "$3/scripts/takeover.sh"
source "$3/scripts/unfinished.sh"
here=$root/shipped lib=/usr/local/lib with_key='' start_again=$root/start-again packaged='' files=()
for unit in benchd.service benchd-adb.socket benchd-verify.timer; do
    files+=("systemd/$unit" "/units/$unit")
done
is_running_system() { :; }
systemd-sysusers() { :; }
systemd-tmpfiles() { :; }
journalctl() { :; }
udevadm() { :; }
# The daemon comes up unless its release is a broken one. What is on, masked or up is files.
systemctl() {
    local -a words=()
    local word
    for word; do [[ $word == -* ]] || words+=("$word"); done
    case ${words[*]} in
        "is-enabled "*)
            [[ ! -e $root/masked/${words[1]} ]] || { echo masked; return 1; }
            [[ -e $root/enabled/${words[1]} ]]
            return
            ;;
        "enable "*) touch "$root/enabled/${words[1]}" ;;
        "show benchd.service")
            if [[ -e $root/up ]]; then echo active; else echo inactive; fi
            return
            ;;
    esac
    echo "systemctl ${words[*]}"
    [[ ${words[*]} != "start benchd.service" ]] ||
        [[ ! -e $root$opt/current/broken && ! -e $root/masked/benchd.service ]]
}
# All that a release is made of has its name in it.
prepare() {
    make "$1"
    mkdir -p "$root$opt/$1"/{bin,systemd} "$root"/{enabled,masked}
    cp "$root/bin/${1:9:1}" "$root$opt/$1/bin/benchd"
    echo "$1" | tee "$root$opt/$1/systemd"/benchd.service >"$root$opt/$1/systemd/benchd-adb.socket"
    [[ ! ${2:-} ]] || touch "$root$opt/$1/$2"
    cp -r "$here/configs" "$root$opt/$1"
    release=$1
    put_finisher
}
bring_in() {
    prepare "$@"
    take_over
}
"""
KNOWN = MAKE.replace("refuse_other_configuration() { :; }\n", "")
UPGRADE = f'{TAKEOVER} (bring_in {OLD}); echo upgrade; touch "$start_again"; '
BROKEN = f"ship polish; bring_in {NEW} broken"
SHIP = 'ship() { touch "$root/shipped/configs/recipes/$1.toml"; }\n'


def upgraded(root: Path, script: str, status: int = 0) -> str:
    """What is said from an upgrade on that is this script and ends so."""
    said = shell(root, KNOWN + SHIP + UPGRADE + script, status)
    assert "upgrade\n" in said
    return said.split("upgrade\n", 1)[1]


def machine_with_programs(folder: Path) -> Path:
    """A machine and two programs: the older one knows no recipe `polish`."""
    root = empty_machine(folder)
    (root / "shipped/configs/recipes").mkdir(parents=True)
    (root / "shipped/configs/benchd.toml").write_text('server = "external"\n')
    (root / "shipped/configs/recipes/delete.toml").touch()
    for name in ("scripts", "systemd"):
        (root / "shipped" / name).symlink_to(ROOT / name)
    (root / "bin").mkdir()
    polish = root / "etc/benchd/recipes/polish.toml"
    for name, text in {"1": f"[ ! -e {polish} ]", "2": "exit 0"}.items():
        (root / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (root / "bin" / name).chmod(0o755)
    return root
