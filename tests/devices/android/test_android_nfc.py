"""What a handset says of its radio: on only by its service's own word, and nothing by silence."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from handset_fakes import FakeShell, ScriptedShell, said
from handset_fixtures import answer, names
from hypothesis import given
from hypothesis import strategies as st

from benchd.devices.android.facts.hardware import read_nfc
from benchd.devices.android.facts.inspection import read_nfc_facts
from benchd.devices.android.handset_access import off_command, switch_nfc
from benchd.domain.handset import NfcFacts, SilenceCause

UNKNOWN = NfcFacts(nfc_on=None, screen_on=None, unlocked=None)
ON = "mState=on\nmScreenState=ON_UNLOCKED\n"

OF_FIXTURES = {
    "nfc-13-on-unlocked": NfcFacts(nfc_on=True, screen_on=True, unlocked=True),
    "nfc-13-off-asleep": NfcFacts(nfc_on=False, screen_on=False, unlocked=False),
    "nfc-14-turning-on": UNKNOWN,
    "nfc-16-other-form": UNKNOWN,
}


@pytest.mark.parametrize("name", names("nfc"))
def test_each_answer_is_read_as_it_is_meant(name: str) -> None:
    assert read_nfc("null\n", answer(name)) == OF_FIXTURES[name]


@pytest.mark.parametrize(
    ("setting", "dump", "nfc_on"),
    [
        ("1", "mState=on", True),
        ("null", "mState=on", True),
        ("0", "mState=on", None),
        ("1", "mState=off", False),
        ("0", "", False),
        ("0", "mState=turning off", False),
        ("1", "", None),
        ("1", "mState=ON", None),
        ("1", "mState=on\nmState=off", None),
        ("1", "xmState=on", None),
        ("", "", None),
    ],
)
def test_the_setting_alone_never_says_that_it_is_on(
    setting: str, dump: str, nfc_on: bool | None
) -> None:
    assert read_nfc(f"{setting}\n", f"{dump}\n").nfc_on is nfc_on


@given(st.text(), st.text())
def test_no_text_is_taken_for_fine(setting: str, dump: str) -> None:
    facts = read_nfc(setting, dump)
    assert facts.nfc_on is not True or "mState=on" in dump
    assert facts.unlocked is not True or "UNLOCKED" in dump


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("setting", "dump", "facts"),
    [
        ("1\n", ON, NfcFacts(nfc_on=True, screen_on=True, unlocked=True)),
        ((1, "1\n"), (1, ON), UNKNOWN),
        ("1\n", (20, "Can't find service: nfc\n"), UNKNOWN),
    ],
)
async def test_a_refusal_says_nothing(
    setting: str | tuple[int, str], dump: str | tuple[int, str], facts: NfcFacts
) -> None:
    shell = ScriptedShell({"settings get --user 0 global nfc_on": setting, "dumpsys nfc": dump})
    assert await read_nfc_facts(shell) == facts


def test_what_explains_silence_and_what_does_not() -> None:
    fine = NfcFacts(nfc_on=True, screen_on=True, unlocked=True)
    assert fine.causes() == UNKNOWN.causes() == (SilenceCause.UNKNOWN,)
    off = NfcFacts(nfc_on=False, screen_on=None, unlocked=False)
    assert off.causes() == (SilenceCause.NFC_OFF, SilenceCause.SCREEN_LOCKED)


@pytest.mark.asyncio
async def test_nfc_is_switched_by_one_command_whose_answer_proves_nothing() -> None:
    shell = FakeShell()
    shell.on("svc nfc enable", *said("NFC operation failed", code=255))
    shell.on("trap", *said(""))
    await switch_nfc(shell, on=True)
    await switch_nfc(shell, on=False)
    assert shell.commands[1].endswith(" svc nfc disable")


def test_what_was_switched_off_goes_on_again_when_its_shell_is_hung_up(tmp_path: Path) -> None:
    told = tmp_path / "told"
    svc = tmp_path / "svc"
    svc.write_text(f'#!/bin/sh\necho "$@" >>{told}\n')
    svc.chmod(0o755)
    shell = subprocess.Popen(
        ["/bin/sh", "-c", f"{off_command(0.5)}; echo off; read _"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert shell.stdout is not None
    assert shell.stdin is not None
    assert shell.stdout.readline() == b"off\n"
    assert told.read_text().split("\n")[0] == "nfc disable"
    os.killpg(shell.pid, signal.SIGHUP)
    shell.stdin.close()
    shell.wait()
    deadline_s = time.monotonic() + 10
    while "nfc enable" not in told.read_text():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    shell.stdout.close()
