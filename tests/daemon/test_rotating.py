"""Keys of three generations: what each still counts for, and what a stolen old one is refused."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from benchd.certificate import SigningKey, load_key, sign_statement, verify_certificate
from benchd.config import Settings
from benchd.daemon.witnesses import witnesses_of
from benchd.errors import CertificateInvalid, DependencyMissing, LedgerBroken, UsageRefused
from benchd.ledger import export_lines, open_ledger, verify_ledger
from benchd.ledger.head_file import head_path, reset_head
from benchd.ledger.walking import walk_ledger
from benchd.people.secrets import PURPOSE
from benchd.signing import canonical
from benchd.signing.key import private_pem
from benchd.signing.ring import KeyRing, decode_ring
from benchd.signing.rotation import Retired, Retirement, rotate
from benchd.signing.secrets import CHIP_SALT, PICTURE_MARKS
from benchd.words.ids import JobId
from benchd.words.record import Entry
from tests.certificate.certificate_rack import IMEI
from tests.daemon.rotated_rack import (
    AT,
    files_of,
    issuer_of,
    key_of,
    make_rack,
    rotated,
    sell,
)

pytestmark = pytest.mark.asyncio

JOBS = tuple(map(JobId, ("20261124-A1-0001", "20261124-A1-0002", "20261124-A1-0003")))


class Rack:
    """Three handsets sold, each under a key of its own; and a thief who kept every key."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stolen: list[SigningKey] = []
        self.certificates: list[bytes] = []

    async def live(self) -> None:
        for job in JOBS:
            if self.certificates:
                await rotated(self.settings)
            self.stolen.append(load_key(self.settings.certificate.key))
            self.certificates.append(await sell(self.settings, job))

    @property
    def ring_file(self) -> bytes:
        return files_of(self.settings).ring.read_bytes()

    def ring(self, generation: int = -1) -> KeyRing:
        """What somebody trusts who has the public key of this generation, and the ring."""
        return decode_ring(self.ring_file, self.stolen[generation].public)


@pytest_asyncio.fixture
async def rack(tmp_path: Path) -> Rack:
    rack = Rack(make_rack(tmp_path))
    await rack.live()
    return rack


def forged(certificate: bytes, key: SigningKey, **other: object) -> bytes:
    """Another certificate of the same words but these, signed by a key that was stolen."""
    statement: Any = json.loads(base64.b64decode(json.loads(certificate)["payload"]))
    statement["predicate"].update(other)
    return sign_statement(statement, key)


async def test_certificates_of_three_generations_verify(rack: Rack) -> None:
    for certificate, job in zip(rack.certificates, JOBS, strict=True):
        told: Any = verify_certificate(certificate, rack.ring())
        assert told["predicate"]["job"] == job
    newest = rack.stolen[-1].public_key_pem
    verify_certificate(rack.certificates[-1], newest)
    for older in rack.certificates[:-1]:
        with pytest.raises(CertificateInvalid, match="names another key"):
            verify_certificate(older, newest)


@pytest.mark.parametrize("generation", [0, 1])
@pytest.mark.parametrize(
    "other",
    [
        {"job": "20270101-A1-0001", "issued_at": "2027-01-01T00:00:00+00:00"},
        {"site": "横浜"},
        {"job": "20261124-A1-0009"},
    ],
    ids=["today", "backdated", "of another job"],
)
async def test_what_a_stolen_old_key_signs_is_refused(
    rack: Rack, generation: int, other: dict[str, object]
) -> None:
    stolen = rack.stolen[generation]
    lie = forged(rack.certificates[generation], stolen, **other)
    verify_certificate(lie, stolen.public_key_pem)
    with pytest.raises(CertificateInvalid, match="the rotation doesn't name this certificate"):
        verify_certificate(lie, rack.ring())
    own = issuer_of(rack.settings, key_of(rack.settings))
    assert not own.vouches(JOBS[generation], lie, [])


async def test_a_stolen_old_key_does_not_count_for_its_successors_certificates(rack: Rack) -> None:
    for generation in (0, 1):
        lie = forged(rack.certificates[2], rack.stolen[generation])
        with pytest.raises(CertificateInvalid, match="doesn't name"):
            verify_certificate(lie, rack.ring())


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
    first = rotate(rack.stolen[0], rack.stolen[1], wider, None)
    second = rotate(rack.stolen[1], rack.stolen[2], ring.rotations[1].retirement, first.digest)
    # With the newest key as well it would hold: that is what it has to be kept for.
    one = KeyRing.of(rack.stolen[0].public).with_rotation(first)
    verify_certificate(lie, decode_ring(one.with_rotation(second).encode(), ring.trusted))
    swapped = KeyRing(keys=ring.keys, rotations=(first, ring.rotations[1]))
    with pytest.raises(ValueError, match="doesn't follow the one before it"):
        decode_ring(swapped.encode(), ring.trusted)
    evil = SigningKey(Ed25519PrivateKey.generate())
    forked = one.with_rotation(rotate(rack.stolen[1], evil, told, first.digest))
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


