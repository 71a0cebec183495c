"""The rack vouches for its own certificates only, each for the records that it was made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchd.certificate import DsseIssuer, SigningKey, create_key
from benchd.certificate.ledger_claims import Claims, claims_in
from benchd.domain.ids import JobId
from tests.certificate.certificate_rack import ISSUED_AT, JOB, proven_erasure


def issuer_of(key: SigningKey, directory: Path) -> DsseIssuer:
    return DsseIssuer(key=key, directory=directory, site="大宮", benchd_version="0.1.0")


def test_a_certificate_is_believed_with_its_own_records(key: SigningKey, tmp_path: Path) -> None:
    erasure = proven_erasure()
    issuer = issuer_of(key, tmp_path)
    envelope = issuer.issue(erasure, ISSUED_AT)
    later = replace(erasure.records[-1], sequence=erasure.records[-1].sequence + 3)
    for _ in range(2):
        assert issuer.vouches(JOB, envelope, [*erasure.records, later])


def test_it_is_not_believed_of_anything_else(key: SigningKey, tmp_path: Path) -> None:
    erasure = proven_erasure()
    issuer = issuer_of(key, tmp_path)
    envelope = issuer.issue(erasure, ISSUED_AT)
    records = list(erasure.records)
    changed = [*records[:1], replace(records[1], hash_hex="00" * 32), *records[2:]]
    assert not issuer.vouches(JobId("another"), envelope, records)
    assert not issuer.vouches(JOB, envelope, records[1:])
    assert not issuer.vouches(JOB, envelope, changed)
    assert not issuer.vouches(JOB, envelope.replace(b"sig", b"sog"), records)
    for nothing in (b"", b"{}", "\udcff".encode("utf-8", "replace"), b"[" * 100_000):
        assert not issuer.vouches(JOB, nothing, records)


def test_another_racks_certificate_is_not_believed(key: SigningKey, tmp_path: Path) -> None:
    erasure = proven_erasure()
    other = issuer_of(create_key(tmp_path / "other.key"), tmp_path)
    envelope = other.issue(erasure, ISSUED_AT)
    assert not issuer_of(key, tmp_path).vouches(JOB, envelope, erasure.records)


@pytest.mark.asyncio
async def test_the_newest_of_a_folder(key: SigningKey, tmp_path: Path) -> None:
    erasure = proven_erasure()
    issuer = issuer_of(key, tmp_path)
    envelope = issuer.issue(erasure, ISSUED_AT)
    for day in ("20261122", "20261123", "20261124"):
        await issuer.keep(JobId(f"{day}-aa"), envelope)
    (tmp_path / "20261125-aa.json").write_text("{}")
    (tmp_path / ".20261126-aa.json.draft").write_bytes(envelope)
    found = list(claims_in(tmp_path, Claims(key.public_key_pem), newest=3))
    assert [file.stem for file, _ in found] == ["20261124-aa", "20261123-aa"]
    [claim] = {claim for _, claim in found}
    assert (claim.job, claim.last_sequence) == (JOB, erasure.records[-1].sequence)
