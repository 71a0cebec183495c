#!/usr/bin/env bash
# The releases of benchd on one machine, and which of them runs. Read in by scripts/install, whose
# `root`, `wheels`, `in_root`, `say` and `stop` it uses, and a part of the Debian package's preinst.
#
#   /opt/benchd/releases/VERSION-COMMIT   a whole program with all that it needs, its units too, and
#                                         in wheel.sha256 which wheel it was made of
#   /opt/benchd/current                   a link to the one that runs
#   /opt/benchd/previous                  a link to the one before, for going back
#
# A release becomes the current one in one step, and only once it has shown that it works: whatever
# goes wrong before leaves the machine as it was. Until all that belongs to it is in its place there
# is a file `half-installed` in it: such a one never becomes the one to go back to, nor one with a
# file `doesnt-start`.

opt=/opt/benchd
unfinished=()

# To be called on the way out. What a link leads to already is kept, however little comes after it.
forget_unfinished() {
    local place
    for place in "${unfinished[@]}"; do
        case $place in
            "$root$opt/$(release_of current)" | "$root$opt/$(release_of previous)") ;;
            *) rm -rf "$place" ;;
        esac
    done
}

# release_of LINK: the folder in opt that the link leads to, or nothing.
release_of() { readlink "$root$opt/$1" || true; }

# python_of RELEASE CODE [ARGUMENT…]
python_of() { in_root "$opt/$1/bin/python" -c "${@:2}"; }

unchanged() {
    stop "$1 何も変更していません。" "$2; nothing was changed"
}

# is_as_listed FOLDER: every file is there as SHA256SUMS has it, and none beside: pip would take a
# newer wheel that somebody has added.
is_as_listed() (
    cd "$1" || exit
    export LC_ALL=C
    sha256sum --check --strict --quiet SHA256SUMS &&
        diff --old-line-format='missing: %L' --new-line-format='not listed: %L' \
            --unchanged-line-format='' <(sed 's/^[^ ]* [ *]//' SHA256SUMS | sort) \
            <(find . ! -type d ! -path ./SHA256SUMS ! -path ./SHA256SUMS.sig -printf '%P\n' | sort)
)

# refuse_damaged FOLDER…: those that have a list, a bundle and built wheels, have to be as it says.
refuse_damaged() {
    local folder told
    for folder; do
        [[ -e $folder/SHA256SUMS ]] || continue
        told=$(is_as_listed "$folder" 2>&1) || {
            say "$told"
            unchanged "$folder が SHA256SUMS と一致しません。もう一度写してください。" \
                "$folder isn't what its SHA256SUMS lists; copy it once more"
        }
    done
}

