"""Rows of a centre that knows many jobs, by COPY: each is written after one that the centre made.

Twenty synthetic jobs are sent and filed as ever; all others have their rows, under numbers of their
own. Records themselves are there for a share of the handsets alone, and those only are asked about.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from benchd.lab.benchmarks.synthetic_jobs import AGAIN_EVERY, Certified, Named, TakenIn
from benchd.ledger.records.numbers import INDEXED_DIGEST_DIGITS, parts_of, plain

MOST_WITH_RECORDS: Final = 200_000
"""Jobs, about: records would be most of the disk."""
RECORDS_PER_JOB: Final = 20
PIECE: Final = 5000

_COPIES: Final[Mapping[str, LiteralString]] = {
    "record": "COPY record (rack, branch, sequence, hash, kind, body) FROM STDIN",
    "job_record": "COPY job_record (rack, job, branch, sequence) FROM STDIN",
    "handset_trait": "COPY handset_trait (value, trait, rack, job, lasting) FROM STDIN",
    "filed_job": """
        COPY filed_job (rack, job, opened_at, told, tied, certificate, certified_branch,
            certified_sequence) FROM STDIN
    """,
    "filed_number": """
        COPY filed_number (rack, job, number, parts, is_imei, is_proven) FROM STDIN
    """,
}


@dataclass(slots=True)
class Template:
    """The rows of one job."""

    number: int
    """Which synthetic job it is."""
    first: int
    """The number of its first record."""
    records: list[tuple[int, str, str]] = field(default_factory=list[tuple[int, str, str]])
    """Number, kind and body of those that tell something of the handset."""
    traits: list[tuple[str, str, bool]] = field(default_factory=list[tuple[str, str, bool]])
    numbers: list[tuple[str, bool, bool]] = field(default_factory=list[tuple[str, bool, bool]])
    filed: tuple[str, str, str | None, str | None, int | None] = ("", "", None, None, None)


def share_with_records(jobs: int) -> int:
    """Of so many handsets one has its records."""
    return max(1, jobs // MOST_WITH_RECORDS)


def templates(connection: psycopg.Connection, rack: int) -> list[Template]:
    """The rows of a rack's first jobs."""
    made = [Template(number=n, first=n * RECORDS_PER_JOB + 1) for n in range(AGAIN_EVERY)]
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
    for job, number, is_imei, is_proven in connection.execute(
        "SELECT job, number, is_imei, is_proven FROM filed_number WHERE rack = %s", (rack,)
    ):
        by_job[job].numbers.append((number, is_imei, is_proven))
    for job, *filed in connection.execute(
        """
        SELECT job, opened_at::text, told::text, tied, certificate, certified_sequence
        FROM filed_job WHERE rack = %s
        """,
        (rack,),
    ):
        opened_at, told, tied, certificate, sequence = filed
        by_job[job].filed = (opened_at, told, tied, certificate, sequence)
    return made


def fill(conninfo: str, racks: Sequence[int], jobs: int) -> None:
    """All jobs after the first twenty, spread over these racks; the first of them has those."""
    with psycopg.connect(conninfo) as connection:
        made = templates(connection, racks[0])
        indexes = _drop_indexes(connection)
        share = share_with_records(jobs)
        for first in range(AGAIN_EVERY, jobs, PIECE):
            lines: dict[str, list[str]] = defaultdict(list)
            for number in range(first, min(first + PIECE, jobs)):
                for table, row in rows_of(made[number % AGAIN_EVERY], number, racks, share):
                    lines[table].append(row)
            for table, statement in _COPIES.items():
                with connection.cursor().copy(statement) as copy:
                    copy.write("".join(lines[table]))
        for statement in indexes:
            connection.execute(statement)
        connection.commit()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def rows_of(
    template: Template, number: int, racks: Sequence[int], share: int
) -> Iterator[tuple[str, str]]:
    """The rows of one job, each with its table, as COPY reads text."""
    rack, job = racks[number % len(racks)], Named.job(number)
    said = _renaming(template.number, number)
    moved = number * RECORDS_PER_JOB + 1 - template.first
    with_records = Named.handset(number) % share == 0
    for sequence, kind, body in template.records:
        at = sequence + moved
        yield "job_record", _line(rack, job, 0, at)
        if with_records:
            whole = re.sub(r'"sequence":\d+', f'"sequence":{at}', said(body)).encode()
            hash_ = sha256(whole).hexdigest()
            yield "record", _line(rack, 0, at, rf"\\x{hash_}", kind, rf"\\x{whole.hex()}")
    for trait, value, lasting in template.traits:
        yield "handset_trait", _line(said(value), trait, rack, job, lasting)
    opened_at, told, tied, certificate, sequence = template.filed
    of_paper = (
        (None, None, None)
        if certificate is None or sequence is None
        else (said(certificate), 0, sequence + moved)
    )
    shown = said(told).replace("\\", r"\\")
    yield "filed_job", _line(rack, job, opened_at, shown, tied, *of_paper)
    for value, is_imei, is_proven in template.numbers:
        named = said(value)
        parts = ",".join(f'"{part}"' for part in parts_of(named))
        yield "filed_number", _line(rack, job, named, f"{{{parts}}}", is_imei, is_proven)


class _renaming:  # noqa: N801 - a function with its pairs at hand
    """Puts one job's numbers in the place of another's."""

    def __init__(self, old: int, new: int) -> None:
        self._pairs = tuple(zip(_names_of(old), _names_of(new), strict=True))

    def __call__(self, text: str) -> str:
        for old, new in self._pairs:
            text = text.replace(old, new)
        return text


def _names_of(number: int) -> tuple[str, ...]:
    digest = Certified.certificate(number)
    names = (Named.imei(number), Named.serial(number), TakenIn.tag(number), Named.job(number))
    filed = (*map(plain, names[2:]), digest[:INDEXED_DIGEST_DIGITS].upper())
    return (*names, digest, *filed)


def _line(*values: object) -> str:
    return "\t".join(r"\N" if value is None else str(value) for value in values) + "\n"


def _drop_indexes(connection: psycopg.Connection) -> list[sql.Composed]:
    """Those that no constraint needs, to be made again once the rows are there."""
    found = connection.execute(
        """
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)
        FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid
        WHERE conindid IS NULL AND indrelid = ANY(%s::regclass[])
        """,
        (list(_COPIES),),
    ).fetchall()
    for name, _ in found:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    return [sql.Composed([sql.SQL(definition)]) for _, definition in found]
