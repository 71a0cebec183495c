"""The daemon doesn't start on a ledger that knows less than the certificates beside it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from benchd.daemon.witnesses import certificates_that_know
from benchd.errors import LedgerBroken
from benchd.ledger.database import open_copy
from benchd.ledger.witness import check_witnesses

RACK = Path(__file__).parents[1] / "compatibility" / "rack-0.1"
KEY = (RACK / "certificate_key.pem.pub").read_bytes()


def test_a_racks_certificates_are_of_its_ledger(tmp_path: Path) -> None:
    witnesses = certificates_that_know(RACK / "certificates", KEY)
    assert len(witnesses) == len(list((RACK / "certificates").glob("*.json"))) > 1
    connection = open_copy(Path(shutil.copy(RACK / "ledger.sqlite", tmp_path)))
    check_witnesses(connection, witnesses)
    connection.execute("DROP TRIGGER record_is_never_deleted")
    connection.execute("DELETE FROM record WHERE sequence > 100")
    with pytest.raises(LedgerBroken, match="older or a foreign state"):
        check_witnesses(connection, witnesses)
    connection.close()


def test_a_folder_that_cannot_be_read_accuses_nobody(tmp_path: Path) -> None:
    assert certificates_that_know(tmp_path / "nowhere", KEY) == []
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder.json").mkdir()
    assert certificates_that_know(tmp_path, KEY) == []
