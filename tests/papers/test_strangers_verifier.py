"""The verifier in docs/ needs nothing of benchd, is short, and finds every edit."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from benchd.certificate import SigningKey, create_key, verify_certificate
from benchd.domain.errors import CertificateInvalid
from benchd.domain.ids import Evidence
from tests.certificate.test_certificate_forms import sealed, spelled
from tests.papers.outside import read_by
from tests.papers.papers_made import signed

PROGRAM = Path(__file__).parents[2] / "docs" / "verify_certificate.py"
EDITS = 1_000


@pytest.fixture(scope="module")
def verifier() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verify_certificate", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*files: Path, encoding: str) -> subprocess.CompletedProcess[str]:
    """As on a machine whose screen or file takes only that."""
    return subprocess.run(
        [sys.executable, PROGRAM, *files],
        capture_output=True,
        encoding=encoding,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
    )


def test_it_is_short_and_needs_one_library() -> None:
    text = PROGRAM.read_text()
    assert len(text.splitlines()) < 100
    assert "benchd." not in text.replace("benchd.\n", "")


def test_it_finds_each_of_a_thousand_edits_as_benchd_does(
    verifier: ModuleType, statement: Evidence, key: SigningKey
) -> None:
    data, pem = signed(statement, key).envelope, key.public_key_pem
    assert verifier.verified(data, pem) == statement
    rng = random.Random(19)
    for _ in range(EDITS):
        at = rng.randrange(len(data))
        new = rng.choice([byte for byte in range(256) if byte != data[at]])
        changed = data[:at] + bytes([new]) + data[at + 1 :]
        with pytest.raises(ValueError, match=r"it |the signature"):
            verifier.verified(changed, pem)
        with pytest.raises(CertificateInvalid):
            verify_certificate(changed, pem)


def test_it_refuses_what_is_signed_by_another(
    verifier: ModuleType, statement: Evidence, key: SigningKey, tmp_path: Path
) -> None:
    other = create_key(tmp_path / "other.key")
    with pytest.raises(ValueError, match="another key"):
        verifier.verified(signed(statement, key).envelope, other.public_key_pem)
    # The other's id in the file makes it no better.
    told = json.loads(signed(statement, key).envelope)
    told["signatures"][0]["keyid"] = other.key_id
    forged = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(ValueError, match="signature doesn't fit"):
        verifier.verified(forged, other.public_key_pem)


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_a_form_that_it_does_not_know_is_refused_by_name(
    verifier: ModuleType, number: int, statement: Evidence, key: SigningKey
) -> None:
    other = {**statement, "predicateType": f"urn:benchd:certificate-of-erasure:v{number}"}
    with pytest.raises(ValueError, match=rf"v{number} isn't the form that this knows, .*:v4$"):
        verifier.verified(sealed(spelled(other), key), key.public_key_pem)


def test_it_checks_what_comes_out_of_a_pdf(pdf: bytes, key: SigningKey, tmp_path: Path) -> None:
    paper, public, out = (tmp_path / name for name in ("paper.pdf", "key.pub", "certificate.json"))
    paper.write_bytes(pdf)
    public.write_bytes(key.public_key_pem)
    read_by("pdfdetach", "-savefile", "certificate.json", "-o", out, paper)
    told = read_by(sys.executable, PROGRAM, out, public)
    assert "356938035643809" in told
    out.write_bytes(out.read_bytes().replace(b"payload", b"Payload", 1))
    refused = run(out, public, encoding="utf-8")
    assert refused.returncode == 1
    assert "NOT VALID" in refused.stderr


@pytest.mark.parametrize(
    ("encoding", "site"),
    [
        ("cp1252", r"\u5927\u5bae"),
        ("ascii", r"\u5927\u5bae"),
        ("cp932", "大宮"),
        ("utf-8", "大宮"),
    ],
)
def test_what_a_screen_cannot_show_says_nothing_of_the_certificate(
    encoding: str, site: str, statement: Evidence, key: SigningKey, tmp_path: Path
) -> None:
    file, public = tmp_path / "certificate.json", tmp_path / "key.pub"
    file.write_bytes(signed(statement, key).envelope)
    public.write_bytes(key.public_key_pem)
    done = run(file, public, encoding=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert "356938035643809" in done.stdout
    assert f"site: '{site}'" in done.stdout
    file.write_bytes(b"{}")
    missing = tmp_path / "証明書.json"
    for files in ((file, public), (missing, missing)):
        refused = run(*files, encoding=encoding)
        assert refused.returncode == 1
        assert "NOT VALID" in refused.stderr
