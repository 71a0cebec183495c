"""The ring that leads from the newest key to all others: by benchd and the verifier in docs/."""

from __future__ import annotations

import hashlib
import json
import random
import runpy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from benchd.certificate import SigningKey, verify_certificate
from benchd.domain.errors import CertificateInvalid
from benchd.ledger import export_lines, verify_ledger
from benchd.signing import canonical
from benchd.signing.key_ring import KeyRing, decode_ring
from benchd.signing.rotation import Retired, Rotation, rotate
from tests.certificate.certificate_rack import IMEI
from tests.daemon.rotated_rack import (
    FIRST,
    JOBS,
    Rack,
    files_of,
    forged,
    issuer_of,
    key_of,
    make_rack,
    rotated,
    sell,
)

PROGRAM = Path(__file__).parents[2] / "docs" / "verify_certificate.py"


VERIFIED = runpy.run_path(str(PROGRAM))["verified"]
Verify = Callable[..., Any]


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Rack:
    """Of three generations, whose keys are all stolen; nothing in here changes it."""
    rack = Rack(make_rack(tmp_path_factory.mktemp("rack")))
    anyio.run(rack.live)
    return rack


def ours(certificate: bytes, key: SigningKey, ring: bytes | None = None) -> object:
    """As benchd has it."""
    trusted = key.public_key_pem if ring is None else decode_ring(ring, key.public)
    return verify_certificate(certificate, trusted)


def strangers(certificate: bytes, key: SigningKey, ring: bytes | None = None) -> object:
    """As the verifier in docs/ has it, by what `benchd key export` gives."""
    return VERIFIED(certificate, key.public_key_pem, ring)


REFUSED: dict[Verify, tuple[type[Exception], str]] = {
    ours: (CertificateInvalid, "the rotation doesn't name this certificate"),
    strangers: (ValueError, "its key is retired"),
}
"""What each raises, and how it says that a retired key has signed what it was not let sign."""
either = pytest.mark.parametrize("verify", REFUSED)


@either
def test_certificates_of_three_generations_verify(sold: Rack, verify: Verify) -> None:
    newest = sold.stolen[-1]
    for certificate, job in zip(sold.certificates, JOBS, strict=True):
        assert verify(certificate, newest, sold.ring_file)["predicate"]["job"] == job
    verify(sold.certificates[-1], newest)
    for older in sold.certificates[:-1]:
        with pytest.raises(REFUSED[verify][0], match="names another key"):
            verify(older, newest)


@either
@pytest.mark.parametrize("generation", [0, 1])
@pytest.mark.parametrize(
    "other",
    [
        {"job": "20270101-A1-0001", "issued_at": "2027-01-01T00:00:00+00:00"},
        {"issued_at": "2027-01-01T00:00:00+00:00"},
        {"site": "横浜"},
        {"job": "20261124-A1-0009"},
    ],
    ids=["today", "later", "backdated", "of another job"],
)
def test_what_a_stolen_old_key_signs_is_refused(
    sold: Rack, verify: Verify, generation: int, other: dict[str, object]
) -> None:
    stolen, newest = sold.stolen[generation], sold.stolen[-1]
    lie = forged(sold.certificates[generation], stolen, **other)
    verify(lie, stolen)
    error, unnamed = REFUSED[verify]
    for each in (lie, forged(sold.certificates[-1], stolen)):
        with pytest.raises(error, match=unnamed):
            verify(each, newest, sold.ring_file)
    own = issuer_of(sold.settings, key_of(sold.settings))
    assert not own.vouches(JOBS[generation], lie, [])
    # Nor does the key count for what another has signed.
    swapped = json.loads(sold.certificates[generation])
    swapped["signatures"][0]["keyid"] = newest.key_id
    data = json.dumps(swapped, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(error, match="signature doesn't fit"):
        verify(data, newest, sold.ring_file)


def rewritten(sold: Rack) -> Rotation:
    """The first rotation as thieves of both its keys sign it, with a list that names their lie."""
    lie = hashlib.sha256(forged(sold.certificates[0], sold.stolen[0], site="横浜")).hexdigest()
    told = sold.ring().rotations[0].retirement
    wider = replace(told, certificates=told.certificates | {lie})
    return rotate(sold.stolen[0].private, sold.stolen[1].private, wider, None)


def wider(sold: Rack) -> bytes:
    ring = sold.ring()
    return KeyRing(keys=ring.keys, rotations=(rewritten(sold), ring.rotations[1])).encode()


def forked(sold: Rack) -> bytes:
    """The ring that leads from the old keys to one of the thieves' own."""
    ring, evil = sold.ring(), SigningKey(Ed25519PrivateKey.generate())
    first, last = ring.rotations
    fork = rotate(sold.stolen[1].private, evil.private, last.retirement, first.digest)
    return KeyRing.of(ring.keys[0]).with_rotation(first).with_rotation(fork).encode()


def unsigned(sold: Rack) -> bytes:
    """The thieves' list under the last rotation's own words, whose signature it then lacks."""
    told = json.loads(sold.ring_file)
    lie = hashlib.sha256(forged(sold.certificates[1], sold.stolen[1], site="横浜")).hexdigest()
    last = told["rotations"][-1]
    last["certificates"] = [lie]
    digest = hashlib.sha256(bytes.fromhex(lie)).hexdigest()
    last["statement"] |= {"certificates": 1, "certificates_sha256": digest}
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def listed_only(sold: Rack) -> bytes:
    told = json.loads(sold.ring_file)
    told["rotations"][0]["certificates"].append("00" * 32)
    return json.dumps(told).encode()


def in_other_pieces(sold: Rack) -> bytes:
    told = json.loads(sold.ring_file)
    [whole] = told["rotations"][0]["certificates"]
    told["rotations"][0]["certificates"] = [whole[:62], whole[62:]]
    return json.dumps(told).encode()


def of_older_key(sold: Rack) -> bytes:
    told = json.loads(sold.ring_file)
    told["rotations"].pop()
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    ("ring", "ours_says"),
    [
        (wider, "doesn't follow the one before it"),
        (forked, "doesn't lead to the key"),
        (unsigned, "."),
        (listed_only, "."),
        (in_other_pieces, "."),
        (of_older_key, "."),
        *(
            pytest.param(raw, ".", id=f"no ring {number}")
            for number, raw in enumerate((b"{}", b"[]", b"[" * 100_000, b"\xff"))
        ),
    ],
)
def test_no_ring_counts_but_the_one_that_the_newest_key_vouches_for(
    sold: Rack, ring: Callable[[Rack], bytes] | bytes, ours_says: str
) -> None:
    data, newest = ring if isinstance(ring, bytes) else ring(sold), sold.stolen[-1]
    with pytest.raises(ValueError, match=ours_says):
        decode_ring(data, newest.public)
    for certificate in sold.certificates:
        with pytest.raises(ValueError, match="the ring is of no use"):
            strangers(certificate, newest, data)


