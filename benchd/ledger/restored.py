"""The one place where a ledger's numbers may leave a gap: its restore from an older state.

Who puts an older state back has lost records that others may hold certificates of. The record
of it is signed by the rack, names what was kept, and stands above every number that is known.
"""

from __future__ import annotations

from benchd.errors import LedgerBroken
from benchd.ledger.head import Head, HeadKey
from benchd.signing import canonical
from benchd.signing.public_key import Signer, has_signed_record
from benchd.words.ids import Evidence
from benchd.words.record import EntryKind, StoredEntry

GAP = 1_000_000
"""Numbers are left out up to the next but one of these, so that none is ever used twice: what
was written after the last that is known of was lost as well."""

_DOMAIN = b"benchd ledger restored v1\n"


def number_above(known: int) -> int:
    """The number of the record that says that all up to about here may be lost."""
    return (known // GAP + 2) * GAP


def restored_data(kept: Head, *, sequence: int, known: int, key: HeadKey) -> dict[str, int | str]:
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
