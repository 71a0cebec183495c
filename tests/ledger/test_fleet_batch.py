"""A batch of records as a rack reads it from its ledger, and as the centre unpacks it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from ledger_rack import RackKey, make_entry

from benchd.domain.evidence_json import FORM
from benchd.ledger import open_ledger
from benchd.ledger.fleet_batch import BATCH_BYTES, MOST_RECORDS, decode_batch, encode_batch
from benchd.ledger.head import EMPTY_HEAD, Head, encode_head
from benchd.ledger.reader import LedgerReader
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import public_key_of

pytestmark = pytest.mark.asyncio


async def test_the_largest_batch_that_is_read_can_be_unpacked(path: Path, key: RackKey) -> None:
    large = {"form": FORM, "dump": "x" * 950_000}
    async with open_ledger(path, head_key=key) as ledger:
        for number in range(9):
            await ledger.append(make_entry(number))
        for number in (9, 10, 11):
            await ledger.append(make_entry(number, large))
    with closing(LedgerReader(path)) as reader:
        rows = reader.rows(0, 12, MOST_RECORDS, BATCH_BYTES)
    assert [row.sequence for row in rows] == list(range(1, 12))
    end = Head(sequence=rows[-1].sequence, hash=rows[-1].hash)
    data = encode_batch(EMPTY_HEAD, [row.body for row in rows], encode_head(end, key))
    batch = decode_batch(data, KeyRing.of(public_key_of(key.public_key_pem)))
    assert batch.header.end == end
