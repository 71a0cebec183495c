"""A rack's key, one statement, and its paper."""

from __future__ import annotations

import pytest

from benchd.certificate import SigningKey, create_key
from benchd.certificate.statement import statement_of
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import Evidence
from tests.certificate.certificate_rack import ISSUED_AT, proven_erasure
from tests.papers.papers_made import paper


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return create_key(tmp_path_factory.mktemp("rack") / "rack.key")


@pytest.fixture(scope="session")
def statement() -> Evidence:
    return to_json(
        statement_of(
            proven_erasure(),
            at=ISSUED_AT,
            site="大宮",
            benchd_version="0.1.0",
            benchd_commit="4f" * 20,
        )
    )


@pytest.fixture(scope="session")
def pdf(statement: Evidence, key: SigningKey) -> bytes:
    return paper(statement, key)
