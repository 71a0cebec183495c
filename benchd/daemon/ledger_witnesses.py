"""What certificates and anchors know of the ledger, before it is opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import structlog

from benchd.certificate.ledger_claims import Claims, claims_in
from benchd.config import Settings
from benchd.config.config_sections import AnchorSettings
from benchd.domain.errors import AnchorUnreachable
from benchd.domain.ports import Anchor
from benchd.ledger.head import Head
from benchd.ledger.rotation_check import witnesses_of_ring
from benchd.ledger.witness import Witness
from benchd.outbound.anchors.anchor_sender import witness_of
from benchd.outbound.anchors.folder_anchor import FolderAnchor
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import Signer

CERTIFICATES_ASKED = 1000
"""How many of the newest are asked: the last days of a busy rack, at 0.6 ms each."""

_log = structlog.get_logger()


def certificates_that_know(directory: Path, trusted: bytes | KeyRing) -> list[Witness]:
    """Each of the newest certificates, with the record that it was made after."""
    try:
        return [
            Witness(
                told_by=f"the certificate {file}",
                head=Head(sequence=claim.last_sequence, hash=bytes.fromhex(claim.head_hash)),
                job=claim.job,
            )
            for file, claim in claims_in(directory, Claims(trusted), CERTIFICATES_ASKED)
        ]
    except OSError as error:
        # Certificates that can't be read accuse nobody.
        _log.warning("certificates_not_asked", detail=str(error))
        return []


def anchors_of(settings: AnchorSettings, ring: KeyRing) -> list[Anchor]:
    """The places that the configuration names."""
    anchors: list[Anchor] = []
    if settings.folder is not None:
        anchors.append(FolderAnchor(settings.folder, ring.rack))
    if settings.url is not None:
        # Before any slot is shown, so on the loop; and not where there is no such place.
        from benchd.outbound.anchors.http_anchor import HttpAnchor  # noqa: PLC0415

        anchors.append(HttpAnchor(settings.url, ring.rack))
    return anchors


async def anchors_that_know(anchors: Sequence[Anchor], signer: Signer) -> list[Witness]:
    """The newest head of each anchor; one that can't be reached is asked again later."""
    witnesses: list[Witness] = []
    for anchor in anchors:
        try:
            witness = await witness_of(anchor, signer)
        except AnchorUnreachable as away:
            _log.warning("anchor_unreachable", detail=str(away))
        else:
            witnesses += [witness] if witness is not None else []
    return witnesses


async def witnesses_of(settings: Settings, ring: KeyRing) -> list[Witness]:
    """All that is known of the ledger outside of it."""
    anchors = anchors_of(settings.ledger.anchor, ring)
    return [
        *witnesses_of_ring(ring),
        *certificates_that_know(settings.certificate.directory, ring),
        *await anchors_that_know(anchors, ring),
    ]


async def witnesses_at_start(settings: Settings, ring: KeyRing) -> list[Witness]:
    """The same for the daemon, which tells where it has to begin a ledger."""
    if not settings.ledger.path.exists():
        _log.warning("ledger_begun", path=str(settings.ledger.path))
    return await witnesses_of(settings, ring)
