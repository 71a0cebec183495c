"""Rows of a centre that knows many jobs: each is made by PostgreSQL after one that the centre made.

Twenty synthetic jobs are sent and filed as ever; all others have their rows, under numbers of their
own. Records and which of them are a job's are there for a share of the handsets alone, and those
only are asked about. Indexes and constraints are made afterwards, and nothing is logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import psycopg
from psycopg import sql

from benchd.lab.benchmarks.synthetic_jobs import AGAIN_EVERY, TACS, Certified, Named, TakenIn
from benchd.ledger.records.numbers import INDEXED_DIGEST_DIGITS, plain

MOST_WITH_RECORDS: Final = 200_000
"""Jobs, about: records would be most of the disk."""
RECORDS_PER_JOB: Final = 20
AT_ONCE: Final = 2
"""Connections that make rows, or indexes."""
Statement = sql.SQL | sql.Composed
TABLES: Final = ("filed_number", "filed_job", "handset_trait", "job_record", "record")
"""Who refers to another comes before it."""


@dataclass(slots=True)
class Template:
    """The rows of one job."""

    number: int
    """Which synthetic job it is."""
    records: list[tuple[int, str, str]] = field(default_factory=list[tuple[int, str, str]])
    """Number, kind and body of those that tell something of the handset."""
    traits: list[tuple[str, str, bool]] = field(default_factory=list[tuple[str, str, bool]])
    numbers: list[str] = field(default_factory=list[str])
    filed: tuple[str, str, str | None, str | None, int | None] = ("", "", None, None, None)
    imeis: tuple[Sequence[str], Sequence[str]] = ((), ())
    """Those that it has told, and those of them that are proven."""

    @property
    def first(self) -> int:
        """The number of its first record."""
        return self.number * RECORDS_PER_JOB + 1


def share_with_records(jobs: int) -> int:
    """Of so many handsets one has its records."""
    return max(1, jobs // MOST_WITH_RECORDS)


def templates(connection: psycopg.Connection, rack: int) -> list[Template]:
    """The rows of a rack's first jobs."""
    made = [Template(number=n) for n in range(AGAIN_EVERY)]
    by_job = {Named.job(each.number): each for each in made}
    for job, sequence, kind, body in connection.execute(
        """
        SELECT job, sequence, kind, convert_from(body, 'UTF8')
        FROM job_record JOIN record USING (rack, branch, sequence) WHERE rack = %s
        ORDER BY sequence
        """,
        (rack,),
    ):
        by_job[job].records.append((sequence, kind, body))
    for job, trait, value, lasting in connection.execute(
        "SELECT job, trait, value, lasting FROM handset_trait WHERE rack = %s", (rack,)
    ):
        by_job[job].traits.append((trait, value, lasting))
    for job, number in connection.execute(
        "SELECT job, number FROM filed_number WHERE rack = %s", (rack,)
    ):
        by_job[job].numbers.append(number)
    for job, *filed in connection.execute(
        """
        SELECT job, opened_at::text, told::text, tied, certificate, certified_sequence,
            imeis, proven
        FROM filed_job WHERE rack = %s
        """,
        (rack,),
    ):
        opened_at, told, tied, certificate, sequence, *imeis = filed
        by_job[job].imeis = (imeis[0], imeis[1])
        by_job[job].filed = (opened_at, told, tied, certificate, sequence)
    return made


