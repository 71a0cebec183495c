"""However the host leaves, the program ends at once and claims nothing."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from fill_program import (
    DEADLINE_S,
    check_request,
    fill_request,
    filling,
    next_event,
    run,
    start,
    stdin_of,
    stdout_of,
)

from tests.hang_up import hang_ups_reach_children


@pytest.mark.parametrize("reason", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_ends_it_without_a_claim(
    program: Path, folder: str, reason: signal.Signals
) -> None:
    with filling(program, folder) as process:
        process.send_signal(reason)
        assert process.wait(DEADLINE_S) == 5
        assert b'"done"' not in stdout_of(process).read()


def test_a_closed_stdout_ends_it(program: Path, folder: str) -> None:
    with filling(program, folder) as process:
        stdout_of(process).close()
        assert process.wait(DEADLINE_S) == 5


def test_the_end_of_stdin_does_not(program: Path, folder: str) -> None:
    with filling(program, folder) as process:
        stdin_of(process).close()
        reached = next_event(process)["bytes"]
        while next_event(process)["bytes"] <= reached:
            pass
        assert process.poll() is None


def test_a_signal_before_the_request_ends_it_too(program: Path) -> None:
    # Until its handlers stand, a signal kills the program: that is no claim either.
    with hang_ups_reach_children():
        started = subprocess.Popen([program, "fill"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with started as process:
        process.send_signal(signal.SIGHUP)
        assert process.wait(DEADLINE_S) in (5, -signal.SIGHUP)
        assert stdout_of(process).read() == b""


def test_a_second_one_is_kept_out(program: Path, folder: str) -> None:
    with filling(program, folder) as process:
        for command, request in (
            ("fill", fill_request(folder)),
            ("drop", {"directory": folder}),
        ):
            second = run(program, command, request)
            assert second.exit_code == 3
            assert [event["event"] for event in second.events] == ["error"]
            assert second.last["code"] == "busy"
        assert process.poll() is None


def test_the_lock_ends_with_its_holder(program: Path, folder: str) -> None:
    with filling(program, folder) as process:
        process.kill()
        process.wait(DEADLINE_S)
    dropped = run(program, "drop", {"directory": folder})
    assert dropped.exit_code == 0
    assert dropped.last["files_removed"] > 0
    assert [path.name for path in Path(folder).iterdir()] == ["lock"]


def test_a_check_that_is_cut_short_claims_nothing(program: Path, folder: str) -> None:
    asked = fill_request(folder, file_bytes=1 << 26, max_bytes=1 << 28)
    filled = run(program, "fill", asked)
    request = check_request(asked, filled.last)
    process = start(program, "check", {**request, "progress_s": 0.05})
    with process:
        first = next_event(process)
        process.send_signal(signal.SIGHUP)
        code = process.wait(DEADLINE_S)
        rest = stdout_of(process).read()
    if first["event"] == "done":
        pytest.skip("this disk reads 256 MiB in less than 50 ms")
    assert code == 5
    assert b'"done"' not in rest
