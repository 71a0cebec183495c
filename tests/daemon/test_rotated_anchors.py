"""What an anchor keeps of a rack whose key was rotated: a retired key accuses nobody there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog.testing import capture_logs

from benchd.certificate import SigningKey, load_key
from benchd.config import Settings
from benchd.config.config_sections import AnchorSettings
from benchd.daemon.ledger_witnesses import anchors_of, anchors_that_know
from benchd.daemon.system import SystemClock
from benchd.domain.errors import AnchorUnreachable
from benchd.domain.ports import Anchor
from benchd.ledger import open_ledger
from benchd.ledger.head import Head, encode_head
from benchd.outbound.anchors.anchor_sender import Anchoring, witness_of
from tests.daemon.rotated_rack import FIRST, key_of, rotated, sell

pytestmark = pytest.mark.asyncio


@dataclass
class Heard:
    """A fake of what the daemon does about it."""

    told: list[object] = field(default_factory=list)

    def diverged(self) -> None:
        self.told.append("outrun")

    def anchored_before(self, sequence: int, at: datetime) -> None:
        self.told.append(("before", sequence))

    def anchored(self, sequence: int, at: datetime) -> None:
        self.told.append(sequence)

    def anchor_unreachable(self) -> None:
        self.told.append("unreachable")


async def kept_anchor(settings: Settings) -> tuple[Anchor, int]:
    """The head of the rack as it is now, sent out; whom to, and the head's number."""
    key = key_of(settings)
    async with open_ledger(settings.ledger.path, head_key=key, ring=key.ring) as ledger:
        anchor = anchor_of(settings, key)
        await anchor.keep(ledger.signed_head()[1])
        return anchor, ledger.head.sequence


def anchor_of(settings: Settings, key: SigningKey) -> Anchor:
    folder = settings.ledger.path.parent / "mount"
    folder.mkdir(exist_ok=True)
    [anchor] = anchors_of(AnchorSettings(folder=folder), key.ring)
    return anchor


async def test_an_anchor_knows_the_rack_by_its_first_key(rack: Settings) -> None:
    first = key_of(rack)
    await sell(rack, FIRST)
    anchor, sequence = await kept_anchor(rack)
    witness = await witness_of(anchor, first.ring)
    assert witness is not None
    assert witness.head.sequence == sequence
    await rotated(rack)
    key = key_of(rack)
    assert key.ring.rack == first.key_id
    later = anchor_of(rack, key)
    assert await later.newest() == await anchor.newest()
    # What it tells up to the rotation, the ring tells as well, by a key that nobody has stolen.
    assert await witness_of(later, key.ring) is None
    _, sequence = await kept_anchor(rack)
    witness = await witness_of(anchor, key.ring)
    assert witness is not None
    assert witness.head.sequence == sequence


@pytest.mark.parametrize("beyond", [False, True])
async def test_a_stolen_old_key_at_an_anchor_stops_nothing(rack: Settings, beyond: bool) -> None:
    await sell(rack, FIRST)
    stolen = load_key(rack.certificate.key)
    await rotated(rack)
    anchor, sequence = await kept_anchor(rack)
    lie = Head(sequence=sequence + 5 if beyond else sequence - 2, hash=bytes(32))
    await anchor.keep(encode_head(lie, stolen))
    key = key_of(rack)
    with capture_logs() as logs:
        witnesses = await anchors_that_know([anchor], key.ring)
    assert [(one["event"], one["log_level"]) for one in logs] == [
        ("anchor_head_ignored", "warning")
    ]
    heard = Heard()
    async with open_ledger(
        rack.ledger.path, head_key=key, ring=key.ring, witnesses=witnesses
    ) as ledger:
        sender = Anchoring(
            ledger,
            ledger.append,
            [anchor],
            key=key.ring,
            clock=SystemClock(),
            sink=heard,
            every_s=900,
        )
        assert await sender.send()
    assert heard.told == [sequence]
    # And what is sent out next counts again.
    witness = await witness_of(anchor, key.ring)
    assert witness is not None
    assert witness.head.sequence == sequence


async def test_a_head_that_no_key_of_the_rack_has_signed_is_nobodys(rack: Settings) -> None:
    await sell(rack, FIRST)
    await rotated(rack)
    anchor, sequence = await kept_anchor(rack)
    stranger = SigningKey(Ed25519PrivateKey.generate())
    await anchor.keep(encode_head(Head(sequence=sequence, hash=bytes(32)), stranger))
    with pytest.raises(AnchorUnreachable, match="isn't this rack's"):
        await witness_of(anchor, key_of(rack).ring)
