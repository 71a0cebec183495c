"""benchd's longer texts for a handset, run by a real shell with tools that do as they're told."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from benchd.devices.android.facts.owner import (
    COUNT_CALLS,
    COUNT_CONTACTS,
    COUNT_MMS,
    COUNT_SMS,
    MOST_COUNTED,
    read_row_count,
)
from benchd.devices.android.fill.keep_awake import HOLD
from benchd.devices.android.fill.program_on_handset import PROGRAMS
from benchd.devices.android.fill.shown_reads import CONTENT, PROBE
from benchd.devices.android.handset_access import off_command
from benchd.devices.android.handset_screens import UNCOVER

SETTINGS = """\
echo "$1" >> "$STATE/asked"
case "$1" in
get) [ -e "$STATE/value" ] || { echo null; exit 0; }
    cat "$STATE/value"; exit "$(cat "$STATE/status")" ;;
put) [ -e "$STATE/denied" ] && { echo java.lang.SecurityException >&2; exit 255; }
    echo "$4" > "$STATE/value" ;;
esac
"""


class Tools:
    """A folder with `settings` and `input`, and what they remember."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.state.mkdir()
        self.bin = folder / "bin"
        self.bin.mkdir()
        (self.state / "status").write_text("0")
        self.env = {"PATH": f"{self.bin}:{os.environ['PATH']}", "STATE": str(self.state)}
        self.plays("settings", SETTINGS)
        self.plays("input", "exit 3")

    def plays(self, name: str, text: str) -> None:
        tool = self.bin / name
        tool.write_text(f"#!/bin/sh\n{text}")
        tool.chmod(0o700)

    def run(self, text: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/bin/sh", "-c", text],
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def run_unheard(self, text: str) -> None:
        """Without anybody at the other end, nor a signal for it, as up to Android 7."""
        read, write = os.pipe()
        os.close(read)
        try:
            subprocess.run(
                ["/bin/sh", "-c", f"trap '' PIPE\n{text}"],
                env=self.env,
                stdout=write,
                stderr=subprocess.DEVNULL,
                check=False,
            )
        finally:
            os.close(write)

    def asked(self) -> list[str]:
        return (self.state / "asked").read_text().split()


@pytest.fixture
def tools(tmp_path: Path) -> Tools:
    return Tools(tmp_path)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0", ["before 0", "after 7"]),
        ("8", ["before 8", "after 15"]),
        ("7", ["before 7"]),
        ("15", ["before 15"]),
        (None, ["before 0", "after 7"]),
        *((none, ["before "]) for none in ("08", "-1", "0\nbefore 7", "$(touch x)", "", "100")),
    ],
)
def test_a_shell_tells_the_setting_before_it_writes_it(
    tools: Tools, value: str | None, said: list[str]
) -> None:
    if value is not None:
        (tools.state / "value").write_text(f"{value}\n")
    found = tools.run(HOLD)
    assert found.stdout.splitlines() == [*said, "woken 3"]
    assert (found.stderr, found.returncode) == ("", 0)
    assert tools.asked() == (["get"] if len(said) == 1 else ["get", "put", "get"])


def test_a_value_whose_reading_ended_badly_is_none(tools: Tools) -> None:
    (tools.state / "value").write_text("0\n")
    (tools.state / "status").write_text("1")
    assert tools.run(HOLD).stdout.splitlines() == ["before ", "woken 3"]


def test_a_refused_writing_is_told_by_what_is_read(tools: Tools) -> None:
    (tools.state / "denied").touch()
    found = tools.run(HOLD)
    assert found.stdout.splitlines() == ["before 0", "after 0", "woken 3"]
    assert found.stderr == ""


def test_a_shell_that_nobody_hears_writes_nothing(tools: Tools) -> None:
    tools.run_unheard(HOLD)
    assert tools.asked() == ["get"]


