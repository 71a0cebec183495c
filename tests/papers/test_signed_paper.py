"""Both signatures of a PDF, by the eyes of others; and that no edit of it stays unseen."""

from __future__ import annotations

import hashlib
import os
import random
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from benchd.certificate import SigningKey, create_key
from benchd.domain.errors import CertificateInvalid
from benchd.domain.ids import Evidence
from benchd.papers import signed_pdf
from benchd.papers.certificate_pdf import draft_of
from benchd.papers.paper_content import Signed
from benchd.papers.paper_key import paper_key_of
from benchd.papers.pdf_signing import sign_pdf
from tests.papers.outside import check_structure, read_by
from tests.papers.papers_made import CATALOGUE, draft, read, signed, vouching

EDITS = 1_000
SEED = int(os.environ.get("BENCHD_EDITS_SEED", "19"))


@pytest.fixture
def file(pdf: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "signed.pdf"
    path.write_bytes(pdf)
    return path


def test_it_reads_back_with_the_racks_key_alone(
    pdf: bytes, statement: Evidence, key: SigningKey
) -> None:
    found = read(pdf, key)
    assert found.signed.statement == statement
    assert found.signed.envelope == signed(statement, key).envelope
    assert found.signed.key_id == key.key_id
    assert found.vouched
    assert found.page_compared


def test_poppler_finds_its_signature_valid_and_over_all_of_it(
    file: Path, key: SigningKey, tmp_path: Path
) -> None:
    check_structure(file)
    told = read_by("pdfsig", "-nssdir", tmp_path, file)
    assert "Signature is Valid" in told
    assert "Total document signed" in told
    assert "ETSI.CAdES.detached" in told
    assert f"benchd {key.key_id[:16]}" in told


def test_pyhankos_own_validation_is_clean(pdf: bytes, key: SigningKey) -> None:
    [found] = PdfFileReader(BytesIO(pdf)).embedded_signatures
    certificate = asn1_x509.Certificate.load(paper_key_of(key).certificate)
    status = validate_pdf_signature(
        found, ValidationContext(trust_roots=[certificate], allow_fetching=False)
    )
    assert status.bottom_line
    assert "The signature is cryptographically sound." in status.pretty_print_details()


def test_it_stays_pdf_a_and_tagged_when_it_is_signed(file: Path) -> None:
    """No veraPDF is to be had: this is what it would ask for first."""
    told = read_by("pdfinfo", "-meta", file)
    assert "<pdfaid:part>3</pdfaid:part>" in told
    structure = read_by("pdfinfo", "-struct", file)
    assert structure.count("H1") == 2
    assert structure.count("H2") == 18
    assert "Figure" in structure


def test_the_key_of_papers_is_the_same_each_time_and_the_racks_alone(
    key: SigningKey, tmp_path: Path
) -> None:
    assert paper_key_of(key) == paper_key_of(key)
    other = paper_key_of(create_key(tmp_path / "other.key"))
    assert other.private != paper_key_of(key).private
    assert other.certificate != paper_key_of(key).certificate
    assert b"private" not in repr(other).encode()


def edited(data: bytes, at: int, rng: random.Random) -> bytes:
    """The file with one other byte; half of them such as a lenient reader takes for the same."""
    old = data[at]
    kin = old ^ 0x20 if chr(old).isalpha() else old ^ 1
    new = kin if rng.random() < 0.5 else rng.choice([byte for byte in range(256) if byte != old])
    return data[:at] + bytes([new]) + data[at + 1 :]


def unseen(pdf: bytes, places: list[int], key: SigningKey) -> list[int]:
    rng = random.Random(SEED)
    missed: list[int] = []
    for at in places:
        try:
            read(edited(pdf, at, rng), key)
        except CertificateInvalid:
            continue
        missed.append(at)
    return missed


def places_in(pdf: bytes, count: int) -> list[int]:
    """Half of them in the signature itself, which it can't cover."""
    begins = pdf.rindex(b"/Contents <")
    ends = pdf.index(b">", begins) + 1
    rng = random.Random(SEED)
    inside = [rng.randrange(begins, ends) for _ in range(count // 2)]
    return inside + [rng.randrange(len(pdf)) for _ in range(count - len(inside))]


def test_every_byte_counts(pdf: bytes, key: SigningKey) -> None:
    assert unseen(pdf, places_in(pdf, 60), key) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_thousand_edits_of_one_byte_are_all_found(pdf: bytes, key: SigningKey) -> None:
    assert unseen(pdf, places_in(pdf, EDITS), key) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda pdf: pdf + b"\n",
        lambda pdf: pdf[:-1],
        lambda pdf: b"\n" + pdf,
        lambda pdf: b"%PDF-1.7\n",
        lambda pdf: pdf * 2,
        lambda pdf: pdf + bytes(signed_pdf.MAX_PDF_BYTES),
    ],
    ids=["more", "less", "before", "head alone", "twice", "too large"],
)
def test_nothing_more_and_nothing_less_is_taken(
    change: Any,  # noqa: ANN401 - a function
    pdf: bytes,
    key: SigningKey,
) -> None:
    with pytest.raises(CertificateInvalid):
        read(change(pdf), key)


def elsewhere(told: Signed) -> Signed:
    """The certificate of one site under a page that names another."""
    statement: Any = told.statement
    return replace(
        told, statement={**statement, "predicate": {**statement["predicate"], "site": "elsewhere"}}
    )


def test_a_page_that_another_rack_has_signed_is_refused(
    statement: Evidence, key: SigningKey, tmp_path: Path
) -> None:
    """The genuine certificate within, and a key that vouches for itself."""
    other = create_key(tmp_path / "other.key")
    paper_key, vouched = vouching(other)
    lying = signed(statement, key)
    page = draft_of(lying, vouched, CATALOGUE)
    assert read(sign_pdf(page, paper_key, name="x"), key).vouched is False
    # Its words are those of the certificate; with other words nobody's word is left for it.
    lie = draft_of(elsewhere(lying), vouched, CATALOGUE)
    with pytest.raises(CertificateInvalid, match="doesn't vouch"):
        read(sign_pdf(lie, paper_key, name="x"), key)


def test_a_vouching_for_another_key_is_refused(statement: Evidence, key: SigningKey) -> None:
    paper_key, vouched = vouching(key)
    digest = hashlib.sha256(b"another certificate").hexdigest()
    other = replace(vouched, certificate_sha256=digest)
    page = draft_of(signed(statement, key), other, CATALOGUE)
    with pytest.raises(CertificateInvalid, match="another key has signed the page"):
        read(sign_pdf(page, paper_key, name="x"), key)


def test_a_rack_that_signs_another_page_than_its_certificate_is_told_of(
    statement: Evidence, key: SigningKey
) -> None:
    """As another version of benchd does, whose page is set otherwise."""
    told = signed(statement, key)
    paper_key, vouched = vouching(key)
    page = draft_of(elsewhere(told), vouched, CATALOGUE)
    found = read(sign_pdf(page, paper_key, name="x"), key)
    assert found.vouched
    assert found.page_compared is False
    assert found.signed.statement == statement


def test_another_racks_paper_is_refused(statement: Evidence, pdf: bytes, tmp_path: Path) -> None:
    other = create_key(tmp_path / "other.key")
    with pytest.raises(CertificateInvalid, match="names another key"):
        read(pdf, other)
    with pytest.raises(CertificateInvalid):
        read(draft(statement, other), other)
