"""What a rotation names is named in full: 64 lower-case hexadecimal digits, and nothing like it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.signing import canonical
from benchd.signing.key_ring import KeyRing, decode_ring
from benchd.signing.private_key import SigningKey
from benchd.signing.rotation import Retired, Retirement, rotate

OLD, NEW = (SigningKey(Ed25519PrivateKey.from_private_bytes(bytes([one]) * 32)) for one in (1, 2))
DIGESTS = sorted(hashlib.sha256(bytes([one])).hexdigest() for one in range(3))
RETIREMENT = Retirement(
    why=Retired.ROTATED,
    at=datetime(2026, 11, 26, tzinfo=UTC),
    sequence=9,
    head_hash=DIGESTS[0],
    certificates=frozenset(DIGESTS),
    papers=frozenset(DIGESTS[:1]),
    secrets_sha256=DIGESTS[1],
)


def in_other_pieces() -> list[str]:
    """The same bytes in the same order, as many digests, and only the first of them as it was."""
    first, second, third = DIGESTS
    return [first, second + third[:2], third[2:]]


@pytest.mark.parametrize(
    "listed",
    [
        in_other_pieces(),
        [DIGESTS[0].upper(), *DIGESTS[1:]],
        [f"{DIGESTS[0][:2]} {DIGESTS[0][2:]}", *DIGESTS[1:]],
    ],
    ids=["cut elsewhere", "capitals", "a space"],
)
def test_a_list_of_the_same_bytes_in_another_spelling_is_refused(listed: list[str]) -> None:
    ring = KeyRing.of(OLD.public).with_rotation(rotate(OLD.private, NEW.private, RETIREMENT, None))
    assert decode_ring(ring.encode(), NEW.public) == ring
    told = canonical.decode(ring.encode(), ascii_only=True)
    assert sorted(listed) == listed
    assert b"".join(map(bytes.fromhex, listed)) == b"".join(map(bytes.fromhex, DIGESTS))
    told["rotations"][0]["certificates"] = listed  # pyright: ignore - JSON
    with pytest.raises(ValueError, match="64 lower-case hexadecimal digits"):
        decode_ring(canonical.encode(told, ascii_only=True), NEW.public)


@pytest.mark.parametrize(
    "other", ["", "00" * 31, "00" * 33, "AB" * 32, "zz" * 32, "٠" * 64], ids="abcdef"
)
@pytest.mark.parametrize("field", ["certificates", "papers", "head_hash", "secrets_sha256"])
def test_no_rotation_is_made_that_names_anything_but_digests(field: str, other: str) -> None:
    named = frozenset({other}) if field in {"certificates", "papers"} else other
    told = replace(RETIREMENT, certificates=frozenset(), papers=frozenset())
    rotate(OLD.private, NEW.private, told, None)
    with pytest.raises(ValueError, match="hexadecimal"):
        rotate(OLD.private, NEW.private, replace(told, **{field: named}), None)
