"""The verifier in docs/ with the ring of a rotated rack, as `benchd key export` gives it."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import anyio
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.certificate import SigningKey
from benchd.signing.ring import KeyRing
from benchd.signing.rotation import Retired, rotate
from tests.daemon.rotated_rack import JOBS, Rack, files_of, forged, key_of, make_rack, rotated, sell

PROGRAM = Path(__file__).parents[2] / "docs" / "verify_certificate.py"


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_certificate", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rack(tmp_path_factory: pytest.TempPathFactory) -> Rack:
    """Of three generations, whose keys are all stolen; nothing in here changes it."""
    rack = Rack(make_rack(tmp_path_factory.mktemp("rack")))
    anyio.run(rack.live)
    return rack


def test_it_reads_certificates_of_three_generations(verifier: ModuleType, rack: Rack) -> None:
    newest = rack.stolen[-1].public_key_pem
    for certificate, job in zip(rack.certificates, JOBS, strict=True):
        said = verifier.verified(certificate, newest, rack.ring_file)
        assert said["predicate"]["job"] == job
    verifier.verified(rack.certificates[-1], newest)
    for older in rack.certificates[:-1]:
        with pytest.raises(ValueError, match="names another key"):
            verifier.verified(older, newest)


@pytest.mark.parametrize("generation", [0, 1])
@pytest.mark.parametrize("other", [{"site": "横浜"}, {"issued_at": "2027-01-01T00:00:00+00:00"}])
def test_it_refuses_what_a_stolen_old_key_signs(
    verifier: ModuleType, rack: Rack, generation: int, other: dict[str, object]
) -> None:
    stolen, newest = rack.stolen[generation], rack.stolen[-1].public_key_pem
    lie = forged(rack.certificates[generation], stolen, **other)
    verifier.verified(lie, stolen.public_key_pem)
    with pytest.raises(ValueError, match="its key is retired"):
        verifier.verified(lie, newest, rack.ring_file)
    # Nor does the key count for what another has signed.
    swapped = json.loads(rack.certificates[generation])
    swapped["signatures"][0]["keyid"] = rack.stolen[-1].key_id
    data = json.dumps(swapped, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(ValueError, match="signature doesn't fit"):
        verifier.verified(data, newest, rack.ring_file)


def wider(rack: Rack) -> bytes:
    """The ring that thieves of every old key make, with a list that names what they forge."""
    lie = hashlib.sha256(forged(rack.certificates[0], rack.stolen[0], site="横浜")).hexdigest()
    ring = rack.ring()
    told = ring.rotations[0].retirement
    first = rotate(
        rack.stolen[0].private,
        rack.stolen[1].private,
        replace(told, certificates=told.certificates | {lie}),
        None,
    )
    return KeyRing(keys=ring.keys, rotations=(first, ring.rotations[1])).encode()


def forked(rack: Rack) -> bytes:
    """The ring that leads from the old keys to one of the thieves' own."""
    ring, evil = rack.ring(), SigningKey(Ed25519PrivateKey.generate())
    last = rotate(
        rack.stolen[1].private, evil.private, ring.rotations[1].retirement, ring.rotations[0].digest
    )
    return KeyRing.of(ring.keys[0]).with_rotation(ring.rotations[0]).with_rotation(last).encode()


def unsigned(rack: Rack) -> bytes:
    """The thieves' list under the last rotation's own words, whose signature it then lacks."""
    told = json.loads(rack.ring_file)
    lie = hashlib.sha256(forged(rack.certificates[1], rack.stolen[1], site="横浜")).hexdigest()
    last = told["rotations"][-1]
    last["certificates"] = [lie]
    digest = hashlib.sha256(bytes.fromhex(lie)).hexdigest()
    last["statement"] |= {"certificates": 1, "certificates_sha256": digest}
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def listed_only(rack: Rack) -> bytes:
    told = json.loads(rack.ring_file)
    told["rotations"][0]["certificates"].append("00" * 32)
    return json.dumps(told).encode()


def in_other_pieces(rack: Rack) -> bytes:
    told = json.loads(rack.ring_file)
    [whole] = told["rotations"][0]["certificates"]
    told["rotations"][0]["certificates"] = [whole[:62], whole[62:]]
    return json.dumps(told).encode()


def of_older_key(rack: Rack) -> bytes:
    told = json.loads(rack.ring_file)
    told["rotations"].pop()
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    "ring",
    [
        wider,
        forked,
        unsigned,
        listed_only,
        in_other_pieces,
        of_older_key,
    ],
)
def test_it_takes_no_ring_but_the_one_that_the_newest_key_vouches_for(
    verifier: ModuleType, rack: Rack, ring: Callable[[Rack], bytes]
) -> None:
    newest = rack.stolen[-1].public_key_pem
    for certificate in rack.certificates:
        with pytest.raises(ValueError, match="the ring is of no use"):
            verifier.verified(certificate, newest, ring(rack))


@pytest.mark.parametrize("ring", [b"{}", b"[]", b"[" * 100_000, b"\xff"], ids="abcd")
def test_what_is_no_ring_is_refused_in_words(verifier: ModuleType, rack: Rack, ring: bytes) -> None:
    with pytest.raises(ValueError, match="the ring is of no use"):
        verifier.verified(rack.certificates[0], rack.stolen[-1].public_key_pem, ring)


def test_a_key_that_was_lost_counts_for_what_is_named(verifier: ModuleType, tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    key = key_of(settings)
    certificate = anyio.run(sell, settings, JOBS[0])
    files_of(settings).key.unlink()
    anyio.run(rotated, settings, Retired.LOST)
    newest, ring = key_of(settings).public_key_pem, files_of(settings).ring.read_bytes()
    verifier.verified(certificate, newest, ring)
    with pytest.raises(ValueError, match="its key is retired"):
        verifier.verified(forged(certificate, key, site="横浜"), newest, ring)


def test_it_takes_the_ring_as_a_third_file(rack: Rack, tmp_path: Path) -> None:
    key, ring, paper = (tmp_path / name for name in ("key.pub", "ring.json", "certificate.json"))
    key.write_bytes(rack.stolen[-1].public_key_pem)
    ring.write_bytes(rack.ring_file)
    outcomes = []
    for data in (
        rack.certificates[0],
        forged(rack.certificates[0], rack.stolen[0], site="横浜"),
    ):
        paper.write_bytes(data)
        outcomes.append(
            subprocess.run(
                [sys.executable, PROGRAM, paper, key, ring],
                capture_output=True,
                text=True,
                check=False,
            )
        )
    good, bad = outcomes
    assert good.returncode == 0
    assert JOBS[0] in good.stdout
    assert (bad.returncode, bad.stdout) == (1, "")
    assert "NOT VALID: its key is retired" in bad.stderr
