"""Writes the bill of materials and the report of licences of a folder of wheels."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchd.domain.errors import BenchdError
from benchd.lab.release.bill import bill_of
from benchd.lab.release.carried import licence_of_go
from benchd.lab.release.gathering import release_of
from benchd.lab.release.licence_report import report_of


def main() -> None:
    """Read the command line, write both files; exits with 1 where a licence isn't known."""
    words = argparse.ArgumentParser(prog="python -m benchd.lab.release", description=__doc__)
    words.add_argument("wheels", type=Path, help="what scripts/build-wheels has made")
    words.add_argument("out", type=Path, help="the folder that both files are written to")
    words.add_argument("--debian", type=Path, required=True, help="the list of Debian's packages")
    words.add_argument("--processor", required=True, help="by Debian's name, for example amd64")
    words.add_argument("--made-at", type=int, required=True, help="of the commit, in Unix seconds")
    asked = words.parse_args()
    try:
        release = release_of(
            asked.wheels,
            debian=asked.debian.read_text(encoding="utf-8"),
            processor=asked.processor,
            made_at=datetime.fromtimestamp(asked.made_at, UTC),
        )
        (asked.out / "sbom.cdx.json").write_text(bill_of(release), encoding="utf-8")
        report = report_of(release, licence_of_go())
        (asked.out / "LICENCES.md").write_text(report, encoding="utf-8")
    except BenchdError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)


main()
