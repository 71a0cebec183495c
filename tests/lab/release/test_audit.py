"""Known vulnerabilities are red unless accepted; a missing network is neither red nor green."""

from __future__ import annotations

import json
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


def test_no_known_vulnerability_is_green() -> None:
    told = judged(report(package("a"), package("b")), {}, TODAY)
    assert (told.is_red, told.lines) == (
        False,
        ("none of 2 packages has a known vulnerability",),
    )


def test_a_known_vulnerability_is_red_and_says_what_mends_it() -> None:
    told = judged(report(package("a", HOLE), package("b")), {}, TODAY)
    assert told.is_red
    assert told.lines == ("VULNERABLE: a 1.0: CVE-2026-1, GHSA-1, PYSEC-2026-1; mended in: 1.1",)


def test_one_that_is_accepted_stays_until_its_date_and_is_told() -> None:
    told = judged(report(package("a", HOLE)), accepted(), TODAY)
    assert not told.is_red
    assert "never called" in told.lines[0]
    late = judged(report(package("a", HOLE)), accepted(until=date(2026, 11, 26)), TODAY)
    assert late.is_red
    assert "no longer accepted" in late.lines[0]


def test_what_is_accepted_of_one_package_is_red_in_another() -> None:
    assert judged(report(package("a", HOLE)), accepted("b"), TODAY).is_red


def test_one_that_is_listed_and_found_no_more_is_told() -> None:
    told = judged(report(package("a")), accepted(), TODAY)
    assert (told.is_red, told.lines) == (False, ("listed, but found no more: CVE-2026-1",))


def test_a_source_that_knows_nothing_is_never_called_green() -> None:
    skipped = {"name": "a", "skip_reason": "not found"}
    told = judged(report(skipped), {}, TODAY)
    assert not told.is_red
    assert told.lines[0].startswith("NOT CHECKED")
    partly = judged(report(skipped, package("b")), accepted(), TODAY)
    assert partly.lines == ("not checked, unknown to the source: a",)


def ended(stdout: str, stderr: str) -> subprocess.CompletedProcess[str]:
    return subprocess.CompletedProcess([], 1, stdout, stderr)


@pytest.mark.parametrize("error", ["ConnectionError", "ReadTimeout", "ServiceError"])
def test_a_network_that_is_not_there_is_told_and_not_red(error: str) -> None:
    told = read(ended("", f"Traceback\n  …\nrequests.exceptions.{error}: no such host"), {})
    assert (told.is_red, told.lines) == (
        False,
        (f"NOT CHECKED: the source can't be reached ({error})",),
    )


@pytest.mark.parametrize("stderr", ["", "No module named pip_audit", "KeyError: 'vulns'"])
def test_a_tool_that_fails_by_itself_is_not_taken_for_a_missing_network(stderr: str) -> None:
    with pytest.raises(AuditFailed, match="pip-audit has failed"):
        read(ended("", stderr), {})


def test_an_answer_is_read_whatever_the_exit_code() -> None:
    assert read(ended(report(package("a", HOLE)), "Found 1"), {}).is_red


ENTRY = '[CVE-2026-1]\npackage = "a"\nbecause = "never called"\nuntil = 2027-01-31\n'


def test_an_entry_has_package_reason_and_date(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text(ENTRY)
    assert accepted_in(file) == {
        "CVE-2026-1": Accepted("a", "never called", date(2027, 1, 31)),
    }


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


def test_the_list_that_ci_goes_by_can_be_read() -> None:
    accepted_in(ACCEPTED)
