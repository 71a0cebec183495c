"""`benchd key …` as administrators and strangers use it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from benchd.certificate import load_key, verify_certificate
from benchd.ledger import open_ledger
from tests.daemon.rotated_rack import key_of, make_rack, sell

BENCHD = Path(sys.executable).with_name("benchd")


def benchd(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BENCHD, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LANG": "C.UTF-8", "LC_ALL": "", **environment},
    )


def rotate(folder: Path, word: str = "rotate", **environment: str) -> str:
    told = benchd(
        *("key", word, "--operator", "佐藤", "--because", "stolen"),
        *("--config", folder / "benchd.toml"),
        **environment,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def test_a_stranger_verifies_old_and_new_by_what_was_exported(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    config, key, ring = tmp_path / "benchd.toml", tmp_path / "key.pem.pub", tmp_path / "ring"
    first = key.read_bytes()
    old = tmp_path / "old.json"
    old.write_bytes(anyio.run(sell, settings, "20261124-A1-0001"))
    assert "counts for 1 certificates" in rotate(tmp_path)
    new = tmp_path / "new.json"
    new.write_bytes(anyio.run(sell, settings, "20261124-A1-0002"))
    assert "1 件" in rotate(tmp_path, LANG="ja_JP.UTF-8")
    assert "3 keys" in benchd("key", "export", ring, "--config", config).stdout

    for file in (old, new):
        told = benchd("certificate", "verify", file, "--key", key, "--ring", ring)
        assert told.returncode == 0
        assert told.stdout.startswith(f"{file}: valid\n")
    assert benchd("certificate", "verify", old, "--key", key).returncode == 1
    ledger = settings.ledger.path
    assert benchd("ledger", "verify", ledger, "--key", key, "--ring", ring).returncode == 0

    pinned = tmp_path / "first.pub"
    pinned.write_bytes(first)
    told = benchd("certificate", "verify", new, "--key", pinned, "--ring", ring)
    assert told.returncode == 1
    assert "get the newest one" in told.stderr
    ring.write_bytes(ring.read_bytes().replace(b"rotated", b"retired", 1))
    told = benchd("certificate", "verify", old, "--key", key, "--ring", ring)
    assert told.returncode == 2
    assert "key ring" in told.stderr


def test_the_keys_are_listed(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    anyio.run(sell, settings, "20261124-A1-0001")
    rotate(tmp_path)
    (tmp_path / "key.pem").unlink()
    rotate(tmp_path, "lost")
    config = tmp_path / "benchd.toml"
    keys = json.loads(benchd("key", "list", "--json", "--config", config).stdout)["keys"]
    assert [(key["why"], key["certificates"]) for key in keys] == [
        ("rotated", 1),
        ("lost", 0),
        (None, None),
    ]
    assert keys[-1]["key_id"] == key_of(settings).key_id
    rows = benchd("key", "list", "--config", config).stdout.splitlines()
    assert [row.split("\t")[0] for row in rows] == [key["key_id"] for key in keys]


@pytest.mark.asyncio
async def test_it_is_refused_while_the_daemon_has_the_ledger(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    key = load_key(settings.certificate.key)
    certificate = await sell(settings, "20261124-A1-0001")
    async with open_ledger(settings.ledger.path, head_key=key):
        told = await anyio.to_thread.run_sync(
            lambda: benchd(
                *("key", "rotate", "--operator", "佐藤", "--because", "x"),
                *("--config", tmp_path / "benchd.toml"),
            )
        )
    assert told.returncode != 0
    assert "another benchd holds this ledger" in told.stderr
    assert key_of(settings).key_id == key.key_id
    assert {file.name for file in tmp_path.glob("key.pem*")} == {"key.pem", "key.pem.pub"}
    verify_certificate(certificate, key.public_key_pem)
