"""The rack's Ed25519 key vouches for the key that signs its papers, inside of each paper."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from benchd.papers.paper_key import PaperKey, paper_key_of
from benchd.signing.private_key import SigningKey

HasSigned = Callable[[bytes, bytes], bool]
"""Whether a key that still counts has signed a message, with this signature."""
_VOUCH: Final = b"benchd signs papers of this place with the certificate of this digest v2\n"
"""Stands before what is signed, so that a signature made for anything else is none here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """A certificate of a key of papers and a place, with the rack's signature over both."""

    certificate_sha256: str
    where: str
    """Where its papers are verified: an address, or a command."""
    signature: bytes


def vouched_for(key: SigningKey, *, where: str) -> tuple[PaperKey, Vouched]:
    """The key of papers of a rack's key, and what vouches for it on papers that name this place."""
    paper = paper_key_of(key)
    digest = hashlib.sha256(paper.certificate).hexdigest()
    signature = key.sign(_message(digest, where))
    return paper, Vouched(certificate_sha256=digest, where=where, signature=signature)


def vouches(has_signed: HasSigned, vouched: Vouched) -> bool:
    """Whether the rack's key has vouched for that certificate and that place."""
    return has_signed(_message(vouched.certificate_sha256, vouched.where), vouched.signature)


def vouch_json(vouched: Vouched) -> str:
    """The file that goes with a paper."""
    told: dict[str, str] = {
        "paper_certificate_sha256": vouched.certificate_sha256,
        "signature": base64.b64encode(vouched.signature).decode(),
        "where": vouched.where,
    }
    return json.dumps(told, sort_keys=True, ensure_ascii=True)


def read_vouch(text: bytes) -> Vouched:
    """What such a file says; ValueError for any other."""
    told: object = json.loads(text)
    if isinstance(told, dict):
        fields = cast("dict[str, object]", told)
        match fields:
            case {
                "paper_certificate_sha256": str() as digest,
                "signature": str() as signature,
                "where": str() as where,
            } if len(digest) == 64 and len(fields) == 3:
                bytes.fromhex(digest)
                try:
                    raw = base64.b64decode(signature, validate=True)
                except binascii.Error as error:
                    raise ValueError(str(error)) from error
                return Vouched(certificate_sha256=digest, where=where, signature=raw)
            case _:
                pass
    message = "it doesn't say which key signs papers"
    raise ValueError(message)


def _message(digest: str, where: str) -> bytes:
    # A digest is of one length: where it ends, the place begins.
    return _VOUCH + bytes.fromhex(digest) + where.encode()
