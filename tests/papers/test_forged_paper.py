"""A page that isn't the certificate's is refused, however a signature is made to look right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyhanko.pdf_utils import generic

from benchd.certificate import SigningKey, create_key
from benchd.certificate.certificate_verification import certificate_digest
from benchd.domain.errors import CertificateInvalid
from benchd.domain.ids import Evidence
from benchd.papers.certificate_pdf import draft_of
from benchd.papers.key_voucher import vouched_for, vouches
from benchd.papers.paper_content import Signed
from benchd.papers.pdf_signing import sign_pdf
from benchd.papers.press import BY_COMMAND
from benchd.papers.signed_pdf import read_paper
from benchd.signing.ring import KeyRing
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
from tests.papers.papers_made import CATALOGUE, draft, paper, read, signed, vouching

ELSEWHERE = "https://elsewhere.example/verify"


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


def at(told: Signed, key: SigningKey, where: str, *, signer: SigningKey | None = None) -> bytes:
    """A page to the byte as benchd makes it, which names that place."""
    paper_key, vouched = vouched_for(signer or key, where=where)
    page = Signed(statement=told.statement, envelope=told.envelope, key_id=told.key_id, where=where)
    return sign_pdf(draft_of(page, vouched, CATALOGUE), paper_key, name="x")


def test_the_pages_of_another_handset_in_the_signed_revision_are_refused(
    statement: Evidence, key: SigningKey, stranger: SigningKey
) -> None:
    told = signed(statement, key)
    paper_key, vouched = vouching(stranger)
    page = draft_of(told, vouched, CATALOGUE)
    lie = draft_of(with_imei(told, "490154203237518"), vouched, CATALOGUE)
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
    found = read(at(told, key, BY_COMMAND, signer=stranger), key)
    assert (found.vouched, found.page_compared, found.signed.where) == (False, True, BY_COMMAND)
    with pytest.raises(CertificateInvalid, match="doesn't vouch"):
        read(at(told, key, ELSEWHERE, signer=stranger), key)


def test_the_place_is_the_one_that_the_rack_has_signed(
    statement: Evidence, key: SigningKey, ring: KeyRing
) -> None:
    page = at(signed(statement, key), key, ELSEWHERE)
    assert read(page, key).signed.where == ELSEWHERE
    # Its thief can have named any place: the page still counts, and the place isn't passed on.
    found = read_paper(page, ring, CATALOGUE)
    assert (found.vouched, found.page_compared, found.signed.where) == (False, True, BY_COMMAND)


def test_a_vouching_counts_for_one_key_and_one_place(key: SigningKey) -> None:
    _, vouched = vouched_for(key, where=ELSEWHERE)
    assert vouches(key.ring.has_signed, vouched)
    assert not vouches(key.ring.has_signed, replace(vouched, where=BY_COMMAND))
    assert not vouches(key.ring.has_signed, replace(vouched, certificate_sha256="0" * 64))


def test_a_page_of_before_a_rotation_counts_and_one_of_after_it_too(
    statement: Evidence, key: SigningKey, ring: KeyRing, tmp_path: Path
) -> None:
    found = read_paper(paper(statement, key), ring, CATALOGUE)
    assert (found.vouched, found.page_compared) == (False, True)
    assert found.signed.statement == statement
