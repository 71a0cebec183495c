"""Signs the statement of lot papers with the rack's key, and checks it again.

Its payload has a type of its own, which DSSE signs along: no such file is ever a certificate, and
no certificate is such a file.
"""

from __future__ import annotations

import json
from typing import Final

import rfc8785

from benchd.certificate.envelope import Envelope, decode_envelope, encode_envelope, signed_bytes
from benchd.domain.errors import CertificateGap, CertificateInvalid
from benchd.domain.evidence_json import from_json, to_json
from benchd.papers.lots.lot_statement import LotPapers, faults_of
from benchd.signing.key_ring import KeyRing
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import has_signed

PAYLOAD_TYPE: Final = "application/vnd.benchd.lot-papers+json"
MAX_BYTES: Final = 32 << 20
"""20,000 lines with their files take some 18 MB."""


def sign_lot_papers(papers: LotPapers, key: SigningKey) -> bytes:
    """The signed file; raises CertificateGap for a statement that doesn't agree with itself."""
    faults = tuple(faults_of(papers))
    if faults:
        raise CertificateGap(faults)
    payload = rfc8785.dumps(to_json(papers))
    signature = key.sign(signed_bytes(payload, PAYLOAD_TYPE))
    envelope = Envelope(payload=payload, key_id=key.key_id, signature=signature)
    return encode_envelope(envelope, PAYLOAD_TYPE)


def verify_lot_papers(data: bytes, ring: KeyRing) -> tuple[LotPapers, str]:
    """What such a file states, and the id of its key; raises CertificateInvalid.

    A retired key counts for certificates that its rotation names, and never for these: whoever has
    stolen it could make any. Papers are made again by the new one, or checked by the key of then.
    """
    if len(data) > MAX_BYTES:
        raise CertificateInvalid(f"the list is larger than {MAX_BYTES} bytes: none is")
    try:
        envelope = decode_envelope(data, PAYLOAD_TYPE)
    except ValueError as error:
        raise CertificateInvalid(f"the list isn't one of benchd: {error}") from error
    place = ring.place_of(envelope.key_id)
    if place is None:
        raise CertificateInvalid("the list names another key than the one that was given")
    if not has_signed(
        ring.keys[place], signed_bytes(envelope.payload, PAYLOAD_TYPE), envelope.signature
    ):
        raise CertificateInvalid("the signature doesn't fit: the list has changed since")
    if ring.retired_by(place) is not None:
        raise CertificateInvalid(
            "the key of the list was retired since: have these papers made again, or check them"
            " with the key of their time"
        )
    return _stated(envelope.payload), envelope.key_id


def _stated(payload: bytes) -> LotPapers:
    try:
        told = json.loads(payload)
        papers = from_json(LotPapers, told, "lot papers")
        same = rfc8785.dumps(told) == payload
    except (CertificateGap, ValueError, RecursionError) as error:
        raise CertificateInvalid(f"what was signed isn't a list of benchd: {error}") from error
    if not same:
        raise CertificateInvalid("what was signed isn't written as benchd writes it")
    faults = tuple(faults_of(papers))
    if faults:
        raise CertificateInvalid(f"what was signed contradicts itself: {'; '.join(faults)}")
    return papers
