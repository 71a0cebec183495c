"""`benchd certificate show|verify`: whose handset, by which key, and what was checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchd.certificate import SigningKey
from benchd.cli.main import app as command
from benchd.domain.ids import Evidence
from tests.papers.papers_made import signed

IMEI = "356938035643809"


@pytest.fixture
def files(pdf: bytes, statement: Evidence, key: SigningKey, tmp_path: Path) -> Path:
    (tmp_path / "one.json").write_bytes(signed(statement, key).envelope)
    (tmp_path / "one.pdf").write_bytes(pdf)
    (tmp_path / "rack.pub").write_bytes(key.public_key_pem)
    return tmp_path


def benchd(*words: str | Path, language: str = "en_GB") -> Result:
    return CliRunner().invoke(command, list(map(str, words)), env={"LC_ALL": language})


@pytest.mark.parametrize("kind", ["json", "pdf"])
def test_it_tells_whose_handset_by_which_key_and_what_was_checked(
    kind: str, files: Path, key: SigningKey, statement: Evidence
) -> None:
    file = files / f"one.{kind}"
    said = benchd("certificate", "verify", file, "--key", files / "rack.pub")
    assert said.exit_code == 0, said.output
    for fact in (IMEI, "R5CT10ABCDE", "佐藤", "鈴木", "93.7%", "2026-11-24 22:00 JST", "大宮"):
        assert fact in said.stdout
    assert "! What was not reached" in said.stdout
    assert f"The certificate is as key {key.key_id} has signed it" in said.stdout
    assert ("The page is to the byte" in said.stdout) is (kind == "pdf")
    # Scripts are told the same.
    said = benchd("certificate", "verify", file, "--key", files / "rack.pub", "--json")
    told = json.loads(said.stdout)
    assert told["statement"] == statement
    assert (told["kind"], told["signature_checked"]) == (kind, True)
    assert told["page_compared"] is (True if kind == "pdf" else None)
    # A changed byte ends with 1, and tells nothing of a handset.
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    said = benchd("certificate", "verify", file, "--key", files / "rack.pub")
    assert said.exit_code == 1
    assert "NOT VALID" in said.stderr
    assert IMEI not in said.output


@pytest.mark.parametrize("kind", ["json", "pdf"])
@pytest.mark.parametrize(
    ("language", "warns"), [("en_GB", "wasn't checked"), ("ja_JP", "署名は確かめていません")]
)
def test_what_is_only_shown_says_that_nobody_checked_it(
    kind: str, language: str, warns: str, files: Path
) -> None:
    said = benchd("certificate", "show", files / f"one.{kind}", language=language)
    assert said.exit_code == 0, said.output
    assert IMEI in said.stdout
    assert warns in said.stdout
    told = benchd("certificate", "show", files / f"one.{kind}", "--json")
    assert json.loads(told.stdout)["signature_checked"] is False


def test_a_file_that_is_no_certificate_is_refused(files: Path) -> None:
    (files / "other.pdf").write_bytes(b"%PDF-1.7 and no more")
    (files / "other.json").write_text("{}")
    for name in ("other.pdf", "other.json"):
        assert benchd("certificate", "show", files / name).exit_code == 1
