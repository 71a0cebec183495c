"""The `rack` command: what hands do at a rack. With the system's own Python and nothing else.

rack list                        every handset, its slot and what it shows
rack kinds                       the kinds that `make` knows
rack make KIND NAME [SLOT]       a new handset, on the table or in a slot
rack plug NAME SLOT              put its cable in (slots 1 to 24)
rack unplug NAME…                pull the cable
rack replug NAME [SECONDS]       pull it and put it back into the same slot
rack adb NAME on|off             USB debugging, on its screen
rack mode NAME MODE              android, charging, fastboot, recovery
rack chip NAME CHIP              good, slow, fails, drops_writes
rack allow NAME                  tap Allow: trust the key of benchd's adb server
rack reset NAME…                 reset it by hand, in its settings
rack reboot NAME…                restart it
rack storm ROUNDS                all ports lost and found again
rack residue NAME                how many of the last owner's markers are left on its chip
rack remove [NAME…]              throw handsets away, all without a name
rack ask                         one request as JSON on standard input, the answer as JSON
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

SOCKET = "/run/rack-vm/rack.sock"
KEYS = ("/var/lib/benchd-adb/.android/adbkey.pub",)


def ask(request: dict[str, object]) -> object:
    """Send one request; what was done, or the end of this program with the refusal."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(SOCKET)
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile("rb") as stream:
            answer = json.loads(stream.readline())
    if "refused" in answer:
        sys.exit(f"rack: {answer['refused']}")
    return answer["done"]


def key() -> str:
    """The public key that handsets are asked to trust."""
    for name in KEYS:
        if Path(name).exists():
            return Path(name).read_text()
    sys.exit(f"rack: benchd's adb server has made no key yet: {' '.join(KEYS)}")


def show(states: list[dict[str, object]]) -> None:
    """A table."""
    print(f"{'NAME':20} {'SLOT':>4}  {'SHOWS':10} {'SERIAL':20} {'RESETS':>6}  STATE")
    for one in states:
        shown = (
            one["mode"] if one["mode"] != "android" else ("adb" if one["adb_enabled"] else "mtp")
        )
        word = one["broken"] or ("restarting" if one["restarting"] else "")
        word = word or ("plugged" if one["enumerated"] else "on the table")
        slot = one["slot"] or "-"
        print(
            f"{one['name']:20} {slot:>4}  {shown:10} {one['serial']:20} {one['reset_count']:>6}  {word}"
        )


def main(words: list[str]) -> None:
    """Do what the words say."""
    match words:
        case ["list"]:
            show(ask({"do": "list"}))
        case ["make", kind, name, *slot]:
            ask({"do": "make", "handsets": [{"kind": kind, "name": name}]})
            if slot:
                ask({"do": "plug", "handsets": [name], "slots": {name: slot[0]}})
        case ["plug", name, slot]:
            ask({"do": "plug", "handsets": [name], "slots": {name: slot}})
        case ["replug", name, *seconds]:
            ask({"do": "replug", "handsets": [name], "after_s": seconds[0] if seconds else 0})
        case ["unplug" | "reset" | "reboot" as do, *names] if names:
            ask({"do": do, "handsets": names})
        case ["remove", *names]:
            ask({"do": "remove", "handsets": names})
        case ["adb", name, ("on" | "off") as word]:
            ask({"do": "adb", "handsets": [name], "enabled": word == "on"})
        case ["mode", name, mode]:
            ask({"do": "mode", "handsets": [name], "mode": mode})
        case ["chip", name, chip]:
            ask({"do": "chip", "handsets": [name], "chip": chip})
        case ["allow", name]:
            ask({"do": "allow", "handsets": [name], "key": key()})
        case ["storm", rounds]:
            ask({"do": "storm", "rounds": rounds})
        case ["residue", name]:
            print(len(ask({"do": "residue", "handset": name})))
        case ["kinds"]:
            print("\n".join(ask({"do": "kinds"})))
        case ["ask"]:
            print(json.dumps(ask(json.load(sys.stdin))))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
