"""What a rotation takes along, leaves behind and refuses; what a stolen old key is refused."""

from __future__ import annotations

import base64
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchd.certificate import load_key, verify_certificate
from benchd.config import Settings
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
from benchd.signing.private_key import private_pem
from benchd.signing.rack_secrets import CHIP_SALT, PICTURE_MARKS
from benchd.signing.rotation import Retired
from tests.certificate.certificate_rack import records_of_an_erasure
from tests.daemon.rotated_rack import (
    AT,
    FIRST,
    SECOND,
    Rack,
    files_of,
    forged,
    issuer_of,
    key_of,
    rotated,
    sell,
)

pytestmark = pytest.mark.asyncio


async def test_chips_badges_and_pictures_are_the_same_ones_after_it(rack: Settings) -> None:
    first = load_key(rack.certificate.key)
    before = {one: first.derive(one) for one in (CHIP_SALT, PICTURE_MARKS, PURPOSE)}
    later = []
    for _ in range(2):
        await rotated(rack)
        key = key_of(rack)
        assert {one: key.derive(one) for one in before} == before
        later.append(key.derive(b"something new"))
    assert later[0] == later[1] != first.derive(b"something new")
    secrets = files_of(rack).secrets
    assert secrets.stat().st_mode & 0o777 == 0o600
    assert first.private.private_bytes_raw().hex() not in secrets.read_text()


async def test_a_job_that_was_open_goes_on_and_the_new_key_certifies_it(rack: Settings) -> None:
    records = [replace(one.entry, job=FIRST) for one in records_of_an_erasure()]
    half = len(records) // 2
    for part in (records[:half], records[half:]):
        key = key_of(rack)
        async with open_ledger(rack.ledger.path, head_key=key, ring=key.ring) as ledger:
            for entry in part:
                await ledger.append(entry)
            of_job = await ledger.entries(FIRST)
        if part == records[:half]:
            await rotated(rack)
    assert of_job[-1].sequence - of_job[0].sequence == len(records)
    issuer = issuer_of(rack, key)
    certificate = issuer.issue(verify_erasure(FIRST, of_job), AT)
    verify_certificate(certificate, key.public_key_pem)
    assert issuer.vouches(FIRST, certificate, of_job)


async def test_the_retired_private_keys_are_gone_and_one_that_is_put_back_signs_nothing(
    sold: Rack, tmp_path: Path
) -> None:
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    for old in sold.stolen[:-1]:
        raw = old.private.private_bytes_raw()
        needles = (raw, raw.hex().encode(), base64.b64encode(raw)[4:-4])
        assert not [f for f in files if any(n in f.read_bytes() for n in needles)]
    modes = {f.name: f.stat().st_mode & 0o777 for f in tmp_path.glob("key.pem*")}
    private, public = ("key.pem", "key.pem.secrets"), ("key.pem.pub", "key.pem.ring")
    assert modes == dict.fromkeys(private, 0o600) | dict.fromkeys(public, 0o644)
    files_of(sold.settings).key.write_bytes(private_pem(sold.stolen[1]))
    with pytest.raises(DependencyMissing, match="was retired"):
        key_of(sold.settings)


@pytest.mark.parametrize("lost", ["ring", "secrets"])
async def test_the_daemon_does_not_start_without_what_belongs_to_its_key(
    sold: Rack, lost: str
) -> None:
    getattr(files_of(sold.settings), lost).unlink()
    if lost == "secrets":
        with pytest.raises(DependencyMissing, match="each chip is new"):
            key_of(sold.settings)
        return
    # The key alone looks like that of a new sold; the ledger knows better.
    key = key_of(sold.settings)
    with pytest.raises(LedgerBroken, match="the key ring doesn't know of it"):
        async with open_ledger(sold.settings.ledger.path, head_key=key, ring=key.ring):
            pass


