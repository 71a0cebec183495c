"""Makes the read model anew while no daemon runs."""

from __future__ import annotations

from contextlib import closing

from benchd.config import Settings
from benchd.domain.errors import DependencyMissing
from benchd.domain.handset_file import Upto
from benchd.ledger.derived_database import throw_away
from benchd.ledger.ledger_queries import AFTER
from benchd.ledger.lock import writer_lock
from benchd.ledger.reader import LedgerReader
from benchd.ledger.records.read_model import ReadModel
from benchd.ledger.records.records_access import PIECE_RECORDS
from benchd.ledger.records.records_database import records_path


def rebuild_records(settings: Settings) -> Upto:
    """Read the whole ledger into a new file; returns how far it is true.

    Raises LedgerFault while a daemon holds the ledger.
    """
    ledger = settings.ledger.path
    if not ledger.exists():
        message = f"there is no ledger {ledger}"
        raise DependencyMissing(message, cure="Name the rack's configuration with --config.")
    with writer_lock(ledger), closing(LedgerReader(ledger)) as reader:
        path = records_path(ledger)
        throw_away(path)
        with closing(ReadModel(path)) as model:
            return read_whole(reader, model)


def read_whole(reader: LedgerReader, model: ReadModel) -> Upto:
    """Take in all that the ledger has after what the read model knows."""
    upto = model.upto()
    while records := reader.select(AFTER, (upto.sequence, PIECE_RECORDS)):
        model.take(records)
        upto = Upto(sequence=records[-1].sequence, hash=records[-1].hash_hex)
    return upto
