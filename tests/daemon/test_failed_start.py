"""A start that fails says why in one line of the log, with what to do, whatever the cause is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.observe.log_events import log_events, message_ids
from tests.daemon import broken_rack
from tests.daemon.broken_rack import Break, copy_of, make_whole_rack

ROOT = Path(__file__).parents[2]
RUN = "from benchd.cli.main import main; main()"
VERIFY = "benchd ledger verify"

ROWS: dict[Break, tuple[int, str, str]] = {
    broken_rack.a_mistake: (2, "benchd.toml:", "benchd check-config"),
    broken_rack.no_configuration: (2, "benchd.toml:", "benchd check-config"),
    broken_rack.no_toml: (2, "benchd.toml:", "benchd check-config"),
    broken_rack.no_recipe: (2, "benchd.toml:", "benchd check-config"),
    broken_rack.a_lax_recipe: (2, "overwrite.toml:", "benchd check-config"),
    broken_rack.no_page_certificate: (2, "tls_", "benchd check-config"),
    broken_rack.no_key: (3, "key.pem", "benchd key create"),
    broken_rack.no_key_in_the_file: (3, "key.pem", "key"),
    broken_rack.a_file_for_a_folder: (3, "certificates", "benchd's user"),
    broken_rack.a_torn_ledger: (4, "can't be opened", VERIFY),
    broken_rack.a_cut_ledger: (4, "can't be opened", VERIFY),
    broken_rack.not_a_ledger: (4, "not a ledger", VERIFY),
    broken_rack.a_newer_ledger: (4, "newer benchd", VERIFY),
    broken_rack.no_head: (4, "head file is gone", VERIFY),
    broken_rack.another_key: (4, "isn't signed by this rack's key", VERIFY),
    broken_rack.an_earlier_ledger: (4, "certificate", "benchd ledger restored"),
    broken_rack.a_held_ledger: (4, "another benchd holds", "benchd doctor"),
    broken_rack.a_held_port: (3, "in use", "ss -ltnp"),
    broken_rack.a_held_socket: (3, "another program answers", "systemctl status"),
    broken_rack.no_folder_for_the_socket: (3, "run/s", "install -d"),
    broken_rack.a_file_for_the_socket: (3, "isn't a socket", "Move it away"),
}
"""How a start is broken: its status, and what stands in the line's `detail` and `cure`."""
OF_EACH_STATUS = (
    broken_rack.a_mistake,
    broken_rack.no_key,
    broken_rack.a_held_port,
    broken_rack.a_torn_ledger,
)
LONG = [pytest.mark.slow]
"""Each is a process that loads a whole daemon."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "rack"
    anyio.run(make_whole_rack, folder)
    return folder


def start(config: Path, code: str = RUN) -> tuple[int, list[dict[str, Any]]]:
    """The status of a daemon that can't start, and the lines of its log."""
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "--config", config],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    return done.returncode, lines


@pytest.mark.parametrize(
    "breaks",
    [
        pytest.param(each, id=each.__name__, marks=() if each in OF_EACH_STATUS else LONG)
        for each in ROWS
    ],
)
def test_item_2_a_failed_start_says_why_with_its_cure(
    whole: Path, tmp_path: Path, breaks: Break
) -> None:
    status, detail, cure = ROWS[breaks]
    config = copy_of(whole, tmp_path)
    with breaks(tmp_path) or nullcontext():
        ended, lines = start(config)
    [line] = [each for each in lines if each["event"] == "ended_by_fault"]
    assert (ended, line["status"], line["level"]) == (status, status, "error")
    assert detail in line["detail"]
    assert cure in line["cure"]
    assert line["cure"]
    # The journal shows a line's end as a mark of damage.
    assert "\ufffd" not in line["detail"] + line["cure"]
    mistakes = [each for each in lines if each["event"] == "config_mistake"]
    assert bool(mistakes) == (status == 2)


def test_a_configuration_that_may_not_be_read_is_told_by_the_daemon_itself(
    whole: Path, tmp_path: Path
) -> None:
    """Typer would look first, and say so where nobody looks for it."""
    config = copy_of(whole, tmp_path)
    broken_rack.no_toml(tmp_path)
    ended, lines = start(config, f"import os; os.access = lambda *_, **__: False; {RUN}")
    assert ended == 2
    assert [each["event"] for each in lines] == ["config_mistake", "ended_by_fault"]


@pytest.mark.parametrize("words", ["run --confg x", "ledger verify", "key list --config /none"])
def test_what_a_unit_says_on_standard_error_is_an_error_in_its_journal(words: str) -> None:
    reads, writes = os.pipe()
    place = os.fstat(writes)
    command = [sys.executable, "-c", RUN, *words.split()]
    env = {**os.environ, "JOURNAL_STREAM": f"{place.st_dev}:{place.st_ino}", "LC_ALL": "C"}
    with os.fdopen(reads, encoding="utf-8") as told:
        done = subprocess.run(command, cwd=ROOT, stderr=writes, env=env, check=False, timeout=60)
        os.close(writes)
        lines = told.read().splitlines()
    assert done.returncode
    assert lines[0].startswith("<3>benchd: ")
    assert all(line.startswith("<3>") for line in lines)


def test_a_fault_of_benchds_own_is_told_with_its_traceback(whole: Path, tmp_path: Path) -> None:
    ended, lines = start(copy_of(whole, tmp_path), f"import anyio; anyio.run = None; {RUN}")
    [line] = [each for each in lines if each["event"] == "ended_by_fault"]
    assert (ended, line["status"], line["level"]) == (1, 1, "error")
    assert "TypeError" in line["exception"]
    assert "makers" in line["cure"]


def test_the_journal_finds_it_by_its_id() -> None:
    assert log_events()["ended_by_fault"].level == "error"
    assert message_ids()["ended_by_fault"]
