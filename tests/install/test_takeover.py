"""A release takes over and gives way again: the shell's functions alone, in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from releases_rig import NEW, OLD, links, shell
from takeover_rig import BROKEN, KNOWN, RIG, SHIP, UPGRADE, machine_with_programs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine and two programs: the older one knows no recipe `polish`."""
    return machine_with_programs(tmp_path)


def upgraded(root: Path, script: str) -> tuple[int, str]:
    """How a script ends, and what is said from the upgrade on."""
    done = shell(root, KNOWN + SHIP + script)
    assert "upgrade\n" in done.stdout, done.stderr
    return done.returncode, done.stdout.split("upgrade\n", 1)[1]


def test_a_release_that_starts_keeps_the_recipes_that_it_brings(root: Path) -> None:
    status, told = upgraded(root, f"{UPGRADE} ship polish; bring_in {NEW}")
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
    status, told = upgraded(root, f"{UPGRADE} {off} {timer} bring_in {NEW}")
    assert status == 0
    assert [line for line in told.splitlines() if "enable" in line] == [
        "systemctl enable benchd-verify.timer"
    ]
    assert "systemctl restart benchd-verify.timer" in told
    assert "start benchd-adb.socket" not in told


def test_a_masked_unit_is_told_and_ends_no_installation(root: Path) -> None:
    mask = 'rm "$root/enabled/benchd-adb.socket"; touch "$root/masked/benchd-adb.socket"; '
    status, told = upgraded(root, f"{UPGRADE} {mask} bring_in {NEW}")
    assert status == 0
    assert "systemctl unmask benchd-adb.socket" in told
    assert "start benchd-adb.socket" not in told


def test_a_first_installation_switches_its_units_on(root: Path) -> None:
    done = shell(root, f"{KNOWN}{SHIP}{RIG} bring_in {OLD}")
    assert done.returncode == 0, done.stderr
    for word in ("enable benchd.service", "enable benchd-adb.socket", "restart benchd-adb.socket"):
        assert f"systemctl {word}" in done.stdout


def test_a_configuration_that_no_release_takes_is_refused_while_a_daemon_runs(root: Path) -> None:
    script = f'{UPGRADE} ship polish; cp "$root/shipped/configs/recipes/polish.toml" '
    script += f'"$root/etc/benchd/recipes"; refuse_mistaken_configuration {OLD}'
    status, told = upgraded(root, script)
    assert status == 3
    assert "nothing was changed" in told
    assert "benchd check-config /etc/benchd/benchd.toml" in told
    assert str((root / "opt/benchd/current").readlink()) == OLD


def test_a_daemon_that_was_masked_while_it_runs_is_left_alone_with_the_cure(root: Path) -> None:
    mask = 'touch "$root/up" "$root/masked/benchd.service"; '
    unmask = 'rm "$root/masked/benchd.service"; refuse_masked; '
    script = f'{UPGRADE} {mask} (refuse_masked) || echo "refused $?"; {unmask} echo on'
    status, told = upgraded(root, script)
    assert status == 0
    japanese, english, *then = told.splitlines()
    for line in (japanese, english):
        assert "systemctl unmask benchd" in line
        assert "benchd drain" in line
    assert "nothing was changed" in english
    assert then == ["refused 3", "on"]


def test_a_daemon_that_is_masked_during_an_upgrade_isnt_taken_for_a_broken_release(
    root: Path,
) -> None:
    mask = 'touch "$root/masked/benchd.service"; '
    status, told = upgraded(root, f"{UPGRADE} {mask} bring_in {NEW}")
    assert status == 0, told
    assert "systemctl unmask benchd.service" in told
    assert "start benchd.service" not in told.replace("enable --now", "")
    assert links(root) == (NEW, OLD)
    assert not (root / "start-again").exists()
