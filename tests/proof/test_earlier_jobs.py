"""A handset that an earlier job sent to be destroyed: no certificate without a word on record."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchd.domain.errors import CertificateGap
from benchd.domain.job import Gate
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.erasure import verify_erasure
from tests.certificate.certificate_rack import JOB, answer, records_of_an_erasure


def with_gates(records: list[StoredEntry], **told: Any) -> list[StoredEntry]:  # noqa: ANN401 - JSON
    def each(record: StoredEntry) -> StoredEntry:
        data: Any = record.entry.data
        if record.entry.kind is not EntryKind.STAGE_ENDED or data["stage"] != "gates":
            return record
        evidence = {**data["evidence"], **told}
        entry = replace(record.entry, data={**data, "evidence": evidence})
        return replace(record, entry=entry)

    return [each(record) for record in records]


def with_answers(
    records: list[StoredEntry], *approved: bool, note: str = "repaired"
) -> list[StoredEntry]:
    """The same with answers at this gate, before all others."""
    first = next(r for r in records if r.entry.kind is EntryKind.DECISION)
    at = records.index(first)
    told = [
        replace(
            first,
            entry=replace(
                first.entry,
                data={
                    **answer(Gate.DESTROYED_BEFORE, "高橋", approved=each),
                    "note": note,
                    "via": {},
                },
            ),
        )
        for each in approved
    ]
    return [*records[:at], *told, *records[at:]]


def gaps(records: list[StoredEntry]) -> str:
    with pytest.raises(CertificateGap) as refused:
        verify_erasure(JOB, records)
    return str(refused.value)


def test_one_that_was_never_doomed_needs_no_word() -> None:
    verify_erasure(JOB, list(records_of_an_erasure()))


def test_one_that_was_doomed_needs_somebodys_yes() -> None:
    records = with_gates(list(records_of_an_erasure()), doomed_by=["20261101-aa"])
    assert "destroyed_before: nobody has approved it" in gaps(records)
    assert "destroyed_before: the last answer was no" in gaps(with_answers(records, True, False))
    verify_erasure(JOB, with_answers(records, False, True))
    assert "nobody has said why it may go on" in gaps(with_answers(records, True, note=" "))


def test_a_no_holds_whatever_the_stage_has_seen() -> None:
    assert "the last answer was no" in gaps(with_answers(list(records_of_an_erasure()), False))


def test_somebody_has_to_have_looked() -> None:
    records = with_gates(list(records_of_an_erasure()), doomed_by=None)
    assert "nobody has looked whether it was to be destroyed" in gaps(records)
