"""A release takes over, gives way, is cut off: finished or taken back, and told, in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from install_rig import ROOT
from releases_rig import (
    AGAIN,
    BROKEN,
    KNOWN,
    NEW,
    OLD,
    SHIP,
    TAKEOVER,
    links,
    machine_with_programs,
    shell,
    upgraded,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine and two programs: the older one knows no recipe `polish`."""
    return machine_with_programs(tmp_path / "root")


def test_a_release_that_starts_keeps_the_recipes_that_it_brings(root: Path) -> None:
    upgraded(root, f"ship polish; bring_in {NEW}")
    assert links(root) == (NEW, OLD)
    assert (root / "etc/benchd/recipes/polish.toml").exists()
    assert not (root / "start-again").exists()


def test_recipes_of_a_release_that_doesnt_start_dont_bar_the_way_back(root: Path) -> None:
    told = upgraded(root, BROKEN, status=3)
    assert str((root / "opt/benchd/current").readlink()) == OLD
    assert {path.name for path in (root / "etc/benchd/recipes").iterdir()} == {"delete.toml"}
    said = told.splitlines()
    # It is said once it is so.
    assert said.index("systemctl start benchd.service", -4) == len(said) - 3
    assert "so the former one runs" in said[-1]
    assert not (root / "start-again").exists()


def test_where_the_way_back_is_barred_it_is_said_that_nothing_runs(root: Path) -> None:
    bar = f'refuse_older_than_ledger() {{ [[ $1 != {OLD} ]] || unchanged "理由。" "a reason"; }}; '
    told = upgraded(root, bar + BROKEN, status=3)
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
    told = upgraded(root, broken + BROKEN, status=3)
    assert "neither the new release nor the former one" in told
    assert "so the former one runs" not in told


def test_units_are_switched_on_by_the_release_that_brings_them_and_then_left_to_the_admin(
    root: Path,
) -> None:
    off = 'rm "$root/enabled"/*; '
    timer = f'mkdir -p "$root$opt/{NEW}/systemd"; '
    timer += f'touch "$root$opt/{NEW}/systemd/benchd-verify.timer"; '
    told = upgraded(root, f"{off} {timer} bring_in {NEW}")
    assert [line for line in told.splitlines() if "enable" in line] == [
        "systemctl enable benchd-verify.timer"
    ]
    assert "systemctl restart benchd-verify.timer" in told
    assert "start benchd-adb.socket" not in told


def test_a_masked_unit_is_told_and_ends_no_installation(root: Path) -> None:
    mask = 'rm "$root/enabled/benchd-adb.socket"; touch "$root/masked/benchd-adb.socket"; '
    told = upgraded(root, f"{mask} bring_in {NEW}")
    assert "systemctl unmask benchd-adb.socket" in told
    assert "start benchd-adb.socket" not in told


def test_a_first_installation_switches_its_units_on(root: Path) -> None:
    said = shell(root, f"{KNOWN}{SHIP}{TAKEOVER} bring_in {OLD}")
    for word in ("enable benchd.service", "enable benchd-adb.socket", "restart benchd-adb.socket"):
        assert f"systemctl {word}" in said


def test_a_configuration_that_no_release_takes_is_refused_while_a_daemon_runs(root: Path) -> None:
    script = 'ship polish; cp "$root/shipped/configs/recipes/polish.toml" '
    script += f'"$root/etc/benchd/recipes"; refuse_mistaken_configuration {OLD}'
    told = upgraded(root, script, status=3)
    assert "nothing was changed" in told
    assert "benchd check-config /etc/benchd/benchd.toml" in told
    assert str((root / "opt/benchd/current").readlink()) == OLD


