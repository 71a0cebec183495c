"""What the rack's key has signed beside certificates, and that still counts after a rotation."""

from __future__ import annotations

from benchd.config import Settings
from benchd.config.fresh_pictures import TAKINGS, read_signed
from benchd.felica.verdict.baselines import captured_digests
from benchd.proof.evidence.fresh import SignedTaking
from benchd.signing.pictures import paper_digests
from benchd.signing.ring import KeyRing


def papers_signed(settings: Settings, ring: KeyRing) -> frozenset[str]:
    """The digests of the fresh pictures, takings and captured baselines of this configuration.

    Raises UsageRefused or DataFileInvalid for a file that can't be read.
    """
    takings = [
        read_signed(path, SignedTaking) for path in sorted(settings.fresh_folder.glob(TAKINGS))
    ]
    return paper_digests(settings.fresh_pictures, takings, ring) | captured_digests(
        settings.felica.baselines, ring
    )
