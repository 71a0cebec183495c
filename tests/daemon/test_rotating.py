"""Keys of three generations: what each still counts for, and what a stolen old one is refused."""

from __future__ import annotations

import base64
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from benchd.certificate import load_key, verify_certificate
from benchd.daemon.key_rotation import Leave
from benchd.daemon.restore_break import record_restored
from benchd.domain.errors import (
    CertificateInvalid,
    DependencyMissing,
    LedgerBroken,
    NoLedger,
    UsageRefused,
    WouldVoid,
)
from benchd.domain.record import Entry
from benchd.ledger import open_ledger, verify_ledger
from benchd.ledger.ledger_walk import walk_ledger
from benchd.people.person_secrets import PURPOSE
from benchd.proof.erasure import verify_erasure
from benchd.signing.key import private_pem
from benchd.signing.rack_secrets import CHIP_SALT, PICTURE_MARKS
from benchd.signing.rotation import Retired
from tests.certificate.certificate_rack import records_of_an_erasure
from tests.daemon.rotated_rack import (
    AT,
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

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def rack(tmp_path: Path) -> Rack:
    rack = Rack(make_rack(tmp_path))
    await rack.live()
    return rack


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


async def test_a_job_that_was_open_goes_on_and_the_new_key_certifies_it(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    records = [replace(one.entry, job=JOBS[0]) for one in records_of_an_erasure()]
    half = len(records) // 2
    for part in (records[:half], records[half:]):
        key = key_of(settings)
        async with open_ledger(settings.ledger.path, head_key=key, ring=key.ring) as ledger:
            for entry in part:
                await ledger.append(entry)
            of_job = await ledger.entries(JOBS[0])
        if part == records[:half]:
            await rotated(settings)
    assert of_job[-1].sequence - of_job[0].sequence == len(records)
    issuer = issuer_of(settings, key)
    certificate = issuer.issue(verify_erasure(JOBS[0], of_job), AT)
    verify_certificate(certificate, key.public_key_pem)
    assert issuer.vouches(JOBS[0], certificate, of_job)


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


@pytest.mark.parametrize("why", [Retired.ROTATED, Retired.LOST])
async def test_certificates_that_the_ledger_has_lost_stop_a_rotation_until_they_are_left_out(
    tmp_path: Path, why: Retired
) -> None:
    settings = make_rack(tmp_path)
    kept = await sell(settings, JOBS[0])
    shutil.copytree(tmp_path / "state", older := tmp_path / "older")
    lost = await sell(settings, JOBS[1])
    shutil.rmtree(tmp_path / "state")
    older.rename(tmp_path / "state")
    await record_restored(settings, operator="佐藤", because="disk")
    ring = key_of(settings).ring
    if why is Retired.LOST:
        files_of(settings).key.unlink()
    with pytest.raises(WouldVoid) as stopped:
        await rotated(settings, why)
    assert stopped.value.count == 1
    verify_certificate(lost, ring)
    assert {file.name for file in tmp_path.glob("key.pem.*")} == {"key.pem.pub"}
    told = await rotated(settings, why, Leave(certificates=1))
    verify_certificate(kept, told.ring)
    # From now on they are in the folder as before, and are no news.
    await rotated(settings)


async def test_a_lost_key_is_not_retired_without_a_ledger_unless_told_to(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    await sell(settings, JOBS[0])
    shutil.rmtree(tmp_path / "state")
    shutil.rmtree(settings.certificate.directory)
    files = files_of(settings)
    files.key.unlink()
    with pytest.raises(NoLedger):
        await rotated(settings, Retired.LOST)
    assert not files.key.exists()
    assert not files.next_ring.exists()
    told = await rotated(settings, Retired.LOST, Leave(ledger=True))
    assert told.ring.rotations[0].retirement.sequence == 0
