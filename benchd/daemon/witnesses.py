"""What the rack's own certificates know of its ledger, before the ledger is opened."""

from __future__ import annotations

from pathlib import Path

import structlog

from benchd.certificate.claims import Claims, claims_in
from benchd.ledger.head import Head
from benchd.ledger.witness import Witness

CERTIFICATES_ASKED = 1000
"""How many of the newest are asked: the last days of a busy rack, in half a second."""

_log = structlog.get_logger()


def certificates_that_know(directory: Path, public_key_pem: bytes) -> list[Witness]:
    """Each of the newest certificates, with the record that it was made after."""
    try:
        return [
            Witness(
                told_by=f"the certificate {file}",
                head=Head(sequence=claim.last_sequence, hash=bytes.fromhex(claim.head_hash)),
                job=claim.job,
            )
            for file, claim in claims_in(directory, Claims(public_key_pem), CERTIFICATES_ASKED)
        ]
    except OSError as error:
        # Certificates that can't be read accuse nobody.
        _log.warning("certificates_not_asked", detail=str(error))
        return []
