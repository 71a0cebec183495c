"""Known vulnerabilities are red unless accepted; a missing network is neither red nor green."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from benchd.lab.release.audit import ACCEPTED, Accepted, AuditFailed, accepted_in, judged, read

TODAY = date(2026, 11, 27)
HOLE = {"id": "PYSEC-2026-1", "aliases": ["CVE-2026-1", "GHSA-1"], "fix_versions": ["1.1"]}


def package(name: str, *holes: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": list(holes)}


def report(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def accepted(name: str = "a", until: date = TODAY) -> dict[str, Accepted]:
    return {"CVE-2026-1": Accepted(name, "never called", until)}


SKIPPED = {"name": "a", "skip_reason": "not found"}
A, B, BAD = package("a"), package("b"), package("a", HOLE)
LATE = accepted(until=date(2026, 11, 26))
MENDED = re.escape("VULNERABLE: a 1.0: CVE-2026-1, GHSA-1, PYSEC-2026-1; mended in: 1.1")
JUDGED: dict[str, tuple[str, dict[str, Accepted], bool, str]] = {
    "none is green": (report(A, B), {}, False, "none of 2 packages has a known vulnerability"),
    "one is red and says what mends it": (report(BAD, B), {}, True, MENDED),
    "one that is accepted is told": (report(BAD), accepted(), False, r"[^\n]*never called.*"),
    "one of which the date is over": (report(BAD), LATE, True, r"[^\n]*no longer accepted.*"),
    "one that is accepted of another package": (report(BAD), accepted("b"), True, ".*"),
    "one that is listed": (report(A), accepted(), False, "listed, but found no more: CVE-2026-1"),
    "a source that knows nothing": (report(SKIPPED), {}, False, "NOT CHECKED.*"),
    "a source that knows a part": (
        report(SKIPPED, B),
        accepted(),
        False,
        "not checked, unknown to the source: a",
    ),
}
"""What is known, what is accepted, whether that is red, and all that is told."""


@pytest.mark.parametrize("case", JUDGED)
def test_a_known_vulnerability_is_red_unless_accepted_until_its_date(case: str) -> None:
    known, listed, is_red, line = JUDGED[case]
    told = judged(known, listed, TODAY)
    assert told.is_red is is_red
    assert re.fullmatch(line, "\n".join(told.lines), re.DOTALL)


def ended(stdout: str, stderr: str) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], 1, stdout, stderr)


@pytest.mark.parametrize("error", ["ConnectionError", "ReadTimeout", "ServiceError"])
def test_a_network_that_is_not_there_is_told_and_not_red(error: str) -> None:
    told = read(ended("", f"Traceback\n  …\nrequests.exceptions.{error}: no such host"), {})
    assert not told.is_red
    assert told.lines == (f"NOT CHECKED: the source can't be reached ({error})",)
    assert read(ended(report(BAD), "Found 1"), {}).is_red, "whatever the exit code"


@pytest.mark.parametrize("stderr", ["", "No module named pip_audit", "KeyError: 'vulns'"])
def test_a_tool_that_fails_by_itself_is_not_taken_for_a_missing_network(stderr: str) -> None:
    with pytest.raises(AuditFailed, match="pip-audit has failed"):
        read(ended("", stderr), {})


ENTRY = '[CVE-2026-1]\npackage = "a"\nbecause = "never called"\nuntil = 2027-01-31\n'


def test_an_entry_has_package_reason_and_date(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text(ENTRY)
    told = Accepted("a", "never called", date(2027, 1, 31))
    assert accepted_in(file) == {"CVE-2026-1": told}
    accepted_in(ACCEPTED)  # the list that CI goes by


@pytest.mark.parametrize(
    "wrong",
    [
        ENTRY.replace("until = 2027-01-31\n", ""),
        ENTRY.replace("2027-01-31", '"2027-01-31"'),
        ENTRY.replace("2027-01-31", "2027-01-31T00:00:00"),
        ENTRY.replace("never called", " "),
        ENTRY.replace('package = "a"\n', ""),
        f"{ENTRY}more = 1\n",
    ],
)
def test_an_entry_that_lacks_one_of_them_is_refused(tmp_path: Path, wrong: str) -> None:
    file = tmp_path / "known.toml"
    file.write_text(wrong)
    with pytest.raises(AuditFailed, match=r"\[CVE-2026-1\] needs"):
        accepted_in(file)
