"""`benchd key …` and `benchd ledger …` as administrators and strangers use them."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.certificate import create_key, verify_certificate
from benchd.cli.main import main
from benchd.config import Settings
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger
from benchd.ledger.fleet_checkpoint import Branch, encode_checkpoint
from benchd.signing.private_key import SigningKey
from tests.cli.test_cli import benchd
from tests.daemon.rotated_rack import (
    FIRST,
    SECOND,
    append_unsigned,
    files_of,
    key_of,
    make_rack,
    rotated,
    sell,
)

WHO = ("--operator", "佐藤", "--because", "disk replaced")
AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
Typed = Callable[..., tuple[int, str]]


@pytest.fixture
def rack(tmp_path: Path) -> Settings:
    settings = make_rack(tmp_path)
    anyio.run(sell, settings, FIRST)
    (tmp_path / "dest").mkdir()
    return settings


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Run a command; its exit code and what it said."""

    def run(*arguments: object, language: str = "en_US.UTF-8") -> tuple[int, str]:
        monkeypatch.setenv("LC_ALL", language)
        monkeypatch.setattr(sys, "argv", ["benchd", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(str(ended.value.code or 0)), told.out + told.err

    return run


@pytest.fixture
def typed(said: Typed, tmp_path: Path) -> Typed:
    """Run a command of the ledger."""
    config = ("--config", tmp_path / "benchd.toml")
    return lambda *arguments, **how: said("ledger", *arguments, *config, **how)


def rotate(said: Typed, folder: Path, word: str = "rotate", language: str = "en_US.UTF-8") -> str:
    config = ("--config", folder / "benchd.toml")
    code, told = said("key", word, *WHO, *config, language=language)
    assert code == 0, told
    return told


def test_a_stranger_verifies_old_and_new_by_what_was_exported(
    rack: Settings, said: Typed, tmp_path: Path
) -> None:
    config, key, ring = str(tmp_path / "benchd.toml"), tmp_path / "key.pem.pub", tmp_path / "ring"
    pinned, new = tmp_path / "first.pub", tmp_path / "new.json"
    pinned.write_bytes(key.read_bytes())
    old = tmp_path / "certificates" / f"{FIRST}.json"
    assert "counts for 1 certificates" in rotate(said, tmp_path)
    new.write_bytes(anyio.run(sell, rack, SECOND))
    assert "1 件" in rotate(said, tmp_path, language="ja_JP.UTF-8")
    assert "3 keys" in said("key", "export", ring, "--config", config)[1]

    def verified(file: Path, by: Path, *more: object) -> tuple[int, str]:
        return said("certificate", "verify", file, "--key", by, *more)

    for file in (old, new):
        code, told = verified(file, key, "--ring", ring)
        assert (code, told.split("\n")[0]) == (0, f"{file}: valid")
    assert verified(old, key)[0] == 1
    words = ("ledger", "verify", rack.ledger.path, "--key", key, "--ring", ring)
    assert said(*words)[0] == 0
    code, told = verified(new, pinned, "--ring", ring)
    assert (code, "get the newest one" in told) == (1, True)
    ring.write_bytes(ring.read_bytes().replace(b"rotated", b"retired", 1))
    code, told = verified(old, key, "--ring", ring)
    assert (code, "key ring" in told) == (2, True)


def test_the_keys_are_listed(rack: Settings, said: Typed, tmp_path: Path) -> None:
    rotate(said, tmp_path)
    (tmp_path / "key.pem").unlink()
    rotate(said, tmp_path, "lost")
    config = str(tmp_path / "benchd.toml")
    keys = json.loads(said("key", "list", "--json", "--config", config)[1])["keys"]
    told = [(key["why"], key["certificates"]) for key in keys]
    assert told == [("rotated", 1), ("lost", 0), (None, None)]
    assert keys[-1]["key_id"] == key_of(rack).key_id
    rows = said("key", "list", "--config", config)[1].splitlines()
    assert [row.split("\t")[0] for row in rows] == [key["key_id"] for key in keys]


def test_a_public_half_is_made_anew_from_the_key_alone(
    rack: Settings, said: Typed, tmp_path: Path
) -> None:
    key, public = tmp_path / "key.pem", tmp_path / "key.pem.pub"
    own, private, mask = public.read_bytes(), key.read_bytes(), os.umask(0o077)
    public.unlink()
    told = said("key", "public", key)
    os.umask(mask)
    assert told == (0, f"{public}: the public half of key {key_of(rack).key_id}; hand it out\n")
    assert (public.read_bytes(), key.read_bytes()) == (own, private)
    assert stat.S_IMODE(public.stat().st_mode) == 0o644
    # Where it is this key's already, nothing is set aside.
    assert said("key", "public", key) == told
    assert {file.name for file in tmp_path.glob("key.pem*")} == {"key.pem", "key.pem.pub"}


@pytest.mark.usefixtures("rack")
def test_a_public_half_of_another_key_is_kept(said: Typed, tmp_path: Path) -> None:
    key, public = tmp_path / "key.pem", tmp_path / "key.pem.pub"
    own = public.read_bytes()
    other = create_key(tmp_path / "other.pem").public_key_pem
    public.write_bytes(other)
    code, told = said("key", "public", key, language="ja_JP.UTF-8")
    assert (code, f"{public}.old: 前からあったファイルです" in told) == (0, True)
    assert public.read_bytes() == own
    assert (tmp_path / "key.pem.pub.old").read_bytes() == other


def test_a_public_half_is_made_of_no_key_that_a_start_would_refuse(
    rack: Settings, said: Typed, tmp_path: Path
) -> None:
    anyio.run(rotated, rack)
    key, public = tmp_path / "key.pem", tmp_path / "key.pem.pub"
    own, kept = public.read_bytes(), key.read_bytes()
    create_key(tmp_path / "other.pem")
    wrong = ((tmp_path / "other.pem").read_bytes(), "key ring"), (b"none", "isn't a private key")
    for content, says in wrong:
        key.write_bytes(content)
        code, told = said("key", "public", key)
        assert (code, says in told) == (3, True), told
    key.write_bytes(kept)
    (tmp_path / "key.pem.ring.next").touch()
    code, told = said("key", "public", key)
    assert (code, "was cut short" in told) == (3, True), told
    assert public.read_bytes() == own


@pytest.mark.usefixtures("rack")
def test_a_public_half_that_cant_be_written_is_told(said: Typed, tmp_path: Path) -> None:
    public = tmp_path / "key.pem.pub"
    public.unlink()
    public.mkdir()
    code, told = said("key", "public", tmp_path / "key.pem")
    assert (code, f"{public}: can't be written: Is a directory" in told) == (2, True), told


def test_a_rotation_is_refused_while_the_daemon_has_the_ledger(
    rack: Settings, tmp_path: Path
) -> None:
    key = key_of(rack)
    words = ("key", "rotate", *WHO, "--config", str(tmp_path / "benchd.toml"))

    async def meanwhile() -> subprocess.CompletedProcess[str]:
        async with open_ledger(rack.ledger.path, head_key=key):
            return await anyio.to_thread.run_sync(lambda: benchd(*words))

    told = anyio.run(meanwhile)
    assert told.returncode != 0
    assert "another benchd holds this ledger" in told.stderr
    assert key_of(rack).key_id == key.key_id
    assert {file.name for file in tmp_path.glob("key.pem*")} == {"key.pem", "key.pem.pub"}
    [certificate] = (tmp_path / "certificates").iterdir()
    verify_certificate(certificate.read_bytes(), key.public_key_pem)


def test_a_backup_goes_into_a_folder_that_is_there_and_not_where_the_ledger_is(
    rack: Settings, typed: Typed, tmp_path: Path
) -> None:
    state = rack.ledger.path.parent
    (state / "backups").mkdir()
    for inside in (state, state / "backups"):
        code, told = typed("backup", inside)
        assert (code, "where the ledger itself is" in told) == (2, True)
    for none in (files_of(rack).public, tmp_path / "nowhere", ""):
        code, told = typed("backup", none, language="ja_JP.UTF-8")
        assert (code, "フォルダではありません" in told) == (2, True)
    code, told = typed("backup", tmp_path / "dest")
    assert (code, "36 records, up to record 36, verified" in told) == (0, True)
    assert "on the same disk" in told


def test_a_restore_says_what_would_be_lost_and_what_is_no_backup(
    rack: Settings, typed: Typed, tmp_path: Path
) -> None:
    assert typed("backup", tmp_path / "dest")[0] == 0
    [backup] = (tmp_path / "dest").glob("*.json")
    code, told = typed("restore", backup, "--to", tmp_path / "trial", *WHO)
    assert (code, "up to record 36, verified, 1 certificates" in told) == (0, True)
    assert "0 days and 0 hours ago" in told
    code, told = typed("restore", backup, "--to", tmp_path / "trial", *WHO)
    assert (code, "Name an empty folder" in told) == (2, True)
    anyio.run(sell, rack, SECOND)
    code, told = typed("restore", backup, *WHO)
    assert (code, "it goes to record 72, and the backup to record 36" in told) == (2, True)
    code, told = typed("restore", backup, "--replace", *WHO)
    assert code == 0
    assert re.search(r"numbered on from record \d{16}, 1 certificates", told)
    assert "what was there before" in told
    assert told.startswith("20261124-A1-0001\n")
    assert "The 1 handsets above" in told
    code, told = typed("restore", backup, "--replace", *WHO, "--json")
    assert (code, json.loads(told)["look_at"]) == (0, ["20261124-A1-0001"])
    rack.ledger.path.write_bytes(b"torn")
    code, told = typed("restore", backup, "--replace", *WHO, language="ja_JP.UTF-8")
    assert (code, "失われた記録で、保留や破砕に" in told) == (0, True)
    backup.write_bytes(backup.read_bytes().replace(b'"records":36', b'"records":37'))
    code, told = typed("restore", backup, *WHO, language="ja_JP.UTF-8")
    assert (code, "何も戻していません" in told) == (1, True)


def test_a_ledger_that_a_retired_key_has_signed_is_numbered_on_only_when_told_to(
    rack: Settings, typed: Typed, tmp_path: Path
) -> None:
    state = rack.ledger.path.parent
    shutil.copytree(state, tmp_path / "older")
    anyio.run(rotated, rack)
    shutil.rmtree(state)
    (tmp_path / "older").rename(state)
    code, told = typed("restored", *WHO)
    assert (code, "signed by a key that was retired since" in told) == (1, True)
    assert "--retired-key" in told
    code, told = typed("restored", *WHO, language="ja_JP.UTF-8")
    assert (code, "前の鍵で署名されています" in told) == (1, True)
    code, told = typed("restored", "--retired-key", *WHO)
    assert (code, "numbered on from record" in told) == (0, True)


@pytest.mark.parametrize(
    ("count", "exit_code", "says"),
    [
        (0, 0, ""),
        (1, 0, "the last record isn't signed"),
        (2, 1, "2 records after that are signed by nobody"),
        (30, 1, "30 records after that are signed by nobody"),
    ],
)
def test_it_vouches_for_no_record_that_nobody_has_signed(
    rack: Settings, typed: Typed, count: int, exit_code: int, says: str
) -> None:
    append_unsigned(rack.ledger.path, count)
    # By the rack itself, and by a stranger who has its public key.
    for words in ((), (rack.ledger.path, "--key", files_of(rack).public)):
        code, told = typed("verify", *words)
        told = " ".join(told.split())
        assert code == exit_code, told
        assert says in told
        assert ("signed" in told) == (count > 0)
        assert ("records, head" in told) == (exit_code == 0)


def test_verifying_tells_how_often_the_centre_has_signed_and_that_it_was_put_back(
    rack: Settings, typed: Typed
) -> None:
    assert "centre" not in typed("verify")[1]
    key = key_of(rack)
    centre = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))

    async def record(*kinds: EntryKind) -> None:
        async with open_ledger(rack.ledger.path, head_key=key) as ledger:
            for kind in kinds:
                of = Branch(rack=key.ring.rack, branch=0, tip=ledger.head)
                told = json.loads(encode_checkpoint([of], 0, AT, centre))
                data = {"checkpoint": told, "centre": centre.public.public_bytes_raw().hex()}
                await ledger.append(Entry(kind=kind, at=AT, data=data))

    anyio.run(record, EntryKind.CHECKPOINT_RECEIVED, EntryKind.CHECKPOINT_RECEIVED)
    code, told = typed("verify")
    assert (code, "has signed for it 2 times" in told, "PUT BACK" in told) == (0, True, False)
    anyio.run(record, EntryKind.CENTRE_LACKED)
    code, told = typed("verify")
    assert (code, "2 times" in told) == (0, True)
    assert "PUT BACK TO AN OLDER STATE: by record" in told
    assert "at 2026-12-01 09:00 UTC" in told
    assert "stop the centre" in told
    assert "古い状態に戻されています" in typed("verify", language="ja_JP.UTF-8")[1]
