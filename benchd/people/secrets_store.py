"""The file beside the ledger that keeps secrets: plain blocking calls, each on disk on return."""

from __future__ import annotations

import importlib.resources
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import apsw

from benchd.domain.errors import LedgerFault
from benchd.domain.sql_statements import query
from benchd.people.person_secrets import mark_of

APPLICATION = 0x62656E70
PRIVATE_MODE = 0o600


class SecretStore:
    """Secrets by their marks; one thread at a time. Raises LedgerFault when the disk refuses."""

    def __init__(self, path: Path) -> None:
        """Open the file or make it, for its owner only."""
        self._path = path
        try:
            path.touch(PRIVATE_MODE)
            path.chmod(PRIVATE_MODE)
            self._connection = apsw.Connection(str(path))
            self._prepare()
        except (apsw.Error, OSError) as error:
            raise self._fault(error) from error

    def keep(self, kept: bytes) -> str:
        """Put it on disk; the mark that names it."""
        mark = mark_of(kept)
        self._run("INSERT OR REPLACE INTO secret (mark, kept) VALUES (?, ?)", (mark, kept))
        return mark

    def all(self) -> Mapping[str, bytes]:
        """Whatever is kept under its own mark; what was changed in the file isn't."""
        found: dict[str, bytes] = {}
        for row in self._run("SELECT mark, kept FROM secret"):
            match row:
                case (str() as mark, bytes() as kept) if mark_of(kept) == mark:
                    found[mark] = kept
                case _:
                    pass
        return found

    def sweep(self, used: Collection[str]) -> int:
        """Forget all but these; how many there were."""
        marks = [str(row[0]) for row in self._run("SELECT mark FROM secret")]
        unused = [mark for mark in marks if mark not in used]
        for mark in unused:
            self._run("DELETE FROM secret WHERE mark = ?", (mark,))
        return len(unused)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _run(self, sql: str, values: Sequence[str | bytes] = ()) -> list[tuple[object, ...]]:
        try:
            return list(query(self._connection, sql, values))
        except apsw.Error as error:
            raise self._fault(error) from error

    def _prepare(self) -> None:
        connection = self._connection
        connection.set_busy_timeout(1000)
        for pragma in (
            "trusted_schema = 0",
            "secure_delete = 1",
            "journal_mode = truncate",
            "synchronous = extra",
        ):
            query(connection, f"PRAGMA {pragma}")
        [(version,)] = query(connection, "PRAGMA user_version")
        migrations = _migrations()
        if not isinstance(version, int) or version > len(migrations):
            message = f"{self._path} was made by a newer benchd"
            raise LedgerFault(message)
        [(application,)] = query(connection, "PRAGMA application_id")
        if version and application != APPLICATION:
            message = f"{self._path} is a database, but not one of benchd's people"
            raise LedgerFault(message)
        for number, sql in enumerate(migrations[version:], start=version + 1):
            query(connection, "BEGIN IMMEDIATE")
            query(connection, sql)
            query(connection, f"PRAGMA user_version = {number}")
            query(connection, "COMMIT")

    def _fault(self, error: Exception) -> LedgerFault:
        return LedgerFault(f"the file of badges and PINs {self._path} can't be used: {error}")


def _migrations() -> tuple[str, ...]:
    directory = importlib.resources.files("benchd.people") / "migrations"
    files = sorted(
        (file for file in directory.iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return tuple(file.read_text(encoding="utf-8") for file in files)