def fill(conninfo: str, racks: Sequence[int], jobs: int) -> None:
    """All jobs after the first twenty, spread over these racks; the first of them has those."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        made = templates(connection, racks[0])
        indexes, constraints = _bare(connection)
    share = share_with_records(jobs)
    rows = [statements_for(each, racks, jobs, share) for each in made]
    # The largest indexes first: while the last of them is made, another connection makes the rest.
    _together(conninfo, rows)
    _together(conninfo, [[each] for each in indexes])
    _together(conninfo, [[*constraints, sql.SQL("VACUUM ANALYZE")]])


def statements_for(
    template: Template, racks: Sequence[int], jobs: int, share: int
) -> list[Statement]:
    """What makes the rows of all jobs like this one, but for itself."""
    moved = sql.SQL("{} + (n - {}) * {}")
    rows = [
        (sql.Literal(sequence), sql.Literal(kind), _body(template, sequence, body))
        for sequence, kind, body in template.records
    ]

    def moved_by(sequence: sql.Composable) -> sql.Composed:
        return moved.format(sequence, sql.Literal(template.number), sql.Literal(RECORDS_PER_JOB))

    statements: list[Statement] = [
        _NAMED.format(
            first=sql.Literal(template.number + AGAIN_EVERY),
            last=sql.Literal(jobs - 1),
            every=sql.Literal(AGAIN_EVERY),
            handset=sql.SQL("n / 2" if template.number == AGAIN_EVERY - 1 else "n"),
            tacs=sql.Literal(list(TACS)),
            racks=sql.Literal(list(racks)),
            check=_CHECK,
        )
    ]
    for sequence, kind, body in rows:
        statements += [
            sql.SQL(
                "INSERT INTO job_record (rack, job, branch, sequence)"
                " SELECT rack, job, 0, {} FROM named WHERE handset % {} = 0"
            ).format(moved_by(sequence), sql.Literal(share)),
            sql.SQL(
                "INSERT INTO record (rack, branch, sequence, hash, kind, body)"
                " SELECT rack, 0, {}, sha256(body), {}, body FROM"
                " (SELECT *, convert_to({}, 'UTF8') AS body FROM named WHERE handset % {} = 0)"
            ).format(moved_by(sequence), kind, body, sql.Literal(share)),
        ]
    for trait, told, lasting in template.traits:
        statements.append(
            sql.SQL(
                "INSERT INTO handset_trait (value, trait, rack, job, lasting)"
                " SELECT {}, {}, rack, job, {} FROM named"
            ).format(_said(template, told), sql.Literal(trait), sql.Literal(lasting))
        )
    opened_at, told, tied, certificate, sequence = template.filed
    statements.append(
        sql.SQL(
            "INSERT INTO filed_job (rack, job, opened_at, told, tied, certificate,"
            " certified_branch, certified_sequence, imeis, proven)"
            " SELECT rack, job, {}::timestamptz, {}::jsonb, {}, {}, {}, {},"
            " ARRAY[{}]::text[], ARRAY[{}]::text[] FROM named"
        ).format(
            sql.Literal(opened_at),
            _said(template, told),
            sql.Literal(tied),
            sql.Literal(None) if certificate is None else _said(template, certificate),
            sql.Literal(None if sequence is None else 0),
            sql.Literal(None) if sequence is None else moved_by(sql.Literal(sequence)),
            *(
                sql.SQL(", ").join(_said(template, told) for told in each)
                for each in template.imeis
            ),
        )
    )
    for told in template.numbers:
        statements.append(
            sql.SQL(
                "INSERT INTO filed_number (rack, job, number, opened_at)"
                " SELECT rack, job, {}, {}::timestamptz FROM named"
            ).format(_said(template, told), sql.Literal(opened_at))
        )
    return [*statements, sql.SQL("DROP TABLE named")]


_NAMED: Final = sql.SQL(
    """
    CREATE TEMP TABLE named AS
    SELECT n, rack, handset, digits || {check} AS imei, serial, tag, job,
        replace(tag, '-', '') AS plain_tag, upper(replace(job, '-', '')) AS plain_job,
        digest, upper(left(digest, 16)) AS begun
    FROM (
        SELECT n, ({racks}::int[])[n % cardinality({racks}::int[]) + 1] AS rack, handset,
            (({tacs}::int[])[handset % cardinality({tacs}::int[]) + 1] + handset / 1000000)::text
                || lpad((handset::int8 * 7919 % 1000000)::text, 6, '0') AS digits,
            'R5C' || upper(left(encode(sha256(('serial ' || handset)::bytea), 'hex'), 8)) AS serial,
            'T-' || lpad(n::text, 8, '0') AS tag,
            '2026' || lpad((n / 90000 % 12 + 1)::text, 2, '0')
                || lpad((n / 3000 % 28 + 1)::text, 2, '0') || '-'
                || left(encode(sha256(('job ' || n)::bytea), 'hex'), 10) AS job,
            encode(sha256(('{{"payload":"' || n || '"}}')::bytea), 'hex') AS digest
        FROM (SELECT n, {handset} AS handset FROM generate_series({first}, {last}, {every}) AS n)
    )
    """
)
_CHECK: Final = sql.SQL("((1000 - ({})) % 10)::text").format(
    # Each second digit from the last on is doubled, and its own digits are added.
    sql.SQL(" + ").join(
        sql.SQL("substr({}, {}, 1)::int").format(
            sql.SQL("digits" if at % 2 else "translate(digits, '0123456789', '0246813579')"),
            sql.Literal(at),
        )
        for at in range(1, 15)
    )
)


def _names_of(number: int) -> dict[str, str]:
    """What a job's rows are told apart by, as the table of names has it."""
    digest = Certified.certificate(number)
    return {
        "imei": Named.imei(number),
        "serial": Named.serial(number),
        "tag": TakenIn.tag(number),
        "job": Named.job(number),
        "plain_tag": plain(TakenIn.tag(number)),
        "plain_job": plain(Named.job(number)),
        "digest": digest,
        "begun": digest[:INDEXED_DIGEST_DIGITS].upper(),
    }


