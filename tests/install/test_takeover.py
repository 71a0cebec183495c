"""A release takes over and gives way again: the shell's functions alone, in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from releases_rig import MAKE, NEW, OLD, empty_machine, links, shell

RIG = r"""
source "$3/scripts/takeover.sh"
here=$root/shipped lib=/usr/local/lib with_key='' start_again=$root/start-again files=()
for unit in benchd.service benchd-adb.socket benchd-verify.timer; do
    files+=("systemd/$unit" "/units/$unit")
done
is_running_system() { :; }
systemd-sysusers() { :; }
systemd-tmpfiles() { :; }
journalctl() { :; }
udevadm() { :; }
# The daemon comes up unless its release is a broken one. What is on, and what masked, is files.
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
    esac
    echo "systemctl ${words[*]}"
    [[ ${words[*]} != "start benchd.service" || ! -e $root$opt/current/broken ]]
}
take_over() {
    make "$1"
    mkdir -p "$root$opt/$1"/{bin,systemd} "$root"/{enabled,masked}
    cp "$root/bin/${1:9:1}" "$root$opt/$1/bin/benchd"
    touch "$root$opt/$1/systemd"/{benchd.service,benchd-adb.socket}
    [[ ! ${2:-} ]] || touch "$root$opt/$1/$2"
    release=$1
    run_release "$release"
    install_configuration
    put_in_place
    finish_release
    start_or_go_back
}
"""
KNOWN = MAKE.replace("refuse_other_configuration() { :; }\n", "")
UPGRADE = f'{RIG} (take_over {OLD}); echo upgrade; touch "$start_again"; '
BROKEN = f"ship polish; take_over {NEW} broken"
SHIP = 'ship() { touch "$root/shipped/configs/recipes/$1.toml"; }\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine and two programs: the older one knows no recipe `polish`."""
    root = empty_machine(tmp_path)
    (root / "shipped/configs/recipes").mkdir(parents=True)
    (root / "shipped/configs/benchd.toml").write_text('server = "own"\n')
    (root / "shipped/configs/recipes/delete.toml").touch()
    (root / "bin").mkdir()
    polish = root / "etc/benchd/recipes/polish.toml"
    for name, text in {"1": f"[ ! -e {polish} ]", "2": "exit 0"}.items():
        (root / "bin" / name).write_text(f"#!/bin/sh\n{text}\n")
        (root / "bin" / name).chmod(0o755)
    return root


def upgraded(root: Path, script: str) -> tuple[int, str]:
    """How a script ends, and what is said from the upgrade on."""
    done = shell(root, KNOWN + SHIP + script)
    assert "upgrade\n" in done.stdout, done.stderr
    return done.returncode, done.stdout.split("upgrade\n", 1)[1]


def test_a_release_that_starts_keeps_the_recipes_that_it_brings(root: Path) -> None:
    status, told = upgraded(root, f"{UPGRADE} ship polish; take_over {NEW}")
    assert status == 0, told
    assert links(root) == (NEW, OLD)
    assert (root / "etc/benchd/recipes/polish.toml").exists()
    assert not (root / "start-again").exists()


def test_recipes_of_a_release_that_doesnt_start_dont_bar_the_way_back(root: Path) -> None:
    status, told = upgraded(root, UPGRADE + BROKEN)
    assert status == 3
    assert str((root / "opt/benchd/current").readlink()) == OLD
    assert {path.name for path in (root / "etc/benchd/recipes").iterdir()} == {"delete.toml"}
    said = told.splitlines()
    # It is said once it is so.
    assert said.index("systemctl start benchd.service", -4) == len(said) - 3
    assert "so the former one runs" in said[-1]
    assert not (root / "start-again").exists()


def test_where_the_way_back_is_barred_it_is_said_that_nothing_runs(root: Path) -> None:
    bar = f'refuse_older_than_ledger() {{ [[ $1 != {OLD} ]] || unchanged "理由。" "a reason"; }}; '
    status, told = upgraded(root, UPGRADE + bar + BROKEN)
    assert status == 3
    assert "\na reason\n" in told
    assert "nothing was changed" not in told
    japanese, english = told.splitlines()[-2:]
    assert japanese.startswith("benchdは止まっています。")
    assert english.startswith("benchd is down: the new release doesn't start")
    for said in (japanese, english):
        assert "journalctl -u benchd" in said
        assert f"{root}/shipped/scripts/install --back" in said
    assert links(root) == (NEW, OLD)
    # Whoever has put it right starts it: it isn't tried again and again.
    assert not (root / "start-again").exists()


def test_a_former_release_that_doesnt_start_either_is_never_said_to_run(root: Path) -> None:
    broken = f'touch "$root$opt/{OLD}/broken"; '
    status, told = upgraded(root, UPGRADE + broken + BROKEN)
    assert status == 3
    assert "neither the new release nor the former one" in told
    assert "so the former one runs" not in told


def test_units_are_switched_on_by_the_release_that_brings_them_and_then_left_to_the_admin(
    root: Path,
) -> None:
    off = 'rm "$root/enabled"/*; '
    timer = f'mkdir -p "$root$opt/{NEW}/systemd"; '
    timer += f'touch "$root$opt/{NEW}/systemd/benchd-verify.timer"; '
    status, told = upgraded(root, f"{UPGRADE} {off} {timer} take_over {NEW}")
    assert status == 0
    assert [line for line in told.splitlines() if "enable" in line] == [
        "systemctl enable benchd-verify.timer"
    ]
    assert "systemctl start benchd-verify.timer" in told
    assert "start benchd-adb.socket" not in told


def test_a_masked_unit_is_told_and_ends_no_installation(root: Path) -> None:
    mask = 'rm "$root/enabled/benchd-adb.socket"; touch "$root/masked/benchd-adb.socket"; '
    status, told = upgraded(root, f"{UPGRADE} {mask} take_over {NEW}")
    assert status == 0
    assert "systemctl unmask benchd-adb.socket" in told
    assert "start benchd-adb.socket" not in told


def test_a_first_installation_switches_its_units_on(root: Path) -> None:
    done = shell(root, f"{KNOWN}{SHIP}{RIG} take_over {OLD}")
    assert done.returncode == 0, done.stderr
    for word in ("enable benchd.service", "enable benchd-adb.socket", "start benchd-adb.socket"):
        assert f"systemctl {word}" in done.stdout


def test_a_configuration_that_no_release_takes_is_refused_while_a_daemon_runs(root: Path) -> None:
    script = f'{UPGRADE} ship polish; cp "$root/shipped/configs/recipes/polish.toml" '
    script += f'"$root/etc/benchd/recipes"; refuse_mistaken_configuration {OLD}'
    status, told = upgraded(root, script)
    assert status == 3
    assert "nothing was changed" in told
    assert "benchd check-config /etc/benchd/benchd.toml" in told
    assert str((root / "opt/benchd/current").readlink()) == OLD