def test_a_daemon_that_was_masked_while_it_runs_is_left_alone_with_the_cure(root: Path) -> None:
    mask = 'touch "$root/up" "$root/masked/benchd.service"; '
    unmask = 'rm "$root/masked/benchd.service"; refuse_masked; '
    script = f'{mask} (refuse_masked) || echo "refused $?"; {unmask} echo on'
    told = upgraded(root, script)
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
    told = upgraded(root, f"{mask} bring_in {NEW}")
    assert "systemctl unmask benchd.service" in told
    assert "start benchd.service" not in told.replace("enable --now", "")
    assert links(root) == (NEW, OLD)
    assert not (root / "start-again").exists()


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


def after_cuts(root: Path, script: str) -> list[str]:
    """What is there after each of the cuts in a script's end, without its number."""
    said = shell(root, KNOWN + SHIP + CUT + script)
    return [line.partition(": ")[2] for line in said.partition("cuts\n")[2].splitlines()]


def test_wherever_an_upgrade_is_cut_the_next_start_has_all_of_one_release(root: Path) -> None:
    upgrade = f"ship polish; prepare {NEW}; echo cuts; power_cuts take_over"
    found = after_cuts(root, f"left=-1; {TAKEOVER} bring_in {OLD}; {upgrade}")
    whole = {
        f"{OLD} {OLD} delete.toml {NOTHING} {OLD}",
        f"{NEW} {NEW} delete.toml+polish.toml {FINISHED} {NEW}",
        f"{NEW} {NEW} delete.toml+polish.toml {NOTHING} {NEW}",
    }
    assert set(found) == whole


def test_wherever_a_way_back_is_cut_the_next_start_has_all_of_one_release(root: Path) -> None:
    script = f"left=-1; {TAKEOVER} bring_in {OLD}; bring_in {NEW}; echo cuts; power_cuts go_back"
    found = after_cuts(root, script)
    assert {line.partition(" delete.toml ")[0] for line in found} == {
        f"{release} {release}" for release in (OLD, NEW)
    }
    assert f"{OLD} {OLD} delete.toml {FINISHED} {OLD}" in found


def test_wherever_a_release_that_gives_way_is_cut_the_former_one_is_there_whole(
    root: Path,
) -> None:
    broken = f"ship polish; bring_in {NEW} broken; echo cuts; "
    script = f"left=-1; {TAKEOVER} bring_in {OLD}; {broken} power_cuts give_way"
    found = after_cuts(root, script)
    # Before anything of it was done it is the new one's start that tells.
    untouched = f"{NEW} {NEW} delete.toml+polish.toml"
    assert found.pop(0) == f"{untouched} {NOTHING} {NEW}"
    assert {line.partition(" delete.toml ")[0] for line in found} == {f"{OLD} {OLD}"}


def test_a_release_that_was_cut_off_while_it_gave_way_is_never_gone_back_to(root: Path) -> None:
    cut = f'(forget_broken() {{ exit 9; }}; {BROKEN}) || echo "cut $?"'
    said = upgraded(root, f"{cut}; unlock; go_back", status=3)
    assert "cut 9\n" in said
    assert links(root) == (OLD, NEW)
    assert "there is no release to go back to" in said


def test_what_a_release_that_was_cut_off_has_brought_doesnt_bar_the_next_ones_way_back(
    root: Path,
) -> None:
    cut = f"(put_in_place() {{ exit 9; }}; ship polish; bring_in {NEW}) || true; "
    said = upgraded(root, f"{cut} bring_in {AGAIN} broken", status=3)
    assert "so the former one runs" in said
    assert str((root / "opt/benchd/current").readlink()) == OLD
    assert not (root / "etc/benchd/recipes/polish.toml").exists()


def test_what_an_admin_has_written_into_a_recipe_that_was_brought_stays(root: Path) -> None:
    write = 'put_in_place() { echo "# mine" >"$root/etc/benchd/recipes/sale.toml"; }; '
    said = upgraded(root, f"{write} ship sale; bring_in {NEW} broken", status=3)
    assert "so the former one runs" in said
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
    said = upgraded(root, f"{state}{fail} bring_in {NEW}", status=3)
    told = said.splitlines()
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
    said = upgraded(root, f"{fail}{start} bring_in {NEW}", status=3)
    assert (
        f"its start has finished the rest: program, units and recipes are those of {NEW}"
        in (said.splitlines()[-1])
    )


