"""What the rack's key signs of fresh pictures, and of the takings that make them."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import Final

from benchd.proof.evidence.fresh_evidence import (
    FreshPicture,
    FreshPictures,
    FreshTaking,
    SignedPicture,
    SignedTaking,
    content_of,
)
from benchd.proof.fresh_proof import approval_faults
from benchd.signing import canonical
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import Signer, has_signed
from benchd.signing.rack_secrets import PICTURE_MARKS

_PICTURE: Final = b"benchd fresh picture v1\n"
_TAKING: Final = b"benchd fresh taking v1\n"
"""Stand before what is signed, so that a signature made for anything else is none here."""


def picture_sha256(picture: FreshPicture) -> str:
    """The digest of all that a picture says, whoever signed it."""
    return hashlib.sha256(_content(picture)).hexdigest()


def taking_sha256(taking: FreshTaking) -> str:
    """The digest of all that a taking says."""
    return hashlib.sha256(_content(taking)).hexdigest()


def sign_picture(picture: FreshPicture, key: SigningKey) -> SignedPicture:
    """The picture with the signature that makes it count."""
    return SignedPicture(picture=picture, signature=key.sign(_PICTURE + _content(picture)).hex())


def sign_taking(taking: FreshTaking, key: SigningKey) -> SignedTaking:
    """The taking with this rack's signature."""
    return SignedTaking(taking=taking, signature=key.sign(_TAKING + _content(taking)).hex())


def has_signed_picture(signer: Signer, signed: SignedPicture) -> bool:
    """Whether this rack has taken that picture as it stands."""
    message = _PICTURE + _content(signed.picture)
    return has_signed(signer, message, bytes.fromhex(signed.signature))


def has_signed_taking(signer: Signer, signed: SignedTaking) -> bool:
    """Whether this rack has taken that as it stands."""
    message = _TAKING + _content(signed.taking)
    return has_signed(signer, message, bytes.fromhex(signed.signature))


def paper_digests(
    pictures: Iterable[SignedPicture], takings: Iterable[SignedTaking], signer: Signer
) -> frozenset[str]:
    """What a rotation names those by that this rack has signed: SHA-256 of what was signed."""
    messages = [
        *(_PICTURE + _content(o.picture) for o in pictures if has_signed_picture(signer, o)),
        *(_TAKING + _content(o.taking) for o in takings if has_signed_taking(signer, o)),
    ]
    return frozenset(hashlib.sha256(message).hexdigest() for message in messages)


def marks_of(numbers: Iterable[str], key: SigningKey) -> tuple[str, ...]:
    """What tells handsets apart without telling their numbers to whoever hasn't this rack's key."""
    secret = key.derive(PICTURE_MARKS)
    return tuple(hmac.digest(secret, number.encode(), "sha256").hex() for number in numbers)


def _content(value: FreshPicture | FreshTaking) -> bytes:
    return canonical.encode(content_of(value))


def believed(pictures: Iterable[SignedPicture], signer: Signer) -> FreshPictures:
    """Those that the rack's own key has signed as somebody in charge has approved them.

    The newest of a model comes first.
    """
    own = [
        signed
        for signed in pictures
        if not approval_faults(signed.picture) and has_signed_picture(signer, signed)
    ]
    own.sort(key=lambda signed: max(w.taken_at for w in signed.picture.witnesses), reverse=True)
    return FreshPictures(all=tuple(own))