async def test_a_lost_key_is_a_break_on_record_and_on_the_ring(sold: Rack) -> None:
    files = files_of(sold.settings)
    with pytest.raises(UsageRefused, match="is there"):
        await rotated(sold.settings, Retired.LOST)
    files.key.unlink()
    with pytest.raises(DependencyMissing):
        await rotated(sold.settings)
    secrets = files.secrets.read_bytes()
    await rotated(sold.settings, Retired.LOST)
    key = key_of(sold.settings)
    assert files.secrets.read_bytes() == secrets
    assert [each.retirement.why for each in key.ring.rotations][-1] is Retired.LOST
    assert key.ring.rotations[-1].old_signature is None
    certificates = [*sold.certificates, await sell(sold.settings, "20261125-A1-0001")]
    for certificate in certificates:
        verify_certificate(certificate, key.ring)
    with pytest.raises(CertificateInvalid, match="doesn't name"):
        verify_certificate(forged(sold.certificates[2], sold.stolen[2], site="横浜"), key.ring)
    verify_ledger(sold.settings.ledger.path, key.public_key_pem, key.ring)
    await rotated(sold.settings)
    verify_certificate(certificates[-1], key_of(sold.settings).ring)


async def test_a_first_key_that_is_lost_takes_the_chips_salt_along(rack: Settings) -> None:
    before = key_of(rack).derive(CHIP_SALT)
    certificate = await sell(rack, FIRST)
    files_of(rack).key.unlink()
    await rotated(rack, Retired.LOST)
    key = key_of(rack)
    assert key.derive(CHIP_SALT) != before
    verify_certificate(certificate, key.ring)


async def test_a_certificate_that_its_records_do_not_bear_is_not_named(rack: Settings) -> None:
    envelope = await sell(rack, FIRST)
    key = key_of(rack)
    lie = forged(envelope, key, job=SECOND)
    async with open_ledger(rack.ledger.path, head_key=key, ring=key.ring) as ledger:
        [end] = [one for one in await ledger.entries(FIRST) if one.entry.data.get("certificate")]
        data = {**end.entry.data, "certificate": lie.decode()}
        await ledger.append(Entry(kind=end.entry.kind, at=AT, job=SECOND, data=data))
    told = await rotated(rack)
    assert told.doubtful == 1
    assert len(told.ring.rotations[0].retirement.certificates) == 1
    with pytest.raises(CertificateInvalid, match="doesn't name"):
        verify_certificate(lie, told.ring)


async def test_a_rack_that_has_never_run_rotates_too(rack: Settings) -> None:
    told = await rotated(rack)
    assert told.ring.rotations[0].retirement.sequence == 0
    certificate = await sell(rack, FIRST)
    verify_certificate(certificate, told.ring)
    assert walk_ledger(rack.ledger.path, told.ring, (), lambda _: None).sequence > 1


@pytest.mark.parametrize("why", [Retired.ROTATED, Retired.LOST])
async def test_certificates_that_the_ledger_has_lost_stop_a_rotation_until_they_are_left_out(
    rack: Settings, tmp_path: Path, why: Retired
) -> None:
    kept = await sell(rack, FIRST)
    shutil.copytree(tmp_path / "state", older := tmp_path / "older")
    lost = await sell(rack, SECOND)
    shutil.rmtree(tmp_path / "state")
    older.rename(tmp_path / "state")
    await record_restored(rack, operator="佐藤", because="disk")
    ring = key_of(rack).ring
    if why is Retired.LOST:
        files_of(rack).key.unlink()
    with pytest.raises(WouldVoid) as stopped:
        await rotated(rack, why)
    assert stopped.value.count == 1
    verify_certificate(lost, ring)
    assert {file.name for file in tmp_path.glob("key.pem.*")} == {"key.pem.pub"}
    told = await rotated(rack, why, Leave(certificates=1))
    verify_certificate(kept, told.ring)
    # From now on they are in the folder as before, and are no news.
    await rotated(rack)


async def test_a_lost_key_is_not_retired_without_a_ledger_unless_told_to(
    rack: Settings, tmp_path: Path
) -> None:
    await sell(rack, FIRST)
    shutil.rmtree(tmp_path / "state")
    shutil.rmtree(rack.certificate.directory)
    files = files_of(rack)
    files.key.unlink()
    with pytest.raises(NoLedger):
        await rotated(rack, Retired.LOST)
    assert not files.key.exists()
    assert not files.next_ring.exists()
    told = await rotated(rack, Retired.LOST, Leave(ledger=True))
    assert told.ring.rotations[0].retirement.sequence == 0
