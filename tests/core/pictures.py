"""Fresh pictures of the model that the world's phones are of, learned as people learn them."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.certificate.signed_pictures import sign_picture, taking_sha256
from benchd.domain.handset import Package
from benchd.proof.evidence.fresh_evidence import FreshPicture, FreshPictures, FreshTaking
from benchd.proof.fresh_comparison import approve, learn
from benchd.signing.private_key import SigningKey

from .world import MIB

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))
PHONE = "com.android.localphone"
MEMO = Package(
    name="com.nttdocomo.android.schedulememo",
    place="/oem/deletable-app/schedulememo/schedulememo.apk",
)


def mark(handset: str) -> str:
    """What tells a handset of these tests from another."""
    return hashlib.sha256(handset.encode()).hexdigest()


def taking(**changes: object) -> FreshTaking:
    """What 佐藤's handset shows, unless changed."""
    told: dict[str, Any] = {
        "manufacturer": "Sony",
        "model": "SO-51C",
        "build": "TQ2A",
        "by": "佐藤",
        "taken_at": datetime(2026, 11, 25, 9, 0, tzinfo=UTC),
        "marks": (mark("one"),),
        "used_bytes": 11 * MIB,
        "maker_accounts": 1,
        "maker_account_types": (PHONE,),
        "packages": (MEMO,),
        "boot_count": 1,
        "up_s": 600,
        **changes,
    }
    return FreshTaking(**told)


def picture_from(one: FreshTaking, other: FreshTaking) -> FreshPicture:
    """What both make together."""
    return learn((one, taking_sha256(one)), (other, taking_sha256(other)))


def picture(**changes: object) -> FreshPicture:
    """A picture that was taken as it should be, of handsets changed alike."""
    other: dict[str, object] = {"by": "鈴木", "marks": (mark("other"),), **changes}
    made = picture_from(taking(**changes), taking(**other))
    return approve(made, by="森", at=datetime(2026, 11, 25, 10, 0, tzinfo=UTC))


def pictures(*all_of_them: FreshPicture) -> FreshPictures:
    """What the rack believes."""
    return FreshPictures(all=tuple(sign_picture(one, KEY) for one in all_of_them))
