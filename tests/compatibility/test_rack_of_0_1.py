"""What a rack of benchd 0.1.0 has left: a ledger and certificates, made by its demo on 2026-11-25.

They were made before evidence had types, and have to verify for ever, byte for byte.
"""

from __future__ import annotations

import hashlib
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from benchd.certificate import DsseIssuer, create_key, verify_certificate
from benchd.errors import CertificateGap, CertificateInvalid
from benchd.ledger import export_lines, verify_ledger
from benchd.ledger.chain import linked_rows
from benchd.ledger.database import open_copy
from benchd.ledger.head import EMPTY_HEAD
from benchd.ledger.record import unseal
from benchd.proof.erasure import verify_erasure
from benchd.words.ids import JobId
from benchd.words.record import StoredEntry

RACK = Path(__file__).parent / "rack-0.1"
KEY = (RACK / "certificate_key.pem.pub").read_bytes()
CERTIFICATES = sorted((RACK / "certificates").glob("*.json"))


EXPORT = "968345a27e26fd24b541b114060e59328a4ba2499218a65328c9a610759e192b"
"""SHA-256 of all its lines."""


def stored_entries(ledger: Path) -> list[StoredEntry]:
    """Its records as the proof reads them."""
    with closing(open_copy(ledger)) as connection:
        return [unseal(row) for row in linked_rows(connection, EMPTY_HEAD)]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A copy that may be written beside, as a rack's own folder may."""
    for name in ("ledger.sqlite", "ledger.sqlite.head"):
        shutil.copy(RACK / name, tmp_path)
    return tmp_path / "ledger.sqlite"


def test_its_ledger_verifies(ledger: Path) -> None:
    report = verify_ledger(ledger, KEY)

    assert report.records == 322


def test_its_ledger_is_exported_as_it_was_written(ledger: Path) -> None:
    exported = b"".join(export_lines(ledger))

    assert hashlib.sha256(exported).hexdigest() == EXPORT


@pytest.mark.parametrize("file", CERTIFICATES, ids=lambda file: file.stem)
def test_its_records_still_prove_what_it_certified(ledger: Path, file: Path) -> None:
    statement: Any = verify_certificate(file.read_bytes(), KEY)
    records = [record for record in stored_entries(ledger) if record.entry.job == file.stem]
    last = statement["predicate"]["ledger"]["last_sequence"]

    erasure = verify_erasure(
        JobId(file.stem), [record for record in records if record.sequence <= last]
    )

    assert erasure.evidence_digest() == statement["subject"][0]["digest"]["sha256"]


@pytest.mark.asyncio
async def test_its_records_are_not_certified_anew(ledger: Path, tmp_path: Path) -> None:
    job = JobId(CERTIFICATES[0].stem)
    records = [record for record in stored_entries(ledger) if record.entry.job == job]
    issuer = DsseIssuer(
        key=create_key(tmp_path / "key.pem"), directory=tmp_path, site="S", benchd_version="2"
    )

    with pytest.raises(CertificateGap, match="asked for less"):
        issuer.issue(verify_erasure(job, records), datetime.now(UTC))


@pytest.mark.parametrize("file", CERTIFICATES, ids=lambda file: file.stem)
def test_its_certificates_verify(file: Path) -> None:
    statement = verify_certificate(file.read_bytes(), KEY)

    assert statement["predicateType"] == "urn:benchd:certificate-of-erasure:v1"


@pytest.mark.parametrize("file", CERTIFICATES, ids=lambda file: file.stem)
def test_its_certificates_with_one_byte_changed_do_not(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1

    with pytest.raises(CertificateInvalid):
        verify_certificate(bytes(data), KEY)
