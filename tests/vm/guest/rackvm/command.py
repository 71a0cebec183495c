"""The `rack` command: what hands do at a rack. With the system's own Python and nothing else.

rack list                        every handset, its slot and what it shows
rack kinds                       the kinds that `make` knows
rack make KIND NAME [SLOT]       a new handset, on the table or in a slot
rack plug NAME SLOT              put its cable in (slots 1 to 24)
rack unplug NAME…                pull the cable
rack replug NAME [SECONDS]       pull it and put it back into the same slot
rack swap NAME NAME              pull two cables, put each into the other's slot
rack adb NAME on|off             USB debugging, on its screen
rack mode NAME MODE              android, charging, fastboot, recovery
rack chip NAME CHIP              good, slow, fails, drops_writes
rack allow NAME                  tap Allow: trust the key of benchd's adb server
rack reset NAME…                 reset it by hand, in its settings
rack reboot NAME…                restart it
rack storm ROUNDS                all ports lost and found again
rack lift NAME                   take its FeliCa chip off the slot's reader; the cable stays in
rack lay NAME                    put it back onto the reader
rack clear SLOT                  clear the chip on this slot's reader, as a licensed tool would
rack residue NAME                how many of the last owner's markers are left on its chip
rack fill NAME                   overwrite its chip by benchd's program, without benchd
rack remove [NAME…]              throw handsets away, all without a name
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

SOCKET = "/run/rack-vm/rack.sock"
ON_THE_READER = {"lift": "take_chip_away", "lay": "lay_chip_back"}
CLEARED = {
    "done": 0,
    "already_initial": 2,
    "unsupported": 10,
    "needs_operator": 11,
    "retryable": 12,
    "fatal": 13,
}
"""Exit codes of `clear`, as benchd.toml reads them."""
KEYS = ("/var/lib/benchd-adb/.android/adbkey.pub",)


def ask(request: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
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


def show(states: list[dict[str, Any]]) -> None:
    """A table."""
    say(f"{'NAME':20} {'SLOT':>4}  {'SHOWS':10} {'SERIAL':20} {'RESETS':>6}  STATE")
    for one in states:
        android = "adb" if one["adb_enabled"] else "mtp"
        shown = android if one["mode"] == "android" else one["mode"]
        word = one["broken"] or ("restarting" if one["restarting"] else "")
        word = word or ("plugged" if one["enumerated"] else "on the table")
        line = f"{one['name']:20} {one['slot'] or '-':>4}  {shown:10} {one['serial']:20}"
        say(f"{line} {one['reset_count']:>6}  {word}")


def say(text: str) -> None:
    """One line to whoever asked."""
    sys.stdout.write(f"{text}\n")


def request(words: list[str]) -> dict[str, Any] | None:  # noqa: PLR0911 - one a deed
    """What the words ask of the rack; None where they make no sense."""
    match words:
        case ["plug", name, slot]:
            return {"do": "plug", "handsets": [name], "slots": {name: slot}}
        case ["replug", name, *seconds]:
            return {"do": "replug", "handsets": [name], "after_s": (*seconds, 0)[0]}
        case ["remove", *names]:
            return {"do": "remove", "handsets": names}
        case ["swap", one, other]:
            return {"do": "swap", "handsets": [one, other]}
        case ["unplug" | "reset" | "reboot" as do, name, *names]:
            return {"do": do, "handsets": [name, *names]}
        case ["adb", name, ("on" | "off") as word]:
            return {"do": "adb", "handsets": [name], "enabled": word == "on"}
        case ["mode" | "chip" as do, name, word]:
            return {"do": do, "handsets": [name], do: word}
        case ["lift" | "lay" as word, name]:
            return {"do": ON_THE_READER[word], "chip": name}
        case ["storm", rounds]:
            return {"do": "storm", "rounds": rounds}
        case _:
            return None


def main(words: list[str]) -> None:
    """Do what the words say."""
    match words:
        case ["list"]:
            show(ask({"do": "list"}))
        case ["kinds"]:
            say("\n".join(ask({"do": "kinds"})))
        case ["allow", name]:
            ask({"do": "allow", "handsets": [name], "key": key()})
        case ["clear", slot]:
            said = ask({"do": "clear_chip", "slot": int(slot.removeprefix("S"))})
            say(f"{said['detail']}; report: rack-{said['code']}")
            sys.exit(CLEARED[said["outcome"]])
        case ["residue", name]:
            say(str(len(ask({"do": "residue", "handset": name}))))
        case ["fill", name]:
            say(json.dumps(ask({"do": "fill", "handset": name})))
        case ["make", kind, name, *slot]:
            ask({"do": "make", "handsets": [{"kind": kind, "name": name}]})
            if slot:
                ask({"do": "plug", "handsets": [name], "slots": {name: slot[0]}})
        case _:
            asked = request(words)
            if asked is None:
                sys.exit(__doc__)
            ask(asked)


if __name__ == "__main__":
    main(sys.argv[1:])
