"""A paper that was signed reads back; any other is refused, however a signature looks right.

Both of its signatures are seen by the eyes of others, and no edit of it stays unseen.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from benchd.certificate import SigningKey, create_key
from benchd.certificate.certificate_verification import certificate_digest
from benchd.domain.errors import CertificateInvalid
from benchd.domain.ids import Evidence
from benchd.papers import signed_pdf
from benchd.papers.certificate_pdf import draft_of
from benchd.papers.key_voucher import Vouched, vouched_for, vouches
from benchd.papers.paper_content import Signed
from benchd.papers.paper_key import paper_key_of
from benchd.papers.pdf_signing import sign_pdf
from benchd.papers.press import BY_COMMAND
from benchd.papers.signed_pdf import read_paper
from benchd.signing.key_ring import KeyRing
from benchd.signing.rotation import Retired, Retirement, rotate
from tests.papers.forging import (
    HIDDEN,
    Change,
    added_to,
    forgotten,
    moved,
    other_content,
    pages_of,
    sign_changed,
    with_imei,
    wrapped,
)
from tests.papers.outside import check_structure, read_by
from tests.papers.papers_made import CATALOGUE, draft, paper, read, signed, vouching

pytestmark = pytest.mark.usefixtures("each_page_set_once")

EDITS = 1_000
SEED = int(os.environ.get("BENCHD_EDITS_SEED", "19"))
ELSEWHERE = "https://elsewhere.example/verify"
OTHER_IMEI = "490154203237518"


@pytest.fixture
def file(pdf: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "signed.pdf"
    path.write_bytes(pdf)
    return path


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return create_key(tmp_path_factory.mktemp("stranger") / "stranger.key")


@pytest.fixture(scope="module")
def ring(key: SigningKey, statement: Evidence, tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    """Of a rack whose key was retired since, and may be in anybody's hand."""
    now = create_key(tmp_path_factory.mktemp("rotated") / "rack.key")
    retirement = Retirement(
        why=Retired.ROTATED,
        at=datetime(2026, 11, 26, tzinfo=UTC),
        sequence=9,
        head_hash="0" * 64,
        certificates=frozenset({certificate_digest(signed(statement, key).envelope)}),
        papers=frozenset(),
        secrets_sha256="0" * 64,
    )
    return KeyRing.of(key.public).with_rotation(rotate(key.private, now.private, retirement, None))


def page_of(
    told: Signed,
    key: SigningKey,
    *,
    where: str = BY_COMMAND,
    vouched: Vouched | None = None,
) -> bytes:
    """A page to the byte as benchd makes it, signed by that key, which names that place."""
    paper_key, voucher = vouched_for(key, where=where)
    page = replace(told, where=where)
    return sign_pdf(draft_of(page, vouched or voucher, CATALOGUE), paper_key, name="x")


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
    change: Callable[[bytes], bytes], pdf: bytes, key: SigningKey
) -> None:
    with pytest.raises(CertificateInvalid):
        read(change(pdf), key)


def test_the_pages_of_another_handset_in_the_signed_revision_are_refused(
    statement: Evidence, key: SigningKey, stranger: SigningKey
) -> None:
    told = signed(statement, key)
    paper_key, vouched = vouching(stranger)
    page = draft_of(told, vouched, CATALOGUE)
    lie = draft_of(with_imei(told, OTHER_IMEI), vouched, CATALOGUE)
    forged = sign_changed(page, paper_key, pages_of(lie))
    assert forged.startswith(page)
    with pytest.raises(CertificateInvalid, match="doesn't vouch"):
        read(forged, key)


@pytest.mark.parametrize("change", HIDDEN.values(), ids=HIDDEN)
def test_nothing_more_than_the_signature_is_added_to_a_page_that_nobody_vouches_for(
    change: Change, statement: Evidence, key: SigningKey, stranger: SigningKey, ring: KeyRing
) -> None:
    told = signed(statement, key)
    for signer, keys in ((stranger, key.ring), (key, ring)):
        paper_key, vouched = vouching(signer)
        forged = sign_changed(draft_of(told, vouched, CATALOGUE), paper_key, change)
        with pytest.raises(CertificateInvalid, match="doesn't vouch"):
            read_paper(forged, keys, CATALOGUE)


@pytest.mark.parametrize("change", HIDDEN.values(), ids=HIDDEN)
def test_nothing_is_added_after_it_was_signed(change: Change, pdf: bytes, key: SigningKey) -> None:
    with pytest.raises(CertificateInvalid):
        read(added_to(pdf, change), key)


@pytest.mark.parametrize(
    "cut",
    [
        lambda more: more[: more.rindex(b"xref\n", 0, more.rindex(b"startxref"))],
        lambda more: more[: more.rindex(b"trailer")],
        lambda more: more[: more.rindex(b"startxref")],
        lambda more: more[: more.rindex(b"%%EOF")],
    ],
    ids=["no table", "no trailer", "no place", "no end"],
)
def test_nothing_is_added_that_only_a_lenient_viewer_finds(
    cut: Callable[[bytes], bytes], pdf: bytes, key: SigningKey
) -> None:
    with pytest.raises(CertificateInvalid):
        read(cut(added_to(pdf, other_content)), key)


