#!/usr/bin/env bash
# How a release takes over on a machine: configuration, units, start, and the way back where it
# doesn't start. Read in by scripts/install, whose `here`, `lib`, `files`, `with_key` and `release` it
# uses, beside what scripts/machine.sh and scripts/releases.sh have.

# What this installation has put into the configuration.
placed=()

# keep SOURCE TARGET: puts it there unless there is one; a different one is put beside that. What
# only some may read isn't shown to whoever reads what an installation has said.
keep() {
    local target=$root$2
    if [[ ! -e $target ]]; then
        placed+=("$target")
        install -D -m 0644 "$1" "$target"
    elif ! cmp -s "$1" "$target"; then
        install -m 0644 "$1" "$target.new"
        say "そのまま残しました: $target 。付属のものは $target.new です。"
        say "kept $target; the shipped one is $target.new: diff -u $target $target.new"
        [[ ! $(stat --format=%A "$target") =~ r..$ ]] || diff -u "$target" "$target.new" || true
    else
        rm -f "$target.new"
    fi
}

install_configuration() {
    local recipe shipped
    shipped=$(mktemp)
    # Here the adb server is a unit of its own.
    sed 's/^server = "own"$/server = "external"/' "$here/configs/benchd.toml" >"$shipped"
    grep -qx 'server = "external"' "$shipped"
    keep "$shipped" /etc/benchd/benchd.toml
    rm -f "$shipped"
    for recipe in "$here"/configs/recipes/*.toml; do
        keep "$recipe" "/etc/benchd/recipes/${recipe##*/}"
    done
    [[ -n $with_key && ! -e $root/etc/benchd/certificate_key.pem ]] || return 0
    say "making the signing key $root/etc/benchd/certificate_key.pem: back it up"
    in_root "$opt/$release/bin/benchd" key create /etc/benchd/certificate_key.pem
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
        if [[ $(in_root systemctl is-enabled "$unit" 2>/dev/null) == masked* ]]; then
            say "$unit はマスクされているため動きません。使うには: systemctl unmask $unit && systemctl enable --now $unit"
            say "$unit is masked, so it doesn't run; to use it: systemctl unmask $unit && systemctl enable --now $unit"
        elif [[ ! -e $root$opt/previous/systemd/$unit ]]; then
            in_root systemctl --quiet enable "$unit"
        fi
    done
}

# What systemd and its like read, as the current release has it.
put_in_place() {
    local -i i
    for ((i = 0; i < ${#files[@]}; i += 2)); do
        # A release that is gone back to may have fewer of them.
        if [[ -e $root$opt/current/${files[i]} ]]; then
            install -D -m 0644 "$root$opt/current/${files[i]}" "$root${files[i + 1]}"
        else
            rm -f "$root${files[i + 1]}"
        fi
    done
    in_root systemd-sysusers "$lib/sysusers.d/benchd.conf"
    in_root systemd-tmpfiles --create "$lib/tmpfiles.d/benchd.conf"
    in_root journalctl --update-catalog
    local -a beside=(benchd-adb.socket)
    [[ ! -e $root$opt/current/systemd/benchd-verify.timer ]] || beside+=(benchd-verify.timer)
    enable_new benchd.service "${beside[@]}"
    is_running_system || return 0
    systemctl daemon-reload
    reload_udev
    udevadm trigger --subsystem-match=usb --action=change
    local unit
    for unit in "${beside[@]}"; do
        ! systemctl --quiet is-enabled "$unit" || systemctl start "$unit"
    done
}

# A release that doesn't come up on this machine gives way to the one that did. What this
# installation has put into the configuration goes with it: the former one may not know it.
start_or_go_back() {
    [[ -e $start_again ]] || return 0
    if systemctl start benchd.service; then
        rm -f "$start_again"
        return
    fi
    journalctl --quiet --unit=benchd --lines=20 --no-pager || true
    systemctl stop benchd.service
    # Neither of them is to be tried over and over on the way out.
    rm -f "$start_again" "${placed[@]}"
    local broken=$release told
    told=$(find_former && refuse_unfit "$former") || stay_down "$told"
    say "$broken doesn't start, so the release before it takes over again"
    go_back
    # Nobody is to go back to the one that doesn't start.
    rm -rf "$root$opt/previous" "$root$opt/$broken"
    systemctl start benchd.service || stop \
        "新しい版も前の版 $former も起動しません。benchdは止まっています。「journalctl -u benchd」で原因を直し、「systemctl start benchd」を実行してください。" \
        "neither the new release nor the former one, $former, starts, so benchd is down: journalctl -u benchd says why; put that right, then: systemctl start benchd"
    stop "新しい版が起動しないため、前の版に戻しました。「journalctl -u benchd」を確認してください。" \
        "the new release didn't start, so the former one runs: see journalctl -u benchd"
}

# stay_down WHY: the new release doesn't start, and the former one can't take over.
stay_down() {
    # That nothing was changed holds for the way back alone.
    say "$(sed 's/; nothing was changed$//; s/ 何も変更していません。$//' <<<"$1")"
    stop "benchdは止まっています。新しい版は起動せず、上の理由で前の版にも戻れません。「journalctl -u benchd」で原因を直して「systemctl start benchd」を実行するか、上の理由を取り除いて「$here/scripts/install --back」のあと「systemctl start benchd」を実行してください。" \
        "benchd is down: the new release doesn't start, and the former one can't take over, as told above. Either put right what journalctl -u benchd tells, then: systemctl start benchd. Or do away with the reason above, then: $here/scripts/install --back && systemctl start benchd"
}

# Sets `former` to the release that is the current one then.
go_back() {
    find_former
    run_release "$former"
    put_in_place
    finish_release
}
