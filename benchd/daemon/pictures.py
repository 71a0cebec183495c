"""Which fresh pictures the daemon believes, and how its ledger names them."""

from __future__ import annotations

import structlog

from benchd.certificate import SigningKey
from benchd.config import Settings
from benchd.config.fresh_pictures import believed
from benchd.proof.evidence.fresh import FreshPictures
from benchd.signing.pictures import picture_sha256

_log = structlog.get_logger()


def own_pictures(settings: Settings, key: SigningKey) -> FreshPictures:
    """Those that this rack has taken itself; any other is told in the log and excuses nothing."""
    own = believed(settings.fresh_pictures, key.ring)
    for signed in settings.fresh_pictures:
        if signed not in own.all:
            _log.warning("fresh_picture_not_signed", name=signed.picture.model)
    return own


def digests_of(pictures: FreshPictures) -> list[str]:
    """What the ledger knows them by."""
    return [picture_sha256(signed.picture) for signed in pictures.all]
