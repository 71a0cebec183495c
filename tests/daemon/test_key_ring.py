"""The ring that leads from the newest key to all others: whole, or of no use."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from benchd.certificate import SigningKey, verify_certificate
from benchd.daemon.ledger_witnesses import witnesses_of
from benchd.domain.errors import CertificateInvalid, LedgerBroken
from benchd.ledger import export_lines, open_ledger, verify_ledger
from benchd.ledger.head_file import head_path, reset_head
from benchd.signing import canonical
from benchd.signing.ring import KeyRing, decode_ring
from benchd.signing.rotation import Retirement, rotate
from tests.certificate.certificate_rack import IMEI
from tests.daemon.rotated_rack import (
    JOBS,
    Rack,
    forged,
    key_of,
    make_rack,
    rotated,
    sell,
)

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def rack(tmp_path: Path) -> Rack:
    rack = Rack(make_rack(tmp_path))
    await rack.live()
    return rack


async def test_thieves_of_every_old_key_can_not_rewrite_the_ring(rack: Rack) -> None:
    lie = forged(rack.certificates[0], rack.stolen[0], site="横浜")
    ring = rack.ring()
    told = ring.rotations[0].retirement
    wider = Retirement(
        why=told.why,
        at=told.at,
        sequence=told.sequence,
        head_hash=told.head_hash,
        certificates=told.certificates | {hashlib.sha256(lie).hexdigest()},
        papers=told.papers,
        secrets_sha256=told.secrets_sha256,
    )
    first = rotate(rack.stolen[0].private, rack.stolen[1].private, wider, None)
    second = rotate(
        rack.stolen[1].private, rack.stolen[2].private, ring.rotations[1].retirement, first.digest
    )
    # With the newest key as well it would hold: that is what it has to be kept for.
    one = KeyRing.of(rack.stolen[0].public).with_rotation(first)
    verify_certificate(lie, decode_ring(one.with_rotation(second).encode(), ring.trusted))
    swapped = KeyRing(keys=ring.keys, rotations=(first, ring.rotations[1]))
    with pytest.raises(ValueError, match="doesn't follow the one before it"):
        decode_ring(swapped.encode(), ring.trusted)
    evil = SigningKey(Ed25519PrivateKey.generate())
    forked = one.with_rotation(rotate(rack.stolen[1].private, evil.private, told, first.digest))
    with pytest.raises(ValueError, match="doesn't lead to the key"):
        decode_ring(forked.encode(), ring.trusted)


async def test_no_byte_of_the_ring_can_be_changed(rack: Rack) -> None:
    data, random_ = rack.ring_file, random.Random(20261126)
    for _ in range(400):
        changed = bytearray(data)
        changed[random_.randrange(len(data))] ^= random_.randint(1, 255)
        with pytest.raises((ValueError, UnicodeError)):
            decode_ring(bytes(changed), rack.stolen[-1].public)
    for other in (b"", b"{}", data + b"\n", b"[" * 100_000, data[:-1]):
        with pytest.raises(ValueError, match=r"."):
            decode_ring(other, rack.stolen[-1].public)


async def test_who_pinned_an_old_key_believes_no_key_after_it(rack: Rack) -> None:
    pinned = rack.ring(0)
    verify_certificate(rack.certificates[0], pinned)
    with pytest.raises(CertificateInvalid, match="doesn't name"):
        verify_certificate(forged(rack.certificates[0], rack.stolen[0], site="横浜"), pinned)
    with pytest.raises(CertificateInvalid, match="get the newest one"):
        verify_certificate(rack.certificates[2], pinned)


async def test_a_stranger_checks_the_ring_with_nothing_of_benchd(rack: Rack) -> None:
    def key(raw: str) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(raw))

    # As docs/keys.md has it.
    told = json.loads(rack.ring_file)
    before, previous = told["first_key"], None
    counts: dict[str, set[str]] = {}
    for rotation in told["rotations"]:
        statement = rotation["statement"]
        signed = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
        message = b"benchd key rotation v1\n" + signed
        key(statement["old_key"]).verify(bytes.fromhex(rotation["old_signature"]), message)
        key(statement["new_key"]).verify(bytes.fromhex(rotation["new_signature"]), message)
        assert (statement["old_key"], statement["previous"]) == (before, previous)
        named = b"".join(map(bytes.fromhex, sorted(rotation["certificates"])))
        assert hashlib.sha256(named).hexdigest() == statement["certificates_sha256"]
        key_id = hashlib.sha256(bytes.fromhex(before)).hexdigest()
        counts[key_id] = set(rotation["certificates"])
        before, previous = statement["new_key"], hashlib.sha256(signed).hexdigest()
    assert key(before) == rack.stolen[-1].public
    for certificate in rack.certificates[:-1]:
        key_id = json.loads(certificate)["signatures"][0]["keyid"]
        assert hashlib.sha256(certificate).hexdigest() in counts[key_id]


async def test_two_rings_of_one_rack_are_one_text(rack: Rack) -> None:
    assert rack.ring().encode() == rack.ring_file
    assert canonical.decode(rack.ring_file, ascii_only=True)


async def test_the_rotations_are_on_record_and_the_ledger_holds(rack: Rack) -> None:
    path = rack.settings.ledger.path
    report = verify_ledger(path, rack.stolen[-1].public_key_pem, rack.ring())
    bodies = [json.loads(line)["body"] for line in export_lines(path)]
    assert report.records == len(bodies)
    found = [body for body in bodies if body["kind"] == "key_rotated"]
    assert [body["data"]["operator"] for body in found] == ["佐藤", "佐藤"]
    for body, rotation in zip(found, rack.ring().rotations, strict=True):
        assert body["data"]["statement"] == rotation.statement
        assert body["sequence"] == rotation.retirement.sequence + 1
    assert IMEI not in rack.ring_file.decode()


async def test_a_head_by_a_stolen_old_key_is_none(rack: Rack) -> None:
    path, key = rack.settings.ledger.path, key_of(rack.settings)
    async with open_ledger(path, head_key=key, ring=key.ring) as ledger:
        head = ledger.head
    reset_head(head_path(path), head, rack.stolen[0])
    with pytest.raises(LedgerBroken, match="isn't signed by this rack's key"):
        verify_ledger(path, key.public_key_pem, key.ring)


async def test_an_older_ledger_is_found_by_the_ring(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    await sell(settings, JOBS[0])
    shutil.copytree(tmp_path / "state", tmp_path / "older")
    await sell(settings, JOBS[1])
    await rotated(settings)
    shutil.rmtree(tmp_path / "state")
    shutil.rmtree(tmp_path / "certificates")
    (tmp_path / "older").rename(tmp_path / "state")
    key = key_of(settings)
    with pytest.raises(LedgerBroken, match=r"the rotation of .* names record"):
        async with open_ledger(
            settings.ledger.path,
            head_key=key,
            ring=key.ring,
            witnesses=await witnesses_of(settings, key.ring),
        ):
            pass