def test_an_ended_installation_tells_nothing_of_a_change_that_it_hadnt_begun(root: Path) -> None:
    end = "trap tidy EXIT; run_release() { exit 4; }; "
    said = upgraded(root, f"{end} bring_in {NEW}", status=4)
    assert "what failed" not in said


def test_a_disk_that_cant_be_written_to_before_the_links_change_changes_nothing(root: Path) -> None:
    full = "trap tidy EXIT; cp() { [[ $1 != */scripts/install ]]; }; "
    said = upgraded(root, f"{full} bring_in {NEW}", status=3)
    assert "nothing was changed" in said.splitlines()[-1]
    assert str((root / "opt/benchd/current").readlink()) == OLD


def test_of_two_installations_at_once_one_is_refused(root: Path) -> None:
    said = shell(root, f"{KNOWN}{TAKEOVER} (lock; held=; (lock))", status=3)
    assert "another scripts/install is at work" in said
    shell(root, f"{KNOWN}{TAKEOVER} lock; unlock; (lock)")


def test_a_file_is_on_disk_before_it_gets_its_name_and_its_folder_after(root: Path) -> None:
    told = 'sync() { echo "sync ${*##*/}"; }; mv() { echo "mv ${*: -1}"; command mv "$@"; }; '
    write = 'echo x >"$root/x"; replace "$root/x" "$root/units/y"'
    said = shell(root, f"{KNOWN}{TAKEOVER}{told}{write}")
    assert said.splitlines() == ["sync y.part", f"mv {root}/units/y", "sync units"]
    assert (root / "units/y").read_text() == "x\n"


def test_units_and_recipes_are_put_in_place_by_that_alone(root: Path) -> None:
    others = 'install() { [[ ${*: -1} == *.part ]] && command install "$@"; }; '
    upgraded(root, f"{others} ship polish; bring_in {NEW}")
    assert (root / "units/benchd.service").read_text() == f"{NEW}\n"
    assert (root / "etc/benchd/recipes/polish.toml").exists()


def test_a_backup_that_was_told_where_to_goes_on_with_each_release(root: Path) -> None:
    timers = ("benchd-backup@mnt-backup.timer", "benchd-backup@mnt-off.timer")
    wanted = root / "etc/systemd/system/timers.target.wants"
    wanted.mkdir(parents=True)
    (wanted / timers[0]).symlink_to("/usr/local/lib/systemd/system/benchd-backup@.timer")
    (root / "enabled").mkdir()
    for timer in timers:
        (root / "enabled" / timer).touch()
    told = upgraded(root, f"bring_in {NEW}").splitlines()
    assert f"systemctl restart {timers[0]}" in told
    assert f"systemctl restart {timers[1]}" not in told


def test_the_units_finisher_is_in_its_place_before_the_links_change(root: Path) -> None:
    cut = f"(run_release() {{ exit 9; }}; bring_in {NEW}) || true"
    shell(root, f"{KNOWN}{SHIP}{TAKEOVER}{cut}")
    units = root / "usr/local/lib/systemd/system"
    wanted = units / "benchd.service.wants/benchd-takeover.service"
    shipped = (ROOT / "systemd/benchd-takeover.service").read_text()
    assert wanted.read_text() == (units / "benchd-takeover.service").read_text() == shipped
    called = shipped.partition("ExecStart=/")[2].split()[0]
    assert (root / called).stat().st_mode & 0o111
    shell(root, f"{KNOWN}{TAKEOVER} remove_finisher")
    assert not list(units.iterdir())


def test_what_fails_before_the_links_change_says_that_nothing_was_changed(root: Path) -> None:
    fail = 'trap tidy EXIT; unfinished=("$root$opt/wheels.x"); '
    said = upgraded(root, f"{fail} keep_own() {{ return 28; }}; keep_own", status=3)
    assert "nothing was changed" in said.splitlines()[-1]