async def test_chips_badges_and_pictures_are_the_same_ones_after_it(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    first = load_key(settings.certificate.key)
    before = {one: first.derive(one) for one in (CHIP_SALT, PICTURE_MARKS, PURPOSE)}
    later = []
    for _ in range(2):
        await rotated(settings)
        key = key_of(settings)
        assert {one: key.derive(one) for one in before} == before
        later.append(key.derive(b"something new"))
    assert later[0] == later[1] != first.derive(b"something new")
    secrets = files_of(settings).secrets
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert first.private.private_bytes_raw().hex() not in secrets.read_text()


async def test_the_retired_private_key_is_gone(rack: Rack, tmp_path: Path) -> None:
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    for old in rack.stolen[:-1]:
        raw = old.private.private_bytes_raw()
        needles = (raw, raw.hex().encode(), base64.b64encode(raw)[4:-4])
        assert not [f for f in files if any(n in f.read_bytes() for n in needles)]
    names = {file.name for file in tmp_path.glob("key.pem*")}
    assert names == {"key.pem", "key.pem.pub", "key.pem.ring", "key.pem.secrets"}
    modes = {f.name: f.stat().st_mode & 0o777 for f in tmp_path.glob("key.pem*")}
    assert modes["key.pem"] == 0o600
    assert modes["key.pem.ring"] == modes["key.pem.pub"] == 0o644


@pytest.mark.parametrize("lost", ["ring", "secrets"])
async def test_the_daemon_does_not_start_without_what_belongs_to_its_key(
    rack: Rack, lost: str
) -> None:
    getattr(files_of(rack.settings), lost).unlink()
    if lost == "secrets":
        with pytest.raises(DependencyMissing, match="each chip is new"):
            key_of(rack.settings)
        return
    # The key alone looks like that of a new rack; the ledger knows better.
    key = key_of(rack.settings)
    with pytest.raises(LedgerBroken, match="the key ring doesn't know of it"):
        async with open_ledger(rack.settings.ledger.path, head_key=key, ring=key.ring):
            pass


async def test_a_retired_key_put_back_signs_nothing(rack: Rack) -> None:
    files = files_of(rack.settings)
    files.key.write_bytes(private_pem(rack.stolen[1]))
    with pytest.raises(DependencyMissing, match="was retired"):
        key_of(rack.settings)


async def test_a_lost_key_is_a_break_on_record_and_on_the_ring(rack: Rack) -> None:
    files = files_of(rack.settings)
    with pytest.raises(UsageRefused, match="is there"):
        await rotated(rack.settings, Retired.LOST)
    files.key.unlink()
    with pytest.raises(DependencyMissing):
        await rotated(rack.settings)
    secrets = files.secrets.read_bytes()
    await rotated(rack.settings, Retired.LOST)
    key = key_of(rack.settings)
    assert files.secrets.read_bytes() == secrets
    assert [each.retirement.why for each in key.ring.rotations][-1] is Retired.LOST
    assert key.ring.rotations[-1].old_signature is None
    certificates = [*rack.certificates, await sell(rack.settings, "20261125-A1-0001")]
    for certificate in certificates:
        verify_certificate(certificate, key.ring)
    with pytest.raises(CertificateInvalid, match="doesn't name"):
        verify_certificate(forged(rack.certificates[2], rack.stolen[2], site="横浜"), key.ring)
    verify_ledger(rack.settings.ledger.path, key.public_key_pem, key.ring)
    await rotated(rack.settings)
    verify_certificate(certificates[-1], key_of(rack.settings).ring)


async def test_a_first_key_that_is_lost_takes_the_chips_salt_along(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    before = key_of(settings).derive(CHIP_SALT)
    certificate = await sell(settings, JOBS[0])
    files_of(settings).key.unlink()
    await rotated(settings, Retired.LOST)
    key = key_of(settings)
    assert key.derive(CHIP_SALT) != before
    verify_certificate(certificate, key.ring)


async def test_a_certificate_that_its_records_do_not_bear_is_not_named(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    envelope = await sell(settings, JOBS[0])
    key = key_of(settings)
    lie = forged(envelope, key, job=JOBS[1])
    async with open_ledger(settings.ledger.path, head_key=key, ring=key.ring) as ledger:
        [end] = [one for one in await ledger.entries(JOBS[0]) if one.entry.data.get("certificate")]
        data = {**end.entry.data, "certificate": lie.decode()}
        await ledger.append(Entry(kind=end.entry.kind, at=AT, job=JOBS[1], data=data))
    told = await rotated(settings)
    assert told.doubtful == 1
    assert len(told.ring.rotations[0].retirement.certificates) == 1
    with pytest.raises(CertificateInvalid, match="doesn't name"):
        verify_certificate(lie, told.ring)


async def test_a_rack_that_has_never_run_rotates_too(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    told = await rotated(settings)
    assert told.ring.rotations[0].retirement.sequence == 0
    certificate = await sell(settings, JOBS[0])
    verify_certificate(certificate, told.ring)
    assert walk_ledger(settings.ledger.path, told.ring, (), lambda _: None).sequence > 1


async def test_two_rings_of_one_rack_are_one_text(rack: Rack) -> None:
    assert rack.ring().encode() == rack.ring_file
    assert canonical.decode(rack.ring_file, ascii_only=True)
