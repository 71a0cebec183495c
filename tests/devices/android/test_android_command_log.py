"""A command on a handset is in the log by its program alone, whatever it was told and answered."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from benchd.devices.android.shell.commands import Completed, _tell

IMEI = "356938035643809"
ANSWERED = Completed(exit_code=0, stdout=IMEI.encode(), stderr=IMEI.encode())


@pytest.mark.parametrize(
    ("command", "program"),
    [
        (f"am broadcast --es imei {IMEI}", "am"),
        (f"(getprop)\nstatus=$?\necho {IMEI}", "getprop"),
        ("/data/local/tmp/benchd-fill", "/data/local/tmp/benchd-fill"),
        ("", None),
    ],
)
def test_neither_arguments_nor_answers_are_logged(command: str, program: str | None) -> None:
    with capture_logs() as lines:
        _tell(command, ANSWERED, 0.25)
    [line] = lines
    assert (line["program"], line["exit_code"], line["answered_bytes"]) == (program, 0, len(IMEI))
    assert IMEI not in repr(line)


def test_a_command_that_broke_off_has_no_exit_code() -> None:
    with capture_logs() as lines:
        _tell("pm list users", None, 20.0)
    assert (lines[0]["exit_code"], lines[0]["answered_bytes"]) == (None, None)