def test_a_page_that_is_signed_twice_is_refused(
    statement: Evidence, pdf: bytes, key: SigningKey, stranger: SigningKey
) -> None:
    """Once by the rack, and again by somebody who has changed it."""
    paper_key, _ = vouching(stranger)
    twice = sign_changed(added_to(draft(statement, key), other_content), paper_key, lambda _: None)
    with pytest.raises(CertificateInvalid, match=r"changed after|another key"):
        read(twice, key)
    assert read(pdf, key).page_compared


@pytest.mark.parametrize("forge", [wrapped, moved])
def test_a_signature_that_is_told_to_cover_something_else_is_refused(
    forge: Callable[[bytes], bytes], pdf: bytes, key: SigningKey
) -> None:
    with pytest.raises(CertificateInvalid):
        read(forge(pdf), key)


@pytest.mark.parametrize(
    "told",
    [
        {"Contents": None},
        {"Contents": generic.NullObject()},
        {"Contents": generic.ByteStringObject(b"")},
        {"Contents": generic.ByteStringObject(b"\0")},
        {"ByteRange": None},
        {"ByteRange": generic.NullObject()},
        {"ByteRange": generic.ArrayObject()},
        {"ByteRange": generic.ArrayObject(map(generic.NumberObject, (0, -1, -1, 0)))},
        {"ByteRange": generic.ArrayObject(map(generic.NumberObject, (0, 0, 0, 0)))},
        {"Filter": None, "SubFilter": None, "Type": None},
    ],
    ids=str,
)
def test_a_signature_that_says_nothing_of_itself_is_refused(
    told: dict[str, object], pdf: bytes, key: SigningKey
) -> None:
    with pytest.raises(CertificateInvalid):
        read(forgotten(pdf, **told), key)


def test_a_stranger_can_sign_the_same_page_and_names_no_place_of_his_own(
    statement: Evidence, key: SigningKey, stranger: SigningKey
) -> None:
    """So is a page signed by the key that came after the one which the reader has."""
    told = signed(statement, key)
    found = read(page_of(told, stranger), key)
    assert (found.vouched, found.page_compared, found.signed.where) == (False, True, BY_COMMAND)
    # Its words are those of the certificate; with other words nobody's word is left for it.
    for lie in (
        page_of(told, stranger, where=ELSEWHERE),
        page_of(with_imei(told, OTHER_IMEI), stranger),
    ):
        with pytest.raises(CertificateInvalid, match="doesn't vouch"):
            read(lie, key)


def test_the_place_is_the_one_that_the_rack_has_signed(
    statement: Evidence, key: SigningKey, ring: KeyRing
) -> None:
    page = page_of(signed(statement, key), key, where=ELSEWHERE)
    assert read(page, key).signed.where == ELSEWHERE
    # Its thief can have named any place: the page still counts, and the place isn't passed on.
    found = read_paper(page, ring, CATALOGUE)
    assert (found.vouched, found.page_compared, found.signed.where) == (False, True, BY_COMMAND)


def test_a_vouching_counts_for_one_key_and_one_place(statement: Evidence, key: SigningKey) -> None:
    _, vouched = vouched_for(key, where=ELSEWHERE)
    assert vouches(key.ring.has_signed, vouched)
    other = replace(vouched, certificate_sha256=hashlib.sha256(b"another certificate").hexdigest())
    for each in (replace(vouched, where=BY_COMMAND), other):
        assert not vouches(key.ring.has_signed, each)
    with pytest.raises(CertificateInvalid, match="another key has signed the page"):
        read(page_of(signed(statement, key), key, vouched=other), key)


def test_a_rack_that_signs_another_page_than_its_certificate_is_told_of(
    statement: Evidence, key: SigningKey
) -> None:
    """As another version of benchd does, whose page is set otherwise."""
    found = read(page_of(with_imei(signed(statement, key), OTHER_IMEI), key), key)
    assert found.vouched
    assert found.page_compared is False
    assert found.signed.statement == statement


def test_another_racks_paper_is_refused(
    statement: Evidence, pdf: bytes, stranger: SigningKey
) -> None:
    with pytest.raises(CertificateInvalid, match="names another key"):
        read(pdf, stranger)
    with pytest.raises(CertificateInvalid):
        read(draft(statement, stranger), stranger)


def test_a_page_of_before_a_rotation_counts_and_one_of_after_it_too(
    statement: Evidence, key: SigningKey, ring: KeyRing
) -> None:
    found = read_paper(paper(statement, key), ring, CATALOGUE)
    assert (found.vouched, found.page_compared) == (False, True)
    assert found.signed.statement == statement
