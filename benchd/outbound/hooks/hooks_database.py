"""The hooks' own SQLite file beside the ledger: opened if it is one of ours and sound, else made.

It holds nothing that can't be had again: without it, each hook begins anew where it once began.
"""

from __future__ import annotations

import importlib.resources
from contextlib import suppress
from pathlib import Path
from typing import Final

import apsw
import structlog

from benchd.domain.errors import HooksUnavailable
from benchd.ledger.derived_database import SideFile, throw_away

FORM: Final = 3
"""Raised with every change of the schema; the file is then made anew."""

_log = structlog.get_logger()


def hooks_path(ledger: Path) -> Path:
    """Where the state of a ledger's hooks lies: beside it."""
    return ledger.with_name(f"{ledger.stem}-hooks.sqlite")


def open_or_make(path: Path, *, mends: bool) -> apsw.Connection:
    """The file's connection; one that isn't sound is thrown away, if it `mends`.

    Raises HooksUnavailable.
    """
    schema = (
        importlib.resources.files("benchd.outbound.hooks").joinpath("schema.sql").read_text("utf-8")
    )
    file = SideFile(schema=schema, form=FORM)
    try:
        if path.exists():
            with suppress(apsw.CorruptError, apsw.NotADBError, apsw.IOError):
                opened = file.open(path)
                if opened is not None:
                    return opened
            if not mends:
                raise HooksUnavailable(f"{path} isn't sound: the daemon makes it anew")
            _log.warning("hooks_state_made_anew", path=str(path))
            throw_away(path)
        return file.make(path)
    except (apsw.Error, OSError) as error:
        raise HooksUnavailable(f"the hooks' file {path} can't be used: {error}") from error
