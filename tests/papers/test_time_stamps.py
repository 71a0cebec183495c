"""A time stamp stands beside the signature, which doesn't cover it; and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asn1crypto import cms

from benchd.certificate import SigningKey
from benchd.domain.errors import CertificateInvalid
from benchd.domain.ids import Evidence
from benchd.papers.pdf_signing import sign_pdf
from tests.papers.papers_made import draft, paper, read, vouching
from tests.papers.stamping import beside, signed_beside, stamps_in, time_stamper


@pytest.fixture(scope="module")
def stamped(statement: Evidence, key: SigningKey) -> bytes:
    unsigned = draft(statement, key)
    return sign_pdf(unsigned, vouching(key)[0], name="x", time_stamps=time_stamper())


def test_a_time_stamp_goes_with_the_signature(
    stamped: bytes, statement: Evidence, key: SigningKey
) -> None:
    assert len(stamps_in(stamped)) == 1
    assert read(stamped, key).page_compared
    assert paper(statement, key) != stamped


OTHERS: dict[str, Callable[[Any], list[Any]]] = {
    "none": lambda _: [],
    "no value": lambda _: beside(),
    "two": lambda stamp: beside(stamp, stamp),
    "twice": lambda stamp: beside(stamp) + beside(stamp),
    "no stamp": lambda _: beside(cms.ContentInfo({"content_type": "data"})),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_nothing_stands_in_the_place_of_a_time_stamp(
    other: Callable[[Any], list[Any]], stamped: bytes, key: SigningKey
) -> None:
    [stamp] = stamps_in(stamped)
    assert signed_beside(stamped, beside(stamp)) == stamped
    with pytest.raises(CertificateInvalid):
        read(signed_beside(stamped, other(stamp)), key)


def test_the_time_stamp_of_another_signature_is_refused(
    stamped: bytes, statement: Evidence, key: SigningKey
) -> None:
    again = sign_pdf(draft(statement, key), vouching(key)[0], name="x", time_stamps=time_stamper())
    with pytest.raises(CertificateInvalid):
        read(signed_beside(stamped, beside(*stamps_in(again))), key)


@pytest.mark.parametrize("values", [(), (cms.ContentInfo({"content_type": "data"}),)])
def test_beside_a_signature_without_one_there_is_no_room(
    values: tuple[Any, ...], pdf: bytes, key: SigningKey
) -> None:
    longer = signed_beside(pdf, beside(*values))
    assert len(longer) > len(pdf)
    with pytest.raises(CertificateInvalid):
        read(longer, key)


def test_a_stamp_that_its_service_has_not_signed_is_refused(
    stamped: bytes, key: SigningKey
) -> None:
    [stamp] = stamps_in(stamped)
    broken = cms.ContentInfo.load(stamp.dump())
    signer = broken["content"]["signer_infos"][0]
    signer["signature"] = bytes(len(signer["signature"].native))
    again = cms.ContentInfo({"content_type": "signed_data", "content": broken["content"].copy()})
    with pytest.raises(CertificateInvalid):
        read(signed_beside(stamped, beside(again)), key)