# name_release PROGRAM: sets `release` to a new folder's name, by what a program that is unpacked says of
# itself. Who installs a release that is there already gets it a second time: a running one is never
# written to.
name_release() {
    local said number=1 version
    local -a own
    mapfile -t own < <(compgen -G "$1/packages/benchd-*.dist-info")
    ((${#own[@]} == 1)) || unchanged "$1 は benchd ではありません。" "$1 isn't benchd"
    version=${own[0]##*/benchd-}
    said=${version%.dist-info}-$(head -c 12 "$1/packages/benchd/commit.txt")
    release=releases/$said
    while [[ -e $root$opt/$release ]]; do
        number=$((number + 1))
        release=releases/$said-$number
    done
}

# refuse_other_python BUILT: the wheels fit one minor version of Python alone.
refuse_other_python() {
    local built=$1 target
    target=$(in_root python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    [[ $built == "$target" ]] || unchanged \
        "このホイールは Python ${built:-?} 用で、導入先は $target です。作り直してください。" \
        "these wheels are for Python ${built:-?}, but there it is $target; build them with that one"
}

# unpack: sets `program` to what is in the wheels. They are copied first, and that copy is what is held
# against their list.
unpack() {
    local copy
    # What an installation that was killed has left.
    rm -rf "$root$opt"/wheels.*
    copy=$(mktemp -d "$root$opt/wheels.XXXXXX")
    unfinished=("$copy")
    cp "$wheels"/*.whl "$here"/scripts/{unpack-wheels,left-out.toml} "$copy" || unchanged \
        "$root$opt に書き込めません。空き容量を増やして、もう一度実行してください。" \
        "$root$opt can't be written to; make room and try again"
    chmod 0755 "$copy"
    mkdir "$copy/wheels" "$copy/program"
    mv "$copy"/*.whl "$copy/wheels"
    [[ ! -e $wheels/SHA256SUMS ]] || cp "$wheels/SHA256SUMS" "$copy/wheels"
    refuse_damaged "$copy/wheels"
    program=$copy/program
    in_root python3 "${copy#"$root"}/unpack-wheels" "${copy#"$root"}"/{wheels,program} || unchanged \
        "ホイールを展開できません（壊れているか、空き容量が足りません）。作り直すか、写し直してください。" \
        "the wheels can't be unpacked: they are damaged, or the disk is full; build them or copy them once more"
}

# Sets `release` to one that is whole but doesn't run yet.
make_release() {
    local own packages
    mkdir -p "$root$opt/releases"
    if [[ -n $wheels ]]; then
        refuse_other_python \
            "$(printf '%s\n' "$wheels"/pyscard-*.whl | sed -n 's/.*-cp3\([0-9]*\)-cp3.*/3.\1/p')"
        unpack
    fi
    refuse_damaged "$program"
    refuse_other_python "$(cat "$program/python")"
    name_release "$program"
    own=$root$opt/$release
    unfinished+=("$own")
    say "installing the program into $own"
    { in_root python3 -m venv --without-pip "$opt/$release" &&
        packages=$(compgen -G "$own/lib/python3*/site-packages") &&
        link_or_copy "$program/packages" "$packages" &&
        printf '%s\n' "#!$opt/$release/bin/python" 'import sys' '' 'from benchd.cli.main import main' '' \
            'if __name__ == "__main__":' '    sys.exit(main())' >"$own/bin/benchd" &&
        chmod 0755 "$own/bin/benchd" && import_all; } || unchanged \
        "新しいプログラムが動きません。ホイールを作り直すか、写し直してください。" \
        "the new program doesn't work; build the wheels or copy them once more"
    cp "$program/wheel.sha256" "$own/wheel.sha256"
    touch "$own/half-installed"
    rm -rf "$root$opt"/wheels.*
}

# link_or_copy FOLDER PLACE: files of FOLDER appear in PLACE a second time, which takes no room where both
# are on one file system. Neither is ever written into: dpkg and this put whole new files in place.
link_or_copy() {
    [[ -z $(find "$2" -mindepth 1 -print -quit) ]] || return
    cp --archive --link "$1/." "$2" 2>/dev/null || cp --archive --no-target-directory "$1" "$2"
}

# import_all: every module of benchd's can be loaded, but those for an extra that a rack doesn't have, and
# what that has loaded is kept compiled: no more, since compiled files take as much room as their sources.
# Nobody compiles later: it runs without the right to write there.
import_all() {
    python_of "$release" 'import benchd, importlib, pkgutil, re
from importlib import metadata
extras = {re.match("[A-Za-z0-9_-]+", told)[0].replace("-", "_")
          for told in metadata.requires("benchd") or () if "extra ==" in told}
for module in pkgutil.walk_packages(benchd.__path__, "benchd."):
    try:
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in extras:
            raise
import benchd.daemon.composition, benchd.cli.main, segno, typst'
}

# carry_manuals: pages and examples, in the folders that they name each other by. What tests alerts stays
# out, so that Prometheus may be told of all the rules that are there. Uses `here` and `release`.
carry_manuals() {
    local share=$root$opt/$release/share/benchd
    mkdir -p "$share"
    # A package's are never written into; a checkout's are.
    [[ -z ${packaged:-} ]] || ! copy_manuals --link 2>/dev/null || return 0
    copy_manuals
}

copy_manuals() {
    (cd "$here" && find configs docs -path docs/screenshots -prune -o -path docs/site -prune -o \
        -type f ! -name '*.test.yml' -print0 |
        xargs -0 cp "$@" --no-preserve=mode --parents --target-directory "$share")
}

# A release that runs has to take the configuration that is there, unless none does.
# Recipes that an upgrade has brought may be what it doesn't know: every file with a mistake is told.
refuse_other_configuration() {
    local config=/etc/benchd/benchd.toml told moves
    [[ -e $root$config ]] || return 0
    told=$(in_root "$opt/$1/bin/benchd" check-config "$config" 2>&1) && return
    [[ -x $root$opt/current/bin/benchd ]] || return 0
    in_root "$opt/current/bin/benchd" check-config "$config" >/dev/null 2>&1 || return 0
    say "$told"
    moves=$(sed -nE 's|^(.*: )?(/[^:]*/recipes/[^:]*\.toml):[0-9].*|mv \2 \2.newer|p' <<<"$told" |
        sort -u | paste -sd '&' | sed 's/&/ \&\& /g')
    [[ -z $moves ]] || unchanged \
        "設定 $config を $1 は受け付けません。新しい版のレシピを外してから、もう一度実行してください（次の scripts/install が付属のレシピを戻します）: $moves 。" \
        "$1 doesn't take the configuration $config; move the newer release's recipes away and try again (the next scripts/install puts shipped ones back): $moves"
    unchanged "設定 $config を $1 は受け付けません。" "$1 doesn't take the configuration $config"
}

# refuse_mistaken_configuration RELEASE: for where a daemon runs, with what it read when it started.
# Neither release would start again with it.
refuse_mistaken_configuration() {
    local config=/etc/benchd/benchd.toml told
    told=$(in_root "$opt/$1/bin/benchd" check-config "$config" 2>&1) || {
        say "$told"
        unchanged \
            "設定 $config に誤りがあり、動いている版も次は起動できません。「benchd check-config $config」で確かめて直してから、もう一度実行してください。" \
            "the configuration $config has a mistake, with which the release that runs wouldn't start again either; put it right (benchd check-config $config), then try again"
    }
}

# form_of_ledger RELEASE LEDGER: by that release's Python. What a crash left in the write-ahead log
# counts, so SQLite is asked, and of a copy, since it would leave files of root's beside the ledger.
# Of the ledger itself only the first page is read: the copy is as long, and empty behind it.
form_of_ledger() {
    python_of "$1" 'import os, shutil, sqlite3, sys, tempfile
from contextlib import closing
from pathlib import Path

ledger = Path(sys.argv[1])
log = Path(f"{ledger}-wal")
with tempfile.TemporaryDirectory() as folder:
    copy = Path(folder, "ledger")
    with ledger.open("rb") as file:
        copy.write_bytes(file.read(65536))
    os.truncate(copy, ledger.stat().st_size)
    if log.exists():
        shutil.copyfile(log, f"{copy}-wal")
    with closing(sqlite3.connect(copy)) as connection:
        print(*connection.execute("PRAGMA user_version").fetchone())' "$2"
}

# form_known_to RELEASE
form_known_to() {
    python_of "$1" 'import importlib.resources
folder = importlib.resources.files("benchd.ledger") / "migrations"
print(max(int(file.name[:4]) for file in folder.iterdir() if file.name.endswith(".sql")))'
}

# refuse_older_than_ledger RELEASE [KNOWN NAME]: a ledger of a newer form can't be read by an older
# release. It is asked of that release, or by it of NAME, which isn't there yet and knows this form.
refuse_older_than_ledger() {
    local ledger form known name=${3:-$1}
    ledger=$(python_of "$1" 'from pathlib import Path
from benchd.config import load_settings
print(load_settings(Path("/etc/benchd/benchd.toml")).ledger.path)' 2>/dev/null) ||
        ledger=/var/lib/benchd/ledger.sqlite
    [[ -s $root$ledger ]] || return 0
    # A damaged one may have any form that the release which ran can write.
    form=$(form_of_ledger "$1" "$ledger" 2>/dev/null) ||
        form=$(form_known_to current 2>/dev/null) || return 0
    known=${2:-$(form_known_to "$1")}
    ((form <= known)) || unchanged \
        "記録 $ledger は新しい形式（$form）で、$name は $known までしか読めません。新しい版のまま使うか、更新前のバックアップを戻してください。" \
        "the ledger $ledger has form $form and $name reads up to $known: stay with the newer release, or put back the backup from before the upgrade"
}

# lead LINK RELEASE: in one step.
lead() {
    ln -sfn "$2" "$root$opt/next"
    mv -T "$root$opt/next" "$root$opt/$1"
}

# The command of a change of releases that hasn't ended yet, or nothing (scripts/unfinished.sh).
task=''

# doing COMMAND…: one of them; which it was is told if it fails.
doing() {
    task=$*
    "$@"
}

# settle [doing]: what was written is on disk: a power cut may come right after.
settle() { ${1:-} sync --file-system "$root$opt" "$root/etc" "$root/usr/local"; }

# find_former: sets `former` to the release to go back to. Where a cut came after the links had
# changed, it is the one that they lead to already: what is asked for once more is then finished.
find_former() {
    former=$(release_of current)
    [[ $former != "$(cat "$root$opt/going-back" 2>/dev/null)" || -z $former ]] || return 0
    former=$(release_of previous)
    [[ -n $former && -d $root$opt/$former && $former != "$(release_of current)" &&
        ! -e $root$opt/$former/doesnt-start ]] || unchanged \
        "戻れる版がありません。" "there is no release to go back to"
}

# is_same_build RELEASE RELEASE: of one wheel. A name doesn't tell: two dirty builds share theirs.
is_same_build() { cmp -s "$root$opt/$1/wheel.sha256" "$root$opt/$2/wheel.sha256"; }

# gives_way RELEASE NEXT: whether the release that runs isn't to be gone back to from the next one.
gives_way() {
    [[ -e $root$opt/$1/half-installed || -e $root$opt/$1/doesnt-start ]] ||
        { [[ -d $root$opt/previous ]] && is_same_build "$1" "$2"; }
}

# change_links RELEASE: such that a cut in between leaves a release that runs, and loses none.
change_links() {
    local before
    before=$(release_of current)
    if [[ -n $before && $1 == "$(release_of previous)" ]]; then
        printf '%s\n' "$1" >"$root$opt/going-back"
        # Both at once, where the file system can.
        mv --exchange -T "$root$opt/current" "$root$opt/previous" 2>/dev/null || {
            lead current "$1"
            lead previous "$before"
        }
        return
    fi
    [[ -z $before || $before == "$1" ]] || gives_way "$before" "$1" || lead previous "$before"
    lead current "$1"
}

# refuse_unfit RELEASE
refuse_unfit() {
    refuse_other_configuration "$1"
    refuse_older_than_ledger "$1"
}

# run_release RELEASE: makes it the current one, and what was current the one to go back to.
run_release() {
    local folder
    refuse_unfit "$1"
    settle || unchanged "ディスクに書き込めません。" "the disk can't be written to"
    change_links "$1"
    settle || stop \
        "ディスクに書き込めません。$1 が次の起動で動きます。ディスクを直して、もう一度実行してください。" \
        "the disk can't be written to; $1 is what starts next: mend the disk and try again"
    unfinished=()
    ln -sfn "$opt/current/bin/benchd" "$root/usr/local/bin/benchd"
    mkdir -p "$root/usr/local/share"
    ln -sfn "$opt/current/share/benchd" "$root/usr/local/share/benchd"
    for folder in "$root$opt"/releases/*; do
        case releases/${folder##*/} in
            "$(release_of current)" | "$(release_of previous)") ;;
            *) rm -rf "$folder" ;;
        esac
    done
    # Until now there was one program, in the folder itself.
    [[ ! -e $root$opt/pyvenv.cfg ]] ||
        rm -rf "$root$opt"/{bin,include,lib,lib64,share,pyvenv.cfg}
}

# finish_release: to be called once all that belongs to the current release is in its place.
finish_release() {
    settle doing
    doing rm -f "$root$opt/current/half-installed" "$root$opt/going-back"
    settle doing
}
