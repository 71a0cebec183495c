"""The ledger: append-only, hash-chained and signed; the only truth about what happened."""

from benchd.ledger.export import export_lines
from benchd.ledger.ledger_access import SqliteLedger, open_ledger
from benchd.ledger.ledger_verification import VerifyReport, verify_ledger

__all__ = [
    "SqliteLedger",
    "VerifyReport",
    "export_lines",
    "open_ledger",
    "verify_ledger",
]