def _said(template: Template, text: str) -> sql.Composable:
    """The text with another job's names in the place of the template's."""
    whole: sql.Composable = sql.Literal(text)
    for column, old in _names_of(template.number).items():
        if text == old:
            return sql.Identifier(column)
        if old in text:
            whole = sql.SQL("replace({}, {}, {})").format(
                whole, sql.Literal(old), sql.Identifier(column)
            )
    return whole


def _body(template: Template, sequence: int, body: str) -> sql.Composable:
    number = sql.SQL("'\"sequence\":' || ({} + (n - {}) * {})").format(
        sql.Literal(sequence), sql.Literal(template.number), sql.Literal(RECORDS_PER_JOB)
    )
    return sql.SQL("replace({}, {}, {})").format(
        _said(template, body), sql.Literal(f'"sequence":{sequence}'), number
    )


def _together(conninfo: str, works: Sequence[Sequence[Statement]]) -> None:
    """Do each of these, some at once; what one of them has is done in its order."""

    def do(statements: Sequence[Statement]) -> None:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute("SET temp_buffers = '256MB'")
            connection.execute("SET maintenance_work_mem = '2GB'")
            for statement in statements:
                connection.execute(statement)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(do, works))


def _bare(
    connection: psycopg.Connection,
) -> tuple[list[Statement], list[Statement]]:
    """Take indexes and constraints off; what makes them again. From now on no row is logged."""
    indexes = connection.execute(
        """
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
        WHERE indrelid = ANY(%s::regclass[])
        ORDER BY indrelid <> 'filed_number'::regclass
        """,
        (list(TABLES),),
    ).fetchall()
    constraints = connection.execute(
        """
        SELECT conrelid::regclass::text, conname, contype, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('p', 'u', 'f')
        ORDER BY contype
        """,
        (list(TABLES),),
    ).fetchall()
    then: list[Statement] = []
    for table, name, kind, definition in constraints:
        of, named = sql.Identifier(table), sql.Identifier(name)
        connection.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(of, named))
        match kind:
            case "f":
                # All rows that are there now refer to one that is.
                rule = sql.SQL("{} NOT VALID").format(sql.SQL(definition))
            case "p":
                rule = sql.SQL("PRIMARY KEY USING INDEX {}").format(named)
            case _:
                rule = sql.SQL("UNIQUE USING INDEX {}").format(named)
        then.append(sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(of, named, rule))
    for name, _ in indexes:
        connection.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(sql.Identifier(name)))
    for table in TABLES:
        connection.execute(sql.SQL("ALTER TABLE {} SET UNLOGGED").format(sql.Identifier(table)))
    # Keys before what refers to them.
    return [sql.SQL(definition) for _, definition in indexes], then[::-1]
