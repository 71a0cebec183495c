"""The daemon doesn't start on a ledger that knows less than the certificates beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchd.certificate import create_key
from benchd.daemon.ledger_witnesses import certificates_that_know
from benchd.domain.errors import LedgerBroken
from benchd.ledger.ledger_database import open_copy
from benchd.ledger.witness import check_witnesses
from tests.daemon.rewritten_rack import Past


@pytest.mark.asyncio
async def test_a_racks_certificates_are_of_its_ledger(tmp_path: Path) -> None:
    past = Past(tmp_path, create_key(tmp_path / "rack.key"))
    await past.happen()
    [witness] = past.witnesses()
    connection = open_copy(past.path)
    check_witnesses(connection, [witness])
    connection.execute("DROP TRIGGER record_is_never_deleted")
    connection.execute("DELETE FROM record WHERE sequence >= ?", (witness.head.sequence,))
    with pytest.raises(LedgerBroken, match="older or a foreign state"):
        check_witnesses(connection, [witness])
    connection.close()


def test_a_folder_that_cannot_be_read_accuses_nobody(tmp_path: Path) -> None:
    public = create_key(tmp_path / "rack.key").public_key_pem
    assert certificates_that_know(tmp_path / "nowhere", public) == []
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder.json").mkdir()
    assert certificates_that_know(tmp_path, public) == []
