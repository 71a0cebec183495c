#!/bin/sh
# Android's tools, as far as benchd asks them. The rack writes what each of them answers
# into /system/state/answers; a shell and one exec are all that an answer costs, since a rack
# of 64 handsets asks thousands of times. What isn't there is refused, never answered with success.
tool=${0##*/}
answers=/system/state/answers

say() {
    [ -e "$1.status" ] || exec cat "$1"
    cat "$1" >&2
    read -r status <"$1.status"
    exit "$status"
}

case "$tool $*" in
"content query --uri content://"*" --projection _id") # By provider: a URI is no name of a file.
    provider=${3#content://}
    asked=$answers/content/${provider%%/*}
    ;;
"dumpsys "*/default) # A vendor's service: its instance is no part of a file's name.
    asked=$answers/dumpsys/${1%/default}
    ;;
*/* | *..*) asked= ;;
*) asked=$answers/$tool/${*:-all} ;;
esac
# A low battery stays as it is until somebody has looked at it, however long that takes.
if [ "$tool $*" = "dumpsys battery" ] && [ -e /system/state/charges ]; then
    /usr/bin/python3 -ISE /system/benchd/ask.py battery_read
fi
if [ -n "$asked" ] && [ -f "$asked" ]; then
    say "$asked"
fi

case "$tool $1" in
"getprop "*) # Unset: the default, or an empty line (AOSP, system/core/toolbox/getprop.cpp).
    echo "$2"
    ;;
"settings get") # SettingsService prints what it has, and that is null.
    echo null
    ;;
"am start") # ActivityManagerShellCommand says what it does before it knows how that ends.
    [ "$2" = -a ] && key=act || key=cmp
    echo "Starting: Intent { $key=$3 }"
    exec /usr/bin/python3 -ISE /system/benchd/ask.py "am_start $3"
    ;;
"input keyevent") ;;
"wm dismiss-keyguard") ;;
"settings put")
    [ "$2 $3" = "global stay_on_while_plugged_in" ] || { echo "not on a virtual handset"; exit 255; }
    exec /usr/bin/python3 -ISE /system/benchd/ask.py "stay_on $4"
    ;;
"service call")
    if [ -e "$answers/service/$2" ]; then
        # What `service` makes of UNKNOWN_TRANSACTION.
        echo 'Result: Parcel(Error: 0xffffffffffffffb6 "Not a data message")'
    else
        echo "service: Service $2 does not exist"
        exit 10
    fi
    ;;
"cmd testharness")
    [ "$2" = enable ] || [ "$2" = restore ] || { echo "Unknown command: $2"; exit 255; }
    exec /usr/bin/python3 -ISE /system/benchd/ask.py test_harness
    ;;
"reboot "*)
    [ $# -eq 0 ] || { echo "reboot: $1: not on a virtual handset" >&2; exit 1; }
    exec /usr/bin/python3 -ISE /system/benchd/ask.py reboot
    ;;
"svc nfc") # NfcCommand: it ends with 0 whatever became of it.
    case "$2" in
    enable | disable) exec /usr/bin/python3 -ISE /system/benchd/ask.py "nfc_$2" ;;
    *) echo "usage: svc nfc [enable|disable]" >&2 ;;
    esac
    ;;
"cmd phone" | "cmd package")
    echo "Unknown command: $2"
    exit 255
    ;;
"cmd "*) # frameworks/native/cmds/cmd/cmd.cpp
    echo "cmd: Can't find service: $1" >&2
    exit 20
    ;;
"dumpsys "*) # The real one ends with 0; a service that isn't simulated mustn't look like an answer.
    echo "Can't find service: $1" >&2
    exit 1
    ;;
"content "*) # Content.java: what went wrong goes to stderr, and it ends with 0 all the same.
    echo "Error while accessing provider:$3" >&2
    ;;
"which "*)
    found=1
    for name; do
        found=0
        path=$(command -v "$name") || { found=1; continue; }
        echo "$path"
    done
    exit "$found"
    ;;
*)
    echo "Unknown command: $1"
    exit 255
    ;;
esac
