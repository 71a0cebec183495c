"""What a start believes: the record that was signed for itself, and no head that leads nowhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ledger_rack import RackKey, make_entry

from benchd.domain.errors import LedgerBroken
from benchd.ledger.head import Head
from benchd.ledger.head_file import head_path
from benchd.ledger.ledger_store import TAIL_RECORDS, LedgerStore
from benchd.ledger.prepared_head import Prepared, decode_prepared, encode_prepared
from benchd.signing.public_key import public_key_of

SIGNED = 20


def ledger_of(path: Path, key: RackKey, entries: range) -> Path:
    store = LedgerStore(path, key)
    for number in entries:
        store.append(make_entry(number))
    store.close()
    return path


@pytest.mark.parametrize("first", [0, 1])
def test_the_signed_record_is_looked_at_however_many_follow_it(
    tmp_path: Path, key: RackKey, first: int
) -> None:
    """Also where somebody says that all those are the rack's own, and has them signed."""
    last = SIGNED + TAIL_RECORDS + 20
    signed = ledger_of(tmp_path / "signed.db", key, range(SIGNED))
    long = ledger_of(tmp_path / "long.db", key, range(first, last))
    shutil.copy(head_path(signed), head_path(long))
    if first == 0:
        LedgerStore(long, key, unsigned=True).close()
        return
    with pytest.raises(LedgerBroken, match="isn't the one that the head was signed for"):
        LedgerStore(long, key, unsigned=True)


HERE, NEXT = (Head(sequence=number, hash=bytes([number]) * 32) for number in (7, 8))


@pytest.mark.parametrize(
    ("reached", "following", "leads_on"),
    [(HERE, NEXT, True), (HERE, HERE, False), (NEXT, HERE, False)],
)
def test_a_prepared_head_leads_forward(
    key: RackKey, reached: Head, following: Head, leads_on: bool
) -> None:
    prepared = Prepared(reached=reached, next=following)
    data, signer = encode_prepared(prepared, key), public_key_of(key.public_key_pem)
    if leads_on:
        assert decode_prepared(data, signer) == prepared
        return
    with pytest.raises(ValueError, match="backwards"):
        decode_prepared(data, signer)
