"""Issuing from a proof alone, keeping each certificate once, and vouching for no other."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from benchd.certificate import DsseIssuer, SigningKey, create_key, verify_certificate
from benchd.certificate.ledger_claims import Claims, claims_in
from benchd.certificate.written_once import keep_file
from benchd.domain.errors import CertificateGap, CertificateInvalid, DependencyMissing
from benchd.domain.ids import JobId
from benchd.domain.job import StageName
from benchd.proof.erasure import verify_erasure
from benchd.proof.ports import CertificateIssuer
from tests.certificate.certificate_kinds import pictured
from tests.certificate.certificate_rack import (
    ISSUED_AT,
    JOB,
    START,
    issuer_of,
    proven_erasure,
    records_of_an_erasure,
)
from tests.core.pictures import KEY as PICTURE_KEY
from tests.core.test_erasure import JOB as TESTED_JOB
from tests.core.test_erasure import changed

HOSTILE = "SO-51C\u2028\x00'\"<script>"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "certificates"
    path.mkdir()
    return path


@pytest.fixture
def issuer(key: SigningKey, directory: Path) -> DsseIssuer:
    return issuer_of(key, directory)


def test_a_proof_becomes_a_certificate(issuer: CertificateIssuer, key: SigningKey) -> None:
    erasure = proven_erasure()
    statement = verify_certificate(issuer.issue(erasure, ISSUED_AT), key.public_key_pem)
    predicate = statement["predicate"]
    assert isinstance(predicate, dict)
    assert statement["subject"] == [
        {"name": "Sony SO-51C", "digest": {"sha256": erasure.evidence_digest()}}
    ]
    assert predicate["method"] == "Clear"
    assert predicate["confirmation"] == {
        "operator": "鈴木",
        "person": "suzuki",
        "at": "2026-11-24T09:30:00+00:00",
    }
    assert predicate["ledger"] == {
        "first_sequence": erasure.records[0].sequence,
        "last_sequence": erasure.records[-1].sequence,
        "head_hash": erasure.records[-1].hash_hex,
    }
    assert "8000000000 bytes of the user storage" in str(predicate["not_reached"])
    assert "aaaa" not in str(predicate["initialise"])
    assert (predicate["site"], predicate["site_address"]) == ("大宮", None)


def test_a_certificate_has_the_sites_address_where_it_is_configured(
    key: SigningKey, directory: Path
) -> None:
    """Issue 34, 11."""
    address = "埼玉県さいたま市大宮区1-2-3"
    issuer = DsseIssuer(
        key=key, directory=directory, site="大宮", site_address=address, benchd_version="0.1.0"
    )
    told = verify_certificate(issuer.issue(proven_erasure(), ISSUED_AT), key.public_key_pem)
    assert isinstance(told["predicate"], dict)
    assert told["predicate"]["site_address"] == address


def test_a_hostile_name_is_carried_as_it_is(issuer: DsseIssuer, key: SigningKey) -> None:
    data = issuer.issue(proven_erasure({"model": HOSTILE}), ISSUED_AT)
    statement = verify_certificate(data, key.public_key_pem)
    assert statement["subject"][0]["name"] == f"Sony {HOSTILE}"  # type: ignore[index,call-overload]


def test_a_name_that_is_no_text_gets_none() -> None:
    with pytest.raises(CertificateGap, match="inspect"):
        proven_erasure({"model": "SO-51C\ud800"})


@pytest.mark.parametrize(
    "handset", [{"serial": ""}, {"serial": None}, {"imei": 7}, {"model": " "}, {"build": None}]
)
def test_a_handset_that_is_not_named_gets_none(
    issuer: DsseIssuer, handset: dict[str, str | int | None]
) -> None:
    with pytest.raises(CertificateGap):
        issuer.issue(proven_erasure(handset), ISSUED_AT)


def test_records_without_an_opening_get_none(issuer: DsseIssuer) -> None:
    with pytest.raises(CertificateGap, match="job_opened"):
        issuer.issue(verify_erasure(JOB, records_of_an_erasure()[1:]), ISSUED_AT)


def test_a_clock_that_went_back_behind_a_decision_gets_none(issuer: DsseIssuer) -> None:
    with pytest.raises(CertificateGap, match="before confirm was decided"):
        issuer.issue(proven_erasure(), START)


@pytest.mark.asyncio
async def test_it_is_kept_once(issuer: DsseIssuer, directory: Path) -> None:
    data = issuer.issue(proven_erasure(), ISSUED_AT)
    await issuer.keep(JOB, data)
    await issuer.keep(JOB, data)
    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(issuer.keep, JobId("other"), data)
    assert {file.name for file in directory.iterdir()} == {f"{JOB}.json", "other.json"}
    kept = directory / f"{JOB}.json"
    assert kept.read_bytes() == data
    assert stat.S_IMODE(kept.stat().st_mode) == 0o640
    with pytest.raises(CertificateInvalid, match="another certificate"):
        await issuer.keep(JOB, data + b"\n")
    assert kept.read_bytes() == data


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", ".hidden", "a\0b", "x" * 201, "é"])
def test_a_name_that_leads_elsewhere_is_refused(directory: Path, name: str) -> None:
    with pytest.raises(CertificateInvalid, match="name"):
        keep_file(directory, name, b"x")
    assert list(directory.iterdir()) == []


def test_a_directory_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(DependencyMissing, match="the ledger holds the certificate"):
        keep_file(tmp_path / "nowhere", "job", b"x")


@pytest.mark.asyncio
@pytest.mark.looptime
async def test_a_picture_that_this_rack_has_not_signed_so_certifies_nothing(
    directory: Path, key: SigningKey
) -> None:
    records = await pictured(pytest.MonkeyPatch())
    erasure = verify_erasure(TESTED_JOB, records)
    own, other = issuer_of(PICTURE_KEY, directory), issuer_of(key, directory)
    at = records[-1].entry.at
    verify_certificate(own.issue(erasure, at), PICTURE_KEY.public_key_pem)
    with pytest.raises(CertificateGap, match="picture isn't signed"):
        other.issue(erasure, at)
    altered = changed(records, StageName.INITIALISE, {"picture.picture.maker_accounts": 2})
    with pytest.raises(CertificateGap, match="picture isn't signed"):
        own.issue(verify_erasure(TESTED_JOB, altered), at)


def test_the_rack_vouches_for_its_certificate_with_its_own_records_alone(
    issuer: DsseIssuer, directory: Path, tmp_path: Path
) -> None:
    erasure = proven_erasure()
    envelope = issuer.issue(erasure, ISSUED_AT)
    records = list(erasure.records)
    later = replace(records[-1], sequence=records[-1].sequence + 3)
    for _ in range(2):
        assert issuer.vouches(JOB, envelope, [*records, later])
    altered = [*records[:1], replace(records[1], hash_hex="00" * 32), *records[2:]]
    assert not issuer.vouches(JobId("another"), envelope, records)
    assert not issuer.vouches(JOB, envelope, records[1:])
    assert not issuer.vouches(JOB, envelope, altered)
    assert not issuer.vouches(JOB, envelope.replace(b"sig", b"sog"), records)
    for nothing in (b"", b"{}", "\udcff".encode("utf-8", "replace"), b"[" * 100_000):
        assert not issuer.vouches(JOB, nothing, records)
    of_another_rack = issuer_of(create_key(tmp_path / "other.key"), directory)
    assert not issuer.vouches(JOB, of_another_rack.issue(erasure, ISSUED_AT), records)


@pytest.mark.asyncio
async def test_the_newest_of_a_folder(issuer: DsseIssuer, key: SigningKey, directory: Path) -> None:
    erasure = proven_erasure()
    envelope = issuer.issue(erasure, ISSUED_AT)
    for day in ("20261122", "20261123", "20261124"):
        await issuer.keep(JobId(f"{day}-aa"), envelope)
    (directory / "20261125-aa.json").write_text("{}")
    (directory / ".20261126-aa.json.draft").write_bytes(envelope)
    found = list(claims_in(directory, Claims(key.public_key_pem), newest=3))
    assert [file.stem for file, _ in found] == ["20261124-aa", "20261123-aa"]
    [claim] = {claim for _, claim in found}
    assert (claim.job, claim.last_sequence) == (JOB, erasure.records[-1].sequence)
