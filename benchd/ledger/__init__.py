"""The ledger: append-only, hash-chained and signed; the only truth about what happened."""

from benchd.ledger.export import export_lines
from benchd.ledger.head import HeadKey
from benchd.ledger.journal import SqliteJournal, open_journal
from benchd.ledger.verification import VerifyReport, verify_ledger

__all__ = [
    "HeadKey",
    "SqliteJournal",
    "VerifyReport",
    "export_lines",
    "open_journal",
    "verify_ledger",
]
