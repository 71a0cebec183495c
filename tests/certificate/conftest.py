"""A rack's key and one statement to be signed with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.certificate import SigningKey, create_key
from benchd.certificate.statement import statement_of
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import Evidence
from tests.certificate.certificate_rack import ISSUED_AT, proven_erasure


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return create_key(tmp_path / "rack.key")


@pytest.fixture
def statement() -> Evidence:
    return to_json(
        statement_of(proven_erasure(), at=ISSUED_AT, site="大宮", benchd_version="0.1.0")
    )
