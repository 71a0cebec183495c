#!/usr/bin/env bash
# A change of releases that was cut off or has failed after the links had changed: how it is seen,
# told, and finished or taken back. Read in by scripts/install, beside scripts/takeover.sh, whose
# names it uses.
#
# What finishes it is a copy of the installer, /opt/benchd/installer, called by a unit before each start
# of the daemon. Both are in their place before the links change.

finisher=benchd-takeover.service

# lock: nobody else changes releases meanwhile.
lock() {
    mkdir -p "$root$opt"
    exec {held}<"$root$opt"
    flock --nonblock "$held" || unchanged \
        "ほかの scripts/install が動いています。終わってから、もう一度実行してください。" \
        "another scripts/install is at work; try again once it has ended"
}

# To be called on the way out.
tidy() {
    local status=$? begun=${#unfinished[@]}
    forget_unfinished
    # What the daemon's start finishes asks for the same lock.
    unlock
    [[ -z $packaged ]] || resume
    if ((status == 0)); then return; fi
    tell_failure
    # Until the links change there is something unfinished. Who exits with 3 has said why.
    ((status == 3 || begun == 0)) || unchanged \
        "上の理由で中止しました。" "given up for the reason above"
}

unlock() { [[ -z ${held:-} ]] || exec {held}<&-; }

# put_finisher: in its place before the links change, and nothing else has changed by then.
put_finisher() {
    local own=$root$opt/installer units=$root$lib/systemd/system
    # In this folder also the daemon's unit of a release from before there was this one asks for it.
    local wanted=$units/benchd.service.wants
    { copy_installer "$own" && replace "$here/systemd/$finisher" "$units/$finisher" &&
        mkdir -p "$wanted" && ln -sfn "../$finisher" "$wanted/$finisher" && settle &&
        { ! is_running_system || systemctl daemon-reload; }; } || {
        task=''
        unchanged "$root$opt か $units に書き込めません。ディスクを直して、もう一度実行してください。" \
            "$root$opt or $units can't be written to; mend the disk and try again"
    }
    task=''
}

copy_installer() {
    [[ $here != "$1" ]] || return 0
    rm -rf "$1.part" && mkdir -p "$1.part/scripts" "$1.part/systemd" &&
        cp "$here/scripts/install" "$here"/scripts/*.sh "$1.part/scripts" &&
        cp "$here/systemd/$finisher" "$1.part/systemd" && rm -rf "$1" && mv -T "$1.part" "$1"
}

remove_finisher() {
    local units=$root$lib/systemd/system
    rm -f "$units/$finisher"{,.part} "$units/benchd.service.wants/$finisher"
    [[ ! -d $units/benchd.service.wants ]] ||
        rmdir --ignore-fail-on-non-empty "$units/benchd.service.wants"
}

is_cut() {
    [[ -e $root$opt/going-back || -e $root$opt/current/half-installed ||
        -e $root$opt/current/doesnt-start ]]
}

tell_cut() {
    say "以前の版の切り替えが途中で切れていました（停電・強制終了など）。"
    say "an earlier change of releases was cut off in the middle (a kill, a power cut, a failure)"
}

# finish_cut: program, units and configuration are of one release again. It starts nothing.
finish_cut() {
    lock
    release=$(release_of current)
    if ! is_cut; then
        say "途中で切れた切り替えはありません。現在の版: ${release:-なし}"
        say "no change of releases was cut off; the current one: ${release:-none}"
        return
    fi
    tell_cut
    local back
    back=$(cat "$root$opt/going-back" 2>/dev/null) || true
    if [[ -e $root$opt/current/doesnt-start ]]; then
        give_way
    elif [[ -n $back && $back == "$release" ]]; then
        put_in_place
        finish_release
    elif [[ -e $root$opt/current/half-installed ]]; then
        settle_in
    fi
    # Where the links hadn't changed yet, nothing had.
    rm -f "$root$opt/going-back"
    forget_broken
    task=''
    release=$(release_of current)
    say "完了しました。プログラム・ユニット・レシピは $release のものです。"
    say "finished: program, units and recipes are those of $release"
}

# tell_failure: on the way out after a command of a change of releases has failed, or was ended.
tell_failure() {
    local current runs='benchdは止まっています' runs_too='benchd is down'
    [[ -n $task ]] || return 0
    current=$(release_of current)
    ! is_up || runs='benchdは動いています' runs_too='benchd is up'
    say "失敗した処理: ${task#in_root }（理由は上の表示のとおり）。"
    say "what failed: ${task#in_root } (its own words stand above)"
    if ! is_cut; then
        say "${runs}。起動時に残りは完了し、プログラム・ユニット・レシピは $current のものです。"
        say "$runs_too; its start has finished the rest: program, units and recipes are those of $current"
        exit 3
    fi
    say "${runs}。プログラムは $current ですが、ユニットやレシピは一部が別の版のままです。"
    say "$runs_too; the program is $current, but some units or recipes are still another release's"
    local finish="$here/scripts/install --finish"
    [[ -z $packaged ]] || finish="dpkg --configure -a"
    say "原因を直してから: $finish && systemctl start benchd 。前の版に戻すには: benchd drain; $here/scripts/install --back && systemctl start benchd"
    say "put the cause right, then: $finish && systemctl start benchd; or back to the former release: benchd drain; $here/scripts/install --back && systemctl start benchd"
    exit 3
}
