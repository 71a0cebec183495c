#!/usr/bin/env bash
# The machine that benchd is installed on: how its admin is spoken to, what it has to have, and the
# daemon that runs there. Read in by scripts/install, and a part of the Debian package's preinst.
# `root` is the folder of another root, or empty.

say() { printf 'benchd: %s\n' "$*"; }

# stop JAPANESE ENGLISH
stop() {
    say "$1"
    say "$2"
    exit 3
}

# in_root COMMAND…: runs it inside of the root, with nothing of this shell's environment. In a
# chroot it gets a /proc of its own, which goes away with it.
in_root() {
    local -a enter=()
    [[ -z $root ]] || enter=(unshare --mount --propagation private sh -ec
        'mount -t proc proc "$0/proc"; exec chroot "$0" "$@"' "$root")
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        "${enter[@]}" "$@"
}

# Debian package = why.
declare -A packages=(
    [adb]="the adb server"
    [libicu76]="tells which people's names look alike"
    [libccid]="drives contactless readers"
    [pcscd]="the service that readers are reached through"
    [polkitd]="lets benchd use pcscd"
    [python3]="runs benchd"
    [udev]="tells of plugged handsets"
)

is_running_system() { [[ -z $root && -d /run/systemd/system ]]; }

# One that starts, or waits to be started again, is up too.
is_up() {
    is_running_system &&
        [[ $(systemctl show --property=ActiveState --value benchd.service) != @(inactive|failed) ]]
}

is_masked() { [[ $(in_root systemctl is-enabled "$1" 2>/dev/null) == masked* ]]; }

tell_masked() {
    say "$1 はマスクされているため動きません。使うには: systemctl unmask $1 && systemctl enable --now $1"
    say "$1 is masked, so it doesn't run; to use it: systemctl unmask $1 && systemctl enable --now $1"
}

# A daemon that was masked while it ran couldn't be started again.
refuse_masked() {
    is_up && is_masked benchd.service || return 0
    stop \
        "benchd.service は動いたままマスクされており、止めると再び起動できません。何も変更していません。「systemctl unmask benchd」のあともう一度実行するか、動かすつもりがなければ「benchd drain」で終わらせてから実行してください。" \
        "benchd.service was masked while it runs, so that it couldn't be started again; nothing was changed. To have it go on: systemctl unmask benchd, then try again. To have it end for good: benchd drain, then try again"
}

# A boot starts the daemon anyway, so the note that it has to be started again may go with one.
start_again=/run/benchd-start-again

# pause_jobs: lets no job begin and waits for those that run, or refuses, and then they begin again.
# An admin says in /etc/default/benchd how long that may take.
pause_jobs() {
    local within=30m
    is_up || return 0
    # shellcheck source=/dev/null
    [[ ! -r /etc/default/benchd ]] || within=$(
        source /etc/default/benchd
        printf '%s\n' "${BENCHD_PAUSE_WITHIN:-$within}"
    )
    in_root /opt/benchd/current/bin/benchd pause --within "$within" || stop \
        "作業中のため中止しました。何も変更していません。質問に答えて作業を終わらせる（「benchd queue」）か、待つ時間を延ばします（/etc/default/benchd に BENCHD_PAUSE_WITHIN=2h）。benchdが応答しないときや古い版では「benchd drain」か「systemctl stop benchd」のあと、もう一度実行します。" \
        "refused while benchd works; nothing was changed. Answer its questions (benchd queue), or let it wait longer (BENCHD_PAUSE_WITHIN=2h in /etc/default/benchd). Where it doesn't answer or is too old to pause: benchd drain, or systemctl stop benchd; then try again"
}

# resume: what was paused or stopped for an upgrade goes on, with whichever release is current.
resume() {
    if [[ -e $start_again ]]; then
        if is_masked benchd.service; then
            tell_masked benchd.service
            rm -f "$start_again"
        elif systemctl start benchd.service; then
            rm -f "$start_again"
        fi
    elif is_up; then
        in_root /opt/benchd/current/bin/benchd pause --over >/dev/null 2>&1 || true
    fi
}

# stop_paused: for the moment in which a release takes over.
stop_paused() {
    is_up || return 0
    pause_jobs
    touch "$start_again"
    systemctl stop benchd.service
}
