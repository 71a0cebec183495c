"""What a start asks of a ledger before it adds to it: the same whoever asks."""

from __future__ import annotations

from collections.abc import Iterable

import apsw

from benchd.ledger.chain import end_of_chain, known_record
from benchd.ledger.head import Head
from benchd.ledger.head_file import SignedHeads
from benchd.ledger.rotation_check import check_gone_on, check_rotations
from benchd.ledger.unsigned_tail import check_unsigned
from benchd.ledger.witness import Witness, check_witnesses
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import Signer

TAIL_RECORDS = 100
"""How many of the last records are verified at every start; `verify_ledger` does them all."""


def check_start(
    connection: apsw.Connection,
    heads: SignedHeads | None,
    signer: Signer,
    witnesses: Iterable[Witness] = (),
    *,
    behind: bool = False,
    unsigned: bool = False,
) -> Head:
    """The ledger's end, by its signed head and by all who know of it; LedgerBroken if it isn't so.

    `behind` lets a ledger through that its ring has gone on from, `unsigned` records at its end
    that nobody has signed.
    """
    signed = heads.signed if heads else None
    before_head = signed.sequence - 1 if signed else 0
    after = known_record(connection, records_before_end=TAIL_RECORDS, at_most=before_head)
    end = end_of_chain(connection, signed=signed, key=signer, after=after)
    check_witnesses(connection, witnesses)
    if isinstance(signer, KeyRing):
        check_rotations(connection, signer)
        if not behind:
            check_gone_on(connection, signer, signed)
    if not unsigned:
        check_unsigned(connection, heads)
    return end
