"""The rack's key: made once, readable by its owner alone."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from benchd.certificate import create_key, key_file, load_key, public_key_path
from benchd.domain.errors import DependencyMissing, UsageRefused


def test_a_key_is_made_and_loaded(tmp_path: Path) -> None:
    path = tmp_path / "rack.key"
    made = create_key(path)
    loaded = load_key(path)
    assert loaded.key_id == made.key_id
    assert loaded.key_id == hashlib.sha256(made.private.public_key().public_bytes_raw()).hexdigest()
    assert loaded.sign(b"x") == made.sign(b"x")
    assert public_key_path(path).read_bytes() == made.public_key_pem
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(public_key_path(path).stat().st_mode) == 0o644
    assert "PrivateKey" not in repr(loaded)
    assert loaded.public_key_pem.startswith(b"-----BEGIN PUBLIC KEY-----")


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "rack.key"
    create_key(path)
    before = path.read_bytes()
    with pytest.raises(UsageRefused, match="orphan"):
        create_key(path)
    public_key_path(path).unlink()
    with pytest.raises(UsageRefused, match="orphan"):
        create_key(path)
    assert path.read_bytes() == before
    assert not public_key_path(path).exists()


def test_a_public_half_of_another_key_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "rack.key"
    public_key_path(path).write_text("another")
    with pytest.raises(UsageRefused, match="orphan"):
        create_key(path)
    assert public_key_path(path).read_text() == "another"
    assert not path.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "rack.key"
    create_key(path)
    path.chmod(mode)
    with pytest.raises(DependencyMissing, match="chmod 600"):
        load_key(path)


def test_systemd_may_show_group_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rack.key"
    create_key(path)
    path.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert load_key(path)
    path.chmod(0o444)
    with pytest.raises(DependencyMissing):
        load_key(path)


def test_what_is_no_key_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "rack.key"
    for cause, cure in (("isn't there", "benchd key create"), ("can't be read", "read it")):
        with pytest.raises(DependencyMissing, match=cause) as caught:
            load_key(path if cause == "isn't there" else path / "x")
        assert cure in caught.value.cure
        path.touch(mode=0o600)
    for data in (
        b"",
        b"no key",
        generate_private_key(SECP256R1()).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
        create_key(tmp_path / "other.key").private.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"password")
        ),
    ):
        path.write_bytes(data)
        with pytest.raises(DependencyMissing, match="key create"):
            load_key(path)
    with pytest.raises(DependencyMissing):
        load_key(tmp_path)
    with pytest.raises(DependencyMissing):
        create_key(tmp_path / "no" / "such" / "rack.key")


def test_what_systemd_hands_over_comes_before_the_file(tmp_path: Path) -> None:
    configured = tmp_path / "etc" / "rack.key"
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
    assert key_file(configured, {}) == configured
    assert key_file(configured, environ) == configured
    create_key(credentials / "rack.key")
    assert key_file(configured, environ) == credentials / "rack.key"


def test_what_is_derived_from_a_key_is_its_own_and_tells_nothing_of_it(tmp_path: Path) -> None:
    key, other = create_key(tmp_path / "one.pem"), create_key(tmp_path / "two.pem")
    derived = key.derive(b"chips")
    assert len(derived) == 32
    assert derived == load_key(tmp_path / "one.pem").derive(b"chips")
    assert derived not in {key.derive(b"other"), other.derive(b"chips")}
    assert derived != key.private.private_bytes_raw()
