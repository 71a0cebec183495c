"""`benchd ledger verify` on records that nobody has signed."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchd.cli.main import app
from benchd.domain.ids import JobId
from benchd.ledger.ledger_database import open_for_writing
from benchd.ledger.ledger_record import COLUMNS, row_of, seal, unseal
from tests.daemon.rotated_rack import JOBS, files_of, make_rack, sell

pytestmark = pytest.mark.asyncio


def append_unsigned(ledger: Path, count: int) -> None:
    """Records of an honest job once more, for another: they hold, but the head isn't over them."""
    with closing(open_for_writing(ledger)) as connection:
        rows = list(connection.execute(f"SELECT {COLUMNS} FROM record ORDER BY sequence"))  # noqa: S608
        before = [row_of(columns, sequence=number) for number, columns in enumerate(rows, 1)]
        last = before[-1]
        for copied in before[:count]:
            entry = replace(unseal(copied).entry, job=JobId("20270101-A1-0001"))
            last = seal(entry, sequence=last.sequence + 1, previous=last.hash)
            values = [getattr(last, name.strip()) for name in COLUMNS.split(",")]
            connection.execute(
                f"INSERT INTO record ({COLUMNS}) VALUES (?,?,?,?,?,?,?,?)",  # noqa: S608
                values,
            )


@pytest.mark.parametrize(
    ("count", "exit_code", "says"),
    [
        (0, 0, ""),
        (1, 0, "the last record isn't signed"),
        (2, 1, "2 records after that are signed by nobody"),
        (30, 1, "30 records after that are signed by nobody"),
    ],
)
async def test_it_vouches_for_no_record_that_nobody_has_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, exit_code: int, says: str
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    settings = make_rack(tmp_path)
    await sell(settings, JOBS[0])
    append_unsigned(settings.ledger.path, count)
    public = str(files_of(settings).public)
    ran = CliRunner().invoke(app, ["ledger", "verify", str(settings.ledger.path), "--key", public])
    told = " ".join((ran.stdout + ran.stderr).split())
    assert ran.exit_code == exit_code, (told, ran.exception)
    assert says in told
    assert ("signed" in told) == (count > 0)
    assert ("records, head" in told) == (exit_code == 0)
