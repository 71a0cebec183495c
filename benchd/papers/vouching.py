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
from benchd.signing.key import SigningKey

HasSigned = Callable[[bytes, bytes], bool]
"""Whether a key that still counts has signed a message, with this signature."""
_VOUCH: Final = b"benchd signs papers with the certificate of this digest v1\n"
"""Stands before what is signed, so that a signature made for anything else is none here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouched:
    """A certificate of a key of papers, and the rack's signature over its digest."""

    certificate_sha256: str
    signature: bytes


def vouched_for(key: SigningKey) -> tuple[PaperKey, Vouched]:
    """The key of papers of a rack's key, and what vouches for it."""
    paper = paper_key_of(key)
    digest = hashlib.sha256(paper.certificate)
    signature = key.sign(_VOUCH + digest.digest())
    return paper, Vouched(certificate_sha256=digest.hexdigest(), signature=signature)


def vouches(has_signed: HasSigned, vouched: Vouched) -> bool:
    """Whether the rack's key has vouched for that certificate."""
    message = _VOUCH + bytes.fromhex(vouched.certificate_sha256)
    return has_signed(message, vouched.signature)


def vouch_json(vouched: Vouched, *, where: str) -> str:
    """The file that goes with a paper."""
    told: dict[str, str] = {
        "paper_certificate_sha256": vouched.certificate_sha256,
        "signature": base64.b64encode(vouched.signature).decode(),
        "where": where,
    }
    return json.dumps(told, sort_keys=True, ensure_ascii=True)


def read_vouch(text: bytes) -> tuple[Vouched, str]:
    """What such a file says, and where papers are verified; ValueError for any other."""
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
                return Vouched(certificate_sha256=digest, signature=raw), where
            case _:
                pass
    message = "it doesn't say which key signs papers"
    raise ValueError(message)
