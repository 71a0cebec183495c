"""The read model's SQLite file: opened if it is one of ours and sound, else made anew."""

from __future__ import annotations

import importlib.resources
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw
import structlog

from benchd.domain.errors import RecordsUnavailable
from benchd.domain.sql_statements import query
from benchd.ledger.derived_database import SideFile, throw_away
from benchd.ledger.records.row_mapping import TABLES

FORM: Final = 12
"""Raised with every change of the schema or of what is read from a record: then it's made anew."""
CACHE_KIB: Final = 16 * 1024

_log = structlog.get_logger()


def records_path(ledger: Path) -> Path:
    """Where the read model of a ledger lies: beside it."""
    return ledger.with_name(f"{ledger.stem}-records.sqlite")


def open_or_make(path: Path) -> apsw.Connection:
    """The connection that adds to the file; one that isn't a sound read model is thrown away.

    Raises RecordsUnavailable where the disk refuses.
    """
    file = _file()
    try:
        with suppress(apsw.Error):
            if path.exists() and (opened := file.open(path)) is not None:
                return opened
        _log.info("records_made_anew", path=str(path))
        throw_away(path)
        return file.make(path)
    except (apsw.Error, OSError) as error:
        message = f"the file of records {path} can't be made: {error}"
        raise RecordsUnavailable(message) from error


def open_for_reading(path: Path) -> apsw.Connection:
    """A second connection, which can change nothing."""
    connection = _file().connect(path)
    query(connection, "PRAGMA query_only = 1")
    return connection


def make_in_memory() -> apsw.Connection:
    """An empty read model without a file."""
    return _file().in_memory()


def _file() -> SideFile:
    rest = (
        importlib.resources.files("benchd.ledger.records").joinpath("schema.sql").read_text("utf-8")
    )
    schema = "\n".join([*(table.create for table in TABLES), rest])
    return SideFile(schema=schema, form=FORM, pragmas=(f"cache_size = -{CACHE_KIB}",))
