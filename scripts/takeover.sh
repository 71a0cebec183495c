#!/usr/bin/env bash
# How a release takes over on a machine: configuration, units, start, and the way back where it
# doesn't start. Read in by scripts/install, whose `here`, `lib`, `files`, `with_key` and `release` it
# uses, beside what scripts/machine.sh, scripts/releases.sh and scripts/unfinished.sh have.
#
# What a release has brought into the configuration stands in its file `brought`, until it has
# started. One that gives way has a file `doesnt-start`, until nothing leads to it any more.

# take_over: `release` becomes the current one, with all that belongs to it, and starts.
take_over() {
    inherit_brought
    run_release "$release"
    settle_in
    start_or_go_back
}

# settle_in: what belongs to the current release gets into its place.
settle_in() {
    install_configuration
    put_in_place
    finish_release
    task=''
}

# replace SOURCE TARGET: a cut leaves the whole old file or the whole new one.
replace() {
    doing install -D -m 0644 "$1" "$2.part" && doing sync "$2.part" &&
        doing mv -T "$2.part" "$2" && doing sync "${2%/*}"
}

# keep_own: each release keeps its own units and configuration, to go back to.
keep_own() {
    local -i i
    local recipe own=$root$opt/$release
    for ((i = 0; i < ${#files[@]}; i += 2)); do
        install -D -m 0644 "$here/${files[i]}" "$own/${files[i]}"
    done
    for recipe in "$here"/configs/recipes/*.toml; do
        install -D -m 0644 "$recipe" "$own/configs/recipes/${recipe##*/}"
    done
    # Here the adb server is a unit of its own.
    sed 's/^server = "own"$/server = "external"/' "$here/configs/benchd.toml" \
        >"$own/configs/benchd.toml"
    grep -qx 'server = "external"' "$own/configs/benchd.toml"
}

# keep SOURCE TARGET: puts it there unless there is one; a different one is put beside that. What
# only some may read isn't shown to whoever reads what an installation has said.
keep() {
    local target=$root$2
    if [[ ! -e $target ]]; then
        bring "$2"
        replace "$1" "$target"
    elif ! cmp -s "$1" "$target"; then
        replace "$1" "$target.new"
        say "そのまま残しました: $target 。付属のものは $target.new です。"
        say "kept $target; the shipped one is $target.new: diff -u $target $target.new"
        [[ ! $(stat --format=%A "$target") =~ r..$ ]] || diff -u "$target" "$target.new" || true
    else
        rm -f "$target.new"
    fi
}

# bring TARGET: is written down before it is there, so that a cut leaves nothing that nobody knows of.
bring() {
    doing tee -a "$root$opt/current/brought" <<<"$1" >/dev/null
    doing sync "$root$opt/current/brought"
}

# What a release that never started has brought is the next one's to take away.
inherit_brought() {
    local mark
    for mark in half-installed doesnt-start; do
        [[ ! -e $root$opt/current/$mark || ! -e $root$opt/current/brought ]] ||
            cp "$root$opt/current/brought" "$root$opt/$release"
    done
}

# As the current release has it; one that an older installer has made keeps none.
install_configuration() {
    local recipe shipped=$root$opt/current/configs
    for recipe in "$shipped"/benchd.toml "$shipped"/recipes/*.toml; do
        [[ ! -e $recipe ]] || keep "$recipe" "/etc/benchd${recipe#"$shipped"}"
    done
    [[ -n $with_key && ! -e $root/etc/benchd/certificate_key.pem ]] || return 0
    say "making the signing key $root/etc/benchd/certificate_key.pem: back it up"
    doing in_root "$opt/current/bin/benchd" key create /etc/benchd/certificate_key.pem
}

# A container may have no udev of its own.
reload_udev() {
    udevadm control --reload || say "udev doesn't run here, so its rules count from its next start"
}

# enable_new UNIT…: those that the release before hasn't had, all of them on a first installation. What
# an admin has switched off since stays off.
enable_new() {
    local unit
    for unit; do
        if is_masked "$unit"; then
            tell_masked "$unit"
        elif [[ ! -e $root$opt/previous/systemd/$unit ]]; then
            doing in_root systemctl --quiet enable "$unit"
        fi
    done
}

# Where to back up is for the admin to say, who has said it by a link of systemd's in /etc: no release
# and no removal takes it away, and what comes back goes on with it.
backups_wanted=/etc/systemd/system/timers.target.wants
backups_switched_on() {
    find "$root$backups_wanted" -name 'benchd-backup@*.timer' -printf '%f\n' 2>/dev/null | sort
}

# What systemd and its like read, as the current release has it.
put_in_place() {
    local -i i
    for ((i = 0; i < ${#files[@]}; i += 2)); do
        # A release that is gone back to may have fewer of them.
        if [[ -e $root$opt/current/${files[i]} ]]; then
            replace "$root$opt/current/${files[i]}" "$root${files[i + 1]}"
        else
            doing rm -f "$root${files[i + 1]}"
        fi
    done
    doing in_root systemd-sysusers "$lib/sysusers.d/benchd.conf"
    doing in_root systemd-tmpfiles --create "$lib/tmpfiles.d/benchd.conf"
    doing in_root journalctl --update-catalog
    local -a beside=(benchd-adb.socket)
    [[ ! -e $root$opt/current/systemd/benchd-verify.timer ]] || beside+=(benchd-verify.timer)
    enable_new benchd.service "${beside[@]}"
    is_running_system || return 0
    doing systemctl daemon-reload
    reload_udev
    doing udevadm trigger --subsystem-match=usb --action=change
    # A socket that listens already would go on where the former release's unit has it.
    local unit
    local -a backups
    mapfile -t backups < <(backups_switched_on)
    for unit in "${beside[@]}" "${backups[@]}"; do
        ! systemctl --quiet is-enabled "$unit" || doing systemctl restart "$unit"
    done
}

# A release that doesn't come up on this machine gives way to the one that did.
start_or_go_back() {
    [[ -e $start_again ]] || return 0
    # Whoever has masked it meanwhile was told, and it isn't this release that fails.
    if is_masked benchd.service || systemctl start benchd.service; then
        rm -f "$start_again" "$root$opt/current/brought"
        return
    fi
    journalctl --quiet --unit=benchd --lines=20 --no-pager || true
    systemctl stop benchd.service
    # Neither of them is to be tried over and over on the way out.
    rm -f "$start_again"
    give_way
    systemctl start benchd.service || stop \
        "新しい版も前の版 $former も起動しません。benchdは止まっています。「journalctl -u benchd」で原因を直し、「systemctl start benchd」を実行してください。" \
        "neither the new release nor the former one, $former, starts, so benchd is down: journalctl -u benchd says why; put that right, then: systemctl start benchd"
    stop "新しい版が起動しないため、前の版に戻しました。「journalctl -u benchd」を確認してください。" \
        "the new release didn't start, so the former one runs: see journalctl -u benchd"
}

# give_way: the former release takes over from one that doesn't start. A cut in between is finished by
# whoever calls this again.
give_way() {
    local broken told
    broken=$(release_of current)
    doing touch "$root$opt/$broken/doesnt-start"
    settle doing
    take_away_brought
    task=''
    told=$(find_former && refuse_unfit "$former") || stay_down "$told"
    say "$broken doesn't start, so the release before it takes over again"
    go_back
    forget_broken
}

# The former release may not know it. What an admin has written into it since makes it the admin's.
take_away_brought() {
    local target own=$root$opt/current
    [[ -e $own/brought ]] || return 0
    while read -r target; do
        ! cmp -s "$own/configs${target#/etc/benchd}" "$root$target" || doing rm -f "$root$target"
    done <"$own/brought"
}

# Nobody is to go back to the one that doesn't start.
forget_broken() {
    local broken
    broken=$(release_of previous)
    [[ -n $broken && -e $root$opt/$broken/doesnt-start ]] || return 0
    doing rm -f "$root$opt/previous"
    settle doing
    doing rm -rf "$root$opt/$broken"
    task=''
}

# stay_down WHY: the new release doesn't start, and the former one can't take over.
stay_down() {
    # The next start is its own again, as it is.
    rm -f "$root$opt/current"/{doesnt-start,brought}
    # That nothing was changed holds for the way back alone.
    say "$(sed 's/; nothing was changed$//; s/ 何も変更していません。$//' <<<"$1")"
    stop "benchdは止まっています。新しい版は起動せず、上の理由で前の版にも戻れません。「journalctl -u benchd」で原因を直して「systemctl start benchd」を実行するか、上の理由を取り除いて「$here/scripts/install --back」のあと「systemctl start benchd」を実行してください。" \
        "benchd is down: the new release doesn't start, and the former one can't take over, as told above. Either put right what journalctl -u benchd tells, then: systemctl start benchd. Or do away with the reason above, then: $here/scripts/install --back && systemctl start benchd"
}

# Sets `former` to the release that is the current one then.
go_back() {
    find_former
    put_finisher
    run_release "$former"
    put_in_place
    finish_release
    task=''
}
