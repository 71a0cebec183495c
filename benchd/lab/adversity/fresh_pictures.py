"""Fresh pictures as they lie in a rack's folder, one of them true, and what each would excuse."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.certificate.signed_pictures import believed, sign_picture
from benchd.domain.handset import Package
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.kinds import Lie, Owner, Picture
from benchd.lab.adversity.schedule import BayPlan, Schedule
from benchd.lab.adversity.truth import GIB, Truth
from benchd.lab.adversity.truth_answers import identity_of
from benchd.proof.evidence.fresh_evidence import FreshPicture, FreshPictures, SignedPicture, Witness
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import public_key_of

OWN_TYPE: Final = "com.android.localphone"
PERSONS_TYPE: Final = "com.google"
BROUGHT_ALONG: Final = Package(name="jp.example.memo", place="/oem/deletable-app/memo/memo.apk")
INSTALLED: Final = Package(name="jp.example.memo", place="/data/app/~~x==/jp.example.memo/base.apk")
USED_BYTES: Final = 5 * GIB
_CHANGES: Final[Mapping[Picture, Mapping[str, Any]]] = {
    Picture.ALTERED: {"maker_accounts": 0, "maker_account_types": (), "packages": ()},
    Picture.OTHER_MODEL: {"model": "SO-99Z"},
    Picture.OLDER_BUILD: {"build": "TQ1A"},
    Picture.PERSON: {"maker_account_types": (OWN_TYPE, PERSONS_TYPE)},
    Picture.DATA_PACKAGE: {"packages": (INSTALLED,)},
}
"""What is signed in the place of what is true."""
LIES: Final = tuple(kind for kind in Picture if kind not in (Picture.NONE, Picture.TRUE))
_TAKEN_AT: Final = datetime(2026, 1, 1, tzinfo=UTC)
_SHARE: Final = 0.2
_TRUE_SHARE: Final = 0.2
_QUIET_STARTS: Final = 1
"""Any more would show that its reset isn't the last thing that was done to it."""
_FOREIGN: Final = SigningKey(
    Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"another rack").digest())
)


def with_pictures(schedule: Schedule) -> Schedule:
    """The same with a fresh picture in the rack's folder, by a chance of its own."""
    chance = random.Random(f"{schedule.seed} in the folder of pictures")  # noqa: S311 - as drawn
    bay = chance.choice(schedule.bays)
    # Of twins the one would have to be as the other; a single lie is drawn for each handset.
    alone = not any(each.twin_of_first for each in schedule.bays)
    if chance.random() > _SHARE or not alone or bay.handset.lie is not Lie.NOTHING:
        return schedule
    kind = Picture.TRUE if chance.random() < _TRUE_SHARE else chance.choice(LIES)
    pictured = with_picture(bay, kind)
    return replace(
        schedule, bays=tuple(pictured if each is bay else each for each in schedule.bays)
    )


def with_picture(bay: BayPlan, kind: Picture) -> BayPlan:
    """A slot whose handset shows just what a lying picture would excuse, or a true one."""
    if kind is Picture.TRUE:
        return replace(bay, picture=kind)
    return replace(bay, picture=kind, handset=replace(bay.handset, owner=Owner.QUIET))


def without_pictures(schedule: Schedule) -> Schedule:
    """The same with nothing in that folder, and handsets that came in reset."""

    def plain(bay: BayPlan) -> BayPlan:
        if bay.picture is Picture.NONE:
            return bay
        handset = replace(bay.handset, owner=Owner.RESET)
        return replace(bay, picture=Picture.NONE, handset=handset)

    return replace(schedule, bays=tuple(map(plain, schedule.bays)))


def furnish(truth: Truth, kind: Picture, *, is_own: bool) -> None:
    """Put on a handset what its owner has left quietly, or what its system makes by itself."""
    if kind is Picture.TRUE:
        truth.makes_account, truth.brings = True, (BROUGHT_ALONG,)
        truth.maker_accounts, truth.packages = 1, truth.brings
    elif kind is not Picture.NONE and is_own:
        truth.quiet = True
        truth.boot_count = _QUIET_STARTS
        truth.accounts = int(kind is Picture.PERSON)
        truth.maker_accounts = int(kind not in (Picture.PERSON, Picture.DATA_PACKAGE))
        truth.packages = (INSTALLED if kind is Picture.DATA_PACKAGE else BROUGHT_ALONG,)


def pictures_of(bays: Iterable[Bay], key: SigningKey) -> FreshPictures:
    """What the rack believes of its folder, by the daemon's own code.

    Those that `check-config` would refuse lie in it all the same.
    """
    told = [_picture(bay.own, bay.plan.picture, key) for bay in bays]
    return believed((one for one in told if one is not None), public_key_of(key.public_key_pem))


def _picture(truth: Truth, kind: Picture, key: SigningKey) -> SignedPicture | None:
    true = _true(truth)
    changed: FreshPicture = replace(true, **_CHANGES.get(kind, {}))
    match kind:
        case Picture.NONE:
            return None
        case Picture.ALTERED:
            return replace(sign_picture(changed, key), picture=true)
        case Picture.UNSIGNED:
            return SignedPicture(picture=true, signature="0" * 128)
        case _:
            return sign_picture(changed, _FOREIGN if kind is Picture.FOREIGN else key)


def _true(truth: Truth) -> FreshPicture:
    """As two people would have taken it."""
    identity = identity_of(truth)
    return FreshPicture(
        manufacturer=identity.manufacturer,
        model=identity.model,
        build=identity.build,
        used_bytes=USED_BYTES,
        maker_accounts=1,
        maker_account_types=(OWN_TYPE,),
        packages=(BROUGHT_ALONG,),
        witnesses=(_witness("Mori"), _witness("Endo")),
        approved_by="Hara",
        approved_at=_TAKEN_AT,
    )


def _witness(by: str) -> Witness:
    mark = hashlib.sha256(by.encode()).hexdigest()
    return Witness(
        by=by,
        taken_at=_TAKEN_AT,
        marks=(mark,),
        used_bytes=USED_BYTES,
        sha256=mark,
        boot_count=1,
        up_s=600,
    )