def test_thieves_of_every_key_can_rewrite_the_ring(sold: Rack) -> None:
    """With the newest key as well it holds: that is what it has to be kept for."""
    ring, first = sold.ring(), rewritten(sold)
    told = ring.rotations[1].retirement
    second = rotate(sold.stolen[1].private, sold.stolen[2].private, told, first.digest)
    whole = KeyRing.of(sold.stolen[0].public).with_rotation(first).with_rotation(second)
    lie = forged(sold.certificates[0], sold.stolen[0], site="横浜")
    verify_certificate(lie, decode_ring(whole.encode(), ring.trusted))


def test_no_byte_of_the_ring_can_be_changed(sold: Rack) -> None:
    data, random_ = sold.ring_file, random.Random(20261126)
    for _ in range(400):
        changed = bytearray(data)
        changed[random_.randrange(len(data))] ^= random_.randint(1, 255)
        with pytest.raises((ValueError, UnicodeError)):
            decode_ring(bytes(changed), sold.stolen[-1].public)
    for other in (b"", data + b"\n", data[:-1]):
        with pytest.raises(ValueError, match=r"."):
            decode_ring(other, sold.stolen[-1].public)
    # Two rings of one rack are one text.
    assert sold.ring().encode() == data
    assert canonical.decode(data, ascii_only=True)


def test_who_pinned_an_old_key_believes_no_key_after_it(sold: Rack) -> None:
    pinned = sold.ring(0)
    verify_certificate(sold.certificates[0], pinned)
    with pytest.raises(CertificateInvalid, match="doesn't name"):
        verify_certificate(forged(sold.certificates[0], sold.stolen[0], site="横浜"), pinned)
    with pytest.raises(CertificateInvalid, match="get the newest one"):
        verify_certificate(sold.certificates[2], pinned)


def test_a_stranger_checks_the_ring_with_nothing_of_benchd(sold: Rack) -> None:
    def key(raw: str) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(raw))

    # As docs/keys.md has it.
    told = json.loads(sold.ring_file)
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
    assert key(before) == sold.stolen[-1].public
    for certificate in sold.certificates[:-1]:
        key_id = json.loads(certificate)["signatures"][0]["keyid"]
        assert hashlib.sha256(certificate).hexdigest() in counts[key_id]


def test_the_rotations_are_on_record_and_the_ledger_holds(sold: Rack) -> None:
    path = sold.settings.ledger.path
    report = verify_ledger(path, sold.stolen[-1].public_key_pem, sold.ring())
    bodies = [json.loads(line)["body"] for line in export_lines(path)]
    assert report.records == len(bodies)
    found = [body for body in bodies if body["kind"] == "key_rotated"]
    assert [body["data"]["operator"] for body in found] == ["佐藤", "佐藤"]
    for body, rotation in zip(found, sold.ring().rotations, strict=True):
        assert body["data"]["statement"] == rotation.statement
        assert body["sequence"] == rotation.retirement.sequence + 1
    assert IMEI not in sold.ring_file.decode()


@either
def test_a_key_that_was_lost_counts_for_what_is_named(tmp_path: Path, verify: Verify) -> None:
    settings = make_rack(tmp_path)
    key = key_of(settings)
    certificate = anyio.run(sell, settings, FIRST)
    files_of(settings).key.unlink()
    anyio.run(rotated, settings, Retired.LOST)
    newest, ring = key_of(settings), files_of(settings).ring.read_bytes()
    verify(certificate, newest, ring)
    error, unnamed = REFUSED[verify]
    with pytest.raises(error, match=unnamed):
        verify(forged(certificate, key, site="横浜"), newest, ring)


def test_the_verifier_takes_the_ring_as_a_third_file(sold: Rack, tmp_path: Path) -> None:
    key, ring, paper = (tmp_path / name for name in ("key.pub", "ring.json", "certificate.json"))
    key.write_bytes(sold.stolen[-1].public_key_pem)
    ring.write_bytes(sold.ring_file)
    command = [sys.executable, PROGRAM, paper, key, ring]
    paper.write_bytes(sold.certificates[0])
    good = subprocess.run(command, capture_output=True, text=True, check=True)
    assert FIRST in good.stdout
    paper.write_bytes(forged(sold.certificates[0], sold.stolen[0], site="横浜"))
    bad = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "NOT VALID: its key is retired" in bad.stderr
