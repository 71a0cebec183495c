"""The one place where a ledger's numbers may leave a gap: its restore from an older state.

Who puts an older state back has lost records that others may hold certificates of. The record
of it is signed by the rack, names what was kept, and stands above every number that is known.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from benchd.domain.errors import LedgerBroken
from benchd.domain.ids import Evidence
from benchd.domain.record import EntryKind, StoredEntry
from benchd.ledger.head import Head
from benchd.signing import canonical
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import Signer, has_signed_record

GAP = 1_000_000
"""At least so many numbers are left out, so that none is ever used twice: what was written after
the last that is known of was lost as well."""

_DOMAIN = b"benchd ledger restored v1\n"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def number_above(known: int, at: datetime) -> int:
    """The number of the record that says that all up to about here may be lost.

    It is the time in microseconds since 1970: an earlier restore from the same state may be lost,
    too, and a record takes longer than that to be written, so all that followed that one has lower
    numbers. By a clock that was set back it is above all that is known, at least.
    """
    return max((known // GAP + 2) * GAP, (at - _EPOCH) // timedelta(microseconds=1))


def restored_data(
    kept: Head, *, sequence: int, known: int, key: SigningKey
) -> dict[str, int | str]:
    """What the record of a restore holds, signed."""
    claim = _claim(kept, sequence)
    signature = key.sign(_DOMAIN + canonical.encode(claim))
    return {
        "kept_sequence": kept.sequence,
        "kept_hash": kept.hash.hex(),
        "known_sequence": known,
        "signature": signature.hex(),
    }


def check_gap(stored: StoredEntry, last: Head, key: Signer | None) -> None:
    """Raise LedgerBroken unless this record may follow that one with a gap between them.

    Without a key the signature isn't looked at.
    """
    missing = last.sequence + 1
    if stored.entry.kind is not EntryKind.LEDGER_RESTORED or stored.sequence < missing:
        message = f"record {missing} is missing: record {stored.sequence} is in its place"
        raise LedgerBroken(message, sequence=missing)
    if not _is_signed(stored.entry.data, last, stored.sequence, key):
        message = f"record {stored.sequence} says that {missing} and on were lost, but isn't signed"
        raise LedgerBroken(message, sequence=missing)


def _is_signed(data: Evidence, last: Head, sequence: int, key: Signer | None) -> bool:
    match data:
        case {
            "kept_sequence": int() as kept,
            "kept_hash": str() as kept_hash,
            "signature": str() as signature,
        } if (kept, kept_hash) == (last.sequence, last.hash.hex()):
            pass
        case _:
            return False
    try:
        signed = bytes.fromhex(signature)
    except ValueError:
        return False
    message = _DOMAIN + canonical.encode(_claim(last, sequence))
    return key is None or has_signed_record(key, message, signed, sequence=sequence)


def _claim(kept: Head, sequence: int) -> dict[str, int | str]:
    return {"kept_sequence": kept.sequence, "kept_hash": kept.hash.hex(), "sequence": sequence}
