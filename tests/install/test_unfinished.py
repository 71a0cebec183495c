"""A change of releases that is cut off or fails: finished or taken back, and told."""

from __future__ import annotations

from pathlib import Path

import pytest
from install_rig import ROOT
from releases_rig import AGAIN, NEW, OLD, links, shell
from takeover_rig import BROKEN, KNOWN, RIG, SHIP, UPGRADE, machine_with_programs

CUT = r"""
# The machine loses its power before the n-th time that something gets its name or loses it.
tick() { ((left--)) || kill -KILL "$BASHPID"; }
mv() { tick; command mv "$@"; }
rm() { tick; command rm "$@"; }
touch() { tick; command touch "$@"; }
cut_at() { left=$1; shift; "$@"; }
# power_cuts COMMAND…: at each such place, then the start that comes after it.
power_cuts() {
    local -i n=0
    local ended=137
    cp -a "$root" "$root.before"
    while ((ended == 137)); do
        command rm -rf "$root"
        cp -a "$root.before" "$root"
        ended=0
        (cut_at "$n" "$@") >/dev/null 2>&1 || ended=$?
        (left=-1; finish_cut) >"$root/told" 2>&1
        echo "$n: $(release_of current) $(sort -u "$root"/units/*)" \
            "$(ls "$root/etc/benchd/recipes" | paste -sd +) $(tail -n 1 "$root/told")"
        ! is_cut || echo "$n: cut off still"
        find "$root/units" "$root/etc" -name '*.part'
        n+=1
    done
}
"""
NOTHING = "no change of releases was cut off; the current one:"
FINISHED = "finished: program, units and recipes are those of"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine and two programs: the older one knows no recipe `polish`."""
    return machine_with_programs(tmp_path / "root")


def after_cuts(root: Path, script: str) -> list[str]:
    """What is there after each of the cuts in a script's end, without its number."""
    done = shell(root, KNOWN + SHIP + CUT + script)
    assert done.returncode == 0, done.stderr
    return [line.partition(": ")[2] for line in done.stdout.partition("cuts\n")[2].splitlines()]


def test_wherever_an_upgrade_is_cut_the_next_start_has_all_of_one_release(root: Path) -> None:
    upgrade = f"ship polish; prepare {NEW}; echo cuts; power_cuts take_over"
    found = after_cuts(root, f"left=-1; {RIG} bring_in {OLD}; {upgrade}")
    whole = {
        f"{OLD} {OLD} delete.toml {NOTHING} {OLD}",
        f"{NEW} {NEW} delete.toml+polish.toml {FINISHED} {NEW}",
        f"{NEW} {NEW} delete.toml+polish.toml {NOTHING} {NEW}",
    }
    assert set(found) == whole


def test_wherever_a_way_back_is_cut_the_next_start_has_all_of_one_release(root: Path) -> None:
    script = f"left=-1; {RIG} bring_in {OLD}; bring_in {NEW}; echo cuts; power_cuts go_back"
    found = after_cuts(root, script)
    assert {line.partition(" delete.toml ")[0] for line in found} == {
        f"{release} {release}" for release in (OLD, NEW)
    }
    assert f"{OLD} {OLD} delete.toml {FINISHED} {OLD}" in found


def test_wherever_a_release_that_gives_way_is_cut_the_former_one_is_there_whole(
    root: Path,
) -> None:
    broken = f"ship polish; bring_in {NEW} broken; echo cuts; "
    script = f"left=-1; {RIG} bring_in {OLD}; {broken} power_cuts give_way"
    found = after_cuts(root, script)
    # Before anything of it was done it is the new one's start that tells.
    untouched = f"{NEW} {NEW} delete.toml+polish.toml"
    assert found.pop(0) == f"{untouched} {NOTHING} {NEW}"
    assert {line.partition(" delete.toml ")[0] for line in found} == {f"{OLD} {OLD}"}


def test_a_release_that_was_cut_off_while_it_gave_way_is_never_gone_back_to(root: Path) -> None:
    cut = f'(forget_broken() {{ exit 9; }}; {BROKEN}) || echo "cut $?"'
    done = shell(root, f"{KNOWN}{SHIP}{UPGRADE}{cut}; unlock; go_back")
    assert "cut 9\n" in done.stdout, done.stderr
    assert links(root) == (OLD, NEW)
    assert done.returncode == 3
    assert "there is no release to go back to" in done.stdout


def test_what_a_release_that_was_cut_off_has_brought_doesnt_bar_the_next_ones_way_back(
    root: Path,
) -> None:
    cut = f"(put_in_place() {{ exit 9; }}; ship polish; bring_in {NEW}) || true; "
    done = shell(root, f"{KNOWN}{SHIP}{UPGRADE}{cut} bring_in {AGAIN} broken")
    assert done.returncode == 3
    assert "so the former one runs" in done.stdout
    assert str((root / "opt/benchd/current").readlink()) == OLD
    assert not (root / "etc/benchd/recipes/polish.toml").exists()


