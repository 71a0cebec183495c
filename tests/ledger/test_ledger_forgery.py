"""What somebody with the file and without the key can do to a ledger, and how it is found."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from ledger_rack import FillLedger, RackKey, broken, forge

from benchd.domain.errors import LedgerBroken, LedgerFault
from benchd.ledger import open_ledger, verify_ledger
from benchd.ledger.checksum_vfs import CHECKSUM_VFS
from benchd.ledger.head_file import head_path
from benchd.ledger.ledger_database import open_for_writing

RECORDS = 60


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("statements", "sequence"),
    [
        (["DELETE FROM record WHERE sequence > 50"], 51),
        (["DELETE FROM record"], 1),
        (["DELETE FROM record WHERE sequence = 20"], 20),
        (["DELETE FROM record WHERE sequence < 20"], 1),
        (["UPDATE record SET kind = 'job_ended' WHERE sequence = 7"], 7),
        (["UPDATE record SET job = 'other' WHERE sequence = 8"], 8),
        (["UPDATE record SET job = NULL WHERE sequence = 8"], 8),
        (["UPDATE record SET slot = 'B7' WHERE sequence = 9"], 9),
        (["UPDATE record SET occupancy = 99 WHERE sequence = 10"], 10),
        (["UPDATE record SET body = CAST(body || ' ' AS BLOB) WHERE sequence = 11"], 11),
        (["UPDATE record SET previous = zeroblob(32) WHERE sequence = 12"], 12),
        (["UPDATE record SET hash = zeroblob(32) WHERE sequence = 13"], 13),
        (["UPDATE record SET sequence = 61 WHERE sequence = 14"], 14),
    ],
)
async def test_what_is_forged_by_sql_is_found(
    fill: FillLedger, key: RackKey, statements: list[str], sequence: int
) -> None:
    path = await fill(RECORDS)
    forge(path, *statements)
    assert broken(path, key).sequence == sequence


@pytest.mark.asyncio
async def test_a_chain_that_was_made_anew_fails_at_the_head(fill: FillLedger, key: RackKey) -> None:
    path = await fill(RECORDS)
    with closing(apsw.Connection(str(path), vfs=CHECKSUM_VFS)) as connection:
        bodies = [bytes(row[0]) for row in connection.execute("SELECT body FROM record")]  # pyright: ignore[reportArgumentType]
    bodies[29] = bodies[29].replace(b'"coverage":0.9375', b'"coverage":0.9999')
    statements: list[str] = []
    previous = bytes(32)
    for sequence, body in enumerate(bodies, start=1):
        digest = hashlib.sha256(previous + body).digest()
        statements.append(
            f"UPDATE record SET previous = x'{previous.hex()}', hash = x'{digest.hex()}', "  # noqa: S608
            f"body = x'{body.hex()}' WHERE sequence = {sequence}"
        )
        previous = digest
    forge(path, *statements)
    assert "isn't the one that the head was signed for" in str(broken(path, key))
    with pytest.raises(LedgerBroken, match="signed for"):
        async with open_ledger(path, head_key=key):
            pytest.fail("it must not open")


@pytest.mark.asyncio
async def test_missing_triggers_and_indexes_are_found(fill: FillLedger, key: RackKey) -> None:
    path = await fill(3)
    for statement in (
        "DROP TRIGGER record_is_never_deleted",
        "DROP INDEX record_by_job",
        "CREATE TABLE more (x)",
    ):
        copy = path.with_name("copy.db")
        shutil.copy(path, copy)
        shutil.copy(head_path(path), head_path(copy))
        with closing(apsw.Connection(str(copy), vfs=CHECKSUM_VFS)) as connection:
            connection.execute(statement)
        assert "tables or triggers" in str(broken(copy, key))
        with pytest.raises(LedgerBroken, match="tables or triggers"):
            async with open_ledger(copy, head_key=key):
                pytest.fail("it must not open")


@pytest.mark.asyncio
async def test_the_triggers_hold(fill: FillLedger) -> None:
    path = await fill(3)
    insert = (
        "INSERT {0} INTO record SELECT {1}, {2}, hash, kind, slot, occupancy, job, body FROM record"
    )
    last = "(SELECT hash FROM record WHERE sequence = 3)"
    with closing(open_for_writing(path)) as connection:
        for statement, reason in (
            ("DELETE FROM record WHERE sequence = 3", "never deleted"),
            ("UPDATE record SET slot = NULL", "never changed"),
            (insert.format("", 5, last) + " WHERE sequence = 3", "next sequence"),
            (insert.format("", 4, "zeroblob(32)") + " WHERE sequence = 3", "hash of the last"),
            (insert.format("OR REPLACE", 2, last) + " WHERE sequence = 3", "next sequence"),
            (insert.format("OR IGNORE", 2, last) + " WHERE sequence = 3", "next sequence"),
        ):
            with pytest.raises(apsw.ConstraintError, match=reason):
                connection.execute(statement)
        connection.execute(insert.format("", 4, last) + " WHERE sequence = 3")


Change = Callable[[apsw.Connection], object]


@pytest.mark.asyncio
async def test_a_foreign_or_newer_database_is_refused(tmp_path: Path, key: RackKey) -> None:
    changes: dict[str, Change] = {
        "not a ledger": lambda connection: connection.execute("CREATE TABLE t (x)"),
        "newer benchd": lambda connection: connection.execute("PRAGMA user_version = 99"),
    }
    for reason, change in changes.items():
        path = tmp_path / f"{len(reason)}.db"
        with closing(apsw.Connection(str(path))) as connection:
            change(connection)
        with pytest.raises(LedgerFault, match=reason):
            async with open_ledger(path, head_key=key):
                pytest.fail("it must not open")


@pytest.mark.asyncio
async def test_a_record_that_is_no_entry_is_named(fill: FillLedger, key: RackKey) -> None:
    path = await fill(1)
    body = b'{"sequence":2}'
    head = bytes.fromhex(verify_ledger(path, key.public_key_pem).head_hash)
    digest = hashlib.sha256(head + body).hexdigest()
    forge(
        path,
        "INSERT INTO record VALUES "  # noqa: S608
        f"(2, x'{head.hex()}', x'{digest}', 'decision', NULL, NULL, NULL, x'{body.hex()}')",
    )
    error = broken(path, key)
    assert error.sequence == 2
    assert "can't be understood" in str(error)
