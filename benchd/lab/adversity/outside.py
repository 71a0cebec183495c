"""Who has seen how far the rack's ledger had come: its certificates, and an anchor."""

from __future__ import annotations

from collections.abc import Iterable

from benchd.certificate.ledger_claims import Claims
from benchd.domain.ports import Anchor
from benchd.ledger.head import Head, decode_head
from benchd.ledger.witness import Witness
from benchd.outbound.anchors.anchor_sender import witness_of
from benchd.signing.public_key import public_key_of


class SimulatedAnchor:
    """Implements `benchd.domain.ports.Anchor`: always there, and never forgets."""

    name = "anchor"

    def __init__(self) -> None:
        self.kept: bytes | None = None

    async def keep(self, signed_head: bytes) -> str:
        """Take a head."""
        self.kept = signed_head
        return "kept"

    async def newest(self) -> bytes | None:
        """The last head that it was sent."""
        return self.kept


class Witnesses:
    """What a start asks before it believes its ledger."""

    def __init__(self, anchor: SimulatedAnchor | None, public_key_pem: bytes) -> None:
        self._anchor = anchor
        self._claims = Claims(public_key_pem)
        self._key = public_key_of(public_key_pem)

    @property
    def anchors(self) -> list[Anchor]:
        """Where heads are sent."""
        return [] if self._anchor is None else [self._anchor]

    @property
    def anchored(self) -> int:
        """The last record that the anchor knows of."""
        signed = None if self._anchor is None else self._anchor.kept
        return 0 if signed is None else decode_head(signed, self._key).sequence

    async def of(self, certificates: Iterable[bytes]) -> list[Witness]:
        """Each certificate that was kept, and the anchor."""
        claims = [claim for claim in map(self._claims.of, certificates) if claim is not None]
        told = [
            Witness(
                told_by="a certificate",
                head=Head(sequence=claim.last_sequence, hash=bytes.fromhex(claim.head_hash)),
                job=claim.job,
            )
            for claim in claims
        ]
        anchored = None if self._anchor is None else await witness_of(self._anchor, self._key)
        return told if anchored is None else [*told, anchored]
