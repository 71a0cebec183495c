"""A command's standard output is its answer alone, whatever is logged on the way."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import structlog
from benchd.observe.command_logs import configure_command_logs
configure_command_logs()
log = structlog.get_logger()
log.debug("command_ended")
log.info("job_opened")
log.warning("reader_gone", slot="A1")
log.error("ledger_broken")
print("the answer")
"""


def test_only_what_is_worth_a_warning_is_told_and_not_among_the_answer() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == "the answer\n"
    assert [line for line in done.stderr.splitlines() if "reader_gone" in line]
    assert "ledger_broken" in done.stderr
    assert "command_ended" not in done.stderr
    assert "job_opened" not in done.stderr
