"""Boots the rack in a virtual machine and gives its user a shell in it: scripts/rack-vm."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.vm.machine import Machine, build_disk

DASHBOARD_PORT = 8420
KINDS = ("clean", "same-serial-a", "same-serial-b", "ext4", "live-data", "mtp-only", "unauthorized")
WELCOME = """
The rack runs. Its dashboard: http://127.0.0.1:{port}
Every line is run as root in the virtual machine, for example:
    rack list                  rack unplug clean-1         rack replug ext4-4 2
    rack --help                journalctl -u benchd
    adb -L localfilesystem:/run/benchd-adb/adb.sock devices -l
Its story is written to {story}. End it with Ctrl-D.
"""


def main() -> None:
    """Boot, plug handsets in, obey lines until the end of the input."""
    parser = argparse.ArgumentParser(prog="scripts/rack-vm", description=__doc__)
    parser.add_argument("--port", type=int, default=DASHBOARD_PORT, help="of the dashboard")
    parser.add_argument("kinds", nargs="*", default=KINDS, help="handsets; `rack kinds` lists them")
    words = parser.parse_args()
    story = Path(tempfile.mkdtemp(prefix="rack-vm-story-"))
    with Machine(build_disk(), story, dashboard_port=words.port) as machine:
        say("booted; starting benchd")
        machine.run("systemctl", "is-system-running", "--wait", within_s=300)
        machine.shell("systemctl start benchd", within_s=300)
        for number, kind in enumerate(words.kinds, start=1):
            made = machine.run("rack", "make", kind, f"{kind}-{number}", str(number))
            say(made.error.strip() or f"plugged {kind}-{number} into slot {number}")
        say(WELCOME.format(port=words.port, story=story))
        while line := prompt():
            ended = machine.run("bash", "-c", line, within_s=3600)
            sys.stdout.write(ended.output)
            sys.stdout.write(ended.error)


def prompt() -> str:
    """The next line, empty at the end of the input."""
    sys.stdout.write("rack-vm# ")
    sys.stdout.flush()
    return sys.stdin.readline()


def say(text: str) -> None:
    """Tell whoever waits."""
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
