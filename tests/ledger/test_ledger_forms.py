"""A ledger of an older form opens as it is and grows on; one of a newer form is refused."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest
from ledger_rack import FillLedger, RackKey, make_entry

from benchd.checksum_vfs import CHECKSUM_VFS
from benchd.errors import LedgerFault
from benchd.ledger import database, open_ledger, verify_ledger

pytestmark = pytest.mark.asyncio

NEWEST = len(database._migrations())


def form_of(path: Path) -> object:
    connection = apsw.Connection(str(path), vfs=CHECKSUM_VFS)
    try:
        return next(connection.execute("PRAGMA user_version"))[0]
    finally:
        connection.close()


def as_of(form: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on benchd knows the forms up to this alone."""
    known = database._migrations()[:form]
    monkeypatch.setattr(database, "_migrations", lambda: known)


@pytest.mark.parametrize("form", range(1, NEWEST))
async def test_an_older_ledger_opens_and_is_of_the_newest_form_then(
    form: int, fill: FillLedger, key: RackKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as older:
        as_of(form, older)
        path = await fill(3)
        assert form_of(path) == form
    assert verify_ledger(path, key.public_key_pem).records == 3
    async with open_ledger(path, head_key=key) as ledger:
        await ledger.append(make_entry(3))
    assert form_of(path) == NEWEST
    assert verify_ledger(path, key.public_key_pem).records == 4


async def test_a_benchd_of_the_form_before_refuses_it_and_leaves_it_as_it_is(
    fill: FillLedger, key: RackKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = await fill(3)
    with monkeypatch.context() as older:
        as_of(NEWEST - 1, older)
        with pytest.raises(LedgerFault, match=rf"made by a newer benchd \(form {NEWEST}\)"):
            async with open_ledger(path, head_key=key):
                pass
    assert form_of(path) == NEWEST
    assert verify_ledger(path, key.public_key_pem).records == 3
