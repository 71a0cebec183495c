"""The ledger: append-only, hash-chained and signed; the only truth about what happened."""

from benchd.ledger.access import SqliteLedger, open_ledger
from benchd.ledger.export import export_lines
from benchd.ledger.verification import VerifyReport, verify_ledger

__all__ = [
    "SqliteLedger",
    "VerifyReport",
    "export_lines",
    "open_ledger",
    "verify_ledger",
]