def test_what_an_admin_has_written_into_a_recipe_that_was_brought_stays(root: Path) -> None:
    write = 'put_in_place() { echo "# mine" >"$root/etc/benchd/recipes/sale.toml"; }; '
    done = shell(root, f"{KNOWN}{SHIP}{UPGRADE}{write} ship sale; bring_in {NEW} broken")
    assert "so the former one runs" in done.stdout, done.stderr
    assert (root / "etc/benchd/recipes/sale.toml").read_text() == "# mine\n"


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize(
    ("packaged", "cure"), [("", "shipped/scripts/install --finish"), ("1", "dpkg --configure -a")]
)
def test_a_command_that_fails_before_the_start_is_named_with_what_runs_and_the_cure(
    root: Path, packaged: str, cure: str, up: bool
) -> None:
    fail = f"packaged={packaged}; systemd-tmpfiles() {{ return 73; }}; trap tidy EXIT; "
    state = f'touch "$root/{"up" if up else "down"}"; rm -f "$start_again"; '
    done = shell(root, f"{KNOWN}{SHIP}{UPGRADE}{state}{fail} bring_in {NEW}")
    assert done.returncode == 3, done.stderr
    told = done.stdout.splitlines()
    failed = "systemd-tmpfiles --create /usr/local/lib/tmpfiles.d/benchd.conf"
    for line, words in zip(
        told[-6:],
        (
            f"失敗した処理: {failed}",
            f"what failed: {failed}",
            "benchdは動いています" if up else "benchdは止まっています",
            f"{'benchd is up' if up else 'benchd is down'}; the program is {NEW}",
            f"{cure} && systemctl start benchd",
            f"{cure} && systemctl start benchd",
        ),
        strict=True,
    ):
        assert words in line
    assert f"{root}/shipped/scripts/install --back" in told[-1]


def test_a_failure_that_the_start_has_mended_is_told_as_that(root: Path) -> None:
    fail = "packaged=1; trap tidy EXIT; systemd-sysusers() { return 1; }; "
    # As systemd does before each start of the daemon.
    start = 'resume() { (systemd-sysusers() { :; }; finish_cut); touch "$root/up"; }; '
    done = shell(root, f"{KNOWN}{SHIP}{UPGRADE}{fail}{start} bring_in {NEW}")
    assert done.returncode == 3, done.stderr
    assert (
        f"its start has finished the rest: program, units and recipes are those of {NEW}"
        in (done.stdout.splitlines()[-1])
    )


def test_an_ended_installation_tells_nothing_of_a_change_that_it_hadnt_begun(root: Path) -> None:
    end = "trap tidy EXIT; run_release() { exit 4; }; "
    done = shell(root, f"{KNOWN}{SHIP}{UPGRADE}{end} bring_in {NEW}")
    assert done.returncode == 4
    assert "what failed" not in done.stdout


def test_a_disk_that_cant_be_written_to_before_the_links_change_changes_nothing(root: Path) -> None:
    full = "trap tidy EXIT; cp() { [[ $1 != */scripts/install ]]; }; "
    done = shell(root, f"{KNOWN}{SHIP}{UPGRADE}{full} bring_in {NEW}")
    assert done.returncode == 3, done.stderr
    assert "nothing was changed" in done.stdout.splitlines()[-1]
    assert str((root / "opt/benchd/current").readlink()) == OLD


def test_of_two_installations_at_once_one_is_refused(root: Path) -> None:
    done = shell(root, f"{KNOWN}{RIG} (lock; held=; (lock))")
    assert done.returncode == 3, done.stderr
    assert "another scripts/install is at work" in done.stdout
    assert shell(root, f"{KNOWN}{RIG} lock; unlock; (lock)").returncode == 0


def test_a_file_is_on_disk_before_it_gets_its_name_and_its_folder_after(root: Path) -> None:
    told = 'sync() { echo "sync ${*##*/}"; }; mv() { echo "mv ${*: -1}"; command mv "$@"; }; '
    done = shell(root, f'{KNOWN}{RIG}{told} echo x >"$root/x"; replace "$root/x" "$root/units/y"')
    assert done.stdout.splitlines() == ["sync y.part", f"mv {root}/units/y", "sync units"]
    assert (root / "units/y").read_text() == "x\n"


def test_units_and_recipes_are_put_in_place_by_that_alone(root: Path) -> None:
    others = 'install() { [[ ${*: -1} == *.part ]] && command install "$@"; }; '
    done = shell(root, f"{KNOWN}{SHIP}{UPGRADE}{others} ship polish; bring_in {NEW}")
    assert done.returncode == 0, done.stderr
    assert (root / "units/benchd.service").read_text() == f"{NEW}\n"
    assert (root / "etc/benchd/recipes/polish.toml").exists()


def test_the_units_finisher_is_in_its_place_before_the_links_change(root: Path) -> None:
    cut = f"(run_release() {{ exit 9; }}; bring_in {NEW}) || true"
    assert shell(root, f"{KNOWN}{SHIP}{RIG}{cut}").returncode == 0
    units = root / "usr/local/lib/systemd/system"
    wanted = units / "benchd.service.wants/benchd-takeover.service"
    shipped = (ROOT / "systemd/benchd-takeover.service").read_text()
    assert wanted.read_text() == (units / "benchd-takeover.service").read_text() == shipped
    called = shipped.partition("ExecStart=/")[2].split()[0]
    assert (root / called).stat().st_mode & 0o111
    done = shell(root, f"{KNOWN}{RIG} remove_finisher")
    assert done.returncode == 0, done.stderr
    assert not list(units.iterdir())


def test_what_fails_before_the_links_change_says_that_nothing_was_changed(root: Path) -> None:
    fail = 'trap tidy EXIT; unfinished=("$root$opt/wheels.x"); '
    done = shell(root, f"{KNOWN}{SHIP}{UPGRADE}{fail} keep_own() {{ return 28; }}; keep_own")
    assert done.returncode == 3
    assert "nothing was changed" in done.stdout.splitlines()[-1]