@pytest.mark.parametrize(
    ("text", "code"), [("exit 0", 0), ("echo trace; echo trace >&2; exit 137", 137)]
)
def test_what_wakes_the_screen_says_no_more_than_how_it_ended(
    tools: Tools, text: str, code: int
) -> None:
    tools.plays("input", text)
    tools.plays("wm", "echo java.lang.SecurityException; echo java.x >&2; exit 1")
    tools.plays("am", 'echo "Starting: $*"; echo "Error: none" >&2; exit 9')
    found = tools.run(f"{UNCOVER}am start -a x")
    assert found.stdout == f"woken {code}\nStarting: start -a x\n"
    assert (found.stderr, found.returncode) == ("Error: none\n", 9)


def on_handset(folder: Path) -> str:
    """The probe's text with its places in this folder."""
    cache = folder / "benchd-cache"
    cache.write_text('#!/bin/sh\necho "cache $1"\n')
    cache.chmod(0o700)
    return PROBE.replace(PROGRAMS, str(folder))


def test_a_shell_writes_the_probe_reads_it_and_lists_what_lies_beside_it(
    tools: Tools, tmp_path: Path
) -> None:
    (tmp_path / "benchd").mkdir()
    (tmp_path / "benchd" / "fill-000000.dat").touch()
    found = tools.run(on_handset(tmp_path), "m1 probe 0 20480 0 5\nm2 probe 4096 12288 1 3\n")
    assert found.stdout == (
        f"written 0\nm1\ncache empty\n{CONTENT.decode()}cache count\nm1 0\n"
        f"m2\ncache empty\n{CONTENT[4096:-4096].decode()}cache count\nm2 0\nfill-000000.dat\n"
    )
    assert (found.stderr, found.returncode) == ("", 0)
    assert [path.name for path in (tmp_path / "benchd").iterdir()] == ["fill-000000.dat"]


def test_a_probe_that_cant_be_written_says_why_before_it_says_so(
    tools: Tools, tmp_path: Path
) -> None:
    tools.plays("cat", 'echo "cat: write: No space left on device" >&2; exit 1')
    found = tools.run(on_handset(tmp_path))
    assert found.stdout.startswith("cat: write: No space left on device\n")
    assert found.stdout.endswith("written 1\n")
    assert (found.stderr, found.returncode) == ("", 0)


def test_a_probe_without_a_folder_isnt_written(tools: Tools, tmp_path: Path) -> None:
    (tmp_path / "benchd").touch()
    found = tools.run(on_handset(tmp_path))
    said, written, *_ = found.stdout.splitlines()
    assert said.startswith("mkdir: ")
    assert written == "written 1"


@pytest.mark.parametrize("command", [COUNT_CALLS, COUNT_CONTACTS, COUNT_SMS, COUNT_MMS])
@pytest.mark.parametrize(
    ("tool", "rows"),
    [
        ("echo 'No result found.'", 0),
        # No cursor at all: the same words, but on the other stream, and they mean nothing.
        ("echo 'No result found.' >&2", None),
        ("echo 'Error while accessing provider:x' >&2", None),
        ("exit 1", None),
        ("i=0; while :; do echo Row: $i _id=$i; i=$((i+1)); done", MOST_COUNTED),
    ],
)
def test_what_a_count_of_an_owners_rows_lets_through(
    tools: Tools, command: str, tool: str, rows: int | None
) -> None:
    tools.plays("content", tool)
    found = tools.run(command)
    assert found.returncode == 0
    assert read_row_count(found.stdout) == rows


def test_nfc_that_was_switched_off_goes_on_again_when_its_shell_is_hung_up(tools: Tools) -> None:
    tools.plays("svc", 'echo "$*" >> "$STATE/asked"')
    command = ["/bin/sh", "-c", f"{off_command(0.5)}; echo off; read _"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=tools.env, stdin=pipe, stdout=pipe, start_new_session=True
    ) as shell:
        assert shell.stdout is not None
        assert shell.stdout.readline() == b"off\n"
        assert tools.asked() == ["nfc", "disable"]
        os.killpg(shell.pid, signal.SIGHUP)
    deadline_s = time.monotonic() + 10
    while tools.asked()[2:4] != ["nfc", "enable"]:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
