"""A release takes over on a machine that is a folder; of systemd there is what it would be told."""

from __future__ import annotations

from pathlib import Path

from install_rig import ROOT
from releases_rig import MAKE, NEW, OLD, empty_machine

RIG = r"""
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
UPGRADE = f'{RIG} (bring_in {OLD}); echo upgrade; touch "$start_again"; '
BROKEN = f"ship polish; bring_in {NEW} broken"
SHIP = 'ship() { touch "$root/shipped/configs/recipes/$1.toml"; }\n'


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
